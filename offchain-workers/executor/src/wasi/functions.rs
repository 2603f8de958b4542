//! The functions of preview1 on streams, clocks and randomness, and those for any descriptor.
//!
//! Each takes gas before it works: a fixed part, then what it moves.

use super::descriptors::Fd;
use super::memory::element;
use super::{answer, Answer, Errno, Exit, GuestMemory, Meter, Stop, Wasi};
use crate::cost;
use crate::limits::MAX_IO_VECTORS;
use millrace_primitives::Gas;

/// Resolution of the clock in nanoseconds: it is given in milliseconds.
const CLOCK_RESOLUTION_NS: u64 = 1_000_000;
/// Clocks of preview1: realtime, monotonic, process and thread time. All of them are the same one.
pub(super) const CLOCKS: u32 = 4;

impl Wasi {
	/// Number and total size of the arguments.
	pub fn args_sizes_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		count: u32,
		size: u32,
	) -> Answer {
		answer(strings_sizes(&self.arguments, meter, memory, count, size))
	}

	/// The arguments: one, the guest's name.
	pub fn args_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		pointers: u32,
		buffer: u32,
	) -> Answer {
		answer(strings(&self.arguments, meter, memory, pointers, buffer))
	}

	/// Number and total size of the environment variables.
	pub fn environ_sizes_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		count: u32,
		size: u32,
	) -> Answer {
		answer(strings_sizes(&self.environment, meter, memory, count, size))
	}

	/// The environment variables: those of CGI.
	pub fn environ_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		pointers: u32,
		buffer: u32,
	) -> Answer {
		answer(strings(&self.environment, meter, memory, pointers, buffer))
	}

	/// Resolution of a clock.
	pub fn clock_res_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		clock: u32,
		resolution: u32,
	) -> Answer {
		answer(self.clock(meter, memory, clock, resolution, CLOCK_RESOLUTION_NS))
	}

	/// Time of a clock: the call's time, and how long the guest has slept since.
	pub fn clock_time_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		clock: u32,
		_precision: u64,
		time: u32,
	) -> Answer {
		answer(self.clock(meter, memory, clock, time, self.clock_ns))
	}

	fn clock<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		clock: u32,
		at: u32,
		value: u64,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		if clock >= CLOCKS {
			return Err(Errno::INVAL.into());
		}
		Ok(memory.write_u64(at, value)?)
	}

	/// Reads from standard input or a file.
	pub fn fd_read<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		vectors: u32,
		count: u32,
		read: u32,
	) -> Answer {
		answer(self.read(meter, memory, fd, (vectors, count), read))
	}

	fn read<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		vectors: (u32, u32),
		read: u32,
	) -> Result<(), Stop> {
		begin_io(meter, vectors)?;
		let rest = self.rest(fd)?;
		let total = scatter(meter, memory, vectors, rest)?;
		memory.write_u32(read, total)?;
		match self.descriptors.get_mut(fd)? {
			Fd::File { at, .. } => *at += u64::from(total),
			_ => self.taken += total as usize,
		}
		Ok(())
	}

	/// What a descriptor has yet to give.
	pub(super) fn rest(&self, fd: u32) -> Result<&[u8], Errno> {
		let (bytes, at) = match self.descriptors.get(fd)? {
			Fd::Stdin => (&self.request.body[..], self.taken),
			Fd::File { path, at } => {
				let at = usize::try_from(*at).unwrap_or(usize::MAX);
				(self.content(path), at)
			}
			Fd::Folder { .. } => return Err(Errno::ISDIR),
			Fd::Stdout | Fd::Stderr => return Err(Errno::BADF),
		};
		Ok(bytes.get(at..).unwrap_or_default())
	}

	/// Writes to standard output or standard error.
	pub fn fd_write<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		vectors: u32,
		count: u32,
		written: u32,
	) -> Answer {
		answer(self.write(meter, memory, fd, (vectors, count), written))
	}

	fn write<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		vectors: (u32, u32),
		written: u32,
	) -> Result<(), Stop> {
		begin_io(meter, vectors)?;
		let response = match self.descriptors.get(fd)? {
			Fd::Stdout => true,
			Fd::Stderr => false,
			Fd::Stdin => return Err(Errno::BADF.into()),
			Fd::Folder { .. } | Fd::File { .. } => return Err(Errno::ROFS.into()),
		};
		let mut total = 0u32;
		for index in 0..vectors.1 {
			let (at, length) = vector(memory, vectors.0, index)?;
			meter.take(cost::bytes(length))?;
			if response {
				let room = self.response_limit - self.stdout.len();
				if length as usize > room {
					return Err(Stop::Exit(Exit::ResponseTooLarge));
				}
				append(&mut self.stdout, memory, at, length as usize)?;
			} else {
				let kept = self.stderr_room().min(length as usize);
				append(&mut self.stderr, memory, at, kept)?;
			}
			total = total.checked_add(length).ok_or(Stop::Errno(Errno::INVAL))?;
		}
		Ok(memory.write_u32(written, total)?)
	}

	/// Closes a descriptor.
	pub fn fd_close<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		fd: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		answer(self.descriptors.close(fd).map_err(Stop::from))
	}

	/// Gives a descriptor another number, in the place of the one that has it.
	pub fn fd_renumber<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		from: u32,
		to: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		answer(self.descriptors.renumber(from, to).map_err(Stop::from))
	}

	/// How a descriptor is used: nothing of it can be changed, and nothing has to be.
	pub fn fd_fdstat_set_flags<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		fd: u32,
		_flags: u32,
	) -> Answer {
		self.nothing_to_do(meter, fd)
	}

	/// How a file will be read: of no use here.
	pub fn fd_advise<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		fd: u32,
		_offset: u64,
		_length: u64,
		_advice: u32,
	) -> Answer {
		self.nothing_to_do(meter, fd)
	}

	fn nothing_to_do(&self, meter: &mut Meter, fd: u32) -> Answer {
		meter.take(cost::HOST_CALL)?;
		answer(self.descriptors.get(fd).map(|_| ()).map_err(Stop::from))
	}

	/// Random bytes: the next ones of the call's stream.
	pub fn random_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		buffer: u32,
		length: u32,
	) -> Answer {
		answer(self.random(meter, memory, buffer, length))
	}

	fn random<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		buffer: u32,
		length: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		meter.take(Gas::from(length).saturating_mul(cost::RANDOM_BYTE))?;
		let mut chunk = [0; 256];
		let mut done = 0u32;
		while done < length {
			let part = (length - done).min(chunk.len() as u32);
			let bytes = chunk.get_mut(..part as usize).unwrap_or_default();
			self.random.fill(bytes);
			memory.write(element(buffer, done, 1)?, bytes)?;
			done += part;
		}
		Ok(())
	}

	/// Lets others run: there are none.
	pub fn sched_yield<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		Ok(Errno::SUCCESS)
	}

	/// Ends the guest with a code.
	pub fn proc_exit(&mut self, meter: &mut Meter, code: u32) -> Exit {
		meter
			.take(cost::HOST_CALL)
			.err()
			.unwrap_or(Exit::Code(code))
	}

	/// The answer of every function that is not there. `changed` is the descriptor that the function
	/// would change a file by; see [`super::preview1::changes_files`].
	pub fn not_supported(&mut self, meter: &mut Meter, changed: Option<u32>) -> Answer {
		meter.take(cost::HOST_CALL)?;
		let of_package = changed
			.and_then(|fd| self.descriptors.get(fd).ok())
			.is_some_and(Fd::is_of_package);
		Ok(if of_package {
			Errno::ROFS
		} else {
			Errno::NOSYS
		})
	}
}

/// Takes the gas of a read or write, all but that of the bytes.
pub(super) fn begin_io(meter: &mut Meter, (_, count): (u32, u32)) -> Result<(), Stop> {
	meter.take(cost::HOST_CALL)?;
	if count > MAX_IO_VECTORS {
		return Err(Errno::INVAL.into());
	}
	Ok(meter.take(Gas::from(count).saturating_mul(cost::IO_VECTOR))?)
}

/// Address and length of a buffer in a list of them.
fn vector<M: GuestMemory + ?Sized>(memory: &M, list: u32, index: u32) -> Result<(u32, u32), Stop> {
	let at = element(list, index, 8)?;
	Ok((memory.read_u32(at)?, memory.read_u32(element(at, 1, 4)?)?))
}

/// Copies bytes into a guest's buffers until either ends, and says how many.
pub(super) fn scatter<M: GuestMemory + ?Sized>(
	meter: &mut Meter,
	memory: &mut M,
	vectors: (u32, u32),
	mut bytes: &[u8],
) -> Result<u32, Stop> {
	let before = bytes.len();
	for index in 0..vectors.1 {
		let (at, length) = vector(memory, vectors.0, index)?;
		let (part, rest) = bytes.split_at(bytes.len().min(length as usize));
		if part.is_empty() {
			continue;
		}
		meter.take(cost::bytes(part.len() as u32))?;
		memory.write(at, part)?;
		bytes = rest;
	}
	// A request and a package have far fewer bytes than 32 bits count.
	Ok((before - bytes.len()) as u32)
}

/// Appends guest memory to an output. The length is within the output's limit already.
fn append<M: GuestMemory + ?Sized>(
	output: &mut Vec<u8>,
	memory: &M,
	at: u32,
	length: usize,
) -> Result<(), Stop> {
	let before = output.len();
	output.resize(before + length, 0);
	Ok(memory
		.read(at, &mut output[before..])
		.inspect_err(|_| output.truncate(before))?)
}

/// Number of strings, and their size with a zero byte after each.
fn strings_sizes<M: GuestMemory + ?Sized>(
	strings: &[Vec<u8>],
	meter: &mut Meter,
	memory: &mut M,
	count: u32,
	size: u32,
) -> Result<(), Stop> {
	meter.take(cost::HOST_CALL)?;
	let bytes: usize = strings.iter().map(|string| string.len() + 1).sum();
	memory.write_u32(count, strings.len() as u32)?;
	Ok(memory.write_u32(size, bytes as u32)?)
}

/// Strings, each with a zero byte behind it, and a table of their addresses.
fn strings<M: GuestMemory + ?Sized>(
	strings: &[Vec<u8>],
	meter: &mut Meter,
	memory: &mut M,
	pointers: u32,
	buffer: u32,
) -> Result<(), Stop> {
	meter.take(cost::HOST_CALL)?;
	let mut offset = 0u32;
	for (index, string) in strings.iter().enumerate() {
		let mut bytes = string.clone();
		bytes.push(0);
		let length = bytes.len() as u32;
		meter.take(cost::bytes(length))?;
		let at = element(buffer, offset, 1)?;
		memory.write_u32(element(pointers, index as u32, 4)?, at)?;
		memory.write(at, &bytes)?;
		offset = offset.saturating_add(length);
	}
	Ok(())
}

//! The functions of preview1 that do something, and the answer of those that do not.
//!
//! Each takes gas before it works: a fixed part, then what it moves. Where a guest hands over bad
//! addresses the answer is `EFAULT`, as elsewhere; what was moved before that stays moved.

use super::memory::element;
use super::{Errno, Exit, Fault, GuestMemory, Meter, Wasi};
use crate::cost;
use crate::limits::MAX_IO_VECTORS;
use millrace_primitives::Gas;

/// Resolution of the clock in nanoseconds: it is given in milliseconds.
const CLOCK_RESOLUTION_NS: u64 = 1_000_000;
/// Clocks of preview1: realtime, monotonic, process and thread time. All of them stand still.
const CLOCKS: u32 = 4;
/// Rights of standard input and of the two outputs.
const RIGHT_TO_READ: u64 = 1 << 1;
const RIGHT_TO_WRITE: u64 = 1 << 6;

/// What a host call answers, or why it ends the guest.
type Answer = Result<Errno, Exit>;

/// Why a host call stops early.
enum Stop {
	Errno(Errno),
	Exit(Exit),
}

impl From<Exit> for Stop {
	fn from(exit: Exit) -> Self {
		Self::Exit(exit)
	}
}

impl From<Fault> for Stop {
	fn from(_: Fault) -> Self {
		Self::Errno(Errno::FAULT)
	}
}

fn answer(result: Result<(), Stop>) -> Answer {
	match result {
		Ok(()) => Ok(Errno::SUCCESS),
		Err(Stop::Errno(errno)) => Ok(errno),
		Err(Stop::Exit(exit)) => Err(exit),
	}
}

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

	/// Time of a clock: the call's time, from its first instruction to its last.
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
			return Err(Stop::Errno(Errno::INVAL));
		}
		Ok(memory.write_u64(at, value)?)
	}

	/// Reads from standard input.
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
		if fd != 0 || !self.open[0] {
			return Err(Stop::Errno(Errno::BADF));
		}
		let mut total = 0u32;
		for index in 0..vectors.1 {
			let (at, length) = vector(memory, vectors.0, index)?;
			let rest = self.stdin.get(self.taken..).unwrap_or_default();
			let part = rest.get(..length as usize).unwrap_or(rest);
			if part.is_empty() {
				continue;
			}
			let moved = part.len() as u32;
			meter.take(cost::bytes(moved))?;
			memory.write(at, part)?;
			self.taken += part.len();
			// No more than the request is ever read, so this cannot overflow.
			total = total.saturating_add(moved);
		}
		Ok(memory.write_u32(read, total)?)
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
		if !matches!(fd, 1 | 2) || !self.open[fd as usize] {
			return Err(Stop::Errno(Errno::BADF));
		}
		let mut total = 0u32;
		for index in 0..vectors.1 {
			let (at, length) = vector(memory, vectors.0, index)?;
			meter.take(cost::bytes(length))?;
			if fd == 1 {
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

	/// Closes a standard descriptor.
	pub fn fd_close<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		fd: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		match self.open.get_mut(fd as usize) {
			Some(open) if *open => {
				*open = false;
				Ok(Errno::SUCCESS)
			}
			_ => Ok(Errno::BADF),
		}
	}

	/// What a descriptor is: a stream that is no terminal, so that C buffers its output.
	pub fn fd_fdstat_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		stat: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		if !self.is_open(fd) {
			return Ok(Errno::BADF);
		}
		let rights = if fd == 0 {
			RIGHT_TO_READ
		} else {
			RIGHT_TO_WRITE
		};
		let mut record = [0; 24];
		record[8..16].copy_from_slice(&rights.to_le_bytes());
		answer(memory.write(stat, &record).map_err(Stop::from))
	}

	/// Position of a descriptor: streams have none.
	pub fn fd_seek<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		fd: u32,
		_offset: u64,
		_whence: u32,
		_position: u32,
	) -> Answer {
		self.no_position(meter, fd)
	}

	/// Position of a descriptor: streams have none.
	pub fn fd_tell<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		fd: u32,
		_position: u32,
	) -> Answer {
		self.no_position(meter, fd)
	}

	fn no_position(&self, meter: &mut Meter, fd: u32) -> Answer {
		meter.take(cost::HOST_CALL)?;
		Ok(if self.is_open(fd) {
			Errno::SPIPE
		} else {
			Errno::BADF
		})
	}

	/// Folders opened beforehand: none. C libraries ask until they hear `EBADF`.
	pub fn fd_prestat_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		_fd: u32,
		_stat: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		Ok(Errno::BADF)
	}

	/// Name of a folder opened beforehand: there is none.
	pub fn fd_prestat_dir_name<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		_memory: &mut M,
		_fd: u32,
		_name: u32,
		_length: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		Ok(Errno::BADF)
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

	/// The answer of every function that is not there.
	pub fn not_supported(&mut self, meter: &mut Meter) -> Answer {
		meter.take(cost::HOST_CALL)?;
		Ok(Errno::NOSYS)
	}

	fn is_open(&self, fd: u32) -> bool {
		self.open.get(fd as usize).copied().unwrap_or(false)
	}
}

/// Takes the gas of a read or write, all but that of the bytes.
fn begin_io(meter: &mut Meter, (_, count): (u32, u32)) -> Result<(), Stop> {
	meter.take(cost::HOST_CALL)?;
	if count > MAX_IO_VECTORS {
		return Err(Stop::Errno(Errno::INVAL));
	}
	Ok(meter.take(Gas::from(count).saturating_mul(cost::IO_VECTOR))?)
}

/// Address and length of a buffer in a list of them.
fn vector<M: GuestMemory + ?Sized>(memory: &M, list: u32, index: u32) -> Result<(u32, u32), Stop> {
	let at = element(list, index, 8)?;
	Ok((memory.read_u32(at)?, memory.read_u32(element(at, 1, 4)?)?))
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

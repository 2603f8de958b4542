//! The functions of preview1 on the package's files.
//!
//! Paths are resolved by their text alone: there are no links, and nothing changes. `..` leads up
//! inside the archive; what leads out of it, as an absolute path does, is refused.

use super::descriptors::Fd;
use super::functions::{begin_io, scatter};
use super::{answer, Answer, Errno, GuestMemory, Meter, Stop, Wasi};
use crate::archive::Node;
use crate::cost;
use millrace_primitives::hash;

/// Longest path that a guest may hand over; those of archives are far shorter.
const MAX_GUEST_PATH_BYTES: u32 = 4_096;

/// Kinds of files, as preview1 numbers them. Streams are of an unknown kind: no terminals, so that C
/// buffers its output.
const STREAM: u8 = 0;
const FOLDER: u8 = 3;
const FILE: u8 = 4;

/// Rights, as preview1 numbers them.
const READ: u64 = 1 << 1;
const SEEK: u64 = 1 << 2;
const SET_FLAGS: u64 = 1 << 3;
const TELL: u64 = 1 << 5;
const WRITE: u64 = 1 << 6;
const ADVISE: u64 = 1 << 7;
const OPEN: u64 = 1 << 13;
const READ_FOLDER: u64 = 1 << 14;
const READ_LINK: u64 = 1 << 15;
const STAT_PATH: u64 = 1 << 18;
const STAT: u64 = 1 << 21;
const POLL: u64 = 1 << 27;
const OF_FILES: u64 = READ | SEEK | SET_FLAGS | TELL | ADVISE | STAT | POLL;
const OF_FOLDERS: u64 = SET_FLAGS | OPEN | READ_FOLDER | READ_LINK | STAT_PATH | STAT;

/// How a path is opened: as a new file, as a folder, only as a new file, emptied.
const CREATE: u32 = 1;
const AS_FOLDER: u32 = 1 << 1;
const ONLY_NEW: u32 = 1 << 2;
const TRUNCATE: u32 = 1 << 3;
/// How a file is written.
const APPEND: u32 = 1;

/// Bytes of an entry of a folder before its name.
const ENTRY_HEAD: usize = 24;

#[allow(
	clippy::too_many_arguments,
	reason = "the functions have the arguments that preview1 gives them"
)]
impl Wasi {
	/// What a descriptor is, and what it may be used for.
	pub fn fd_fdstat_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		stat: u32,
	) -> Answer {
		answer(self.fdstat(meter, memory, fd, stat))
	}

	fn fdstat<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		stat: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		let (kind, rights, inherited) = match self.descriptors.get(fd)? {
			Fd::Stdin => (STREAM, READ, 0),
			Fd::Stdout | Fd::Stderr => (STREAM, WRITE, 0),
			Fd::Folder { .. } => (FOLDER, OF_FOLDERS, OF_FOLDERS | OF_FILES),
			Fd::File { .. } => (FILE, OF_FILES, 0),
		};
		let mut record = [0; 24];
		record[0] = kind;
		record[8..16].copy_from_slice(&rights.to_le_bytes());
		record[16..24].copy_from_slice(&inherited.to_le_bytes());
		Ok(memory.write(stat, &record)?)
	}

	/// Kind and size behind a descriptor. Times are those of no clock.
	pub fn fd_filestat_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		stat: u32,
	) -> Answer {
		answer(self.filestat(meter, memory, fd, stat))
	}

	fn filestat<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		stat: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		let record = match self.descriptors.get(fd)? {
			Fd::Stdin | Fd::Stdout | Fd::Stderr => stat_record(STREAM, u64::from(fd), 0),
			Fd::Folder { path, .. } => stat_record(FOLDER, inode(path), 0),
			Fd::File { path, .. } => {
				stat_record(FILE, inode(path), self.content(path).len() as u64)
			}
		};
		Ok(memory.write(stat, &record)?)
	}

	/// Kind and size of what a path leads to.
	pub fn path_filestat_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		_flags: u32,
		path: u32,
		length: u32,
		stat: u32,
	) -> Answer {
		answer(self.path_stat(meter, memory, fd, (path, length), stat))
	}

	fn path_stat<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		path: (u32, u32),
		stat: u32,
	) -> Result<(), Stop> {
		begin_path(meter, path)?;
		let base = self.folder(fd)?;
		let path = read_path(memory, base, path)?;
		let record = match self.node(&path)? {
			Node::File(bytes) => stat_record(FILE, inode(&path), bytes.len() as u64),
			Node::Folder => stat_record(FOLDER, inode(&path), 0),
		};
		Ok(memory.write(stat, &record)?)
	}

	/// Opens a file or folder, to read it.
	pub fn path_open<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		_lookup: u32,
		path: u32,
		length: u32,
		how: u32,
		rights: u64,
		_inherited: u64,
		flags: u32,
		opened: u32,
	) -> Answer {
		let writes =
			how & (CREATE | ONLY_NEW | TRUNCATE) != 0 || flags & APPEND != 0 || rights & WRITE != 0;
		let as_folder = how & AS_FOLDER != 0;
		answer(self.open(
			meter,
			memory,
			fd,
			(path, length),
			(writes, as_folder),
			opened,
		))
	}

	fn open<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		path: (u32, u32),
		(writes, as_folder): (bool, bool),
		opened: u32,
	) -> Result<(), Stop> {
		begin_path(meter, path)?;
		let base = self.folder(fd)?;
		if writes {
			return Err(Errno::ROFS.into());
		}
		let path = read_path(memory, base, path)?;
		// An address outside is told before anything is opened.
		memory.write_u32(opened, 0)?;
		let new = match self.node(&path)? {
			Node::Folder => Fd::Folder {
				path,
				preopened: false,
			},
			Node::File(_) if as_folder => return Err(Errno::NOTDIR.into()),
			Node::File(_) => Fd::File { path, at: 0 },
		};
		if !self.descriptors.has_room() {
			return Err(Errno::MFILE.into());
		}
		let number = self.descriptors.open(new);
		Ok(memory.write_u32(opened, number)?)
	}

	/// What a link leads to: there are none.
	pub fn path_readlink<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		path: u32,
		length: u32,
		_buffer: u32,
		_room: u32,
		_used: u32,
	) -> Answer {
		answer(self.read_link(meter, memory, fd, (path, length)))
	}

	fn read_link<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		path: (u32, u32),
	) -> Result<(), Stop> {
		begin_path(meter, path)?;
		let base = self.folder(fd)?;
		let path = read_path(memory, base, path)?;
		self.node(&path)?;
		Err(Errno::INVAL.into())
	}

	/// Reads from a file at a position of the guest's choice.
	pub fn fd_pread<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		vectors: u32,
		count: u32,
		offset: u64,
		read: u32,
	) -> Answer {
		answer(self.read_at(meter, memory, fd, (vectors, count), offset, read))
	}

	fn read_at<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		vectors: (u32, u32),
		offset: u64,
		read: u32,
	) -> Result<(), Stop> {
		begin_io(meter, vectors)?;
		let bytes = match self.descriptors.get(fd)? {
			Fd::File { path, .. } => self.content(path),
			Fd::Folder { .. } => return Err(Errno::ISDIR.into()),
			Fd::Stdin | Fd::Stdout | Fd::Stderr => return Err(Errno::SPIPE.into()),
		};
		let offset = usize::try_from(offset).unwrap_or(usize::MAX);
		let rest = bytes.get(offset..).unwrap_or_default();
		let total = scatter(meter, memory, vectors, rest)?;
		Ok(memory.write_u32(read, total)?)
	}

	/// Moves the position in a file; streams have none.
	pub fn fd_seek<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		offset: u64,
		whence: u32,
		position: u32,
	) -> Answer {
		// The offset is signed; preview1 passes its bits.
		answer(self.seek(meter, memory, fd, (offset as i64, whence), position))
	}

	/// The position in a file; streams have none.
	pub fn fd_tell<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		position: u32,
	) -> Answer {
		answer(self.seek(meter, memory, fd, (0, 1), position))
	}

	fn seek<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		(offset, whence): (i64, u32),
		position: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		let (path, at) = match self.descriptors.get(fd)? {
			Fd::File { path, at } => (path, *at),
			Fd::Folder { .. } => return Err(Errno::ISDIR.into()),
			Fd::Stdin | Fd::Stdout | Fd::Stderr => return Err(Errno::SPIPE.into()),
		};
		let from = match whence {
			0 => 0,
			1 => at,
			2 => self.content(path).len() as u64,
			_ => return Err(Errno::INVAL.into()),
		};
		let target = from.checked_add_signed(offset).ok_or(Errno::INVAL)?;
		memory.write_u64(position, target)?;
		if let Fd::File { at, .. } = self.descriptors.get_mut(fd)? {
			*at = target;
		}
		Ok(())
	}

	/// The folder that is open from the start, if the package has files.
	pub fn fd_prestat_get<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		stat: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		if !self.is_preopened(fd) {
			return Ok(Errno::BADF);
		}
		// Its kind, a folder, and the length of its name.
		let record = [0, 0, 0, 0, 1, 0, 0, 0];
		answer(memory.write(stat, &record).map_err(Stop::from))
	}

	/// Its name.
	pub fn fd_prestat_dir_name<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		name: u32,
		length: u32,
	) -> Answer {
		meter.take(cost::HOST_CALL)?;
		if !self.is_preopened(fd) {
			return Ok(Errno::BADF);
		}
		if length == 0 {
			return Ok(Errno::NAMETOOLONG);
		}
		answer(memory.write(name, b"/").map_err(Stop::from))
	}

	/// Lists a folder from an entry on, until there are no more or the buffer is full: an entry that
	/// fills it up is cut.
	pub fn fd_readdir<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		buffer: u32,
		length: u32,
		cookie: u64,
		used: u32,
	) -> Answer {
		answer(self.read_folder(meter, memory, fd, (buffer, length), cookie, used))
	}

	fn read_folder<M: GuestMemory + ?Sized>(
		&self,
		meter: &mut Meter,
		memory: &mut M,
		fd: u32,
		(buffer, length): (u32, u32),
		cookie: u64,
		used: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		let folder = self.folder(fd)?;
		let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
		let mut bytes = Vec::new();
		for (index, (name, node)) in self.files.list(folder).enumerate() {
			// Those that are skipped are looked at as well.
			meter.take(cost::DIRECTORY_ENTRY)?;
			if index < skipped {
				continue;
			}
			if bytes.len() >= length as usize {
				break;
			}
			let kind = match node {
				Node::File(_) => FILE,
				Node::Folder => FOLDER,
			};
			let mut head = [0; ENTRY_HEAD];
			head[0..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
			head[8..16].copy_from_slice(&inode(&joined(folder, name)).to_le_bytes());
			head[16..20].copy_from_slice(&(name.len() as u32).to_le_bytes());
			head[20] = kind;
			bytes.extend_from_slice(&head);
			bytes.extend_from_slice(name.as_bytes());
		}
		bytes.truncate(length as usize);
		let total = bytes.len() as u32;
		meter.take(cost::bytes(total))?;
		memory.write(buffer, &bytes)?;
		Ok(memory.write_u32(used, total)?)
	}

	/// The path of a folder that is open.
	fn folder(&self, fd: u32) -> Result<&str, Errno> {
		match self.descriptors.get(fd)? {
			Fd::Folder { path, .. } => Ok(path.as_str()),
			_ => Err(Errno::NOTDIR),
		}
	}

	fn is_preopened(&self, fd: u32) -> bool {
		matches!(
			self.descriptors.get(fd),
			Ok(Fd::Folder {
				preopened: true,
				..
			})
		)
	}

	/// What a resolved path leads to.
	fn node(&self, path: &str) -> Result<Node<'_>, Errno> {
		self.files.get(path).ok_or(Errno::NOENT)
	}

	/// Content of a file that is open.
	pub(super) fn content(&self, path: &str) -> &[u8] {
		match self.node(path) {
			Ok(Node::File(bytes)) => bytes,
			_ => &[],
		}
	}
}

/// Takes the gas of a function that takes a path.
fn begin_path(meter: &mut Meter, (_, length): (u32, u32)) -> Result<(), Stop> {
	meter.take(cost::HOST_CALL)?;
	if length > MAX_GUEST_PATH_BYTES {
		return Err(Errno::NAMETOOLONG.into());
	}
	Ok(meter.take(cost::bytes(length))?)
}

/// Reads a path and resolves it from a folder.
fn read_path<M: GuestMemory + ?Sized>(
	memory: &M,
	base: &str,
	(at, length): (u32, u32),
) -> Result<String, Stop> {
	let mut bytes = vec![0; length as usize];
	memory.read(at, &mut bytes)?;
	let path = std::str::from_utf8(&bytes).map_err(|_| Errno::INVAL)?;
	Ok(resolve(base, path)?)
}

/// Resolves a path from a folder, both without a slash at the ends.
fn resolve(base: &str, path: &str) -> Result<String, Errno> {
	if path.is_empty() {
		return Err(Errno::NOENT);
	}
	if path.contains('\0') {
		return Err(Errno::INVAL);
	}
	if path.starts_with('/') {
		return Err(Errno::NOTCAPABLE);
	}
	let mut names: Vec<&str> = base.split('/').filter(|name| !name.is_empty()).collect();
	for name in path.split('/') {
		match name {
			"" | "." => {}
			".." => {
				names.pop().ok_or(Errno::NOTCAPABLE)?;
			}
			name => names.push(name),
		}
	}
	Ok(names.join("/"))
}

fn joined(folder: &str, name: &str) -> String {
	if folder.is_empty() {
		name.to_owned()
	} else {
		format!("{folder}/{name}")
	}
}

/// A number that stands for a path; never 0, which C reads as none.
fn inode(path: &str) -> u64 {
	let hash = hash::blake2_256(path.as_bytes());
	let mut first = [0; 8];
	first.copy_from_slice(&hash.0[..8]);
	u64::from_le_bytes(first) | 1
}

/// Kind, number and size of a file, as preview1 writes them.
fn stat_record(kind: u8, inode: u64, size: u64) -> [u8; 64] {
	let mut record = [0; 64];
	record[8..16].copy_from_slice(&inode.to_le_bytes());
	record[16] = kind;
	record[24..32].copy_from_slice(&1u64.to_le_bytes());
	record[32..40].copy_from_slice(&size.to_le_bytes());
	record
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn paths_stay_inside_by_their_text() {
		for (base, path, resolved) in [
			("", ".", Ok("")),
			("", "a", Ok("a")),
			("", "a/", Ok("a")),
			("", "./a//b/.", Ok("a/b")),
			("a", "b", Ok("a/b")),
			("a/b", "..", Ok("a")),
			("a/b", "../..", Ok("")),
			("a/b", "../../c/../d", Ok("d")),
			("", "", Err(Errno::NOENT)),
			("", "..", Err(Errno::NOTCAPABLE)),
			("a", "../..", Err(Errno::NOTCAPABLE)),
			("", "a/../../a", Err(Errno::NOTCAPABLE)),
			("", "/a", Err(Errno::NOTCAPABLE)),
			("a", "/", Err(Errno::NOTCAPABLE)),
			("", "a\0b", Err(Errno::INVAL)),
		] {
			let found = resolve(base, path);
			assert_eq!(
				found.as_deref().map_err(|errno| *errno),
				resolved,
				"{base:?} {path:?}"
			);
		}
		// What is no dot is a name, however it looks.
		assert_eq!(resolve("", "...").as_deref(), Ok("..."));
		assert_eq!(resolve("", "..\\a").as_deref(), Ok("..\\a"));
	}

	#[test]
	fn inodes_differ_and_are_none_of_them_0() {
		assert_ne!(inode("a"), inode("b"));
		assert_ne!(inode(""), 0);
	}
}

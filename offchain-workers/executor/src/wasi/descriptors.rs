//! The guest's table of open descriptors.

use super::Errno;

/// Most descriptors that are open at a time.
pub(super) const MAX_DESCRIPTORS: usize = 64;

/// What a descriptor stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fd {
	/// The request's body.
	Stdin,
	/// The response.
	Stdout,
	/// What goes to the operator's eyes.
	Stderr,
	/// A folder of the package's files.
	Folder {
		/// Its path in the archive; empty for the root.
		path: String,
		/// Whether it was open from the start.
		preopened: bool,
	},
	/// A file of the package.
	File {
		/// Its path in the archive.
		path: String,
		/// Where the next read begins.
		at: u64,
	},
}

impl Fd {
	/// Whether it is one of the package's files or folders, rather than a stream.
	pub(super) fn is_of_package(&self) -> bool {
		matches!(self, Self::Folder { .. } | Self::File { .. })
	}
}

/// Descriptors by number.
#[derive(Debug)]
pub(super) struct Descriptors(Vec<Option<Fd>>);

impl Descriptors {
	/// The three streams.
	pub(super) fn new() -> Self {
		Self(vec![Some(Fd::Stdin), Some(Fd::Stdout), Some(Fd::Stderr)])
	}

	/// What a number stands for.
	pub(super) fn get(&self, fd: u32) -> Result<&Fd, Errno> {
		self.0
			.get(fd as usize)
			.and_then(Option::as_ref)
			.ok_or(Errno::BADF)
	}

	/// What a number stands for.
	pub(super) fn get_mut(&mut self, fd: u32) -> Result<&mut Fd, Errno> {
		self.0
			.get_mut(fd as usize)
			.and_then(Option::as_mut)
			.ok_or(Errno::BADF)
	}

	/// Whether another one can be opened.
	pub(super) fn has_room(&self) -> bool {
		self.0.len() < MAX_DESCRIPTORS || self.0.iter().any(Option::is_none)
	}

	/// Opens the lowest number that is free; the caller has looked whether there is one.
	pub(super) fn open(&mut self, new: Fd) -> u32 {
		let free = self.0.iter().position(Option::is_none);
		let index = free.unwrap_or_else(|| {
			self.0.push(None);
			self.0.len() - 1
		});
		self.0[index] = Some(new);
		index as u32
	}

	/// Closes a number.
	pub(super) fn close(&mut self, fd: u32) -> Result<(), Errno> {
		self.get(fd)?;
		self.0[fd as usize] = None;
		Ok(())
	}

	/// Gives what one number stands for to another, which is closed before.
	pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
		self.get(from)?;
		self.get(to)?;
		if from != to {
			self.0[to as usize] = self.0[from as usize].take();
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn file(path: &str) -> Fd {
		Fd::File {
			path: path.into(),
			at: 0,
		}
	}

	#[test]
	fn the_lowest_free_number_is_taken() {
		let mut descriptors = Descriptors::new();
		assert_eq!(descriptors.open(file("a")), 3);
		assert_eq!(descriptors.close(1), Ok(()));
		assert_eq!(descriptors.close(1), Err(Errno::BADF));
		assert_eq!(descriptors.open(file("b")), 1);
		assert_eq!(descriptors.open(file("c")), 4);
		assert_eq!(descriptors.get(4), Ok(&file("c")));
		assert_eq!(descriptors.get(5), Err(Errno::BADF));
		assert_eq!(descriptors.get(u32::MAX), Err(Errno::BADF));
	}

	#[test]
	fn there_is_an_end_to_them() {
		let mut descriptors = Descriptors::new();
		while descriptors.has_room() {
			descriptors.open(file("a"));
		}
		assert_eq!(descriptors.0.len(), MAX_DESCRIPTORS);
		assert_eq!(descriptors.close(7), Ok(()));
		assert!(descriptors.has_room());
	}

	#[test]
	fn a_number_moves_to_another_that_is_open() {
		let mut descriptors = Descriptors::new();
		descriptors.open(file("a"));
		assert_eq!(descriptors.renumber(3, 9), Err(Errno::BADF));
		assert_eq!(descriptors.renumber(9, 3), Err(Errno::BADF));
		assert_eq!(descriptors.renumber(3, 3), Ok(()));
		assert_eq!(descriptors.renumber(3, 0), Ok(()));
		assert_eq!(descriptors.get(0), Ok(&file("a")));
		assert_eq!(descriptors.get(3), Err(Errno::BADF));
	}
}

//! Reading and writing what the user names, with errors that name it too.

use crate::errors::{CliError, Kind, Result};
use std::{
	io::{Read, Write},
	path::Path,
};

/// Largest input that is read into memory: far above every limit of the protocol.
const MAX_INPUT_BYTES: u64 = 64 * 1024 * 1024;

/// Reads a file, or standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
	let mut bytes = Vec::new();
	let outcome = if path == Path::new("-") {
		std::io::stdin()
			.lock()
			.take(MAX_INPUT_BYTES + 1)
			.read_to_end(&mut bytes)
	} else {
		std::fs::File::open(path)
			.and_then(|file| file.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes))
	};
	outcome.map_err(|error| {
		CliError::usage(
			"file_unreadable",
			format!("cannot read {}: {error}", path.display()),
		)
	})?;
	if bytes.len() as u64 > MAX_INPUT_BYTES {
		let message = format!("{} is over {MAX_INPUT_BYTES} bytes", path.display());
		return Err(CliError::usage("file_too_large", message));
	}
	Ok(bytes)
}

/// Writes a file, or standard output for `-`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
	let outcome = if path == Path::new("-") {
		let mut out = std::io::stdout().lock();
		out.write_all(bytes).and_then(|()| out.flush())
	} else {
		std::fs::write(path, bytes)
	};
	outcome.map_err(|error| {
		let message = format!("cannot write {}: {error}", path.display());
		CliError::new(Kind::Failure, "file_unwritable", message)
	})
}

//! What can go wrong in the prover.

use millrace_randomx::Unavailable;
use std::{io, path::PathBuf};

/// Trouble of the machine, its disk or the settings; nothing here is caused by what the chain asks
/// for.
#[derive(Debug, thiserror::Error)]
pub enum ProverError {
	/// The directory of the solutions cannot be made.
	#[error("cannot create {dir}: {source}; check that the data directory is writable")]
	Directory {
		/// The directory.
		dir: PathBuf,
		/// Why.
		source: io::Error,
	},
	/// The settings name cores that the process may not use.
	#[error("this process may not run on core {foreign}; it may run on {allowed}")]
	Cores {
		/// Those cores.
		foreign: String,
		/// Cores that it may use.
		allowed: String,
	},
	/// A thread cannot be started.
	#[error("cannot start a thread: {0}; check the limits on processes and memory")]
	Thread(io::Error),
	/// The store of solutions failed. After trouble with the disk it works again once it is opened
	/// anew.
	#[error(
		"the store of solutions failed: {0}; check that the disk has space and is healthy, then start \
		 the process again"
	)]
	Store(Box<redb::Error>),
	/// A stored task cannot be read.
	#[error("the stored task of epoch {0} cannot be read: the store is damaged")]
	DamagedTask(u32),
	/// The store's writer has stopped.
	#[error("the prover is stopped")]
	Stopped,
	/// RandomX cannot get the memory that it needs.
	#[error("{0}; free some (light mode needs 256 MiB, fast mode 2.3 GiB)")]
	Memory(#[from] Unavailable),
	/// The work was given up because another task came.
	#[error("given up for another task")]
	Superseded,
}

/// Any error of the store as a [`ProverError`].
pub(crate) fn store<E: Into<redb::Error>>(error: E) -> ProverError {
	ProverError::Store(Box::new(error.into()))
}

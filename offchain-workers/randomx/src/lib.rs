//! # Millrace RandomX
//!
//! Caches, datasets and machines of RandomX, as node and prover share them between threads: a safe
//! face over the upstream C library, and the only unsafe code of the workspace that touches it.
//!
//! Two things are decided here that the library leaves to chance. Whether programs are compiled
//! depends on what the system allows ([`allowed`]): the library does not look whether its pages
//! became executable and jumps into them all the same. And memory comes in the best pages that are
//! to be had ([`Pages`]), each part of it falling back alone.
//!
//! ```no_run
//! use millrace_randomx::{Cache, Machine, Options};
//!
//! let cache = Cache::new(b"key", Options::default())?;
//! let mut machine = Machine::light(cache)?;
//! let hash = machine.hash(b"input");
//! let mut row = machine.row(b"first");
//! let first = row.next(b"second");
//! let second = row.last();
//! # Ok::<(), millrace_randomx::Unavailable>(())
//! ```

mod cache;
mod code;
mod dataset;
mod ffi;
mod machine;
mod pages;

pub use cache::Cache;
pub use code::{allowed, Code};
pub use dataset::Dataset;
pub use machine::{Machine, Row};
pub use pages::Pages;

/// There is not enough memory.
#[derive(Debug, thiserror::Error)]
#[error("RandomX has no memory for {0}")]
pub struct Unavailable(pub &'static str);

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
	/// How programs run; lowered to what the system allows.
	pub code: Code,
	/// Best pages to try; lower ones follow.
	pub pages: Pages,
}

impl Default for Options {
	fn default() -> Self {
		Self {
			code: allowed(),
			pages: Pages::Reserved,
		}
	}
}

//! What caches, machines and the judge have done, counted without a lock.

use crate::Caller;
use millrace_randomx::Pages;
use std::{
	sync::{
		atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
		Arc,
	},
	time::Duration,
};

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
	/// Caches that are filled now.
	pub caches: u32,
	/// Caches that were filled.
	pub fills: u64,
	/// Fills that a block's import or authoring waited for.
	pub cold_fills: u64,
	/// Time that the last fill took, in milliseconds.
	pub fill_ms_last: u64,
	/// Hashes: of imports, of authoring, of offchain callers.
	pub hashes: [u64; 3],
	/// Offchain questions under other seeds, or under one whose cache is not filled yet.
	pub refused: u64,
	/// Whether programs are interpreted.
	pub interpreted: bool,
	/// Pages of the cache that was filled last.
	pub pages: Pages,
	/// Replays of calls.
	pub replays: Replays,
}

/// Replays that were done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replays {
	/// How many.
	pub count: u64,
	/// Gas that they spent.
	pub gas: u64,
	/// Time that the last one took, in milliseconds.
	pub ms_last: u64,
}

/// The same as it is counted.
#[derive(Debug)]
pub(crate) struct ReplayCounts {
	count: AtomicU64,
	gas: AtomicU64,
	ms_last: AtomicU64,
}

impl ReplayCounts {
	/// Before the first one.
	pub(crate) const fn new() -> Self {
		Self {
			count: AtomicU64::new(0),
			gas: AtomicU64::new(0),
			ms_last: AtomicU64::new(0),
		}
	}

	/// One was done.
	pub(crate) fn done(&self, gas: u64, took: Duration) {
		self.count.fetch_add(1, Relaxed);
		self.gas.fetch_add(gas, Relaxed);
		self.ms_last.store(ms(took), Relaxed);
	}

	/// Everything so far.
	pub(crate) fn read(&self) -> Replays {
		Replays {
			count: self.count.load(Relaxed),
			gas: self.gas.load(Relaxed),
			ms_last: self.ms_last.load(Relaxed),
		}
	}
}

/// The same as it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
	caches: Arc<AtomicU32>,
	fills: AtomicU64,
	cold_fills: AtomicU64,
	fill_ms_last: AtomicU64,
	hashes: [AtomicU64; Caller::COUNT],
	refused: AtomicU64,
}

/// A cache that is there until this is dropped.
#[derive(Debug)]
pub(crate) struct Live(Arc<AtomicU32>);

impl Drop for Live {
	fn drop(&mut self) {
		self.0.fetch_sub(1, Relaxed);
	}
}

impl Counts {
	/// A cache was filled.
	pub(crate) fn filled(&self, took: Duration) -> Live {
		self.fills.fetch_add(1, Relaxed);
		self.fill_ms_last.store(ms(took), Relaxed);
		self.caches.fetch_add(1, Relaxed);
		Live(self.caches.clone())
	}

	/// A block waits for a fill that nobody had begun.
	pub(crate) fn cold(&self) {
		self.cold_fills.fetch_add(1, Relaxed);
	}

	/// A hash was computed.
	pub(crate) fn hashed(&self, caller: Caller) {
		self.hashes[caller.index()].fetch_add(1, Relaxed);
	}

	/// An offchain question was not answered.
	pub(crate) fn refused(&self) {
		self.refused.fetch_add(1, Relaxed);
	}

	/// Everything so far.
	pub(crate) fn read(&self) -> Statistics {
		Statistics {
			caches: self.caches.load(Relaxed),
			fills: self.fills.load(Relaxed),
			cold_fills: self.cold_fills.load(Relaxed),
			fill_ms_last: self.fill_ms_last.load(Relaxed),
			hashes: [0, 1, 2].map(|index: usize| self.hashes[index].load(Relaxed)),
			refused: self.refused.load(Relaxed),
			..Statistics::default()
		}
	}
}

fn ms(time: Duration) -> u64 {
	u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

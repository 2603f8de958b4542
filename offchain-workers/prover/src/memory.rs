//! RandomX memory: what the threads' machines read, and how it is filled for one key after the
//! other.

use crate::{
	config::{Mode, Settings},
	error::ProverError,
	room::{no_fast, Room},
};
use millrace_primitives::H256;
use millrace_randomx::{allowed, Cache, Dataset, Machine, Options, Pages};
use std::sync::{
	atomic::{AtomicU64, Ordering},
	Arc,
};
use tracing::warn;

/// Filled memory of one key; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
	key: H256,
	kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
	Light(Arc<Cache>),
	Fast(Arc<Dataset>),
}

impl Memory {
	/// How it is computed with.
	pub(crate) fn mode(&self) -> Mode {
		match &self.kind {
			Kind::Light(_) => Mode::Light,
			Kind::Fast(_) => Mode::Fast,
		}
	}

	/// The pages behind it.
	pub(crate) fn pages(&self) -> Pages {
		match &self.kind {
			Kind::Light(cache) => cache.pages(),
			Kind::Fast(dataset) => dataset.pages(),
		}
	}

	/// A machine for one thread.
	pub(crate) fn machine(&self) -> Result<Machine, ProverError> {
		let machine = match &self.kind {
			Kind::Light(cache) => Machine::light(cache.clone()),
			Kind::Fast(dataset) => Machine::fast(dataset.clone()),
		};
		Ok(machine?)
	}
}

/// How memory is filled.
pub(crate) struct Filling<'a> {
	/// Mode and pages.
	pub(crate) settings: &'a Settings,
	/// A core, or none, for each thread.
	pub(crate) plan: &'a [Option<usize>],
	/// Counts the dataset's items from 0 on.
	pub(crate) filled: &'a AtomicU64,
	/// Asked now and then; ends the work early.
	pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
}

/// What the manager of the search keeps between tasks: the memory of the last key, or of a dataset
/// the allocation alone. It is taken from the system once and then filled again, since huge pages
/// may not be found a second time.
#[derive(Debug, Default)]
pub(crate) struct Held {
	memory: Option<Memory>,
	spare: Option<Dataset>,
}

impl Held {
	/// The memory of a key, if that is what is held.
	pub(crate) fn of(&self, key: H256) -> Option<Memory> {
		self.memory
			.as_ref()
			.filter(|memory| memory.key == key)
			.cloned()
	}

	/// Nothing is left to search for now: gives back what is made again in a second.
	pub(crate) fn rest(&mut self) {
		self.memory = self
			.memory
			.take()
			.filter(|memory| memory.mode() == Mode::Fast);
	}

	/// Gives everything back.
	pub(crate) fn clear(&mut self) {
		*self = Self::default();
	}

	/// Fills the memory of a key in place of the one before, of which no machine may be left.
	pub(crate) fn fill(&mut self, key: H256, filling: &Filling<'_>) -> Result<Memory, ProverError> {
		if let Some(Kind::Fast(dataset)) = self.memory.take().map(|memory| memory.kind) {
			self.spare = Arc::into_inner(dataset);
		}
		if (filling.stop)() {
			return Err(ProverError::Superseded);
		}
		let options = Options {
			code: allowed(),
			pages: filling.settings.pages,
		};
		let dataset = self.dataset(options, filling.settings)?;
		// If this fails the dataset goes too, and at the next attempt light mode may fit.
		let cache = Cache::new(key.as_bytes(), options)?;
		let kind = match dataset {
			None => Kind::Light(cache),
			Some(mut dataset) => {
				filling.filled.store(0, Ordering::Relaxed);
				if !dataset.fill(&cache, filling.plan, filling.filled, filling.stop) {
					self.spare = Some(dataset);
					return Err(ProverError::Superseded);
				}
				Kind::Fast(Arc::new(dataset))
			}
		};
		let memory = Memory { key, kind };
		self.memory = Some(memory.clone());
		Ok(memory)
	}

	/// A dataset to fill; `None` where light mode is asked for or has to do.
	fn dataset(
		&mut self,
		options: Options,
		settings: &Settings,
	) -> Result<Option<Dataset>, ProverError> {
		if let Some(spare) = self.spare.take() {
			return Ok(Some(spare));
		}
		let (mode, said) = Room::read().choose(settings.mode, settings.pages);
		if let Some(said) = said {
			warn!("{said}");
		}
		if mode != Mode::Fast {
			return Ok(None);
		}
		match Dataset::allocate(options) {
			Ok(dataset) => Ok(Some(dataset)),
			Err(error) if settings.mode == Mode::Auto => {
				warn!("{}", no_fast(&error.to_string()));
				Ok(None)
			}
			Err(error) => Err(error.into()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn settings(mode: Mode) -> Settings {
		Settings {
			mode,
			pages: Pages::Ordinary,
			..Settings::default()
		}
	}

	fn fill(held: &mut Held, key: u8, mode: Mode, stop: bool) -> Result<Memory, ProverError> {
		let filling = Filling {
			settings: &settings(mode),
			plan: &[None, None],
			filled: &AtomicU64::new(0),
			stop: &|| stop,
		};
		held.fill(H256::repeat_byte(key), &filling)
	}

	#[test]
	fn light_memory_is_given_back_when_nothing_is_left_to_search() {
		let mut held = Held::default();
		let memory = fill(&mut held, 7, Mode::Light, false).expect("a cache fits");
		assert_eq!(
			(memory.mode(), memory.pages()),
			(Mode::Light, Pages::Ordinary)
		);
		let own = memory.machine().expect("a machine fits").hash(b"input");
		let shared = held.of(H256::repeat_byte(7)).expect("it is held");
		assert_eq!(
			shared.machine().expect("a machine fits").hash(b"input"),
			own
		);
		assert!(held.of(H256::repeat_byte(8)).is_none());
		held.rest();
		assert!(held.of(H256::repeat_byte(7)).is_none());
	}

	#[test]
	fn filling_ends_when_it_is_not_wanted_any_more() {
		for mode in [Mode::Auto, Mode::Light, Mode::Fast] {
			let mut held = Held::default();
			let outcome = fill(&mut held, 1, mode, true);
			assert!(matches!(outcome, Err(ProverError::Superseded)), "{mode:?}");
			assert!(held.memory.is_none());
		}
	}
}

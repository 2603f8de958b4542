//! The process's caches: those of the current seeds, and one for a visitor.
//!
//! Audits of epoch e are answered in epoch e+1, when work for seed e+1 is already going on: the
//! seeds of the present epoch and of the one before cover what a node executes at the head of the
//! chain. The node names these two ([`admit`]), and nothing else pushes them out. A block may ask
//! for any other seed (old blocks that are synced, a fork, the first block after a restart), and
//! must be answered: such a seed is the visitor until the next one comes. Offchain callers get no
//! cache made: whoever replays old answers over RPC costs the node neither memory nor time.
//!
//! So there are three caches at most, but for one that makes room while a hash under it goes on,
//! which lives until the hash is done.

use crate::{
	slot::{lock, Memory, Slot},
	statistics::Counts,
	Caller, Statistics,
};
use millrace_primitives::H256;
use millrace_randomx::{allowed, Cache, Code, Options, Pages, Unavailable};
use std::{
	mem,
	sync::{Arc, LazyLock, Mutex, OnceLock, TryLockError},
	time::{Duration, Instant},
};

const LOG_TARGET: &str = "randomx";

/// Seeds that are current.
const ADMITTED: usize = 2;

type Maker = fn([u8; 32]) -> Result<Arc<Cache>, Unavailable>;

static HOLDER: LazyLock<Holder<Arc<Cache>, Maker>> = LazyLock::new(|| Holder::new(make as Maker));
static OPTIONS: OnceLock<Options> = OnceLock::new();
static PAGES: Mutex<Pages> = Mutex::new(Pages::Ordinary);

/// Says how machines run and where memory comes from. Without it that is the best that the system
/// allows. To be called before the first hash, and counts once.
pub fn configure(options: Options) {
	if OPTIONS.set(options).is_err() {
		log::warn!(target: LOG_TARGET, "RandomX is configured already");
	}
}

/// The seeds that are current: their caches are kept, all others make room. At most two.
pub fn admit(seeds: &[H256]) {
	HOLDER.admit(seeds);
}

/// Fills the cache of an admitted seed on this thread unless it is there. Whoever needs it
/// meanwhile waits for this fill, not for another. Does nothing for other seeds.
pub fn warm(seed: H256) -> Result<(), Unavailable> {
	HOLDER.warm(seed)
}

/// Drops the cache of a seed that was not admitted and not asked for since so long.
pub fn tidy(idle: Duration) {
	HOLDER.tidy(idle);
}

/// What happened so far.
pub fn statistics() -> Statistics {
	Statistics {
		interpreted: options().code.at_most(allowed()) == Code::Interpreted,
		pages: *lock(&PAGES),
		replays: crate::judge::statistics(),
		..HOLDER.counts.read()
	}
}

/// The hash of an input under a key; `None` only for offchain callers.
pub(crate) fn hash(
	caller: Caller,
	key: [u8; 32],
	input: &[u8],
) -> Result<Option<[u8; 32]>, Unavailable> {
	HOLDER.hash(caller, key, input)
}

fn options() -> Options {
	OPTIONS.get().copied().unwrap_or_default()
}

fn make(key: [u8; 32]) -> Result<Arc<Cache>, Unavailable> {
	let cache = Cache::new(&key, options())?;
	*lock(&PAGES) = cache.pages();
	log::debug!(
		target: LOG_TARGET,
		"A cache is filled for seed {:?}: {:?}, {:?} pages",
		H256(key),
		cache.code(),
		cache.pages(),
	);
	Ok(cache)
}

/// Memory of seeds, made by `M`.
struct Holder<T: Memory, M> {
	make: M,
	/// Locked to look, never to fill or hash.
	admitted: Mutex<Vec<Arc<Slot<T>>>>,
	/// Locked for as long as somebody fills it or hashes under it, so that the one before is gone
	/// when the next is made. Always locked before `admitted`.
	visitor: Mutex<Option<Visitor<T>>>,
	counts: Counts,
}

struct Visitor<T: Memory> {
	slot: Arc<Slot<T>>,
	asked: Instant,
}

impl<T: Memory, M: Fn([u8; 32]) -> Result<T, Unavailable>> Holder<T, M> {
	fn new(make: M) -> Self {
		Self {
			make,
			admitted: Mutex::new(Vec::new()),
			visitor: Mutex::new(None),
			counts: Counts::default(),
		}
	}

	fn hash(
		&self,
		caller: Caller,
		key: [u8; 32],
		input: &[u8],
	) -> Result<Option<[u8; 32]>, Unavailable> {
		let hash = match (caller, self.admitted(key)) {
			(Caller::Offchain, None) => None,
			// Not even a lack of memory may trap here: each trap is a page of log.
			(Caller::Offchain, Some(slot)) => slot.hash(caller, input).unwrap_or_default(),
			(_, Some(slot)) => self.hash_in(&slot, caller, input)?,
			(_, None) => self.visit(caller, key, input)?,
		};
		match hash {
			Some(_) => self.counts.hashed(caller),
			None => self.counts.refused(),
		}
		Ok(hash)
	}

	fn admit(&self, seeds: &[H256]) {
		let mut visitor = lock(&self.visitor);
		let mut admitted = lock(&self.admitted);
		let mut kept: Vec<Arc<Slot<T>>> = Vec::with_capacity(ADMITTED);
		for seed in seeds {
			if kept.len() == ADMITTED || kept.iter().any(|slot| slot.key() == seed.0) {
				continue;
			}
			let held = admitted.iter().find(|slot| slot.key() == seed.0).cloned();
			let held = held.or_else(|| {
				let same = visitor.take_if(|visitor| visitor.slot.key() == seed.0);
				same.map(|visitor| visitor.slot)
			});
			kept.push(held.unwrap_or_else(|| Arc::new(Slot::new(seed.0))));
		}
		let gone = mem::replace(&mut *admitted, kept);
		// Giving hundreds of megabytes back takes a while.
		drop((admitted, visitor));
		drop(gone);
	}

	fn warm(&self, seed: H256) -> Result<(), Unavailable> {
		match self.admitted(seed.0) {
			Some(slot) => slot.fill(&self.make, &self.counts, || ()),
			None => Ok(()),
		}
	}

	fn tidy(&self, idle: Duration) {
		let mut visitor = match self.visitor.try_lock() {
			Ok(visitor) => visitor,
			Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
			// Somebody is asking for it.
			Err(TryLockError::WouldBlock) => return,
		};
		visitor.take_if(|visitor| visitor.asked.elapsed() >= idle);
	}

	fn admitted(&self, key: [u8; 32]) -> Option<Arc<Slot<T>>> {
		let admitted = lock(&self.admitted);
		admitted.iter().find(|slot| slot.key() == key).cloned()
	}

	/// For blocks, which have to be answered.
	fn hash_in(
		&self,
		slot: &Slot<T>,
		caller: Caller,
		input: &[u8],
	) -> Result<Option<[u8; 32]>, Unavailable> {
		slot.fill(&self.make, &self.counts, || self.counts.cold())?;
		slot.hash(caller, input)
	}

	fn visit(
		&self,
		caller: Caller,
		key: [u8; 32],
		input: &[u8],
	) -> Result<Option<[u8; 32]>, Unavailable> {
		let mut visitor = lock(&self.visitor);
		// It may have been admitted while this waited.
		if let Some(slot) = self.admitted(key) {
			drop(visitor);
			return self.hash_in(&slot, caller, input);
		}
		// The one before goes first: there is memory for one.
		visitor.take_if(|visitor| visitor.slot.key() != key);
		let visitor = visitor.get_or_insert_with(|| Visitor {
			slot: Arc::new(Slot::new(key)),
			asked: Instant::now(),
		});
		visitor.asked = Instant::now();
		self.hash_in(&visitor.slot, caller, input)
	}
}

#[cfg(test)]
mod tests;

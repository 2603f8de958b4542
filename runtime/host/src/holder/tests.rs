//! The rules by which caches are kept, over memory that costs nothing.

use super::*;
use std::{
	sync::{
		atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
		Barrier,
	},
	thread,
};

/// An input at which a machine waits for [`Lab::gate`], twice.
const HOLD: &[u8] = b"hold";

/// What the made memory has in common.
struct Lab {
	live: AtomicUsize,
	most: AtomicUsize,
	/// Makers wait for the gate, twice.
	gated: AtomicBool,
	/// Makers fail.
	broken: AtomicBool,
	gate: Barrier,
}

struct Fake {
	lab: Arc<Lab>,
	key: [u8; 32],
}

impl Drop for Fake {
	fn drop(&mut self) {
		self.lab.live.fetch_sub(1, SeqCst);
	}
}

impl Memory for Fake {
	type Machine = (Arc<Lab>, [u8; 32]);

	fn machine(&self) -> Result<Self::Machine, Unavailable> {
		Ok((self.lab.clone(), self.key))
	}

	fn hash((lab, key): &mut Self::Machine, input: &[u8]) -> [u8; 32] {
		if input == HOLD {
			lab.gate.wait();
			lab.gate.wait();
		}
		*key
	}
}

impl Lab {
	fn new() -> Arc<Self> {
		Arc::new(Self {
			live: AtomicUsize::new(0),
			most: AtomicUsize::new(0),
			gated: AtomicBool::new(false),
			broken: AtomicBool::new(false),
			gate: Barrier::new(2),
		})
	}

	fn holder(self: &Arc<Self>) -> Holder<Fake, impl Fn([u8; 32]) -> Result<Fake, Unavailable>> {
		let lab = self.clone();
		Holder::new(move |key| {
			if lab.broken.load(SeqCst) {
				return Err(Unavailable("a cache"));
			}
			let live = lab.live.fetch_add(1, SeqCst) + 1;
			lab.most.fetch_max(live, SeqCst);
			if lab.gated.load(SeqCst) {
				lab.gate.wait();
				lab.gate.wait();
			}
			Ok(Fake {
				lab: lab.clone(),
				key,
			})
		})
	}

	fn live(&self) -> usize {
		self.live.load(SeqCst)
	}
}

fn key(number: u64) -> [u8; 32] {
	let mut key = [0; 32];
	key[..8].copy_from_slice(&number.to_le_bytes());
	key
}

fn seed(number: u64) -> H256 {
	H256(key(number))
}

const CALLERS: [Caller; 3] = [Caller::Import, Caller::Author, Caller::Offchain];

#[test]
fn an_admitted_key_is_never_pushed_out() {
	let lab = Lab::new();
	let holder = lab.holder();
	holder.admit(&[seed(1), seed(2)]);
	holder.warm(seed(1)).expect("it is made");
	holder.warm(seed(2)).expect("it is made");
	for number in 10..1_010 {
		for caller in CALLERS {
			let answer = holder.hash(caller, key(number), b"input");
			let answered = answer.expect("it is made").is_some();
			assert_eq!(answered, caller != Caller::Offchain);
		}
	}
	let before = holder.counts.read();
	assert_eq!((before.fills, before.cold_fills), (1_002, 1_000));
	assert_eq!((before.refused, before.caches), (1_000, 3));
	for caller in CALLERS {
		for number in [1, 2] {
			let answer = holder.hash(caller, key(number), b"input");
			assert_eq!(answer.expect("it is there"), Some(key(number)));
		}
	}
	assert_eq!(holder.counts.read().fills, before.fills);
	assert_eq!((lab.live(), lab.most.load(SeqCst)), (3, 3));
}

#[test]
fn an_offchain_call_under_another_seed_makes_nothing() {
	let lab = Lab::new();
	let holder = lab.holder();
	// Admitted but not filled is no better.
	holder.admit(&[seed(2)]);
	for number in [1, 2] {
		let answer = holder.hash(Caller::Offchain, key(number), b"input");
		assert_eq!(answer.expect("it never fails"), None);
	}
	// What a block has asked for is not current either.
	let answer = holder.hash(Caller::Import, key(1), b"input");
	assert_eq!(answer.expect("it is made"), Some(key(1)));
	let answer = holder.hash(Caller::Offchain, key(1), b"input");
	assert_eq!(answer.expect("it never fails"), None);
	let counts = holder.counts.read();
	assert_eq!(
		(counts.refused, counts.fills, counts.hashes),
		(3, 1, [1, 0, 0])
	);
	assert_eq!(lab.most.load(SeqCst), 1);
}

#[test]
fn only_one_fill_for_many_that_wait() {
	let lab = Lab::new();
	let holder = lab.holder();
	holder.admit(&[seed(1)]);
	for (number, fills) in [(1, 1), (7, 2)] {
		thread::scope(|scope| {
			for caller in [Caller::Import, Caller::Author].into_iter().cycle().take(8) {
				let holder = &holder;
				scope.spawn(move || {
					let answer = holder.hash(caller, key(number), b"input");
					assert_eq!(answer.expect("it is made"), Some(key(number)));
				});
			}
		});
		let counts = holder.counts.read();
		assert_eq!((counts.fills, counts.cold_fills), (fills, fills));
	}
}

#[test]
fn an_offchain_caller_does_not_wait_for_a_fill() {
	let lab = Lab::new();
	let holder = lab.holder();
	holder.admit(&[seed(1)]);
	lab.gated.store(true, SeqCst);
	thread::scope(|scope| {
		let filling = scope.spawn(|| holder.warm(seed(1)));
		lab.gate.wait();
		let answer = holder.hash(Caller::Offchain, key(1), b"input");
		assert_eq!(answer.expect("it never fails"), None);
		// A block waits for that fill, and makes none of its own.
		let waiting = scope.spawn(|| holder.hash(Caller::Import, key(1), b"input"));
		lab.gate.wait();
		filling.join().expect("no panic").expect("it is made");
		let answer = waiting.join().expect("no panic");
		assert_eq!(answer.expect("it is made"), Some(key(1)));
	});
	let answer = holder.hash(Caller::Offchain, key(1), b"input");
	assert_eq!(answer.expect("it never fails"), Some(key(1)));
	let counts = holder.counts.read();
	assert_eq!((counts.fills, counts.cold_fills, counts.refused), (1, 0, 1));
}

#[test]
fn the_visitor_makes_room_for_the_next_visitor() {
	let lab = Lab::new();
	let holder = lab.holder();
	let ask = |number| {
		let answer = holder.hash(Caller::Import, key(number), b"input");
		assert_eq!(answer.expect("it is made"), Some(key(number)));
		holder.counts.read().fills
	};
	assert_eq!((ask(1), ask(1), ask(2), ask(2), ask(1)), (1, 1, 2, 2, 3));
	assert_eq!((lab.live(), lab.most.load(SeqCst)), (1, 1));
	holder.tidy(Duration::from_secs(600));
	assert_eq!(lab.live(), 1);
	holder.tidy(Duration::ZERO);
	assert_eq!((lab.live(), holder.counts.read().caches), (0, 0));
	// Current ones are not tidied away.
	holder.admit(&[seed(1)]);
	holder.warm(seed(1)).expect("it is made");
	holder.tidy(Duration::ZERO);
	assert_eq!(lab.live(), 1);
}

#[test]
fn what_is_admitted_keeps_its_cache_and_the_rest_goes() {
	let lab = Lab::new();
	let holder = lab.holder();
	let ask = |number| {
		let answer = holder.hash(Caller::Import, key(number), b"input");
		assert_eq!(answer.expect("it is made"), Some(key(number)));
		holder.counts.read().fills
	};
	assert_eq!(ask(1), 1);
	// A visitor that becomes current is not filled again.
	holder.admit(&[seed(1), seed(2)]);
	assert_eq!((ask(1), ask(2)), (1, 2));
	holder.admit(&[seed(3), seed(2), seed(3), seed(4)]);
	assert_eq!((lab.live(), ask(2), ask(3)), (1, 2, 3));
	// More than two are not current.
	holder.warm(seed(4)).expect("nothing is done");
	assert_eq!(lab.live(), 2);
	holder.admit(&[]);
	assert_eq!((lab.live(), holder.counts.read().caches), (0, 0));
}

#[test]
fn callers_do_not_share_a_machine() {
	let lab = Lab::new();
	let holder = lab.holder();
	holder.admit(&[seed(1)]);
	holder.warm(seed(1)).expect("it is made");
	thread::scope(|scope| {
		let offchain = scope.spawn(|| holder.hash(Caller::Offchain, key(1), HOLD));
		lab.gate.wait();
		// While that one is at it.
		for caller in [Caller::Import, Caller::Author] {
			let answer = holder.hash(caller, key(1), b"input");
			assert_eq!(answer.expect("it is there"), Some(key(1)));
		}
		lab.gate.wait();
		let answer = offchain.join().expect("no panic");
		assert_eq!(answer.expect("it is there"), Some(key(1)));
	});
	assert_eq!(holder.counts.read().hashes, [1, 1, 1]);
}

#[test]
fn a_fill_that_failed_is_tried_again() {
	let lab = Lab::new();
	let holder = lab.holder();
	holder.admit(&[seed(1)]);
	lab.broken.store(true, SeqCst);
	assert!(holder.warm(seed(1)).is_err());
	assert!(holder.hash(Caller::Import, key(1), b"input").is_err());
	assert!(holder.hash(Caller::Author, key(9), b"input").is_err());
	let answer = holder.hash(Caller::Offchain, key(1), b"input");
	assert_eq!(answer.expect("it never fails"), None);
	lab.broken.store(false, SeqCst);
	for number in [1, 9] {
		let answer = holder.hash(Caller::Import, key(number), b"input");
		assert_eq!(answer.expect("it is made"), Some(key(number)));
	}
	assert_eq!(holder.counts.read().caches, 2);
}

/// A comparable chain fills one cache for each unit and epoch. Here the answers of all peers are
/// checked over the cache of their epoch.
#[test]
fn known_flaw_a_cache_per_unit() {
	let lab = Lab::new();
	let holder = lab.holder();
	holder.admit(&[seed(1), seed(2)]);
	for peer in 0..1_000u64 {
		let input = peer.to_le_bytes();
		let answer = holder.hash(Caller::Import, key(1), &input);
		assert_eq!(answer.expect("it is made"), Some(key(1)));
	}
	let counts = holder.counts.read();
	assert_eq!((counts.fills, counts.hashes[0]), (1, 1_000));
}

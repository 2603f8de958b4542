//! Who runs when: calls wait before they get a number, so that one that waits holds up no other.
//!
//! A call takes a place in the queue when its body is here and keeps it until it is answered. Its turn
//! begins when its deal has a guest free, then memory is, then the machine; it ends with the guest,
//! before the receipt is signed and stored. A deal has a queue and guests of its own, after the units
//! that are paid for, so that one whose guests never end, or whose clients never stop, holds up
//! nobody but itself.

use crate::config::Limits;
use millrace_primitives::DealId;
use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MIB: u64 = 1024 * 1024;
/// Memory for guests on a system that does not say what is free.
const UNKNOWN_MEMORY: u64 = 1024 * MIB;

/// What is left of the machine, and of each deal's part in it.
pub struct Gates {
	/// Calls under way, those that wait included.
	places: Arc<Semaphore>,
	/// Guests at once.
	total: Arc<Semaphore>,
	/// Mebibytes for guests.
	memory: Arc<Semaphore>,
	all_memory: u32,
	deals: Mutex<BTreeMap<DealId, Arc<Gate>>>,
	concurrent: usize,
	calls_per_unit: usize,
	queued_per_deal: usize,
}

/// A deal's part.
struct Gate {
	/// Guests at once.
	guests: usize,
	turns: Arc<Semaphore>,
	places: Arc<Semaphore>,
	/// Until when no call is taken.
	rests: Mutex<Option<Instant>>,
}

/// A call's place in both queues; free again when it is dropped.
#[derive(Debug)]
pub struct Place {
	_deal: OwnedSemaphorePermit,
	_all: OwnedSemaphorePermit,
}

/// A guest's turn; over when it is dropped.
#[derive(Debug)]
pub struct Turn {
	// Semaphores are never closed, so these are always there.
	_permits: [Option<OwnedSemaphorePermit>; 3],
}

impl std::fmt::Debug for Gates {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.debug_struct("Gates")
			.field("free_places", &self.places.available_permits())
			.field("free_guests", &self.total.available_permits())
			.field("free_mebibytes", &self.memory.available_permits())
			.finish_non_exhaustive()
	}
}

impl Gates {
	/// Gates within these bounds.
	pub fn new(limits: &Limits) -> Self {
		let concurrent = limits.concurrent_calls.max(1);
		let places = concurrent.saturating_add(limits.queued_calls);
		let bytes = limits.guest_memory_bytes.unwrap_or_else(half_of_memory);
		let all_memory = u32::try_from(bytes / MIB).unwrap_or(u32::MAX).max(1);
		Self {
			places: semaphore(places),
			total: semaphore(concurrent),
			memory: semaphore(all_memory as usize),
			all_memory,
			deals: Mutex::default(),
			concurrent,
			calls_per_unit: limits.calls_per_unit.max(1),
			queued_per_deal: limits.queued_calls_per_deal,
		}
	}

	/// Guests that a deal with so many units may have at once.
	pub fn guests(&self, units: u32) -> usize {
		let units = usize::try_from(units).unwrap_or(usize::MAX);
		self.calls_per_unit
			.saturating_mul(units)
			.clamp(1, self.concurrent)
	}

	/// Takes a place; `None` where the deal or the worker has none left, or the deal rests.
	pub fn admit(&self, deal: DealId, units: u32) -> Option<Place> {
		let gate = self.gate(deal, units);
		if gate.rests() {
			return None;
		}
		let own = gate.places.clone().try_acquire_owned().ok()?;
		let all = self.places.clone().try_acquire_owned().ok()?;
		Some(Place {
			_deal: own,
			_all: all,
		})
	}

	/// Whether a call that came now would find no place.
	pub fn is_full(&self, deal: DealId, units: u32) -> bool {
		let gate = self.gate(deal, units);
		let none_left = |places: &Semaphore| places.available_permits() == 0;
		gate.rests() || none_left(&gate.places) || none_left(&self.places)
	}

	/// Waits for a turn of a guest with so much memory.
	pub async fn turn(&self, deal: DealId, units: u32, memory_bytes: u32) -> Turn {
		let gate = self.gate(deal, units);
		let mebibytes = u64::from(memory_bytes).div_ceil(MIB);
		// A guest that may use more than there is runs alone.
		let mebibytes = u32::try_from(mebibytes)
			.unwrap_or(u32::MAX)
			.clamp(1, self.all_memory);
		// The deal's own gate first: whoever waits there keeps nothing from others.
		let own = gate.turns.clone().acquire_owned().await.ok();
		let memory = self.memory.clone().acquire_many_owned(mebibytes).await;
		let total = self.total.clone().acquire_owned().await.ok();
		Turn {
			_permits: [own, memory.ok(), total],
		}
	}

	/// Takes no call of a deal for a while: its guests' processes fail.
	pub fn rest(&self, deal: DealId, time: Duration) {
		if let Some(gate) = self.deals().get(&deal) {
			*lock(&gate.rests) = Some(Instant::now() + time);
		}
	}

	/// Forgets all deals but these. Calls of others that are under way keep their places.
	pub fn keep(&self, deals: &BTreeSet<DealId>) {
		self.deals().retain(|deal, _| deals.contains(deal));
	}

	/// A deal's gate; a new one where its units have changed.
	fn gate(&self, deal: DealId, units: u32) -> Arc<Gate> {
		let guests = self.guests(units);
		let mut deals = self.deals();
		match deals.get(&deal) {
			Some(gate) if gate.guests == guests => gate.clone(),
			_ => {
				let gate = Arc::new(Gate {
					guests,
					turns: semaphore(guests),
					places: semaphore(guests.saturating_add(self.queued_per_deal)),
					rests: Mutex::default(),
				});
				deals.insert(deal, gate.clone());
				gate
			}
		}
	}

	fn deals(&self) -> MutexGuard<'_, BTreeMap<DealId, Arc<Gate>>> {
		lock(&self.deals)
	}
}

impl Gate {
	fn rests(&self) -> bool {
		lock(&self.rests).is_some_and(|until| until > Instant::now())
	}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	// Each change is one insertion, removal or assignment.
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn semaphore(permits: usize) -> Arc<Semaphore> {
	Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)))
}

/// Half of the memory that is free now.
fn half_of_memory() -> u64 {
	let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
	available(&text).map_or(UNKNOWN_MEMORY, |bytes| bytes / 2)
}

fn available(meminfo: &str) -> Option<u64> {
	let line = meminfo
		.lines()
		.find_map(|line| line.strip_prefix("MemAvailable:"))?;
	let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
	kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::FutureExt;

	fn gates(concurrent: usize, queued: usize, per_deal: usize, mebibytes: u64) -> Gates {
		Gates::new(&Limits {
			concurrent_calls: concurrent,
			calls_per_unit: 1,
			queued_calls: queued,
			queued_calls_per_deal: per_deal,
			guest_memory_bytes: Some(mebibytes * MIB),
			..Limits::default()
		})
	}

	/// A turn that need not be waited for.
	fn now(gates: &Gates, deal: DealId, units: u32, mebibytes: u32) -> Option<Turn> {
		let bytes = mebibytes * MIB as u32;
		gates.turn(deal, units, bytes).now_or_never()
	}

	#[test]
	fn a_deal_cannot_take_anothers_place() {
		let gates = gates(4, 8, 2, 1_024);
		// One of the four guests, and two calls that wait.
		let _running = now(&gates, 1, 1, 1).expect("the machine is free");
		assert!(now(&gates, 1, 1, 1).is_none(), "a unit is one guest");
		let greedy: Vec<_> = (0..5).map_while(|_| gates.admit(1, 1)).collect();
		assert_eq!(greedy.len(), 3);
		assert!(gates.is_full(1, 1));
		// The other deal has all that it would have alone.
		assert!(!gates.is_full(2, 3));
		let others: Vec<_> = (0..9).map_while(|_| gates.admit(2, 3)).collect();
		assert_eq!(others.len(), 5);
		let turns: Vec<_> = (0..4).map_while(|_| now(&gates, 2, 3, 1)).collect();
		assert_eq!(turns.len(), 3);
		drop(greedy);
		assert!(gates.admit(1, 1).is_some());
	}

	#[test]
	fn all_deals_together_have_no_more_than_there_is() {
		let gates = gates(2, 1, 8, 1_024);
		let taken: Vec<_> = (0..9).map_while(|deal| gates.admit(deal, 1)).collect();
		assert_eq!(taken.len(), 3);
		let turns: Vec<_> = (0..9).map_while(|deal| now(&gates, deal, 1, 1)).collect();
		assert_eq!(turns.len(), 2);
		drop(turns);
		assert!(now(&gates, 9, 1, 1).is_some());
		assert_eq!(gates.guests(u32::MAX), 2);
	}

	#[test]
	fn guests_wait_for_memory() {
		let gates = gates(8, 8, 8, 256);
		let first = now(&gates, 1, 1, 128).expect("half is free");
		let _second = now(&gates, 2, 1, 100).expect("less than half is free");
		assert!(now(&gates, 3, 1, 29).is_none());
		assert!(now(&gates, 4, 1, 28).is_some());
		drop(first);
		assert!(now(&gates, 3, 1, 129).is_some());
	}

	#[test]
	fn a_guest_that_may_use_more_than_there_is_runs_alone() {
		let gates = gates(8, 8, 8, 256);
		let alone = now(&gates, 1, 1, 512).expect("nobody else runs");
		assert!(now(&gates, 2, 1, 1).is_none());
		drop(alone);
		assert!(now(&gates, 2, 1, 1).is_some());
	}

	#[test]
	fn a_deal_that_rests_is_not_taken() {
		let gates = gates(2, 2, 2, 256);
		assert!(gates.admit(1, 1).is_some());
		gates.rest(1, Duration::from_secs(600));
		assert!(gates.is_full(1, 1) && gates.admit(1, 1).is_none());
		assert!(gates.admit(2, 1).is_some());
		gates.rest(1, Duration::ZERO);
		assert!(gates.admit(1, 1).is_some());
	}

	#[test]
	fn a_deal_with_other_units_has_other_gates() {
		let gates = gates(4, 8, 0, 256);
		assert_eq!(
			(0..4).map_while(|_| gates.admit(1, 1)).count(),
			4,
			"none is kept"
		);
		let one: Vec<_> = (0..4).map_while(|_| gates.admit(1, 1)).collect();
		let two: Vec<_> = (0..4).map_while(|_| gates.admit(1, 2)).collect();
		assert_eq!((one.len(), two.len()), (1, 2));
		gates.keep(&BTreeSet::new());
		assert!(gates.deals().is_empty());
	}

	#[test]
	fn free_memory_is_read() {
		let text = "MemTotal: 8 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
		assert_eq!(available(text), Some(2 * MIB));
		assert_eq!(available("MemTotal: 8 kB\n"), None);
	}
}

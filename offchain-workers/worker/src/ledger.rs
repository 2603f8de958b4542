//! Numbers of calls, in memory.
//!
//! A call's number (seq) enters the guest's randomness, so it is given before the guest runs; it is
//! also the index of the receipt's leaf, so an epoch must end without a gap, whatever calls run
//! when the process dies. Both hold because of this rule: *the batch that stores a receipt, whole
//! or not at all, also stores every call with a lower number that is still running*. After a crash,
//! numbers above the last stored receipt were seen by nobody and are given again; a stored call
//! below it is run once more, which gives the same result, since nothing but what was stored enters
//! it.

use codec::{Decode, Encode};
use millrace_primitives::{
	execution::{CallTerms, Request},
	BlockNumber, EpochIndex, H256,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::sync::Notify;

/// A call that has a number: everything that its receipt depends on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Call {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Its number in the epoch.
	pub seq: u32,
	/// Seed of the epoch.
	pub seed: H256,
	/// The finalised block at which it began.
	pub block: BlockNumber,
	/// The guest's clock.
	pub clock_ms: u64,
	/// What it runs under: deal, package and limits.
	pub terms: CallTerms,
	/// What the guest is asked.
	pub request: Arc<Request>,
}

impl Call {
	/// Its place among all calls of the peer.
	pub fn key(&self) -> Key {
		(self.epoch, self.seq)
	}
}

/// (epoch, seq).
pub type Key = (EpochIndex, u32);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
	Running,
	/// Nobody runs it: the process died over it, or the machine failed. It is worth another run
	/// unless it took too long.
	Abandoned {
		retry: bool,
	},
}

struct Entry {
	call: Arc<Call>,
	state: State,
	/// Whether the store has it.
	written: bool,
}

#[derive(Default)]
struct Book {
	epoch: Option<EpochIndex>,
	next: u32,
	open: BTreeMap<Key, Entry>,
}

/// The numbers of the present epoch and the calls that are not stored yet.
#[derive(Default)]
pub struct Ledger {
	book: Mutex<Book>,
	changed: Notify,
}

impl std::fmt::Debug for Ledger {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let book = self.book();
		f.debug_struct("Ledger")
			.field("epoch", &book.epoch)
			.field("next", &book.next)
			.field("open", &book.open.len())
			.finish_non_exhaustive()
	}
}

impl Ledger {
	/// Takes over calls that the store has without a receipt.
	pub fn restore(&self, calls: impl IntoIterator<Item = Call>) {
		let mut book = self.book();
		for call in calls {
			let state = State::Abandoned { retry: true };
			let key = call.key();
			book.open.insert(
				key,
				Entry {
					call: Arc::new(call),
					state,
					written: true,
				},
			);
		}
	}

	/// Ends the epoch before and numbers calls of `epoch` from `next` on. Without effect for the
	/// present epoch and earlier ones.
	pub fn open_epoch(&self, epoch: EpochIndex, next: u32) {
		let mut book = self.book();
		if book.epoch.is_none_or(|present| present < epoch) {
			book.epoch = Some(epoch);
			book.next = next;
		}
	}

	/// The epoch in which calls are numbered.
	pub fn epoch(&self) -> Option<EpochIndex> {
		self.book().epoch
	}

	/// Numbers a call; `None` when its epoch is not the present one, or has no number left.
	pub fn begin(&self, mut call: Call) -> Option<Arc<Call>> {
		let mut book = self.book();
		if book.epoch != Some(call.epoch) {
			return None;
		}
		call.seq = book.next;
		book.next = book.next.checked_add(1)?;
		let call = Arc::new(call);
		let entry = Entry {
			call: call.clone(),
			state: State::Running,
			written: false,
		};
		book.open.insert(call.key(), entry);
		Some(call)
	}

	/// The calls that must be stored together with receipts of these keys: open, lower in the
	/// same epoch, not stored yet and not among the keys.
	pub fn unwritten_below(&self, keys: &[Key]) -> Vec<Arc<Call>> {
		let keys: BTreeSet<&Key> = keys.iter().collect();
		let mut highest: BTreeMap<EpochIndex, u32> = BTreeMap::new();
		for (epoch, seq) in &keys {
			let top = highest.entry(*epoch).or_default();
			*top = (*top).max(*seq);
		}
		let book = self.book();
		let mut calls = Vec::new();
		for (epoch, top) in highest {
			let open = book.open.range((epoch, 0)..(epoch, top));
			calls.extend(
				open.filter(|(key, entry)| !entry.written && !keys.contains(key))
					.map(|(_, entry)| entry.call.clone()),
			);
		}
		calls
	}

	/// Notes that the store has these calls.
	pub fn written(&self, calls: &[Arc<Call>]) {
		let mut book = self.book();
		for call in calls {
			if let Some(entry) = book.open.get_mut(&call.key()) {
				entry.written = true;
			}
		}
	}

	/// Forgets calls: their receipts are stored, or their epoch's report is.
	pub fn close(&self, keys: &[Key]) {
		let mut book = self.book();
		for key in keys {
			book.open.remove(key);
		}
		drop(book);
		self.changed.notify_waiters();
	}

	/// Forgets every call of an epoch and of earlier ones: the report is made.
	pub fn close_through(&self, epoch: EpochIndex) {
		self.book()
			.open
			.retain(|(call_epoch, _), _| *call_epoch > epoch);
		self.changed.notify_waiters();
	}

	/// Leaves a call to whoever fills its place; `retry` says whether another run is worth it.
	pub fn abandon(&self, key: Key, retry: bool) {
		if let Some(entry) = self.book().open.get_mut(&key) {
			entry.state = State::Abandoned { retry };
		}
	}

	/// Whether there are abandoned calls.
	pub fn has_abandoned(&self) -> bool {
		let is_abandoned = |entry: &Entry| matches!(entry.state, State::Abandoned { .. });
		self.book().open.values().any(is_abandoned)
	}

	/// Takes the abandoned calls to fill their places; with each, whether to run it again.
	pub fn take_abandoned(&self) -> Vec<(Arc<Call>, bool)> {
		let mut taken = Vec::new();
		for entry in self.book().open.values_mut() {
			if let State::Abandoned { retry } = entry.state {
				entry.state = State::Running;
				taken.push((entry.call.clone(), retry));
			}
		}
		taken
	}

	/// Open calls of an epoch.
	pub fn open_calls(&self, epoch: EpochIndex) -> usize {
		self.book()
			.open
			.range((epoch, 0)..=(epoch, u32::MAX))
			.count()
	}

	/// Waits until an epoch has no open call; false when it still has after `patience`.
	pub async fn drained(&self, epoch: EpochIndex, patience: Duration) -> bool {
		let wait = async {
			loop {
				// Registered before the look, so that a change in between is not missed.
				let changed = self.changed.notified();
				tokio::pin!(changed);
				changed.as_mut().enable();
				if self.open_calls(epoch) == 0 {
					return;
				}
				changed.await;
			}
		};
		tokio::time::timeout(patience, wait).await.is_ok()
	}

	fn book(&self) -> MutexGuard<'_, Book> {
		// A panic between two of the book's own operations leaves it whole.
		self.book.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use millrace_primitives::{
		market::{Abi, CallLimits, Package},
		DealId,
	};

	pub(crate) fn call(epoch: EpochIndex, deal: DealId) -> Call {
		let package = Package {
			hash: H256::repeat_byte(4),
			size: 1_024,
			links: Default::default(),
			abi: Abi::default(),
		};
		let limits = CallLimits {
			gas: 1_000,
			memory_bytes: 65_536,
			request_bytes: 1_024,
			response_bytes: 1_024,
		};
		Call {
			epoch,
			seq: 0,
			seed: H256::repeat_byte(3),
			block: 40,
			clock_ms: 1_000,
			terms: CallTerms::new(deal, &package, limits, Default::default()),
			request: Arc::new(Request {
				path: "/".into(),
				..Request::default()
			}),
		}
	}

	#[test]
	fn numbers_are_given_in_the_present_epoch_only() {
		let ledger = Ledger::default();
		assert_eq!(ledger.begin(call(5, 1)), None);
		ledger.open_epoch(5, 2);
		assert_eq!(ledger.begin(call(5, 1)).expect("epoch 5 is open").seq, 2);
		ledger.open_epoch(6, 0);
		assert_eq!(ledger.begin(call(5, 1)), None);
		assert_eq!(ledger.begin(call(6, 1)).expect("epoch 6 is open").seq, 0);
		// What lies behind does not come back.
		ledger.open_epoch(5, 9);
		assert_eq!(ledger.epoch(), Some(6));
		assert_eq!(ledger.begin(call(6, 1)).expect("epoch 6 is open").seq, 1);
	}

	#[test]
	fn running_calls_below_a_receipt_are_stored_with_it_once() {
		let ledger = Ledger::default();
		ledger.open_epoch(5, 0);
		let calls: Vec<_> = (0..4)
			.map(|_| ledger.begin(call(5, 1)).expect("open"))
			.collect();
		let stored = ledger.unwritten_below(&[calls[1].key(), calls[2].key()]);
		assert_eq!(stored, vec![calls[0].clone()]);
		ledger.written(&stored);
		ledger.close(&[calls[1].key(), calls[2].key()]);
		assert!(ledger.unwritten_below(&[calls[3].key()]).is_empty());
		assert_eq!(ledger.open_calls(5), 2);
	}

	#[test]
	fn an_abandoned_call_is_taken_once() {
		let ledger = Ledger::default();
		ledger.restore([Call {
			seq: 4,
			..call(5, 1)
		}]);
		let taken = ledger.take_abandoned();
		assert_eq!(taken.len(), 1);
		assert!(ledger.take_abandoned().is_empty() && !ledger.has_abandoned());
		ledger.abandon(taken[0].0.key(), false);
		assert!(ledger.has_abandoned());
		assert_eq!(ledger.take_abandoned(), vec![(taken[0].0.clone(), false)]);
	}

	#[tokio::test]
	async fn an_epoch_is_drained_when_its_last_call_is_closed() {
		let ledger = Arc::new(Ledger::default());
		ledger.open_epoch(5, 0);
		let open = ledger.begin(call(5, 1)).expect("open");
		assert!(!ledger.drained(5, Duration::from_millis(20)).await);
		let closer = ledger.clone();
		tokio::spawn(async move { closer.close(&[open.key()]) });
		assert!(ledger.drained(5, Duration::from_secs(10)).await);
	}
}

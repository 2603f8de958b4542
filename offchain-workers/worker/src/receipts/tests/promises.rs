//! What the journal has and the database has not, and what a kill leaves of both.

use super::*;
use std::{
	fs,
	sync::atomic::{AtomicU32, Ordering},
	thread,
};
use tempfile::TempDir;

/// A store with a journal of so many blocks and room for all bodies.
pub(super) fn with_blocks(dir: &Path, blocks: usize) -> ReceiptStore {
	let store = ReceiptStore::open_with(dir, H256::zero(), PeerId::default(), 1 << 30, blocks);
	store.expect("the store opens")
}

/// The directory of a store that is open, as a kill leaves it now.
pub(super) fn killed(dir: &Path) -> TempDir {
	let left = tempfile::tempdir().expect("a directory");
	for name in ["receipts.redb", "receipts.journal"] {
		fs::copy(dir.join(name), left.path().join(name)).expect("a file is copied");
	}
	left
}

fn commit(store: &ReceiptStore, call: &Arc<Call>, below: &[Arc<Call>]) -> Committed {
	let committed = store.commit(vec![finished(call, b"x")], below);
	let committed = committed.expect("stores");
	assert_eq!(committed.outcomes, vec![Stored::Durable]);
	committed
}

fn receipt(store: &ReceiptStore, seq: u32) -> Option<SignedReceipt> {
	store.receipt((5, seq)).expect("reads")
}

#[test]
fn readers_see_what_was_promised_at_once() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 3);
	let store = open(dir.path());
	commit(&store, &calls[1], &calls[..1]);
	assert_eq!(receipt(&store, 1), Some(signed(&calls[1], b"x")));
	let body = store.body((5, 1)).expect("reads").expect("kept");
	assert_eq!(body.call, *calls[1]);
	assert_eq!(store.next_seq(5).expect("reads"), 2);
	assert!(!store.is_settled(), "single rows are read where they are");
	let hash = signed(&calls[1], b"x").receipt.hash();
	let found = store.find(5, &BTreeSet::from([hash])).expect("reads");
	assert_eq!(found, BTreeMap::from([(hash, 1)]));
	commit(&store, &calls[2], &[]);
	assert_eq!(store.cheapest_call(5).expect("reads").expect("kept").seq, 2);
	commit(&store, &calls[0], &[]);
	assert!(store.open_calls().expect("reads").is_empty());
	let last = numbered(5, 4).remove(3);
	commit(&store, &last, &[]);
	assert_eq!(make_report(&store, 5).report.receipts, 4);
	assert!(store.is_settled());
}

#[test]
fn a_kill_loses_nothing_that_was_promised() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 4);
	let store = open(dir.path());
	commit(&store, &calls[1], &calls[..1]);
	commit(&store, &calls[3], &calls[2..3]);
	commit(&store, &calls[2], &[]);
	assert!(!store.is_settled());
	let left = killed(dir.path());
	let after = open(left.path());
	assert!(after.is_settled());
	for seq in [1, 2, 3] {
		assert_eq!(receipt(&after, seq), receipt(&store, seq));
		assert!(receipt(&after, seq).is_some());
	}
	let open_calls = after.open_calls().expect("reads");
	assert_eq!(open_calls, vec![(*calls[0]).clone()]);
	assert_eq!(after.next_seq(5).expect("reads"), 4);
	// And nothing when it happens again.
	let left = killed(left.path());
	let after = open(left.path());
	assert_eq!(receipt(&after, 3), receipt(&store, 3));
}

/// A kill between the database's commit and the next record, and one behind that record.
#[test]
fn what_the_database_has_is_not_taken_from_the_journal_again() {
	let dir = tempfile::tempdir().expect("a directory");
	let store = open(dir.path());
	for epoch in [5, 6] {
		let calls = numbered(epoch, 2);
		commit(&store, &calls[1], &calls[..1]);
		commit(&store, &calls[0], &[]);
	}
	store.prune(6).expect("stores");
	let gone = |store: &ReceiptStore| {
		assert_eq!((receipt(store, 0), receipt(store, 1)), (None, None));
		assert!(store.receipt((6, 1)).expect("reads").is_some());
		assert!(store.open_calls().expect("reads").is_empty());
	};
	let left = killed(dir.path());
	gone(&open(left.path()));
	let call = numbered(6, 3).remove(2);
	commit(&store, &call, &[]);
	let left = killed(dir.path());
	let after = open(left.path());
	gone(&after);
	assert!(after.receipt((6, 2)).expect("reads").is_some());
}

#[test]
fn bodies_are_summed_up_once() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 2);
	let store = with_blocks(dir.path(), 8);
	commit(&store, &calls[0], &[]);
	store.settle().expect("stores");
	commit(&store, &calls[1], &[]);
	let left = killed(dir.path());
	let after = with_blocks(left.path(), 8);
	let expected: usize = calls
		.iter()
		.map(|call| finished(call, b"x").body.len())
		.sum();
	let sum = after.write(body_bytes).expect("reads");
	assert_eq!(sum, expected as u64);
}

#[test]
fn a_batch_without_room_goes_to_the_database_with_all_before_it() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 7);
	let store = with_blocks(dir.path(), 4);
	let half_full = [0, 1, 2].map(|call: usize| commit(&store, &calls[call], &[]).half_full);
	assert_eq!(half_full, [false, false, true]);
	// Longer than half of the journal.
	let long = finished(&calls[3], &[7; 20_000]);
	let committed = store.commit(vec![long], &[]).expect("stores");
	assert_eq!(committed.outcomes, vec![Stored::Durable]);
	assert!(store.is_settled() && !committed.half_full);
	for call in &calls[4..] {
		commit(&store, call, &[]);
	}
	assert!(!store.is_settled());
	let left = killed(dir.path());
	let after = with_blocks(left.path(), 4);
	assert!((0..7).all(|seq| receipt(&after, seq).is_some()));
	let body = after.body((5, 3)).expect("reads").expect("kept");
	assert_eq!(body.response, [7; 20_000]);
}

#[test]
fn one_half_fills_while_the_other_one_enters_the_database() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 12);
	let store = with_blocks(dir.path(), 8);
	let mut shown = 0;
	let mut fill = |receipts: usize| {
		let mut half_full = false;
		for call in &calls[shown..shown + receipts] {
			half_full = commit(&store, call, &[]).half_full;
		}
		shown += receipts;
		// Wherever they are, everybody can read them, and a kill leaves them.
		let left = killed(dir.path());
		let after = with_blocks(left.path(), 8);
		for store in [&store, &after] {
			assert_eq!(store.next_seq(5).expect("reads") as usize, shown);
			for (seq, call) in calls[..shown].iter().enumerate() {
				assert_eq!(receipt(store, seq as u32), Some(signed(call, b"x")));
				assert!(store.body((5, seq as u32)).expect("reads").is_some());
			}
		}
		half_full
	};
	assert!(!fill(4));
	assert!(fill(1), "the first half is full");
	assert!(fill(3), "and both are");
	store.relieve().expect("stores");
	assert!(!store.is_settled());
	assert!(fill(1), "what came first makes room");
	store.relieve().expect("stores");
	assert!(!fill(1));
	store.relieve().expect("stores");
	assert!(!store.is_settled(), "no half is full");
	store.settle().expect("stores");
	assert!(store.is_settled());
	assert!(!fill(2));
}

/// Whoever reads finds what was promised while it enters the database.
#[test]
fn readers_miss_nothing_on_its_way() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 400);
	let store = with_blocks(dir.path(), 8);
	let shown = AtomicU32::new(0);
	thread::scope(|scope| {
		scope.spawn(|| {
			for _ in 0..200 {
				store.relieve().expect("stores");
				store.settle().expect("stores");
			}
		});
		scope.spawn(|| {
			for _ in 0..2_000 {
				let promised = shown.load(Ordering::SeqCst);
				for seq in promised.saturating_sub(20)..promised {
					assert!(receipt(&store, seq).is_some(), "number {seq}");
				}
				assert!(store.next_seq(5).expect("reads") >= promised);
			}
		});
		for (seq, call) in calls.iter().enumerate() {
			commit(&store, call, &[]);
			shown.store(seq as u32 + 1, Ordering::SeqCst);
			let again = store.commit(vec![finished(call, b"x")], &[]);
			assert_eq!(again.expect("stores").outcomes, vec![Stored::Taken]);
		}
	});
	assert_eq!(make_report(&store, 5).report.receipts, 400);
}

#[test]
fn bodies_that_only_the_journal_has_make_room_too() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 4);
	let store = open(dir.path());
	for call in &calls {
		store
			.commit(vec![finished(call, &[7; 400])], &[])
			.expect("stores");
	}
	let left = killed(dir.path());
	let after = open(left.path());
	assert!(after.write(body_bytes).expect("reads") <= 1_000);
	let kept = (0..4).filter(|seq| after.body((5, *seq)).expect("reads").is_some());
	let gone = 4 - kept.count() as u64;
	assert!(gone > 0 && after.body((5, 3)).expect("reads").is_some());
	// The first commit tells of them.
	let told = after.commit(Vec::new(), &[]).expect("stores").pushed_out;
	assert_eq!(told, BTreeMap::from([(5, gone)]));
	assert!((0..4).all(|seq| receipt(&after, seq).is_some()));
}

#[test]
fn small_batches_go_round_the_journal() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 20);
	let store = with_blocks(dir.path(), 4);
	for (shown, call) in calls.iter().enumerate() {
		commit(&store, call, &[]);
		let left = killed(dir.path());
		let after = with_blocks(left.path(), 4);
		assert_eq!(after.next_seq(5).expect("reads") as usize, shown + 1);
		assert!((0..=shown).all(|seq| receipt(&after, seq as u32).is_some()));
	}
}

#[test]
fn a_report_closes_its_epoch_to_what_was_not_promised() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 2);
	let store = open(dir.path());
	commit(&store, &calls[0], &[]);
	assert_eq!(make_report(&store, 5).report.receipts, 1);
	let late = store.commit(vec![finished(&calls[1], b"x")], &calls[..1]);
	assert_eq!(late.expect("stores").outcomes, vec![Stored::Late]);
	let left = killed(dir.path());
	let after = open(left.path());
	assert_eq!(receipt(&after, 1), None);
	assert!(after.open_calls().expect("reads").is_empty());
	assert_eq!(make_report(&after, 5).report.receipts, 1);
}

#[test]
fn a_full_disk_stops_the_store() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 2);
	let store = open(dir.path());
	commit(&store, &calls[0], &[]);
	store.fill_disk();
	let mut attempts = (0..2).map(|_| store.commit(vec![finished(&calls[1], b"x")], &[]));
	assert!(matches!(attempts.next(), Some(Err(StoreError::Journal(_)))));
	assert!(matches!(attempts.next(), Some(Err(StoreError::Stopped))));
	assert!(matches!(store.settle(), Err(StoreError::Stopped)));
	assert!(matches!(store.set_ready(5, &[1]), Err(StoreError::Stopped)));
	assert_eq!(receipt(&store, 1), None);
	let left = killed(dir.path());
	let after = open(left.path());
	assert!(receipt(&after, 0).is_some() && receipt(&after, 1).is_none());
	commit(&after, &calls[1], &[]);
}

#[test]
fn a_change_that_fails_stops_the_store() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 2);
	let store = open(dir.path());
	commit(&store, &calls[0], &[]);
	let failed: Result<(), _> = store.write(|_| Err(StoreError::Damaged("report")));
	assert!(matches!(failed, Err(StoreError::Damaged("report"))));
	let next = store.commit(vec![finished(&calls[1], b"x")], &[]);
	assert!(matches!(next, Err(StoreError::Stopped)));
	assert!(matches!(store.settle(), Err(StoreError::Stopped)));
	drop(store);
	let after = open(dir.path());
	assert!(receipt(&after, 0).is_some() && receipt(&after, 1).is_none());
}

#[test]
fn a_journal_that_was_lost_is_damage() {
	let dir = tempfile::tempdir().expect("a directory");
	drop(open(dir.path()));
	fs::remove_file(dir.path().join("receipts.journal")).expect("it was there");
	let result = ReceiptStore::open(dir.path(), H256::zero(), PeerId::default(), 1_000);
	assert!(matches!(result, Err(StoreError::Damaged("journal"))));
}

#[test]
fn a_store_from_before_there_was_a_journal_gets_one() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 2);
	let store = open(dir.path());
	commit(&store, &calls[0], &[]);
	store
		.write(|transaction| {
			let mut meta = transaction.open_table(META).map_err(database)?;
			meta.remove(JOURNAL).map_err(database)?;
			Ok(())
		})
		.expect("stores");
	drop(store);
	fs::remove_file(dir.path().join("receipts.journal")).expect("it was there");
	let store = open(dir.path());
	assert!(receipt(&store, 0).is_some());
	commit(&store, &calls[1], &[]);
	let left = killed(dir.path());
	assert!(receipt(&open(left.path()), 1).is_some());
}

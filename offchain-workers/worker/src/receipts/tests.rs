//! The store of receipts, closed and opened again.

mod crashes;
mod promises;

use super::*;
use crate::{
	ledger::{tests::call, Ledger},
	report::Capacity,
};
use millrace_primitives::{
	effects::{effect_hash, EffectRecord},
	execution::{empty_transcript, response_hash, CallStatus, Receipt},
	merkle,
};
use std::{collections::BTreeSet, fs::File};

impl ReceiptStore {
	/// Whether the database has everything.
	pub(crate) fn is_settled(&self) -> bool {
		self.recent().is_empty()
	}

	/// Lets the journal fail as it does on a full disk.
	pub(crate) fn fill_disk(&self) {
		let full = File::options().write(true).open("/dev/full");
		let full = full.expect("the system has such a file");
		self.writer().journal = Journal::over(full, JOURNAL_BLOCKS, H256::zero());
	}
}

pub(crate) fn open(dir: &Path) -> ReceiptStore {
	ReceiptStore::open(dir, H256::zero(), PeerId::default(), 1_000).expect("the store opens")
}

fn signed(call: &Call, response: &[u8]) -> SignedReceipt {
	let receipt = Receipt {
		genesis: H256::zero(),
		seed: call.seed,
		deal: call.terms.deal,
		peer: PeerId::default(),
		epoch: call.epoch,
		seq: call.seq,
		package: call.terms.package,
		profile: call.terms.profile,
		terms: call.terms.hash(H256::zero()),
		request: call.request.hash(),
		response: response_hash(response),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 1_000 - u64::from(call.seq),
		block: call.block,
	};
	SignedReceipt {
		receipt,
		signature: [1; 64],
	}
}

pub(crate) fn finished(call: &Arc<Call>, response: &[u8]) -> Finished {
	let receipt = signed(call, response);
	Finished::new(call.clone(), &receipt, response, &Transcript::default())
}

fn numbered(epoch: EpochIndex, calls: usize) -> Vec<Arc<Call>> {
	let ledger = Ledger::default();
	ledger.open_epoch(epoch, 0);
	(0..calls)
		.map(|_| ledger.begin(call(epoch, 1)).expect("the epoch is open"))
		.collect()
}

fn make_report(store: &ReceiptStore, epoch: EpochIndex) -> StoredReport {
	let make = |tally: Tally| tally.into_report(epoch, &Capacity::none());
	store.report_once(epoch, make).expect("stores")
}

#[test]
fn what_was_committed_is_there_again_and_numbers_go_on() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 3);
	let store = open(dir.path());
	assert_eq!(store.next_seq(5).expect("reads"), 0);
	// Number 0 still runs when 1 and 2 end.
	let batch = vec![finished(&calls[1], b"one"), finished(&calls[2], b"two")];
	let outcome = store.commit(batch, &calls[..1]).expect("stores");
	assert_eq!(outcome.outcomes, vec![Stored::Durable; 2]);
	drop(store);

	let store = open(dir.path());
	assert_eq!(store.next_seq(5).expect("reads"), 3);
	assert_eq!(
		store.open_calls().expect("reads"),
		vec![(*calls[0]).clone()]
	);
	assert_eq!(
		store.receipt((5, 2)).expect("reads"),
		Some(signed(&calls[2], b"two"))
	);
	assert_eq!(store.receipt((5, 0)).expect("reads"), None);
	let body = store.body((5, 1)).expect("reads").expect("kept");
	assert_eq!(body.call, *calls[1]);
	assert_eq!(
		(body.transcript, body.response),
		(Transcript::default(), b"one".to_vec())
	);
	assert_eq!(store.cheapest_call(5).expect("reads").expect("kept").seq, 2);

	store
		.commit(vec![finished(&calls[0], b"late")], &[])
		.expect("stores");
	assert!(store.open_calls().expect("reads").is_empty());
	assert_eq!(make_report(&store, 5).report.receipts, 3);
}

#[test]
fn the_first_receipt_of_a_number_is_the_only_one() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 1);
	let store = open(dir.path());
	let first = finished(&calls[0], b"one");
	let outcome = store.commit(vec![first], &[]).expect("stores");
	assert_eq!(outcome.outcomes, vec![Stored::Durable]);
	// The same call at a later block, in a commit of its own and twice in one.
	let dated = Arc::new(Call {
		block: 41,
		..(*calls[0]).clone()
	});
	let second = finished(&dated, b"two");
	for _ in 0..2 {
		let batch = vec![second.clone(), second.clone()];
		let outcome = store.commit(batch, &[]).expect("stores");
		assert_eq!(outcome.outcomes, vec![Stored::Taken; 2]);
		// Nor when the database has the first one.
		store.settle().expect("stores");
	}
	assert_eq!(
		store.receipt((5, 0)).expect("reads"),
		Some(signed(&calls[0], b"one"))
	);
	let body = store.body((5, 0)).expect("reads").expect("kept");
	assert_eq!(body.response, b"one");
}

#[test]
fn the_birth_is_noted_once_and_stays() {
	let dir = tempfile::tempdir().expect("a directory");
	let store = open(dir.path());
	assert_eq!(store.birth().expect("reads"), None);
	let birth = Birth { epoch: 5, ms: 77 };
	store.set_birth(birth).expect("stores");
	drop(store);
	let store = open(dir.path());
	assert_eq!(store.birth().expect("reads"), Some(birth));
}

#[test]
fn a_report_is_made_once_and_closes_its_epoch() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 3);
	let store = open(dir.path());
	let batch = vec![finished(&calls[0], b"a"), finished(&calls[1], b"b")];
	store.commit(batch, &[]).expect("stores");
	store.set_ready(5, &[8, 1]).expect("stores");
	let first = make_report(&store, 5);
	assert_eq!(first.report.receipts, 2);
	let deals: Vec<_> = first
		.report
		.served
		.iter()
		.map(|s| (s.deal, s.calls))
		.collect();
	assert_eq!(deals, vec![(1, 2), (8, 0)]);
	let outcome = store
		.commit(vec![finished(&calls[2], b"c")], &[])
		.expect("stores");
	assert_eq!(outcome.outcomes, vec![Stored::Late]);
	assert_eq!(store.receipt((5, 2)).expect("reads"), None);
	drop(store);

	// The same bytes after a restart, whatever would be said now.
	let store = open(dir.path());
	store.set_ready(5, &[9]).expect("stores");
	assert_eq!(make_report(&store, 5), first);
	assert_eq!(store.report(5).expect("reads"), Some(first));
	assert_eq!(store.report(6).expect("reads"), None);
}

#[test]
fn every_reported_receipt_can_be_proven() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 7);
	let store = open(dir.path());
	let batch: Vec<_> = calls.iter().map(|call| finished(call, b"x")).collect();
	store.commit(batch, &[]).expect("stores");
	let report = make_report(&store, 5).report;
	for seq in 0..7u32 {
		let (receipt, path) = store.proof(&report, seq).expect("reads").expect("reported");
		let leaf = receipt.receipt.hash();
		assert!(merkle::verify(
			report.receipts_root,
			7,
			seq.into(),
			&leaf.0,
			&path
		));
	}
	assert_eq!(store.proof(&report, 7).expect("reads"), None);
}

#[test]
fn what_lies_above_a_gap_is_counted_as_lost() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 4);
	let store = open(dir.path());
	let batch: Vec<_> = [0, 2, 3]
		.map(|seq: usize| finished(&calls[seq], b"x"))
		.to_vec();
	store.commit(batch, &[]).expect("stores");
	let mut lost = 0;
	let report = store.report_once(5, |tally| {
		lost = tally.lost;
		tally.into_report(5, &Capacity::none())
	});
	assert_eq!((report.expect("stores").report.receipts, lost), (1, 2));
}

#[test]
fn the_oldest_bodies_make_room_and_receipts_stay() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 3);
	let store = open(dir.path());
	let pushed_out: u64 = calls
		.iter()
		.map(|call| {
			let outcome = store.commit(vec![finished(call, &[7; 400])], &[]);
			outcome.expect("stores");
			// They are counted when the database has them, and told of with the next commit.
			store.settle().expect("stores");
			let pushed_out = store.commit(Vec::new(), &[]).expect("stores").pushed_out;
			assert!(pushed_out.keys().all(|epoch| *epoch == 5));
			pushed_out.values().sum::<u64>()
		})
		.sum();
	let kept = (0..3).filter(|seq| store.body((5, *seq)).expect("reads").is_some());
	assert_eq!(pushed_out, 3 - kept.count() as u64, "each is told once");
	assert!(store.body((5, 0)).expect("reads").is_none());
	assert!(store.body((5, 2)).expect("reads").is_some());
	assert!(store.receipt((5, 0)).expect("reads").is_some());
}

#[test]
fn what_a_guest_was_told_is_kept_with_its_call() {
	let dir = tempfile::tempdir().expect("a directory");
	let call = numbered(5, 1).remove(0);
	let store = open(dir.path());
	let transcript = Transcript(vec![EffectRecord {
		request: effect_hash(b"asked"),
		reply: b"told".to_vec(),
	}]);
	let receipt = signed(&call, b"x");
	let finished = Finished::new(call.clone(), &receipt, b"x", &transcript);
	store.commit(vec![finished], &[]).expect("stores");
	let body = store.body((5, 0)).expect("reads").expect("kept");
	assert_eq!((body.call, body.transcript), ((*call).clone(), transcript));
}

#[test]
fn receipts_are_found_by_their_hashes() {
	let dir = tempfile::tempdir().expect("a directory");
	let calls = numbered(5, 4);
	let store = open(dir.path());
	let batch: Vec<_> = calls.iter().map(|call| finished(call, b"x")).collect();
	store.commit(batch, &[]).expect("stores");
	let hash = |seq: usize| signed(&calls[seq], b"x").receipt.hash();
	let asked = BTreeSet::from([hash(1), hash(3), H256::zero()]);
	let found = store.find(5, &asked).expect("reads");
	assert_eq!(found, BTreeMap::from([(hash(1), 1), (hash(3), 3)]));
	assert!(store.find(6, &asked).expect("reads").is_empty());
}

#[test]
fn old_epochs_are_dropped_whole() {
	let dir = tempfile::tempdir().expect("a directory");
	let store = open(dir.path());
	for epoch in [5, 6] {
		let calls = numbered(epoch, 2);
		store
			.commit(vec![finished(&calls[1], b"x")], &calls[..1])
			.expect("stores");
		store.set_ready(epoch, &[1]).expect("stores");
	}
	make_report(&store, 5);
	store.prune(6).expect("stores");
	assert!(store.receipt((5, 1)).expect("reads").is_none());
	assert!(store.body((5, 1)).expect("reads").is_none());
	assert!(store.report(5).expect("reads").is_none());
	assert!(store.receipt((6, 1)).expect("reads").is_some());
	assert_eq!(store.open_calls().expect("reads").len(), 1);
}

#[test]
fn a_directory_serves_one_chain_and_peer() {
	let dir = tempfile::tempdir().expect("a directory");
	drop(open(dir.path()));
	let other = PeerId(H256::repeat_byte(1));
	let result = ReceiptStore::open(dir.path(), H256::zero(), other, 1_000);
	assert!(matches!(result, Err(StoreError::OtherIdentity)));
}

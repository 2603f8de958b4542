//! Kept receipts, closed and opened again.

use super::*;
use crate::verify::tests::sign;
use millrace_client::PeerKeypair;
use millrace_primitives::execution::CallStatus;

const LARGE: u64 = 1 << 20;

fn receipt(deal: DealId, seq: u32) -> SignedReceipt {
	let key = PeerKeypair::from_seed([1; 32], None);
	let mut signed = sign(&key, &Request::default(), b"", CallStatus::Exited(0));
	signed.receipt.deal = deal;
	signed.receipt.seq = seq;
	signed
}

fn open(dir: &Path, max_bytes: u64) -> KeptReceipts {
	KeptReceipts::open(dir, H256::zero(), max_bytes).expect("it opens")
}

fn numbers(kept: &KeptReceipts, deal: DealId, from: u64) -> Vec<u64> {
	let found = kept.of_deal(deal, from, 100).expect("reads");
	found.into_iter().map(|(number, _)| number).collect()
}

#[test]
fn receipts_are_there_again_by_deal() {
	let dir = tempfile::tempdir().expect("a directory");
	let all: Vec<_> = (0..6).map(|seq| receipt(u64::from(seq % 2), seq)).collect();
	let kept = open(dir.path(), LARGE);
	kept.add(&all.iter().collect::<Vec<_>>()).expect("stores");
	drop(kept);
	let kept = open(dir.path(), LARGE);
	assert_eq!(numbers(&kept, 0, 0), [0, 2, 4]);
	assert_eq!(numbers(&kept, 1, 2), [3, 5]);
	let found = kept.of_deal(1, 0, 2).expect("reads");
	assert_eq!(found, [(1, all[1].clone()), (3, all[3].clone())]);
	// Their epoch is still looked at.
	let sample = kept.take_sample(4);
	assert_eq!(sample.values().map(Vec::len).sum::<usize>(), 6);
}

#[test]
fn the_first_make_room_and_numbers_go_on() {
	let dir = tempfile::tempdir().expect("a directory");
	let one = receipt(7, 0);
	let kept = open(dir.path(), 2 * cost(&one.encode()));
	for _ in 0..5 {
		kept.add(&[&one]).expect("stores");
	}
	assert_eq!(numbers(&kept, 7, 0), [3, 4]);
	drop(kept);
	let kept = open(dir.path(), 1);
	kept.add(&[&one]).expect("stores");
	assert!(numbers(&kept, 7, 0).is_empty());
	drop(kept);
	let kept = open(dir.path(), LARGE);
	kept.add(&[&one]).expect("stores");
	assert_eq!(numbers(&kept, 7, 0), [6]);
}

#[test]
fn a_directory_is_of_one_chain() {
	let dir = tempfile::tempdir().expect("a directory");
	drop(open(dir.path(), LARGE));
	let other = KeptReceipts::open(dir.path(), H256::repeat_byte(1), LARGE);
	let text = other.expect_err("it is of another chain").to_string();
	assert!(text.contains("another chain"), "{text}");
}

#[test]
fn what_is_kept_is_handed_to_the_watcher() {
	let dir = tempfile::tempdir().expect("a directory");
	let metrics = Arc::new(Metrics::new().expect("no two have one name"));
	let kept = Arc::new(open(dir.path(), LARGE));
	// Room for one: the second is not handed on, and kept all the same.
	let (sender, mut watcher) = mpsc::channel(1);
	let started = Keeper::start(kept.clone(), Some(sender), metrics.clone());
	let (keeper, thread) = started.expect("the thread starts");
	let request = Request {
		path: "/a".into(),
		..Request::default()
	};
	let mut with_effects = receipt(7, 0);
	with_effects.receipt.transcript = H256::zero();
	keeper.keep(with_effects.clone(), &request);
	keeper.keep(receipt(7, 1), &request);
	drop(keeper);
	thread.join().expect("it ends with the last keeper");
	assert_eq!(numbers(&kept, 7, 0), [0, 1]);
	let received = watcher.try_recv().expect("it was handed on");
	assert_eq!(
		(received.receipt, received.request),
		(with_effects, request)
	);
	// What was told from outside is not in an answer.
	assert!(received.transcript.is_none());
	assert!(watcher.try_recv().is_err());
	assert_eq!(metrics.kept_receipts.get(), 2);
	assert_eq!(metrics.unwatched_receipts.get(), 1);
	assert_eq!(metrics.dropped_receipts.get(), 0);
}

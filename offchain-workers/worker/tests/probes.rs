//! Probes are answered with receipts of calls like any other.

mod common;

use common::{assignment, first_key, limits, package, world, World, DEAL, EPOCH, MODULE};
use millrace_client::verify_peer_signature;
use millrace_primitives::{
	execution::SignedReceipt,
	probe::{probe_request, Moment, ProbeView},
	views::Assignment,
	DealId,
};
use millrace_worker::probes::Answers;
use std::sync::{Arc, Mutex};
use tokio_util::task::TaskTracker;

/// What was sent to the chain.
type Sent = Arc<Mutex<Vec<(DealId, SignedReceipt)>>>;

fn asked(body: &[u8], at: u32) -> Assignment {
	let probe = ProbeView {
		body: body.to_vec(),
		at,
		deadline: Moment {
			epoch: EPOCH,
			position: 16,
		},
	};
	Assignment {
		probe: Some(probe),
		..assignment(DEAL, package(MODULE))
	}
}

/// A block in which so much is asked; what is sent at it, when all calls have ended.
async fn block(world: &World, answers: &Answers, asked: &[Assignment]) -> Vec<SignedReceipt> {
	let sent = Sent::default();
	let noted = sent.clone();
	let tasks = TaskTracker::new();
	let send = move |deal, receipt| noted.lock().expect("nobody panics").push((deal, receipt));
	answers.give(&world.calls, &tasks, asked, Arc::new(send));
	tasks.close();
	tasks.wait().await;
	let sent = sent.lock().expect("nobody panics");
	assert!(sent.iter().all(|(deal, _)| *deal == DEAL));
	sent.iter().map(|(_, receipt)| receipt.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_run_once_and_its_answer_sent_until_it_is_asked_no_more() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let answers = Answers::default();
	let first = block(&world, &answers, &[asked(b"one", 101)]).await;
	let [answer] = &first[..] else {
		panic!("{first:?}")
	};
	let receipt = &answer.receipt;
	assert_eq!(receipt.request, probe_request(b"one").hash());
	assert_eq!((receipt.epoch, receipt.seq), (EPOCH, 0));
	assert!(receipt.block >= 101);
	let key = first_key().public();
	assert!(verify_peer_signature(
		&key,
		receipt.hash(),
		&answer.signature
	));
	// It is one of the peer's receipts, which it reports.
	assert_eq!(
		world.store.receipt((EPOCH, 0)).expect("reads"),
		Some(answer.clone())
	);

	assert_eq!(block(&world, &answers, &[asked(b"one", 101)]).await, first);
	assert!(block(&world, &answers, &[]).await.is_empty());
	// Another probe is another call.
	let second = block(&world, &answers, &[asked(b"two", 105)]).await;
	assert_eq!(second.len(), 1);
	assert_eq!(second[0].receipt.seq, 1);
	assert_eq!(second[0].receipt.request, probe_request(b"two").hash());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_called_is_tried_again_at_the_next_block() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let answers = Answers::default();
	// Longer than a call of the deal may be.
	let long = asked(&[b'x'; 65], 101);
	assert!(block(&world, &answers, &[long.clone()]).await.is_empty());
	assert!(block(&world, &answers, &[long]).await.is_empty());
	assert_eq!(world.store.receipt((EPOCH, 0)).expect("reads"), None);
	let short = asked(&[b'x'; 64], 101);
	assert_eq!(block(&world, &answers, &[short]).await.len(), 1);
}

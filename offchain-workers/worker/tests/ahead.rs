//! What the daemon does at blocks that are not final, and that it does nothing else.

mod common;

use common::{
	assignment, duties_of, first_key, in_process, limits, package, snapshot, World, DEAL, EPOCH,
	GENESIS, MODULE,
};
use millrace_client::calls::{self, Call};
use millrace_primitives::{
	execution::{Receipt, Request},
	market::{go_live_hash, Worker, WorkerStatus},
	views::{Assignment, PeerDuties},
	DealId, EpochIndex,
};
use millrace_worker::{ahead::Ahead, errors::Refusal};
use std::{cell::RefCell, path::Path, time::Duration};
use tokio::time::{sleep, timeout};

/// Height of the best block, above the one that calls see.
const BEST: u32 = 112;

/// A peer without deals, as far as finalised blocks tell, that has the package at hand.
async fn idle_peer(dir: &Path) -> (World, Ahead) {
	let world = World::open(dir, limits(), first_key(), in_process(4), Vec::new()).await;
	let name = format!("{}.wasm", hex::encode(package(MODULE).hash));
	std::fs::write(dir.join("packages").join(name), MODULE).expect("a file");
	let ahead = Ahead::new(world.identity.clone(), world.packages.clone());
	(world, ahead)
}

fn with(status: WorkerStatus) -> Assignment {
	let live = assignment(DEAL, package(MODULE));
	let worker = Worker {
		status,
		..live.worker
	};
	Assignment { worker, ..live }
}

fn waiting(deadline: EpochIndex) -> Assignment {
	with(WorkerStatus::Assigned { deadline })
}

/// What a best block says, at whose sight the daemon does what it does.
fn sight(world: &World, ahead: &Ahead, assignments: Vec<Assignment>) -> PeerDuties {
	let duties = duties_of(world.identity.key.public(), assignments);
	ahead.prepare(BEST, &duties);
	duties
}

/// What is sent at a best block.
fn sent(ahead: &Ahead, duties: &PeerDuties) -> Vec<(DealId, Call)> {
	let sent = RefCell::new(Vec::new());
	ahead.go_live(duties, |deal, call| sent.borrow_mut().push((deal, call)));
	sent.into_inner()
}

fn message(world: &World, deadline: EpochIndex) -> (DealId, Call) {
	let peer = world.identity.peer;
	let hash = go_live_hash(GENESIS, peer, DEAL, deadline);
	let signature = world.identity.key.sign_hash(hash);
	(DEAL, calls::market::go_live(peer, DEAL, signature))
}

async fn loaded(world: &World) {
	let loaded = timeout(Duration::from_secs(30), world.packages.loaded());
	loaded.await.expect("a package is ready or it fails");
}

async fn ready(world: &World) {
	let ready = async {
		while !is_ready(world) {
			sleep(Duration::from_millis(5)).await;
		}
	};
	let ready = timeout(Duration::from_secs(30), ready);
	ready.await.expect("the package is made ready");
}

async fn call(world: &World) -> Result<Receipt, Refusal> {
	let request = Request {
		method: "GET".into(),
		path: "/".into(),
		..Request::default()
	};
	let admission = world.calls.admit(DEAL)?;
	let answer = world.calls.execute(admission, request).await?;
	Ok(answer.receipt.receipt)
}

fn is_ready(world: &World) -> bool {
	world.packages.ready(package(MODULE).hash).is_ok()
}

/// That nobody is answered while the last finalised block knows of no deal, and nothing was signed.
async fn assert_nothing_happened(world: &World) {
	let seen = snapshot(&world.identity, Vec::new());
	world.snapshots.send_replace(Some(seen));
	assert_eq!(call(world).await, Err(Refusal::DealUnknown(DEAL)));
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
	assert!(world.store.open_calls().expect("reads").is_empty());
	assert_eq!(world.store.next_seq(EPOCH).expect("reads"), 0);
	assert_eq!(world.store.receipt((EPOCH, 0)).expect("reads"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_that_a_reorganisation_takes_away_leaves_no_receipt_and_no_trace() {
	let dir = tempfile::tempdir().expect("a directory");
	let (world, ahead) = idle_peer(dir.path()).await;
	let deadline = EPOCH + 1;
	let best = sight(&world, &ahead, vec![waiting(deadline)]);
	loaded(&world).await;
	// As often as it is asked for: the same message, until a block has it.
	for _ in 0..2 {
		assert_eq!(sent(&ahead, &best), [message(&world, deadline)]);
		assert_nothing_happened(&world).await;
	}

	// A best block has it, and finalised ones do not know of the deal: nobody is served.
	let live = with(WorkerStatus::Live { since: deadline });
	let best = sight(&world, &ahead, vec![live]);
	assert!(sent(&ahead, &best).is_empty());
	world.packages.want(&[]);
	assert!(is_ready(&world), "it will be needed if the block stays");
	assert_nothing_happened(&world).await;

	// Another branch is the best one now, on which the deal went to somebody else.
	let best = sight(&world, &ahead, Vec::new());
	assert!(sent(&ahead, &best).is_empty());
	assert!(!is_ready(&world), "nobody needs it");
	assert_nothing_happened(&world).await;

	// And on a third one it comes later: that is another message.
	let best = sight(&world, &ahead, vec![waiting(deadline + 1)]);
	loaded(&world).await;
	assert_eq!(sent(&ahead, &best), [message(&world, deadline + 1)]);
	assert_nothing_happened(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_branches_the_newest_sight_counts_and_none_of_them_is_served() {
	let dir = tempfile::tempdir().expect("a directory");
	let (world, ahead) = idle_peer(dir.path()).await;
	// What a best block can say of the deal, and what is sent then.
	let live = with(WorkerStatus::Live { since: EPOCH + 1 });
	let sights = [
		(None, None),
		(Some(waiting(EPOCH)), Some(EPOCH)),
		(Some(waiting(EPOCH + 1)), Some(EPOCH + 1)),
		(Some(live), None),
	];
	// Each after each, so each branch is taken back for each other one.
	for before in &sights {
		for (said, deadline) in &sights {
			sight(&world, &ahead, before.0.iter().cloned().collect());
			let best = sight(&world, &ahead, said.iter().cloned().collect());
			// Finalised blocks go on meanwhile, and know of no deal.
			world.packages.want(&[]);
			if said.is_some() {
				ready(&world).await;
			}
			let expected = deadline.map(|deadline| message(&world, deadline));
			assert_eq!(sent(&ahead, &best), Vec::from_iter(expected));
		}
	}
	assert_nothing_happened(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_is_served_at_once_when_going_live_is_final() {
	let dir = tempfile::tempdir().expect("a directory");
	let (world, ahead) = idle_peer(dir.path()).await;
	sight(&world, &ahead, vec![waiting(EPOCH + 1)]);
	loaded(&world).await;
	let live = with(WorkerStatus::Live { since: EPOCH + 1 });
	sight(&world, &ahead, vec![live.clone()]);
	let paid = Assignment {
		paid_until: EPOCH + 1,
		..live
	};
	let seen = snapshot(&world.identity, vec![paid.clone()]);
	world.snapshots.send_replace(Some(seen));
	world.packages.want(&[&paid.package]);
	let receipt = call(&world).await.expect("it is served");
	assert_eq!((receipt.deal, receipt.seq), (DEAL, 0));
	// What is not wanted ahead any more is kept for what is final.
	sight(&world, &ahead, Vec::new());
	assert!(is_ready(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_goes_live_too_late_or_without_the_package() {
	let dir = tempfile::tempdir().expect("a directory");
	let (world, ahead) = idle_peer(dir.path()).await;
	let other = Assignment {
		package: package(b"nobody has it"),
		..waiting(EPOCH)
	};
	let best = sight(&world, &ahead, vec![other]);
	loaded(&world).await;
	assert!(sent(&ahead, &best).is_empty());
	let best = sight(&world, &ahead, vec![waiting(EPOCH - 1)]);
	loaded(&world).await;
	assert!(is_ready(&world));
	assert!(sent(&ahead, &best).is_empty());
	let best = sight(&world, &ahead, vec![waiting(EPOCH)]);
	assert_eq!(sent(&ahead, &best), [message(&world, EPOCH)]);
}

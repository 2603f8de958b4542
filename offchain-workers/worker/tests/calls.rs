//! Calls through the daemon's own parts, with a real guest and without a chain.

use axum::http::{response::Parts, Request as HttpRequest, StatusCode};
use bytes::Bytes;
use codec::Decode;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use millrace_client::{verify_peer_signature, PeerKeypair, ReceiptProof};
use millrace_executor::{Engine, EngineConfig};
use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths, EpochStatus, Phase},
	execution::{package_hash, CallStatus, Request, SignedReceipt},
	market::{Abi, CallLimits, DealStatus, Package, Worker, WorkerStatus},
	merkle,
	views::{Assignment, PeerDuties},
	H256,
};
use millrace_prover::{Mode, Prover, ProverConfig};
use millrace_worker::{
	calls::{Answer, CallParts, Calls, Identity},
	commit::Committer,
	errors::Refusal,
	fetch::Fetcher,
	http::{router, Door},
	ledger::{Call, Ledger},
	metrics::Metrics,
	packages::Packages,
	receipts::ReceiptStore,
	report::{Capacity, Tally},
	snapshot::Snapshot,
	Limits,
};
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const EPOCH: u32 = 5;
const DEAL: u64 = 7;
const GENESIS: H256 = H256::repeat_byte(1);

/// A module whose `_start` returns at once: one type, one function, one page of memory.
const MODULE: &[u8] = &[
	0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
	0x01, 0x04, 0x01, 0x60, 0x00, 0x00, // type: () -> ()
	0x03, 0x02, 0x01, 0x00, // function 0 of type 0
	0x05, 0x03, 0x01, 0x00, 0x01, // memory of at least one page
	0x07, 0x13, 0x02, // two exports
	0x06, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0x00, //
	0x06, b'_', b's', b't', b'a', b'r', b't', 0x00, 0x00, //
	0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b, // the body: end
];

struct World {
	calls: Arc<Calls>,
	store: Arc<ReceiptStore>,
	ledger: Arc<Ledger>,
	packages: Arc<Packages>,
	metrics: Metrics,
	identity: Identity,
	/// Kept, so that calls see a chain that goes on.
	_snapshots: watch::Sender<Option<Arc<Snapshot>>>,
}

fn package() -> Package {
	Package {
		hash: package_hash(MODULE),
		size: MODULE.len() as u32,
		links: Default::default(),
		abi: Abi::default(),
	}
}

fn duties(key: [u8; 32]) -> PeerDuties {
	let lengths = EpochLengths {
		len: 20,
		report_window: 6,
		fold_window: 2,
		answer_window: 8,
	};
	let info = EpochInfo {
		index: EPOCH,
		start: 100,
		start_ms: 1_000,
		slot_ms: 1_000,
		lengths,
	};
	let assignment = Assignment {
		deal: DEAL,
		worker: Worker {
			peer: Default::default(),
			offer: 0,
			ask: 1,
			units: 1,
			bond: 0,
			status: WorkerStatus::Live { since: EPOCH },
		},
		package: package(),
		limits: CallLimits {
			gas: 1_000_000,
			memory_bytes: 1 << 20,
			request_bytes: 64,
			response_bytes: 64,
		},
		status: DealStatus::Active,
		paid_until: EPOCH,
	};
	PeerDuties {
		genesis: GENESIS,
		epoch: EpochStatus {
			info,
			position: 10,
			phase: Phase::Answer,
			seed: H256::repeat_byte(2),
			draw: None,
		},
		previous: None,
		key: Some(key),
		work: None,
		previous_work: None,
		report_due: false,
		audit: None,
		assignments: vec![assignment],
	}
}

async fn world(dir: &Path, limits: Limits) -> World {
	let key = PeerKeypair::from_seed([9; 32], None);
	let identity = Identity {
		genesis: GENESIS,
		peer: key.id(),
		key: Arc::new(key),
	};
	let metrics = Metrics::new().expect("the names are distinct");
	let store = ReceiptStore::open(dir, GENESIS, identity.peer, 1 << 20).expect("it opens");
	let store = Arc::new(store);
	let ledger = Arc::new(Ledger::default());
	ledger.restore(store.open_calls().expect("reads"));
	ledger.open_epoch(EPOCH, store.next_seq(EPOCH).expect("reads"));
	let (committer, _) = Committer::start(
		store.clone(),
		ledger.clone(),
		metrics.clone(),
		CancellationToken::new(),
	)
	.expect("the thread starts");
	let engine = Engine::new(EngineConfig {
		max_concurrent_calls: limits.concurrent_calls as u32,
		..EngineConfig::default()
	});
	let engine = Arc::new(engine.expect("an engine"));
	let tasks = TaskTracker::new();
	let folder = dir.join("packages");
	std::fs::create_dir_all(&folder).expect("a directory");
	let name = format!("{}.wasm", hex::encode(package_hash(MODULE)));
	std::fs::write(folder.join(name), MODULE).expect("a file");
	let packages = Packages::open(
		folder,
		engine.clone(),
		Fetcher::new(Duration::from_secs(1)),
		tasks.clone(),
		CancellationToken::new(),
		metrics.clone(),
	);
	let packages = Arc::new(packages.expect("it opens"));
	packages.want(&[&package()]);
	while let Err(refusal) = packages.module(package().hash) {
		assert!(
			matches!(refusal, Refusal::PackageUnavailable(_)),
			"{refusal}"
		);
		tokio::time::sleep(Duration::from_millis(10)).await;
	}
	let snapshot = Snapshot::new(110, &duties(identity.key.public()), &identity.key.public());
	let (snapshots, seen) = watch::channel(Some(Arc::new(snapshot)));
	let calls = Arc::new(Calls::new(CallParts {
		identity: identity.clone(),
		engine,
		packages: packages.clone(),
		ledger: ledger.clone(),
		store: store.clone(),
		committer,
		snapshots: seen,
		limits,
		metrics: metrics.clone(),
		tasks,
	}));
	World {
		calls,
		store,
		ledger,
		packages,
		metrics,
		identity,
		_snapshots: snapshots,
	}
}

fn limits() -> Limits {
	Limits {
		concurrent_calls: 4,
		queued_calls: 200,
		..Limits::default()
	}
}

fn request(number: usize) -> Request {
	Request {
		method: "GET".into(),
		path: format!("/{number}"),
		..Request::default()
	}
}

async fn one(calls: &Arc<Calls>, number: usize) -> Result<Answer, Refusal> {
	calls.execute(calls.admit(DEAL)?, request(number)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_calls_are_numbered_without_gap_and_stay() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let callers: Vec<_> = (0..60)
		.map(|number| {
			let calls = world.calls.clone();
			tokio::spawn(async move { one(&calls, number).await })
		})
		.collect();
	let mut seen = BTreeSet::new();
	for caller in callers {
		let answer = caller.await.expect("no panic").expect("an answer");
		let SignedReceipt { receipt, signature } = &answer.receipt;
		assert_eq!(
			(receipt.status, receipt.epoch, receipt.block),
			(CallStatus::Exited(0), 5, 110)
		);
		let key = world.identity.key.public();
		assert!(verify_peer_signature(&key, receipt.hash(), signature));
		let stored = world.store.receipt((EPOCH, receipt.seq)).expect("reads");
		assert_eq!(
			stored.as_ref(),
			Some(&answer.receipt),
			"stored before it is answered"
		);
		seen.insert(receipt.seq);
	}
	assert_eq!(seen, (0..60).collect::<BTreeSet<u32>>());
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_interrupted_is_completed_after_a_restart() {
	let dir = tempfile::tempdir().expect("a directory");
	let interrupted = {
		let world = world(dir.path(), limits()).await;
		let begun = one(&world.calls, 0).await.expect("an answer");
		assert_eq!(begun.receipt.receipt.seq, 0);
		// Numbered and never ended: what a kill leaves.
		let (call, _) = world.store.body((EPOCH, 0)).expect("reads").expect("kept");
		let call = world.ledger.begin(Call {
			request: request(1),
			..call
		});
		let call = call.expect("the epoch is open");
		assert_eq!(
			one(&world.calls, 2)
				.await
				.expect("an answer")
				.receipt
				.receipt
				.seq,
			2
		);
		call
	};
	assert_eq!(interrupted.seq, 1);
	// The first world's store is closed when its last part is dropped.
	let world = loop {
		tokio::time::sleep(Duration::from_millis(50)).await;
		let peer = PeerKeypair::from_seed([9; 32], None).id();
		if ReceiptStore::open(dir.path(), GENESIS, peer, 1 << 20).is_ok() {
			break world(dir.path(), limits()).await;
		}
	};
	assert_eq!(world.ledger.open_calls(EPOCH), 1);
	world.calls.recover().await;
	assert_eq!(world.ledger.open_calls(EPOCH), 0);
	let receipt = world
		.store
		.receipt((EPOCH, 1))
		.expect("reads")
		.expect("completed")
		.receipt;
	assert_eq!(receipt.request, request(1).hash());
	assert_eq!(
		one(&world.calls, 3)
			.await
			.expect("an answer")
			.receipt
			.receipt
			.seq,
		3
	);
	let make = |tally: Tally| tally.into_report(EPOCH, &Capacity::none());
	assert_eq!(
		world
			.store
			.report_once(EPOCH, make)
			.expect("stores")
			.report
			.receipts,
		4
	);
	// And nothing enters the epoch from then on.
	assert_eq!(one(&world.calls, 4).await.err(), Some(Refusal::EpochEnded));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_cannot_end_is_replaced_by_one_that_can() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	one(&world.calls, 0).await.expect("an answer");
	let (call, _) = world.store.body((EPOCH, 0)).expect("reads").expect("kept");
	let stuck = world
		.ledger
		.begin(Call {
			request: request(1),
			..call
		})
		.expect("open");
	one(&world.calls, 2).await.expect("an answer");
	world.ledger.abandon(stuck.key(), false);
	world.calls.recover().await;
	let filled = world
		.store
		.receipt(stuck.key())
		.expect("reads")
		.expect("filled")
		.receipt;
	assert_eq!(filled.seq, 1);
	assert!([request(0).hash(), request(2).hash()].contains(&filled.request));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_more_than_there_are_places_is_refused() {
	let dir = tempfile::tempdir().expect("a directory");
	let few = Limits {
		concurrent_calls: 1,
		queued_calls: 1,
		..Limits::default()
	};
	let world = world(dir.path(), few).await;
	let first = world.calls.admit(DEAL).expect("a place");
	let _second = world.calls.admit(DEAL).expect("a place");
	assert_eq!(world.calls.admit(DEAL).err(), Some(Refusal::Busy));
	drop(first);
	assert!(world.calls.admit(DEAL).is_ok());
}

const EMPTY: &[u8] = &[];
/// One byte more than the deal allows.
const TOO_LONG: &[u8] = &[0; 65];

async fn ask(server: &str, method: &str, path: &str, body: &'static [u8]) -> (Parts, Bytes) {
	let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
	let request = HttpRequest::builder()
		.method(method)
		.uri(format!("{server}{path}"))
		.body(Full::new(Bytes::from_static(body)))
		.expect("a request");
	let (parts, body) = client
		.request(request)
		.await
		.expect("an answer")
		.into_parts();
	(parts, body.collect().await.expect("it is whole").to_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_answers_with_receipts_and_typed_errors() {
	let dir = tempfile::tempdir().expect("a directory");
	let world = world(dir.path(), limits()).await;
	let prover = Prover::start(ProverConfig {
		dir: dir.path().join("p"),
		threads: 1,
		mode: Mode::Light,
	});
	let door = router(Arc::new(Door {
		calls: world.calls.clone(),
		store: world.store.clone(),
		packages: world.packages.clone(),
		prover: Arc::new(prover.expect("it starts")),
		metrics: world.metrics.clone(),
		peer: world.identity.peer,
		body_timeout: Duration::from_secs(5),
	}));
	let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
		.await
		.expect("a port");
	let address = listener.local_addr().expect("it is bound");
	tokio::spawn(async move { axum::serve(listener, door).await });

	let server = format!("http://{address}");
	let code = |body: &Bytes| -> String {
		let value: serde_json::Value = serde_json::from_slice(body).expect("it is JSON");
		value["error"]["code"].as_str().expect("a code").to_owned()
	};

	let (parts, body) = ask(&server, "POST", "/deals/7/a%20b?c=d", b"hello").await;
	assert_eq!((parts.status, body.len()), (StatusCode::OK, 0));
	assert_eq!(parts.headers["x-millrace-status"], "exited:0");
	let receipt = parts.headers["x-millrace-receipt"]
		.to_str()
		.expect("it is text");
	let receipt = hex::decode(receipt.trim_start_matches("0x")).expect("it is hexadecimal");
	let receipt = SignedReceipt::decode(&mut &receipt[..]).expect("it is a receipt");
	let sent = Request {
		method: "POST".into(),
		path: "/a%20b".into(),
		query: "c=d".into(),
		content_type: String::new(),
		body: b"hello".to_vec(),
	};
	assert_eq!(receipt.receipt.request, sent.hash());

	for (method, path, body, status, expected) in [
		("GET", "/deals/8", EMPTY, 404, "deal_unknown"),
		("GET", "/deals/x", EMPTY, 400, "bad_request"),
		("POST", "/deals/7", TOO_LONG, 413, "body_too_large"),
		("GET", "/nowhere", EMPTY, 404, "not_found"),
		("PUT", "/healthz", EMPTY, 405, "method_not_allowed"),
		("GET", "/receipts/5/0", EMPTY, 404, "not_reported"),
	] {
		let (parts, body) = ask(&server, method, path, body).await;
		assert_eq!(
			(parts.status.as_u16(), code(&body).as_str()),
			(status, expected),
			"{path}"
		);
	}

	let make = |tally: Tally| tally.into_report(EPOCH, &Capacity::none());
	world.store.report_once(EPOCH, make).expect("stores");
	let (parts, body) = ask(&server, "GET", "/receipts/5/0", EMPTY).await;
	assert_eq!(parts.status, StatusCode::OK);
	let proof: ReceiptProof = serde_json::from_slice(&body).expect("it is a proof");
	assert_eq!(proof.receipt, receipt);
	let leaf = proof.receipt.receipt.hash();
	let root = proof.report.receipts_root;
	assert!(merkle::verify(
		root,
		proof.report.receipts.into(),
		0,
		&leaf.0,
		&proof.path
	));
	let (_, body) = ask(&server, "GET", "/receipts/5/1", EMPTY).await;
	assert_eq!(code(&body), "receipt_unknown");

	let (parts, _) = ask(&server, "GET", "/healthz", EMPTY).await;
	assert_eq!(parts.status, StatusCode::OK);
	let (_, body) = ask(&server, "GET", "/metrics", EMPTY).await;
	let text = String::from_utf8(body.to_vec()).expect("it is text");
	assert!(
		text.contains("millrace_worker_calls_total{status=\"success\"} 1"),
		"{text}"
	);
}

//! A worker without a chain: the daemon's own parts around real guests.
#![allow(
	dead_code,
	unreachable_pub,
	missing_docs,
	missing_debug_implementations,
	reason = "every test file uses another part of this module"
)]

use millrace_client::PeerKeypair;
use millrace_executor::{Engine, EngineConfig};
use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths, EpochStatus, Phase},
	execution::package_hash,
	market::{Abi, CallLimits, DealStatus, Package, Worker, WorkerStatus},
	views::{Assignment, PeerDuties},
	H256,
};
use millrace_worker::{
	calls::{CallParts, Calls, Identity},
	commit::Committer,
	errors::Refusal,
	fetch::Fetcher,
	ledger::Ledger,
	metrics::Metrics,
	packages::Packages,
	receipts::ReceiptStore,
	snapshot::Snapshot,
	Limits,
};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub const EPOCH: u32 = 5;
pub const DEAL: u64 = 7;
pub const GENESIS: H256 = H256::repeat_byte(1);

/// A module whose `_start` returns at once: one type, one function, one page of memory.
pub const MODULE: &[u8] = &[
	0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
	0x01, 0x04, 0x01, 0x60, 0x00, 0x00, // type: () -> ()
	0x03, 0x02, 0x01, 0x00, // function 0 of type 0
	0x05, 0x03, 0x01, 0x00, 0x01, // memory of at least one page
	0x07, 0x13, 0x02, // two exports
	0x06, b'm', b'e', b'm', b'o', b'r', b'y', 0x02, 0x00, //
	0x06, b'_', b's', b't', b'a', b'r', b't', 0x00, 0x00, //
	0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b, // the body: end
];

pub struct World {
	pub calls: Arc<Calls>,
	pub store: Arc<ReceiptStore>,
	pub ledger: Arc<Ledger>,
	pub packages: Arc<Packages>,
	pub metrics: Metrics,
	pub identity: Identity,
	/// What calls see of the chain.
	pub snapshots: watch::Sender<Option<Arc<Snapshot>>>,
}

pub fn package(module: &[u8]) -> Package {
	Package {
		hash: package_hash(module),
		size: module.len() as u32,
		links: Default::default(),
		abi: Abi::default(),
	}
}

/// The peer's first key.
pub fn first_key() -> PeerKeypair {
	PeerKeypair::from_seed([9; 32], None)
}

pub fn duties(key: [u8; 32], package: Package) -> PeerDuties {
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
		package,
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

pub async fn world(dir: &Path, limits: Limits) -> World {
	world_of(dir, limits, first_key(), MODULE).await
}

pub async fn world_of(dir: &Path, limits: Limits, key: PeerKeypair, module: &[u8]) -> World {
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
	let package = package(module);
	let name = format!("{}.wasm", hex::encode(package.hash));
	std::fs::write(folder.join(name), module).expect("a file");
	let packages = Packages::open(
		folder,
		engine.clone(),
		Fetcher::new(Duration::from_secs(1), false),
		tasks.clone(),
		CancellationToken::new(),
		metrics.clone(),
	);
	let packages = Arc::new(packages.expect("it opens"));
	packages.want(&[&package]);
	while let Err(refusal) = packages.module(package.hash) {
		assert!(
			matches!(refusal, Refusal::PackageUnavailable(_)),
			"{refusal}"
		);
		sleep(Duration::from_millis(10)).await;
	}
	let key = identity.key.public();
	let snapshot = Snapshot::new(110, &duties(key, package), &key);
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
		snapshots,
	}
}

pub fn limits() -> Limits {
	Limits {
		concurrent_calls: 4,
		queued_calls: 200,
		..Limits::default()
	}
}

//! A worker without a chain: the daemon's own parts around real guests.
#![allow(
	dead_code,
	unreachable_pub,
	missing_docs,
	missing_debug_implementations,
	reason = "every test file uses another part of this module"
)]

pub mod bench;

use millrace_client::PeerKeypair;
use millrace_executor::EngineConfig;
use millrace_primitives::{
	epoch::{EpochInfo, EpochLengths, EpochStatus, Phase},
	execution::{package_hash, PROFILE_V1},
	market::{Abi, CallLimits, DealStatus, Package, Worker, WorkerStatus},
	views::{Assignment, PeerDuties},
	H256,
};
use millrace_sandbox::{Guests, InProcess};
use millrace_worker::{
	access::Doorkeeper,
	calls::{CallParts, Calls, Identity},
	commit::Committer,
	effects::HttpOut,
	errors::Refusal,
	fetch::Fetcher,
	ledger::Ledger,
	metrics::Metrics,
	packages::Packages,
	receipts::ReceiptStore,
	snapshot::Snapshot,
	vouchers::Vouchers,
	Limits,
};
use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::sleep};
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
	pub doorkeeper: Arc<Doorkeeper>,
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

/// A deal that the peer serves.
pub fn assignment(deal: u64, package: Package) -> Assignment {
	Assignment {
		deal,
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
		hosts: Default::default(),
		profile: PROFILE_V1,
		packages: Default::default(),
		billing: Default::default(),
		redeemed: Default::default(),
		probe: None,
		access: Default::default(),
		rate: None,
	}
}

pub fn duties(key: [u8; 32], package: Package) -> PeerDuties {
	duties_of(key, vec![assignment(DEAL, package)])
}

pub fn duties_of(key: [u8; 32], assignments: Vec<Assignment>) -> PeerDuties {
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
		assignments,
	}
}

/// Guests in this process.
pub fn in_process(places: usize) -> Arc<dyn Guests> {
	let guests = InProcess::new(EngineConfig {
		max_concurrent_calls: places as u32,
		..EngineConfig::default()
	});
	Arc::new(guests.expect("an engine"))
}

/// The block that calls see.
impl World {
	/// Lets calls go on seeing the chain, however long they take, until the task is ended.
	pub fn keep_fresh(&self, assignments: Vec<Assignment>) -> JoinHandle<()> {
		let (snapshots, identity) = (self.snapshots.clone(), self.identity.clone());
		tokio::spawn(async move {
			while !snapshots.is_closed() {
				snapshots.send_replace(Some(snapshot(&identity, assignments.clone())));
				sleep(Duration::from_secs(1)).await;
			}
		})
	}
}

pub fn snapshot(identity: &Identity, assignments: Vec<Assignment>) -> Arc<Snapshot> {
	let key = identity.key.public();
	Arc::new(Snapshot::new(110, &duties_of(key, assignments), &key))
}

pub async fn world(dir: &Path, limits: Limits) -> World {
	world_of(dir, limits, first_key(), MODULE).await
}

pub async fn world_of(dir: &Path, limits: Limits, key: PeerKeypair, module: &[u8]) -> World {
	let guests = in_process(limits.concurrent_calls);
	let deals = vec![(assignment(DEAL, package(module)), module.to_vec())];
	World::open(dir, limits, key, guests, deals).await
}

impl World {
	/// The parts of a daemon whose peer serves these deals, with their packages on disk and ready.
	pub async fn open(
		dir: &Path,
		limits: Limits,
		key: PeerKeypair,
		guests: Arc<dyn Guests>,
		deals: Vec<(Assignment, Vec<u8>)>,
	) -> Self {
		let identity = Identity {
			genesis: GENESIS,
			peer: key.id(),
			key: Arc::new(key),
		};
		let metrics = Metrics::new().expect("the names are distinct");
		let store = ReceiptStore::open(dir, GENESIS, identity.peer, limits.stored_bytes);
		let store = Arc::new(store.expect("it opens"));
		let ledger = Arc::new(Ledger::default());
		ledger.restore(store.open_calls().expect("reads"));
		ledger.open_epoch(EPOCH, store.next_seq(EPOCH).expect("reads"));
		let committer = Committer::start(
			store.clone(),
			ledger.clone(),
			metrics.clone(),
			CancellationToken::new(),
		)
		.expect("the thread starts");
		let vouchers = Vouchers::open(dir, GENESIS, identity.peer).expect("it opens");
		let tasks = TaskTracker::new();
		let folder = dir.join("packages");
		std::fs::create_dir_all(&folder).expect("a directory");
		for (assignment, module) in &deals {
			let name = format!("{}.wasm", hex::encode(assignment.package.hash));
			std::fs::write(folder.join(name), module).expect("a file");
		}
		let packages = Packages::open(
			folder,
			guests.clone(),
			Fetcher::new(Duration::from_secs(1), false),
			tasks.clone(),
			CancellationToken::new(),
			metrics.clone(),
		);
		let packages = Arc::new(packages.expect("it opens"));
		let assignments: Vec<_> = deals.into_iter().map(|(deal, _)| deal).collect();
		packages.want(
			&assignments
				.iter()
				.map(|deal| &deal.package)
				.collect::<Vec<_>>(),
		);
		for deal in &assignments {
			while let Err(refusal) = packages.ready(deal.package.hash) {
				assert!(
					matches!(refusal, Refusal::PackageUnavailable(_)),
					"{refusal}"
				);
				sleep(Duration::from_millis(10)).await;
			}
		}
		let (snapshots, seen) = watch::channel(Some(snapshot(&identity, assignments)));
		let calls = Arc::new(Calls::new(CallParts {
			identity: identity.clone(),
			guests,
			effects: Arc::new(HttpOut::new()),
			packages: packages.clone(),
			ledger: ledger.clone(),
			store: store.clone(),
			committer,
			vouchers: Arc::new(vouchers),
			snapshots: seen,
			limits,
			metrics: metrics.clone(),
			tasks,
		}));
		// Gateways of the tests are on this machine, and are believed.
		let proxies = vec![IpAddr::from([127, 0, 0, 1])];
		let doorkeeper = Doorkeeper::new(GENESIS, proxies, 1_024, &store);
		Self {
			calls,
			doorkeeper: Arc::new(doorkeeper.expect("it reads")),
			store,
			ledger,
			packages,
			metrics,
			identity,
			snapshots,
		}
	}
}

pub fn limits() -> Limits {
	Limits {
		concurrent_calls: 4,
		calls_per_unit: 4,
		queued_calls: 200,
		queued_calls_per_deal: 200,
		stored_bytes: 1 << 20,
		..Limits::default()
	}
}

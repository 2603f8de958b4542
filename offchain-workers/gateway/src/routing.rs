//! Which workers serve which deal: read from the chain when a deal is first called, and again at
//! each finalised block for as long as it is called.

use crate::errors::GatewayError;
use millrace_client::{web, AccountId};
use millrace_primitives::{
	access::{Access, RateLimit},
	billing::Billing,
	epoch::EpochStatus,
	execution::{CallTerms, Receipt},
	market::{CallLimits, DealStatus, Worker, WorkerStatus},
	packages::PackageHistory,
	peer::{PeerId, PeerKey},
	views::DealView,
	BlockNumber, DealId, EpochIndex, H256,
};
use std::{
	borrow::Cow,
	collections::HashMap,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc, Mutex, MutexGuard, RwLock,
	},
	time::{Duration, Instant},
};

/// Deals that are read from the chain at once.
pub(crate) const PARALLEL_READS: usize = 8;
/// Time without a call after which a deal is not read at each block any more.
const IDLE: Duration = Duration::from_secs(60);
/// Epochs whose seeds are remembered: a receipt may be of the epoch before.
const REMEMBERED_EPOCHS: usize = 4;

/// A worker that can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveWorker {
	/// Its peer.
	pub peer: PeerId,
	/// The key that signs its receipts.
	pub key: PeerKey,
	/// Where it serves, without a slash at the end.
	pub endpoint: String,
	/// The first epoch that it is paid for: names its vouchers.
	pub since: EpochIndex,
}

/// A deal as calls need it.
#[derive(Debug)]
pub struct Route {
	/// The deal.
	pub deal: DealId,
	/// What it runs.
	pub package: H256,
	/// What a call may use.
	pub limits: CallLimits,
	/// Who may call.
	pub access: Access,
	/// How often each of them may.
	pub rate: Option<RateLimit>,
	/// How served epochs are billed.
	pub billing: Billing,
	/// What calls run under.
	pub call_terms: CallTerms,
	/// What receipts name that by.
	pub terms: H256,
	/// Packages that its calls may have run instead.
	packages: PackageHistory,
	status: DealStatus,
	paid_until: EpochIndex,
	has_escrow: bool,
	/// Workers that serve at some time, those with notice among them.
	workers: Vec<(Worker, LiveWorker)>,
	/// Whose turn it is; shared by the routes that follow each other for one deal.
	turn: Arc<AtomicUsize>,
}

/// Where the chain stands, for the gateway.
#[derive(Clone, Debug, Default)]
pub struct Clock {
	/// The finalised block.
	pub block: BlockNumber,
	/// Its epoch.
	pub epoch: EpochIndex,
	/// Seeds of the last epochs, the newest last.
	seeds: Vec<(EpochIndex, H256)>,
	/// When the block was seen.
	pub seen: Option<Instant>,
}

impl Clock {
	/// Whether a receipt can carry this epoch and seed. A worker may see a new epoch some moments
	/// before or after the gateway does, so the neighbours of the present one pass unless their
	/// seed is known.
	pub fn admits(&self, epoch: EpochIndex, seed: H256) -> bool {
		match self.seeds.iter().find(|(index, _)| *index == epoch) {
			Some((_, known)) => *known == seed,
			None => epoch.abs_diff(self.epoch) == 1,
		}
	}

	fn advance(&mut self, block: BlockNumber, status: &EpochStatus) {
		let epoch = status.info.index;
		self.block = block;
		self.epoch = epoch;
		self.seen = Some(Instant::now());
		self.seeds.retain(|(index, _)| *index != epoch);
		self.seeds.push((epoch, status.seed));
		let surplus = self.seeds.len().saturating_sub(REMEMBERED_EPOCHS);
		self.seeds.drain(..surplus);
	}
}

#[derive(Debug)]
struct Entry {
	/// Nothing: the chain has no such deal.
	route: Option<Arc<Route>>,
	/// The block that it was read at.
	read: BlockNumber,
	used: Instant,
}

/// The routing table. Bounded: deals that do not exist make room, then the one that was not called
/// for longest.
#[derive(Debug)]
pub struct Routing {
	genesis: H256,
	capacity: usize,
	deals: Mutex<HashMap<DealId, Entry>>,
	clock: RwLock<Clock>,
}

impl Routing {
	/// An empty table for at most so many deals of a chain.
	pub fn new(genesis: H256, capacity: usize) -> Self {
		Self {
			genesis,
			capacity: capacity.max(1),
			deals: Mutex::default(),
			clock: RwLock::default(),
		}
	}

	/// Where the chain stands; the default until the first block was seen.
	pub fn clock(&self) -> Clock {
		self.clock.read().unwrap_or_else(|e| e.into_inner()).clone()
	}

	/// A block was finalised.
	pub fn set_clock(&self, block: BlockNumber, status: &EpochStatus) {
		self.clock
			.write()
			.unwrap_or_else(|e| e.into_inner())
			.advance(block, status);
	}

	/// The route of a deal that is remembered; `Some(None)`: that it does not exist is.
	pub fn get(&self, deal: DealId) -> Option<Option<Arc<Route>>> {
		let block = self.clock().block;
		let mut deals = self.lock();
		let entry = deals.get_mut(&deal)?;
		// A deal that was missing, or was not called for long, may have changed since.
		let idle = entry.used.elapsed() >= IDLE;
		if (entry.route.is_none() || idle) && entry.read < block {
			deals.remove(&deal);
			return None;
		}
		entry.used = Instant::now();
		Some(entry.route.clone())
	}

	/// Remembers what the chain says of a deal at a block, unless it is known from a later one.
	/// Returns the route that counts.
	pub fn set(
		&self,
		deal: DealId,
		block: BlockNumber,
		view: Option<&DealView<AccountId>>,
	) -> Option<Arc<Route>> {
		let mut deals = self.lock();
		let known = deals.get(&deal);
		if let Some(later) = known.filter(|entry| entry.read > block) {
			return later.route.clone();
		}
		let turn = known
			.and_then(|entry| entry.route.as_ref())
			.map(|route| route.turn.clone())
			.unwrap_or_default();
		let used = known.map_or_else(Instant::now, |entry| entry.used);
		let route = view.map(|view| Arc::new(Route::new(self.genesis, view, turn)));
		if known.is_none() && deals.len() >= self.capacity {
			// Whoever asks for deals that do not exist must not push out those that do.
			let last = deals
				.iter()
				.min_by_key(|(_, entry)| (entry.route.is_some(), entry.used))
				.map(|(deal, _)| *deal);
			if let Some(last) = last {
				deals.remove(&last);
			}
		}
		let entry = Entry {
			route: route.clone(),
			read: block,
			used,
		};
		deals.insert(deal, entry);
		route
	}

	/// Deals that were called lately.
	pub fn used(&self) -> Vec<DealId> {
		let deals = self.lock();
		let lately = deals
			.iter()
			.filter(|(_, entry)| entry.route.is_some() && entry.used.elapsed() < IDLE);
		lately.map(|(deal, _)| *deal).collect()
	}

	/// Number of deals that are remembered.
	pub fn len(&self) -> usize {
		self.lock().len()
	}

	/// Whether no deal is remembered.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	fn lock(&self) -> MutexGuard<'_, HashMap<DealId, Entry>> {
		self.deals.lock().unwrap_or_else(|e| e.into_inner())
	}
}

impl Route {
	/// The route that a deal's view gives.
	pub fn new(genesis: H256, view: &DealView<AccountId>, turn: Arc<AtomicUsize>) -> Self {
		let workers = view.workers.iter().filter_map(|row| {
			let since = match row.worker.status {
				WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => since,
				WorkerStatus::Assigned { .. } => return None,
			};
			let peer = row.worker.peer;
			let endpoint = String::from_utf8_lossy(&row.endpoint);
			let endpoint = web::base_url(&endpoint)
				.inspect_err(|error| tracing::debug!(%peer, %error, "a worker cannot be called"))
				.ok()?;
			let worker = LiveWorker {
				peer,
				key: row.key,
				endpoint: endpoint.into(),
				since,
			};
			Some((row.worker, worker))
		});
		let spec = &view.spec;
		let call_terms = view.call_terms();
		Self {
			deal: view.deal,
			package: spec.package.hash,
			limits: spec.limits,
			billing: spec.billing,
			access: spec.access.clone(),
			rate: spec.rate,
			terms: call_terms.hash(genesis),
			call_terms,
			packages: view.packages.clone(),
			status: view.status,
			paid_until: view.paid_until,
			has_escrow: view.escrow > 0,
			workers: workers.collect(),
			turn,
		}
	}

	/// What the call of a receipt ran under: that of the deal's package, or of one before it that counts
	/// at the receipt's block. `None`: no package of the deal's.
	///
	/// What is forgotten is of epochs that are long over, and no answer.
	pub fn terms_of(&self, receipt: &Receipt) -> Option<Cow<'_, CallTerms>> {
		if receipt.package == self.package && self.packages.since <= receipt.block {
			return Some(Cow::Borrowed(&self.call_terms));
		}
		let Receipt {
			package,
			epoch,
			block,
			..
		} = *receipt;
		let terms = self.packages.terms(&self.call_terms, package, epoch, block);
		terms.ok().map(Cow::Owned)
	}

	/// Whether a call that may have run can be made again: one that asks other hosts may have done
	/// there what it must not do twice.
	pub fn may_repeat(&self, method: &str) -> bool {
		self.call_terms.hosts.is_empty() || matches!(method, "GET" | "HEAD")
	}

	/// Workers that serve in an epoch, beginning with the one whose turn it is; or why there are none. They
	/// serve from going live on, or from their first paid epoch where gas is billed.
	pub fn candidates(&self, epoch: EpochIndex) -> Result<Vec<LiveWorker>, GatewayError> {
		let deal = self.deal;
		let last = match self.status {
			DealStatus::Active => EpochIndex::MAX,
			// Afterwards no top-up is taken any more: it only waits to be stopped.
			DealStatus::Grace => self.paid_until,
			DealStatus::Ending { last } => last,
		};
		if epoch > last {
			return Err(GatewayError::DealEnded { deal, last });
		}
		let mut live: Vec<LiveWorker> = self
			.workers
			.iter()
			.filter(|(worker, _)| self.billing.is_served_by(worker, epoch))
			.map(|(_, worker)| worker.clone())
			.collect();
		// Without workers nothing is drawn, and only an empty escrow, or grace, in which the deal
		// looks for none, says that no money is left.
		let unpaid = if live.is_empty() {
			!self.has_escrow || self.status == DealStatus::Grace
		} else {
			self.paid_until < epoch
		};
		if unpaid {
			return Err(GatewayError::DealUnfunded {
				deal,
				paid_until: self.paid_until,
			});
		}
		if live.is_empty() {
			return Err(GatewayError::NoWorker(deal));
		}
		let first = self.turn.fetch_add(1, Ordering::Relaxed) % live.len();
		live.rotate_left(first);
		Ok(live)
	}

	/// Workers that do not serve in an epoch, but in the one before or after it. Where one worker
	/// leaves and another takes its place, they may hear of the border sooner or later than the
	/// gateway does, and one of the two serves all the same.
	pub fn neighbours(&self, epoch: EpochIndex) -> Vec<LiveWorker> {
		let around = [epoch.checked_sub(1), epoch.checked_add(1)];
		let serves = |worker: &Worker, epoch| self.billing.is_served_by(worker, epoch);
		let beside = |worker: &Worker| {
			let mut around = around.iter().flatten();
			!serves(worker, epoch) && around.any(|epoch| serves(worker, *epoch))
		};
		self.workers
			.iter()
			.filter(|(worker, _)| beside(worker))
			.map(|(_, worker)| worker.clone())
			.collect()
	}
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use millrace_primitives::{
		epoch::{EpochInfo, EpochLengths, Phase},
		execution::{PROFILE_V1, UNVERIFIED},
		market::{Abi, DealSpec, Package, ProviderFilter},
		views::WorkerView,
	};

	pub(crate) fn status(index: EpochIndex, seed: H256) -> EpochStatus {
		let lengths = EpochLengths {
			len: 20,
			report_window: 6,
			fold_window: 2,
			answer_window: 8,
		};
		EpochStatus {
			info: EpochInfo {
				index,
				start: 1,
				start_ms: 0,
				slot_ms: 1_000,
				lengths,
			},
			position: 0,
			phase: Phase::Report,
			seed,
			draw: None,
		}
	}

	/// A deal as the chain shows it.
	pub(crate) type View = DealView<AccountId>;

	pub(crate) fn deal(id: DealId, workers: Vec<WorkerView>) -> View {
		DealView {
			deal: id,
			owner: AccountId::from([0; 32]),
			heir: None,
			spec: DealSpec {
				class: 1,
				units_per_worker: 1,
				min_workers: 1,
				target_workers: 2,
				max_workers_per_provider: 2,
				price_ceiling: 1,
				package: Package {
					hash: H256::repeat_byte(9),
					size: 8,
					links: Default::default(),
					abi: Abi::WasiPreview1Command,
				},
				limits: CallLimits {
					gas: 1_000,
					memory_bytes: 65_536,
					request_bytes: 1_024,
					response_bytes: 1_024,
				},
				capabilities: 0,
				regions: Default::default(),
				providers: ProviderFilter::Any,
				worker_bond: 0,
				term_epochs: None,
				hosts: Default::default(),
				billing: Default::default(),
				access: Default::default(),
				rate: None,
				rematch: None,
			},
			status: DealStatus::Active,
			created: 0,
			escrow: 10,
			closing_deposit: 2,
			grace: None,
			terms: Default::default(),
			paid: 0,
			burnt: 0,
			paid_until: 9,
			workers,
			profile: PROFILE_V1,
			packages: Default::default(),
		}
	}

	pub(crate) fn worker(number: u8, since: EpochIndex) -> WorkerView {
		WorkerView {
			worker: Worker {
				peer: PeerId(H256::repeat_byte(number)),
				offer: u64::from(number),
				ask: 1,
				units: 1,
				bond: 0,
				status: WorkerStatus::Live { since },
			},
			endpoint: b"http://127.0.0.1:1/"
				.to_vec()
				.try_into()
				.expect("it is short"),
			key: [number; 32],
		}
	}

	#[test]
	fn workers_take_turns_also_over_a_refresh() {
		let routing = Routing::new(H256::zero(), 4);
		let view = deal(7, vec![worker(1, 0), worker(2, 0)]);
		routing.set(7, 1, Some(&view));
		let first = |routing: &Routing| {
			let route = routing.get(7).flatten().expect("it is remembered");
			route.candidates(3).expect("two are live")[0].key[0]
		};
		assert_eq!(first(&routing), 1);
		routing.set(7, 2, Some(&view));
		assert_eq!([first(&routing), first(&routing)], [2, 1]);
	}

	#[test]
	fn a_worker_without_the_url_of_a_server_is_not_called() {
		for endpoint in [
			"ftp://h",
			"http://",
			"http://h/?x=",
			"http://h/#",
			"http://user@h",
			"http://h h",
		] {
			let mut row = worker(1, 0);
			row.endpoint = endpoint.as_bytes().to_vec().try_into().expect("short");
			let outcome =
				Route::new(H256::zero(), &deal(7, vec![row]), Arc::default()).candidates(3);
			assert_eq!(
				outcome.expect_err("nobody can be called").code(),
				"no_worker",
				"{endpoint}"
			);
		}
		let route = Route::new(H256::zero(), &deal(7, vec![worker(1, 0)]), Arc::default());
		let live = route.candidates(3).expect("one is live");
		assert_eq!(live[0].endpoint, "http://127.0.0.1:1");
	}

	#[test]
	fn each_reason_for_no_worker_is_its_own_error() {
		let candidates = |view: &DealView<AccountId>| {
			Route::new(H256::zero(), view, Arc::default())
				.candidates(5)
				.expect_err("nobody serves")
				.code()
		};
		let mut view = deal(7, vec![worker(1, 7)]);
		assert_eq!(candidates(&view), "no_worker");
		view.escrow = 0;
		assert_eq!(candidates(&view), "deal_unfunded");
		let mut view = deal(7, vec![worker(1, 0)]);
		view.paid_until = 4;
		assert_eq!(candidates(&view), "deal_unfunded");
		view.status = DealStatus::Ending { last: 4 };
		assert_eq!(candidates(&view), "deal_ended");
	}

	fn draining(number: u8, since: EpochIndex, last: EpochIndex) -> WorkerView {
		let mut row = worker(number, since);
		row.worker.status = WorkerStatus::Draining { since, last };
		row
	}

	#[test]
	fn a_worker_with_notice_is_called_up_to_its_last_epoch_and_its_successor_from_then_on() {
		// The successor went live in the epoch after the notice, or is heard of in advance.
		let view = deal(7, vec![draining(1, 0, 5), worker(2, 7)]);
		let route = Route::new(H256::zero(), &view, Arc::default());
		let called = |epoch| {
			let live = route.candidates(epoch).expect("one serves");
			live.iter().map(|worker| worker.key[0]).collect::<Vec<_>>()
		};
		assert_eq!((called(4), called(5)), (vec![1], vec![1]));
		assert_eq!((called(6), called(7)), (vec![2], vec![2]));
		let view = deal(7, vec![draining(1, 0, 5), worker(2, 6)]);
		let both = Route::new(H256::zero(), &view, Arc::default()).candidates(5);
		assert_eq!(both.map_or(0, |live| live.len()), 2);
		// The other of the two, where one of them is ahead of the gateway or behind it.
		let beside = |epoch| {
			let workers = route.neighbours(epoch);
			workers
				.iter()
				.map(|worker| worker.key[0])
				.collect::<Vec<_>>()
		};
		assert_eq!((beside(5), beside(6)), (vec![2], vec![1]));
		assert_eq!((beside(4), beside(7), beside(0)), (vec![], vec![], vec![]));
	}

	#[test]
	fn a_deal_in_grace_is_routed_as_before_and_then_is_over() {
		let mut view = deal(7, vec![worker(1, 0)]);
		(view.status, view.escrow, view.paid_until) = (DealStatus::Grace, 0, 5);
		let code = |view: &DealView<AccountId>, epoch| {
			let route = Route::new(H256::zero(), view, Arc::default());
			let live = route.candidates(epoch);
			live.map(|live| live.len()).map_err(|error| error.code())
		};
		assert_eq!(code(&view, 5), Ok(1));
		assert_eq!(code(&view, 6), Err("deal_ended"));
		// It looks for nobody: waiting would be in vain, and what is left of the escrow pays no epoch.
		(view.workers, view.escrow) = (Vec::new(), 1);
		assert_eq!(code(&view, 5), Err("deal_unfunded"));
	}

	#[test]
	fn a_route_names_the_terms_of_its_chain() {
		let view = deal(7, Vec::new());
		let route = |genesis| Route::new(genesis, &view, Arc::default());
		let (one, other) = (route(H256::zero()), route(H256::repeat_byte(1)));
		assert_eq!(one.terms, one.call_terms.hash(H256::zero()));
		assert_eq!(one.call_terms, other.call_terms);
		assert_ne!(one.terms, other.terms);
	}

	#[test]
	fn a_route_keeps_the_profile_of_its_deal() {
		let mut view = deal(7, Vec::new());
		view.profile = PROFILE_V1 | UNVERIFIED;
		let route = Route::new(H256::zero(), &view, Arc::default());
		assert_eq!(route.call_terms.profile, view.profile);
	}

	#[test]
	fn what_may_have_been_done_elsewhere_is_not_done_twice() {
		let mut view = deal(7, Vec::new());
		let may = |view: &DealView<AccountId>, method| {
			Route::new(H256::zero(), view, Arc::default()).may_repeat(method)
		};
		assert!(may(&view, "POST") && may(&view, "GET"));
		let host = b"a.example".to_vec().try_into().expect("it is short");
		view.spec.hosts.try_push(host).expect("it is the first");
		assert!(may(&view, "GET") && may(&view, "HEAD"));
		assert!(!may(&view, "POST") && !may(&view, "get"));
	}

	#[test]
	fn the_table_is_bounded_and_never_goes_back() {
		let routing = Routing::new(H256::zero(), 2);
		for id in 0..5 {
			routing.set(id, 1, Some(&deal(id, Vec::new())));
		}
		assert_eq!(routing.len(), 2);
		routing.set(4, 3, None);
		routing.set(4, 2, Some(&deal(4, Vec::new())));
		assert!(matches!(routing.get(4), Some(None)));
	}

	#[test]
	fn deals_that_do_not_exist_push_out_none_that_do() {
		let routing = Routing::new(H256::zero(), 3);
		for id in 0..2 {
			routing.set(id, 1, Some(&deal(id, Vec::new())));
		}
		for id in 100..120 {
			routing.set(id, 1, None);
		}
		assert_eq!(routing.len(), 3);
		for id in 0..2 {
			assert!(routing.get(id).flatten().is_some(), "{id}");
		}
	}

	#[test]
	fn a_missing_deal_is_looked_for_again_in_the_next_block() {
		let routing = Routing::new(H256::zero(), 2);
		routing.set_clock(1, &status(0, H256::zero()));
		routing.set(4, 1, None);
		assert!(matches!(routing.get(4), Some(None)));
		routing.set_clock(2, &status(0, H256::zero()));
		assert!(routing.get(4).is_none());
	}

	#[test]
	fn a_receipt_must_carry_its_epochs_seed() {
		let routing = Routing::new(H256::zero(), 2);
		let seed = H256::repeat_byte(5);
		routing.set_clock(9, &status(5, seed));
		let clock = routing.clock();
		assert!(clock.admits(5, seed));
		assert!(!clock.admits(5, H256::zero()));
		assert!(clock.admits(6, H256::zero()));
		assert!(!clock.admits(7, H256::zero()));
		assert!(!clock.admits(3, H256::zero()));
	}
}

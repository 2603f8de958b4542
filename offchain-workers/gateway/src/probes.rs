//! Probes of workers that do not answer.
//!
//! A worker that fails twice within a minute is asked over the chain, from an account of the gateway's
//! own. If it is away, the chain takes its pay and finds another one; if it is not, it answers there, and
//! the account has lost its bond. The request is an empty one: what clients ask is not published.
//!
//! Calls that fail at the same moment are one failure: a worker that is started again refuses all of
//! them. Soon after the first one the gateway itself tries to connect once more, and waits for no second
//! call where that is refused.

use crate::metrics::Metrics;
use millrace_client::{
	amounts::{self, AmountError},
	calls, AccountKey, Chain,
};
use millrace_primitives::{peer::PeerId, probe::ProbeBody, Balance, DealId, EpochIndex, FLT};
use serde::{Deserialize, Serialize};
use std::{
	collections::{HashMap, VecDeque},
	path::PathBuf,
	sync::{Arc, Mutex, PoisonError},
	time::{Duration, Instant},
};
use tokio::{
	sync::{mpsc, OwnedSemaphorePermit, Semaphore},
	task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Time within which a second failure of a worker counts.
const MEMORY: Duration = Duration::from_secs(60);
/// Least time between two failures that count.
const APART: Duration = Duration::from_millis(200);
/// Time for which nothing more is noted of a worker that is to be probed: it fails on until it is replaced.
const REST: Duration = Duration::from_secs(5);
/// Workers that are tried once more at once.
const LOOKS: usize = 32;
/// Failures that are remembered: of more workers than a gateway calls in a minute.
const REMEMBERED: usize = 4_096;
/// Workers that wait to be probed.
const QUEUE: usize = 64;
/// Time for which a bond counts towards the budget.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether and how workers are probed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeConfig {
	/// Key file of the account that pays bonds, or the name of a development account such as `//Dave`.
	pub key_file: PathBuf,
	/// Bonds that may be risked in 24 hours, such as `24 FLT`, counted since the start. Fees come besides.
	#[serde(default = "default_budget")]
	pub budget_per_day: String,
	/// Most probes in one epoch.
	#[serde(default = "default_per_epoch")]
	pub max_per_epoch: u32,
}

fn default_budget() -> String {
	"24 FLT".into()
}

fn default_per_epoch() -> u32 {
	4
}

impl ProbeConfig {
	/// The budget as an amount.
	pub fn budget(&self) -> Result<Balance, AmountError> {
		amounts::parse(&self.budget_per_day)
	}
}

/// A worker of a deal.
type Suspect = (DealId, PeerId);

/// What was last noted of a worker.
#[derive(Clone, Copy, Debug)]
struct Noted {
	at: Instant,
	/// Whether it is to be probed since then.
	is_suspected: bool,
}

/// What calls tell of workers that did not answer them.
#[derive(Debug)]
pub struct Suspicions {
	last: Mutex<HashMap<Suspect, Noted>>,
	queue: mpsc::Sender<Suspect>,
	looks: Arc<Semaphore>,
}

impl Suspicions {
	/// Suspicions, and where those are heard of that are to be probed.
	pub fn new() -> (Self, mpsc::Receiver<Suspect>) {
		let (queue, heard) = mpsc::channel(QUEUE);
		let suspicions = Self {
			last: Mutex::default(),
			queue,
			looks: Arc::new(Semaphore::new(LOOKS)),
		};
		(suspicions, heard)
	}

	/// A worker did not answer. Whether that is the first of two failures.
	pub fn note(&self, deal: DealId, peer: PeerId) -> bool {
		self.note_at(deal, peer, Instant::now())
	}

	fn note_at(&self, deal: DealId, peer: PeerId, now: Instant) -> bool {
		// Each change is of a whole entry.
		let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
		let since = |noted: &Noted| now.saturating_duration_since(noted.at);
		let suspect = (deal, peer);
		if let Some(noted) = last.remove(&suspect) {
			let (quiet, then) = match noted.is_suspected {
				true => (REST, None),
				false => (APART, Some(MEMORY)),
			};
			if since(&noted) < quiet {
				last.insert(suspect, noted);
				return false;
			}
			if then.is_some_and(|memory| since(&noted) < memory) {
				// Whoever finds no room will fail again, or it is no matter.
				if self.queue.try_send(suspect).is_ok() {
					let (at, is_suspected) = (now, true);
					last.insert(suspect, Noted { at, is_suspected });
				}
				return false;
			}
		}
		if last.len() >= REMEMBERED {
			last.retain(|_, noted| since(noted) < MEMORY);
		}
		let has_room = last.len() < REMEMBERED;
		if has_room {
			let (at, is_suspected) = (now, false);
			last.insert(suspect, Noted { at, is_suspected });
		}
		has_room
	}

	/// A place to try a worker once more, if not too many are tried already.
	pub fn look(&self) -> Option<OwnedSemaphorePermit> {
		self.looks.clone().try_acquire_owned().ok()
	}
}

/// What was risked, and where.
#[derive(Debug)]
struct Budget {
	per_day: Balance,
	per_epoch: u32,
	/// Bonds of the last day, the oldest first.
	risked: VecDeque<(Instant, Balance)>,
	epoch: EpochIndex,
	/// Who was probed in that epoch.
	probed: Vec<Suspect>,
}

impl Budget {
	fn new(per_day: Balance, per_epoch: u32) -> Self {
		Self {
			per_day,
			per_epoch,
			risked: VecDeque::new(),
			epoch: 0,
			probed: Vec::new(),
		}
	}

	/// Takes a bond off it; what stands against that, in a word for the figures.
	fn take(
		&mut self,
		suspect: Suspect,
		bond: Balance,
		epoch: EpochIndex,
		now: Instant,
	) -> Result<(), &'static str> {
		if self.epoch != epoch {
			self.epoch = epoch;
			self.probed.clear();
		}
		// The chain takes one of an account and worker in an epoch.
		if self.probed.contains(&suspect) {
			return Err("probed_before");
		}
		let is_old = |(then, _): &(Instant, Balance)| now.saturating_duration_since(*then) >= DAY;
		while self.risked.front().is_some_and(is_old) {
			self.risked.pop_front();
		}
		let sum = self.risked.iter().fold(bond, |sum: Balance, (_, risked)| {
			sum.saturating_add(*risked)
		});
		if sum > self.per_day || self.probed.len() >= self.per_epoch as usize {
			return Err("over_budget");
		}
		self.risked.push_back((now, bond));
		self.probed.push(suspect);
		Ok(())
	}
}

/// Probes workers that are suspected.
#[derive(Debug)]
pub struct Prober {
	chain: Chain,
	key: AccountKey,
	metrics: Arc<Metrics>,
	budget: Budget,
}

impl Prober {
	/// A prober with an account and a budget.
	pub fn new(
		chain: Chain,
		key: AccountKey,
		metrics: Arc<Metrics>,
		per_day: Balance,
		per_epoch: u32,
	) -> Self {
		let budget = Budget::new(per_day, per_epoch);
		Self {
			chain,
			key,
			metrics,
			budget,
		}
	}

	/// Probes whoever is heard of until it is cancelled. None waits until the probe of another is final:
	/// where a machine dies, all of its deals need a worker.
	pub async fn run(mut self, mut heard: mpsc::Receiver<Suspect>, cancel: CancellationToken) {
		tracing::info!(account = %self.key.address(), "workers that do not answer are probed");
		// As many as the budget allows. Dropping it ends them.
		let mut sent = JoinSet::new();
		loop {
			while sent.try_join_next().is_some() {}
			let (deal, peer) = tokio::select! {
				() = cancel.cancelled() => return,
				suspect = heard.recv() => match suspect {
					Some(suspect) => suspect,
					None => return,
				},
			};
			let against = tokio::select! {
				() = cancel.cancelled() => return,
				against = self.against(deal, peer) => against,
			};
			match against {
				Ok(None) => {
					let (chain, key) = (self.chain.clone(), self.key.clone());
					let metrics = self.metrics.clone();
					sent.spawn(async move {
						let label = probe(&chain, &key, deal, peer).await;
						metrics.probes.with_label_values(&[label]).inc();
					});
				}
				Ok(Some(label)) => self.metrics.probes.with_label_values(&[label]).inc(),
				Err(error) => {
					tracing::warn!(deal, %peer, %error, "a worker was not probed");
					self.metrics.probes.with_label_values(&["failed"]).inc();
				}
			}
		}
	}

	/// What stands against probing a worker, in a word for the figures. If nothing does, its bond is taken
	/// off the budget.
	async fn against(
		&mut self,
		deal: DealId,
		peer: PeerId,
	) -> anyhow::Result<Option<&'static str>> {
		let view = self.chain.latest().await?;
		let epoch = view.epoch().await?.info.index;
		let Some(found) = view.deal(deal).await? else {
			return Ok(Some("gone"));
		};
		let serves = found
			.workers
			.iter()
			.any(|row| row.worker.peer == peer && row.worker.is_due(epoch));
		if found.paid_until < epoch || !serves {
			return Ok(Some("gone"));
		}
		if !found.spec.access.is_open() && found.owner != self.key.account() {
			return Ok(Some("private"));
		}
		let bond = view.probe_bond().await?;
		let taken = self.budget.take((deal, peer), bond, epoch, Instant::now());
		Ok(taken.err())
	}
}

/// Probes a worker, and returns when that is final: what came of it, for the figures.
async fn probe(chain: &Chain, key: &AccountKey, deal: DealId, peer: PeerId) -> &'static str {
	let call = calls::market::probe(deal, peer, &ProbeBody::default());
	match chain.submit(key, call).await {
		Ok(_) => {
			tracing::info!(deal, %peer, "a worker that does not answer was probed");
			"made"
		}
		Err(error) => {
			tracing::warn!(deal, %peer, %error, "a worker was not probed");
			"failed"
		}
	}
}

/// The least budget: the bond of one probe, as it is when nobody changed it.
pub(crate) const MIN_BUDGET: Balance = FLT;

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::H256;

	fn peer(number: u8) -> PeerId {
		PeerId(H256::repeat_byte(number))
	}

	#[test]
	fn the_second_failure_within_a_minute_counts() {
		let (suspicions, mut heard) = Suspicions::new();
		let start = Instant::now();
		let fail = |deal, number, seconds| {
			suspicions.note_at(deal, peer(number), start + Duration::from_secs(seconds));
		};
		fail(1, 1, 0);
		fail(1, 2, 1);
		fail(2, 1, 2);
		assert!(heard.try_recv().is_err());
		fail(1, 1, 59);
		assert_eq!(heard.try_recv(), Ok((1, peer(1))));
		// Nothing more is noted of it for a while.
		fail(1, 1, 60);
		fail(1, 2, 61);
		assert!(heard.try_recv().is_err());
		fail(1, 2, 62);
		assert_eq!(heard.try_recv(), Ok((1, peer(2))));
	}

	#[test]
	fn calls_that_fail_at_the_same_moment_are_one_failure() {
		let (suspicions, mut heard) = Suspicions::new();
		let start = Instant::now();
		let fail = |after| suspicions.note_at(1, peer(1), start + after);
		assert!(fail(Duration::ZERO), "the first one");
		assert!(!fail(APART / 2));
		assert!(heard.try_recv().is_err());
		// Counted from the first of them.
		assert!(!fail(APART));
		assert_eq!(heard.try_recv(), Ok((1, peer(1))));
		// It fails on while it is probed.
		for time in [1, 2, 3, 4].map(Duration::from_secs) {
			assert!(!fail(time));
		}
		assert!(heard.try_recv().is_err());
		assert!(fail(APART + REST), "it begins anew");
		assert!(!fail(APART + REST + APART));
		assert_eq!(heard.try_recv(), Ok((1, peer(1))));
	}

	#[test]
	fn who_finds_no_place_in_the_queue_may_fail_again() {
		let (suspicions, mut heard) = Suspicions::new();
		let start = Instant::now();
		for deal in 0..=QUEUE as u64 {
			suspicions.note_at(deal, peer(1), start);
			suspicions.note_at(deal, peer(1), start + APART);
		}
		while heard.try_recv().is_ok() {}
		let last = |after| suspicions.note_at(QUEUE as u64, peer(1), start + after);
		assert!(last(2 * APART) && !last(3 * APART));
		assert_eq!(heard.try_recv(), Ok((QUEUE as u64, peer(1))));
	}

	#[test]
	fn so_many_workers_are_tried_once_more_at_once() {
		let (suspicions, _heard) = Suspicions::new();
		let mut looks: Vec<_> = (0..LOOKS).map_while(|_| suspicions.look()).collect();
		assert_eq!(looks.len(), LOOKS);
		assert!(suspicions.look().is_none());
		looks.pop();
		assert!(suspicions.look().is_some());
	}

	#[test]
	fn failures_of_many_workers_take_no_room_for_ever() {
		let (suspicions, _heard) = Suspicions::new();
		let start = Instant::now();
		for deal in 0..2 * REMEMBERED as u64 {
			suspicions.note_at(deal, peer(1), start);
		}
		let known = || suspicions.last.lock().expect("nobody panics").len();
		assert_eq!(known(), REMEMBERED);
		suspicions.note_at(1 << 40, peer(1), start + MEMORY);
		assert_eq!(known(), 1);
	}

	#[test]
	fn a_budget_is_of_a_day_and_of_an_epoch() {
		let mut budget = Budget::new(10, 2);
		let start = Instant::now();
		let hour = Duration::from_secs(3_600);
		let mut take =
			|deal, epoch, hours| budget.take((deal, peer(1)), 4, epoch, start + hour * hours);
		assert_eq!(take(1, 5, 0), Ok(()));
		assert_eq!(take(1, 5, 0), Err("probed_before"));
		assert_eq!(take(2, 5, 1), Ok(()));
		assert_eq!(take(3, 5, 1), Err("over_budget"), "two in an epoch");
		assert_eq!(take(3, 6, 2), Err("over_budget"), "twelve in a day");
		// What was refused took nothing.
		assert_eq!(take(3, 6, 24), Ok(()));
		assert_eq!(take(4, 6, 24), Err("over_budget"));
		assert_eq!(take(4, 7, 25), Ok(()));
	}

	#[test]
	fn a_budget_is_said_with_its_unit() {
		let config = |text: &str| {
			let config: ProbeConfig = serde_json::from_str(text).expect("it is well-formed");
			config
		};
		let plain = config(r#"{"key_file": "k"}"#);
		assert_eq!(plain.budget(), Ok(24 * FLT));
		assert_eq!(plain.max_per_epoch, 4);
		let bare = config(r#"{"key_file": "k", "budget_per_day": "24"}"#);
		assert!(matches!(bare.budget(), Err(AmountError::NoUnit(_))));
		let misspelt = r#"{"key_file": "k", "budget": "24 FLT"}"#;
		assert!(serde_json::from_str::<ProbeConfig>(misspelt).is_err());
	}
}

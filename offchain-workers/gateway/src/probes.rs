//! Probes of workers that do not answer.
//!
//! A worker that fails a call twice within a minute is asked over the chain, from an account of the
//! gateway's own. If it is away, the chain takes its pay and finds another one; if it is not, it answers
//! there, and the account has lost its bond. The request is an empty one: what clients ask is not
//! published.

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
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Time within which a second failure of a worker counts.
const MEMORY: Duration = Duration::from_secs(60);
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

/// What calls tell of workers that did not answer them.
#[derive(Debug)]
pub struct Suspicions {
	last: Mutex<HashMap<Suspect, Instant>>,
	queue: mpsc::Sender<Suspect>,
}

impl Suspicions {
	/// Suspicions, and where those are heard of that are to be probed.
	pub fn new() -> (Self, mpsc::Receiver<Suspect>) {
		let (queue, heard) = mpsc::channel(QUEUE);
		let last = Mutex::default();
		(Self { last, queue }, heard)
	}

	/// A worker did not answer a call.
	pub fn note(&self, deal: DealId, peer: PeerId) {
		self.note_at(deal, peer, Instant::now());
	}

	fn note_at(&self, deal: DealId, peer: PeerId, now: Instant) {
		// Each change is of a whole entry.
		let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
		let lately = |then: &Instant| now.saturating_duration_since(*then) < MEMORY;
		if last.remove(&(deal, peer)).is_some_and(|then| lately(&then)) {
			// Whoever finds no room will fail again, or it is no matter.
			let _ = self.queue.try_send((deal, peer));
			return;
		}
		if last.len() >= REMEMBERED {
			last.retain(|_, then| lately(then));
		}
		if last.len() < REMEMBERED {
			last.insert((deal, peer), now);
		}
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

	/// Probes whoever is heard of, one after the other, until it is cancelled.
	pub async fn run(mut self, mut heard: mpsc::Receiver<Suspect>, cancel: CancellationToken) {
		tracing::info!(account = %self.key.address(), "workers that do not answer are probed");
		loop {
			let (deal, peer) = tokio::select! {
				() = cancel.cancelled() => return,
				suspect = heard.recv() => match suspect {
					Some(suspect) => suspect,
					None => return,
				},
			};
			let outcome = tokio::select! {
				() = cancel.cancelled() => return,
				outcome = self.probe(deal, peer) => outcome,
			};
			let label = outcome.unwrap_or_else(|error| {
				tracing::warn!(deal, %peer, %error, "a worker was not probed");
				"failed"
			});
			self.metrics.probes.with_label_values(&[label]).inc();
		}
	}

	/// Probes a worker; what came of it, for the figures.
	async fn probe(&mut self, deal: DealId, peer: PeerId) -> anyhow::Result<&'static str> {
		let view = self.chain.latest().await?;
		let epoch = view.epoch().await?.info.index;
		let Some(found) = view.deal(deal).await? else {
			return Ok("gone");
		};
		let serves = found
			.workers
			.iter()
			.any(|row| row.worker.peer == peer && row.worker.is_due(epoch));
		if found.paid_until < epoch || !serves {
			return Ok("gone");
		}
		if !found.spec.access.is_open() && found.owner != self.key.account() {
			return Ok("private");
		}
		let bond = view.probe_bond().await?;
		if let Err(against) = self.budget.take((deal, peer), bond, epoch, Instant::now()) {
			return Ok(against);
		}
		let call = calls::market::probe(deal, peer, &ProbeBody::default());
		self.chain.submit(&self.key, call).await?;
		tracing::info!(deal, %peer, "a worker that does not answer was probed");
		Ok("made")
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
		// It begins anew.
		fail(1, 1, 60);
		fail(1, 2, 61);
		assert!(heard.try_recv().is_err());
		fail(1, 2, 62);
		assert_eq!(heard.try_recv(), Ok((1, peer(2))));
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

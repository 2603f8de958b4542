//! What the chain says the peer should be doing, compared with what it does, at every finalised
//! block. No step depends on having seen the block before, so that a restart, a gap or a block
//! that could not be read needs no case of its own. What need not wait for finality is done by
//! [`crate::ahead`].

use crate::{
	access::Doorkeeper,
	audit::{self, AuditError},
	birth::Birth,
	calls::{Calls, Dates, Identity},
	config::Limits,
	duties::{Kind, Outbox},
	errors::StoreError,
	evidence::{self, EvidenceError},
	ledger::Ledger,
	metrics::Metrics,
	pace::{self, Pace},
	packages::Packages,
	probes::Answers,
	receipts::ReceiptStore,
	report::{Capacity, StoredReport, Tally},
	snapshot::Snapshot,
	staged,
};
use futures::{FutureExt, StreamExt};
use millrace_client::{calls, Chain, Finalized, ReadError, View};
use millrace_primitives::{
	audit::AuditStatus,
	billing::redeem_hash,
	challenge::{posted_hash, shown_hash, CaseId, OwedEvidence, Wanted},
	epoch::Phase,
	execution::SignedReceipt,
	views::{Assignment, Owed, PeerDuties},
	DealId, EpochIndex, H256,
};
use millrace_prover::{Prover, Task};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{sync::watch, task::spawn_blocking};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info, warn};

/// Wait for calls of the epoch before that are about to end, before the next block is awaited.
const DRAIN: Duration = Duration::from_millis(500);
/// The part of the report window in which a report waits for open calls: one third. The daemon sees
/// finalised blocks, which lag, and the report must still be included.
const WAIT_DIVISOR: u32 = 3;

/// Trouble that the daemon cannot go on with.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
	/// The store failed.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The stream of blocks ended, which it never does.
	#[error("the node's blocks ended")]
	NoMoreBlocks,
}

/// Trouble at one block; the next one may be better.
#[derive(Debug, thiserror::Error)]
enum StepError {
	#[error(transparent)]
	Read(#[from] ReadError),
	#[error(transparent)]
	Audit(AuditError),
	#[error(transparent)]
	Evidence(EvidenceError),
	#[error("a thread failed: {0}")]
	Thread(#[from] tokio::task::JoinError),
	#[error(transparent)]
	Fatal(#[from] StoreError),
}

/// The loop and what it moves.
#[derive(Debug)]
pub struct Reconciler {
	/// The chain.
	pub chain: Chain,
	/// Who signs.
	pub identity: Identity,
	/// Receipts and reports.
	pub store: Arc<ReceiptStore>,
	/// Numbers of calls.
	pub ledger: Arc<Ledger>,
	/// Solutions.
	pub prover: Arc<Prover>,
	/// What can be run.
	pub packages: Arc<Packages>,
	/// Calls, for those that were interrupted.
	pub calls: Arc<Calls>,
	/// Who is let in.
	pub doorkeeper: Arc<Doorkeeper>,
	/// Duties on their way.
	pub outbox: Outbox,
	/// Where calls learn of blocks.
	pub snapshots: watch::Sender<Option<Arc<Snapshot>>>,
	/// Bounds.
	pub limits: Limits,
	/// What is counted.
	pub metrics: Metrics,
	/// Where longer work runs.
	pub tasks: TaskTracker,
	/// What was done, so that it is not done at every block.
	pub memory: Memory,
}

/// What the loop remembers between blocks, to spare work. Forgetting it is harmless.
#[derive(Debug, Default)]
pub struct Memory {
	/// Known once the directory was compared with the chain.
	birth: Option<Birth>,
	epoch: Option<EpochIndex>,
	/// The epoch that is not reported, which was said.
	unreported: Option<EpochIndex>,
	/// The epoch in which it was said that the prover is too slow.
	slow: Option<EpochIndex>,
	ready: (EpochIndex, Vec<DealId>),
	recovering: Arc<tokio::sync::Mutex<()>>,
	/// Answers to probes.
	probed: Answers,
	warned_of_key: bool,
}

impl Reconciler {
	/// Runs until cancelled or until the store fails.
	pub async fn run(mut self, cancel: CancellationToken) -> Result<(), ReconcileError> {
		let mut blocks = self.chain.finalized();
		loop {
			let block = tokio::select! {
				() = cancel.cancelled() => return Ok(()),
				block = blocks.next() => block.ok_or(ReconcileError::NoMoreBlocks)?,
			};
			// Only the newest counts.
			let mut newest = block;
			while let Some(Some(newer)) = blocks.next().now_or_never() {
				newest = newer;
			}
			let outcome = tokio::select! {
				() = cancel.cancelled() => return Ok(()),
				outcome = self.step(newest) => outcome,
			};
			match outcome {
				Ok(()) => {}
				Err(StepError::Fatal(error)) => return Err(error.into()),
				Err(error) => warn!(block = newest.number, "not everything was done: {error}"),
			}
		}
	}

	async fn step(&mut self, block: Finalized) -> Result<(), StepError> {
		let view = self.chain.view(block);
		let duties = view.duties(self.identity.peer).await?;
		let birth = self.recognise(&view, &duties).await?;
		let key = self.identity.key.public();
		let snapshot = Snapshot::new(block.number, &duties, &key);
		let snapshot = Arc::new(snapshot.with_closed(birth.closes(&duties)));
		let epoch = duties.epoch.info.index;
		self.metrics.block.set(i64::from(block.number));
		self.metrics.epoch.set(i64::from(epoch));
		self.check_key(&snapshot, &duties);

		// The ledger first: a call must never be numbered in an epoch that is over.
		self.begin_epoch(epoch, snapshot.closed).await?;
		let keeper = &self.doorkeeper;
		let noted = keeper.note(epoch, &duties.assignments, &self.store);
		noted.await??;
		self.snapshots.send_replace(Some(snapshot.clone()));
		self.prover
			.set_task(duties.work.map(|owed| self.task(&owed)));
		self.check_pace(&duties);
		let wanted = staged::wanted(&snapshot, |hash| self.packages.ready(hash).is_ok());
		self.packages.want(&wanted.iter().collect::<Vec<_>>());
		let deals: BTreeSet<DealId> = snapshot.standing().map(|deal| deal.deal).collect();
		self.calls.keep(&deals);
		self.note_ready(&snapshot).await?;

		// A duty that cannot be done must not keep the others from being done.
		let recovered = self.recover(&view, &duties, &snapshot, birth).await;
		let reported = self.report(&duties, birth).await;
		let answered = self.answer_audit(&duties).await;
		let defended = self.answer_challengers(&view).await;
		self.redeem(&duties);
		self.answer_probes(&duties);
		self.prune(&duties);
		for outcome in [recovered, reported, answered, defended] {
			match outcome {
				Ok(()) => {}
				Err(error @ StepError::Fatal(_)) => return Err(error),
				Err(error) => warn!(block = block.number, "not everything was done: {error}"),
			}
		}
		Ok(())
	}

	/// When the data directory was made, or what counts as that. It is on disk before anything is
	/// signed; see [`crate::birth`].
	async fn recognise(&mut self, view: &View, duties: &PeerDuties) -> Result<Birth, StepError> {
		let info = &duties.epoch.info;
		let noted = match self.memory.birth {
			Some(birth) => Some(birth),
			None => {
				let store = self.store.clone();
				spawn_blocking(move || store.birth()).await??
			}
		};
		let birth = match noted {
			Some(birth) if self.memory.birth.is_some() => birth.seen_from(info),
			Some(birth) => match self.unknown_report(view, info.index, birth).await? {
				None => birth.seen_from(info),
				Some(epoch) => {
					error!(
						epoch,
						"the chain keeps a report that this data directory does not know: it was \
						 restored from a backup, or another worker runs with this peer's key"
					);
					Birth::now(info)
				}
			},
			None => {
				info!(epoch = info.index, "the data directory is new");
				Birth::now(info)
			}
		};
		if noted != Some(birth) {
			let store = self.store.clone();
			spawn_blocking(move || store.set_birth(birth)).await??;
		}
		self.memory.birth = Some(birth);
		Ok(birth)
	}

	/// A recent epoch of which the chain keeps another report than the directory, although the
	/// directory was there.
	async fn unknown_report(
		&self,
		view: &View,
		present: EpochIndex,
		birth: Birth,
	) -> Result<Option<EpochIndex>, StepError> {
		let Identity { genesis, peer, .. } = self.identity;
		let recent = [present.checked_sub(2), present.checked_sub(1)];
		for epoch in recent
			.into_iter()
			.flatten()
			.filter(|epoch| birth.knows(*epoch))
		{
			let Some(record) = view.report(peer, epoch).await? else {
				continue;
			};
			let store = self.store.clone();
			let own = spawn_blocking(move || store.report(epoch)).await??;
			if own.map(|own| own.report.hash(genesis, peer)) != Some(record.hash) {
				return Ok(Some(epoch));
			}
		}
		Ok(None)
	}

	fn check_key(&mut self, snapshot: &Snapshot, duties: &PeerDuties) {
		if !snapshot.key_active && !self.memory.warned_of_key {
			match duties.key {
				None => warn!(peer = %self.identity.peer, "the peer is not registered"),
				Some(_) => {
					warn!(peer = %self.identity.peer, "the chain has another key of the peer")
				}
			}
		}
		self.memory.warned_of_key = !snapshot.key_active;
	}

	async fn begin_epoch(&self, epoch: EpochIndex, closed: bool) -> Result<(), StepError> {
		if self.ledger.epoch().is_none_or(|present| present < epoch) {
			let store = self.store.clone();
			let next = spawn_blocking(move || store.next_seq(epoch)).await??;
			self.ledger.open_epoch(epoch, next);
			info!(epoch, next, "calls are numbered in a new epoch");
			if closed {
				warn!(
					epoch,
					"this data directory is newer than the epoch, in which the peer may have served \
					 from another one: no call of it is served, and no report of it will be made"
				);
			}
		}
		Ok(())
	}

	fn task(&self, owed: &Owed) -> Task {
		Task {
			epoch: owed.epoch,
			key: owed.seed,
			genesis: self.identity.genesis,
			peer: self.identity.peer,
			target: owed.target,
			rates: owed.rates,
			idle: owed.idle,
			busy: owed.busy,
		}
	}

	/// Says once an epoch that the search is too slow for what is owed.
	fn check_pace(&mut self, duties: &PeerDuties) {
		let info = &duties.epoch.info;
		let progress = self.prover.progress();
		let metrics = &self.metrics.prover;
		if progress.epoch == Some(info.index) {
			metrics.rate_needed.set(pace::needed(&progress, info));
		}
		// Where nothing is measured, the last word stands.
		match Pace::of(&progress, info) {
			Some(pace) => {
				metrics.too_slow.set(pace.is_too_slow().into());
				if pace.is_too_slow() && self.memory.slow != Some(info.index) {
					warn!(epoch = info.index, "{}", pace.advice(&progress));
					self.memory.slow = Some(info.index);
				}
			}
			None if duties.work.is_none() || progress.complete_after.is_some() => {
				metrics.too_slow.set(0);
			}
			None => {}
		}
	}

	/// Writes down which paid deals the peer stands ready for: they enter the epoch's report even
	/// without a call.
	async fn note_ready(&mut self, snapshot: &Snapshot) -> Result<(), StepError> {
		let epoch = snapshot.epoch.info.index;
		let stands_ready =
			|assignment: &&Assignment| staged::stands_ready(&self.packages, snapshot, assignment);
		let serving = snapshot.serving().filter(stands_ready).count();
		self.metrics.deals.set(serving as i64);
		let ready: Vec<DealId> = snapshot
			.due()
			.filter(stands_ready)
			.map(|assignment| assignment.deal)
			.collect();
		let noted = (epoch, ready);
		let is_idle = !snapshot.key_active || snapshot.closed || noted.1.is_empty();
		if is_idle || noted == self.memory.ready {
			return Ok(());
		}
		let (store, deals) = (self.store.clone(), noted.1.clone());
		spawn_blocking(move || store.set_ready(epoch, &deals)).await??;
		self.memory.ready = noted;
		Ok(())
	}

	/// Completes interrupted calls, beside everything else and one round at a time.
	async fn recover(
		&self,
		view: &View,
		duties: &PeerDuties,
		snapshot: &Snapshot,
		birth: Birth,
	) -> Result<(), StepError> {
		// Without a key that the chain takes there is nothing to sign with.
		if !snapshot.key_active || !self.ledger.has_abandoned() {
			return Ok(());
		}
		let Ok(turn) = self.memory.recovering.clone().try_lock_owned() else {
			return Ok(());
		};
		let registered = view.peer(self.identity.peer).await?;
		// In the very block of a rotation the key that comes is shown already.
		let own = registered.filter(|peer| peer.key == self.identity.key.public());
		let Some(peer) = own else {
			return Ok(());
		};
		let dates = Dates::new(snapshot.block, duties, peer.key_since, birth);
		let calls = self.calls.clone();
		self.tasks.spawn(async move {
			let _turn = turn;
			calls.recover(&dates).await;
		});
		Ok(())
	}

	/// Sends the report of the epoch before, which is made once.
	async fn report(&mut self, duties: &PeerDuties, birth: Birth) -> Result<(), StepError> {
		let Some(epoch) = duties.epoch.info.index.checked_sub(1) else {
			return Ok(());
		};
		if !duties.report_due {
			return Ok(());
		}
		let store = self.store.clone();
		let stored = match spawn_blocking(move || store.report(epoch)).await?? {
			Some(stored) => stored,
			None if !birth.may_report(epoch, &duties.assignments) => {
				if self.memory.unreported != Some(epoch) {
					warn!(
						epoch,
						"no report is made: this data directory does not know all that the peer did"
					);
				}
				self.memory.unreported = Some(epoch);
				self.ledger.close_through(epoch);
				return Ok(());
			}
			None => match self.make_report(duties, epoch).await? {
				Some(stored) => stored,
				None => return Ok(()),
			},
		};
		// Whatever is still open in the epoch can enter no report any more.
		self.ledger.close_through(epoch);
		let Identity { genesis, peer, key } = &self.identity;
		let signature = key.sign_hash(stored.report.hash(*genesis, *peer));
		let call = calls::capacity::report(*peer, &stored.report, signature);
		self.outbox.send(Kind::Report, u64::from(epoch), call);
		Ok(())
	}

	/// Makes the report; `None` when calls of the epoch still run and there is time to wait.
	async fn make_report(
		&self,
		duties: &PeerDuties,
		epoch: EpochIndex,
	) -> Result<Option<StoredReport>, StepError> {
		let window = duties.epoch.info.lengths.report_window;
		let must_cut = duties.epoch.position >= window / WAIT_DIVISOR;
		if !self.ledger.drained(epoch, DRAIN).await && !must_cut {
			info!(
				epoch,
				open = self.ledger.open_calls(epoch),
				"the report waits for calls"
			);
			return Ok(None);
		}
		let (store, prover) = (self.store.clone(), self.prover.clone());
		let owed = duties.previous_work.filter(|owed| owed.epoch == epoch);
		let made = spawn_blocking(move || {
			let capacity = match owed.map(|owed| Capacity::of(&prover, &owed)) {
				Some(Ok(capacity)) => capacity,
				Some(Err(error)) if !must_cut => {
					error!(epoch, "the solutions cannot be read yet: {error}");
					return Ok(None);
				}
				// Calls and deals are reported even if the solutions are lost.
				Some(Err(error)) => {
					error!(epoch, "the solutions are lost: {error}");
					Capacity::none()
				}
				None => Capacity::none(),
			};
			let make = |tally: Tally| {
				if tally.lost > 0 {
					error!(
						epoch,
						lost = tally.lost,
						"receipts above a gap are not reported"
					);
				}
				tally.into_report(epoch, &capacity)
			};
			store.report_once(epoch, make).map(Some)
		});
		let made = made.await??;
		if let Some(StoredReport { report, .. }) = &made {
			info!(
				epoch,
				idle = report.proven_idle,
				busy = report.proven_busy,
				receipts = report.receipts,
				deals = report.served.len(),
				"the report is made"
			);
		}
		Ok(made)
	}

	async fn answer_audit(&self, duties: &PeerDuties) -> Result<(), StepError> {
		let Some(audit) = duties
			.audit
			.filter(|audit| audit.status == AuditStatus::Open)
		else {
			return Ok(());
		};
		let is_now = duties.epoch.phase == Phase::Answer
			&& duties.epoch.info.index.checked_sub(1) == Some(audit.epoch);
		let Some(draw) = duties.epoch.draw.filter(|_| is_now) else {
			return Ok(());
		};
		let (store, prover) = (self.store.clone(), self.prover.clone());
		let (peer, epoch) = (self.identity.peer, audit.epoch);
		let answer =
			spawn_blocking(move || audit::answer(&store, &prover, peer, epoch, draw)).await?;
		let answer = answer.map_err(StepError::Audit)?;
		let signature = self
			.identity
			.key
			.sign_hash(answer.hash(self.identity.genesis, peer));
		let call = calls::capacity::answer_audit(peer, &answer, signature);
		self.outbox.send(Kind::Audit, u64::from(epoch), call);
		Ok(())
	}

	/// Shows what refutes charges of omission, and posts what is demanded.
	async fn answer_challengers(&self, view: &View) -> Result<(), StepError> {
		let OwedEvidence { show, post } = view.owed_evidence(self.identity.peer).await?;
		let shown = self.show(show).await;
		// What cannot be shown must not keep what is demanded from being posted.
		self.post(post).await?;
		shown
	}

	async fn show(&self, show: Vec<CaseId>) -> Result<(), StepError> {
		if show.is_empty() {
			return Ok(());
		}
		let Identity { genesis, peer, key } = &self.identity;
		let (store, cases) = (self.store.clone(), show.clone());
		let shown = spawn_blocking(move || evidence::shown(&store, &cases)).await?;
		let shown = shown.map_err(StepError::Evidence)?;
		for case in &show {
			if !shown.iter().any(|(known, _)| known == case) {
				error!(
					epoch = case.epoch,
					receipt = ?case.subject,
					"a receipt is said to be omitted, and is in no report of this data \
					 directory: another worker signs with this peer's key, or a backup ran"
				);
			}
		}
		for (case, shown) in shown {
			let signature = key.sign_hash(shown_hash(*genesis, &case, &shown));
			let call = calls::receipts::show(*peer, &case, &shown, signature);
			// Stands for the receipt among the few that are shown at a time.
			let [a, b, c, d, e, f, g, h, ..] = case.subject.0;
			let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
			self.outbox.send(Kind::Show, number, call);
		}
		Ok(())
	}

	async fn post(
		&self,
		post: Option<(EpochIndex, u32, Wanted, H256, u32)>,
	) -> Result<(), StepError> {
		let Identity { genesis, peer, key } = &self.identity;
		let Some((epoch, seq, wanted, hash, paid)) = post else {
			return Ok(());
		};
		let data = match wanted {
			Wanted::Package => evidence::package(&self.packages, hash, paid).await,
			Wanted::Request | Wanted::Transcript => {
				let store = self.store.clone();
				let gather = move || evidence::record(&store, (epoch, seq), wanted, hash, paid);
				spawn_blocking(gather).await?
			}
		};
		let data = data.map_err(StepError::Evidence)?;
		let posted = posted_hash(*genesis, *peer, epoch, seq, wanted, hash);
		let signature = key.sign_hash(posted);
		let call = calls::receipts::post(*peer, epoch, seq, wanted, &data, signature);
		let number = (u64::from(epoch) << 32) | u64::from(seq);
		self.outbox.send(Kind::Post, number, call);
		Ok(())
	}

	/// Answers what is asked of the peer over the chain.
	fn answer_probes(&self, duties: &PeerDuties) {
		let (outbox, peer) = (self.outbox.clone(), self.identity.peer);
		let send = move |deal, receipt: SignedReceipt| {
			let call = calls::market::answer_probe(peer, deal, &receipt);
			outbox.send(Kind::Probe, deal, call);
		};
		let assignments = &duties.assignments;
		self.memory
			.probed
			.give(&self.calls, &self.tasks, assignments, Arc::new(send));
	}

	/// Redeems the vouchers of deals that are billed by gas.
	fn redeem(&self, duties: &PeerDuties) {
		let Identity { genesis, peer, key } = &self.identity;
		for (deal, since, voucher) in self.calls.vouchers().due(duties) {
			let message = redeem_hash(*genesis, *peer, deal, since, voucher.cumulative);
			let call = calls::market::redeem(*peer, deal, voucher, key.sign_hash(message));
			self.outbox.send(Kind::Redeem, deal, call);
		}
	}

	/// Once an epoch, drops what nobody can ask for any more.
	fn prune(&mut self, duties: &PeerDuties) {
		let info = duties.epoch.info;
		if self.memory.epoch == Some(info.index) {
			return;
		}
		self.memory.epoch = Some(info.index);
		let oldest = info.index.saturating_sub(self.limits.retention_epochs);
		let epoch_ms = info.slot_ms.saturating_mul(u64::from(info.lengths.len));
		let age = epoch_ms.saturating_mul(u64::from(self.limits.retention_epochs));
		self.doorkeeper.forget(oldest);
		let (store, packages) = (self.store.clone(), self.packages.clone());
		self.tasks.spawn(async move {
			match spawn_blocking(move || store.prune(oldest)).await {
				Ok(Ok(())) => {}
				Ok(Err(error)) => warn!("old receipts are not dropped: {error}"),
				Err(error) => warn!("old receipts are not dropped: {error}"),
			}
			if let Err(error) = packages.prune(Duration::from_millis(age)).await {
				warn!("old packages are not deleted: {error}");
			}
		});
	}
}

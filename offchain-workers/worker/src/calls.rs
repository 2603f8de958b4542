//! Calls: admitted, numbered, run, signed, stored and only then answered.

mod recovery;

pub use recovery::Dates;

use crate::{
	commit::Committer,
	config::Limits,
	errors::Refusal,
	gates::{Gates, Place, Turn},
	ledger::{Call, Key, Ledger},
	metrics::Metrics,
	packages::Packages,
	receipts::{Finished, ReceiptStore, Stored},
	snapshot::Snapshot,
	staged,
	vouchers::{Payment, Vouchers},
};
use bytes::Bytes;
use futures::FutureExt;
use millrace_client::PeerKeypair;
use millrace_executor::{CallOutput, OwnedInput};
use millrace_primitives::{
	billing::Voucher,
	execution::{randomness_seed, response_hash, Receipt, Request, SignedReceipt},
	peer::PeerId,
	DealId, H256,
};
use millrace_sandbox::{Effector, GuestCall, GuestError, Guests, Protection, Then};
use prometheus::IntGauge;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
	sync::{oneshot, watch},
	time::{timeout_at, Instant},
};
use tokio_util::task::{task_tracker::TaskTrackerToken, TaskTracker};
use tracing::{error, warn};

/// Longest wait for the next finalised block when the epoch has just ended.
const NEXT_EPOCH: Duration = Duration::from_secs(5);
/// Time in which no call of a deal is taken whose guests' processes fail: each would be given a number
/// that nothing comes of.
const REST: Duration = Duration::from_secs(15);

/// Who signs, and on which chain.
#[derive(Clone, Debug)]
pub struct Identity {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// The peer.
	pub peer: PeerId,
	/// Its key.
	pub key: Arc<PeerKeypair>,
}

/// What the client gets.
#[derive(Clone, Debug)]
pub struct Answer {
	/// The receipt, which is on disk.
	pub receipt: SignedReceipt,
	/// What the guest wrote to standard output.
	pub response: Bytes,
	/// What it wrote to standard error.
	pub stderr: Vec<u8>,
}

/// A place in the queue.
#[derive(Debug)]
pub struct Admission {
	deal: DealId,
	deadline: Instant,
	/// What pays for its gas, where the deal is billed by it.
	payment: Option<Payment>,
	_place: Place,
	_counted: Counted,
	/// A stopping daemon waits for it.
	_tracked: TaskTrackerToken,
}

/// A call that has a number, with the names that its receipt gives to what it is of.
#[derive(Clone, Debug)]
struct Numbered {
	call: Arc<Call>,
	request: H256,
	terms: H256,
}

impl Numbered {
	fn new(call: Arc<Call>, genesis: H256) -> Self {
		Self {
			request: call.request.hash(),
			terms: call.terms.hash(genesis),
			call,
		}
	}
}

/// What calls need.
#[derive(Debug)]
pub struct Calls {
	identity: Identity,
	guests: Arc<dyn Guests>,
	effects: Arc<dyn Effector>,
	packages: Arc<Packages>,
	ledger: Arc<Ledger>,
	store: Arc<ReceiptStore>,
	committer: Committer,
	vouchers: Arc<Vouchers>,
	snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
	gates: Gates,
	limits: Limits,
	metrics: Metrics,
	tasks: TaskTracker,
}

/// Parts that [`Calls`] is made of.
#[derive(Debug)]
pub struct CallParts {
	/// Who signs.
	pub identity: Identity,
	/// What runs guests.
	pub guests: Arc<dyn Guests>,
	/// What they do outside.
	pub effects: Arc<dyn Effector>,
	/// What can be run.
	pub packages: Arc<Packages>,
	/// Numbers of calls.
	pub ledger: Arc<Ledger>,
	/// Receipts.
	pub store: Arc<ReceiptStore>,
	/// What stores them.
	pub committer: Committer,
	/// What calls of deals that are billed by gas are paid with.
	pub vouchers: Arc<Vouchers>,
	/// Where the chain stands.
	pub snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
	/// Bounds.
	pub limits: Limits,
	/// What is counted.
	pub metrics: Metrics,
	/// Where calls run, so that a stopping daemon can wait for them.
	pub tasks: TaskTracker,
}

impl Calls {
	/// Ready to admit calls.
	pub fn new(parts: CallParts) -> Self {
		let CallParts {
			identity,
			guests,
			effects,
			packages,
			ledger,
			store,
			committer,
			vouchers,
			snapshots,
			limits,
			metrics,
			tasks,
		} = parts;
		Self {
			identity,
			guests,
			effects,
			packages,
			ledger,
			store,
			committer,
			vouchers,
			snapshots,
			gates: Gates::new(&limits),
			limits,
			metrics,
			tasks,
		}
	}

	/// The last finalised block, unless none was seen yet.
	pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
		self.snapshots.borrow().clone()
	}

	/// What stands between guests and this machine.
	pub fn protection(&self) -> Protection {
		self.guests.describe()
	}

	/// Gives back what is kept for deals that are not among these.
	pub fn keep(&self, deals: &BTreeSet<DealId>) {
		self.guests.keep(deals);
		self.gates.keep(deals);
	}

	/// Checks that the deal can be called now, before the body is read; returns the longest body that
	/// it allows.
	pub fn request_bytes(&self, deal: DealId) -> Result<u32, Refusal> {
		let snapshot = self.snapshot().ok_or(Refusal::ChainUnreachable)?;
		let assignment = snapshot.serves(deal)?;
		staged::choose(&self.packages, &snapshot, assignment)?;
		// Spares the client its body; who gets a place is decided when bodies are here.
		if self.gates.is_full(deal, assignment.worker.units) {
			return Err(Refusal::Busy);
		}
		Ok(assignment.limits.request_bytes)
	}

	/// Takes a place in the queue for a request whose body is here, so that a client that sends
	/// slowly holds no place. The deal is checked when the call gets its number.
	pub fn admit(&self, deal: DealId) -> Result<Admission, Refusal> {
		let place = self.gates.admit(deal, self.units(deal));
		let place = place.ok_or(Refusal::Busy)?;
		Ok(Admission {
			deal,
			deadline: Instant::now() + self.limits.call_timeout(),
			payment: None,
			_place: place,
			_counted: Counted::new(&self.metrics.open_calls),
			_tracked: self.tasks.token(),
		})
	}

	/// What calls of deals that are billed by gas are paid with.
	pub fn vouchers(&self) -> &Vouchers {
		&self.vouchers
	}

	/// Pays for a call's gas with the voucher that it brings, where the deal is billed by gas.
	pub fn pay(&self, admission: &mut Admission, brought: Option<Voucher>) -> Result<(), Refusal> {
		let snapshot = self.snapshot().ok_or(Refusal::ChainUnreachable)?;
		let assignment = snapshot.serves(admission.deal)?;
		admission.payment = self.vouchers.take(assignment, brought)?;
		Ok(())
	}

	/// Runs a call and returns when its receipt is on disk, and the voucher that pays for it. A client that
	/// gives up while its call waits for its turn takes it along. One that gives up later does not stop
	/// the guest: its number is given, and its receipt enters the report.
	pub async fn execute(
		self: &Arc<Self>,
		admission: Admission,
		request: Request,
	) -> Result<Answer, Refusal> {
		let (deal, deadline) = (admission.deal, admission.deadline);
		let is_paid = admission.payment.is_some();
		let answer = timeout_at(deadline, self.run(admission, request));
		// The disk has the voucher while the guest runs.
		let stored = async {
			match is_paid {
				true => self.vouchers.store(deal).await,
				false => Ok(()),
			}
		};
		let (answer, stored) = tokio::join!(answer, stored);
		if let Err(error) = stored {
			error!(deal, "a voucher cannot be stored: {error}");
			return Err(Refusal::Internal);
		}
		answer.unwrap_or(Err(Refusal::CallTimeout))
	}

	async fn run(
		self: &Arc<Self>,
		admission: Admission,
		request: Request,
	) -> Result<Answer, Refusal> {
		let deal = admission.deal;
		let memory = self.snapshot().map_or(0, |snapshot| {
			// They differ by their package alone.
			let found = snapshot.choices(deal).first();
			found.map_or(0, |named| named.terms.limits.memory_bytes)
		});
		let turn = self.turn(deal, memory).await;
		let numbered = self.number(deal, request).await?;
		// The place is kept until the answer is there, the turn only until the guest has ended.
		let answer = self.begin(numbered, turn, Some(admission));
		answer.await.unwrap_or(Err(Refusal::Internal))
	}

	/// Waits for a turn of a deal's guest that may use so much memory.
	async fn turn(&self, deal: DealId, memory_bytes: u32) -> Turn {
		self.gates.turn(deal, self.units(deal), memory_bytes).await
	}

	fn units(&self, deal: DealId) -> u32 {
		self.snapshot().map_or(1, |snapshot| snapshot.units(deal))
	}

	/// Gives a call its number in the present epoch.
	async fn number(&self, deal: DealId, request: Request) -> Result<Numbered, Refusal> {
		let mut snapshots = self.snapshots.clone();
		let started = Instant::now();
		let named = request.hash();
		let request = Arc::new(request);
		loop {
			let snapshot = snapshots
				.borrow_and_update()
				.clone()
				.ok_or(Refusal::ChainUnreachable)?;
			let assignment = snapshot.serves(deal)?;
			let under = staged::choose(&self.packages, &snapshot, assignment)?;
			let limit = assignment.limits.request_bytes;
			if request.body.len() > limit as usize {
				return Err(Refusal::BodyTooLarge { limit });
			}
			let info = snapshot.epoch.info;
			let call = self.ledger.begin(Call {
				epoch: info.index,
				seq: 0,
				seed: snapshot.epoch.seed,
				block: snapshot.block,
				clock_ms: info.clock_ms(snapshot.block),
				terms: under.terms.clone(),
				request: request.clone(),
			});
			if let Some(call) = call {
				return Ok(Numbered {
					call,
					request: named,
					terms: under.hash,
				});
			}
			// The ledger moves to a new epoch just before the block that begins it is shown.
			match timeout_at(started + NEXT_EPOCH, snapshots.changed()).await {
				Ok(Ok(())) => {}
				_ => return Err(Refusal::EpochEnded),
			}
		}
	}

	/// Runs a numbered call and stores its receipt, whether or not somebody waits for the answer.
	fn begin(
		self: &Arc<Self>,
		numbered: Numbered,
		turn: Turn,
		admission: Option<Admission>,
	) -> oneshot::Receiver<Result<Answer, Refusal>> {
		let (reply, answer) = oneshot::channel();
		let running = Running {
			calls: self.clone(),
			turn,
			started: Instant::now(),
			unanswered: Unanswered {
				open: OpenCall {
					ledger: self.ledger.clone(),
					key: numbered.call.key(),
					retry: true,
					ended: false,
				},
				admission,
				reply,
			},
			numbered,
		};
		let mut guest = running.run().boxed();
		// As far as it comes at once it comes here, so that the guest waits for no other thread.
		if (&mut guest).now_or_never().is_none() {
			self.tasks.spawn(guest);
		}
		answer
	}

	/// What is answered to a call whose guest gave no result.
	fn refusal(&self, deal: DealId, error: GuestError) -> Refusal {
		match error {
			GuestError::NotPrepared => {
				Refusal::PackageUnavailable("it could not be made ready again".into())
			}
			GuestError::TimedOut(_) => {
				warn!(deal, "a guest ran into the wall-clock limit: {error}");
				Refusal::CallTimeout
			}
			GuestError::Busy => {
				warn!(
					deal,
					"the deal rests: its guests' processes fail, or none is free"
				);
				self.gates.rest(deal, REST);
				Refusal::Busy
			}
			GuestError::RequestTooLarge { max, .. } => Refusal::BodyTooLarge { limit: max },
			error => {
				error!(deal, "a guest could not be run: {error}");
				Refusal::Internal
			}
		}
	}

	fn guest_call(&self, numbered: &Numbered) -> GuestCall {
		let call = &numbered.call;
		let terms = &call.terms;
		let seed = randomness_seed(
			self.identity.genesis,
			terms.deal,
			self.identity.peer,
			call.epoch,
			call.seq,
			numbered.request,
		);
		let places = self.gates.guests(self.units(terms.deal));
		GuestCall {
			deal: terms.deal,
			package: terms.package,
			places: u32::try_from(places).unwrap_or(u32::MAX),
			input: OwnedInput {
				request: call.request.clone(),
				limits: terms.limits,
				hosts: terms.hosts.clone(),
				clock_ms: call.clock_ms,
				seed,
			},
			effects: self.effects.clone(),
		}
	}

	fn sign(&self, numbered: &Numbered, output: &CallOutput) -> SignedReceipt {
		let call = &numbered.call;
		let receipt = Receipt {
			genesis: self.identity.genesis,
			seed: call.seed,
			deal: call.terms.deal,
			peer: self.identity.peer,
			epoch: call.epoch,
			seq: call.seq,
			package: call.terms.package,
			profile: call.terms.profile,
			terms: numbered.terms,
			request: numbered.request,
			response: response_hash(&output.response),
			transcript: output.transcript.hash(),
			status: output.status,
			gas: output.gas,
			block: call.block,
		};
		let signature = self.identity.key.sign_hash(receipt.hash());
		SignedReceipt { receipt, signature }
	}
}

/// A numbered call whose guest runs, or is about to.
struct Running {
	calls: Arc<Calls>,
	numbered: Numbered,
	turn: Turn,
	started: Instant,
	unanswered: Unanswered,
}

impl Running {
	/// Has the guest run. Wherever it ends, the call goes on.
	async fn run(self) {
		let (calls, numbered) = (self.calls.clone(), self.numbered.clone());
		let then: Then = Box::new(move |outcome| self.conclude(outcome));
		let guest = calls.guests.call_then(calls.guest_call(&numbered), then);
		let Some(then) = guest.await else {
			return;
		};
		// What was made of the package has made room for others, or the disk has spoilt it.
		let terms = &numbered.call.terms;
		let unprepared = match calls.packages.prepare_again(terms.package).await {
			Ok(()) => {
				let guest = calls.guests.call_then(calls.guest_call(&numbered), then);
				guest.await
			}
			Err(refusal) => {
				warn!(deal = terms.deal, "a call cannot be run: {refusal}");
				Some(then)
			}
		};
		if let Some(then) = unprepared {
			then(Err(GuestError::NotPrepared));
		}
	}

	/// Signs what came of the guest, and has it stored and answered.
	fn conclude(self, outcome: Result<CallOutput, GuestError>) {
		let Self {
			calls,
			numbered,
			turn,
			started,
			mut unanswered,
		} = self;
		let seconds = started.elapsed().as_secs_f64();
		// Others run while this one is signed and stored.
		drop(turn);
		let call = &numbered.call;
		let output = match outcome {
			Ok(output) => output,
			Err(error) => {
				let refusal = calls.refusal(call.terms.deal, error);
				unanswered.open.retry = refusal != Refusal::CallTimeout;
				return unanswered.answer(Err(refusal));
			}
		};
		let admission = unanswered.admission.as_mut();
		if let Some(payment) = admission.and_then(|admission| admission.payment.take()) {
			payment.spend(output.gas);
		}
		calls.metrics.call_ended(output.status, output.gas, seconds);
		let receipt = calls.sign(&numbered, &output);
		let finished = Finished::new(call.clone(), &receipt, &output.response, &output.transcript);
		let answer = Answer {
			receipt,
			response: output.response.into(),
			stderr: output.stderr,
		};
		let stored = move |stored| unanswered.stored(stored, answer);
		calls.committer.store(finished, stored);
	}
}

/// What a call keeps until it is answered. Where it cannot be, all of it is given back.
struct Unanswered {
	open: OpenCall,
	/// None where an interrupted call is completed, for which no client waits.
	admission: Option<Admission>,
	/// Last, so that whoever learns of the end finds the rest given back.
	reply: oneshot::Sender<Result<Answer, Refusal>>,
}

impl Unanswered {
	/// Answers when the receipt is on disk, or can never be.
	fn stored(mut self, stored: Stored, answer: Answer) {
		self.open.ended = true;
		let (epoch, seq) = self.open.key;
		self.answer(match stored {
			Stored::Durable => Ok(answer),
			Stored::Late => {
				warn!(epoch, seq, "a call ended after its epoch's report");
				Err(Refusal::EpochEnded)
			}
			Stored::Taken => {
				error!(
					epoch,
					seq, "a number was given twice; the first receipt stays"
				);
				Err(Refusal::Internal)
			}
		});
	}

	fn answer(self, answer: Result<Answer, Refusal>) {
		let Self {
			open,
			admission,
			reply,
		} = self;
		drop((open, admission));
		// Who does not wait any more has no use for it; the receipt counts all the same.
		let _ = reply.send(answer);
	}
}

/// Leaves a call to [`Calls::recover`] unless it ended, whatever way it goes.
struct OpenCall {
	ledger: Arc<Ledger>,
	key: Key,
	retry: bool,
	ended: bool,
}

impl Drop for OpenCall {
	fn drop(&mut self) {
		if !self.ended {
			self.ledger.abandon(self.key, self.retry);
		}
	}
}

/// Counts a call for as long as it lives.
#[derive(Debug)]
struct Counted(IntGauge);

impl Counted {
	fn new(calls: &IntGauge) -> Self {
		calls.inc();
		Self(calls.clone())
	}
}

impl Drop for Counted {
	fn drop(&mut self) {
		self.0.dec();
	}
}

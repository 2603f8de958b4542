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
};
use bytes::Bytes;
use millrace_client::PeerKeypair;
use millrace_executor::{CallOutput, OwnedInput};
use millrace_primitives::{
	execution::{randomness_seed, response_hash, Receipt, Request, SignedReceipt},
	peer::PeerId,
	DealId, H256,
};
use millrace_sandbox::{Effector, GuestCall, GuestError, Guests, Protection};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
	sync::watch,
	time::{timeout_at, Instant},
};
use tokio_util::task::TaskTracker;
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
	_place: Place,
}

/// A call that has a number, with the names that its receipt gives to what it is of.
#[derive(Debug)]
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
		self.packages.ready(assignment.package.hash)?;
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
			_place: place,
		})
	}

	/// Runs a call and returns when its receipt is on disk. A client that gives up does not stop
	/// a guest that began: its number is given, and its receipt enters the report.
	pub async fn execute(
		self: &Arc<Self>,
		admission: Admission,
		request: Request,
	) -> Result<Answer, Refusal> {
		let deadline = admission.deadline;
		let calls = self.clone();
		let call = self
			.tasks
			.spawn(async move { calls.run(admission, request).await });
		match timeout_at(deadline, call).await {
			Ok(Ok(outcome)) => outcome,
			Ok(Err(_)) => Err(Refusal::Internal),
			Err(_) => Err(Refusal::CallTimeout),
		}
	}

	async fn run(&self, admission: Admission, request: Request) -> Result<Answer, Refusal> {
		self.metrics.open_calls.inc();
		let _open = Defer(|| self.metrics.open_calls.dec());
		let memory = self.snapshot().map_or(0, |snapshot| {
			let found = snapshot.terms(admission.deal);
			found.map_or(0, |named| named.terms.limits.memory_bytes)
		});
		let turn = timeout_at(admission.deadline, self.turn(admission.deal, memory));
		let Ok(turn) = turn.await else {
			return Err(Refusal::CallTimeout);
		};
		let numbered = self.number(admission.deal, request).await?;
		// The place is kept until the answer is there, the turn only until the guest has ended.
		self.complete(&numbered, turn).await
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
			self.packages.ready(assignment.package.hash)?;
			let limit = assignment.limits.request_bytes;
			if request.body.len() > limit as usize {
				return Err(Refusal::BodyTooLarge { limit });
			}
			// Every deal that is served has its terms.
			let under = snapshot.terms(deal).ok_or(Refusal::DealUnknown(deal))?;
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

	/// Runs a numbered call and stores its receipt.
	async fn complete(&self, numbered: &Numbered, turn: Turn) -> Result<Answer, Refusal> {
		let call = &numbered.call;
		let mut open = OpenCall {
			ledger: &self.ledger,
			key: call.key(),
			retry: true,
			ended: false,
		};
		let output = self.guest(numbered).await;
		// Others run while this one is signed and stored.
		drop(turn);
		let output = match output {
			Ok(output) => output,
			Err(Refusal::CallTimeout) => {
				open.retry = false;
				return Err(Refusal::CallTimeout);
			}
			Err(refusal) => return Err(refusal),
		};
		let receipt = self.sign(numbered, &output);
		let finished = Finished::new(call.clone(), &receipt, &output.response, &output.transcript);
		let response = Bytes::from(output.response);
		match self.committer.store(finished).await {
			Some(Stored::Durable) => {
				open.ended = true;
				Ok(Answer {
					receipt,
					response,
					stderr: output.stderr,
				})
			}
			Some(Stored::Late) => {
				open.ended = true;
				warn!(
					epoch = call.epoch,
					seq = call.seq,
					"a call ended after its epoch's report"
				);
				Err(Refusal::EpochEnded)
			}
			Some(Stored::Taken) => {
				open.ended = true;
				error!(
					epoch = call.epoch,
					seq = call.seq,
					"a number was given twice; the first receipt stays"
				);
				Err(Refusal::Internal)
			}
			None => Err(Refusal::Internal),
		}
	}

	async fn guest(&self, numbered: &Numbered) -> Result<CallOutput, Refusal> {
		let call = &numbered.call;
		let started = Instant::now();
		let mut outcome = self.guests.call(self.guest_call(numbered)).await;
		if matches!(outcome, Err(GuestError::NotPrepared)) {
			// What was made of the package has made room for others, or the disk has spoilt it.
			self.packages.prepare_again(call.terms.package).await?;
			outcome = self.guests.call(self.guest_call(numbered)).await;
		}
		let deal = call.terms.deal;
		match outcome {
			Ok(output) => {
				let seconds = started.elapsed().as_secs_f64();
				self.metrics.call_ended(output.status, output.gas, seconds);
				Ok(output)
			}
			Err(error @ GuestError::TimedOut(_)) => {
				warn!(deal, "a guest ran into the wall-clock limit: {error}");
				Err(Refusal::CallTimeout)
			}
			Err(GuestError::Busy) => {
				warn!(
					deal,
					"the deal rests: its guests' processes fail, or none is free"
				);
				self.gates.rest(deal, REST);
				Err(Refusal::Busy)
			}
			Err(GuestError::RequestTooLarge { max, .. }) => {
				Err(Refusal::BodyTooLarge { limit: max })
			}
			Err(error) => {
				error!(deal, "a guest could not be run: {error}");
				Err(Refusal::Internal)
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

/// Leaves a call to [`Calls::recover`] unless it ended, whatever way the future goes.
struct OpenCall<'a> {
	ledger: &'a Ledger,
	key: Key,
	retry: bool,
	ended: bool,
}

impl Drop for OpenCall<'_> {
	fn drop(&mut self) {
		if !self.ended {
			self.ledger.abandon(self.key, self.retry);
		}
	}
}

/// Runs a closure at the end of a scope.
struct Defer<F: Fn()>(F);

impl<F: Fn()> Drop for Defer<F> {
	fn drop(&mut self) {
		(self.0)();
	}
}

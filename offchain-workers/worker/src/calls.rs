//! Calls: admitted, numbered, run, signed, stored and only then answered.

mod recovery;

pub use recovery::Dates;

use crate::{
	commit::Committer,
	config::Limits,
	errors::Refusal,
	ledger::{Call, Key, Ledger},
	metrics::Metrics,
	packages::Packages,
	receipts::{Finished, ReceiptStore, Stored},
	snapshot::Snapshot,
};
use bytes::Bytes;
use millrace_client::PeerKeypair;
use millrace_executor::{CallInput, CallOutput, Engine, EngineError, Module};
use millrace_primitives::{
	execution::{
		empty_transcript, randomness_seed, response_hash, CallStatus, Receipt, Request,
		SignedReceipt, PROFILE_V1,
	},
	peer::PeerId,
	DealId, H256,
};
use std::{sync::Arc, time::Duration};
use tokio::{
	sync::{watch, OwnedSemaphorePermit, Semaphore},
	task::spawn_blocking,
	time::{timeout_at, Instant},
};
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

/// Longest wait for the next finalised block when the epoch has just ended.
const NEXT_EPOCH: Duration = Duration::from_secs(5);

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
	_place: OwnedSemaphorePermit,
}

/// What calls need.
#[derive(Debug)]
pub struct Calls {
	identity: Identity,
	engine: Arc<Engine>,
	packages: Arc<Packages>,
	ledger: Arc<Ledger>,
	store: Arc<ReceiptStore>,
	committer: Committer,
	snapshots: watch::Receiver<Option<Arc<Snapshot>>>,
	places: Arc<Semaphore>,
	running: Arc<Semaphore>,
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
	pub engine: Arc<Engine>,
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
			engine,
			packages,
			ledger,
			store,
			committer,
			snapshots,
			limits,
			metrics,
			tasks,
		} = parts;
		let running = limits.concurrent_calls.max(1);
		let places = running
			.saturating_add(limits.queued_calls)
			.min(Semaphore::MAX_PERMITS);
		Self {
			identity,
			engine,
			packages,
			ledger,
			store,
			committer,
			snapshots,
			places: Arc::new(Semaphore::new(places)),
			running: Arc::new(Semaphore::new(running)),
			limits,
			metrics,
			tasks,
		}
	}

	/// The last finalised block, unless none was seen yet.
	pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
		self.snapshots.borrow().clone()
	}

	/// Checks that the deal can be called now, before the body is read; returns the longest body that
	/// it allows.
	pub fn request_bytes(&self, deal: DealId) -> Result<u32, Refusal> {
		let snapshot = self.snapshot().ok_or(Refusal::ChainUnreachable)?;
		let assignment = snapshot.serves(deal)?;
		self.packages.module(assignment.package.hash)?;
		// Spares the client its body; who gets a place is decided when bodies are here.
		if self.places.available_permits() == 0 {
			return Err(Refusal::Busy);
		}
		Ok(assignment.limits.request_bytes)
	}

	/// Takes a place in the queue for a request whose body is here, so that a client that sends
	/// slowly holds no place. The deal is checked when the call gets its number.
	pub fn admit(&self, deal: DealId) -> Result<Admission, Refusal> {
		let place = self
			.places
			.clone()
			.try_acquire_owned()
			.map_err(|_| Refusal::Busy)?;
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
		let turn = timeout_at(admission.deadline, self.running.clone().acquire_owned()).await;
		let Ok(Ok(_turn)) = turn else {
			return Err(Refusal::CallTimeout);
		};
		let (call, module) = self.number(admission.deal, request).await?;
		self.complete(&call, module).await
	}

	/// Gives a call its number in the present epoch.
	async fn number(
		&self,
		deal: DealId,
		request: Request,
	) -> Result<(Arc<Call>, Arc<Module>), Refusal> {
		let mut snapshots = self.snapshots.clone();
		let started = Instant::now();
		loop {
			let snapshot = snapshots
				.borrow_and_update()
				.clone()
				.ok_or(Refusal::ChainUnreachable)?;
			let assignment = snapshot.serves(deal)?;
			let module = self.packages.module(assignment.package.hash)?;
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
				deal,
				package: assignment.package.hash,
				limits: assignment.limits,
				request: request.clone(),
			});
			if let Some(call) = call {
				return Ok((call, module));
			}
			// The ledger moves to a new epoch just before the block that begins it is shown.
			match timeout_at(started + NEXT_EPOCH, snapshots.changed()).await {
				Ok(Ok(())) => {}
				_ => return Err(Refusal::EpochEnded),
			}
		}
	}

	/// Runs a numbered call and stores its receipt.
	async fn complete(&self, call: &Arc<Call>, module: Arc<Module>) -> Result<Answer, Refusal> {
		let mut open = OpenCall {
			ledger: &self.ledger,
			key: call.key(),
			retry: true,
			ended: false,
		};
		let output = match self.guest(call.clone(), module).await {
			Ok(output) => output,
			Err(Refusal::CallTimeout) => {
				open.retry = false;
				return Err(Refusal::CallTimeout);
			}
			Err(refusal) => return Err(refusal),
		};
		let response = Bytes::from(output.response);
		let receipt = self.sign(call, output.status, output.gas, &response);
		let finished = Finished {
			call: call.clone(),
			receipt: receipt.clone(),
			response: response.clone(),
		};
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

	async fn guest(&self, call: Arc<Call>, module: Arc<Module>) -> Result<CallOutput, Refusal> {
		let (engine, identity) = (self.engine.clone(), self.identity.clone());
		let started = Instant::now();
		let result = spawn_blocking(move || {
			let seed = randomness_seed(
				identity.genesis,
				call.deal,
				identity.peer,
				call.epoch,
				call.seq,
				call.request.hash(),
			);
			let input = CallInput {
				request: &call.request,
				limits: call.limits,
				clock_ms: call.clock_ms,
				seed,
			};
			engine.call(&module, &input)
		})
		.await;
		match result {
			Ok(Ok(output)) => {
				let seconds = started.elapsed().as_secs_f64();
				self.metrics.call_ended(output.status, output.gas, seconds);
				Ok(output)
			}
			Ok(Err(error @ EngineError::TimedOut(_))) => {
				warn!("a guest ran into the wall-clock limit: {error}");
				Err(Refusal::CallTimeout)
			}
			Ok(Err(error)) => {
				error!("a guest could not be run: {error}");
				Err(Refusal::Internal)
			}
			Err(error) => {
				error!("a guest's thread failed: {error}");
				Err(Refusal::Internal)
			}
		}
	}

	fn sign(&self, call: &Call, status: CallStatus, gas: u64, response: &[u8]) -> SignedReceipt {
		let receipt = Receipt {
			genesis: self.identity.genesis,
			seed: call.seed,
			deal: call.deal,
			peer: self.identity.peer,
			epoch: call.epoch,
			seq: call.seq,
			package: call.package,
			profile: PROFILE_V1,
			request: call.request.hash(),
			response: response_hash(response),
			transcript: empty_transcript(),
			status,
			gas,
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

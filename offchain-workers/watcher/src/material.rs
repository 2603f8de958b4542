//! A call with everything that its receipt depends on: enough to make it again, and to prove what
//! comes of it.

use bytes::Bytes;
use codec::Encode;
use futures::future::{ready, BoxFuture, FutureExt};
use millrace_executor::EffectFailure;
use millrace_primitives::{
	challenge::Evidence,
	effects::{effect_hash, Transcript},
	execution::{
		arbitration_gas, package_hash, randomness_seed, response_hash, CallTerms, Request,
		SignedReceipt,
	},
	market::Hosts,
	replay::{ReplayInput, ReplayOutcome},
	DealId, H256,
};
use millrace_sandbox::{Effector, GuestCall, GuestError, Guests, PrepareError};
use std::{
	fmt,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
};
use tokio::task::spawn_blocking;

/// Set in the names under which packages run here. Deals are counted from zero: those of a worker that
/// shares its processes stay its own.
const NO_DEAL: DealId = 1 << 63;

/// A call with everything that its receipt depends on.
#[derive(Clone, Debug)]
pub struct Material {
	/// The receipt.
	pub receipt: SignedReceipt,
	/// What it ran under.
	pub terms: CallTerms,
	/// The package.
	pub package: Bytes,
	/// What the guest was asked.
	pub request: Request,
	/// What the guest was told from outside.
	pub transcript: Transcript,
	/// The guest's clock.
	pub clock_ms: u64,
}

/// What running a call again says about its receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
	/// The same comes of it.
	True,
	/// The chain's judge comes to something else.
	False(ReplayOutcome),
	/// It cannot be said; why.
	Unknown(String),
}

impl fmt::Display for Verdict {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::True => f.write_str("the same comes of the call"),
			Self::False(outcome) => write!(f, "something else comes of the call: {outcome:?}"),
			Self::Unknown(reason) => write!(f, "it cannot be said what comes of it: {reason}"),
		}
	}
}

impl Material {
	/// Whether these are the data that the receipt names.
	pub fn is_complete(&self) -> bool {
		let receipt = &self.receipt.receipt;
		receipt.terms == self.terms.hash(receipt.genesis)
			&& receipt.package == package_hash(&self.package)
			&& receipt.request == self.request.hash()
			&& receipt.transcript == self.transcript.hash()
	}

	/// Whether the chain's judge goes as far as the receipt claims.
	fn is_replayed(&self) -> bool {
		u32::try_from(self.package.len())
			.is_ok_and(|bytes| self.receipt.receipt.gas <= arbitration_gas(bytes))
	}

	/// What the chain would be shown; `None` where that is more than it takes.
	pub fn evidence(&self) -> Option<Evidence> {
		let within = self.is_replayed()
			&& self.request.body.len() <= self.terms.limits.request_bytes as usize;
		if !within {
			return None;
		}
		Some(Evidence::Replay {
			receipt: self.receipt.clone(),
			terms: self.terms.clone(),
			package: self.package.to_vec().try_into().ok()?,
			request: self.request.encode().try_into().ok()?,
			transcript: self.transcript.encode().try_into().ok()?,
		})
	}

	/// What the judge runs.
	pub fn input(&self) -> ReplayInput {
		ReplayInput {
			request: self.request.clone(),
			transcript: self.transcript.clone(),
			limits: self.terms.limits,
			hosts: self.terms.hosts.clone(),
			clock_ms: self.clock_ms,
			seed: self.seed(),
			claimed_gas: self.receipt.receipt.gas,
		}
	}

	/// Runs the call again, quickly; what differs is judged as the chain would.
	///
	/// Nothing is called false that the judge does not call so: a mistake of this engine must not
	/// cost anybody a bond.
	pub async fn check(&self, guests: &dyn Guests) -> Verdict {
		match self.runs_the_same(guests).await {
			Ok(true) => Verdict::True,
			Ok(false) => self.judge().await,
			Err(reason) => match self.judge().await {
				Verdict::Unknown(other) => Verdict::Unknown(format!("{reason}; {other}")),
				verdict => verdict,
			},
		}
	}

	/// What the chain's judge says, run here.
	pub async fn judge(&self) -> Verdict {
		if !self.is_replayed() {
			return Verdict::Unknown("the receipt bills more gas than the chain replays".into());
		}
		let (package, input) = (self.package.clone(), self.input());
		let replayed = spawn_blocking(move || millrace_executor::replay(&package, &input)).await;
		let outcome = match replayed {
			Ok(replayed) => replayed.outcome,
			Err(error) => return Verdict::Unknown(format!("the judge failed: {error}")),
		};
		match outcome.agrees(&self.receipt.receipt) {
			Some(true) => Verdict::True,
			Some(false) => Verdict::False(outcome),
			None => Verdict::Unknown("the judge is inconclusive".into()),
		}
	}

	/// Whether the same comes of the call under the workers' engine; an error where nothing does.
	async fn runs_the_same(&self, guests: &dyn Guests) -> Result<bool, String> {
		match guests.prepare(self.package.clone()).await {
			Ok(_) => {}
			Err(PrepareError::Refused(_)) => return Ok(false),
			Err(error) => return Err(error.to_string()),
		}
		let receipt = &self.receipt.receipt;
		let call = GuestCall {
			deal: no_deal(receipt.package),
			package: receipt.package,
			places: 1,
			input: millrace_executor::OwnedInput {
				request: Arc::new(self.request.clone()),
				limits: self.terms.limits,
				hosts: self.terms.hosts.clone(),
				clock_ms: self.clock_ms,
				seed: self.seed(),
			},
			effects: Arc::new(Recording::new(self.transcript.clone())),
		};
		let output = match guests.call(call).await {
			Ok(output) => output,
			// It asked for something else than what is recorded.
			Err(GuestError::Effect(EffectFailure::NotRecorded)) => return Ok(false),
			Err(error) => return Err(error.to_string()),
		};
		// Only a call that succeeded has a response.
		let response: &[u8] = match output.status.is_success() {
			true => &output.response,
			false => &[],
		};
		Ok(output.status == receipt.status
			&& output.gas == receipt.gas
			&& response_hash(response) == receipt.response
			&& output.transcript.hash() == receipt.transcript)
	}

	fn seed(&self) -> H256 {
		let receipt = &self.receipt.receipt;
		randomness_seed(
			receipt.genesis,
			receipt.deal,
			receipt.peer,
			receipt.epoch,
			receipt.seq,
			receipt.request,
		)
	}
}

/// The name under which a package's guests run: packages must not be in each other's way.
fn no_deal(package: H256) -> DealId {
	let mut name = [0; 8];
	name.copy_from_slice(&package.as_bytes()[..8]);
	DealId::from_le_bytes(name) | NO_DEAL
}

/// Replies what was recorded, in its order.
#[derive(Debug)]
struct Recording {
	transcript: Transcript,
	next: AtomicUsize,
}

impl Recording {
	fn new(transcript: Transcript) -> Self {
		Self {
			transcript,
			next: AtomicUsize::new(0),
		}
	}
}

impl Effector for Recording {
	fn perform(
		&self,
		_: Hosts,
		request: Vec<u8>,
	) -> BoxFuture<'static, Result<Vec<u8>, EffectFailure>> {
		let place = self.next.fetch_add(1, Ordering::Relaxed);
		let record = self.transcript.0.get(place);
		let reply = record
			.filter(|record| record.request == effect_hash(&request))
			.map(|record| record.reply.clone());
		ready(reply.ok_or(EffectFailure::NotRecorded)).boxed()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::effects::EffectRecord;

	#[tokio::test]
	async fn what_was_recorded_is_told_in_its_order_and_nothing_else() {
		let record = |request: &[u8], reply: &[u8]| EffectRecord {
			request: effect_hash(request),
			reply: reply.to_vec(),
		};
		let recording = Recording::new(Transcript(vec![record(b"1", b"a"), record(b"2", b"b")]));
		let ask = |request: &[u8]| recording.perform(Hosts::default(), request.to_vec());
		assert_eq!(ask(b"1").await, Ok(b"a".to_vec()));
		assert_eq!(ask(b"3").await, Err(EffectFailure::NotRecorded));
		assert_eq!(ask(b"2").await, Err(EffectFailure::NotRecorded));
	}
}

//! One receipt, looked at: its data are gathered and its call is made again. Data that the peer of an
//! opened receipt does not give are demanded; see [`crate::demands`].

use crate::{
	inspect::falsehood,
	material::{Material, Verdict},
	records::{Check, Key},
	shared::{Fault, Shared},
};
use bytes::Bytes;
use millrace_client::{ReadError, View};
use millrace_primitives::{
	challenge::{CaseId, Charge, Evidence},
	effects::Transcript,
	execution::{empty_transcript, Receipt, ARBITRATION_GAS},
	BlockNumber,
};

/// What came of a look at a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
	/// It is right.
	Right,
	/// It is false.
	Wrong,
	/// Nobody can say.
	Unknown,
	/// Its data cannot be had.
	Missing,
	/// The chain does not run such calls again.
	Unjudged,
	/// The peer is charged for the epoch already.
	Charged,
}

impl Outcome {
	fn code(self) -> &'static str {
		match self {
			Self::Right => "true",
			Self::Wrong => "false",
			Self::Unknown => "unknown",
			Self::Missing => "missing",
			Self::Unjudged => "unjudged",
			Self::Charged => "charged",
		}
	}
}

/// What a step of a look leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
	/// There is nothing left to see.
	Ended(Outcome),
	/// It goes on at this block.
	Again(BlockNumber),
}

/// A look at one receipt.
pub(crate) struct Look<'a> {
	pub(crate) shared: &'a Shared,
	pub(crate) view: &'a View,
	pub(crate) key: Key,
	pub(crate) check: Check,
	/// Bonds that are held for it, as the disk knows.
	pub(crate) held: usize,
}

impl Shared {
	/// Looks at a receipt. The block at which to look again; `None` when there is nothing left to see.
	pub(crate) async fn look(&self, view: &View, key: Key) -> Result<Option<BlockNumber>, Fault> {
		let wanted = key.clone();
		let read = self.store.with(move |records| records.check(&wanted));
		let Some(check) = read.await? else {
			return Ok(None);
		};
		let held = check.bonds();
		let look = Look {
			shared: self,
			view,
			key,
			check,
			held,
		};
		look.go_on().await
	}
}

impl Look<'_> {
	async fn go_on(mut self) -> Result<Option<BlockNumber>, Fault> {
		if !self.check.judged {
			match self.judge().await? {
				Step::Again(block) => return Ok(Some(block)),
				Step::Ended(outcome) => self.tell(outcome),
			}
			self.check.judged = true;
			self.save().await?;
		}
		// The bonds of open demands come back when they are answered or ended.
		if self.check.bonds() > 0 {
			self.read_demanded().await?;
			self.expire().await?;
			self.save().await?;
		}
		if self.check.bonds() > 0 {
			return Ok(Some(self.now().saturating_add(1)));
		}
		let key = self.key;
		self.shared
			.store
			.with(move |records| records.end_check(&key))
			.await?;
		Ok(None)
	}

	async fn judge(&mut self) -> Result<Step, Fault> {
		let (shared, view) = (self.shared, self.view);
		let receipt = self.check.receipt.receipt.clone();
		let epoch = view.epoch().await?.info.index;
		if epoch < receipt.epoch || (epoch == receipt.epoch && self.now() < receipt.block) {
			// Whoever gave it to us is a block ahead, and its deal may have another package there.
			return Ok(Step::Again(self.now().saturating_add(1)));
		}
		if shared.is_charged(view, &case(&receipt)).await? {
			return Ok(Step::Ended(Outcome::Charged));
		}
		if let Some(why) = falsehood(view, &self.check.receipt).await? {
			let evidence = Evidence::Inspection {
				receipt: self.check.receipt.clone(),
				leaf: None,
			};
			shared.suspect(evidence, why).await?;
			return Ok(Step::Ended(Outcome::Wrong));
		}
		if receipt.gas > ARBITRATION_GAS {
			return Ok(Step::Ended(Outcome::Unjudged));
		}
		let Some(info) = view.past_epoch(receipt.epoch).await? else {
			return Ok(Step::Ended(Outcome::Unknown));
		};
		let package = self.gather().await?;
		self.save().await?;
		let Some(material) = self.material(package.clone(), info.clock_ms(receipt.block)) else {
			return self.insist(package.is_some()).await;
		};
		let outcome = match material.check(&*shared.guests).await {
			Verdict::True => Outcome::Right,
			Verdict::False(found) => match material.evidence() {
				Some(evidence) => {
					let why = format!("the judge says {found:?}");
					shared.suspect(evidence, &why).await?;
					Outcome::Wrong
				}
				None => Outcome::Unjudged,
			},
			Verdict::Unknown(reason) => {
				tracing::warn!(
					peer = %receipt.peer,
					epoch = receipt.epoch,
					seq = receipt.seq,
					reason,
					"it cannot be said what comes of a call"
				);
				Outcome::Unknown
			}
		};
		Ok(Step::Ended(outcome))
	}

	/// Everything that the call depends on, once it is there.
	fn material(&self, package: Option<Bytes>, clock_ms: u64) -> Option<Material> {
		Some(Material {
			receipt: self.check.receipt.clone(),
			terms: self.check.terms.clone()?,
			package: package?,
			request: self.check.request.clone()?,
			transcript: self.check.transcript.clone()?,
			clock_ms,
		})
	}

	/// Looks for what is not known yet. The package, if it is to be had.
	async fn gather(&mut self) -> Result<Option<Bytes>, ReadError> {
		let (shared, view) = (self.shared, self.view);
		let receipt = self.check.receipt.receipt.clone();
		if self.check.terms.is_none() {
			let terms = view.call_terms(&receipt).await?.ok();
			self.check.terms = terms.filter(|terms| terms.hash(receipt.genesis) == receipt.terms);
		}
		if receipt.transcript == empty_transcript() {
			self.check.transcript = Some(Transcript::default());
		}
		self.read_demanded().await?;
		let check = &mut self.check;
		let known = check.terms.is_some() && check.request.is_some() && check.transcript.is_some();
		if !known {
			let found = shared.sources.call_data(view, &check.receipt).await?;
			if let Some((request, transcript, terms)) = found {
				check.request = Some(request);
				check.transcript = Some(transcript);
				check.terms = Some(terms);
			}
		}
		shared
			.sources
			.package(view, receipt.peer, receipt.deal, receipt.package)
			.await
	}

	/// Brings what is known to the disk; the bonds of demands that are over are free then.
	pub(crate) async fn save(&mut self) -> Result<(), Fault> {
		let (key, check) = (self.key.clone(), self.check.clone());
		self.shared
			.store
			.with(move |records| records.set_check(&key, &check))
			.await?;
		let held = self.check.bonds();
		for _ in held..self.held {
			self.shared.end_bond();
		}
		self.held = held;
		Ok(())
	}

	pub(crate) fn now(&self) -> BlockNumber {
		self.view.block().number
	}

	fn tell(&self, outcome: Outcome) {
		let receipt = &self.check.receipt.receipt;
		tracing::debug!(
			peer = %receipt.peer,
			epoch = receipt.epoch,
			seq = receipt.seq,
			outcome = outcome.code(),
			"a receipt was looked at"
		);
		self.shared
			.metrics
			.checked
			.with_label_values(&[outcome.code()])
			.inc();
	}
}

/// The case that a receipt would make if it were false.
pub(crate) fn case(receipt: &Receipt) -> CaseId {
	CaseId {
		peer: receipt.peer,
		epoch: receipt.epoch,
		charge: Charge::Replay,
		subject: receipt.hash(),
	}
}

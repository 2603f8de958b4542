//! Data that a peer does not give: demanded before the chain, read from the blocks that answer, or
//! else charged for.

use crate::{
	checks::{case, Look, Outcome, Step},
	records::{Check, Demanded},
	shared::Fault,
};
use codec::DecodeAll;
use millrace_client::{calls, ReadError, SubmitError, View};
use millrace_primitives::{
	challenge::Wanted,
	effects::Transcript,
	execution::{package_hash, Request, UNVERIFIED},
	peer::PeerId,
	BlockNumber, EpochIndex,
};

/// Attempts to get the data of a call from its peer before they are demanded.
const TRIES: u32 = 3;
/// Blocks between them.
const PAUSE: BlockNumber = 2;
/// Blocks that are looked through for a datum in one go.
const BLOCKS_AT_ONCE: BlockNumber = 64;

impl Look<'_> {
	/// Data are missing: waits for them, demands them, or gives up.
	pub(crate) async fn insist(&mut self, has_package: bool) -> Result<Step, Fault> {
		self.check.tries = self.check.tries.saturating_add(1);
		let now = self.now();
		let missing = missing(&self.check, has_package);
		let pause = if self.check.tries < TRIES {
			Some(PAUSE)
		} else if !missing.is_empty() || self.check.terms.is_none() {
			self.demand(missing).await?
		} else {
			self.expire().await?;
			let open = self.check.demands.iter().any(|demand| !demand.over);
			open.then_some(1)
		};
		self.save().await?;
		Ok(match pause {
			Some(pause) => Step::Again(now.saturating_add(pause)),
			None => Step::Ended(Outcome::Missing),
		})
	}

	/// Demands what is missing. Blocks until the next look; `None` where nothing can be demanded.
	async fn demand(&mut self, missing: Vec<Wanted>) -> Result<Option<BlockNumber>, Fault> {
		let (shared, view, now) = (self.shared, self.view, self.now());
		let receipt = self.check.receipt.receipt.clone();
		// Without its terms, which nobody can demand, a call cannot be run whatever else comes.
		let of_use = self.check.terms.is_some() && receipt.profile & UNVERIFIED == 0;
		let can = self.check.opened && of_use && !shared.own.contains(&receipt.peer);
		if !can {
			tracing::warn!(
				peer = %receipt.peer,
				epoch = receipt.epoch,
				seq = receipt.seq,
				"a peer does not give the data of a call, and they cannot be demanded"
			);
			return Ok(None);
		}
		let (rules, status) = (shared.rules(view).await?, view.epoch().await?);
		let Some(commitment) = view.commitment(receipt.peer).await? else {
			return Ok(None);
		};
		let last = rules.last_epoch(&case(&receipt), commitment.terms.challenge_epochs);
		if status.info.index > last {
			return Ok(None);
		}
		for wanted in missing {
			if !shared.take_bond() {
				return Ok(Some(PAUSE));
			}
			let call = calls::receipts::demand(receipt.peer, receipt.epoch, receipt.seq, wanted);
			let sent = shared.chain.submit(&shared.key, call).await;
			if sent.is_err() {
				shared.end_bond();
			}
			let later = |block: BlockNumber| block.saturating_add(rules.post_blocks);
			let (next, deadline, ours, over) = match sent {
				Ok(included) => (included.number, later(included.number), true, false),
				Err(SubmitError::Dispatch { error, .. }) => match error.as_str() {
					// Somebody else did, or this process before it died: the answer is for all.
					"AlreadyDemanded" => (now, later(now), false, false),
					"AlreadyAnswered" => (self.first_block().await?, now, false, false),
					// It is found by the block in which it was posted.
					"AlreadyPosted" => (now, now, false, true),
					"TooManyDemands" => return Ok(Some(PAUSE)),
					// The data of a deal that is not open are for its owner alone.
					"NotClient" => {
						tracing::debug!(peer = %receipt.peer, "data of a private deal");
						return Ok(None);
					}
					other => {
						tracing::warn!(
							peer = %receipt.peer,
							error = other,
							"data of a call cannot be demanded"
						);
						return Ok(None);
					}
				},
				Err(error) => return Err(error.into()),
			};
			self.check.demands.push(Demanded {
				wanted,
				next,
				deadline,
				ours,
				over,
			});
			if ours {
				self.held = self.held.saturating_add(1);
				shared.metrics.demands.inc();
				tracing::warn!(
					peer = %receipt.peer,
					epoch = receipt.epoch,
					seq = receipt.seq,
					?wanted,
					"data of a call were demanded"
				);
			}
			self.save().await?;
		}
		Ok(Some(1))
	}

	/// Looks through blocks for what was demanded.
	pub(crate) async fn read_demanded(&mut self) -> Result<(), ReadError> {
		let (shared, now) = (self.shared, self.now());
		let mut demands = std::mem::take(&mut self.check.demands);
		let mut outcome = Ok(());
		for demand in &mut demands {
			let last = now.min(demand.next.saturating_add(BLOCKS_AT_ONCE));
			while demand.next <= last && !demand.over {
				let found = shared
					.sources
					.posted(demand.next, &self.check.receipt, demand.wanted)
					.await;
				match found {
					Ok(Some(data)) => demand.over = self.take(demand.wanted, data),
					Ok(None) => {}
					Err(error) => {
						outcome = Err(error);
						break;
					}
				}
				demand.next = demand.next.saturating_add(1);
			}
		}
		self.check.demands = demands;
		outcome
	}

	/// Takes a datum if it is what the receipt names.
	fn take(&mut self, wanted: Wanted, data: Vec<u8>) -> bool {
		let check = &mut self.check;
		let receipt = &check.receipt.receipt;
		match wanted {
			Wanted::Package => {
				let right = package_hash(&data) == receipt.package;
				if right {
					self.shared.sources.keep(receipt.package, data.into());
				}
				right
			}
			Wanted::Request => {
				let request = Request::decode_all(&mut &data[..]).ok();
				let right = request.filter(|request| request.hash() == receipt.request);
				let taken = right.is_some();
				check.request = right.or(check.request.take());
				taken
			}
			Wanted::Transcript => {
				let transcript = Transcript::decode_all(&mut &data[..]).ok();
				let right = transcript.filter(|found| found.hash() == receipt.transcript);
				let taken = right.is_some();
				check.transcript = right.or(check.transcript.take());
				taken
			}
		}
	}

	/// Ends demands whose time is over: the peer is charged for what it withholds.
	pub(crate) async fn expire(&mut self) -> Result<(), Fault> {
		let (shared, now) = (self.shared, self.now());
		let receipt = &self.check.receipt.receipt;
		let (peer, epoch, seq) = (receipt.peer, receipt.epoch, receipt.seq);
		for demand in &mut self.check.demands {
			let is_over = now > demand.deadline && demand.next > demand.deadline;
			if demand.over || !is_over {
				continue;
			}
			// Blocks of migrations make the time longer, and somebody else may have ended it.
			let deadline = deadline_of(self.view, peer, epoch, seq, demand.wanted).await?;
			match deadline {
				Some(deadline) if now <= deadline => {
					demand.deadline = deadline;
					continue;
				}
				Some(_) => {
					let call = calls::receipts::expire_demand(peer, epoch, seq, demand.wanted);
					match shared.chain.submit(&shared.key, call).await {
						Ok(included) => {
							let slash = (peer, epoch, included.number);
							let wanted = demand.wanted;
							tracing::warn!(%peer, epoch, seq, ?wanted, "a peer withholds data");
							shared
								.store
								.with(move |records| records.add_slash(slash))
								.await?;
						}
						Err(SubmitError::Dispatch { error, .. }) => {
							tracing::debug!(%peer, %error, "a demand was over");
						}
						Err(error) => return Err(error.into()),
					}
				}
				None => {}
			}
			demand.over = true;
		}
		Ok(())
	}

	/// First block in which data of the receipt can have been posted: of the epoch after its own.
	async fn first_block(&self) -> Result<BlockNumber, ReadError> {
		let next = self.check.receipt.receipt.epoch.saturating_add(1);
		let info = self.view.past_epoch(next).await?;
		Ok(info.map_or(self.now(), |info| info.start))
	}
}

/// Last block in which the chain takes an answer to a demand; `None` where none is open.
async fn deadline_of(
	view: &View,
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	wanted: Wanted,
) -> Result<Option<BlockNumber>, ReadError> {
	let open = view.demands(peer).await?;
	let found = open
		.into_iter()
		.find(|(of, number, what, _)| (*of, *number, *what) == (epoch, seq, wanted));
	Ok(found.map(|(_, _, _, deadline)| deadline))
}

/// What is missing of a call and was not demanded.
fn missing(check: &Check, has_package: bool) -> Vec<Wanted> {
	let demanded = |wanted| {
		let mut demands = check.demands.iter();
		demands.any(|demand| demand.wanted == wanted)
	};
	let all = [
		(Wanted::Package, has_package),
		(Wanted::Request, check.request.is_some()),
		(Wanted::Transcript, check.transcript.is_some()),
	];
	let missing = all.into_iter().filter(|(_, known)| !known);
	missing
		.map(|(wanted, _)| wanted)
		.filter(|wanted| !demanded(*wanted))
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::records::tests::signed;

	#[test]
	fn what_is_missing_is_demanded_and_nothing_else() {
		let mut check = Check::opened(signed(PeerId::default(), 4, 0, b"a"));
		let all = [Wanted::Package, Wanted::Request, Wanted::Transcript];
		assert_eq!(missing(&check, false), all);
		check.transcript = Some(Transcript::default());
		assert_eq!(missing(&check, true), [Wanted::Request]);
		check.request = Some(Request::default());
		assert!(missing(&check, true).is_empty());
		// Nothing is demanded twice.
		check.demands = vec![Demanded {
			wanted: Wanted::Package,
			next: 1,
			deadline: 2,
			ours: false,
			over: true,
		}];
		assert!(missing(&check, false).is_empty());
	}
}

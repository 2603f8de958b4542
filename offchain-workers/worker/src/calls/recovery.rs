//! Calls that have a number and nobody who runs them: their places are filled.

use super::{Calls, Numbered, OpenCall};
use crate::{birth::Birth, errors::Refusal, ledger::Call};
use millrace_primitives::{epoch::EpochInfo, views::PeerDuties, BlockNumber};
use std::sync::Arc;
use tokio::{task::spawn_blocking, time::timeout};
use tracing::{error, info, warn};

/// The blocks that a receipt may name: those of the epochs that can still be reported at which the
/// daemon's key counts.
#[derive(Clone, Debug)]
pub struct Dates {
	key_since: BlockNumber,
	/// Epochs, each with the first block that is not known to be one of it.
	epochs: Vec<(EpochInfo, BlockNumber)>,
}

impl Dates {
	/// What the chain says at a block at which the daemon's key counts, and has counted since
	/// `key_since`.
	pub fn new(
		block: BlockNumber,
		duties: &PeerDuties,
		key_since: BlockNumber,
		birth: Birth,
	) -> Self {
		let present = duties.epoch.info;
		let previous = duties.previous.map(|info| (info, present.start));
		let epochs = [Some((present, block.saturating_add(1))), previous];
		let known = |(info, _): &(EpochInfo, BlockNumber)| birth.knows(info.index);
		Self {
			key_since,
			epochs: epochs.into_iter().flatten().filter(known).collect(),
		}
	}

	/// The call at a block at which the daemon's key counts; `None` if its epoch has no such block,
	/// is over for good, or is not wholly known.
	///
	/// The chain takes a receipt only with the key that counted at its block. A call from before a
	/// rotation is therefore moved to the new key's first block, if its epoch reached that: nobody
	/// has seen a receipt of it yet, and all that changes beside the block is the guest's clock.
	fn date(&self, call: &Arc<Call>) -> Option<Arc<Call>> {
		let known = self
			.epochs
			.iter()
			.find(|(info, _)| info.index == call.epoch);
		let (info, end) = known?;
		if call.block >= self.key_since {
			return Some(call.clone());
		}
		let block = self.key_since;
		(block < *end).then(|| {
			Arc::new(Call {
				block,
				clock_ms: info.clock_ms(block),
				..(**call).clone()
			})
		})
	}
}

impl Calls {
	/// Fills the places of calls that have a number and nobody who runs them: the process died
	/// over them, or the machine failed. An epoch with a gap could not be reported in full.
	///
	/// Such a call is run again. If that fails, or it took too long before, the epoch's cheapest
	/// call is run once more under the free number, which makes a receipt as true as any. Where no
	/// receipt could be signed that the chain takes, the gap stays: receipts above it are as valid
	/// as before, but enter no report.
	pub async fn recover(self: &Arc<Self>, dates: &Dates) {
		for (call, retry) in self.ledger.take_abandoned() {
			let mut open = OpenCall {
				ledger: self.ledger.clone(),
				key: call.key(),
				retry: false,
				ended: false,
			};
			let Some(dated) = dates.date(&call) else {
				error!(
					epoch = call.epoch,
					seq = call.seq,
					"an interrupted call is left out, and receipts above it with it: this key and \
					 data directory can sign no receipt of its epoch"
				);
				open.ended = true;
				self.ledger.close(&[call.key()]);
				continue;
			};
			if retry && self.rerun(&dated).await {
				open.ended = true;
				continue;
			}
			let (store, epoch) = (self.store.clone(), call.epoch);
			match spawn_blocking(move || store.cheapest_call(epoch)).await {
				Ok(Ok(Some(cheapest))) => {
					let other = Arc::new(Call {
						seq: call.seq,
						..cheapest
					});
					if let Some(other) = dates.date(&other) {
						open.ended = self.rerun(&other).await;
					}
				}
				// Nothing is stored above the gap, so nothing depends on it.
				Ok(Ok(None)) => {}
				Ok(Err(error)) => error!("the store cannot be read: {error}"),
				Err(error) => error!("a thread failed: {error}"),
			}
		}
	}

	async fn rerun(self: &Arc<Self>, call: &Arc<Call>) -> bool {
		if let Err(refusal) = self.packages.recall(call.terms.package).await {
			warn!(
				epoch = call.epoch,
				seq = call.seq,
				"a call cannot be run again: {refusal}"
			);
			return false;
		}
		// Waits its turn among the others, but no longer than a client would.
		let turn = self.turn(call.terms.deal, call.terms.limits.memory_bytes);
		let Ok(turn) = timeout(self.limits.call_timeout(), turn).await else {
			return false;
		};
		let numbered = Numbered::new(call.clone(), self.identity.genesis);
		match self.begin(numbered, turn, None).await {
			Ok(Ok(_) | Err(Refusal::EpochEnded)) => {
				info!(
					epoch = call.epoch,
					seq = call.seq,
					"an interrupted call was completed"
				);
				true
			}
			_ => false,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{ledger::tests::call, snapshot::tests::duties};

	fn info(epoch: u32) -> EpochInfo {
		duties(epoch, vec![]).epoch.info
	}

	/// A call of epoch 5, whose blocks are 101 to 120.
	fn interrupted() -> Arc<Call> {
		Arc::new(Call {
			block: 105,
			clock_ms: info(5).clock_ms(105),
			..call(5, 1)
		})
	}

	/// What a chain that is twelve blocks into an epoch says of a key, to a directory that was made
	/// in an epoch.
	fn dates(epoch: u32, key_since: BlockNumber, birth: u32) -> Dates {
		let mut duties = duties(epoch, vec![]);
		duties.previous = Some(info(epoch - 1));
		let birth = Birth {
			epoch: birth,
			ms: 0,
		};
		Dates::new(duties.epoch.info.start + 11, &duties, key_since, birth)
	}

	#[test]
	fn a_call_of_the_present_key_stays_as_it_is() {
		for key_since in [1, 105] {
			let call = interrupted();
			assert_eq!(dates(5, key_since, 0).date(&call), Some(call));
		}
	}

	#[test]
	fn a_call_from_before_a_rotation_moves_to_the_new_keys_first_block() {
		let call = interrupted();
		for epoch in [5, 6] {
			let moved = dates(epoch, 108, 0).date(&call).expect("108 is in epoch 5");
			assert_eq!((moved.epoch, moved.seq), (call.epoch, call.seq));
			assert_eq!((moved.block, moved.clock_ms), (108, info(5).clock_ms(108)));
			assert_eq!(moved.request, call.request);
			// Always the same, so that it may be interrupted again.
			assert_eq!(dates(epoch, 108, 0).date(&moved), Some(moved));
		}
	}

	#[test]
	fn a_call_whose_epoch_the_new_key_never_saw_leaves_a_gap() {
		let call = interrupted();
		// The key counts from the next epoch on, or from a block that is not final yet.
		assert_eq!(dates(6, 121, 0).date(&call), None);
		assert_eq!(dates(5, 113, 0).date(&call), None);
		// Nobody takes a report of that epoch any more.
		assert_eq!(dates(7, 1, 0).date(&call), None);
	}

	#[test]
	fn no_number_is_filled_in_an_epoch_that_is_older_than_the_directory() {
		let call = interrupted();
		assert_eq!(dates(5, 1, 5).date(&call), None);
		assert_eq!(dates(6, 1, 5).date(&call), None);
		assert!(dates(6, 1, 4).date(&call).is_some());
	}
}

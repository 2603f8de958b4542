//! Parameters, referenda and votes as they stand, and what became of what was approved.

use crate::{
	chain::Chain,
	error::ReadError,
	submit::{dispatch_error, ChainEvent, SubmitError},
	view::View,
	AccountId,
};
use codec::{Decode, Encode};
use millrace_primitives::{
	governance::ParameterInfo,
	hash::blake2_256,
	referenda::{ReferendumIndex, ReferendumPhase, ReferendumView, VotingRules, VotingView},
	BlockNumber, H256,
};
use serde::Serialize;
use subxt::ArcMetadata;

/// First part of the name under which the chain schedules what was approved.
const ENACTMENT: [u8; 8] = *b"assembly";
/// Blocks by which an enactment can be late, because earlier ones took the block's weight, and is
/// still looked for.
const LATE_BLOCKS: BlockNumber = 8;

/// What became of a proposal that was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
	/// It was carried out.
	Done {
		/// In this block.
		block: BlockNumber,
		/// Numbers of what the treasury was told in that block to spend.
		spends: Vec<u32>,
	},
	/// The call failed, and changed nothing.
	Failed {
		/// In this block.
		block: BlockNumber,
		/// The pallet whose error it is, or the runtime's group of errors.
		pallet: String,
		/// The error's name.
		error: String,
		/// What the error's documentation says.
		docs: String,
	},
	/// Nobody had given the chain the call, and it is given up.
	NoPreimage {
		/// In this block.
		block: BlockNumber,
	},
	/// The call is too heavy for any block, and is given up.
	TooHeavy {
		/// In this block.
		block: BlockNumber,
	},
	/// The node has dropped the state of the block that would tell.
	Forgotten,
}

impl View {
	/// The parameters that a vote can change: what was voted, what is in force, and what may be
	/// proposed.
	pub async fn parameters(&self) -> Result<Vec<ParameterInfo>, ReadError> {
		self.call("GovernanceApi_parameters", ()).await
	}

	/// What every referendum and vote is under.
	pub async fn voting_rules(&self) -> Result<VotingRules, ReadError> {
		self.call("ReferendaApi_rules", ()).await
	}

	/// A referendum, with the call that it proposes.
	pub async fn referendum(
		&self,
		index: ReferendumIndex,
	) -> Result<Option<ReferendumView<AccountId>>, ReadError> {
		self.call("ReferendaApi_referendum", index).await
	}

	/// Referenda in ascending order from an index on. At most
	/// [`millrace_primitives::referenda::MAX_REFERENDA_PAGE`] at a time.
	pub async fn referenda(
		&self,
		from: ReferendumIndex,
		limit: u32,
	) -> Result<Vec<ReferendumView<AccountId>>, ReadError> {
		self.call("ReferendaApi_referenda", (from, limit)).await
	}

	/// How an account votes, and what that locks.
	pub async fn voting(&self, account: &AccountId) -> Result<VotingView<AccountId>, ReadError> {
		self.call("ReferendaApi_voting", account).await
	}

	/// Whether the chain has the call of a hash.
	pub async fn has_preimage(&self, hash: H256) -> Result<bool, ReadError> {
		self.call("ReferendaApi_has_preimage", hash).await
	}
}

impl Chain {
	/// What became of a referendum that was approved in this block, and whose enactment is over. It is
	/// read from what the runtime said then: nodes keep that as long as the block's state.
	pub async fn enactment(
		&self,
		referendum: ReferendumIndex,
		approved: BlockNumber,
		rules: &VotingRules,
	) -> Result<Outcome, ReadError> {
		let head = self.latest().await?.block().number;
		let starts = match self.planned(referendum, approved).await? {
			Some(block) => vec![block],
			// What remains are the blocks in which each track enacts at the earliest.
			None => {
				let waits = rules
					.tracks
					.iter()
					.map(|track| track.enactment_blocks.max(1));
				let mut starts: Vec<_> = waits.map(|wait| approved.saturating_add(wait)).collect();
				starts.sort_unstable();
				starts.dedup();
				starts
			}
		};
		let name = (ENACTMENT, "enactment", referendum).using_encoded(blake2_256);
		for start in starts {
			for number in start..=start.saturating_add(LATE_BLOCKS).min(head) {
				let (events, metadata) = match self.events_with_metadata(number).await {
					Ok(answer) => answer,
					Err(ReadError::Refused { .. }) => break,
					Err(error) => return Err(error),
				};
				if let Some(outcome) = outcome_in(number, &events, &name, metadata) {
					return Ok(outcome);
				}
			}
		}
		Ok(Outcome::Forgotten)
	}

	/// The block that a referendum's enactment was put in when it was approved, if the node still knows.
	async fn planned(
		&self,
		referendum: ReferendumIndex,
		approved: BlockNumber,
	) -> Result<Option<BlockNumber>, ReadError> {
		let view = self.at(self.block_hash(approved).await?).await?;
		match view.referendum(referendum).await {
			Ok(Some(view)) => Ok(match view.phase {
				ReferendumPhase::Approved { enacts, .. } => enacts,
				_ => None,
			}),
			Ok(None) | Err(ReadError::Refused { .. }) => Ok(None),
			Err(error) => Err(error),
		}
	}
}

/// What a block's events tell of the task of a name.
fn outcome_in(
	block: BlockNumber,
	events: &[ChainEvent],
	name: &H256,
	metadata: ArcMetadata,
) -> Option<Outcome> {
	let (event, result) = events
		.iter()
		.find_map(|event| Some((event, of_task(event, name)?)))?;
	match (event.name.as_str(), result) {
		("Dispatched", [0]) => Some(Outcome::Done {
			block,
			spends: spends(events),
		}),
		("Dispatched", [1, error @ ..]) => Some(failed(block, dispatch_error(error, metadata))),
		("CallUnavailable", []) => Some(Outcome::NoPreimage { block }),
		("PermanentlyOverweight", []) => Some(Outcome::TooHeavy { block }),
		_ => None,
	}
}

/// What an event of the scheduler says besides address and name of its task, if that has this name.
fn of_task<'a>(event: &'a ChainEvent, name: &H256) -> Option<&'a [u8]> {
	let tells = ["Dispatched", "CallUnavailable", "PermanentlyOverweight"];
	if event.pallet != "Scheduler" || !tells.contains(&event.name.as_str()) {
		return None;
	}
	let mut rest = &event.fields[..];
	let (_, found) = <((BlockNumber, u32), Option<H256>)>::decode(&mut rest).ok()?;
	(found == Some(*name)).then_some(rest)
}

fn failed(block: BlockNumber, error: SubmitError) -> Outcome {
	match error {
		SubmitError::Dispatch {
			pallet,
			error,
			docs,
		} => Outcome::Failed {
			block,
			pallet,
			error,
			docs,
		},
		other => Outcome::Failed {
			block,
			pallet: "Runtime".into(),
			error: "Unknown".into(),
			docs: other.to_string(),
		},
	}
}

/// Numbers of the treasury's new spends.
fn spends(events: &[ChainEvent]) -> Vec<u32> {
	events
		.iter()
		.filter(|event| event.pallet == "Treasury" && event.name == "AssetSpendApproved")
		.filter_map(|event| u32::decode(&mut &event.fields[..]).ok())
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn event(pallet: &str, name: &str, fields: impl Encode) -> ChainEvent {
		ChainEvent {
			pallet: pallet.into(),
			name: name.into(),
			fields: fields.encode(),
		}
	}

	#[test]
	fn an_enactment_is_known_by_its_name() {
		let (ours, other) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let told = |name: Option<H256>, result: &[u8]| {
			let mut event = event("Scheduler", "Dispatched", ((7u32, 0u32), name));
			event.fields.extend(result);
			event
		};
		let done = told(Some(ours), &[0]);
		assert_eq!(of_task(&done, &ours), Some(&[0][..]));
		assert_eq!(of_task(&done, &other), None);
		assert_eq!(of_task(&told(None, &[0]), &ours), None);
		let failed = told(Some(ours), &[1, 3, 9]);
		assert_eq!(of_task(&failed, &ours), Some(&[1, 3, 9][..]));
		let scheduled = event("Scheduler", "Scheduled", (7u32, 0u32, Some(ours)));
		assert_eq!(of_task(&scheduled, &ours), None);
	}

	#[test]
	fn the_treasurys_new_spends_are_told() {
		let events = [
			event("Treasury", "AssetSpendApproved", (3u32, (), 5u128)),
			event("Treasury", "Paid", (4u32, 0u32)),
			event("Balances", "AssetSpendApproved", 5u32),
		];
		assert_eq!(spends(&events), [3]);
	}
}

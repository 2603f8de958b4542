//! The parameters of challenges, as governance sets them.

use codec::{Decode, Encode};
use millrace_client::{ReadError, View};
use millrace_primitives::{
	challenge::{CaseId, OffenceKind},
	Balance, BlockNumber, EpochIndex,
};

/// The parameters, in the order in which the chain tells them. Parts are in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Rules {
	/// Held from a commitment to its outcome, and with each demand.
	pub bond: Balance,
	/// Part of a bond that burns when the commitment is not revealed.
	pub unrevealed: u32,
	/// Blocks between a commitment and its reveal.
	pub reveal_after_blocks: BlockNumber,
	/// Blocks after a commitment in which it can be revealed.
	pub reveal_within_blocks: BlockNumber,
	/// Blocks after the first reveal in which an earlier commitment can take the lead.
	pub contest_blocks: BlockNumber,
	/// Blocks in which a peer shows that its report holds a receipt.
	pub show_blocks: BlockNumber,
	/// Blocks in which a peer posts data that are demanded.
	pub post_blocks: BlockNumber,
	/// Part of the stake that a false receipt costs.
	pub fraud: u32,
	/// Part of the stake that an omitted or doubled receipt costs.
	pub omission: u32,
	/// Part of the stake that withheld data cost.
	pub withholding: u32,
	/// Epochs after the one of the report in which its omissions can be claimed.
	pub omission_epochs: EpochIndex,
	/// Part of a slash that is for whoever showed the offence, at most.
	pub reward: u32,
	/// Part of the bond of a false challenge, less its refutation's cost, that is for the accused.
	pub compensation: u32,
}

impl Rules {
	/// The parameters at a block.
	pub async fn read(view: &View) -> Result<Self, ReadError> {
		view.call("ReceiptsApi_params", ()).await
	}

	/// Last epoch in which a case can be proven, by the peer's commitment to `challenge_epochs`.
	pub fn last_epoch(&self, case: &CaseId, challenge_epochs: EpochIndex) -> EpochIndex {
		let reported = case.epoch.saturating_add(1);
		match case.charge.kind() {
			OffenceKind::Fraud | OffenceKind::Withholding => {
				reported.saturating_add(challenge_epochs)
			}
			OffenceKind::Omission => reported.saturating_add(self.omission_epochs),
		}
	}
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use codec::DecodeAll;
	use millrace_primitives::{challenge::Charge, peer::PeerId, FLT, H256};

	pub(crate) const RULES: Rules = Rules {
		bond: FLT,
		unrevealed: 100_000_000,
		reveal_after_blocks: 2,
		reveal_within_blocks: 16,
		contest_blocks: 8,
		show_blocks: 8,
		post_blocks: 10,
		fraud: 500_000_000,
		omission: 50_000_000,
		withholding: 50_000_000,
		omission_epochs: 2,
		reward: 300_000_000,
		compensation: 500_000_000,
	};

	#[test]
	fn parameters_are_plain_numbers_in_the_chains_order() {
		let bytes = (
			FLT,
			[100_000_000u32, 2, 16, 8, 8, 10],
			[500_000_000u32, 50_000_000, 50_000_000],
			[2u32, 300_000_000, 500_000_000],
		)
			.encode();
		assert_eq!(Rules::decode_all(&mut &bytes[..]), Ok(RULES));
	}

	#[test]
	fn fraud_is_charged_as_long_as_stake_answers_and_omissions_for_two_epochs() {
		let last = |charge| {
			let case = CaseId {
				peer: PeerId::default(),
				epoch: 4,
				charge,
				subject: H256::zero(),
			};
			RULES.last_epoch(&case, 24)
		};
		assert_eq!(last(Charge::Replay), 29);
		assert_eq!(last(Charge::Inspection), 29);
		assert_eq!(last(Charge::Omitted), 7);
		assert_eq!(last(Charge::DoubleSeq), 7);
	}
}

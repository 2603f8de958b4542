//! The parameters that governance sets.

use crate::RING;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{challenge::OffenceKind, Balance, BlockNumber, EpochIndex, FLT};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::Perbill;

/// Least blocks between a commitment and its reveal: a reveal is seen before it stands in a block, and
/// a change of the best chain by one block must not make a copy of it the earlier commitment.
const MIN_REVEAL_AFTER: BlockNumber = 2;
/// Longest window that parameters may name, so that no sum of blocks overflows.
const MAX_WINDOW_BLOCKS: BlockNumber = 1 << 20;
/// Longest time after a report for claims about its numbers: the ring must still know the report when
/// a claim that was made in the last epoch is decided.
pub(crate) const MAX_OMISSION_EPOCHS: EpochIndex = RING.saturating_sub(4);

/// Largest part of a bond that the accused may get: who accuses itself, to shield itself from others,
/// must lose something each time.
const MAX_COMPENSATION: Perbill = Perbill::from_percent(80);

/// Parameters that governance sets. What is committed, claimed and demanded keeps those that it was
/// made under.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct ReceiptsParams {
	/// Held of a challenger from the commitment to the outcome, and with each demand for data.
	#[serde(with = "millrace_primitives::decimal")]
	pub bond: Balance,
	/// Part of a bond that burns when the commitment is not revealed.
	pub unrevealed: Perbill,
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
	pub fraud: Perbill,
	/// Part of the stake that a receipt which is not reported, or shares its number, costs.
	pub omission: Perbill,
	/// Part of the stake that withheld data cost.
	pub withholding: Perbill,
	/// Epochs after the one of the report in which its omissions can be claimed.
	pub omission_epochs: EpochIndex,
	/// Part of a slash that is for whoever showed the offence, and never more than the provider pays.
	pub reward: Perbill,
	/// Part of the bond of a false challenge, less what its refutation cost, that is for the accused.
	pub compensation: Perbill,
}

impl ReceiptsParams {
	/// Whether the parameters make sense together.
	pub fn is_valid(&self) -> bool {
		let windows = [
			self.reveal_within_blocks,
			self.contest_blocks,
			self.show_blocks,
			self.post_blocks,
		];
		self.bond > 0
			&& self.reveal_after_blocks >= MIN_REVEAL_AFTER
			&& self.reveal_after_blocks < self.reveal_within_blocks
			// Whoever committed before the first reveal must be able to reveal before the end.
			&& self.reveal_after_blocks <= self.contest_blocks
			&& windows
				.iter()
				.all(|blocks| (1..=MAX_WINDOW_BLOCKS).contains(blocks))
			&& (1..=MAX_OMISSION_EPOCHS).contains(&self.omission_epochs)
			&& self.compensation <= MAX_COMPENSATION
	}

	/// Part of the stake that an offence costs.
	pub fn part_of(&self, kind: OffenceKind) -> Perbill {
		match kind {
			OffenceKind::Fraud => self.fraud,
			OffenceKind::Omission => self.omission,
			OffenceKind::Withholding => self.withholding,
		}
	}
}

impl Default for ReceiptsParams {
	/// The mainnet's.
	fn default() -> Self {
		Self {
			bond: FLT.saturating_mul(10),
			unrevealed: Perbill::from_percent(10),
			reveal_after_blocks: MIN_REVEAL_AFTER,
			reveal_within_blocks: 900,
			contest_blocks: 900,
			show_blocks: 900,
			post_blocks: 900,
			fraud: Perbill::from_percent(50),
			omission: Perbill::from_percent(5),
			withholding: Perbill::from_percent(5),
			omission_epochs: 2,
			reward: Perbill::from_percent(30),
			compensation: Perbill::from_percent(50),
		}
	}
}

//! The parameters that governance sets.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{Balance, BlockNumber, FLT};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Longest time that parameters may name, so that no sum of blocks overflows.
const MAX_BLOCKS: BlockNumber = 1 << 20;

/// Parameters that governance sets.
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
#[serde(deny_unknown_fields)]
pub struct AnchorParams {
	/// Least FLT of a withdrawal: claiming less costs more than it is worth.
	#[serde(with = "millrace_primitives::decimal")]
	pub min_withdrawal: Balance,
	/// Most FLT that is sent to the anchor in an epoch.
	#[serde(with = "millrace_primitives::decimal")]
	pub withdraw_per_epoch: Balance,
	/// Most FLT that is unlocked for deposits in an epoch: what can be lost before a false attestation
	/// is noticed. A deposit above it is paid in parts.
	#[serde(with = "millrace_primitives::decimal")]
	pub release_per_epoch: Balance,
	/// Burnt for each message to the anchor: its row stays for ever.
	#[serde(with = "millrace_primitives::decimal")]
	pub message_fee: Balance,
	/// Burnt for each byte that a message carries for a contract.
	#[serde(with = "millrace_primitives::decimal")]
	pub byte_fee: Balance,
	/// Blocks after its attestation in which a message must be delivered.
	pub deliver_blocks: BlockNumber,
	/// Longest pause.
	pub max_pause_blocks: BlockNumber,
}

impl AnchorParams {
	/// Whether the parameters make sense together.
	pub fn is_valid(&self) -> bool {
		let times = [self.deliver_blocks, self.max_pause_blocks];
		self.min_withdrawal > 0
			&& self.withdraw_per_epoch >= self.min_withdrawal
			&& self.release_per_epoch > 0
			&& times.iter().all(|blocks| (1..=MAX_BLOCKS).contains(blocks))
	}
}

impl Default for AnchorParams {
	/// The mainnet's.
	fn default() -> Self {
		Self {
			min_withdrawal: FLT / 100,
			withdraw_per_epoch: FLT.saturating_mul(100_000),
			release_per_epoch: FLT.saturating_mul(100_000),
			message_fee: FLT * 6 / 100,
			byte_fee: FLT / 10_000,
			deliver_blocks: 1_200,
			max_pause_blocks: 201_600,
		}
	}
}

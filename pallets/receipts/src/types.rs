//! What the pallet stores and says.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{audit::RECEIPTS_PER_AUDIT, execution::SignedReceipt, EpochIndex};
use scale_info::TypeInfo;

/// Receipts that were opened in one audit, and hold.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Opening {
	/// The epoch whose report was audited.
	pub epoch: EpochIndex,
	/// The receipts.
	pub receipts: BoundedVec<SignedReceipt, ConstU32<RECEIPTS_PER_AUDIT>>,
}

/// Why an opened receipt does not hold.
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
)]
pub enum OpeningError {
	/// More or fewer receipts were opened than drawn.
	Count,
	/// It does not lead to the report's root at the drawn index.
	Path,
	/// Its number is not the index of its leaf.
	Sequence,
	/// It is of another chain.
	Genesis,
	/// It is of another fork: its seed is not the epoch's.
	Seed,
	/// It is of another peer.
	Peer,
	/// It is of another epoch than the report.
	Epoch,
	/// Its block lies outside its epoch.
	Block,
	/// No key of the peer that counted at its block signed it.
	Signature,
	/// The peer did not work for the deal in the epoch.
	Worker,
	/// The deal runs another package.
	Package,
	/// It took more gas than the deal allows a call.
	Gas,
	/// It names another engine profile than the chain's.
	Profile,
	/// Its response or transcript is none that a call of its status leaves.
	Outcome,
}

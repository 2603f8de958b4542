//! What is remembered of workers that have left.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{report::MAX_DEALS_PER_PEER, DealId, EpochIndex};
use scale_info::TypeInfo;

/// Times that a peer worked for deals which it has left, oldest first. With those that it works for
/// they are what one report holds, so that all of them have room whose receipts an audit may open.
pub type PastWorkList = BoundedVec<PastWork, ConstU32<MAX_DEALS_PER_PEER>>;

/// A time in which a peer worked for a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct PastWork {
	/// The deal.
	pub deal: DealId,
	/// The epoch in which the peer went live.
	pub first: EpochIndex,
	/// The last epoch of which it may have signed receipts.
	pub last: EpochIndex,
}

impl PastWork {
	/// Whether the peer worked for the deal in an epoch.
	pub fn contains(&self, epoch: EpochIndex) -> bool {
		(self.first..=self.last).contains(&epoch)
	}

	/// Whether an audit may still open receipts of it: those of an epoch are opened in the next one.
	pub fn may_be_opened(&self, now: EpochIndex) -> bool {
		self.last.saturating_add(1) >= now
	}
}

//! Records of probes.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	peer::PeerId,
	probe::{Moment, ProbeBody},
	Balance, BlockNumber, DealId, EpochIndex, H256,
};
use scale_info::TypeInfo;

/// Most probes of one worker in an epoch. Each costs a bond, of which a part is burnt if it is answered.
pub const MAX_PROBES_PER_EPOCH: u32 = 16;
/// Exclusions for which a failed probe is remembered: while the peer may not be matched to the deal, and
/// for as long again.
pub const FAILURE_MEMORY: EpochIndex = 2;

/// An open probe of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Probe<AccountId> {
	/// Who asks.
	pub prober: AccountId,
	/// Body of the request.
	pub body: ProbeBody,
	/// What a receipt names the request by.
	pub request: H256,
	/// Held of the prober.
	pub bond: Balance,
	/// What of it burns if it is answered.
	pub burn: Balance,
	/// The block in which it was made.
	pub at: BlockNumber,
	/// The epoch of that block, which is not paid unless it is answered.
	pub epoch: EpochIndex,
	/// The last block in which it can be answered.
	pub deadline: Moment,
	/// First paid epoch of the worker: it names the assignment. Another one of the same peer to the
	/// same deal has nothing to answer.
	pub since: EpochIndex,
}

/// What is remembered of the probes of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ProbeRecord<AccountId> {
	/// The epoch that the next speaks of.
	pub epoch: EpochIndex,
	/// Who has probed it in that epoch.
	pub probers: BoundedVec<AccountId, ConstU32<MAX_PROBES_PER_EPOCH>>,
	/// The epoch in which a probe of it failed: the last one in which it may have answered calls.
	pub failed: Option<EpochIndex>,
}

impl<AccountId> Default for ProbeRecord<AccountId> {
	fn default() -> Self {
		Self {
			epoch: 0,
			probers: BoundedVec::new(),
			failed: None,
		}
	}
}

/// Place of a probe in the queue of those that are open. Its bytes are big-endian, so the order of raw
/// keys is that of the deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ProbeKey {
	epoch: [u8; 4],
	position: [u8; 4],
	deal: [u8; 8],
	peer: PeerId,
}

impl ProbeKey {
	/// The place of a probe of a worker.
	pub fn new(deadline: Moment, deal: DealId, peer: PeerId) -> Self {
		Self {
			epoch: deadline.epoch.to_be_bytes(),
			position: deadline.position.to_be_bytes(),
			deal: deal.to_be_bytes(),
			peer,
		}
	}

	/// The last block in which it can be answered.
	pub fn deadline(&self) -> Moment {
		Moment {
			epoch: EpochIndex::from_be_bytes(self.epoch),
			position: u32::from_be_bytes(self.position),
		}
	}

	/// The worker.
	pub fn worker(&self) -> (DealId, PeerId) {
		(DealId::from_be_bytes(self.deal), self.peer)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#[test]
		fn probes_stand_in_the_order_of_their_deadlines(
			a in any::<(u32, u32, u64)>(), b in any::<(u32, u32, u64)>(),
		) {
			let key = |(epoch, position, deal)| {
				ProbeKey::new(Moment { epoch, position }, deal, PeerId::default())
			};
			prop_assert_eq!(key(a).encode().cmp(&key(b).encode()), a.cmp(&b));
			prop_assert_eq!(key(a).deadline(), Moment { epoch: a.0, position: a.1 });
			prop_assert_eq!(key(a).worker(), (a.2, PeerId::default()));
		}
	}
}

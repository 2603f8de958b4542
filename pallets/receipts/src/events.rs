//! What the pallet tells of: the part of its module that lists events.

use frame_support::pallet_macros::pallet_section;

/// The events. [`crate::pallet`] imports them.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A peer opened receipts in an audit, and the chain keeps them.
		ReceiptsOpened {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// How many are kept.
			kept: u32,
		},
		/// A peer opened receipts in an audit that do not hold.
		OpeningRefused {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// What did not hold first.
			reason: OpeningError,
		},
		/// An account committed to a challenge that nobody can read yet.
		ChallengeCommitted {
			/// The challenger.
			who: T::AccountId,
			/// The commitment.
			commitment: H256,
			/// What is held for it.
			bond: Balance,
		},
		/// A commitment was not revealed in time, and part of its bond burnt.
		CommitForfeited {
			/// The challenger.
			who: T::AccountId,
			/// The commitment.
			commitment: H256,
			/// What burnt.
			burnt: Balance,
		},
		/// A challenge was proven. Its bond is free again.
		ChallengeProven {
			/// The case.
			case: CaseId,
			/// Who leads: the earliest commitment that was revealed.
			leader: T::AccountId,
			/// Last block in which an earlier commitment can take the lead, if no migration comes
			/// between.
			contest_until: BlockNumber,
		},
		/// A commitment to a case that stands was revealed.
		ChallengeJoined {
			/// The case.
			case: CaseId,
			/// The challenger.
			who: T::AccountId,
			/// Whether it is the earliest now.
			leads: bool,
		},
		/// A challenge came to nothing because the peer pays for another of that epoch and kind, or
		/// because an earlier one asks for the same. Its bond is free again.
		ChallengeMoot {
			/// The case.
			case: CaseId,
			/// The challenger.
			who: T::AccountId,
		},
		/// A challenge was false. Its bond is gone.
		ChallengeRefuted {
			/// The case.
			case: CaseId,
			/// The challenger.
			who: T::AccountId,
			/// What of the bond burnt.
			burnt: Balance,
			/// What of it the peer's provider got.
			provider: Balance,
		},
		/// A call could not be run again to its end. The bond is free again, and nobody pays.
		ChallengeInconclusive {
			/// The case.
			case: CaseId,
			/// The challenger.
			who: T::AccountId,
		},
		/// A receipt is said to be left out of a report; the peer is asked to show its leaf.
		LeafAsked {
			/// The case.
			case: CaseId,
			/// Index of the leaf.
			seq: u32,
			/// The challenger.
			who: T::AccountId,
			/// Last block in which it can be shown, if no migration comes between.
			deadline: BlockNumber,
		},
		/// A peer's stake was charged for a case.
		CaseConcluded {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// The offence.
			kind: OffenceKind,
			/// Who is rewarded from it.
			leader: T::AccountId,
			/// What was taken.
			amount: Balance,
		},
		/// Data of an opened receipt are demanded of its peer.
		DataDemanded {
			/// The peer.
			peer: PeerId,
			/// Epoch of the receipt.
			epoch: EpochIndex,
			/// Number of the receipt.
			seq: u32,
			/// What is wanted.
			wanted: Wanted,
			/// Who demands.
			who: T::AccountId,
			/// Last block in which they can be posted, if no migration comes between.
			deadline: BlockNumber,
		},
		/// A peer posted what was demanded: it stands in this block.
		DataPosted {
			/// The peer.
			peer: PeerId,
			/// Epoch of the receipt.
			epoch: EpochIndex,
			/// Number of the receipt.
			seq: u32,
			/// What was wanted.
			wanted: Wanted,
		},
		/// A peer did not post what was demanded. Its receipt is void, and its stake was charged
		/// unless it has paid for the epoch already.
		DataWithheld {
			/// The peer.
			peer: PeerId,
			/// Epoch of the receipt.
			epoch: EpochIndex,
			/// Number of the receipt.
			seq: u32,
			/// What was wanted.
			wanted: Wanted,
			/// What was taken.
			amount: Balance,
		},
		/// A package was posted by another peer, so that nobody waits for this one.
		DemandMoot {
			/// The peer.
			peer: PeerId,
			/// Epoch of the receipt.
			epoch: EpochIndex,
			/// Number of the receipt.
			seq: u32,
			/// What was wanted.
			wanted: Wanted,
		},
		/// Governance set the parameters for what is committed and demanded from now on.
		ParamsSet {
			/// What they are.
			params: ReceiptsParams,
		},
	}
}

//! What the pallet tells of: the part of its module that lists events.

use frame_support::pallet_macros::pallet_section;

/// The events. [`crate::pallet`] imports them.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A provider promised units; the stake is to follow.
		CommitmentCreated {
			/// The peer.
			peer: PeerId,
			/// Its owner.
			provider: T::AccountId,
			/// Units promised.
			units: u32,
			/// Last epoch in which the stake can come.
			deadline: EpochIndex,
		},
		/// A round was opened: stakers can sign it.
		RoundOpened {
			/// The peer.
			peer: PeerId,
			/// What they sign.
			terms: StakerTerms,
			/// Stake that it needs.
			needed: Balance,
			/// Last epoch in which the stake can come.
			deadline: EpochIndex,
		},
		/// A staker signed a round.
		StakePledged {
			/// The peer.
			peer: PeerId,
			/// Who.
			staker: T::AccountId,
			/// Of its stake in the commitment, what stays.
			keep: Balance,
			/// What was put on hold besides.
			add: Balance,
		},
		/// The whole stake of a new commitment came: it binds.
		Staked {
			/// The peer.
			peer: PeerId,
			/// What is on hold for it.
			amount: Balance,
			/// First epoch that is owed.
			start: EpochIndex,
			/// First epoch that is not.
			end: EpochIndex,
		},
		/// The round of a commitment that stands is full: the change is bound to come.
		ChangeAgreed {
			/// The peer.
			peer: PeerId,
			/// The change.
			change: Change,
		},
		/// An agreed change came into effect.
		ChangeApplied {
			/// The peer.
			peer: PeerId,
			/// The change.
			change: Change,
		},
		/// Slashes left too little stake for an agreed change: it is void, and its round can be
		/// cancelled.
		ChangeVoided {
			/// The peer.
			peer: PeerId,
			/// First epoch that the change was for.
			at: EpochIndex,
		},
		/// A round is gone; what was put on hold for it is free again.
		RoundCancelled {
			/// The peer.
			peer: PeerId,
			/// What it was for.
			kind: RoundKind,
			/// Paid out of the deposit to who cancelled.
			bounty: Balance,
		},
		/// A commitment that never was staked in full is gone.
		CommitmentCancelled {
			/// The peer.
			peer: PeerId,
		},
		/// A peer reported an epoch.
		Reported {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// Idle units proven.
			idle: u32,
			/// Units at work proven.
			busy: u32,
		},
		/// A peer was drawn for an audit and owes an answer before the epoch closes.
		PeerDrawn {
			/// The peer.
			peer: PeerId,
			/// The epoch whose report was drawn.
			epoch: EpochIndex,
		},
		/// A drawn peer opened what it was asked for, and everything held.
		AuditPassed {
			/// The peer.
			peer: PeerId,
			/// The epoch whose report was drawn.
			epoch: EpochIndex,
		},
		/// A drawn peer answered, and what it opened did not hold.
		AuditFailed {
			/// The peer.
			peer: PeerId,
			/// The epoch whose report was drawn.
			epoch: EpochIndex,
			/// What did not hold first.
			reason: AuditFailure,
		},
		/// An epoch that a peer reported is settled for good.
		EpochSettled {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// Units that were owed and do not count as proven.
			missed: u32,
			/// Whether the epoch costs no misses, because too much of the network was missing.
			excused: bool,
			/// Stake that was taken at once.
			slashed: Balance,
			/// Stake that was taken and waits.
			waiting: Balance,
			/// Reward, for all owners of the stake together.
			rewarded: Balance,
			/// Whether the report counted for nothing, because its audit was failed or unanswered.
			void: bool,
		},
		/// Epochs that a peer did not report are settled for good.
		SilenceSettled {
			/// The peer.
			peer: PeerId,
			/// The first of them.
			first: EpochIndex,
			/// The last of them.
			last: EpochIndex,
			/// How many of them cost no misses.
			excused: u32,
			/// Stake that was taken.
			slashed: Balance,
		},
		/// A commitment is over; its stake unbonds.
		CommitmentEnded {
			/// The peer.
			peer: PeerId,
			/// Whether it failed before its end.
			failed: bool,
		},
		/// A slash left the stake and waits.
		SlashWaits {
			/// The peer.
			peer: PeerId,
			/// Index of the slash.
			slash: SlashId,
			/// The epoch that it is for.
			epoch: EpochIndex,
			/// What was taken.
			amount: Balance,
			/// First epoch in which it can be applied.
			due: EpochIndex,
		},
		/// A slash that waited was applied.
		SlashApplied {
			/// The peer.
			peer: PeerId,
			/// Index of the slash.
			slash: SlashId,
			/// What burnt.
			burnt: Balance,
			/// What the reporter of the offence got of it.
			reporter: Balance,
			/// What the caller got of it.
			bounty: Balance,
		},
		/// Governance sent a slash that waited back: the amount is free balance of its owners.
		SlashCancelled {
			/// The peer.
			peer: PeerId,
			/// Index of the slash.
			slash: SlashId,
			/// The amount.
			amount: Balance,
		},
		/// What was left of a stake is free again.
		StakeWithdrawn {
			/// The peer.
			peer: PeerId,
			/// Whose it is.
			staker: T::AccountId,
			/// The amount, without its part of the bounty.
			amount: Balance,
		},
		/// A commitment that was over is gone: all of its stake is withdrawn.
		CommitmentRemoved {
			/// The peer.
			peer: PeerId,
		},
		/// What an account had earned was paid to it.
		RewardClaimed {
			/// The account.
			account: T::AccountId,
			/// The amount.
			amount: Balance,
		},
		/// Whoever settled or withdrew for others was paid for it, out of what was moved.
		BountyPaid {
			/// The peer.
			peer: PeerId,
			/// Who.
			pusher: T::AccountId,
			/// The amount.
			amount: Balance,
		},
		/// Governance set other parameters.
		ParamsSet {
			/// The parameters.
			params: CapacityParams,
		},
		/// The provider equivocated as a validator, and a commitment paid for it: at once, or by a
		/// slash that waits.
		EquivocationCharged {
			/// The peer.
			peer: PeerId,
			/// The epoch in which it happened.
			epoch: EpochIndex,
			/// What was taken.
			amount: Balance,
		},
		/// Another pallet found an offence, and the commitment paid for it: at once, or by a slash that
		/// waits if it is 5 % or more of what was committed.
		OffenceCharged {
			/// The peer.
			peer: PeerId,
			/// The epoch in which it happened.
			epoch: EpochIndex,
			/// What was taken; part of it goes to the reporter.
			amount: Balance,
		},
	}
}

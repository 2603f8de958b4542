//! Why the pallet refuses a call, and what to do about it: the part of its module that lists errors.

use frame_support::pallet_macros::pallet_section;

/// The errors. [`crate::pallet`] imports them.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// No such peer is registered. Register it with the providers pallet first.
		UnknownPeer,
		/// The peer belongs to another account. Only its provider may do this.
		NotProvider,
		/// The peer already has a commitment. It must be cancelled or withdrawn before another.
		AlreadyCommitted,
		/// The peer has no commitment. Create one first.
		NoCommitment,
		/// A commitment is for at least one unit and at most 65 536.
		UnitsOutOfRange,
		/// The duration is shorter or longer than the parameters allow, or shorter than the unbonding
		/// of those whom a renewal lets go.
		DurationOutOfRange,
		/// The stake of so many units is more than any balance. Promise fewer.
		StakeTooLarge,
		/// Providers must bring a larger part of the stake themselves: see the parameters.
		OwnPartOutOfRange,
		/// The peer has no open round. The provider opens one by creating, growing or extending.
		NoRound,
		/// The peer has a round that is not over: an open one must be filled or cancelled first, a
		/// full one takes effect first.
		RoundOpen,
		/// The round is full and takes effect: it can neither be staked in nor cancelled.
		RoundAgreed,
		/// The deadline for the stake has passed. Cancel the round and open another.
		Lapsed,
		/// The deadline for the stake has not passed; until then only the provider may cancel.
		NotLapsed,
		/// The terms are not the round's. Read the round, and sign what it says if you agree to it.
		TermsDiffer,
		/// The provider lets only invited accounts stake in this round.
		NotInvited,
		/// The commitment has all delegators that it can have, or a renewal keeps the places that are
		/// left for those who have a stake. Try again in the round's last epoch.
		NoPlace,
		/// The stake is nothing, or less than the missing stake divided by the free places.
		StakeTooSmall,
		/// The stake is more than is missing, or would take of what only the provider can bring, or of
		/// what a renewal keeps for those who have a stake. Try again in the round's last epoch.
		StakeTooMuch,
		/// The provider's own part of the stake would be smaller than the terms ask for.
		OwnPartTooSmall,
		/// Only what is left of a stake can be kept, only in a renewal, and it is said with the first
		/// signature.
		KeepTooMuch,
		/// The commitment does not bind: it waits for its stake, is over or about to be.
		NotActive,
		/// The last change of the commitment is too fresh: stake that came with it must have answered
		/// for a challenge period alone. Try again some epochs later.
		ChangedTooRecently,
		/// A renewal that raises the commission must be opened earlier before the end, so that
		/// delegators can decide.
		NoticeTooShort,
		/// Every closed epoch of this commitment is settled, and there is nothing else to take. Try
		/// again when another epoch has closed.
		NothingToSettle,
		/// The commitment is not over, so its stake still stands behind it.
		StillActive,
		/// The stake still answers for what was done: wait for the end of the unbonding and of the
		/// challenge period, and for the cases that are open against the peer.
		StillBonded,
		/// Slashes of this commitment wait. They must be applied or cancelled first; `settle` it if
		/// none is listed, because its provider has equivocated since, or because its last report did
		/// not pass its audit.
		SlashesWait,
		/// Nothing of what the account earned has vested since its last claim.
		NothingToClaim,
		/// No such slash waits; it may have been applied or cancelled.
		UnknownSlash,
		/// The slash still waits, so that governance can look at it. Try again when it is due.
		SlashNotDue,
		/// The report is not the one that the chain kept the hash of.
		OtherReport,
		/// More or fewer solutions were opened than drawn.
		SolutionCount,
		/// The path of a solution is longer or shorter than the way from its leaf to the root.
		SolutionPathLength,
		/// A solution does not lead to the report's root at the drawn index.
		SolutionPath,
		/// Something that cannot be is so. Please report it.
		Defensive,
	}
}

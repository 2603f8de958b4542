//! Why the pallet refuses a call, and what to do about it: the part of its module that lists errors.

use frame_support::pallet_macros::pallet_section;

/// The errors. [`crate::pallet`] imports them.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// The account has as many open commitments as it can have. Reveal or forget one first.
		TooManyCommits,
		/// The account has made this commitment already. Take another salt.
		AlreadyCommitted,
		/// The account has no such commitment: case, salt and account must be those that were hashed.
		NoCommit,
		/// The commitment is too fresh. Reveal it some blocks later.
		TooEarly,
		/// The time to reveal the commitment is over. Forget it, and commit again.
		TooLate,
		/// The commitment can still be revealed. Wait until its time is over.
		StillRevealable,
		/// The evidence is of another charge, peer, epoch or receipt than what was committed to.
		OtherCase,
		/// Nobody has revealed evidence of this case yet. Bring some.
		NoEvidence,
		/// The evidence is not signed by the peer on this chain, or its parts do not hash to what the
		/// receipt names.
		BadEvidence,
		/// The evidence does not show what it should: the receipt keeps to everything that can be
		/// seen, or the two do not share a number.
		NotFalse,
		/// No stake of the peer answers for the epoch any more, or the time for such claims is over.
		PeriodOver,
		/// The peer did not report the epoch, so that it can leave nothing out.
		NoReport,
		/// The report is not the one that the chain kept the hash of.
		OtherReport,
		/// The call is beyond what the chain runs again: its gas, memory, request, response or
		/// profile.
		NotReplayable,
		/// A call was run again in this block already. Reveal in the next one.
		BlockTaken,
		/// The peer is asked for as many leaves as it can be asked for at once. Try again when one
		/// is shown or its time is over.
		TooManyShows,
		/// A case of an epoch long ago is still open. Conclude it first.
		OlderCaseOpen,
		/// There is no such case, or it is concluded.
		NoCase,
		/// An earlier commitment can still take the lead. Wait until the contest is over.
		ContestOpen,
		/// There is no such claim: it was refuted, or is closed.
		NoShow,
		/// The peer can still answer. Wait until its time is over.
		StillOpen,
		/// The peer opened no such receipt in an audit that is remembered, or it is void.
		NotOpened,
		/// The receipt's deal grants calls more than the chain runs again. Its data are not kept for
		/// challengers.
		Unverified,
		/// Not everybody may call the receipt's deal, so that its data are for the deal's owner alone: for
		/// whoever owned it when the receipt was opened.
		NotClient,
		/// The call had no outside effects, so that its transcript is empty and known.
		NoTranscript,
		/// These data are demanded already. They will stand in a block.
		AlreadyDemanded,
		/// These data were demanded before: they were posted, or the receipt is void.
		AlreadyAnswered,
		/// The package was posted before: see `Posted` for the block.
		AlreadyPosted,
		/// As many demands are open as the chain has room for. Try again later.
		TooManyDemands,
		/// There is no such demand: it is answered, or over.
		NoDemand,
		/// Something that cannot be is so. Please report it.
		Defensive,
	}
}

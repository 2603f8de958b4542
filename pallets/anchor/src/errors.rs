//! Why the pallet refuses a call, and what to do about it: the part of its module that lists errors.

use frame_support::pallet_macros::pallet_section;

/// The errors. [`crate::pallet`] imports them.
#[pallet_section]
mod errors {
	#[pallet::error]
	pub enum Error<T> {
		/// The pallet is paused. Wait until the block that its status names.
		Paused,
		/// The pallet is not paused. There is nothing to end.
		NotPaused,
		/// The pause is longer than parameters admit. Ask for less, and again later.
		PauseTooLong,
		/// Governance has named no contract yet. Wait until it has.
		NoAnchor,
		/// The address is zero, where nobody could claim anything.
		ZeroAddress,
		/// The amount is under the least of a withdrawal. Withdraw more at once.
		TooLittle,
		/// As much FLT as may has gone to the anchor in this epoch, or would have by this. Withdraw
		/// less, or in the next epoch.
		OutflowLimit,
		/// As many messages as may were sent in this block. Send it again in the next one.
		OutboxFull,
		/// The account cannot pay what is burnt or locked without going under the existential deposit.
		FundsTooLow,
		/// Nobody had this key in the session, or has this number in the present one.
		NoVoter,
		/// The validator has voted so already. There is nothing to do.
		AlreadyVoted,
		/// The messages do not lead to an attested accumulator. Deliver all up to an attested place.
		NotAttested,
		/// Too many forced messages wait. Deliver some blocks later.
		ForcedQueueFull,
		/// No deposit waits under this number: it is paid, or was never delivered.
		NotParked,
		/// As much FLT as may was unlocked in this epoch. Release the deposit in the next one.
		InflowLimit,
		/// The recipient's account cannot take it: most likely it is not there, and the amount is
		/// under the existential deposit. Give it something first.
		CannotReceive,
		/// The votes do not contradict each other: round and number must be the same, and the
		/// accumulator not.
		NoConflict,
		/// A vote is not signed by the key on this chain and for this contract.
		BadSignature,
		/// The conflict was punished already.
		KnownConflict,
		/// Messages went through the contract, so that FLT stands there. It stays.
		AnchorInUse,
		/// A sum is too large. Please report it.
		Arithmetic,
	}
}

//! Why the pool refuses free transactions of this pallet: the codes of `InvalidTransaction::Custom`.

use crate::{Config, Error};

/// There is no programme.
pub const NO_PROGRAMME: u8 = 60;
/// The programme's last block has passed.
pub const PROGRAMME_OVER: u8 = 61;
/// The path does not lead from this reward to the programme's root.
pub const NOT_IN_TREE: u8 = 62;
/// The reward was claimed.
pub const CLAIMED_ALREADY: u8 = 63;
/// Less than this reward is left of the programme.
pub const POOL_EXHAUSTED: u8 = 64;
/// The account has as many locks as there can be.
pub const TOO_MANY_LOCKS: u8 = 65;
/// The account cannot be paid so little, because it does not exist yet, or so much.
pub const NOT_PAYABLE: u8 = 66;
/// The signature is not the account's, for this reward of this programme.
pub const BAD_SIGNATURE: u8 = 67;
/// No lock of the account is over.
pub const NOTHING_TO_RELEASE: u8 = 68;

/// The code of what a claim would be refused with in a block.
pub(crate) fn of_claim<T: Config>(error: &Error<T>) -> u8 {
	match error {
		Error::ProgrammeOver => PROGRAMME_OVER,
		Error::NotInTree => NOT_IN_TREE,
		Error::ClaimedAlready => CLAIMED_ALREADY,
		Error::PoolExhausted => POOL_EXHAUSTED,
		Error::TooManyLocks => TOO_MANY_LOCKS,
		Error::NotPayable => NOT_PAYABLE,
		// A claim is refused with none of the others.
		_ => NO_PROGRAMME,
	}
}

//! Why a duty is refused before it enters a block: the codes of `InvalidTransaction::Custom`.
//!
//! Codes below 50 belong to other pallets' duties.

use frame_support::pallet_prelude::{InvalidTransaction, TransactionValidityError};

/// Governance has named no contract yet.
pub const NO_ANCHOR: u8 = 50;
/// The pallet is paused. `AnchorApi_status` tells until when.
pub const PAUSED: u8 = 51;
/// The vote is of another round or session. Sign it anew.
pub const OTHER_SESSION: u8 = 52;
/// The number is delivered, or attested, or so far ahead that it cannot be voted on yet. Whoever sees
/// more messages than that votes on the last number that can be voted on.
pub const NOT_VOTABLE: u8 = 53;
/// Nobody has this number in the present session.
pub const NO_VOTER: u8 = 54;
/// The signature is not the voter's over this vote on this chain.
pub const BAD_SIGNATURE: u8 = 55;
/// The voter has voted on this number. Whoever sends a duty again may take that as success.
pub const ALREADY_VOTED: u8 = 56;
/// The messages do not lead from the chain's accumulator to an attested one: they are delivered, or not
/// attested yet, or not the contract's.
pub const NOT_ATTESTED: u8 = 57;
/// Too many forced messages wait. Deliver some blocks later.
pub const QUEUE_FULL: u8 = 58;

/// The error of a refused duty.
pub(crate) fn refuse(code: u8) -> TransactionValidityError {
	TransactionValidityError::Invalid(InvalidTransaction::Custom(code))
}

//! Why a duty is refused before it enters a block: the codes of `InvalidTransaction::Custom`.
//!
//! Codes below 10 belong to capacity's duties, those from 10 to 19 to the market's.

use frame_support::pallet_prelude::{InvalidTransaction, TransactionValidityError};

/// No key of the peer counts at this block. Register the peer, or wait a block after a rotation.
pub const UNKNOWN_PEER: u8 = 20;
/// The signature is not the peer's key's over this duty, this peer and this chain.
pub const BAD_SIGNATURE: u8 = 21;
/// No such claim or demand stands: it was never made, or is answered or decided. Whoever sends a
/// duty again may take that as success.
pub const NOT_ASKED: u8 = 22;
/// The time for the answer is over.
pub const WINDOW_CLOSED: u8 = 23;
/// The report is not the one that the chain kept the hash of.
pub const OTHER_REPORT: u8 = 24;
/// The path does not lead from the receipt, at the index that is its number, to the report's root.
pub const BAD_PATH: u8 = 25;
/// There are more bytes than the demand has paid for.
pub const TOO_LARGE: u8 = 26;
/// The data are not what the receipt names.
pub const OTHER_DATA: u8 = 27;

/// The error of a refused duty.
pub(crate) fn refuse(code: u8) -> TransactionValidityError {
	TransactionValidityError::Invalid(InvalidTransaction::Custom(code))
}

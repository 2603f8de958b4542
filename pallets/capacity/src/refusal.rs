//! Why a duty is refused before it enters a block: the codes of `InvalidTransaction::Custom`.
//!
//! Codes from 10 on belong to the market's duties.

use frame_support::pallet_prelude::{InvalidTransaction, TransactionValidityError};

/// No key of the peer counts at this block. Register the peer, or wait a block after a rotation.
pub const UNKNOWN_PEER: u8 = 1;
/// The signature is not the peer's key's over this duty, this peer and this chain.
pub const BAD_SIGNATURE: u8 = 2;
/// Only the epoch that has just ended can be reported, only its report audited.
pub const WRONG_EPOCH: u8 = 3;
/// The duty's window is closed at this block, or not open yet.
pub const WINDOW_CLOSED: u8 = 4;
/// The duty is done. Whoever sends it again may take that as success.
pub const ALREADY_SENT: u8 = 5;
/// The peer has no commitment that owes the epoch.
pub const NO_COMMITMENT: u8 = 6;
/// The peer was not drawn for an audit of the epoch.
pub const NOT_DRAWN: u8 = 7;
/// The report claims more units than the peer owed.
pub const TOO_MANY_UNITS: u8 = 8;
/// The report's deals are not in strictly ascending order.
pub const BAD_REPORT: u8 = 9;

/// The error of a refused duty.
pub(crate) fn refuse(code: u8) -> TransactionValidityError {
	TransactionValidityError::Invalid(InvalidTransaction::Custom(code))
}

//! Calls of the Capacity pallet: commitments, and the duties of a committed peer.

use super::Call;
use millrace_primitives::{
	audit::AuditAnswer,
	peer::{PeerId, PeerSignature},
	report::Report,
};

const PALLET: &str = "Capacity";

/// Promises `units` of a peer for `duration_epochs`; waits for the stake.
pub fn create(peer: PeerId, units: u32, duration_epochs: u32) -> Call {
	Call::new(PALLET, "create", (peer, units, duration_epochs))
}

/// Puts the signer's stake behind a pending commitment.
pub fn stake(peer: PeerId) -> Call {
	Call::new(PALLET, "stake", peer)
}

/// Takes back a pending commitment.
pub fn cancel(peer: PeerId) -> Call {
	Call::new(PALLET, "cancel", peer)
}

/// Duty: the report of the epoch before; `signature` is over [`Report::hash`].
pub fn report(peer: PeerId, report: &Report, signature: PeerSignature) -> Call {
	Call::new(PALLET, "report", (peer, report, signature))
}

/// Duty: the answer to an audit; `signature` is over [`AuditAnswer::hash`].
pub fn answer_audit(peer: PeerId, answer: &AuditAnswer, signature: PeerSignature) -> Call {
	Call::new(PALLET, "answer_audit", (peer, answer, signature))
}

/// Settles closed epochs of a peer.
pub fn settle(peer: PeerId) -> Call {
	Call::new(PALLET, "settle", peer)
}

/// Pays out what is left of the stake of a commitment that is over.
pub fn withdraw(peer: PeerId) -> Call {
	Call::new(PALLET, "withdraw", peer)
}

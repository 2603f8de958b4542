//! Calls of the Capacity pallet: commitments, those who stake, and the duties of a committed peer.

use super::Call;
use crate::AccountId;
use millrace_primitives::{
	audit::AuditAnswer,
	commitment::{Invited, SlashId, StakeOffer, StakerTerms},
	peer::{PeerId, PeerSignature},
	report::Report,
	Balance,
};

const PALLET: &str = "Capacity";

/// Promises `units` of a peer for `duration_epochs`, and opens the round in which they are staked.
pub fn create(
	peer: PeerId,
	units: u32,
	duration_epochs: u32,
	offer: &StakeOffer<AccountId>,
) -> Call {
	Call::new(PALLET, "create", (peer, units, duration_epochs, offer))
}

/// Puts stake of the signer into the peer's round, if its terms are these: `keep` of what the signer
/// has in the commitment already, which only a renewal takes, and `add` from its balance.
pub fn stake(peer: PeerId, terms: &StakerTerms, keep: Balance, add: Balance) -> Call {
	Call::new(PALLET, "stake", (peer, terms, keep, add))
}

/// Opens a round for more units of a commitment that stands.
pub fn grow(peer: PeerId, more_units: u32, invited: &Invited<AccountId>) -> Call {
	Call::new(PALLET, "grow", (peer, more_units, invited))
}

/// Opens a round for more epochs of a commitment that stands.
pub fn extend(peer: PeerId, duration_epochs: u32, offer: &StakeOffer<AccountId>) -> Call {
	Call::new(PALLET, "extend", (peer, duration_epochs, offer))
}

/// Takes back a round that is not full, and with the first one the commitment.
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

/// Settles every closed epoch of a peer.
pub fn settle(peer: PeerId) -> Call {
	Call::new(PALLET, "settle", peer)
}

/// Pays out what is left of the stake of a commitment that is over, or of those who left one.
pub fn withdraw(peer: PeerId) -> Call {
	Call::new(PALLET, "withdraw", peer)
}

/// Pays an account what its stakes earned and has vested.
pub fn claim(who: &AccountId) -> Call {
	Call::new(PALLET, "claim", who)
}

/// Lets a slash of a peer burn that has waited long enough.
pub fn apply_slash(peer: PeerId, slash: SlashId) -> Call {
	Call::new(PALLET, "apply_slash", (peer, slash))
}

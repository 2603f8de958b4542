//! Calls of the Receipts pallet: challenges, what ends them, and what an accused peer answers.

use super::Call;
use crate::AccountId;
use millrace_primitives::{
	challenge::{CaseId, Evidence, OffenceKind, Shown, Wanted},
	peer::{PeerId, PeerSignature},
	EpochIndex, H256,
};

const PALLET: &str = "Receipts";

/// Commits to a case, under [`millrace_primitives::challenge::commitment`]. The bond is held.
pub fn commit(commitment: H256) -> Call {
	Call::new(PALLET, "commit", commitment)
}

/// Reveals a case that the signer has committed to. Evidence may be left out where the case is open
/// already and the signer's commitment may be the earlier one.
pub fn reveal(case: &CaseId, salt: H256, evidence: Option<&Evidence>) -> Call {
	Call::new(PALLET, "reveal", (case, salt, evidence))
}

/// Punishes an offence that is proven, when nobody can take the lead any more.
pub fn conclude(peer: PeerId, epoch: EpochIndex, kind: OffenceKind) -> Call {
	Call::new(PALLET, "conclude", (peer, epoch, kind))
}

/// Removes somebody's commitment that was not revealed in time.
pub fn forget_commit(who: &AccountId, commitment: H256) -> Call {
	Call::new(PALLET, "forget_commit", (who, commitment))
}

/// Duty: the report holds the receipt that somebody says it leaves out; `signature` is over
/// [`millrace_primitives::challenge::shown_hash`].
pub fn show(peer: PeerId, case: &CaseId, shown: &Shown, signature: PeerSignature) -> Call {
	Call::new(PALLET, "show", (peer, case, shown, signature))
}

/// Takes an omission for proven that the peer did not refute in time.
pub fn close_show(peer: PeerId, subject: H256) -> Call {
	Call::new(PALLET, "close_show", (peer, subject))
}

/// Demands data of an opened receipt from its peer. A bond and the price of the bytes are held.
pub fn demand(peer: PeerId, epoch: EpochIndex, seq: u32, wanted: Wanted) -> Call {
	Call::new(PALLET, "demand", (peer, epoch, seq, wanted))
}

/// Duty: the data that are demanded; `signature` is over
/// [`millrace_primitives::challenge::posted_hash`].
pub fn post(
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	wanted: Wanted,
	data: &[u8],
	signature: PeerSignature,
) -> Call {
	let args = (peer, epoch, seq, wanted, data, signature);
	Call::new(PALLET, "post", args)
}

/// Punishes a peer that did not post demanded data in time.
pub fn expire_demand(peer: PeerId, epoch: EpochIndex, seq: u32, wanted: Wanted) -> Call {
	Call::new(PALLET, "expire_demand", (peer, epoch, seq, wanted))
}

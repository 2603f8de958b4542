//! Calls of the Market pallet: offers, deals and the workers' duties to go live and to give notice.

use super::Call;
use crate::AccountId;
use millrace_primitives::{
	access::{Access, RateLimit},
	billing::Voucher,
	execution::SignedReceipt,
	market::{DealSpec, OfferTerms, Package},
	peer::{PeerId, PeerSignature},
	probe::ProbeBody,
	Balance, DealId,
};

const PALLET: &str = "Market";

/// Posts the offer of a peer.
pub fn post_offer(peer: PeerId, terms: OfferTerms) -> Call {
	Call::new(PALLET, "post_offer", (peer, terms))
}

/// Takes the offer of a peer off the book; its workers work on.
pub fn withdraw_offer(peer: PeerId) -> Call {
	Call::new(PALLET, "withdraw_offer", peer)
}

/// Changes the terms of a peer's offer. A higher ask is notice to its live workers at a lower one.
pub fn update_offer(peer: PeerId, terms: OfferTerms) -> Call {
	Call::new(PALLET, "update_offer", (peer, terms))
}

/// Orders workers and prepays them.
pub fn create_deal(spec: &DealSpec<AccountId>, escrow: Balance) -> Call {
	Call::new(PALLET, "create_deal", (spec, escrow))
}

/// Adds to a deal's escrow.
pub fn top_up(deal: DealId, amount: Balance) -> Call {
	Call::new(PALLET, "top_up", (deal, amount))
}

/// Ends a deal with the present epoch.
pub fn stop(deal: DealId) -> Call {
	Call::new(PALLET, "stop", deal)
}

/// Duty: the worker serves; `signature` is over
/// [`millrace_primitives::market::go_live_hash`].
pub fn go_live(peer: PeerId, deal: DealId, signature: PeerSignature) -> Call {
	Call::new(PALLET, "go_live", (peer, deal, signature))
}

/// Gives up a worker that did not go live in time.
pub fn release_worker(deal: DealId, peer: PeerId) -> Call {
	Call::new(PALLET, "release_worker", (deal, peer))
}

/// Pays out and removes an ended deal.
pub fn close(deal: DealId) -> Call {
	Call::new(PALLET, "close", deal)
}

/// Looks for a deal's missing workers now, for a fee.
pub fn match_deal(deal: DealId) -> Call {
	Call::new(PALLET, "match_deal", deal)
}

/// Duty: the worker leaves the deal, after this epoch and the next one; `signature` is over
/// [`millrace_primitives::market::drain_hash`].
pub fn drain(peer: PeerId, deal: DealId, signature: PeerSignature) -> Call {
	Call::new(PALLET, "drain", (peer, deal, signature))
}

/// Duty: the worker redeems a voucher of the client; `signature` is over
/// [`millrace_primitives::billing::redeem_hash`].
pub fn redeem(peer: PeerId, deal: DealId, voucher: Voucher, signature: PeerSignature) -> Call {
	Call::new(PALLET, "redeem", (peer, deal, voucher, signature))
}

/// Gives a worker of the signer's deal notice, or gives up one that is not live yet. The deal does not
/// take the peer again for a while.
pub fn end_worker(deal: DealId, peer: PeerId) -> Call {
	Call::new(PALLET, "end_worker", (deal, peer))
}

/// Takes a worker that did not report the last epoch out of a deal, for a bounty from its bond.
pub fn replace(deal: DealId, peer: PeerId) -> Call {
	Call::new(PALLET, "replace", (deal, peer))
}

/// Changes how many workers a deal looks for.
pub fn resize(deal: DealId, min_workers: u32, target_workers: u32) -> Call {
	Call::new(PALLET, "resize", (deal, min_workers, target_workers))
}

/// Gives a deal of the signer another package, or other links to the one that it has.
pub fn update_package(deal: DealId, package: &Package) -> Call {
	Call::new(PALLET, "update_package", (deal, package))
}

/// Names who may take a deal of the signer over, or nobody.
pub fn name_heir(deal: DealId, heir: Option<&AccountId>) -> Call {
	Call::new(PALLET, "name_heir", (deal, heir))
}

/// Takes over a deal that its owner wants to give to the signer.
pub fn take_deal(deal: DealId) -> Call {
	Call::new(PALLET, "take_deal", deal)
}

/// Puts a deal whose escrow cannot pay the next epoch into grace.
pub fn begin_grace(deal: DealId) -> Call {
	Call::new(PALLET, "begin_grace", deal)
}

/// Changes who may call a deal of the signer, and how often.
pub fn set_access(deal: DealId, access: &Access, rate: Option<RateLimit>) -> Call {
	Call::new(PALLET, "set_access", (deal, access, rate))
}

/// Asks a call of a worker over the chain: `POST /` with this body.
pub fn probe(deal: DealId, peer: PeerId, body: &ProbeBody) -> Call {
	Call::new(PALLET, "probe", (deal, peer, body))
}

/// Duty: the worker answers a probe with the receipt of the call that it asks for.
pub fn answer_probe(peer: PeerId, deal: DealId, receipt: &SignedReceipt) -> Call {
	Call::new(PALLET, "answer_probe", (peer, deal, receipt))
}

/// Decides a probe that was not answered in time, or whose worker has left.
pub fn fail_probe(deal: DealId, peer: PeerId) -> Call {
	Call::new(PALLET, "fail_probe", (deal, peer))
}

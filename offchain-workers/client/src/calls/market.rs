//! Calls of the Market pallet: offers, deals and the workers' duty to go live.

use super::Call;
use crate::AccountId;
use millrace_primitives::{
	market::{DealSpec, OfferTerms},
	peer::{PeerId, PeerSignature},
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

//! What clients and daemons ask of the market at one block.

use alloc::vec::Vec;
use millrace_primitives::{
	market::DealSpec,
	peer::PeerId,
	views::{Assignment, DealView, OfferView, Quote, Subject, WhyNot},
	Balance, DealId,
};

sp_api::decl_runtime_apis! {
	/// Views of the market. Every answer is of one block and stops at a bound of its own.
	pub trait MarketApi<AccountId> where AccountId: codec::Codec {
		/// What the matcher would take for a specification now, and for how many epochs an escrow
		/// would pay it.
		fn quote(spec: DealSpec<AccountId>, escrow: Balance) -> Quote;
		/// The offer of a peer, whether it is in the book or not.
		fn offer(peer: PeerId) -> Option<OfferView>;
		/// A deal with its workers.
		fn deal(deal: DealId) -> Option<DealView<AccountId>>;
		/// Deals from an index on, of one owner or of all, at most a page of them.
		fn deals(owner: Option<AccountId>, from: DealId, limit: u32) -> Vec<DealView<AccountId>>;
		/// The deals that a peer works for.
		fn assignments(peer: PeerId) -> Vec<Assignment>;
		/// Why offers are not taken for a specification or a deal: that of one peer, or all from the
		/// cheapest on.
		fn why_not(subject: Subject<AccountId>, peer: Option<PeerId>) -> WhyNot;
		/// What is held of whoever makes a probe.
		fn probe_bond() -> Balance;
	}
}

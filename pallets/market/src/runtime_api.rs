//! What clients and daemons ask of the market at one block.

use crate::Reason;
use alloc::vec::Vec;
use millrace_primitives::{
	market::DealSpec,
	peer::PeerId,
	views::{Assignment, DealView, Quote},
	DealId,
};

sp_api::decl_runtime_apis! {
	/// Views of the market. Every answer is of one block and stops at a bound of its own.
	pub trait MarketApi<AccountId> where AccountId: codec::Codec {
		/// What the matcher would take for a specification now.
		fn quote(spec: DealSpec<AccountId>) -> Quote;
		/// A deal with its workers.
		fn deal(deal: DealId) -> Option<DealView<AccountId>>;
		/// Deals from an index on, of one owner or of all, at most a page of them.
		fn deals(owner: Option<AccountId>, from: DealId, limit: u32) -> Vec<DealView<AccountId>>;
		/// The deals that a peer works for.
		fn assignments(peer: PeerId) -> Vec<Assignment>;
		/// Why a peer's offer would not be taken for a specification; `None` if it could be.
		fn why_not(spec: DealSpec<AccountId>, peer: PeerId) -> Option<Reason>;
	}
}

//! What relayers and clients ask the runtime.

use crate::AnchorParams;
use alloc::vec::Vec;
use codec::Codec;
use millrace_primitives::anchor::{
	AnchorStatus, ForcedView, OutboxEntry, ParkedView, TallyView, VoterKey, H160,
};

sp_api::decl_runtime_apis! {
	/// Messages to the anchor and from it.
	pub trait AnchorApi<AccountId>
	where
		AccountId: Codec,
	{
		/// Where the chain stands with its anchor.
		fn status() -> AnchorStatus;
		/// A message to the anchor with its path to the root of its block; `None` before it is
		/// certain which messages its block has, which is when the block is over.
		fn message(nonce: u64) -> Option<OutboxEntry>;
		/// Messages to the anchor from a number on, at most 100.
		fn messages(from: u64, limit: u32) -> Vec<OutboxEntry>;
		/// Votes of the present session on places for which there is no quorum yet.
		fn tallies() -> Vec<TallyView>;
		/// A key's number among the voters of the present session.
		fn voter(key: VoterKey) -> Option<u32>;
		/// Deposits that wait to be paid, from a number on, at most 100.
		fn parked(from: u64, limit: u32) -> Vec<ParkedView<AccountId>>;
		/// Forced messages that wait for their turn, in order.
		fn forced() -> Vec<ForcedView>;
		/// The account here that belongs to an address on the anchor.
		fn account_of(address: H160) -> Option<AccountId>;
		/// Parameters for what is sent and taken from now on.
		fn params() -> AnchorParams;
	}
}

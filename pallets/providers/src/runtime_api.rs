//! What nodes and daemons ask the registry.

use alloc::vec::Vec;
use codec::Codec;
use millrace_primitives::{
	peer::{PeerId, PeerKey},
	views::PeerView,
	BlockNumber,
};

sp_api::decl_runtime_apis! {
	/// The registry of peers at a block.
	pub trait ProvidersApi<AccountId>
	where
		AccountId: Codec,
	{
		/// A peer with its present key.
		fn peer(peer: PeerId) -> Option<PeerView<AccountId>>;
		/// The peers of a provider, in the order of their registration.
		fn peers_of(provider: AccountId) -> Vec<PeerView<AccountId>>;
		/// The key whose signatures count at a block, as long as its interval is remembered. What
		/// was signed before a rotation is checked with it where the block's state is pruned.
		fn key_at(peer: PeerId, block: BlockNumber) -> Option<PeerKey>;
	}
}

//! What nodes and daemons ask the registry.

use alloc::vec::Vec;
use codec::Codec;
use millrace_primitives::{peer::PeerId, views::PeerView};

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
	}
}

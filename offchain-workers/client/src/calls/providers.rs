//! Calls of the Providers pallet: who provides, and with which machines.

use super::Call;
use millrace_primitives::peer::{PeerId, PeerKey, PeerSignature};

const PALLET: &str = "Providers";

/// Registers the signer as a provider under a name of at most 64 bytes.
pub fn register_provider(name: &str) -> Call {
	Call::new(PALLET, "register_provider", name.as_bytes())
}

/// Removes the signer, who must not own a peer any more.
pub fn remove_provider() -> Call {
	Call::new(PALLET, "remove_provider", ())
}

/// Registers a peer: `proof` is its key's signature over
/// [`millrace_primitives::peer::key_proof`].
pub fn register_peer(key: PeerKey, proof: PeerSignature, endpoint: &str) -> Call {
	Call::new(PALLET, "register_peer", (key, proof, endpoint.as_bytes()))
}

/// Moves a peer to another URL.
pub fn set_endpoint(peer: PeerId, endpoint: &str) -> Call {
	Call::new(PALLET, "set_endpoint", (peer, endpoint.as_bytes()))
}

/// Gives a peer a new key, which signs from the next block on; `proof` is the new key's.
pub fn rotate_key(peer: PeerId, new_key: PeerKey, proof: PeerSignature) -> Call {
	Call::new(PALLET, "rotate_key", (peer, new_key, proof))
}

/// Removes a peer on which nothing stands any more.
pub fn remove_peer(peer: PeerId) -> Call {
	Call::new(PALLET, "remove_peer", peer)
}

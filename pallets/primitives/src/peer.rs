//! Peers: machines, named by the hash of their first key for ever.

use crate::{hash, H256};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most peers that a provider may own.
pub const MAX_PEERS: u32 = 256;
/// Longest endpoint: a URL fits, a document does not.
pub const MAX_ENDPOINT: u32 = 256;
/// Most keys of a peer whose intervals are remembered at once: rotation waits until the oldest
/// has left the challenge period.
pub const MAX_KEYS: u32 = 8;

/// Ed25519 public key of a peer: signs reports and receipts, moves no stake.
pub type PeerKey = [u8; 32];
/// Ed25519 signature, as in RFC 8032, checked by ZIP 215.
pub type PeerSignature = [u8; 64];
/// Where a peer serves calls: an absolute `http://` or `https://` URL in ASCII.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT>>;

/// Name of a peer: hash of its first key.
#[derive(
	Clone,
	Copy,
	Default,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(transparent)
)]
pub struct PeerId(pub H256);

impl PeerId {
	/// The name that a first key gives.
	pub fn from_key(key: &PeerKey) -> Self {
		Self(hash::tagged("millrace/peer-id/v1", key))
	}
}

impl core::fmt::Debug for PeerId {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "{:?}", self.0)
	}
}

impl core::fmt::Display for PeerId {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "{:?}", self.0)
	}
}

/// What a key signs to prove that its holder wants it to serve `provider`, an encoded account.
pub fn key_proof<AccountId: Encode>(genesis: H256, provider: &AccountId) -> H256 {
	hash::tagged("millrace/peer/v1", &(genesis, provider))
}

//! Records of the registry.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	peer::{Endpoint, PeerKey},
	Balance, BlockNumber,
};
use scale_info::TypeInfo;

/// Longest name of a provider in bytes.
pub const MAX_NAME: u32 = 64;

/// Name of a provider, for people; nothing depends on it and it need not be unique.
pub type Name = BoundedVec<u8, ConstU32<MAX_NAME>>;

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ProviderRecord {
	/// Its name in UTF-8.
	pub name: Name,
	/// What was held for it when it registered, and is released when it leaves.
	pub deposit: Balance,
}

/// A peer. Its keys stand apart, because signatures are checked far more often than the rest is
/// read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct PeerRecord<AccountId> {
	/// Its owner.
	pub provider: AccountId,
	/// Where it serves.
	pub endpoint: Endpoint,
	/// What was held for it when it was registered, and is released when it is removed.
	pub deposit: Balance,
}

/// The blocks in which a key signs for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct KeyInterval {
	/// The key.
	pub key: PeerKey,
	/// First block at which it counts.
	pub since: BlockNumber,
	/// Last block at which it counts; `None` for the present key.
	pub until: Option<BlockNumber>,
}

impl KeyInterval {
	/// Whether the key counts at a block.
	pub fn covers(&self, block: BlockNumber) -> bool {
		self.since <= block && self.until.is_none_or(|until| block <= until)
	}

	/// Whether nothing that was signed with the key can matter any more, where that begins with
	/// block `answerable_since`.
	pub fn is_forgotten(&self, answerable_since: BlockNumber) -> bool {
		self.until.is_some_and(|until| until < answerable_since)
	}
}

/// Whether the bytes are an absolute `http://` or `https://` URL as far as the chain looks: the
/// scheme, then at least one character, all of them visible ASCII.
///
/// Clients put paths behind an endpoint, which a query or fragment would swallow; and a user in
/// front of the host would let one host look like another.
pub(crate) fn is_endpoint(bytes: &[u8]) -> bool {
	let fits = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@');
	bytes
		.strip_prefix(b"https://")
		.or_else(|| bytes.strip_prefix(b"http://"))
		.is_some_and(|rest| !rest.is_empty() && rest.iter().all(fits))
}

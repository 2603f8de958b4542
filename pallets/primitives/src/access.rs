//! Who may call a deal, and how often: a rule of the deal that its gateways and workers keep.

use crate::{hash, peer::PeerSignature, DealId, H256};
use alloc::collections::BTreeSet;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most keys or tokens of a deal.
pub const MAX_INVOKERS: u32 = 16;
/// Most calls in the time of a [`RateLimit`]: finer steps than a microsecond cannot be counted well.
pub const MAX_RATE_CALLS: u32 = 1_000_000;
/// Longest time of a [`RateLimit`]: a day. Who counts forgets all of it when it starts anew.
pub const MAX_RATE_SECONDS: u32 = 24 * 60 * 60;
/// Seconds by which the time in an [`Invocation`] may be off, either way.
pub const INVOCATION_SECONDS: u64 = 60;
/// Shortest bearer token that a gateway or worker takes. Its hash is public, so that a token which can
/// be guessed is found: this keeps out words and dates, and no more.
pub const MIN_TOKEN_BYTES: usize = 20;
/// Longest bearer token.
pub const MAX_TOKEN_BYTES: usize = 256;

/// Public keys, or hashes of tokens, of those who may call a deal.
pub type Invokers = BoundedVec<H256, ConstU32<MAX_INVOKERS>>;

/// Who may call a deal.
#[derive(
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Access {
	/// Anybody.
	#[default]
	Open,
	/// Who signs each call with one of these Ed25519 keys: see [`Invocation`].
	Keys(Invokers),
	/// Who brings a bearer token with one of these hashes: see [`token_hash`].
	Tokens(Invokers),
}

impl Access {
	/// Whether anybody may call.
	pub fn is_open(&self) -> bool {
		matches!(self, Self::Open)
	}

	/// Whether somebody may call, and nobody is listed twice.
	pub fn is_valid(&self) -> bool {
		match self {
			Self::Open => true,
			Self::Keys(listed) | Self::Tokens(listed) => {
				let mut seen = BTreeSet::new();
				!listed.is_empty() && listed.iter().all(|invoker| seen.insert(*invoker))
			}
		}
	}
}

/// How often one invoker may call a deal: whoever holds one key or token, or comes from one address
/// where the deal is open.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RateLimit {
	/// So many calls at once.
	pub calls: u32,
	/// They come back, one by one, within so many seconds.
	pub per_seconds: u32,
}

impl RateLimit {
	/// Whether it lets somebody call, and can be counted.
	pub fn is_valid(&self) -> bool {
		(1..=MAX_RATE_CALLS).contains(&self.calls)
			&& (1..=MAX_RATE_SECONDS).contains(&self.per_seconds)
	}
}

/// What the deal keeps of a bearer token.
pub fn token_hash(token: &[u8]) -> H256 {
	hash::tagged_bytes("millrace/token/v1", token)
}

/// What an invoker's key signs to make one call. The request is named by
/// [`crate::execution::Request::hash`], so that the signature is for no other.
pub fn invoke_hash(genesis: H256, deal: DealId, request: H256, seconds: u64) -> H256 {
	hash::tagged("millrace/invoke/v1", &(genesis, deal, request, seconds))
}

/// What an invoker sends with a call of a deal that takes keys, SCALE in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Invocation {
	/// The invoker's key.
	pub key: H256,
	/// When it was signed, in seconds since 1970.
	pub seconds: u64,
	/// Signature over [`invoke_hash`].
	pub signature: PeerSignature,
}

impl Invocation {
	/// Whether it was signed about now: whoever saw it cannot use it for ever.
	pub fn is_fresh(&self, now_seconds: u64) -> bool {
		self.seconds.abs_diff(now_seconds) <= INVOCATION_SECONDS
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn listed(invokers: &[u8]) -> Invokers {
		let invokers: Vec<H256> = invokers.iter().map(|n| H256::repeat_byte(*n)).collect();
		invokers.try_into().expect("they are few")
	}

	#[test]
	fn a_deal_is_for_anybody_or_for_somebody_and_lists_nobody_twice() {
		assert!(Access::Open.is_valid() && Access::default().is_open());
		for list in [Access::Keys, Access::Tokens] {
			assert!(!list(listed(&[])).is_valid());
			assert!(list(listed(&[1])).is_valid() && !list(listed(&[1])).is_open());
			assert!(list(listed(&[2, 1])).is_valid());
			assert!(!list(listed(&[1, 2, 1])).is_valid());
		}
	}

	#[test]
	fn a_rate_lets_somebody_call_and_can_be_counted() {
		let is_valid = |calls, per_seconds| RateLimit { calls, per_seconds }.is_valid();
		assert!(is_valid(1, 1) && is_valid(MAX_RATE_CALLS, MAX_RATE_SECONDS));
		assert!(!is_valid(0, 1) && !is_valid(1, 0));
		assert!(!is_valid(MAX_RATE_CALLS + 1, 1) && !is_valid(1, MAX_RATE_SECONDS + 1));
	}

	#[test]
	fn a_signature_is_for_one_chain_deal_request_and_time() {
		let hash = |genesis, deal, request, seconds| {
			let (genesis, request) = (H256::repeat_byte(genesis), H256::repeat_byte(request));
			invoke_hash(genesis, deal, request, seconds)
		};
		let one = hash(1, 2, 3, 4);
		assert_eq!(one, hash(1, 2, 3, 4));
		for other in [
			hash(0, 2, 3, 4),
			hash(1, 0, 3, 4),
			hash(1, 2, 0, 4),
			hash(1, 2, 3, 0),
		] {
			assert_ne!(one, other);
		}
	}

	#[test]
	fn an_invocation_is_of_its_minute_either_way() {
		let invocation = Invocation {
			key: H256::zero(),
			seconds: 1_000,
			signature: [0; 64],
		};
		for (now, fresh) in [
			(1_000, true),
			(940, true),
			(1_060, true),
			(939, false),
			(1_061, false),
			(0, false),
			(u64::MAX, false),
		] {
			assert_eq!(invocation.is_fresh(now), fresh, "{now}");
		}
		// As clients that have no SCALE write it: key, time in little endian, signature.
		assert_eq!(invocation.encode().len(), 32 + 8 + 64);
	}

	#[test]
	fn a_tokens_hash_is_that_of_nothing_else() {
		assert_ne!(token_hash(b"a"), token_hash(b"b"));
		assert_ne!(token_hash(b"a"), hash::blake2_256(b"a"));
	}

	#[cfg(feature = "serde")]
	#[test]
	fn access_is_written_by_its_name() {
		let json = |access: &Access| serde_json::json!(access);
		assert_eq!(json(&Access::Open), serde_json::json!("open"));
		let text = format!("0x{}", "07".repeat(32));
		let keys = Access::Keys(listed(&[7]));
		assert_eq!(json(&keys), serde_json::json!({ "keys": [text] }));
		let read: Access = serde_json::from_value(json(&keys)).expect("it was one");
		assert_eq!(read, keys);
	}
}

//! Hashing with domain separation: BLAKE2b-256 over (tag, payload).
//!
//! The tag is SCALE-encoded, so its length is part of what is hashed and no tag can be read as the
//! beginning of a longer one.

use crate::H256;
use codec::Encode;

/// BLAKE2b with a 256-bit digest, without a key.
pub fn blake2_256(data: &[u8]) -> H256 {
	H256(sp_crypto_hashing::blake2_256(data))
}

/// Hash of a payload under a domain tag such as `millrace/report/v1`.
pub fn tagged<T: Encode>(tag: &str, payload: &T) -> H256 {
	let mut bytes = tag.as_bytes().encode();
	payload.encode_to(&mut bytes);
	blake2_256(&bytes)
}

/// Hash of raw bytes under a domain tag: what names packages, requests and responses.
pub fn tagged_bytes(tag: &str, data: &[u8]) -> H256 {
	tagged(tag, &data)
}

/// A number below `bound` from a hash, by the multiply-high of its first 8 bytes.
///
/// The bias is below `bound / 2^64`. Zero when `bound` is zero.
pub fn below(hash: H256, bound: u64) -> u64 {
	let mut first = [0u8; 8];
	first.copy_from_slice(&hash.0[..8]);
	let wide = u128::from(u64::from_le_bytes(first)).saturating_mul(u128::from(bound));
	(wide >> 64) as u64
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn tags_separate_domains() {
		assert_ne!(tagged("a", &1u8), tagged("b", &1u8));
		// A byte moved from the payload into the tag is another hash.
		assert_ne!(tagged_bytes("ab", b"c"), tagged_bytes("a", b"bc"));
	}

	#[test]
	fn below_stays_in_range_and_reaches_both_ends() {
		assert_eq!(below(H256::repeat_byte(0xff), 0), 0);
		assert_eq!(below(H256::repeat_byte(0xff), 10), 9);
		assert_eq!(below(H256::zero(), 10), 0);
	}
}

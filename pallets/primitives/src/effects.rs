//! What calls did outside of their guests, as it is recorded and replayed.
//!
//! A guest that asks twice gets what the record holds, in the record's order: so a call with effects
//! is replayed like one without. That the recorded replies are true is nobody's promise.

use crate::{hash, H256};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Most effects of a call.
pub const MAX_EFFECTS: u32 = 8;
/// Most bytes of one effect's request.
pub const MAX_EFFECT_REQUEST: u32 = 16 * 1024;
/// Most bytes of one effect's reply.
pub const MAX_EFFECT_REPLY: u32 = 64 * 1024;
/// Most bytes of a call's transcript, encoded.
pub const MAX_TRANSCRIPT_BYTES: u32 = 128 * 1024;

/// An effect as it happened. What was asked is named by its hash: the guest asks again when it is
/// replayed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct EffectRecord {
	/// [`effect_hash`] of what the guest asked.
	pub request: H256,
	/// What it was told.
	pub reply: Vec<u8>,
}

/// All effects of a call, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Transcript(pub Vec<EffectRecord>);

impl Transcript {
	/// What a receipt names the transcript by.
	pub fn hash(&self) -> H256 {
		hash::tagged("millrace/transcript/v1", &self.0)
	}
}

/// What a record names an effect's request by.
pub fn effect_hash(request: &[u8]) -> H256 {
	hash::tagged_bytes("millrace/effect/v1", request)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::execution::{empty_transcript, response_hash};
	use codec::DecodeAll;

	fn record(request: &[u8], reply: &[u8]) -> EffectRecord {
		EffectRecord {
			request: effect_hash(request),
			reply: reply.to_vec(),
		}
	}

	#[test]
	fn the_empty_transcript_is_that_of_a_call_without_effects() {
		assert_eq!(Transcript::default().hash(), empty_transcript());
	}

	#[test]
	fn a_transcript_is_named_by_all_of_it_in_its_order() {
		let (one, two) = (record(b"1", b"a"), record(b"2", b"b"));
		let hashes = [
			Transcript::default(),
			Transcript(vec![one.clone()]),
			Transcript(vec![record(b"1", b"b")]),
			Transcript(vec![record(b"2", b"a")]),
			Transcript(vec![one.clone(), two.clone()]),
			Transcript(vec![two, one]),
		]
		.map(|transcript| transcript.hash());
		let distinct: alloc::collections::BTreeSet<_> = hashes.iter().collect();
		assert_eq!(distinct.len(), hashes.len());
		assert_ne!(effect_hash(b"x"), response_hash(b"x"));
	}

	#[test]
	fn a_transcript_comes_back_as_it_was_and_nothing_hangs_on_to_it() {
		let transcript = Transcript(vec![record(b"1", b"a"), record(b"2", b"")]);
		let mut bytes = transcript.encode();
		assert_eq!(
			Transcript::decode_all(&mut &bytes[..]),
			Ok(transcript.clone())
		);
		bytes.push(0);
		assert!(Transcript::decode_all(&mut &bytes[..]).is_err());
		assert!(Transcript::decode_all(&mut &transcript.encode()[..20]).is_err());
	}

	#[test]
	fn one_effect_of_the_largest_reply_fits_into_a_transcript() {
		let reply = vec![0; MAX_EFFECT_REPLY as usize];
		let transcript = Transcript(vec![record(b"1", &reply)]);
		assert!(transcript.encoded_size() <= MAX_TRANSCRIPT_BYTES as usize);
	}
}

//! Calls and their receipts.

use crate::{hash, peer::PeerId, peer::PeerSignature, BlockNumber, DealId, EpochIndex, Gas, H256};
use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Largest request body in bytes that a receipt can be challenged for.
pub const MAX_REQUEST_BYTES: u32 = 64 * 1024;
/// Largest challengeable package in bytes.
pub const MAX_PACKAGE_BYTES: u32 = 1024 * 1024;
/// Largest memory of a guest, in bytes.
pub const MAX_MEMORY_BYTES: u32 = 128 * 1024 * 1024;
/// Largest response in bytes.
pub const MAX_RESPONSE_BYTES: u32 = 4 * 1024 * 1024;

/// Engine profile 1: the instrumentation, cost table and limits that `millrace-executor` 0.1
/// ships. Gas, traps and results are functions of the profile, not of the engine below it.
pub const PROFILE_V1: ProfileId = 1;

/// Names an engine profile.
pub type ProfileId = u32;

/// What the guest is asked: HTTP reduced to what a result may depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
	/// HTTP method; `REQUEST_METHOD` in the guest.
	pub method: String,
	/// Path below the deal, beginning with `/`; `PATH_INFO` in the guest.
	pub path: String,
	/// Query without the question mark; `QUERY_STRING` in the guest.
	pub query: String,
	/// Content type or nothing; `CONTENT_TYPE` in the guest.
	pub content_type: String,
	/// Body, on the guest's standard input; its length is `CONTENT_LENGTH`.
	pub body: Vec<u8>,
}

impl Request {
	/// What a receipt names the request by.
	pub fn hash(&self) -> H256 {
		hash::tagged("millrace/request/v1", self)
	}
}

/// What a receipt names a response by.
pub fn response_hash(body: &[u8]) -> H256 {
	hash::tagged_bytes("millrace/response/v1", body)
}

/// What a package is named by: on chain, in stores and in receipts.
pub fn package_hash(module: &[u8]) -> H256 {
	hash::tagged_bytes("millrace/package/v1", module)
}

/// Transcript of a call without outside effects.
pub fn empty_transcript() -> H256 {
	hash::tagged_bytes("millrace/transcript/v1", &[])
}

/// Seed of the guest's randomness.
pub fn randomness_seed(
	genesis: H256,
	deal: DealId,
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	request: H256,
) -> H256 {
	hash::tagged(
		"millrace/guest-randomness/v1",
		&(genesis, deal, peer, epoch, seq, request),
	)
}

/// How a call ended. A guest that fails is billed and receipted like one that does not.
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
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum CallStatus {
	/// The guest returned or called `proc_exit` with this code; 0 is success.
	Exited(u32),
	/// The guest trapped: unreachable, division by zero, out of bounds, bad indirect call.
	Trapped,
	/// The guest used up its gas.
	OutOfGas,
	/// The guest's operand and call stack passed the profile's limit.
	StackOverflow,
	/// The guest wrote more than its response limit.
	ResponseTooLarge,
}

impl CallStatus {
	/// Whether the guest exited with code 0.
	pub fn is_success(&self) -> bool {
		matches!(self, Self::Exited(0))
	}
}

/// Signed record of one call.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Receipt {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Seed of the epoch: binds the receipt to a fork.
	pub seed: H256,
	/// The deal that was called.
	pub deal: DealId,
	/// The peer that answered.
	pub peer: PeerId,
	/// The epoch of `block`.
	pub epoch: EpochIndex,
	/// Number of the call among all of this peer and epoch, from 0: the leaf's index.
	pub seq: u32,
	/// Hash of the module that ran.
	pub package: H256,
	/// Engine profile that it ran under.
	pub profile: ProfileId,
	/// Hash of the request.
	pub request: H256,
	/// Hash of the response.
	pub response: H256,
	/// Hash of the recorded outside effects.
	pub transcript: H256,
	/// How the call ended.
	pub status: CallStatus,
	/// Gas used.
	pub gas: Gas,
	/// Finalised block at which the call began: sets the guest's clock.
	pub block: BlockNumber,
}

impl Receipt {
	/// What the peer's key signs; also the leaf in the report's tree.
	pub fn hash(&self) -> H256 {
		hash::tagged("millrace/receipt/v1", self)
	}

	/// Whether response and transcript can be those of the status under engine profile 1, in which
	/// only a call that succeeded has a response and none has outside effects.
	pub fn fits_status(&self) -> bool {
		(self.status.is_success() || self.response == response_hash(&[]))
			&& self.transcript == empty_transcript()
	}
}

/// A receipt with its peer's signature over [`Receipt::hash`].
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SignedReceipt {
	/// The record.
	pub receipt: Receipt,
	/// Signature of the peer's key.
	pub signature: PeerSignature,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn names_of_equal_bytes_differ_by_purpose() {
		let names = [package_hash(b"x"), response_hash(b"x")];
		assert_ne!(names[0], names[1]);
		assert_ne!(empty_transcript(), response_hash(b""));
	}

	#[test]
	fn a_request_cannot_move_bytes_between_its_fields() {
		let one = Request {
			path: "/ab".into(),
			query: "c".into(),
			..Default::default()
		};
		let two = Request {
			path: "/a".into(),
			query: "bc".into(),
			..Default::default()
		};
		assert_ne!(one.hash(), two.hash());
	}

	#[test]
	fn only_a_call_that_succeeded_has_a_response() {
		let fits = |status, response: &[u8], transcript| {
			Receipt {
				genesis: H256::zero(),
				seed: H256::zero(),
				deal: 0,
				peer: PeerId::default(),
				epoch: 0,
				seq: 0,
				package: H256::zero(),
				profile: PROFILE_V1,
				request: H256::zero(),
				response: response_hash(response),
				transcript,
				status,
				gas: 0,
				block: 0,
			}
			.fits_status()
		};
		assert!(fits(CallStatus::Exited(0), b"out", empty_transcript()));
		assert!(fits(CallStatus::Exited(0), b"", empty_transcript()));
		assert!(!fits(CallStatus::Exited(0), b"out", H256::zero()));
		for failure in [
			CallStatus::Exited(1),
			CallStatus::Trapped,
			CallStatus::OutOfGas,
			CallStatus::StackOverflow,
			CallStatus::ResponseTooLarge,
		] {
			assert!(fits(failure, b"", empty_transcript()), "{failure:?}");
			assert!(!fits(failure, b"out", empty_transcript()), "{failure:?}");
			assert!(!fits(failure, b"", H256::zero()), "{failure:?}");
		}
	}
}

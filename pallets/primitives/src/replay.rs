//! Running a call again: what it depends on, and what comes of it.

use crate::{
	effects::Transcript,
	execution::{CallStatus, Receipt, Request},
	market::{CallLimits, Hosts},
	Gas, H256,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Everything beside the package that a replay depends on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ReplayInput {
	/// What the guest was asked.
	pub request: Request,
	/// What it was told from outside.
	pub transcript: Transcript,
	/// What the call may use.
	pub limits: CallLimits,
	/// Hosts that it may ask.
	pub hosts: Hosts,
	/// The guest's clock.
	pub clock_ms: u64,
	/// Seed of the guest's randomness.
	pub seed: H256,
	/// What the receipt says: the replay goes no further.
	pub claimed_gas: Gas,
}

/// What comes of a replay.
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
pub enum ReplayOutcome {
	/// The call ends so.
	Ended {
		/// How it ends.
		status: CallStatus,
		/// Hash of its response.
		response: H256,
		/// Gas that it takes.
		gas: Gas,
	},
	/// It takes more gas than claimed.
	TakesMore,
	/// It asks for other effects than recorded, or for fewer.
	OtherEffects,
	/// Nothing can run under the profile: no receipt of it is true.
	PackageInvalid,
	/// The judge does not know the profile, or met a limit of its own.
	Inconclusive,
}

impl ReplayOutcome {
	/// Whether the receipt tells of such an end; `None`: inconclusive.
	pub fn agrees(&self, receipt: &Receipt) -> Option<bool> {
		match self {
			Self::Ended {
				status,
				response,
				gas,
			} => Some(
				*status == receipt.status && *response == receipt.response && *gas == receipt.gas,
			),
			Self::TakesMore | Self::OtherEffects | Self::PackageInvalid => Some(false),
			Self::Inconclusive => None,
		}
	}
}

/// A replay that was done.
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
pub struct Replayed {
	/// What came of it.
	pub outcome: ReplayOutcome,
	/// Gas that the judge spent.
	pub gas: Gas,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::execution::{response_hash, tests::receipt};
	use codec::DecodeAll;

	#[test]
	fn an_end_agrees_with_the_receipt_that_tells_of_it() {
		let receipt = receipt();
		let ended = |status, response, gas| ReplayOutcome::Ended {
			status,
			response,
			gas,
		};
		let (status, response, gas) = (receipt.status, receipt.response, receipt.gas);
		for (outcome, agrees) in [
			(ended(status, response, gas), Some(true)),
			(ended(CallStatus::Trapped, response, gas), Some(false)),
			(ended(CallStatus::Exited(1), response, gas), Some(false)),
			(ended(status, response_hash(b"other"), gas), Some(false)),
			(ended(status, response, gas + 1), Some(false)),
			(ended(status, response, gas - 1), Some(false)),
			(ReplayOutcome::TakesMore, Some(false)),
			(ReplayOutcome::OtherEffects, Some(false)),
			(ReplayOutcome::PackageInvalid, Some(false)),
			(ReplayOutcome::Inconclusive, None),
		] {
			assert_eq!(outcome.agrees(&receipt), agrees, "{outcome:?}");
		}
	}

	#[test]
	fn what_goes_to_the_judge_and_back_is_the_same_there() {
		let input = ReplayInput {
			request: Request {
				method: "GET".into(),
				path: "/".into(),
				body: b"body".to_vec(),
				..Request::default()
			},
			transcript: Transcript::default(),
			limits: CallLimits {
				gas: 1,
				memory_bytes: 2,
				request_bytes: 3,
				response_bytes: 4,
			},
			hosts: Hosts::default(),
			clock_ms: 5,
			seed: H256::repeat_byte(6),
			claimed_gas: 7,
		};
		assert_eq!(
			ReplayInput::decode_all(&mut &input.encode()[..]),
			Ok(input.clone())
		);
		for outcome in [
			ReplayOutcome::Ended {
				status: CallStatus::Exited(2),
				response: H256::repeat_byte(1),
				gas: 3,
			},
			ReplayOutcome::TakesMore,
			ReplayOutcome::OtherEffects,
			ReplayOutcome::PackageInvalid,
			ReplayOutcome::Inconclusive,
		] {
			let replayed = Some(Replayed { outcome, gas: 4 });
			assert_eq!(
				Option::<Replayed>::decode_all(&mut &replayed.encode()[..]),
				Ok(replayed)
			);
		}
	}
}

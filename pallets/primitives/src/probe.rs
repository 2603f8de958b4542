//! Probes: calls that anybody asks of a worker over the chain, where all see whether it answers.

use crate::{execution::Request, BlockNumber, EpochIndex};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Longest body of a probe's request: it lies in the chain's state until it is answered.
pub const MAX_PROBE_BYTES: u32 = 4 * 1024;

/// Body of a probe's request.
pub type ProbeBody = BoundedVec<u8, ConstU32<MAX_PROBE_BYTES>>;

/// The call that a probe asks for: only its body is the prober's.
pub fn probe_request(body: &[u8]) -> Request {
	Request {
		method: "POST".into(),
		path: "/".into(),
		body: body.to_vec(),
		..Request::default()
	}
}

/// A block by its epoch and its position there. Later ones are greater. Unlike a height it stands still
/// in blocks that hold inherents only, in which nobody could answer.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moment {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Counted blocks since its start.
	pub position: u32,
}

impl Moment {
	/// So many blocks later, if all epochs are of one length.
	pub fn after(self, blocks: u32, len: u32) -> Self {
		let position = self.position.saturating_add(blocks);
		let epochs = position.checked_div(len).unwrap_or(0);
		Self {
			epoch: self.epoch.saturating_add(epochs),
			position: position.checked_rem(len).unwrap_or(position),
		}
	}

	/// What lies behind this block and before all that can follow it, be it of this epoch or of the next.
	pub fn next_position(self) -> Self {
		Self {
			position: self.position.saturating_add(1),
			..self
		}
	}

	/// Blocks from this one to a later one, if all epochs are of one length.
	pub fn until(self, later: Self, len: u32) -> u32 {
		later
			.epoch
			.saturating_sub(self.epoch)
			.saturating_mul(len)
			.saturating_add(later.position)
			.saturating_sub(self.position)
	}
}

/// An open probe, as its worker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProbeView {
	/// Body of the request; the rest of it is that of [`probe_request`].
	pub body: Vec<u8>,
	/// The block in which it was made. The receipt that answers it is of this one or a later one.
	pub at: BlockNumber,
	/// The last block in which it can be answered.
	pub deadline: Moment,
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn moment(epoch: EpochIndex, position: u32) -> Moment {
		Moment { epoch, position }
	}

	#[test]
	fn a_probe_is_a_post_to_the_root() {
		let request = probe_request(b"x");
		let expected = Request {
			method: "POST".into(),
			path: "/".into(),
			body: b"x".to_vec(),
			..Request::default()
		};
		assert_eq!(request, expected);
		assert_ne!(request.hash(), probe_request(b"y").hash());
	}

	#[test]
	fn a_later_moment_may_lie_in_a_later_epoch() {
		assert_eq!(moment(5, 3).after(6, 20), moment(5, 9));
		assert_eq!(moment(5, 14).after(6, 20), moment(6, 0));
		assert_eq!(moment(5, 19).after(41, 20), moment(8, 0));
		assert!(moment(5, 19) < moment(6, 0) && moment(6, 0) < moment(6, 1));
		// The end of an epoch's last block lies before all of the next.
		let end = moment(5, 19).next_position();
		assert!(moment(5, 19) < end && end < moment(6, 0));
		// Nothing divides by the length of no epoch.
		assert_eq!(moment(5, 3).after(6, 0), moment(5, 9));
		assert_eq!(moment(u32::MAX, 3).after(20, 20), moment(u32::MAX, 3));
	}

	proptest! {
		#[test]
		fn the_way_to_a_later_moment_is_as_long_as_was_gone(
			epoch in 0u32..1_000, len in 1u32..2_000, position in 0u32..2_000, blocks in 0u32..9_000,
		) {
			let from = moment(epoch, position % len);
			let to = from.after(blocks, len);
			prop_assert!(from <= to && to.position < len);
			prop_assert_eq!(from.until(to, len), blocks);
		}
	}
}

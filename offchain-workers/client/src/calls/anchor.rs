//! Calls of the Anchor pallet, and reports of votes on checkpoints.

use super::{Call, Raw};
use crate::checkpoints::AncestryProof;
use millrace_primitives::{
	anchor::{AnchorId, InboxMark, SignedVote, Vote, VoterKey, VoterSignature, H160},
	Balance, BlockNumber,
};

const PALLET: &str = "Anchor";

/// Locks FLT of the signer and sends as much to an address on the anchor.
pub fn withdraw(recipient: H160, amount: Balance) -> Call {
	Call::new(PALLET, "withdraw", (recipient, codec::Compact(amount)))
}

/// Sends bytes to a contract on the anchor.
pub fn send(target: H160, data: &[u8]) -> Call {
	Call::new(PALLET, "send", (target, data))
}

/// Duty: a validator says what the contract's inbox holds; `signature` is over
/// [`millrace_primitives::anchor::Vote::hash`].
pub fn vote(voter: u32, vote: &Vote, signature: &VoterSignature) -> Call {
	Call::new(PALLET, "vote", (voter, vote, signature))
}

/// Duty of nobody in particular: the messages up to an attested place.
pub fn deliver(messages: &[Vec<u8>]) -> Call {
	Call::new(PALLET, "deliver", messages)
}

/// Pays a deposit that waits.
pub fn release(nonce: u64) -> Call {
	Call::new(PALLET, "release", nonce)
}

/// Reports a validator that has signed two accumulators for one number. `proof` shows whose key it was, in
/// the runtime's encoding.
pub fn report_conflict(
	key: VoterKey,
	first: &SignedVote,
	second: &SignedVote,
	proof: &[u8],
) -> Call {
	Call::new(PALLET, "report_conflict", (key, first, second, Raw(proof)))
}

/// Stops both directions for so many blocks. By root or the emergency track.
pub fn pause(blocks: BlockNumber) -> Call {
	Call::new(PALLET, "pause", blocks)
}

/// Ends a pause. By root or the emergency track.
pub fn resume() -> Call {
	Call::new(PALLET, "resume", ())
}

/// Names the contract, as long as nothing has gone through one. By root.
pub fn set_anchor(anchor: &AnchorId) -> Call {
	Call::new(PALLET, "set_anchor", anchor)
}

/// Sets the inbox to another place, where the anchor has taken back what was final. By root.
pub fn set_inbox(mark: &InboxMark) -> Call {
	Call::new(PALLET, "set_inbox", mark)
}

/// A vote on a checkpoint: the commitment as it is encoded, the key, and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointVote {
	/// The commitment's bytes.
	pub commitment: Vec<u8>,
	/// Who signed it.
	pub key: VoterKey,
	/// The signature.
	pub signature: VoterSignature,
}

impl CheckpointVote {
	fn parts(&self) -> (Raw<'_>, VoterKey, VoterSignature) {
		(Raw(&self.commitment), self.key, self.signature)
	}
}

/// Reports a vote for a block of another fork. `header` is that of the block by whose range `ancestry` proves
/// what the voter should have signed; `owner` shows whose key it was. Both in the runtime's encoding.
pub fn report_fork_voting(
	vote: &CheckpointVote,
	ancestry: &AncestryProof,
	header: &[u8],
	owner: &[u8],
) -> Call {
	let proof = (vote.parts(), ancestry, Raw(header));
	Call::new("Beefy", "report_fork_voting", (proof, Raw(owner)))
}

/// Reports a vote for a block that there is not yet.
pub fn report_future_block_voting(vote: &CheckpointVote, owner: &[u8]) -> Call {
	let args = (vote.parts(), Raw(owner));
	Call::new("Beefy", "report_future_block_voting", args)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::Args;

	#[test]
	fn what_is_encoded_already_is_not_encoded_again() {
		let vote = CheckpointVote {
			commitment: vec![8, 1, 2],
			key: [3; 33],
			signature: [4; 65],
		};
		let mut expected = vec![8, 1, 2];
		expected.extend([3; 33]);
		expected.extend([4; 65]);
		expected.extend([5, 6]);
		let call = report_future_block_voting(&vote, &[5, 6]);
		assert_eq!(call.args, Args::Encoded(expected));
		assert_eq!(call.to_string(), "Beefy.report_future_block_voting");
	}

	#[test]
	fn amounts_are_compact_and_messages_have_their_lengths() {
		let call = withdraw(H160::repeat_byte(1), 2);
		let mut expected = vec![1; 20];
		expected.push(8);
		assert_eq!(call.args, Args::Encoded(expected));
		let call = deliver(&[vec![7], vec![8, 9]]);
		assert_eq!(call.args, Args::Encoded(vec![8, 4, 7, 8, 8, 9]));
	}
}

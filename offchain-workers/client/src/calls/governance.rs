//! Calls of referenda, votes and the treasury, and those that only a referendum can make.

use super::{Call, Raw};
use crate::AccountId;
use codec::{Compact, Encode};
use millrace_primitives::{
	commitment::SlashId,
	hash::blake2_256,
	peer::PeerId,
	referenda::{Ballot, Enactment, ReferendumIndex, TrackId},
	Balance, BlockNumber, H256,
};

/// Longest call that stands in its referendum; a longer one is a preimage of its own.
const MAX_INLINE: usize = 128;
/// Index of `MultiAddress::Id`: an address that is an account.
const ADDRESS_ID: u8 = 0;
/// Bit of a vote that says that it is in favour.
const AYE: u8 = 0b1000_0000;

/// A proposed call as a submission names it.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub enum Proposal {
	/// The call itself.
	#[codec(index = 1)]
	Inline(Vec<u8>),
	/// A call that the chain has, or must have before it can be enacted.
	#[codec(index = 2)]
	Lookup {
		/// Its hash.
		hash: H256,
		/// Its length in bytes.
		len: u32,
	},
}

impl Proposal {
	/// An encoded call: as it is if it is short, and else by its hash.
	pub fn of(call: &[u8]) -> Self {
		if call.len() <= MAX_INLINE {
			return Self::Inline(call.to_vec());
		}
		Self::Lookup {
			hash: blake2_256(call),
			len: u32::try_from(call.len()).unwrap_or(u32::MAX),
		}
	}

	/// Whether the chain must be given the call before, by [`note_preimage`].
	pub fn needs_preimage(&self) -> bool {
		matches!(self, Self::Lookup { .. })
	}
}

/// What a vote says, as the runtime reads it.
struct Vote<'a>(&'a Ballot);

impl Encode for Vote<'_> {
	fn encode(&self) -> Vec<u8> {
		match *self.0 {
			Ballot::Side {
				aye,
				conviction,
				balance,
			} => {
				let side = if aye { AYE } else { 0 };
				(0u8, side | conviction, balance).encode()
			}
			Ballot::Split { aye, nay, abstain } => (2u8, aye, nay, abstain).encode(),
		}
	}
}

/// Gives the chain a call that a referendum proposes. A deposit for its bytes is held of the signer.
pub fn note_preimage(call: &[u8]) -> Call {
	Call::new("Preimage", "note_preimage", call)
}

/// Takes back a call that no referendum needs any more, and the deposit for it.
pub fn unnote_preimage(hash: H256) -> Call {
	Call::new("Preimage", "unnote_preimage", hash)
}

/// Proposes a call; `origin` is the one under which it shall be made, as the view of its track has it.
pub fn submit(origin: &[u8], proposal: &Proposal, enactment: Enactment) -> Call {
	Call::new("Referenda", "submit", (Raw(origin), proposal, enactment))
}

/// Makes the deposit without which a referendum is not decided on.
pub fn place_decision_deposit(referendum: ReferendumIndex) -> Call {
	Call::new("Referenda", "place_decision_deposit", referendum)
}

/// Gives the deposit for the decision of a referendum that is over back to whoever made it.
pub fn refund_decision_deposit(referendum: ReferendumIndex) -> Call {
	Call::new("Referenda", "refund_decision_deposit", referendum)
}

/// Gives the deposit for a referendum that was approved or cancelled back to whoever submitted it.
pub fn refund_submission_deposit(referendum: ReferendumIndex) -> Call {
	Call::new("Referenda", "refund_submission_deposit", referendum)
}

/// By vote alone: cancels a referendum.
pub fn cancel_referendum(referendum: ReferendumIndex) -> Call {
	Call::new("Referenda", "cancel", referendum)
}

/// Votes on a referendum, or votes otherwise.
pub fn vote(referendum: ReferendumIndex, ballot: &Ballot) -> Call {
	Call::new(
		"ConvictionVoting",
		"vote",
		(Compact(referendum), Vote(ballot)),
	)
}

/// Takes a vote away; the track is that of the referendum, which may be over.
pub fn remove_vote(track: TrackId, referendum: ReferendumIndex) -> Call {
	Call::new("ConvictionVoting", "remove_vote", (Some(track), referendum))
}

/// Lets another account vote on a track with this much of the signer's FLT.
pub fn delegate(track: TrackId, to: &AccountId, conviction: u8, balance: Balance) -> Call {
	let args = (track, (ADDRESS_ID, to), conviction, balance);
	Call::new("ConvictionVoting", "delegate", args)
}

/// Takes a track's delegation back. Conviction locks it for a while.
pub fn undelegate(track: TrackId) -> Call {
	Call::new("ConvictionVoting", "undelegate", track)
}

/// Frees what votes on a track do not lock any more; of any account.
pub fn unlock(track: TrackId, who: &AccountId) -> Call {
	Call::new("ConvictionVoting", "unlock", (track, (ADDRESS_ID, who)))
}

/// By vote alone: sets a parameter; the argument as
/// [`millrace_primitives::governance::ParameterInfo::parameter`] makes it.
pub fn set_parameter(parameter: &[u8]) -> Call {
	Call::new("Governed", "set", Raw(parameter))
}

/// By vote alone: puts another runtime in place.
pub fn set_code(code: &[u8]) -> Call {
	Call::new("System", "set_code", code)
}

/// By vote alone: lets an account be paid by the treasury; see [`payout`].
pub fn spend(to: &AccountId, amount: Balance) -> Call {
	let from_now_on = None::<BlockNumber>;
	Call::new("Treasury", "spend", (Compact(amount), to, from_now_on))
}

/// Pays what the treasury was told to spend; any account may.
pub fn payout(spend: u32) -> Call {
	Call::new("Treasury", "payout", spend)
}

/// By vote alone: gives a slash that waits back to those who pay for it.
pub fn cancel_slash(peer: PeerId, slash: SlashId) -> Call {
	Call::new("Capacity", "cancel_slash", (peer, slash))
}

/// By vote alone: lets nobody make a call until [`resume`].
pub fn pause(pallet: &str, call: &str) -> Call {
	Call::new("TxPause", "pause", (pallet, call))
}

/// By vote alone: ends a pause.
pub fn resume(pallet: &str, call: &str) -> Call {
	Call::new("TxPause", "unpause", (pallet, call))
}

/// By vote alone: enters safe mode, in which only what must go on goes on.
pub fn enter_safe_mode() -> Call {
	Call::new("SafeMode", "force_enter", ())
}

/// By vote alone: makes safe mode longer.
pub fn extend_safe_mode() -> Call {
	Call::new("SafeMode", "force_extend", ())
}

/// By vote alone: leaves safe mode.
pub fn exit_safe_mode() -> Call {
	Call::new("SafeMode", "force_exit", ())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::Args;

	fn bytes(call: Call) -> Vec<u8> {
		match call.args {
			Args::Encoded(bytes) => bytes,
			other => panic!("{other:?} are no encoded arguments"),
		}
	}

	#[test]
	fn short_calls_stand_in_their_referendum_and_long_ones_beside_it() {
		let call = submit(&[57, 2], &Proposal::of(&[9, 0]), Enactment::After(0));
		assert_eq!(bytes(call), [57, 2, 1, 8, 9, 0, 1, 0, 0, 0, 0]);
		assert!(!Proposal::of(&[0; MAX_INLINE]).needs_preimage());

		let long = vec![7; MAX_INLINE + 1];
		let proposal = Proposal::of(&long);
		assert!(proposal.needs_preimage());
		let mut expected = vec![0, 0, 2];
		expected.extend(blake2_256(&long).0);
		expected.extend([129, 0, 0, 0, 0, 5, 0, 0, 0]);
		let call = submit(&[0, 0], &proposal, Enactment::At(5));
		assert_eq!(bytes(call), expected);
	}

	#[test]
	fn a_vote_has_its_side_and_conviction_in_one_byte() {
		let side = |aye, conviction| Ballot::Side {
			aye,
			conviction,
			balance: 1,
		};
		let amount = 1u128.to_le_bytes();
		let expected = |byte: u8| [&[12, 0, byte][..], &amount].concat();
		assert_eq!(bytes(vote(3, &side(true, 6))), expected(0x86));
		assert_eq!(bytes(vote(3, &side(false, 0))), expected(0));

		let abstains = Ballot::Split {
			aye: 0,
			nay: 0,
			abstain: 1,
		};
		let expected = [&[12, 2][..], &[0; 32], &amount].concat();
		assert_eq!(bytes(vote(3, &abstains)), expected);
	}

	#[test]
	fn accounts_are_addresses_in_votes_and_plain_in_the_treasury() {
		let who = AccountId::from([7; 32]);
		let expected = [&[2, 0, 0][..], &[7; 32]].concat();
		assert_eq!(bytes(unlock(2, &who)), expected);
		let expected = [&[4][..], &[7; 32], &[0]].concat();
		assert_eq!(bytes(spend(&who, 1)), expected);
	}
}

//! Votes on what the contract's inbox holds.
//!
//! Validators see the anchor at different times, so they vote on different numbers. Each number has a
//! tally of its own. Whoever sees votes on a number that it has seen the messages of votes on it, too: so
//! the highest number that all honest validators have seen and one has voted on comes to a quorum.

use crate::{
	refusal, Anchor, Attested, Config, Conflict, Error, Event, Pallet, Round, Taken, Tally, Voters,
	Votes, WeightInfo, MAX_BATCH,
};
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{
		DispatchResultWithPostInfo, Pays, TransactionSource, TransactionValidityWithRefund,
		ValidTransaction, Weight,
	},
	BoundedVec,
};
use millrace_primitives::{
	anchor::{
		quorum, Attestation, CastVote, InboxMark, SignedVote, Vote, VoterKey, VoterSignature,
	},
	traits::EpochClock,
	H256,
};
use sp_core::ecdsa;

/// Blocks for which a duty stays in the pool: when they are over, it is sent anew if it still counts.
const DUTY_BLOCKS: u64 = 64;

impl<T: Config> Pallet<T> {
	/// Whether a vote may enter a block. A second accumulator for one number may, once: it is an
	/// offence that the chain wants to see.
	pub(crate) fn authorize_vote(
		_source: TransactionSource,
		voter: &u32,
		vote: &Vote,
		signature: &VoterSignature,
	) -> TransactionValidityWithRefund {
		let anchor = Anchor::<T>::get().ok_or_else(|| refusal::refuse(refusal::NO_ANCHOR))?;
		ensure!(!Self::is_paused(), refusal::refuse(refusal::PAUSED));
		ensure!(
			vote.round == Round::<T>::get() && vote.session == T::Voters::session(),
			refusal::refuse(refusal::OTHER_SESSION)
		);
		ensure!(
			Self::is_votable(vote.nonce),
			refusal::refuse(refusal::NOT_VOTABLE)
		);
		let earlier = Self::tally(vote.nonce)
			.votes
			.iter()
			.find(|cast| cast.voter == *voter)
			.copied();
		ensure!(
			earlier.is_none_or(|cast| !cast.conflicted && cast.acc != vote.acc),
			refusal::refuse(refusal::ALREADY_VOTED)
		);
		let (_, key) = Self::voter_at(*voter).ok_or_else(|| refusal::refuse(refusal::NO_VOTER))?;
		ensure!(
			is_signed(&key, vote.hash(T::Clock::genesis(), &anchor), signature),
			refusal::refuse(refusal::BAD_SIGNATURE)
		);
		// Whatever it says: a voter that signs thousands of accumulators has one place in a pool for each
		// number, and one more once the first is in a block.
		let tag = (
			"millrace-anchor-vote",
			key,
			vote.round,
			vote.session,
			vote.nonce,
			earlier.is_some(),
		);
		Ok((Self::duty(tag.encode()), Weight::zero()))
	}

	/// Counts an authorised vote.
	pub(crate) fn do_vote(voter: u32, vote: Vote) -> DispatchResultWithPostInfo {
		let mut weight = Self::counting_weight();
		let voters = T::Voters::seated();
		let who = usize::try_from(voter)
			.ok()
			.and_then(|index| voters.get(index))
			.map(|(who, _)| who.clone())
			.ok_or(Error::<T>::NoVoter)?;
		let count = u32::try_from(voters.len()).unwrap_or(u32::MAX);
		let mut tally = Self::tally(vote.nonce);

		if let Some(cast) = tally.votes.iter_mut().find(|cast| cast.voter == voter) {
			ensure!(cast.acc != vote.acc, Error::<T>::AlreadyVoted);
			// Its first vote counts still: a quorum bears so many false ones.
			cast.conflicted = true;
			Votes::<T>::insert(vote.nonce, tally);
			let conflict = Conflict {
				session: vote.session,
				round: vote.round,
				nonce: vote.nonce,
				voters: count,
			};
			T::Voters::punish(who.clone(), conflict, None);
			weight.saturating_accrue(T::Voters::punish_weight());
			Self::deposit_event(Event::VotesConflicted {
				who,
				nonce: vote.nonce,
			});
			return Ok(Some(weight).into());
		}

		let cast = CastVote {
			voter,
			acc: vote.acc,
			epoch: vote.epoch,
			conflicted: false,
		};
		if tally.votes.try_push(cast).is_err() {
			defensive!("there are no more voters than there is room for");
		}
		Self::deposit_event(Event::Voted {
			who,
			nonce: vote.nonce,
			acc: vote.acc,
		});
		let epochs: Vec<u64> = tally
			.votes
			.iter()
			.filter(|cast| cast.acc == vote.acc)
			.map(|cast| cast.epoch)
			.collect();
		let needed = usize::try_from(quorum(count)).unwrap_or(usize::MAX);
		if count > 0 && epochs.len() >= needed {
			let mark = InboxMark {
				nonce: vote.nonce,
				acc: vote.acc,
			};
			Self::attest(mark, honest_epoch(epochs, count));
		} else {
			Votes::<T>::insert(vote.nonce, tally);
		}
		Ok(Some(weight).into())
	}

	/// A quorum has seen a place. Votes on it and on those before it are of no use any more.
	fn attest(mark: InboxMark, epoch: u64) {
		Self::forget_votes(Self::last_seen(), mark.nonce);
		let attestation = Attestation {
			mark,
			epoch,
			block: Self::now(),
		};
		if Attested::<T>::try_append(attestation).is_err() {
			defensive!("each attested place is beyond the last, and they are bounded");
		}
		Self::deposit_event(Event::InboxAttested {
			nonce: mark.nonce,
			acc: mark.acc,
			epoch,
		});
	}

	/// Forgets votes on numbers behind one, up to another, no more than there can be.
	pub(crate) fn forget_votes(behind: u64, up_to: u64) {
		let most = behind.saturating_add(MAX_BATCH.into());
		for nonce in behind.saturating_add(1)..=up_to.min(most) {
			Votes::<T>::remove(nonce);
		}
	}

	/// Reports a conflict by the two votes themselves.
	pub(crate) fn do_report_conflict(
		reporter: T::AccountId,
		key: VoterKey,
		first: SignedVote,
		second: SignedVote,
		proof: <T::Voters as Voters<T::AccountId>>::Proof,
	) -> DispatchResultWithPostInfo {
		let anchor = Anchor::<T>::get().ok_or(Error::<T>::NoAnchor)?;
		ensure!(
			first.vote.conflicts_with(&second.vote),
			Error::<T>::NoConflict
		);
		let genesis = T::Clock::genesis();
		for SignedVote { vote, signature } in [first, second] {
			ensure!(
				is_signed(&key, vote.hash(genesis, &anchor), &signature),
				Error::<T>::BadSignature
			);
		}
		// Stake that came between the two was not there when the first was signed, but the second is
		// the offence.
		let session = first.vote.session.max(second.vote.session);
		let (who, voters) = T::Voters::owner(&key, session, proof).ok_or(Error::<T>::NoVoter)?;
		let nonce = first.vote.nonce;
		let conflict = Conflict {
			session,
			round: first.vote.round,
			nonce,
			voters,
		};
		ensure!(
			T::Voters::punish(who.clone(), conflict, Some(reporter)),
			Error::<T>::KnownConflict
		);
		Self::deposit_event(Event::VotesConflicted { who, nonce });
		Ok(Pays::No.into())
	}

	/// Votes of this session and round on a number; an empty tally where there are only older ones.
	pub(crate) fn tally(nonce: u64) -> Tally {
		let session = T::Voters::session();
		let round = Round::<T>::get();
		Votes::<T>::get(nonce)
			.filter(|tally| tally.session == session && tally.round == round)
			.unwrap_or(Tally {
				session,
				round,
				votes: BoundedVec::new(),
			})
	}

	/// Messages up to the last attested place.
	pub(crate) fn last_seen() -> u64 {
		Attested::<T>::get()
			.last()
			.map_or_else(|| Taken::<T>::get().nonce, |last| last.mark.nonce)
	}

	/// Last number that can be voted on: no batch is larger than can be delivered at once.
	pub(crate) fn last_votable() -> u64 {
		Taken::<T>::get().nonce.saturating_add(MAX_BATCH.into())
	}

	fn is_votable(nonce: u64) -> bool {
		nonce > Self::last_seen() && nonce <= Self::last_votable()
	}

	fn voter_at(voter: u32) -> Option<(T::AccountId, VoterKey)> {
		let index = usize::try_from(voter).ok()?;
		T::Voters::seated().into_iter().nth(index)
	}

	/// A duty in the pool: above every tip, at most one under its tag.
	pub(crate) fn duty(tag: Vec<u8>) -> ValidTransaction {
		ValidTransaction {
			priority: u64::MAX,
			requires: vec![],
			provides: vec![tag],
			longevity: DUTY_BLOCKS,
			propagate: true,
		}
	}

	/// Weight of authorising a vote.
	pub(crate) fn authorize_vote_weight() -> Weight {
		T::WeightInfo::authorize_vote().saturating_add(T::Voters::seated_weight())
	}

	/// Weight of a vote that contradicts none.
	fn counting_weight() -> Weight {
		T::WeightInfo::vote().saturating_add(T::Voters::seated_weight())
	}

	/// Weight of a vote at its bound.
	pub(crate) fn vote_weight() -> Weight {
		Self::counting_weight().saturating_add(T::Voters::punish_weight())
	}

	/// Weight of a report.
	pub(crate) fn report_weight() -> Weight {
		T::WeightInfo::report_conflict()
			.saturating_add(T::Voters::owner_weight())
			.saturating_add(T::Voters::punish_weight())
	}
}

/// Whether a key signed a vote.
fn is_signed(key: &VoterKey, vote: H256, signature: &VoterSignature) -> bool {
	sp_io::crypto::ecdsa_verify(
		&ecdsa::Signature::from_raw(*signature),
		vote.as_bytes(),
		&ecdsa::Public::from_raw(*key),
	)
}

/// Of the blocks that a quorum names, one between those that honest voters name: as many as can be
/// false are below it, and no fewer honest ones at or above it.
fn honest_epoch(mut epochs: Vec<u64>, voters: u32) -> u64 {
	epochs.sort_unstable();
	let false_ones = voters.saturating_sub(1) / 3;
	usize::try_from(false_ones)
		.ok()
		.and_then(|index| epochs.get(index))
		.copied()
		.unwrap_or_default()
}

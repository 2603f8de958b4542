//! Cases and claims: how they end, and the duty to show a leaf.

use crate::{
	commit_impls::one_less, refusal, Cases, Config, Error, Event, HoldReason, OpenCases, Pallet,
	Shows, ShowsOf, WeightInfo,
};
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, TransactionSource, TransactionValidityError, TransactionValidityWithRefund,
		ValidTransaction, Weight,
	},
	weights::WeightToFee,
};
use millrace_primitives::{
	challenge::{shown_hash, CaseId, OffenceKind, Shown},
	merkle,
	peer::{PeerId, PeerKey, PeerSignature},
	traits::{EpochClock, Offence, PeerRegistry, StakeSlasher},
	BlockNumber, EpochIndex, H256,
};
use sp_core::ed25519;

impl<T: Config> Pallet<T> {
	/// Charges a peer's stake, once for each epoch and kind.
	pub(crate) fn do_conclude(
		peer: PeerId,
		epoch: EpochIndex,
		kind: OffenceKind,
	) -> DispatchResult {
		let mut case = Self::standing_case(peer, epoch, kind)?.ok_or(Error::<T>::NoCase)?;
		ensure!(!case.concluded, Error::<T>::NoCase);
		ensure!(Self::now() > case.contest_until, Error::<T>::ContestOpen);
		let (part, reward, leader) = (case.part, case.reward, case.leader.clone());
		case.concluded = true;
		Cases::<T>::insert(peer, (Self::slot_of(epoch), kind), case);
		OpenCases::<T>::mutate_exists(peer, one_less);
		let offence = Offence {
			epoch,
			part,
			fails: kind == OffenceKind::Fraud,
			reporter: Some((leader.clone(), reward)),
		};
		let amount = T::Slasher::slash(peer, offence);
		Self::deposit_event(Event::CaseConcluded {
			peer,
			epoch,
			kind,
			leader,
			amount,
		});
		Ok(())
	}

	/// Whether a leaf that is shown may enter a block. The path is looked at here, behind the
	/// signature: a peer whose claims are its own could otherwise fill blocks for nothing.
	pub(crate) fn authorize_show(
		_source: TransactionSource,
		peer: &PeerId,
		case: &CaseId,
		shown: &Shown,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let key = Self::current_key(*peer)?;
		let show = Shows::<T>::get(peer, case.subject)
			.filter(|show| show.id(*peer, case.subject) == *case)
			.ok_or_else(|| refusal::refuse(refusal::NOT_ASKED))?;
		let left = Self::blocks_left(show.deadline)?;
		let genesis = T::Clock::genesis();
		Self::ensure_signed_by(key, shown_hash(genesis, case, shown), signature)?;

		let report = &shown.report;
		let known = Self::report(*peer, case.epoch).map(|record| record.hash);
		ensure!(
			known == Some(report.hash(genesis, *peer)),
			refusal::refuse(refusal::OTHER_REPORT)
		);
		let holds = merkle::verify(
			report.receipts_root,
			u64::from(report.receipts),
			u64::from(show.seq),
			case.subject.as_bytes(),
			&shown.path,
		);
		ensure!(holds, refusal::refuse(refusal::BAD_PATH));
		let tag = ("millrace-show", peer, case.subject).encode();
		Ok((Self::duty(tag, left), Weight::zero()))
	}

	/// A leaf was shown: the claim was false.
	pub(crate) fn do_show(peer: PeerId, case: CaseId) -> DispatchResult {
		let show = Shows::<T>::get(peer, case.subject).ok_or(Error::<T>::NoShow)?;
		let case = show.id(peer, case.subject);
		Self::remove_show(peer, case.subject);
		OpenCases::<T>::mutate_exists(peer, one_less);
		let spent = T::WeightInfo::show().saturating_add(T::WeightInfo::authorize_show());
		let cost = T::WeightToFee::weight_to_fee(&spent);
		let (burnt, provider) =
			Self::forfeit_bond(&show.who, show.bond, show.compensation, cost, peer);
		Self::deposit_event(Event::ChallengeRefuted {
			case,
			who: show.who,
			burnt,
			provider,
		});
		Ok(())
	}

	/// A claim that was not refuted in time is proven, unless the peer pays for another.
	pub(crate) fn do_close_show(peer: PeerId, subject: H256) -> DispatchResult {
		let show = Shows::<T>::get(peer, subject).ok_or(Error::<T>::NoShow)?;
		ensure!(Self::now() > show.deadline, Error::<T>::StillOpen);
		let case = show.id(peer, subject);
		let standing = Self::standing_case(peer, show.epoch, case.charge.kind())?;
		Self::remove_show(peer, subject);
		Self::release(HoldReason::Challenge, &show.who, show.bond);
		if standing.is_some() {
			OpenCases::<T>::mutate_exists(peer, one_less);
			let who = show.who;
			Self::deposit_event(Event::ChallengeMoot { case, who });
			return Ok(());
		}
		// What was open as a claim is open as a case.
		Self::open_case(case, show.who, show.committed, show.part, show.reward);
		Ok(())
	}

	fn remove_show(peer: PeerId, subject: H256) {
		Shows::<T>::remove(peer, subject);
		ShowsOf::<T>::mutate_exists(peer, one_less);
	}

	/// The key that signs for a peer at this block.
	pub(crate) fn current_key(peer: PeerId) -> Result<PeerKey, TransactionValidityError> {
		T::Peers::key_at(peer, Self::height()).ok_or_else(|| refusal::refuse(refusal::UNKNOWN_PEER))
	}

	/// Blocks until a time, if it is not over.
	pub(crate) fn blocks_left(deadline: BlockNumber) -> Result<u64, TransactionValidityError> {
		deadline
			.checked_sub(Self::now())
			.map(u64::from)
			.ok_or_else(|| refusal::refuse(refusal::WINDOW_CLOSED))
	}

	/// Refuses a duty that the key did not sign.
	pub(crate) fn ensure_signed_by(
		key: PeerKey,
		hash: H256,
		signature: &PeerSignature,
	) -> Result<(), TransactionValidityError> {
		let good = sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*signature),
			hash.as_bytes(),
			&ed25519::Public::from_raw(key),
		);
		ensure!(good, refusal::refuse(refusal::BAD_SIGNATURE));
		Ok(())
	}

	/// A valid duty: ahead of any tip, until its time is over.
	pub(crate) fn duty(tag: Vec<u8>, blocks_left: u64) -> ValidTransaction {
		ValidTransaction {
			priority: u64::MAX,
			requires: vec![],
			provides: vec![tag],
			longevity: blocks_left.max(1),
			propagate: true,
		}
	}
}

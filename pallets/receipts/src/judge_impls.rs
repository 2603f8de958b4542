//! Judging: whether evidence shows what a peer is charged with.
//!
//! The signature comes first. What another chain or fork signed, or no key of the peer that counted at
//! the receipt's block, convicts nobody. What a deal that is gone would have to tell convicts nobody
//! either; what runs under its terms is judged by the preimage that the receipt names.

use crate::{Config, Error, Pallet, Params, ReplayedAt};
use codec::DecodeAll;
use frame_support::{defensive, ensure, pallet_prelude::Weight};
use millrace_primitives::{
	challenge::{CaseId, Charge, Evidence, LeafProof, OffenceKind},
	effects::Transcript,
	execution::{
		arbitration_gas, package_hash, randomness_seed, CallTerms, ProfileId, Receipt, Request,
		SignedReceipt, MAX_MEMORY_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, PROFILE_V1,
		UNVERIFIED,
	},
	merkle,
	packages::NoTerms,
	replay::ReplayInput,
	report::Report,
	traits::{EpochClock, PeerRegistry, Replayer, StakeSlasher, WorkInspector},
	H256,
};
use sp_core::ed25519;

/// What evidence comes to.
pub(crate) enum Verdict {
	/// It shows the charge.
	Proven,
	/// The peer can refute it by the leaf of that number.
	Asks {
		/// The number.
		seq: u32,
	},
	/// The call was run again.
	Replayed {
		/// Whether it ends as the receipt says; `None`: inconclusive.
		agrees: Option<bool>,
		/// What that took.
		spent: Weight,
	},
}

/// Evidence of [`Charge::Replay`].
struct Replay<'a> {
	receipt: &'a Receipt,
	terms: &'a CallTerms,
	package: &'a [u8],
	request: &'a [u8],
	transcript: &'a [u8],
}

/// Whether an engine profile is the chain's.
pub(crate) fn is_known(profile: ProfileId) -> bool {
	profile & !UNVERIFIED == PROFILE_V1
}

impl<T: Config> Pallet<T> {
	/// Judges evidence of a case against which stake answers.
	pub(crate) fn judge(case: &CaseId, evidence: &Evidence) -> Result<Verdict, Error<T>> {
		Self::ensure_answerable(case)?;
		match (case.charge, evidence) {
			(Charge::Inspection, Evidence::Inspection { receipt, leaf }) => {
				Self::ensure_subject(case, receipt)?;
				let is_false = Self::is_seen_false(&receipt.receipt)
					|| Self::is_misplaced(&receipt.receipt, leaf.as_ref())?;
				ensure!(is_false, Error::<T>::NotFalse);
				Ok(Verdict::Proven)
			}
			(
				Charge::Replay,
				Evidence::Replay {
					receipt,
					terms,
					package,
					request,
					transcript,
				},
			) => {
				Self::ensure_subject(case, receipt)?;
				Self::judge_replay(Replay {
					receipt: &receipt.receipt,
					terms,
					package,
					request,
					transcript,
				})
			}
			(Charge::Omitted, Evidence::Omitted { receipt, report }) => {
				Self::ensure_subject(case, receipt)?;
				Self::judge_omission(&receipt.receipt, report)
			}
			(Charge::DoubleSeq, Evidence::DoubleSeq { first, second }) => {
				let hashes = [
					Self::signed_hash(case, first)?,
					Self::signed_hash(case, second)?,
				];
				let [one, other] = hashes;
				ensure!(one.min(other) == case.subject, Error::<T>::OtherCase);
				let shared = first.receipt.seq == second.receipt.seq;
				ensure!(shared && one != other, Error::<T>::NotFalse);
				Ok(Verdict::Proven)
			}
			_ => Err(Error::<T>::OtherCase),
		}
	}

	/// That the peer's stake still answers for the epoch, and, of what a report leaves out, that there
	/// is a report and it is not too old.
	fn ensure_answerable(case: &CaseId) -> Result<(), Error<T>> {
		let stake = T::Slasher::answers_until(case.peer, case.epoch);
		let mut until = stake.ok_or(Error::<T>::PeriodOver)?;
		if case.charge.kind() == OffenceKind::Omission {
			ensure!(
				Self::report(case.peer, case.epoch).is_some(),
				Error::<T>::NoReport
			);
			let claimable = case
				.epoch
				.saturating_add(1)
				.saturating_add(Params::<T>::get().omission_epochs);
			until = until.min(claimable);
		}
		ensure!(T::Clock::current().index <= until, Error::<T>::PeriodOver);
		Ok(())
	}

	/// That a signed receipt is the one that the case names.
	fn ensure_subject(case: &CaseId, signed: &SignedReceipt) -> Result<(), Error<T>> {
		// The cheaper first: hashing is not yet verifying.
		ensure!(signed.receipt.hash() == case.subject, Error::<T>::OtherCase);
		Self::signed_hash(case, signed).map(|_| ())
	}

	/// Hash of a receipt of the case's peer and epoch, if the peer signed it on this fork.
	fn signed_hash(case: &CaseId, signed: &SignedReceipt) -> Result<H256, Error<T>> {
		let receipt = &signed.receipt;
		ensure!(
			receipt.peer == case.peer && receipt.epoch == case.epoch,
			Error::<T>::OtherCase
		);
		ensure!(
			receipt.genesis == T::Clock::genesis()
				&& T::Clock::seed(receipt.epoch) == Some(receipt.seed),
			Error::<T>::BadEvidence
		);
		let hash = receipt.hash();
		ensure!(Self::is_signed(signed, hash), Error::<T>::BadEvidence);
		Ok(hash)
	}

	/// Whether the key that its peer had at its block signed a receipt of that hash.
	pub(crate) fn is_signed(signed: &SignedReceipt, hash: H256) -> bool {
		let SignedReceipt { receipt, signature } = signed;
		T::Peers::key_at(receipt.peer, receipt.block).is_some_and(|key| {
			sp_io::crypto::ed25519_verify(
				&ed25519::Signature::from_raw(*signature),
				hash.as_bytes(),
				&ed25519::Public::from_raw(key),
			)
		})
	}

	/// Whether a receipt is false by what it says and what the chain knows.
	///
	/// That the peer did not work for the deal is no charge: the market remembers workers that have left
	/// for a while only, and who was one may still answer for what it did then.
	fn is_seen_false(receipt: &Receipt) -> bool {
		let outside = T::Clock::blocks_of(receipt.epoch)
			.is_some_and(|blocks| !blocks.contains(&receipt.block));
		let breaks_terms = || match Self::terms_of(receipt) {
			Ok(terms) => !receipt.fits_terms(T::Clock::genesis(), &terms),
			Err(NoTerms::OtherPackage) => true,
			Err(NoTerms::Unknown) => false,
		};
		outside || !receipt.fits_status() || !is_known(receipt.profile) || breaks_terms()
	}

	/// What the call of a receipt ran under, as far as its deal still tells.
	pub(crate) fn terms_of(receipt: &Receipt) -> Result<CallTerms, NoTerms> {
		let Receipt {
			deal,
			package,
			epoch,
			block,
			..
		} = *receipt;
		T::Work::call_terms(deal, package, epoch, block)
	}

	/// Whether the peer's report holds a receipt at another leaf than its number says.
	fn is_misplaced(receipt: &Receipt, leaf: Option<&LeafProof>) -> Result<bool, Error<T>> {
		let Some(LeafProof {
			report,
			index,
			path,
		}) = leaf
		else {
			return Ok(false);
		};
		Self::ensure_reported(receipt, report)?;
		let holds = merkle::verify(
			report.receipts_root,
			u64::from(report.receipts),
			u64::from(*index),
			receipt.hash().as_bytes(),
			path,
		);
		ensure!(holds, Error::<T>::BadEvidence);
		Ok(*index != receipt.seq)
	}

	/// That a report is the one that the receipt's peer sent for its epoch.
	fn ensure_reported(receipt: &Receipt, report: &Report) -> Result<(), Error<T>> {
		let known = Self::report(receipt.peer, receipt.epoch).ok_or(Error::<T>::NoReport)?;
		ensure!(
			report.hash(T::Clock::genesis(), receipt.peer) == known.hash,
			Error::<T>::OtherReport
		);
		Ok(())
	}

	/// A number that the report does not reach was left out; of all others the peer can show the leaf.
	fn judge_omission(receipt: &Receipt, report: &Report) -> Result<Verdict, Error<T>> {
		Self::ensure_reported(receipt, report)?;
		let seq = receipt.seq;
		Ok(if seq >= report.receipts {
			Verdict::Proven
		} else {
			Verdict::Asks { seq }
		})
	}

	/// Runs a call again, unless the receipt breaks the very terms that it names.
	///
	/// Whatever can be refused is refused before: behind the replay there are no errors.
	fn judge_replay(replay: Replay<'_>) -> Result<Verdict, Error<T>> {
		let Replay { receipt, terms, .. } = replay;
		let genesis = T::Clock::genesis();
		ensure!(
			terms.hash(genesis) == receipt.terms,
			Error::<T>::BadEvidence
		);
		if !receipt.fits_terms(genesis, terms) {
			return Ok(Verdict::Proven);
		}
		let bytes = u32::try_from(replay.package.len()).unwrap_or(u32::MAX);
		Self::ensure_replayable(receipt, terms, bytes)?;
		let height = Self::height();
		ensure!(
			ReplayedAt::<T>::get() != Some(height),
			Error::<T>::BlockTaken
		);
		let input = Self::replay_input(&replay)?;

		ReplayedAt::<T>::put(height);
		let profile = terms.profile & !UNVERIFIED;
		let Some(replayed) = T::Replayer::replay(profile, replay.package, &input) else {
			defensive!("the judge serves blocks");
			let (agrees, spent) = (None, Weight::zero());
			return Ok(Verdict::Replayed { agrees, spent });
		};
		// It may pass the claim by the last step that it took; that is not charged.
		let gas = replayed.gas.min(receipt.gas);
		Ok(Verdict::Replayed {
			agrees: replayed.outcome.agrees(receipt),
			spent: Self::replay_weight(bytes, gas),
		})
	}

	/// That the judge can take a call: nothing that the terms grant is more than it has. Of gas the
	/// claim counts, beyond which nothing is run.
	fn ensure_replayable(receipt: &Receipt, terms: &CallTerms, bytes: u32) -> Result<(), Error<T>> {
		ensure!(
			is_known(terms.profile)
				&& receipt.gas <= arbitration_gas(bytes)
				&& terms.limits.memory_bytes <= MAX_MEMORY_BYTES
				&& terms.limits.response_bytes <= MAX_RESPONSE_BYTES,
			Error::<T>::NotReplayable
		);
		Ok(())
	}

	/// What the judge needs beside the package: all of it as the receipt names it.
	fn replay_input(replay: &Replay<'_>) -> Result<ReplayInput, Error<T>> {
		let Replay {
			receipt,
			terms,
			package,
			..
		} = replay;
		ensure!(
			package_hash(package) == receipt.package,
			Error::<T>::BadEvidence
		);
		let request = Request::decode_all(&mut &replay.request[..])
			.ok()
			.filter(|request| request.hash() == receipt.request)
			.ok_or(Error::<T>::BadEvidence)?;
		let transcript = Transcript::decode_all(&mut &replay.transcript[..])
			.ok()
			.filter(|transcript| transcript.hash() == receipt.transcript)
			.ok_or(Error::<T>::BadEvidence)?;
		let most = terms.limits.request_bytes.min(MAX_REQUEST_BYTES);
		let body = u32::try_from(request.body.len()).unwrap_or(u32::MAX);
		ensure!(body <= most, Error::<T>::NotReplayable);
		let info = T::Clock::info(receipt.epoch).ok_or(Error::<T>::PeriodOver)?;
		let Receipt {
			genesis,
			deal,
			peer,
			epoch,
			seq,
			..
		} = **receipt;
		Ok(ReplayInput {
			seed: randomness_seed(genesis, deal, peer, epoch, seq, receipt.request),
			clock_ms: info.clock_ms(receipt.block),
			request,
			transcript,
			limits: terms.limits,
			hosts: terms.hosts.clone(),
			claimed_gas: receipt.gas,
		})
	}
}

//! The duty to answer an audit.

use crate::{
	refusal, report_impls::Duty, AuditFailure, Audits, Config, Error, Event, Pallet, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
	defensive,
	dispatch::WithPostDispatchInfo,
	ensure,
	pallet_prelude::{
		DispatchResultWithPostInfo, TransactionSource, TransactionValidityWithRefund, Weight,
	},
};
use millrace_primitives::{
	audit::{self, Audit, AuditAnswer, AuditStatus, SOLUTIONS_PER_AUDIT},
	capacity::{self, Puzzle},
	epoch::Phase,
	merkle,
	peer::{PeerId, PeerSignature},
	traits::{EpochClock, RandomX, ReceiptLedger},
	EpochIndex, H256, U256,
};

/// Work that an answer opened, and that is still to be hashed.
#[derive(Debug)]
pub(crate) struct Opened {
	/// RandomX key of the epoch.
	seed: H256,
	/// Randomness of the draw.
	draw: H256,
	/// What the hashes must meet.
	target: U256,
	/// Inputs of the hashes.
	inputs: Vec<Vec<u8>>,
}

impl<T: Config> Pallet<T> {
	/// Reads storage and checks one signature; what is opened is looked at in the dispatch.
	pub(crate) fn authorize_answer(
		_source: TransactionSource,
		peer: &PeerId,
		answer: &AuditAnswer,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let key = Self::current_key(*peer)?;
		let epoch = answer.report.epoch;
		Self::ensure_just_ended(epoch)?;
		ensure!(
			T::Clock::phase() == Phase::Answer,
			refusal::refuse(refusal::WINDOW_CLOSED)
		);
		let audit = Audits::<T>::get(peer)
			.filter(|audit| audit.epoch == epoch)
			.ok_or_else(|| refusal::refuse(refusal::NOT_DRAWN))?;
		ensure!(
			audit.status == AuditStatus::Open,
			refusal::refuse(refusal::ALREADY_SENT)
		);
		Self::ensure_signed_by(key, answer.hash(T::Clock::genesis(), *peer), signature)?;

		let window_end = T::Clock::current().lengths.close_position();
		Ok((
			Self::duty(Duty::AuditAnswer, *peer, epoch, window_end),
			Weight::zero(),
		))
	}

	/// Judges an authorised answer.
	///
	/// What is wrong on its face is an error: nothing is written, the audit stays open, and the peer
	/// may answer once more. Whether the work was done and the receipts hold is a verdict: it is
	/// dear to find out, so there is no second try.
	pub(crate) fn do_answer(peer: PeerId, answer: &AuditAnswer) -> DispatchResultWithPostInfo {
		let epoch = answer.report.epoch;
		let mut weight = T::WeightInfo::answer_checks();
		let opened = Self::opened_work(peer, answer).map_err(|error| error.with_weight(weight))?;

		let works = opened.inputs.into_iter().all(|input| {
			weight.saturating_accrue(T::WeightInfo::randomx_hash());
			T::RandomX::hash(opened.seed, input)
				.is_some_and(|hash| capacity::meets(&hash, opened.target))
		});
		let verdict = if !works {
			Err(AuditFailure::SolutionWork)
		} else {
			weight.saturating_accrue(T::Receipts::open_weight());
			let open = T::Receipts::open(peer, &answer.report, opened.draw, &answer.receipts);
			open.then_some(()).ok_or(AuditFailure::Receipt)
		};
		Self::judge(peer, epoch, verdict);
		Ok(Some(weight).into())
	}

	/// Records the verdict over an answer.
	pub(crate) fn judge(peer: PeerId, epoch: EpochIndex, verdict: Result<(), AuditFailure>) {
		let (status, event) = match verdict {
			Ok(()) => (AuditStatus::Passed, Event::AuditPassed { peer, epoch }),
			Err(reason) => (
				AuditStatus::Failed,
				Event::AuditFailed {
					peer,
					epoch,
					reason,
				},
			),
		};
		Audits::<T>::insert(peer, Audit { epoch, status });
		Self::deposit_event(event);
	}

	/// The work that an answer opens, if it opens what was drawn of the report that was taken.
	///
	/// A path is as long as the tree's shape asks for and leads from the leaf at the drawn index to
	/// the peer's own root of that epoch. So inner nodes, other leaves, and openings of other peers
	/// and epochs all end here.
	pub(crate) fn opened_work(peer: PeerId, answer: &AuditAnswer) -> Result<Opened, Error<T>> {
		let report = &answer.report;
		let genesis = T::Clock::genesis();
		ensure!(
			T::Receipts::report_hash(peer, report.epoch) == Some(report.hash(genesis, peer)),
			Error::<T>::OtherReport
		);
		let (Some(row), Some(seed), Some(draw)) = (
			Self::row(report.epoch),
			T::Clock::seed(report.epoch),
			T::Clock::draw(report.epoch),
		) else {
			defensive!("the epoch before the current one is remembered");
			return Err(Error::<T>::Defensive);
		};

		let (idle, busy) = (report.proven_idle, report.proven_busy);
		let leaves = row.rates.leaves(idle, busy);
		let drawn = audit::drawn_solutions(draw, peer, leaves);
		ensure!(
			drawn.len() == answer.solutions.len(),
			Error::<T>::SolutionCount
		);
		let mut inputs = Vec::new();
		for (index, opening) in drawn.into_iter().zip(answer.solutions.iter()) {
			let length = u32::try_from(opening.path.len()).ok();
			ensure!(
				length.is_some() && length == merkle::path_length(leaves, index),
				Error::<T>::SolutionPathLength
			);
			let leaf = opening.nonce.to_le_bytes();
			ensure!(
				merkle::verify(report.proofs_root, leaves, index, &leaf, &opening.path),
				Error::<T>::SolutionPath
			);
			let (unit, k) = row
				.rates
				.leaf(idle, busy, index)
				.ok_or(Error::<T>::SolutionPath)?;
			let puzzle = Puzzle {
				genesis,
				peer,
				unit,
				k,
			};
			inputs.push(puzzle.input(opening.nonce));
		}
		Ok(Opened {
			seed,
			draw,
			target: row.target,
			inputs,
		})
	}

	/// Weight of an answer at its bound.
	pub(crate) fn answer_weight() -> Weight {
		let hashes = T::WeightInfo::randomx_hash().saturating_mul(SOLUTIONS_PER_AUDIT.into());
		T::WeightInfo::answer_checks()
			.saturating_add(hashes)
			.saturating_add(T::Receipts::open_weight())
	}

	/// The audit that a peer was last drawn for.
	pub fn audit_of(peer: PeerId) -> Option<Audit> {
		Audits::<T>::get(peer)
	}
}

//! The duty to answer an audit.

use crate::{refusal, report_impls::Duty, AuditFailure, Audits, Config, Event, Pallet, WeightInfo};
use frame_support::{
	defensive, ensure,
	pallet_prelude::{TransactionSource, TransactionValidityWithRefund, Weight},
};
use millrace_primitives::{
	audit::{self, Audit, AuditAnswer, AuditStatus},
	capacity::{self, Puzzle},
	epoch::Phase,
	merkle,
	peer::{PeerId, PeerSignature},
	traits::{EpochClock, RandomX, ReceiptLedger},
};

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

	/// Records whether an authorised answer holds. There is no second try.
	pub(crate) fn do_answer(peer: PeerId, answer: &AuditAnswer) {
		let epoch = answer.report.epoch;
		let (status, event) = match Self::check_answer(peer, answer) {
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

	fn check_answer(peer: PeerId, answer: &AuditAnswer) -> Result<(), AuditFailure> {
		let report = &answer.report;
		let genesis = T::Clock::genesis();
		ensure!(
			T::Receipts::report_hash(peer, report.epoch) == Some(report.hash(genesis, peer)),
			AuditFailure::OtherReport
		);
		let (Some(row), Some(seed), Some(draw)) = (
			Self::row(report.epoch),
			T::Clock::seed(report.epoch),
			T::Clock::draw(report.epoch),
		) else {
			defensive!("the epoch before the current one is remembered");
			return Err(AuditFailure::OtherReport);
		};

		let (idle, busy) = (report.proven_idle, report.proven_busy);
		let leaves = row.rates.leaves(idle, busy);
		let drawn = audit::drawn_solutions(draw, peer, leaves);
		ensure!(
			drawn.len() == answer.solutions.len(),
			AuditFailure::SolutionCount
		);
		for (index, opening) in drawn.into_iter().zip(answer.solutions.iter()) {
			let leaf = opening.nonce.to_le_bytes();
			ensure!(
				merkle::verify(report.proofs_root, leaves, index, &leaf, &opening.path),
				AuditFailure::SolutionPath
			);
			let (unit, k) = row
				.rates
				.leaf(idle, busy, index)
				.ok_or(AuditFailure::SolutionPath)?;
			let input = Puzzle {
				genesis,
				peer,
				unit,
				k,
			}
			.input(opening.nonce);
			ensure!(
				T::RandomX::hash(seed, input)
					.is_some_and(|hash| capacity::meets(&hash, row.target)),
				AuditFailure::SolutionWork
			);
		}
		ensure!(
			T::Receipts::open(peer, report, draw, &answer.receipts),
			AuditFailure::Receipt
		);
		Ok(())
	}

	/// Weight of an answer at its bound.
	pub(crate) fn answer_weight() -> Weight {
		T::WeightInfo::answer_audit().saturating_add(T::Receipts::open_weight())
	}

	/// The audit that a peer was last drawn for.
	pub fn audit_of(peer: PeerId) -> Option<Audit> {
		Audits::<T>::get(peer)
	}
}

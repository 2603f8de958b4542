//! The duty to report: who may send what when, and what the chain keeps of it.

use crate::{
	refusal, types::Outcome, Commitment, CommitmentOf, Commitments, Config, EpochRow, EpochRows,
	Event, Listed, Pallet, ReportList, WeightInfo, REMEMBERED_EPOCHS,
};
use alloc::vec;
use codec::Encode;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{
		TransactionSource, TransactionValidityError, TransactionValidityWithRefund,
		ValidTransaction, Weight,
	},
	traits::Get,
};
use millrace_primitives::{
	epoch::Phase,
	peer::{PeerId, PeerKey, PeerSignature},
	report::{Report, MAX_DEALS_PER_PEER},
	traits::{EpochClock, PeerRegistry, ReceiptLedger, WorkLedger},
	views::Owed,
	BlockNumber, EpochIndex, H256,
};
use sp_core::ed25519;
use sp_runtime::traits::SaturatedConversion;

/// The kinds of duties that this pallet knows, as they stand in a transaction's tag.
#[derive(Clone, Copy, Debug, Encode)]
pub(crate) enum Duty {
	/// A report.
	#[codec(index = 0)]
	Report,
	/// The answer to an audit.
	#[codec(index = 1)]
	AuditAnswer,
}

impl<T: Config> Pallet<T> {
	/// Reads storage and checks one signature; everything dearer waits for the dispatch.
	pub(crate) fn authorize_report(
		_source: TransactionSource,
		peer: &PeerId,
		report: &Report,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let key = Self::current_key(*peer)?;
		Self::ensure_just_ended(report.epoch)?;
		ensure!(
			T::Clock::phase() == Phase::Report,
			refusal::refuse(refusal::WINDOW_CLOSED)
		);
		let commitment =
			Commitments::<T>::get(peer).ok_or_else(|| refusal::refuse(refusal::NO_COMMITMENT))?;
		let (idle, busy) = Self::owed_units(*peer, &commitment, report.epoch)
			.ok_or_else(|| refusal::refuse(refusal::NO_COMMITMENT))?;
		ensure!(
			commitment.outcome(report.epoch).is_none(),
			refusal::refuse(refusal::ALREADY_SENT)
		);
		ensure!(report.is_ordered(), refusal::refuse(refusal::BAD_REPORT));
		ensure!(
			report.proven_idle <= idle && report.proven_busy <= busy,
			refusal::refuse(refusal::TOO_MANY_UNITS)
		);
		Self::ensure_signed_by(key, report.hash(T::Clock::genesis(), *peer), signature)?;

		let window_end = T::Clock::current().lengths.report_window;
		Ok((
			Self::duty(Duty::Report, *peer, report.epoch, window_end),
			Weight::zero(),
		))
	}

	/// Takes an authorised report and returns the weight that it took.
	pub(crate) fn do_report(peer: PeerId, report: Report) -> Weight {
		let (epoch, served) = (report.epoch, Self::served_by(&report));
		T::Receipts::on_report(peer, epoch, report.hash(T::Clock::genesis(), peer));

		let mut weight = T::WeightInfo::report(served);
		let Some(mut commitment) = Commitments::<T>::get(peer) else {
			defensive!("authorised without a commitment");
			return weight;
		};
		// Only the last report is kept, so it must be settled before another takes its place. Both
		// change the commitment, which is read and stored once.
		let mut step = Self::settle_commitment(peer, &mut commitment, None);
		let noted = Self::note_report(peer, &mut commitment, &report);
		Commitments::<T>::insert(peer, commitment);
		// To look in vain is part of every report's weight.
		if !step.is_idle() {
			Self::tell_market(peer, &mut step);
			weight.saturating_accrue(step.weight.saturating_sub(Self::shared_weight()));
		}

		let Some((outcome, is_whole)) = noted else {
			return weight;
		};
		// Work is paid for on units that are proven, and so can be drawn: a peer that proves nothing
		// would serve beyond the reach of audits.
		if is_whole {
			T::Work::on_report(peer, epoch, &report.served);
			weight.saturating_accrue(T::Work::on_report_weight(served));
		}
		Self::deposit_event(Event::Reported {
			peer,
			epoch,
			idle: outcome.idle,
			busy: outcome.busy,
		});
		weight
	}

	/// Notes a report in the epoch's totals and in the commitment, which the caller stores: what it
	/// came to, and whether all units at work are proven; `None` if it proves nothing.
	fn note_report(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		report: &Report,
	) -> Option<(Outcome, bool)> {
		let epoch = report.epoch;
		// The commitment may have ended in what was settled just now. The report then proves
		// nothing any more, but its receipts can still be checked against it, and the stake stays
		// for as long as they can.
		let Some((owed_idle, owed_busy)) = Self::owed_units(peer, commitment, epoch) else {
			commitment.reported = Some(Outcome {
				epoch,
				idle: 0,
				busy: 0,
			});
			return None;
		};
		let Some(mut row) = Self::row(epoch) else {
			defensive!("authorised without an epoch");
			return None;
		};

		// Fewer units are owed than when it was authorised, if a growth turned out to be void.
		let outcome = Outcome {
			epoch,
			idle: report.proven_idle.min(owed_idle),
			busy: report.proven_busy.min(owed_busy),
		};
		row.leaves_owed = row
			.leaves_owed
			.saturating_add(row.rates.leaves(owed_idle, owed_busy));
		row.leaves_proven = row
			.leaves_proven
			.saturating_add(row.rates.leaves(outcome.idle, outcome.busy));
		row.idle = row.idle.saturating_add(u64::from(outcome.idle));
		if outcome.proven() > 0 {
			row.units = row.units.saturating_add(u64::from(outcome.proven()));
			ReportList::<T>::insert(
				(Self::list_of(epoch), row.reports),
				Listed {
					peer,
					running_total: row.units,
				},
			);
			row.reports = row.reports.saturating_add(1);
		}
		EpochRows::<T>::insert(Self::slot_of(epoch), row);
		commitment.reported = Some(outcome);
		Some((outcome, outcome.busy >= owed_busy))
	}

	/// Weight of a report at its bound: with the dearest settlement that it can bring about.
	pub(crate) fn report_weight(report: &Report) -> Weight {
		Self::weight_of_report(Self::served_by(report))
	}

	/// Weight of the largest report that there can be.
	pub(crate) fn largest_report_weight() -> Weight {
		Self::weight_of_report(MAX_DEALS_PER_PEER)
	}

	fn weight_of_report(served: u32) -> Weight {
		T::WeightInfo::report(served)
			.saturating_add(T::Work::on_report_weight(served))
			.saturating_add(Self::settlement_weight())
	}

	/// What the weights of a report and of a settlement both have, and is done once: the commitment is
	/// read and written; the clock's epoch and position and the provider's equivocations are read.
	fn shared_weight() -> Weight {
		T::DbWeight::get().reads_writes(4, 1)
	}

	/// Number of deals that a report lists.
	fn served_by(report: &Report) -> u32 {
		u32::try_from(report.served.len()).unwrap_or(MAX_DEALS_PER_PEER)
	}

	/// What a peer owes for the current epoch or the one before; `None` if nothing.
	pub fn work_of(peer: PeerId, epoch: EpochIndex) -> Option<Owed> {
		let commitment = Commitments::<T>::get(peer)?;
		let (idle, busy) = Self::owed_units(peer, &commitment, epoch)?;
		let row = Self::row(epoch)?;
		let seed = T::Clock::seed(epoch)?;
		Some(Owed {
			epoch,
			seed,
			target: row.target,
			idle,
			busy,
			rates: row.rates,
		})
	}

	/// Whether the report of the epoch before can be sent now and has not been.
	pub fn report_due(peer: PeerId) -> bool {
		let (Some(epoch), Some(commitment)) = (
			T::Clock::current().index.checked_sub(1),
			Commitments::<T>::get(peer),
		) else {
			return false;
		};
		T::Clock::phase() == Phase::Report
			&& commitment.owes(epoch)
			&& commitment.outcome(epoch).is_none()
	}

	/// Units that a peer owes proofs of for an epoch: (idle, at work).
	fn owed_units(
		peer: PeerId,
		commitment: &Commitment<T::AccountId>,
		epoch: EpochIndex,
	) -> Option<(u32, u32)> {
		if !commitment.owes(epoch) {
			return None;
		}
		let units = commitment.units_at(epoch);
		let busy = T::Work::busy_units(peer, epoch).min(units);
		Some((units.saturating_sub(busy), busy))
	}

	/// The key that signs for a peer at this block.
	pub(crate) fn current_key(peer: PeerId) -> Result<PeerKey, TransactionValidityError> {
		let now: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		T::Peers::key_at(peer, now).ok_or_else(|| refusal::refuse(refusal::UNKNOWN_PEER))
	}

	/// Refuses a duty for any epoch but the one before the current one.
	pub(crate) fn ensure_just_ended(epoch: EpochIndex) -> Result<(), TransactionValidityError> {
		let ended = T::Clock::current().index.checked_sub(1);
		ensure!(ended == Some(epoch), refusal::refuse(refusal::WRONG_EPOCH));
		Ok(())
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

	/// A valid duty: ahead of any tip, until its window closes at position `window_end`.
	pub(crate) fn duty(
		duty: Duty,
		peer: PeerId,
		epoch: EpochIndex,
		window_end: u32,
	) -> ValidTransaction {
		ValidTransaction {
			priority: u64::MAX,
			requires: vec![],
			provides: vec![("millrace-duty", peer, duty, epoch).encode()],
			longevity: u64::from(window_end.saturating_sub(T::Clock::position())),
			propagate: true,
		}
	}

	/// Totals of an epoch, as long as they are remembered.
	pub fn row(epoch: EpochIndex) -> Option<EpochRow> {
		EpochRows::<T>::get(Self::slot_of(epoch)).filter(|row| row.epoch == epoch)
	}

	/// Where the totals of an epoch stand.
	pub fn slot_of(epoch: EpochIndex) -> u32 {
		epoch.checked_rem(REMEMBERED_EPOCHS).unwrap_or(0)
	}

	/// Which of the two lists is an epoch's.
	pub fn list_of(epoch: EpochIndex) -> u32 {
		epoch & 1
	}
}

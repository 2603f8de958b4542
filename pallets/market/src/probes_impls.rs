//! Probes: anybody asks a call of a worker over the chain, and the worker answers it there with a
//! receipt like any other. Who is reached by nobody can be told from who is slandered by nobody else.
//!
//! The prober risks a bond, so that asking costs something: a part of it is burnt if the worker answers,
//! and the rest is the provider's. What becomes of a worker that does not is told by `probe_failures_impls`.

use crate::{pallet::*, refusal, types::*, weights::WeightInfo};
use alloc::boxed::Box;
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use millrace_primitives::{
	execution::{Receipt, SignedReceipt},
	market::{Worker, WorkerStatus},
	peer::PeerId,
	probe::{probe_request, Moment, ProbeBody, ProbeView},
	traits::{EpochClock, PeerRegistry, WorkInspector},
	Balance, BlockNumber, DealId, EpochIndex,
};
use sp_runtime::{DispatchError, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// This block.
	pub(crate) fn moment() -> Moment {
		Moment {
			epoch: T::Epochs::current().index,
			position: T::Epochs::position(),
		}
	}

	fn height() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// Asks a call of a worker; the weight that it took.
	pub(crate) fn do_probe(
		who: T::AccountId,
		id: DealId,
		peer: PeerId,
		body: ProbeBody,
	) -> Result<Weight, DispatchError> {
		let deal = Self::deal_of(id).ok_or(Error::<T>::UnknownDeal)?;
		let spec = Specs::<T>::get(id).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		ensure!(
			spec.access.is_open() || who == deal.owner,
			Error::<T>::NotOwner
		);
		// The worker would refuse it of anybody.
		ensure!(
			body.len() <= spec.limits.request_bytes as usize,
			Error::<T>::ProbeTooLong
		);
		let info = T::Epochs::current();
		let serves = worker.is_due(info.index)
			&& deal.pays(info.index)
			&& Self::paid_until(id, &deal, &Self::workers_of(id)) >= info.index;
		let since = Self::first_epoch(&worker).filter(|_| serves);
		let since = since.ok_or(Error::<T>::NothingToProbe)?;
		ensure!(
			!Probes::<T>::contains_key(id, peer),
			Error::<T>::AlreadyProbed
		);
		Self::note_prober(id, peer, &who, info.index)?;

		let params = Params::<T>::get();
		let bond = params.probe_bond;
		Self::hold(HoldReason::Probe, &who, bond)?;
		let deadline = Self::moment().after(params.probe_blocks, info.lengths.len);
		let probe = Probe {
			prober: who.clone(),
			request: probe_request(&body).hash(),
			body,
			bond,
			burn: params.probe_burn.mul_ceil(bond),
			at: Self::height(),
			epoch: info.index,
			deadline,
			since,
		};
		Probes::<T>::insert(id, peer, probe);
		OpenProbes::<T>::insert(ProbeKey::new(deadline, id, peer), ());
		Self::deposit_event(Event::ProbeMade {
			deal: id,
			peer,
			prober: who,
			bond,
			deadline,
		});
		Ok(T::WeightInfo::probe(deal.workers))
	}

	/// First paid epoch of a worker that is live or has been.
	fn first_epoch(worker: &Worker) -> Option<EpochIndex> {
		match worker.status {
			WorkerStatus::Assigned { .. } => None,
			WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => Some(since),
		}
	}

	/// Notes who probes a worker in this epoch: each may once, and not too many together.
	fn note_prober(
		id: DealId,
		peer: PeerId,
		who: &T::AccountId,
		now: EpochIndex,
	) -> DispatchResult {
		ProbeRecords::<T>::try_mutate(id, peer, |record| -> DispatchResult {
			if record.epoch != now {
				record.epoch = now;
				record.probers.clear();
			}
			ensure!(!record.probers.contains(who), Error::<T>::ProbedBefore);
			record
				.probers
				.try_push(who.clone())
				.map_err(|_| Error::<T>::TooManyProbes.into())
		})
	}

	/// Whether a probe is of a worker as it stands. Its peer may have left the deal since, and even have
	/// come back.
	pub(crate) fn is_probed(probe: &Probe<T::AccountId>, worker: &Worker) -> bool {
		Self::first_epoch(worker) == Some(probe.since)
	}

	/// Takes a probe out of all that knows of it.
	pub(crate) fn take_probe(id: DealId, peer: PeerId) -> Option<Probe<T::AccountId>> {
		let probe = Probes::<T>::take(id, peer)?;
		OpenProbes::<T>::remove(ProbeKey::new(probe.deadline, id, peer));
		Some(probe)
	}

	/// What a worker is asked, if it is.
	pub(crate) fn probe_view(id: DealId, worker: &Worker) -> Option<ProbeView> {
		let probe = Probes::<T>::get(id, worker.peer)?;
		Self::is_probed(&probe, worker).then(|| ProbeView {
			body: probe.body.into_inner(),
			at: probe.at,
			deadline: probe.deadline,
		})
	}

	/// Whether an answer may enter a block now. The signature is checked last, as it costs most.
	pub(crate) fn authorize_answer_probe(
		_source: TransactionSource,
		peer: &PeerId,
		deal: &DealId,
		answer: &SignedReceipt,
	) -> TransactionValidityWithRefund {
		let refuse =
			|code: u8| -> TransactionValidityError { InvalidTransaction::Custom(code).into() };
		let probe = Probes::<T>::get(deal, peer).ok_or(refuse(refusal::NOT_PROBED))?;
		let stays = Workers::<T>::get(deal, peer).is_some_and(|row| Self::is_probed(&probe, &row));
		ensure!(stays, refuse(refusal::NOT_PROBED));
		let now = Self::moment();
		ensure!(now <= probe.deadline, refuse(refusal::PROBE_OVER));
		let receipt = &answer.receipt;
		ensure!(
			receipt.deal == *deal && receipt.peer == *peer && Self::is_answer(&probe, receipt),
			refuse(refusal::OTHER_RECEIPT)
		);
		ensure!(
			Self::keeps_terms(receipt),
			refuse(refusal::RECEIPT_IS_FALSE)
		);
		let key = T::Peers::key_at(*peer, receipt.block).ok_or(refuse(refusal::UNKNOWN_PEER))?;
		if !Self::is_signed_by(key, receipt.hash(), &answer.signature) {
			return Err(refuse(refusal::BAD_SIGNATURE));
		}
		let left = now.until(probe.deadline, T::Epochs::current().lengths.len);
		let validity = ValidTransaction {
			priority: u64::MAX,
			requires: Default::default(),
			provides: alloc::vec![("millrace-duty", peer, "answer-probe", deal, probe.at).encode()],
			longevity: u64::from(left).max(1),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Whether a receipt is of what a probe asks, and of no call before it.
	fn is_answer(probe: &Probe<T::AccountId>, receipt: &Receipt) -> bool {
		let epochs = [Some(probe.epoch), probe.epoch.checked_add(1)];
		receipt.request == probe.request
			&& epochs.contains(&Some(receipt.epoch))
			&& (probe.at..=Self::height()).contains(&receipt.block)
			&& T::Epochs::blocks_of(receipt.epoch)
				.is_some_and(|blocks| blocks.contains(&receipt.block))
			&& receipt.genesis == T::Epochs::genesis()
			&& T::Epochs::seed(receipt.epoch) == Some(receipt.seed)
	}

	/// Whether a receipt is not seen to be false. Whether it is true is for whoever runs the call again.
	fn keeps_terms(receipt: &Receipt) -> bool {
		let Receipt {
			deal,
			package,
			epoch,
			block,
			..
		} = *receipt;
		let terms = <Self as WorkInspector>::call_terms(deal, package, epoch, block);
		receipt.fits_status()
			&& terms.is_ok_and(|terms| receipt.fits_terms(receipt.genesis, &terms))
	}

	/// Takes an authorised answer: a part of the bond is burnt, the rest the provider's.
	pub(crate) fn do_answer_probe(
		peer: PeerId,
		id: DealId,
		receipt: SignedReceipt,
	) -> DispatchResult {
		let probe = Self::take_probe(id, peer).ok_or(Error::<T>::NotProbed)?;
		let provider = T::Peers::provider_of(peer).ok_or(Error::<T>::UnknownPeer)?;
		let paid = Self::pay_answer(&probe, &provider);
		let burnt = probe.bond.checked_sub(paid).ok_or(Error::<T>::Arithmetic)?;
		if burnt > 0 {
			T::Currency::burn_held(
				&HoldReason::Probe.into(),
				&probe.prober,
				burnt,
				Precision::Exact,
				Fortitude::Force,
			)?;
		}
		Self::deposit_event(Event::ProbeAnswered {
			deal: id,
			peer,
			prober: probe.prober,
			receipt: Box::new(receipt),
			paid,
			burnt,
		});
		Ok(())
	}

	/// Gives what does not burn of a probe's bond to a provider; what it was given. Who cannot receive
	/// anything goes without.
	fn pay_answer(probe: &Probe<T::AccountId>, provider: &T::AccountId) -> Balance {
		let amount = probe.bond.saturating_sub(probe.burn);
		if amount == 0 {
			return 0;
		}
		if probe.prober == *provider {
			return Self::release(HoldReason::Probe, provider, amount).map_or(0, |()| amount);
		}
		T::Currency::transfer_on_hold(
			&HoldReason::Probe.into(),
			&probe.prober,
			provider,
			amount,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}
}

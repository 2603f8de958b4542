//! Workers that leave by their peer's fault: it did not report their deal, or its commitment failed.
//! They forfeit their bond, and the deal looks for others.

use crate::{pallet::*, types::*, weights::WeightInfo};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
	},
	weights::{Weight, WeightToFee},
};
use millrace_primitives::{
	market::{DealStatus, Worker, WorkerStatus},
	peer::PeerId,
	traits::{Capacity, EpochClock, PeerRegistry},
	Balance, DealId, EpochIndex,
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Weight of `replace` at its bound.
	pub(crate) fn replace_weight() -> Weight {
		T::WeightInfo::replace().saturating_add(T::Capacity::settle_weight())
	}

	/// Takes out a worker that is lost, for whoever says so; the weight that it took.
	pub(crate) fn do_replace(
		who: T::AccountId,
		id: DealId,
		peer: PeerId,
	) -> Result<Weight, DispatchError> {
		let deal = Self::deal_of(id).ok_or(Error::<T>::UnknownDeal)?;
		let worker = Workers::<T>::get(id, peer).ok_or(Error::<T>::NotAssigned)?;
		ensure!(Self::is_lost(id, &deal, &worker), Error::<T>::NotLost);
		let settlement = Self::settle_weighed(peer);
		Self::lose(id, peer, Some(&who))?;
		Ok(T::WeightInfo::replace().saturating_add(settlement))
	}

	/// Settles the closed epochs of a peer, if there are any; the weight that it took.
	pub(crate) fn settle_weighed(peer: PeerId) -> Weight {
		if T::Capacity::is_settled(peer) {
			return Weight::zero();
		}
		T::Capacity::settle(peer)
	}

	/// Whether a worker did not report its deal for the epoch that has just ended, though it was due,
	/// and can no longer.
	///
	/// Told before the peer is settled, which forgets what it reported. What was left out of a report
	/// that is settled already is not known any more; it was not paid either.
	pub(crate) fn is_lost(id: DealId, deal: &Deal<T::AccountId>, worker: &Worker) -> bool {
		let Some(ended) = T::Epochs::current().index.checked_sub(1) else {
			return false;
		};
		Self::would_be_paid(deal, worker, ended)
			&& (T::Capacity::missed(worker.peer, ended)
				|| Self::is_left_out(id, worker.peer, ended))
	}

	/// Whether a deal has a worker's price for an epoch in which the worker was due. Nobody loses a
	/// bond for work that would not have been paid.
	fn would_be_paid(deal: &Deal<T::AccountId>, worker: &Worker, epoch: EpochIndex) -> bool {
		let covered = match deal.is_in_grace(epoch) {
			true => deal.closing_deposit >= Self::price_in_grace(deal, worker),
			false => deal.escrow >= worker.epoch_price(),
		};
		worker.is_due(epoch) && deal.pays(epoch) && covered
	}

	/// Whether a peer reported an epoch without a deal. It reports an epoch once.
	fn is_left_out(id: DealId, peer: PeerId, epoch: EpochIndex) -> bool {
		Reported::<T>::get(peer)
			.is_some_and(|(of, listed)| of == epoch && !Self::is_listed(&listed, id))
	}

	/// Takes out a worker that is lost and whose peer the caller has settled, so that it has all that it
	/// was owed. `pusher` has the bounty.
	pub(crate) fn lose(id: DealId, peer: PeerId, pusher: Option<&T::AccountId>) -> DispatchResult {
		// The settlement may have ended the peer's commitment, and with it the worker.
		let Some(worker) = Workers::<T>::get(id, peer) else {
			return Ok(());
		};
		ensure!(T::Capacity::is_settled(peer), Error::<T>::WorkersNotSettled);
		let key = DealKey::from(id);
		let mut deal = Deals::<T>::get(key).ok_or(Error::<T>::UnknownDeal)?;
		// It may also have paid what the epoch would have been paid from.
		let ended = T::Epochs::current().index.saturating_sub(1);
		ensure!(
			Self::would_be_paid(&deal, &worker, ended),
			Error::<T>::NotLost
		);
		Self::expel(id, &mut deal, worker, ReleaseReason::Lost, pusher)?;
		Deals::<T>::insert(key, deal);
		Self::note_lapse(peer, worker.offer)
	}

	/// Takes a worker out of a deal by its own fault: its bond is forfeited, and the deal does not take
	/// it again for a while. The caller stores the deal.
	pub(crate) fn expel(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		worker: Worker,
		reason: ReleaseReason,
		pusher: Option<&T::AccountId>,
	) -> DispatchResult {
		Self::forfeit(id, deal, &worker, pusher)?;
		let without_bond = Worker { bond: 0, ..worker };
		Self::remove_worker(id, deal, &without_bond, reason)?;
		if !matches!(deal.status, DealStatus::Ending { .. }) {
			Self::exclude(id, worker.peer);
		}
		Ok(())
	}

	/// Takes a worker's bond: the bounty goes to whoever pointed to it, at most one epoch's price to the
	/// deal's escrow, and the rest is burnt. The caller stores the deal and forgets the bond.
	pub(crate) fn forfeit(
		id: DealId,
		deal: &mut Deal<T::AccountId>,
		worker: &Worker,
		pusher: Option<&T::AccountId>,
	) -> DispatchResult {
		if worker.bond == 0 {
			return Ok(());
		}
		let provider = T::Peers::provider_of(worker.peer).ok_or(Error::<T>::UnknownPeer)?;
		let reason: T::RuntimeHoldReason = HoldReason::WorkerBond.into();
		let give = |to: &T::AccountId, amount: Balance| {
			T::Currency::transfer_on_hold(
				&reason,
				&provider,
				to,
				amount,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)
		};
		// Nobody is paid for pointing to itself, and who cannot receive anything goes without.
		let due = Self::bounty_of(worker.bond);
		let bounty = match pusher.filter(|who| **who != provider && due > 0) {
			Some(who) => give(who, due).unwrap_or(0),
			None => 0,
		};
		let rest = worker
			.bond
			.checked_sub(bounty)
			.ok_or(Error::<T>::Arithmetic)?;
		let to_escrow = rest.min(worker.epoch_price());
		if to_escrow > 0 {
			give(&Self::pot(), to_escrow)?;
			Self::hold(HoldReason::Escrow, &Self::pot(), to_escrow)?;
		}
		deal.escrow = deal
			.escrow
			.checked_add(to_escrow)
			.ok_or(Error::<T>::Arithmetic)?;
		let burnt = rest.checked_sub(to_escrow).ok_or(Error::<T>::Arithmetic)?;
		if burnt > 0 {
			T::Currency::burn_held(
				&reason,
				&provider,
				burnt,
				Precision::Exact,
				Fortitude::Force,
			)?;
		}
		Self::deposit_event(Event::BondForfeited {
			deal: id,
			peer: worker.peer,
			bounty,
			to_escrow,
			burnt,
		});
		Ok(())
	}

	/// For pointing to a worker that is lost: so many times the fee of the call, and at most a part of
	/// the bond, as the parameters in force say.
	fn bounty_of(bond: Balance) -> Balance {
		let params = Params::<T>::get();
		let fee = T::WeightToFee::weight_to_fee(&T::WeightInfo::replace());
		params
			.bounty_part
			.mul_floor(bond)
			.min(fee.saturating_mul(params.bounty_fees.into()))
	}

	/// Whether nothing is left for a worker to serve, and its row only waits to be taken away: its
	/// notice or its deal is over, and the last epoch closed.
	pub(crate) fn has_served(deal: &Deal<T::AccountId>, worker: &Worker) -> bool {
		let of_deal = match deal.status {
			DealStatus::Ending { last } => Some(last),
			DealStatus::Active | DealStatus::Grace => deal.last_epoch(),
		};
		let of_worker = match worker.status {
			WorkerStatus::Draining { last, .. } => Some(last),
			WorkerStatus::Assigned { .. } | WorkerStatus::Live { .. } => None,
		};
		let last = of_deal.into_iter().chain(of_worker).min();
		last.is_some_and(|last| T::Epochs::last_closed().is_some_and(|closed| closed >= last))
	}
}

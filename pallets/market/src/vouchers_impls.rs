//! Vouchers: what clients sign for the gas of deals that are billed by it, and what is billed of them.

use crate::{pallet::*, refusal, types::*};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
};
use millrace_primitives::{
	billing::{gas_share, redeem_hash, voucher_hash, Redeemed, Voucher},
	market::WorkerStatus,
	peer::{PeerId, PeerSignature},
	traits::{EpochClock, PeerRegistry},
	Balance, DealId, Gas,
};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// Whether a report lists a deal.
	pub(crate) fn is_listed(listed: &ReportedList, deal: DealId) -> bool {
		listed.iter().any(|(other, _)| *other == deal)
	}

	/// What a served epoch of a price costs in which so much gas was reported; and, where gas is billed,
	/// what is left of the worker's vouchers, for the caller to store.
	pub(crate) fn bill(
		id: DealId,
		deal: &Deal<T::AccountId>,
		peer: PeerId,
		price: Balance,
		reported: Gas,
	) -> (Balance, Option<Redeemed>) {
		let Some(full_gas) = deal.full_gas else {
			return (price, None);
		};
		let Some(mut redeemed) = Vouchers::<T>::get(id, peer) else {
			return (0, None);
		};
		// All that was reported counts as billed, also what is above the whole price: else it would be
		// left for epochs in which less was done.
		let gas = redeemed.bill(reported);
		(gas_share(price, gas, full_gas), Some(redeemed))
	}

	/// Whether a redemption may enter a block now. The signatures are checked last, as they cost most.
	pub(crate) fn authorize_redeem(
		_source: TransactionSource,
		peer: &PeerId,
		deal: &DealId,
		voucher: &Voucher,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let refuse =
			|code: u8| -> TransactionValidityError { InvalidTransaction::Custom(code).into() };
		let block = frame_system::Pallet::<T>::block_number().saturated_into();
		let key = T::Peers::key_at(*peer, block).ok_or(refuse(refusal::UNKNOWN_PEER))?;
		// Also of a deal that is ending: its last epochs are still to be settled.
		let worker = Workers::<T>::get(deal, peer).ok_or(refuse(refusal::NOT_ASSIGNED))?;
		let since = match worker.status {
			WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => since,
			WorkerStatus::Assigned { .. } => return Err(refuse(refusal::NOT_LIVE)),
		};
		let voucher_key = Specs::<T>::get(deal)
			.and_then(|spec| spec.billing.voucher_key())
			.ok_or(refuse(refusal::NOT_BILLED_BY_GAS))?;
		let now = T::Epochs::current();
		let redeemed = Vouchers::<T>::get(deal, peer);
		if redeemed.is_some_and(|redeemed| redeemed.epoch >= now.index) {
			return Err(refuse(refusal::REDEEMED_ALREADY));
		}
		let cumulative = voucher.cumulative;
		if cumulative <= redeemed.map_or(0, |redeemed| redeemed.cumulative) {
			return Err(refuse(refusal::NO_MORE_GAS));
		}
		let genesis = T::Epochs::genesis();
		let message = redeem_hash(genesis, *peer, *deal, since, cumulative);
		if !Self::is_signed_by(key, message, signature) {
			return Err(refuse(refusal::BAD_SIGNATURE));
		}
		let message = voucher_hash(genesis, *deal, *peer, since, cumulative);
		if !Self::is_signed_by(voucher_key, message, &voucher.signature) {
			return Err(refuse(refusal::BAD_VOUCHER));
		}
		let blocks_left =
			u64::from(now.lengths.len).saturating_sub(u64::from(T::Epochs::position()));
		let validity = ValidTransaction {
			priority: u64::MAX,
			requires: Default::default(),
			provides: alloc::vec![("millrace-duty", peer, "redeem", deal, now.index).encode()],
			longevity: blocks_left.max(1),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Notes the voucher of an authorised worker. It counts from now on.
	pub(crate) fn do_redeem(peer: PeerId, id: DealId, cumulative: Gas) -> DispatchResult {
		ensure!(
			Workers::<T>::contains_key(id, peer),
			Error::<T>::NotAssigned
		);
		let epoch = T::Epochs::current().index;
		Vouchers::<T>::mutate(id, peer, |redeemed| {
			let before = redeemed.unwrap_or_default();
			*redeemed = Some(Redeemed {
				cumulative: before.cumulative.max(cumulative),
				billed: before.billed,
				epoch,
			});
		});
		Self::deposit_event(Event::VoucherRedeemed {
			deal: id,
			peer,
			cumulative,
		});
		Ok(())
	}
}

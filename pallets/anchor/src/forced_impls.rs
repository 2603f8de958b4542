//! Forced messages: calls that an address on the anchor has the chain make, whatever validators think of
//! them.
//!
//! Each is made in a hook, for the account that belongs to the address, when its turn comes. Nobody has
//! to be asked, and nobody can put it off.

use crate::{
	Anchor, Config, Event, Forced, ForcedMessage, ForcedQueue, ForcedRefusal, Pallet, WeightInfo,
	FORCED_BLOCK_PART, FORCED_PER_BLOCK, MAX_FORCED_DEPTH,
};
use codec::DecodeLimit;
use frame_support::{
	dispatch::{GetDispatchInfo, RawOrigin},
	traits::Get,
	weights::{Weight, WeightMeter, WeightToFee},
};
use frame_system::pallet_prelude::RuntimeCallFor;
use millrace_primitives::Balance;
use sp_runtime::traits::Dispatchable;

impl<T: Config> Pallet<T> {
	/// Makes forced calls whose turn it is, as far as the block has room for them.
	pub(crate) fn run_forced(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::look_for_forced()).is_err() || Self::is_paused() {
			return;
		}
		for _ in 0..FORCED_PER_BLOCK {
			let Some(nonce) = ForcedQueue::<T>::get().first().copied() else {
				return;
			};
			if !Self::run_one(nonce, meter) {
				return;
			}
		}
	}

	/// Makes one forced call, or refuses it. False if the block has no room for it.
	pub(crate) fn run_one(nonce: u64, meter: &mut WeightMeter) -> bool {
		let overhead = T::WeightInfo::run_forced();
		if !meter.can_consume(overhead) {
			return false;
		}
		let Some(message) = Forced::<T>::get(nonce) else {
			Self::leave_queue(nonce);
			return true;
		};
		let judged = Self::judge(&message, overhead);
		let weight = match &judged {
			Ok((_, weight)) => overhead.saturating_add(*weight),
			Err(_) => overhead,
		};
		if meter.try_consume(weight).is_err() {
			return false;
		}
		Self::leave_queue(nonce);
		let burnt = Self::price(&message, weight).min(message.fee);
		Self::burn_parked(burnt);
		let rest = message.fee.saturating_sub(burnt);
		let who =
			Anchor::<T>::get().and_then(|anchor| Self::account(anchor.account_of(message.sender)));
		let Some(who) = who else {
			// There is an anchor, or there was no message.
			Self::burn_parked(rest);
			return true;
		};
		// Before the call, which may need it.
		Self::credit(nonce, who.clone(), rest);
		match judged {
			Ok((call, _)) => {
				let result = call
					.dispatch(RawOrigin::Signed(who.clone()).into())
					.map(|_| ())
					.map_err(|error| error.error);
				Self::deposit_event(Event::ForcedCalled {
					nonce,
					who,
					burnt,
					result,
				});
			}
			Err(reason) => Self::deposit_event(Event::ForcedRefused {
				nonce,
				burnt,
				reason,
			}),
		}
		true
	}

	/// The call that a message asks for, with its weight, or why it is not made.
	fn judge(
		message: &ForcedMessage,
		overhead: Weight,
	) -> Result<(RuntimeCallFor<T>, Weight), ForcedRefusal> {
		let call = RuntimeCallFor::<T>::decode_all_with_depth_limit(
			MAX_FORCED_DEPTH,
			&mut &message.data[..],
		)
		.map_err(|_| ForcedRefusal::NoCall)?;
		let weight = call.get_dispatch_info().call_weight;
		if !weight.all_lte(Self::most_forced_weight()) {
			return Err(ForcedRefusal::TooHeavy);
		}
		if Self::price(message, overhead.saturating_add(weight)) > message.fee {
			return Err(ForcedRefusal::FeeTooLow);
		}
		Ok((call, weight))
	}

	/// Most that a forced call may weigh.
	pub(crate) fn most_forced_weight() -> Weight {
		let block = T::BlockWeights::get().max_block;
		block.checked_div(FORCED_BLOCK_PART).unwrap_or_default()
	}

	/// What a forced message pays for so much weight and for its own bytes.
	fn price(message: &ForcedMessage, weight: Weight) -> Balance {
		let bytes = Balance::try_from(message.data.len()).unwrap_or(Balance::MAX);
		T::WeightToFee::weight_to_fee(&weight)
			.saturating_add(T::ByteFee::get().saturating_mul(bytes))
	}

	fn leave_queue(nonce: u64) {
		ForcedQueue::<T>::mutate(|queue| queue.retain(|other| *other != nonce));
		Forced::<T>::remove(nonce);
	}
}

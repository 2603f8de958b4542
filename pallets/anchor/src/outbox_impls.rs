//! Messages to the anchor.

use crate::{
	Anchor, Config, Error, Event, NextNonce, OutboxRoot, Pallet, Params, Pending, Sent, SentMessage,
};
use codec::Encode;
use frame_support::{ensure, pallet_prelude::DispatchResult};
use millrace_primitives::{
	anchor::{
		messages::{MessageData, Outgoing},
		tree, H160,
	},
	traits::EpochClock,
	Balance, BlockNumber,
};
use sp_runtime::{traits::SaturatedConversion, DispatchError};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_withdraw(
		who: T::AccountId,
		recipient: H160,
		amount: Balance,
	) -> DispatchResult {
		ensure!(!recipient.is_zero(), Error::<T>::ZeroAddress);
		let params = Params::<T>::get();
		ensure!(
			amount > 0 && amount >= params.min_withdrawal,
			Error::<T>::TooLittle
		);
		let nonce = Self::enqueue(Outgoing::Withdrawal { recipient, amount })?;
		let fee = params.message_fee;
		Self::burn_fee(&who, fee)?;
		Self::lock(&who, amount)?;
		Self::deposit_event(Event::WithdrawalSent {
			nonce,
			who,
			recipient,
			amount,
			fee,
		});
		Ok(())
	}

	pub(crate) fn do_send(who: T::AccountId, target: H160, data: MessageData) -> DispatchResult {
		ensure!(!target.is_zero(), Error::<T>::ZeroAddress);
		let params = Params::<T>::get();
		let bytes = Balance::try_from(data.len()).unwrap_or(Balance::MAX);
		let fee = params
			.message_fee
			.saturating_add(params.byte_fee.saturating_mul(bytes));
		let nonce = Self::enqueue(Outgoing::Message {
			sender: Self::account_bytes(&who),
			target,
			data,
		})?;
		Self::burn_fee(&who, fee)?;
		Self::deposit_event(Event::MessageSent {
			nonce,
			who,
			target,
			fee,
		});
		Ok(())
	}

	/// Gives a message its number and its place in this block.
	fn enqueue(outgoing: Outgoing) -> Result<u64, DispatchError> {
		ensure!(!Self::is_paused(), Error::<T>::Paused);
		let anchor = Anchor::<T>::get().ok_or(Error::<T>::NoAnchor)?;
		let nonce = NextNonce::<T>::get();
		let next = nonce.checked_add(1).ok_or(Error::<T>::Arithmetic)?;
		let id = outgoing.id(T::Clock::genesis(), &anchor, nonce);
		let mut ids = Pending::<T>::get();
		let index = u32::try_from(ids.len()).map_err(|_| Error::<T>::OutboxFull)?;
		ids.try_push(id).map_err(|_| Error::<T>::OutboxFull)?;
		Pending::<T>::put(ids);
		NextNonce::<T>::put(next);
		Sent::<T>::insert(
			nonce,
			SentMessage {
				block: Self::now(),
				index,
				outgoing,
			},
		);
		Ok(nonce)
	}

	/// Fixes the root over the messages of the block that ends. A block without messages has none, so
	/// that no message stands in two leaves.
	pub(crate) fn close_outbox() {
		let root = tree::root(&Pending::<T>::take());
		if OutboxRoot::<T>::get() != root {
			OutboxRoot::<T>::put(root);
		}
	}

	/// An account as messages have it.
	fn account_bytes(who: &T::AccountId) -> [u8; 32] {
		let mut bytes = [0u8; 32];
		for (byte, of) in bytes.iter_mut().zip(who.encode()) {
			*byte = of;
		}
		bytes
	}

	/// The block.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}

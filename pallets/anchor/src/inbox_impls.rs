//! Messages from the anchor: delivered in the order of their numbers, each once.

use crate::{
	refusal, Anchor, Attested, Batch, Config, Counted, Error, Event, Forced, ForcedMessage,
	ForcedQueue, OverdueSince, Pallet, Params, PausedUntil, Taken, WeightInfo, MAX_FORCED,
};
use codec::{Decode, Encode};
use frame_support::{
	defensive, ensure,
	pallet_prelude::{DispatchResult, TransactionSource, TransactionValidityWithRefund, Weight},
};
use millrace_primitives::{
	anchor::{
		accumulate,
		messages::{Incoming, FORCED},
		AnchorId, InboxMark,
	},
	traits::EpochClock,
	Balance,
};
use sp_runtime::traits::TrailingZeroInput;

impl<T: Config> Pallet<T> {
	/// Whether a delivery may enter a block. The number is looked at first: hashing is what costs.
	pub(crate) fn authorize_deliver(
		_source: TransactionSource,
		messages: &Batch,
	) -> TransactionValidityWithRefund {
		ensure!(Anchor::<T>::exists(), refusal::refuse(refusal::NO_ANCHOR));
		ensure!(!Self::is_paused(), refusal::refuse(refusal::PAUSED));
		ensure!(
			Self::has_room(messages),
			refusal::refuse(refusal::QUEUE_FULL)
		);
		ensure!(
			Self::reach(messages).is_some(),
			refusal::refuse(refusal::NOT_ATTESTED)
		);
		let tag = ("millrace-anchor-deliver", Taken::<T>::get());
		Ok((Self::duty(tag.encode()), Weight::zero()))
	}

	/// Takes messages up to an attested place.
	pub(crate) fn do_deliver(messages: Batch) -> DispatchResult {
		let anchor = Anchor::<T>::get().ok_or(Error::<T>::NoAnchor)?;
		ensure!(!Self::is_paused(), Error::<T>::Paused);
		ensure!(Self::has_room(&messages), Error::<T>::ForcedQueueFull);
		let reached = Self::reach(&messages).ok_or(Error::<T>::NotAttested)?;
		let first = Taken::<T>::get().nonce;
		let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
		for (nonce, message) in (first..).zip(messages) {
			Self::take(&anchor, nonce, &message);
		}
		Taken::<T>::put(reached);
		Attested::<T>::mutate(|places| places.retain(|place| place.mark.nonce > reached.nonce));
		Self::deposit_event(Event::Delivered { first, count });
		if let Some(since) = OverdueSince::<T>::take() {
			// Where others are late, the next block says so again.
			Self::deposit_event(Event::InboxCaughtUp { since });
		}
		Ok(())
	}

	/// The attested place to which messages lead from the chain's own.
	fn reach(messages: &Batch) -> Option<InboxMark> {
		let taken = Taken::<T>::get();
		let count = u64::try_from(messages.len()).ok()?;
		let nonce = taken.nonce.checked_add(count)?;
		let attested = Attested::<T>::get()
			.into_iter()
			.map(|place| place.mark)
			.find(|mark| mark.nonce == nonce)?;
		let acc = messages
			.iter()
			.fold(taken.acc, |acc, message| accumulate(acc, message));
		(acc == attested.acc).then_some(attested)
	}

	/// Whether all forced messages of a batch find room in the queue.
	fn has_room(messages: &Batch) -> bool {
		let more = messages
			.iter()
			.filter(|message| message.first() == Some(&FORCED))
			.count();
		let wait = ForcedQueue::<T>::decode_len().unwrap_or_default();
		u32::try_from(wait.saturating_add(more)).is_ok_and(|all| all <= MAX_FORCED)
	}

	/// Takes one message. Whatever it is, those behind it go on.
	fn take(anchor: &AnchorId, nonce: u64, message: &[u8]) {
		let reason = match Incoming::read(message, T::Clock::genesis(), anchor, nonce) {
			Ok(_) if !Self::count(nonce) => None,
			Ok(Incoming::Deposit {
				recipient, amount, ..
			}) => return Self::take_deposit(nonce, recipient, amount),
			Ok(Incoming::Forced { sender, fee, data }) => {
				let message = ForcedMessage { sender, fee, data };
				return Self::take_forced(nonce, message);
			}
			Err(reason) => Some(reason),
		};
		Self::deposit_event(Event::MessageSkipped { nonce, reason });
	}

	fn take_deposit(nonce: u64, recipient: [u8; 32], amount: Balance) {
		if !Self::park_or_pause(nonce, amount) {
			return;
		}
		match Self::account(recipient) {
			Some(recipient) => Self::credit(nonce, recipient, amount),
			None => {
				defensive!("32 bytes are an account");
				Self::burn_parked(amount);
			}
		}
	}

	fn take_forced(nonce: u64, message: ForcedMessage) {
		if !Self::park_or_pause(nonce, message.fee) {
			return;
		}
		let (sender, fee) = (message.sender, message.fee);
		if ForcedQueue::<T>::try_append(nonce).is_err() {
			defensive!("there is room for all of the batch");
			return Self::burn_parked(fee);
		}
		Forced::<T>::insert(nonce, message);
		Self::deposit_event(Event::ForcedQueued { nonce, sender });
	}

	/// Books what a message says was burnt on the anchor. More than can be there was minted without
	/// the chain, or not burnt at all: then it is time to look, before anything else is paid.
	fn park_or_pause(nonce: u64, amount: Balance) -> bool {
		if Self::park(amount) {
			return true;
		}
		let there = crate::Ledger::<T>::get().there;
		Self::deposit_event(Event::Unbacked {
			nonce,
			amount,
			there,
		});
		let block = Self::now().saturating_add(Params::<T>::get().max_pause_blocks);
		PausedUntil::<T>::put(block);
		Self::deposit_event(Event::PausedUntil { block });
		false
	}

	/// Marks a number. False if it has counted before.
	fn count(nonce: u64) -> bool {
		let (row, byte, bit) = place_of(nonce);
		Counted::<T>::mutate(row, |bits| match bits.get_mut(byte) {
			Some(bits) if *bits & bit == 0 => {
				*bits |= bit;
				true
			}
			_ => false,
		})
	}

	/// Whether a number has counted.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub(crate) fn has_counted(nonce: u64) -> bool {
		let (row, byte, bit) = place_of(nonce);
		Counted::<T>::get(row)
			.get(byte)
			.is_some_and(|bits| bits & bit != 0)
	}

	/// An account by the bytes that messages have of it.
	pub(crate) fn account(bytes: [u8; 32]) -> Option<T::AccountId> {
		T::AccountId::decode(&mut TrailingZeroInput::new(&bytes)).ok()
	}

	/// Notes that attested messages are late, as soon as the first is.
	pub(crate) fn note_overdue() {
		if OverdueSince::<T>::exists() || Self::is_paused() {
			return;
		}
		let Some(first) = Attested::<T>::get().first().copied() else {
			return;
		};
		let deadline = first
			.block
			.saturating_add(Params::<T>::get().deliver_blocks);
		let now = Self::now();
		if now > deadline {
			OverdueSince::<T>::put(now);
			Self::deposit_event(Event::InboxOverdue {
				nonce: first.mark.nonce,
			});
		}
	}

	/// Weight of authorising a delivery.
	pub(crate) fn authorize_deliver_weight(messages: &Batch) -> Weight {
		let (_, bytes) = size_of(messages);
		T::WeightInfo::authorize_deliver(bytes)
	}

	/// Weight of a delivery.
	pub(crate) fn deliver_weight(messages: &Batch) -> Weight {
		let (count, bytes) = size_of(messages);
		T::WeightInfo::deliver(count).saturating_add(T::WeightInfo::authorize_deliver(bytes))
	}
}

/// Messages of a batch, and their bytes.
fn size_of(messages: &Batch) -> (u32, u32) {
	let bytes = messages
		.iter()
		.fold(0usize, |sum, message| sum.saturating_add(message.len()));
	let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
	(count, u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Where the bit of a number stands: its row, its byte in that, and the bit.
fn place_of(nonce: u64) -> (u64, usize, u8) {
	let in_row = nonce & 0xff;
	// Both are below 256.
	let byte = usize::try_from(in_row >> 3).unwrap_or(usize::MAX);
	let bit = 1u8.wrapping_shl(u32::try_from(in_row & 7).unwrap_or_default());
	(nonce >> 8, byte, bit)
}

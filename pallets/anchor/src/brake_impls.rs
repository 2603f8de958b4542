//! What governance does: pauses, names the contract, sets the inbox and the parameters.

use crate::{
	Anchor, AnchorParams, Attested, Config, Error, Event, NextNonce, OverdueSince, Pallet, Params,
	PausedUntil, Round, Taken, WeightInfo, MAX_BATCH, MAX_FORCED,
};
use frame_support::{dispatch::DispatchClass, ensure, pallet_prelude::DispatchResult, traits::Get};
use millrace_primitives::{
	anchor::{AnchorId, InboxMark, MAX_INCOMING_BYTES},
	governance::Contradiction,
	BlockNumber,
};

impl<T: Config> Pallet<T> {
	/// Whether both directions are stopped.
	pub fn is_paused() -> bool {
		PausedUntil::<T>::get().is_some_and(|last| Self::now() <= last)
	}

	pub(crate) fn do_pause(blocks: BlockNumber) -> DispatchResult {
		ensure!(
			blocks <= Params::<T>::get().max_pause_blocks,
			Error::<T>::PauseTooLong
		);
		let block = Self::now().saturating_add(blocks);
		PausedUntil::<T>::put(block);
		Self::deposit_event(Event::PausedUntil { block });
		Ok(())
	}

	pub(crate) fn do_resume() -> DispatchResult {
		ensure!(Self::is_paused(), Error::<T>::NotPaused);
		PausedUntil::<T>::kill();
		Self::deposit_event(Event::Resumed);
		Ok(())
	}

	pub(crate) fn do_set_anchor(anchor: AnchorId) -> DispatchResult {
		ensure!(!anchor.contract.is_zero(), Error::<T>::ZeroAddress);
		let unused = NextNonce::<T>::get() == 0 && Self::last_seen() == 0;
		ensure!(unused, Error::<T>::AnchorInUse);
		// Whoever has voted has looked at another contract.
		Self::begin_round(InboxMark::default());
		Anchor::<T>::put(anchor);
		Self::deposit_event(Event::AnchorSet { anchor });
		Ok(())
	}

	pub(crate) fn do_set_inbox(mark: InboxMark) -> DispatchResult {
		ensure!(Anchor::<T>::exists(), Error::<T>::NoAnchor);
		let round = Self::begin_round(mark);
		Self::deposit_event(Event::InboxSet { mark, round });
		Ok(())
	}

	/// Forgets votes and attested places, and goes on from another one.
	fn begin_round(mark: InboxMark) -> u32 {
		Self::forget_votes(Taken::<T>::get().nonce, Self::last_votable());
		Attested::<T>::kill();
		OverdueSince::<T>::kill();
		Taken::<T>::put(mark);
		Round::<T>::mutate(|round| {
			*round = round.saturating_add(1);
			*round
		})
	}

	/// Sets the parameters for what is sent and taken from now on. What waits to be paid is paid by the
	/// new limits.
	pub fn apply_params(params: AnchorParams) -> Result<(), Contradiction> {
		ensure!(params.is_valid(), Contradiction);
		Params::<T>::put(params);
		Self::deposit_event(Event::ParamsSet { params });
		Ok(())
	}

	pub(crate) fn check_integrity() {
		const {
			assert!(
				MAX_FORCED > MAX_BATCH,
				"a queue that empties must have room for a whole batch"
			);
		}
		assert!(AnchorParams::default().is_valid());
		let weights = T::BlockWeights::get();
		let bytes = MAX_BATCH.saturating_mul(MAX_INCOMING_BYTES);
		let largest = T::WeightInfo::deliver(MAX_BATCH)
			.saturating_add(T::WeightInfo::authorize_deliver(bytes).saturating_mul(2));
		for (weight, what) in [
			(largest, "the largest delivery"),
			(
				Self::vote_weight().saturating_add(Self::authorize_vote_weight()),
				"a vote",
			),
			(Self::report_weight(), "a report of conflicting votes"),
		] {
			let most = weights.get(DispatchClass::Operational).max_extrinsic;
			assert!(
				most.is_none_or(|most| weight.all_lte(most)),
				"{what} must fit into a block"
			);
		}
	}
}

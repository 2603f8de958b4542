//! What must hold of the pallet's constants and weights, whatever runtime it is in.

use crate::{
	rules, Amnesty, CapacityParams, Config, Pallet, MAX_CHALLENGE_EPOCHS, REMEMBERED_EPOCHS,
};
use frame_support::{dispatch::DispatchClass, pallet_prelude::Weight, traits::Get};

impl<T: Config> Pallet<T> {
	/// Panics where something does not hold.
	pub(crate) fn check_integrity() {
		assert!(CapacityParams::default().is_valid());
		const {
			assert!(
				MAX_CHALLENGE_EPOCHS < REMEMBERED_EPOCHS,
				"whoever answers for a report must find the epoch's totals"
			);
		}
		let bits = Amnesty::default().bits.len().saturating_mul(64);
		assert!(
			bits == 1024 && REMEMBERED_EPOCHS == 1024,
			"amnesties must be remembered for as long as totals"
		);
		assert!(
			rules::silence_fails_in_every_phase(),
			"a silent peer must fail within forty epochs, whenever it falls silent"
		);
		let weights = T::BlockWeights::get();
		let fits = |class, weight: Weight| {
			let most = weights.get(class).max_extrinsic;
			most.is_none_or(|most| weight.all_lte(most))
		};
		for (class, weight, what) in [
			(
				DispatchClass::Operational,
				Pallet::<T>::answer_weight(),
				"an audit's answer",
			),
			(
				DispatchClass::Operational,
				Pallet::<T>::largest_report_weight(),
				"a report",
			),
			(
				DispatchClass::Normal,
				Pallet::<T>::settlement_weight(),
				"a settlement",
			),
			(
				DispatchClass::Normal,
				Pallet::<T>::withdraw_weight(),
				"a withdrawal",
			),
			(
				DispatchClass::Normal,
				Pallet::<T>::stake_weight(),
				"a stake",
			),
		] {
			assert!(fits(class, weight), "{what} must fit into a block");
		}
	}
}

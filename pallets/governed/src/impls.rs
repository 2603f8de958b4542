//! How a value is set, waits and comes into force.

use crate::{
	pallet::*, GroupIndex, KeyOf, OutOfBounds, ParameterTable, ValueOf, WeightInfo, MAX_GROUPS,
};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Weight},
	storage::with_storage_layer,
};
use millrace_primitives::{
	epoch::EpochInfo, governance::ParameterInfo, traits::OnEpoch, EpochIndex, H256,
};
use pallet_parameters::Parameters;

impl<T: Config> Pallet<T> {
	/// Checks a value alone, writes it, and checks what it makes of the others: a refusal undoes it.
	pub(crate) fn do_set(key: KeyOf<T>, value: Option<ValueOf<T>>) -> DispatchResult {
		let value = value.ok_or(Error::<T>::NoValue)?;
		T::Table::check(&value).map_err(|side| match side {
			OutOfBounds::Below => Error::<T>::BelowLeast,
			OutOfBounds::Above => Error::<T>::AboveMost,
		})?;
		let group = T::Table::group_of(&key);
		with_storage_layer(|| {
			let old = Parameters::<T>::get(&key);
			Parameters::<T>::insert(&key, &value);
			ensure!(T::Table::is_sound(group), Error::<T>::Contradicts);
			T::Table::announce(group).map_err(|_| Error::<T>::Contradicts)?;
			Waiting::<T>::mutate(|groups| *groups |= bit(group));
			Self::deposit_event(Event::Set {
				key,
				old,
				new: value,
			});
			Ok(())
		})
	}

	/// Brings what waits into force.
	pub(crate) fn apply_waiting() -> Weight {
		let weight = <T as Config>::WeightInfo::look();
		let waiting = Waiting::<T>::get();
		if waiting == 0 {
			return weight;
		}
		Waiting::<T>::kill();
		(0..T::Table::GROUPS)
			.filter(|group| waiting & bit(*group) != 0)
			.fold(weight, |weight, group| {
				Self::apply_group(group);
				weight.saturating_add(<T as Config>::WeightInfo::apply())
			})
	}

	/// Brings one group into force. What made sense when it was set still does, unless the runtime has
	/// changed since: then the group stays as it is.
	pub(crate) fn apply_group(group: GroupIndex) {
		let applied: DispatchResult = with_storage_layer(|| {
			T::Table::apply(group).map_err(|_| Error::<T>::Contradicts)?;
			Ok(())
		});
		let event = match applied {
			Ok(()) => Event::Applied { group },
			Err(_) => {
				Self::read_group(group);
				Event::Discarded { group }
			}
		};
		Self::deposit_event(event);
	}

	/// Makes the values that are in force the voted ones: at genesis, and wherever they came into force
	/// by another way than a vote. Nothing waits any more.
	pub fn read_in_force() {
		(0..T::Table::GROUPS).for_each(Self::read_group);
		Waiting::<T>::kill();
	}

	fn read_group(group: GroupIndex) {
		for (key, value) in T::Table::in_force(group) {
			Parameters::<T>::insert(key, value);
		}
	}

	/// All parameters, as clients see them.
	pub fn parameters() -> Vec<ParameterInfo> {
		T::Table::list()
	}

	/// Panics where genesis gives a parameter a value that no vote could.
	pub(crate) fn check_genesis() {
		for group in 0..T::Table::GROUPS {
			for (_, value) in T::Table::in_force(group) {
				assert!(
					T::Table::check(&value).is_ok(),
					"genesis has a parameter out of its bounds: {value:?}"
				);
			}
			assert!(
				T::Table::is_sound(group),
				"the parameters of genesis must fit each other, also those of group {group}"
			);
		}
	}

	/// Panics where something does not hold of the runtime's table.
	pub(crate) fn check_integrity() {
		assert!(
			T::Table::GROUPS <= MAX_GROUPS,
			"every group that waits needs a bit"
		);
	}

	/// What holds at the end of every block:
	///
	/// 1. Every voted value lies within its bounds.
	/// 2. The voted values of each group fit each other.
	/// 3. Where a group does not wait, its voted values are those in force.
	/// 4. Only groups that there are wait.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		let waiting = Waiting::<T>::get();
		let known = (0..T::Table::GROUPS).fold(0, |groups, group| groups | bit(group));
		ensure!(waiting & !known == 0, "a group waits that is none");
		for value in Parameters::<T>::iter_values() {
			ensure!(
				T::Table::check(&value).is_ok(),
				"a voted value lies out of its bounds"
			);
		}
		for group in 0..T::Table::GROUPS {
			ensure!(
				T::Table::is_sound(group),
				"voted values do not fit each other"
			);
			ensure!(
				waiting & bit(group) != 0 || T::Table::agrees(group),
				"what was voted is not in force, and does not wait"
			);
		}
		Ok(())
	}
}

/// The bit of a group.
fn bit(group: GroupIndex) -> u32 {
	1u32.checked_shl(group.into()).unwrap_or_default()
}

/// Must stand before all pallets whose parameters are set: what an epoch does goes by what is in force
/// from its start on.
impl<T: Config> OnEpoch for Pallet<T> {
	fn on_epoch_start(_: &EpochInfo) -> Weight {
		Self::apply_waiting()
	}

	fn on_draw(_: EpochIndex, _: H256) -> Weight {
		Weight::zero()
	}
}

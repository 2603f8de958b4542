//! Benchmarks of what capacity asks for.

use crate::{schedule::EPOCHS_PER_YEAR, Config, Paid, Pallet, Pools, Reserve};
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::Mutate;
use millrace_primitives::{traits::Emission, Balance, FLT};

/// A reserve of a million FLT, on top of what genesis may have given.
fn fill<T: Config>() -> Result<(), BenchmarkError> {
	let more = FLT.saturating_mul(1_000_000);
	T::Currency::mint_into(&Pallet::<T>::pot(), more)?;
	Reserve::<T>::mutate(|reserve| *reserve = reserve.saturating_add(more));
	Ok(())
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn promise() -> Result<(), BenchmarkError> {
		fill::<T>()?;
		let before = Pools::<T>::get();
		let limit: Balance;

		#[block]
		{
			// As late as anybody will ask: the years are gone through.
			limit = Pallet::<T>::limit(EPOCHS_PER_YEAR.saturating_mul(100));
			Pallet::<T>::promise(limit);
		}

		assert_eq!(Pools::<T>::get(), before.saturating_add(limit));
		Ok(())
	}

	#[benchmark]
	fn pay() -> Result<(), BenchmarkError> {
		fill::<T>()?;
		let who: T::AccountId = account("staker", 0, 0);
		Pallet::<T>::promise(FLT);
		let before = Paid::<T>::get();

		#[block]
		{
			Pallet::<T>::pay(&who, FLT)?;
		}

		assert_eq!(Paid::<T>::get(), before.saturating_add(FLT));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_ext(), crate::mock::Test);
}

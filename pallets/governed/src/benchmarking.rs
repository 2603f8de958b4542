//! Benchmarks, on a parameter of the largest group.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOriginWithArg;

/// Names parameters, which the pallet does not know.
pub trait BenchmarkHelper<Parameter> {
	/// A parameter of the largest group, with a value that it can be set to and does not have.
	fn parameter() -> Parameter;
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set() -> Result<(), BenchmarkError> {
		let parameter = T::BenchmarkHelper::parameter();
		let (key, _) = parameter.clone().into_parts();
		let origin = T::SetOrigin::try_successful_origin(&key)
			.map_err(|_| BenchmarkError::Stop("somebody may set it"))?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, parameter);

		assert_ne!(Waiting::<T>::get(), 0);
		Ok(())
	}

	#[benchmark]
	fn look() {
		Waiting::<T>::kill();

		#[block]
		{
			Pallet::<T>::apply_waiting();
		}

		assert_eq!(Waiting::<T>::get(), 0);
	}

	#[benchmark]
	fn apply() -> Result<(), BenchmarkError> {
		let (key, value) = T::BenchmarkHelper::parameter().into_parts();
		let group = T::Table::group_of(&key);
		Pallet::<T>::do_set(key, value)?;
		assert!(!T::Table::agrees(group));

		#[block]
		{
			Pallet::<T>::apply_waiting();
		}

		assert!(T::Table::agrees(group));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::build(), crate::mock::Test);
}

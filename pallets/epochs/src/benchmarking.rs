//! Benchmarks of the clock. The hooks are left out: they answer for their own weight.

use super::*;
use frame_benchmarking::v2::*;

const NOW: BlockNumber = 10_000;

/// A clock at `position` of epoch 1.
fn clock_at<T: Config>(position: u32) -> EpochInfo {
	let first = Pallet::<T>::start_epoch(None, 1);
	let mut info = Pallet::<T>::start_epoch(Some(first), NOW);
	// Only the chain's first block finds an epoch without a time.
	info.start_ms = info.start_ms.max(1);
	Current::<T>::put(info);
	LastTick::<T>::put(Tick {
		position,
		counted: true,
	});
	info
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn tick() {
		let position = clock_at::<T>(0).lengths.report_window;
		LastTick::<T>::put(Tick {
			position,
			counted: true,
		});

		#[block]
		{
			Pallet::<T>::tick(NOW);
			Pallet::<T>::date_first_epoch();
		}

		assert_ne!(DrawFold::<T>::get(), H256::zero());
	}

	#[benchmark]
	fn start_epoch() {
		let info = clock_at::<T>(0);
		PendingLengths::<T>::put(DEFAULT_LENGTHS);

		#[block]
		{
			Pallet::<T>::start_epoch(Some(info), NOW);
		}

		assert_eq!(Current::<T>::get().index, 2);
	}

	#[benchmark]
	fn finish_draw() {
		let info = clock_at::<T>(0);

		#[block]
		{
			Pallet::<T>::finish_draw(&info);
		}

		assert!(Draws::<T>::contains_key(0));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::mock::ExtBuilder::default().build(),
		crate::mock::Test
	);
}

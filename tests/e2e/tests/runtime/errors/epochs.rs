//! Errors of the clock.

use super::scene::{assert_all_raised, on_dev_chain, refuses, root};
use millrace_primitives::epoch::EpochLengths;
use pallet_epochs::DEFAULT_LENGTHS;

type Epochs = pallet_epochs::Call<millrace_runtime::Runtime>;

#[test]
fn every_error_of_epochs_is_raised() {
	on_dev_chain(|| {
		let wrong = [
			// Whoever is drawn in the only block could not answer in it.
			EpochLengths {
				answer_window: 1,
				..DEFAULT_LENGTHS
			},
			EpochLengths {
				len: 1_037,
				..DEFAULT_LENGTHS
			},
		];
		for lengths in wrong {
			refuses!(
				Epochs::WindowsDoNotFit,
				root(),
				Epochs::set_lengths { lengths }
			);
		}
		assert_all_raised("Epochs", &[]);
	});
}

//! Lengths set by governance.

use crate::{mock::*, Event, PendingLengths};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{epoch::EpochLengths, governance::Contradiction, traits::EpochClock};
use sp_runtime::BuildStorage;

const LONG: EpochLengths = EpochLengths {
	len: 30,
	report_window: 10,
	fold_window: 3,
	answer_window: 9,
};

#[test]
fn new_lengths_count_from_the_next_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(3);
		assert_ok!(Epochs::schedule_lengths(LONG));
		assert_eq!(events(), vec![Event::LengthsScheduled { lengths: LONG }]);
		run_to(20);
		assert_eq!(Epochs::current().lengths, DEV);
		run_to(21);
		assert_eq!(
			(Epochs::current().index, Epochs::current().lengths),
			(1, LONG)
		);
		assert_eq!(PendingLengths::<Test>::get(), None);
		run_to(50);
		assert_eq!((Epochs::current().index, Epochs::position()), (1, 29));
		run_to(51);
		assert_eq!(
			(Epochs::current().index, Epochs::current().lengths),
			(2, LONG)
		);
		assert_eq!(Epochs::previous().unwrap().lengths, LONG);
	});
}

#[test]
fn the_last_of_two_settings_counts() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(3);
		assert_ok!(Epochs::schedule_lengths(LONG));
		assert_ok!(Epochs::schedule_lengths(EpochLengths { len: 24, ..LONG }));
		run_to(21);
		assert_eq!(Epochs::current().lengths.len, 24);
	});
}

#[test]
fn windows_that_do_not_fit_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(1);
		for lengths in [
			EpochLengths { len: 23, ..LONG },
			EpochLengths {
				report_window: 0,
				..LONG
			},
			EpochLengths {
				fold_window: 0,
				..LONG
			},
			EpochLengths {
				answer_window: u32::MAX,
				..LONG
			},
			// Nobody who is drawn in the only block of the window could answer in it.
			EpochLengths {
				answer_window: 1,
				..LONG
			},
		] {
			assert_noop!(Epochs::schedule_lengths(lengths), Contradiction);
		}
	});
}

#[test]
#[should_panic(expected = "must fit into an epoch")]
fn a_genesis_that_does_not_fit_is_refused() {
	let lengths = EpochLengths { len: 1, ..DEV };
	let _ = crate::GenesisConfig::<Test> {
		lengths,
		..Default::default()
	}
	.build_storage();
}

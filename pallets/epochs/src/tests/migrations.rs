//! Blocks that hold inherents only.

use crate::mock::*;
use millrace_primitives::{epoch::Phase, traits::EpochClock, H256};

#[test]
fn a_migration_moves_no_window() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(23);
		assert_eq!(Epochs::position(), 2);
		Migrating::set(true);
		run_to(100);
		assert_eq!((Epochs::current().index, Epochs::position()), (1, 2));
		assert_eq!(Epochs::phase(), Phase::Report);
		Migrating::set(false);
		run_to(101);
		assert_eq!((Epochs::current().index, Epochs::position()), (1, 3));
	});
}

#[test]
fn a_migration_at_the_border_delays_the_next_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(20);
		Migrating::set(true);
		run_to(25);
		assert_eq!((Epochs::current().index, Epochs::position()), (0, 19));
		Migrating::set(false);
		run_to(26);
		assert_eq!((Epochs::current().index, Epochs::current().start), (1, 26));
	});
}

#[test]
fn a_chain_may_begin_with_a_migration() {
	ExtBuilder::default().build_and_execute(|| {
		Migrating::set(true);
		run_to(3);
		assert!(Notices::get().is_empty());
		assert_eq!(Epochs::info(0), None);
		Migrating::set(false);
		run_to(4);
		assert_eq!((Epochs::current().index, Epochs::current().start), (0, 4));
		assert_eq!(Epochs::info(0), Some(Epochs::current()));
	});
}

/// Seeds of epochs 1 and 2, with a migration of so many blocks inside the window of the first.
fn seeds(pause: u32, salt: u32) -> (H256, H256) {
	let mut seeds = None;
	ExtBuilder::default().build_and_execute(|| {
		let mut counted = 0;
		while counted < 41 {
			let before = System::block_number();
			let paused = (19..19 + pause).contains(&before);
			Migrating::set(paused);
			// An output of the migration, or of the last counted block.
			let passed_over = (20..20 + pause).contains(&before);
			next_block(Some(if passed_over {
				vrf(1_000 + salt)
			} else {
				vrf(counted)
			}));
			counted += u32::from(!paused);
		}
		assert_eq!(Epochs::current().index, 2);
		seeds = Epochs::seed(1).zip(Epochs::seed(2));
	});
	seeds.unwrap()
}

#[test]
fn outputs_of_migration_blocks_are_passed_over() {
	assert_eq!(seeds(5, 1), seeds(5, 2));
	assert_eq!(seeds(5, 1), seeds(0, 0));
	assert_eq!(seeds(1, 1), seeds(0, 0));
}

//! What seeds and draws depend on.

use crate::mock::*;
use millrace_primitives::{
	epoch::{fold, fold_start, DRAW_TAG, SEED_TAG},
	traits::EpochClock,
	H256,
};
use proptest::prelude::*;

/// Seed of epoch 1 and draw of epoch 0, with one block's output replaced.
fn folds(genesis: H256, replaced: u32, by: Option<[u8; 32]>) -> (H256, H256) {
	let mut folds = None;
	ExtBuilder::default().build_and_execute(|| {
		Genesis::set(genesis);
		while System::block_number() < 29 {
			let before = System::block_number();
			next_block(if before == replaced {
				by
			} else {
				Some(vrf(before))
			});
		}
		folds = Epochs::seed(1).zip(Epochs::draw(0));
	});
	folds.unwrap()
}

fn undisturbed() -> (H256, H256) {
	folds(H256([7; 32]), 5, Some(vrf(5)))
}

#[test]
fn a_seed_folds_the_last_outputs_of_the_epoch_before() {
	let start = fold_start(SEED_TAG, H256([7; 32]), 1);
	let expected = fold(fold(start, H256(vrf(19))), H256(vrf(20)));
	assert_eq!(undisturbed().0, expected);
}

#[test]
fn a_draw_folds_the_outputs_after_the_reports() {
	let start = fold_start(DRAW_TAG, H256([7; 32]), 0);
	// Positions 6 and 7 of epoch 1, which starts at block 21.
	let expected = fold(fold(start, H256(vrf(27))), H256(vrf(28)));
	assert_eq!(undisturbed().1, expected);
}

#[test]
fn the_first_seed_is_the_start_of_a_fold() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(1);
		assert_eq!(
			Epochs::seed(0),
			Some(fold_start(SEED_TAG, Genesis::get(), 0))
		);
	});
}

#[test]
fn a_missing_output_folds_zero() {
	assert_eq!(
		folds(H256([7; 32]), 20, None),
		folds(H256([7; 32]), 20, Some([0; 32]))
	);
	assert_ne!(folds(H256([7; 32]), 20, None), undisturbed());
}

#[test]
fn forks_share_no_fold() {
	let (seed, draw) = undisturbed();
	let (other_seed, other_draw) = folds(H256([8; 32]), 5, Some(vrf(5)));
	assert_ne!(seed, other_seed);
	assert_ne!(draw, other_draw);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn folds_depend_on_each_output_of_their_window_and_on_no_other(
		block in 1u32..29, output in any::<[u8; 32]>(),
	) {
		prop_assume!(output != vrf(block));
		let (seed, draw) = folds(H256([7; 32]), block, Some(output));
		let (plain_seed, plain_draw) = undisturbed();
		prop_assert_eq!(seed != plain_seed, (19..=20).contains(&block));
		prop_assert_eq!(draw != plain_draw, (27..=28).contains(&block));
		// Deterministic: the same chain again gives the same folds.
		prop_assert_eq!(folds(H256([7; 32]), block, Some(output)), (seed, draw));
	}
}

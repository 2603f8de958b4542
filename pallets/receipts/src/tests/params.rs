//! Parameters: which make sense.

use super::*;
use crate::ReceiptsParams;
use frame_support::assert_noop;
use millrace_primitives::governance::Contradiction;
use sp_runtime::Perbill;

#[test]
fn only_parameters_that_make_sense_are_taken() {
	build_and_execute(|| {
		let good = ReceiptsParams {
			bond: 5,
			..params()
		};
		assert_ok!(Receipts::apply_params(good));
		assert_eq!(Receipts::params(), good);
		assert_eq!(events(), vec![Event::ParamsSet { params: good }]);

		let changes: [fn(&mut ReceiptsParams); 13] = [
			|params| params.bond = 0,
			|params| params.reveal_after_blocks = 1,
			|params| params.reveal_within_blocks = 2,
			|params| params.reveal_within_blocks = u32::MAX,
			|params| params.contest_blocks = 1,
			|params| params.contest_blocks = u32::MAX,
			|params| params.show_blocks = 0,
			|params| params.show_blocks = u32::MAX,
			|params| params.post_blocks = 0,
			|params| params.post_blocks = u32::MAX,
			|params| params.omission_epochs = 0,
			|params| params.omission_epochs = 61,
			|params| params.compensation = Perbill::from_percent(81),
		];
		for (number, change) in changes.into_iter().enumerate() {
			let mut bad = params();
			change(&mut bad);
			assert!(!bad.is_valid(), "{number}");
			assert_noop!(Receipts::apply_params(bad), Contradiction);
		}
	});
}

#[test]
fn the_defaults_are_the_mainnets() {
	let params = ReceiptsParams::default();
	assert!(params.is_valid());
	assert_eq!(params.bond, 10 * millrace_primitives::FLT);
	let parts = [
		OffenceKind::Fraud,
		OffenceKind::Omission,
		OffenceKind::Withholding,
	]
	.map(|kind| params.part_of(kind).deconstruct() / 10_000_000);
	assert_eq!(parts, [50, 5, 5]);
}

//! Parameters: which make sense, and who sets them.

use super::*;
use crate::ReceiptsParams;
use frame_support::assert_noop;
use sp_runtime::DispatchError;

#[test]
fn root_sets_parameters_that_make_sense() {
	build_and_execute(|| {
		let good = ReceiptsParams {
			bond: 5,
			..params()
		};
		assert_noop!(
			Receipts::set_params(by(ALICE), good),
			DispatchError::BadOrigin
		);
		assert_ok!(Receipts::set_params(RuntimeOrigin::root(), good));
		assert_eq!(Receipts::params(), good);
		assert_eq!(events(), vec![Event::ParamsSet { params: good }]);

		let changes: [fn(&mut ReceiptsParams); 12] = [
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
		];
		for (number, change) in changes.into_iter().enumerate() {
			let mut bad = params();
			change(&mut bad);
			assert!(!bad.is_valid(), "{number}");
			assert_noop!(
				Receipts::set_params(RuntimeOrigin::root(), bad),
				Error::<Test>::BadParams
			);
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

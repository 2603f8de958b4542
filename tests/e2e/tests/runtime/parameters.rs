//! Parameters through the whole runtime: what genesis gave can be voted on, and a vote counts from the
//! next epoch on, for what is made from then on.

use crate::errors::scene::{
	by, commit, done, go_to, now, on_chain, on_dev_chain, order, peer, refuses, root, ALICE, BOB,
};
use millrace_primitives::{epoch::EpochLengths, traits::EpochClock, FLT};
use millrace_runtime::{
	genesis_presets,
	parameters::{
		dynamic_params::{capacity, epochs, market},
		RuntimeParameters,
	},
	Capacity, Epochs, Governed, Runtime,
};
use sp_runtime::Perbill;

type Market = pallet_market::Call<Runtime>;

fn set(parameter: RuntimeParameters) {
	done(root(), pallet_governed::Call::<Runtime>::set { parameter });
}

fn set_length(blocks: u32) {
	let parameter = epochs::Parameters::Len(epochs::Len, Some(blocks));
	set(RuntimeParameters::Epochs(parameter));
}

#[test]
fn every_preset_begins_with_what_is_in_force() {
	for preset in genesis_presets::names() {
		on_chain(&preset, || {
			for info in Governed::parameters() {
				assert!(!info.is_pending(), "{preset}: {info:?}");
				assert!(info.allows(info.value), "{preset}: {info:?}");
			}
			Governed::do_try_state().expect("genesis is sound");
		});
	}
}

#[test]
fn a_vote_counts_from_the_next_epoch_on_and_leaves_what_stands_alone() {
	on_dev_chain(|| {
		commit(ALICE, 1, 1, 20);
		let (spec, escrow) = (order(1, 1), FLT);
		let before = Capacity::commitment(peer(1)).expect("it stands");
		let stake = || {
			let terms = Capacity::start_terms(1, 6, Perbill::one(), Perbill::zero());
			terms.terms.stake_per_unit
		};
		let dearer = capacity::Parameters::StakePerUnit(capacity::StakePerUnit, Some(150 * FLT));
		set(RuntimeParameters::Capacity(dearer));
		let lowest = market::Parameters::MinPrice(market::MinPrice, Some(FLT));
		set(RuntimeParameters::Market(lowest));

		let (epoch, _) = now();
		go_to(epoch, 19);
		assert_eq!(stake(), 100 * FLT);
		go_to(epoch + 1, 0);
		assert_eq!(stake(), 150 * FLT);
		let after = Capacity::commitment(peer(1)).expect("it stands");
		assert_eq!((after.terms, after.stake), (before.terms, before.stake));
		refuses!(
			Market::PriceBelowMinimum,
			by(BOB),
			Market::create_deal { spec, escrow }
		);
		Governed::do_try_state().expect("what was voted is in force");
	});
}

#[test]
fn an_epoch_has_the_length_that_was_voted_in_the_one_before() {
	on_dev_chain(|| {
		let lengths = || -> EpochLengths { Epochs::current().lengths };
		set_length(22);
		go_to(0, 19);
		assert_eq!(lengths().len, 20);
		Governed::do_try_state().expect("what was voted waits");
		go_to(1, 0);
		assert_eq!(lengths().len, 22);
		// Voted in an epoch's first block, it counts from the next one on.
		set_length(24);
		go_to(1, 21);
		assert_eq!(lengths().len, 22);
		go_to(2, 0);
		assert_eq!(lengths().len, 24);
		Governed::do_try_state().expect("what was voted is in force");
	});
}

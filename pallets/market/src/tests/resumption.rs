//! The matcher with little weight: it stops anywhere, goes on, and is fair to every deal.

use crate::{mock::*, Cursor, DealKey, Unfilled, WeightInfo, MAX_LOOKS_PER_VISIT};
use frame_support::weights::{Weight, WeightMeter};
use millrace_primitives::peer::PeerId;

/// Just enough for one look a round.
fn one_look() -> Weight {
	<() as WeightInfo>::visit() + <() as WeightInfo>::walk(1) + <() as WeightInfo>::look()
}

fn run_with(weight: Weight) -> Weight {
	let mut meter = WeightMeter::with_limit(weight);
	Market::run_matcher(&mut meter);
	assert!(meter.consumed().all_lte(weight));
	meter.consumed()
}

#[test]
fn small_steps_end_where_one_large_step_does() {
	let expected = |steps: fn()| -> Vec<PeerId> {
		let mut matched = Vec::new();
		build_and_execute(|| {
			for index in 0..12u8 {
				// Every second offer does not accept the bond.
				let mut terms = terms(2 + u128::from(index % 5));
				terms.max_worker_bond = u128::from(index % 2) * 1_000;
				offer_with(index, PROVIDER, 1, terms);
			}
			let deal = create(spec(5, 6), 60);
			steps();
			matched = workers(deal);
		});
		matched
	};
	let at_once = expected(run_matcher);
	let in_steps = expected(|| {
		for _ in 0..40 {
			run_with(one_look());
		}
	});
	assert_eq!(at_once.len(), 5);
	assert_eq!(at_once, in_steps);
}

#[test]
fn a_place_in_the_book_is_kept_between_blocks() {
	build_and_execute(|| {
		for index in 0..3u8 {
			let mut terms = terms(2 + u128::from(index));
			terms.capabilities = if index == 2 { 1 } else { 0 };
			offer_with(index, PROVIDER, 1, terms);
		}
		let mut wanted = spec(1, 9);
		wanted.capabilities = 1;
		let deal = create(wanted, 18);
		let place = || {
			Unfilled::<Test>::get(DealKey::from(deal))
				.expect("it lacks one")
				.after
		};
		run_with(one_look());
		assert_eq!(place(), Some((2, 1)));
		run_with(one_look());
		assert_eq!(place(), Some((3, 2)));
		run_with(one_look());
		assert_eq!(workers(deal), vec![peer_id(2)]);
	});
}

#[test]
fn without_weight_nothing_happens() {
	build_and_execute(|| {
		offer(1, PROVIDER, 1, 9);
		let deal = create(spec(1, 9), 18);
		assert_eq!(run_with(Weight::zero()), Weight::zero());
		run_with(<() as WeightInfo>::visit());
		assert_eq!(workers(deal), vec![]);
		// The deal that could not begin comes first the next time.
		assert_eq!(Cursor::<Test>::get(), None);
	});
}

#[test]
fn one_deal_does_not_delay_the_others() {
	build_and_execute(|| {
		let many = MAX_LOOKS_PER_VISIT + 40;
		for index in 0..many {
			let mut terms = terms(2);
			terms.capabilities = 0;
			offer_with(index as u8, PROVIDER, 1, terms);
		}
		let mut wanted = spec(1, 9);
		wanted.capabilities = 1;
		let greedy = create(wanted, 18);
		let modest = create(spec(1, 9), 18);
		let few = one_look() + one_look() + <() as WeightInfo>::walk(1);
		run_with(few);
		assert_eq!(workers(modest), vec![]);
		run_with(few);
		assert_eq!(workers(modest).len(), 1);
		// With all weight a visit still ends after its share of looks.
		run_matcher();
		let vacancy = Unfilled::<Test>::get(DealKey::from(greedy)).expect("it lacks one");
		assert!(vacancy.after.is_some() && vacancy.asleep.is_none());
		run_matcher();
		let vacancy = Unfilled::<Test>::get(DealKey::from(greedy)).expect("it lacks one");
		assert!(vacancy.asleep.is_some());
	});
}

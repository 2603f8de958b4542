//! Who has a claim to a seat, and how seats follow the claims.

use crate::{
	mock::*,
	rules::{changes, claimants, needed, next_seats, Change},
	LeaveReason, ValidatorsParams,
};
use frame_support::assert_ok;
use millrace_primitives::Balance;
use proptest::{prelude::*, sample::Index};

fn params(max_validators: u32, min_seat_stake: Balance) -> ValidatorsParams {
	ValidatorsParams {
		max_validators,
		min_seat_stake,
		bootstrap_stake: 0,
		..Default::default()
	}
}

/// Numbered candidates with these stakes, most first.
fn candidates(mut stakes: Vec<Balance>) -> Vec<(usize, Balance)> {
	stakes.sort_by(|one, other| other.cmp(one));
	stakes.into_iter().enumerate().collect()
}

/// Claims among candidates to whom all stake belongs.
fn claims(stakes: &[Balance], params: &ValidatorsParams) -> usize {
	let total = stakes.iter().sum();
	claimants(&candidates(stakes.to_vec()), total, params)
}

#[test]
fn claims_are_for_those_with_enough() {
	let hundred = params(100, 10);
	assert_eq!(claims(&[], &hundred), 0);
	assert_eq!(claims(&[9, 9, 9, 9], &hundred), 0);
	assert_eq!(claims(&[10], &hundred), 1);
	assert_eq!(claims(&[10, 10, 10, 10, 9], &hundred), 4);
	// No more than there are seats.
	assert_eq!(claims(&[10; 8], &params(5, 10)), 5);
	// 22 is less than half of the mean of all five, 23 is not.
	assert_eq!(claims(&[50, 50, 50, 50, 22], &hundred), 4);
	assert_eq!(claims(&[50, 50, 50, 50, 23], &hundred), 5);
}

#[test]
fn a_share_of_all_stake_is_asked_where_four_have_it() {
	// T / (2 × 100) of 20,000 is 100, be it staked by candidates or not.
	let candidates = candidates(vec![300, 200, 100, 100, 99, 99]);
	assert_eq!(claimants(&candidates, 20_000, &params(100, 10)), 4);
	assert_eq!(claimants(&candidates, 19_800, &params(100, 10)), 6);
	// With two that have it, stake is spread too thin to ask for it.
	assert_eq!(claimants(&candidates, 20_001, &params(100, 10)), 6);
	// More equal providers than twice the seats: nobody would sit.
	let spread = vec![(0, 50); 201];
	assert_eq!(claimants(&spread, 201 * 50, &params(100, 10)), 100);
}

#[test]
fn what_a_claim_takes_is_told() {
	let hundred = params(100, 10);
	let told = |stakes: &[Balance], params: &ValidatorsParams| {
		needed(&candidates(stakes.to_vec()), stakes.iter().sum(), params)
	};
	assert_eq!(told(&[], &hundred), 10);
	assert_eq!(told(&[50, 50, 50, 50], &hundred), 23);
	assert_eq!(told(&[50, 50, 50, 50], &params(4, 10)), 51);
	assert_eq!(
		needed(&candidates(vec![50; 4]), 9_999, &hundred),
		50,
		"a two hundredth of all stake"
	);
	assert_eq!(claims(&[50, 50, 50, 50, 23], &hundred), 5);
	assert_eq!(claims(&[50, 50, 50, 51, 50], &params(4, 10)), 4);
}

#[test]
fn who_leaves_makes_room_for_who_waits() {
	let free = params(100, 1);
	let change = next_seats(
		&[1, 2, 3, 4],
		&[(2, LeaveReason::Silent)],
		&[1, 3, 4, 9],
		&free,
		3,
	);
	let expected = Change {
		seats: vec![1, 9, 3, 4],
		entered: vec![9],
		left: vec![(2, LeaveReason::Silent)],
	};
	assert_eq!(change, expected);
	// Nobody leaves: a seat more, of six for each.
	let six = [1, 2, 3, 4, 5, 6];
	let change = next_seats(&six, &[], &[1, 2, 3, 4, 5, 6, 7, 8], &free, 3);
	assert_eq!(change.seats, vec![1, 2, 3, 4, 5, 6, 7]);
	let twelve: Vec<_> = (1..=12).collect();
	let change = next_seats(&twelve, &[], &[21, 22, 23], &free, 3);
	assert_eq!(change.entered, vec![21, 22]);
	// But not where there is no room.
	let change = next_seats(&six, &[], &[7], &params(6, 1), 3);
	assert_eq!(change.entered, Vec::<i32>::new());
}

#[test]
fn without_a_replacement_a_floor_of_seats_stays() {
	let free = params(100, 1);
	let left = |seated: &[u8], reason, claimants: &[u8], floor| {
		let leaving: Vec<_> = seated
			.iter()
			.filter(|who| !claimants.contains(who))
			.map(|who| (*who, reason))
			.collect();
		next_seats(seated, &leaving, claimants, &free, floor).seats
	};
	let chilled = LeaveReason::Chilled;
	assert_eq!(left(&[1, 2, 3, 4], chilled, &[], 3), vec![2, 3, 4]);
	assert_eq!(left(&[1, 2, 3], chilled, &[], 3), vec![1, 2, 3]);
	assert_eq!(
		left(&[1], chilled, &[], 0),
		vec![1],
		"nor is a set ever empty"
	);
	let outbid = LeaveReason::Outbid;
	assert_eq!(left(&[1, 2, 3, 4], outbid, &[1, 2], 3), vec![1, 2, 3, 4]);
	assert_eq!(
		left(&[1, 2, 3, 4, 5], outbid, &[1, 2, 5], 3),
		vec![1, 2, 4, 5]
	);
	assert_eq!(left(&[1, 2, 4, 5], outbid, &[1, 2, 5], 3), vec![1, 2, 5]);
}

#[test]
fn genesis_seats_are_handed_over_one_a_session() {
	ExtBuilder::default().build_and_execute(|| {
		for who in 1..=6 {
			stand(who, 100 - Balance::from(who));
		}
		assert_eq!(rotate_by(1), vec![1, 102, 103, 104]);
		assert_eq!(rotate_by(1), vec![1, 2, 103, 104]);
		assert_eq!(rotate_by(2), vec![1, 2, 3, 4]);
		assert_eq!(rotate_by(1), vec![1, 2, 3, 4, 5]);
		assert_eq!(rotate_by(3), vec![1, 2, 3, 4, 5, 6]);
		let reasons: Vec<_> = lost().into_iter().map(|(_, reason)| reason).collect();
		assert_eq!(reasons, vec![LeaveReason::TooLittleStake; 4]);
	});
}

#[test]
fn those_who_must_go_go_in_their_order() {
	ExtBuilder::default()
		.genesis((1..=12).collect())
		.build_and_execute(|| {
			for who in 1..=12 {
				stand(who, 50);
			}
			rotate_by(1);
			assert_eq!(planned(), (1..=12).collect::<Vec<_>>());
			set_stake(1, 5);
			set_stake(2, 4);
			Keyed::mutate(|keys| keys.remove(&3));
			Validators::on_equivocation(&4, sp_runtime::Perbill::from_percent(1), 1);
			write_all_but(&[5, 6], 20);
			write(6, 1);
			rotate();
			rotate_by(2);
			assert_eq!(
				lost(),
				vec![
					(4, LeaveReason::Equivocated),
					(3, LeaveReason::NoKeys),
					(2, LeaveReason::TooLittleStake),
					(1, LeaveReason::TooLittleStake),
				],
				"no more than a sixth goes in a session, so 5 and 6 were spared"
			);
		});
}

#[test]
fn a_silent_seat_goes_before_one_that_is_outbid() {
	ExtBuilder::default()
		.genesis((1..=5).collect())
		.max_validators(5)
		.build_and_execute(|| {
			for who in 1..=5 {
				stand(who, 50);
			}
			rotate_by(2);
			stand(6, 60);
			stand(7, 60);
			write_all_but(&[3], 20);
			assert_eq!(rotate(), vec![1, 2, 6, 4, 5]);
			// 3 has a claim again, as it stands before 4 and 5, but 7 has more stake.
			assert_eq!(rotate_by(1), vec![1, 2, 6, 7, 5]);
			assert_eq!(
				lost(),
				vec![(3, LeaveReason::Silent), (4, LeaveReason::Outbid)]
			);
		});
}

#[test]
fn seats_follow_stake_that_comes_later() {
	ExtBuilder::default()
		.min_seat_stake(1)
		.build_and_execute(|| {
			for sybil in 1..=30 {
				stand(sybil, 1);
			}
			rotate_by(60);
			assert_eq!(planned().len(), 30);
			for honest in 201..=212 {
				stand(honest, 64);
			}
			rotate_by(60);
			let mut seats = planned();
			seats.sort();
			assert_eq!(seats, (201..=212).collect::<Vec<_>>());
		});
}

#[test]
fn ninety_sybils_hold_no_third_in_any_session() {
	ExtBuilder::default()
		.min_seat_stake(1)
		.build_and_execute(|| {
			for sybil in 1..=90 {
				stand(sybil, 1);
			}
			for honest in 201..=220 {
				stand(honest, 64);
			}
			for _ in 0..60 {
				let seats = rotate_by(1);
				let sybils = seats.iter().filter(|who| **who <= 90).count();
				assert!(sybils * 3 < seats.len(), "{sybils} of {}", seats.len());
			}
			assert_eq!(planned().len(), 20);
		});
}

#[test]
fn lower_parameters_take_seats_away_by_and_by() {
	ExtBuilder::default()
		.genesis((1..=12).collect())
		.build_and_execute(|| {
			for who in 1..=12 {
				stand(who, 50 + Balance::from(who));
			}
			rotate_by(1);
			let fewer = params(7, MIN);
			assert_ok!(Validators::apply_params(fewer));
			assert_eq!(rotate_by(1), (3..=12).collect::<Vec<_>>());
			assert_eq!(rotate_by(9), (6..=12).collect::<Vec<_>>());
			// Never under the floor that genesis gave, unless governance asks for less.
			assert_ok!(Validators::apply_params(params(1, MIN)));
			assert_eq!(rotate_by(10), vec![12]);
		});
}

fn stakes() -> impl Strategy<Value = Vec<Balance>> {
	let stake = prop_oneof![1u128..5, 1u128..300, 1u128..100_000];
	prop::collection::vec(stake, 1..220)
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(256))]

	#[test]
	fn no_share_of_stake_holds_more_than_twice_its_share_of_seats(
		stakes in stakes(),
		elsewhere in 0u128..100_000,
		max in 1u32..=100,
		min in 1u128..100,
	) {
		let params = params(max, min);
		let total = stakes.iter().sum::<Balance>() + elsewhere;
		let candidates = candidates(stakes);
		let seats = claimants(&candidates, total, &params);
		prop_assert!(seats <= max as usize);
		let sum: Balance = candidates[..seats].iter().map(|(_, stake)| stake).sum();
		for held in 1..=seats {
			let share: Balance =
				candidates[seats - held..seats].iter().map(|(_, stake)| stake).sum();
			prop_assert!(share >= min);
			prop_assert!(held as u128 * sum <= 2 * share * seats as u128);
		}
	}

	#[test]
	fn half_of_the_largest_stake_is_always_enough(
		stakes in stakes(),
		max in 1u32..=100,
		min in 1u128..100,
	) {
		let params = params(max, min);
		let total: Balance = stakes.iter().sum();
		let candidates = candidates(stakes);
		let seats = claimants(&candidates, total, &params);
		for (place, (_, stake)) in candidates.iter().enumerate().take(max as usize) {
			let share = stake * 2 * Balance::from(max) >= total;
			if *stake >= min && share && stake * 2 >= candidates[0].1 {
				prop_assert!(place < seats, "{stake} at {place} of {seats} has no claim");
			}
		}
	}

	/// With the least seat stake at one unit, so that only the shares protect.
	#[test]
	fn ninety_one_unit_sybils_get_under_a_third_of_the_seats(
		honest in prop::collection::vec(2u128..=256, 10..=40),
		max in 10u32..=100,
	) {
		let units: Balance = honest.iter().sum();
		// They have less than a sixth of all units.
		prop_assume!(units > 450);
		let mut stakes = honest;
		stakes.extend([1; 90]);
		let candidates = candidates(stakes);
		let seats = claimants(&candidates, units + 90, &params(max, 1));
		let sybils = candidates[..seats].iter().filter(|(_, stake)| *stake == 1).count();
		prop_assert!(seats > 0);
		prop_assert!(sybils * 3 < seats, "{sybils} of {seats}");
	}

	#[test]
	fn a_change_is_small_and_leaves_a_set(
		seated in prop::collection::hash_set(0u32..60, 1..40),
		claiming in prop::collection::vec(any::<bool>(), 60),
		order in any::<Index>(),
		reasons in prop::collection::vec(0usize..6, 60),
		max in 1u32..=50,
		floor in 0usize..5,
	) {
		let reason = [
			LeaveReason::Equivocated,
			LeaveReason::NoKeys,
			LeaveReason::Chilled,
			LeaveReason::Silent,
			LeaveReason::Outbid,
			LeaveReason::TooLittleStake,
		];
		let params = params(max, 1);
		let seated: Vec<u32> = seated.into_iter().collect();
		let mut claimants: Vec<u32> = (0..60).filter(|who| claiming[*who as usize]).collect();
		claimants.truncate(max as usize);
		if !claimants.is_empty() {
			let by = order.index(claimants.len());
			claimants.rotate_left(by);
		}
		let mut leaving: Vec<_> = seated
			.iter()
			.filter(|who| !claimants.contains(who))
			.map(|who| (*who, reason[reasons[*who as usize]]))
			.collect();
		leaving.sort_by_key(|(_, reason)| reason.rank());

		let mut seats = seated;
		for _ in 0..3 {
			let change = next_seats(&seats, &leaving, &claimants, &params, floor);
			let most = changes(seats.len(), &params);
			prop_assert!(change.entered.len() <= most && change.left.len() <= most);
			prop_assert!(change.entered.iter().all(|who| claimants.contains(who)));
			prop_assert!(change.left.iter().all(|(who, _)| seats.contains(who)));
			let mut different = change.seats.clone();
			different.sort();
			different.dedup();
			prop_assert_eq!(different.len(), change.seats.len());
			prop_assert!(change.seats.len() >= floor.max(1).min(seats.len()));
			prop_assert!(change.seats.len() <= seats.len().max(max as usize));
			let stayed: Vec<_> = seats.iter().filter(|who| change.seats.contains(who)).collect();
			let still: Vec<_> = change.seats.iter().filter(|who| seats.contains(who)).collect();
			prop_assert_eq!(stayed, still, "those who stay keep their order");
			seats = change.seats;
		}
	}

	#[test]
	fn seats_become_those_who_have_a_claim(
		seated in prop::collection::hash_set(0u32..60, 1..40),
		claimants in prop::collection::hash_set(0u32..60, 3..40),
		reason in prop_oneof![Just(LeaveReason::Silent), Just(LeaveReason::Outbid)],
	) {
		let mut seats: Vec<u32> = seated.into_iter().collect();
		let claimants: Vec<u32> = claimants.into_iter().collect();
		for _ in 0..120 {
			let leaving: Vec<_> = seats
				.iter()
				.filter(|who| !claimants.contains(who))
				.map(|who| (*who, reason))
				.collect();
			seats = next_seats(&seats, &leaving, &claimants, &params(100, 1), 3).seats;
		}
		seats.sort();
		let mut claimants = claimants;
		claimants.sort();
		prop_assert_eq!(seats, claimants);
	}
}

#[test]
fn how_many_seats_change_is_voted() {
	let most = |seats, seats_per_change| {
		let params = ValidatorsParams {
			seats_per_change,
			..params(100, 1)
		};
		changes(seats, &params)
	};
	assert_eq!((most(12, 4), most(12, 6), most(12, 13)), (3, 2, 1));
}

//! The rules against their definitions, and against the tables of the docs.

use super::*;
use crate::{types::Bucket, Amnesty, EpochRow};
use millrace_primitives::{
	capacity::WorkRates, commitment::CommitmentTerms, Balance, EpochIndex, FLT, U256,
};
use proptest::prelude::*;
use sp_runtime::Perbill;

fn terms() -> CommitmentTerms {
	CommitmentTerms {
		stake_per_unit: 100 * FLT,
		slash_rate: Perbill::from_parts(1_000_000),
		own_part: Perbill::one(),
		own_floor: Perbill::from_percent(10),
		commission: Perbill::zero(),
		unbonding_epochs: 504,
		challenge_epochs: 24,
		slash_delay_epochs: 24,
		vesting_epochs: 2_160,
		stake_floor: Perbill::from_percent(50),
		least_audit_slash: Perbill::from_percent(5),
	}
}

/// Totals in which everything that was planned was drawn.
fn row(audits: u32, reports: u32, units: u64) -> EpochRow {
	EpochRow {
		epoch: 0,
		target: U256::MAX,
		settled: U256::MAX,
		rates: WorkRates { idle: 4, busy: 1 },
		pool: FLT,
		carried: 0,
		max_reward_per_unit: FLT / 100,
		stake_per_unit: 100 * FLT,
		miss_cost: FLT / 10,
		audits,
		drawn: audits,
		reports,
		units,
		idle: units,
		leaves_owed: 0,
		leaves_proven: 0,
		excused: false,
	}
}

#[test]
fn silence_fails_after_forty_epochs_in_every_phase() {
	assert!(silence_fails_in_every_phase());
	let silent = |first, epochs| Score::default().after_silence(first, epochs);
	for first in 1..=48 {
		assert!(!silent(first, 39).is_over(first + 38));
		assert!(silent(first, 40).is_over(first + 39));
	}
	// Whatever there was before, it is over by then.
	for first in 1..=48 {
		let fails = Score(u128::MAX >> 57).fails_within(first, 41);
		assert_eq!(fails, Some(1));
	}
}

#[test]
fn a_score_halves_in_twenty_four_epochs() {
	let missed = Score::default().after_epoch(30, 1, 1);
	assert_eq!(missed.aged(30, 54).0, missed.0 / 2);
	assert_eq!(missed.aged(30, 47), missed);
	assert_eq!(missed.permille(30), 42);
	assert_eq!(missed.aged(30, 54).permille(54), 21);
	assert_eq!(missed.aged(30, 30 + 24 * 200), Score(1));
	assert_eq!(Score::default().aged(0, u32::MAX), Score(0));
	// Part of the units is part of a miss, rounded up.
	assert_eq!(
		Score::default().after_epoch(30, 2, 4).0 * 2,
		missed.0,
		"half of the units"
	);
	assert!(Score::default().after_epoch(30, 1, 3).0 * 3 > missed.0);
	assert_eq!(Score::default().after_epoch(30, 0, 3), Score(0));
}

#[test]
fn misses_are_slashed_rounded_up() {
	assert_eq!(miss_slash(&terms(), 3), 3 * FLT / 10);
	let odd = CommitmentTerms {
		stake_per_unit: 1,
		..terms()
	};
	assert_eq!(miss_slash(&odd, 1), 1);
	assert_eq!(miss_slash(&odd, 0), 0);
}

#[test]
fn an_audit_that_everybody_gets_costs_the_least() {
	// 3 × (0.01 + 0.1) FLT a unit is 0.33 % of the stake, below the least of 5 %.
	assert_eq!(audit_slash(&terms(), 10, &row(5, 5, 50), 10), 50 * FLT);
}

#[test]
fn a_rare_audit_costs_more_and_never_more_than_everything() {
	// One draw among 1,000 units, 10 of them the peer's: a chance of 10 / 1,010, so that
	// 10 × 0.303 FLT (its share of the pool is 0.001 FLT a unit) become 306.03 FLT.
	assert_eq!(
		audit_slash(&terms(), 10, &row(1, 100, 1_000), 10),
		30_603 * FLT / 100
	);
	assert_eq!(
		audit_slash(&terms(), 10, &row(1, 100, 1_000_000), 1),
		1_000 * FLT
	);
}

#[test]
fn an_audit_slash_goes_by_the_draw_that_took_place() {
	let planned = row(4, 100, 1_000);
	let cut_short = EpochRow {
		drawn: 1,
		..planned
	};
	assert_eq!(
		chance(&planned, 10),
		(U256::from(40u32), U256::from(1_040u32))
	);
	assert_eq!(
		chance(&cut_short, 10),
		(U256::from(10u32), U256::from(1_010u32))
	);
	assert!(audit_slash(&terms(), 10, &cut_short, 10) > audit_slash(&terms(), 10, &planned, 10));
	// A walk over all that was cut short is a uniform choice; one that drew nobody proves nothing.
	let walk = EpochRow {
		drawn: 7,
		..row(20, 20, 1_000)
	};
	assert_eq!(chance(&walk, 10), (U256::from(7u32), U256::from(20u32)));
	let nobody = EpochRow { drawn: 0, ..walk };
	assert_eq!(audit_slash(&terms(), 10, &nobody, 10), 1_000 * FLT);
}

#[test]
fn more_audits_are_drawn_as_the_network_grows() {
	let asked = |units: u64| {
		let rich = EpochRow {
			pool: u128::from(units) * FLT / 100,
			..row(200, 1_000_000, units)
		};
		audits(&rich, 4_096)
	};
	// 3 × 0.11 FLT is 0.33 % of a unit's stake: 0.331 % of the units, and 200 at least.
	assert_eq!(asked(1_000), 200);
	assert_eq!(asked(60_406), 200);
	assert_eq!(asked(60_407), 201);
	assert_eq!(asked(100_000), 332);
	assert_eq!(asked(100_000_000), 4_096);
	// Not more than there are reports, and none without any.
	assert_eq!(audits(&row(200, 7, 7_000), 4_096), 7);
	assert_eq!(audits(&row(200, 0, 0), 4_096), 0);
	assert_eq!(audits(&row(200, 300, 7_000), 50), 50);
}

#[test]
fn rewards_are_capped_only_where_audits_would_not_deter() {
	let rich = EpochRow {
		pool: 1_000_000 * FLT,
		..row(0, 1_000_000, 100_000)
	};
	let drawn = |audits| EpochRow { audits, ..rich };
	assert_eq!(capped_reward(&drawn(332)), FLT / 100);
	// 331 / 100,331 of 100 FLT, a third of it, less the cost of a miss.
	let bearable = 331 * 100 * FLT / (3 * 100_331) - FLT / 10;
	assert!(bearable < FLT / 100);
	assert_eq!(capped_reward(&drawn(331)), bearable);
	assert_eq!(capped_reward(&drawn(200)), 0);
	// Where everybody is audited, the whole stake of a unit is at risk.
	let all = EpochRow {
		audits: 5,
		reports: 5,
		idle: 10,
		max_reward_per_unit: 50 * FLT,
		..rich
	};
	assert_eq!(capped_reward(&all), 100 * FLT / 3 - FLT / 10);
}

#[test]
fn rewards_vest_linearly_and_never_early() {
	let bucket = Bucket {
		start: 10,
		epochs: 7,
		amount: 20,
		taken: 0,
	};
	let at = |now| vested(&bucket, now);
	assert_eq!((at(0), at(10), at(11), at(16)), (0, 0, 2, 17));
	assert_eq!((at(17), at(u32::MAX)), (20, 20));
	assert_eq!((period_epochs(2_160), period_epochs(30)), (72, 1));
	assert_eq!((period_epochs(31), period_epochs(1)), (2, 1));
	assert_eq!((period_of(71, 2_160), period_of(72, 2_160)), (0, 1));
}

/// FLT as the docs write it, in units.
fn units_of(decimal: &str) -> Balance {
	let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
	format!("{whole}{fraction:0<18}")
		.parse()
		.expect("the docs write decimals")
}

/// Cells of the rows of a table of the docs, between a mark and its end.
fn table(mark: &str) -> Vec<Vec<String>> {
	let docs = include_str!("../../../../docs/rewards.md");
	let (_, rest) = docs
		.split_once(&format!("<!-- {mark} -->"))
		.expect("the docs have the table");
	let (table, _) = rest
		.split_once(&format!("<!-- /{mark} -->"))
		.expect("the table has an end");
	let rows = table.lines().filter(|line| line.starts_with('|'));
	rows.skip(2)
		.map(|line| {
			let cells = line.trim_matches('|').split('|');
			cells.map(|cell| cell.trim().to_owned()).collect()
		})
		.collect()
}

#[test]
fn the_tables_of_the_docs() {
	let pools = table("pool");
	assert_eq!(pools.len(), 7);
	for cells in &pools {
		let [pool, idle, target, limit, next] = &cells[..] else {
			panic!("five columns, not {cells:?}");
		};
		let idle = idle.parse().expect("a number of units");
		let (pool, target, limit) = (units_of(pool), units_of(target), units_of(limit));
		let found = next_pool(pool, idle, target, FLT, Perbill::from_percent(1), limit);
		assert_eq!(found, units_of(next), "{cells:?}");
	}
	let shares = table("share");
	assert_eq!(shares.len(), 6);
	for cells in &shares {
		let [pool, carried, idle, target, reward, dust] = &cells[..] else {
			panic!("six columns, not {cells:?}");
		};
		let row = EpochRow {
			pool: units_of(pool),
			carried: units_of(carried),
			idle: idle.parse().expect("a number of units"),
			max_reward_per_unit: max_reward_per_unit(units_of(target), Perbill::from_percent(10)),
			..row(0, 0, 0)
		};
		assert_eq!(
			(row.reward_per_unit(), row.dust()),
			(units_of(reward), units_of(dust)),
			"{cells:?}"
		);
	}
}

#[test]
fn what_bounds_pools_rewards_and_audits_is_voted() {
	let next = |percent| {
		let step = Perbill::from_percent(percent);
		next_pool(100 * FLT, 1_000_000, FLT, FLT, step, Balance::MAX)
	};
	assert_eq!((next(1), next(10)), (101 * FLT, 110 * FLT));
	let most = |percent| max_reward_per_unit(FLT, Perbill::from_percent(percent));
	assert_eq!(
		(most(0), most(10), most(100)),
		(FLT, FLT + FLT / 10, 2 * FLT)
	);
	let dearer = CommitmentTerms {
		least_audit_slash: Perbill::from_percent(40),
		..terms()
	};
	assert_eq!(audit_slash(&dearer, 10, &row(5, 5, 50), 10), 400 * FLT);
}

/// An epoch of silence after the other, by the definitions alone.
fn naive_silence(
	first: EpochIndex,
	last: EpochIndex,
	score: Score,
	purse: &Purse,
	excused: impl Fn(EpochIndex) -> bool,
) -> Silence {
	let weight = |epoch: u32| {
		let exact = 2f64.powi(32) * 2f64.powf(f64::from(epoch % 24) / 24.0);
		exact.floor() as u128
	};
	let mut done = Silence {
		epochs: 0,
		excused: 0,
		slash: 0,
		score,
		failed: false,
	};
	let (mut own, others) = (purse.own, purse.others);
	for epoch in first..=last {
		done.epochs += 1;
		if epoch.is_multiple_of(24) {
			done.score.0 = done.score.0.div_ceil(2);
		}
		if excused(epoch) {
			done.excused += 1;
			continue;
		}
		done.score.0 += (1 << 32) * weight(epoch);
		own -= purse.each;
		done.slash += purse.each;
		let short = own < purse.floor || own + others <= purse.stake_floor;
		if short || done.score.0 > 24 * (1 << 32) * weight(epoch) {
			done.failed = true;
			break;
		}
	}
	done
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(50_000))]

	#[test]
	fn a_silence_is_what_its_epochs_are_one_by_one(
		first in 1u32..500,
		length in 1u32..200,
		before in 0u128..(24u128 << 64),
		mask in any::<[u64; 4]>(),
		sparse in 0u32..3,
		committed in 1_000u128..1_000_000,
		floor_permille in 1u128..900,
		own_permille in 100u128..=1_000,
		spare_permille in 1u128..=1_000,
		rate_permille in 0u128..50,
	) {
		// All random bits, a quarter of them, or none.
		let mask: Vec<u64> = mask
			.iter()
			.map(|word| match sparse {
				0 => *word,
				1 => word & word.rotate_left(13),
				_ => 0,
			})
			.collect();
		let excused = |epoch: u32| {
			let bit = epoch % 256;
			mask[(bit / 64) as usize] >> (bit % 64) & 1 == 1
		};
		let stake_floor = committed * floor_permille / 1_000;
		let left = stake_floor + ((committed - stake_floor) * spare_permille).div_ceil(1_000);
		let left = left.max(committed.div_ceil(10));
		let floor = committed.div_ceil(10);
		let own = (left * own_permille / 1_000).clamp(floor, left);
		let purse = Purse {
			own,
			others: left - own,
			stake_floor,
			floor,
			each: (committed * rate_permille).div_ceil(1_000).min(floor),
		};
		let last = first + length - 1;
		prop_assert_eq!(
			silence(first, last, Score(before), &purse, excused),
			naive_silence(first, last, Score(before), &purse, excused)
		);
	}
}

proptest! {
	#[test]
	fn rewards_never_exceed_the_pool(pool in any::<u64>(), idle in 1u64..1_000_000) {
		let pool = Balance::from(pool);
		let paid = reward_per_unit(pool, idle, Balance::MAX) * Balance::from(idle);
		prop_assert!(paid <= pool && pool - paid < Balance::from(idle));
	}

	#[test]
	fn the_pool_moves_by_a_step_at_most_or_to_the_limit(
		pool in 0u128..u128::from(u64::MAX), idle in any::<u32>(), target in any::<u32>(),
		floor in 100u128..1_000_000, limit in any::<u64>(), percent in 1u32..=10,
	) {
		let limit = Balance::from(limit);
		let step = Perbill::from_percent(percent);
		let next = next_pool(pool, u64::from(idle), Balance::from(target), floor, step, limit);
		prop_assert!(next <= limit);
		let most = pool.max(floor) * Balance::from(percent) / 100;
		prop_assert!(next == limit || next.abs_diff(pool) <= most);
	}

	#[test]
	fn with_as_many_audits_as_deter_no_stake_is_too_small(
		units in 1u64..1_000_000, reports in 1u32..100_000, pool in 0u128..(10_000 * FLT),
		answerable in 0u32..5_000, least in 0u32..300,
	) {
		let mut row = EpochRow { pool, ..row(least, reports, units.max(reports.into())) };
		row.audits = audits(&row, answerable);
		row.max_reward_per_unit = capped_reward(&row);
		row.drawn = row.audits;
		prop_assert!(row.audits <= answerable.min(reports));
		// A peer of one unit loses three times what it saves, times its chance, in an audit slash
		// that is not cut off at its whole stake; unless misses alone are dearer than what the few
		// audits can threaten with.
		if row.reward_per_unit() > 0 {
			let (hits, of) = chance(&row, 1);
			let saved = U256::from(3 * (row.reward_per_unit() + row.miss_cost));
			prop_assert!(saved * of <= U256::from(row.stake_per_unit) * hits);
		}
	}

	#[test]
	fn amnesties_are_judged_as_a_list_would_be(
		units in prop::collection::vec(0u64..100, 1..60),
		most in 0u32..6,
		percent in 1u32..100,
		far in 0u32..3,
	) {
		let part = Perbill::from_percent(percent);
		let mut amnesty = Amnesty::default();
		let mut list = Vec::new();
		let (mut base, mut streak) = (0, 0);
		// Across the end of the ring, too.
		let first = 1 + far * 1_000;
		for (epoch, units) in (first..).zip(&units) {
			let excused = streak < most && 100 * units < u64::from(percent) * base;
			(base, streak) = if excused { (base, streak + 1) } else { (*units, 0) };
			list.push(excused);
			prop_assert_eq!(amnesty.judge(epoch, *units, part, most), excused);
			// Judged once: a second look changes nothing.
			prop_assert_eq!(amnesty.judge(epoch, 0, part, 16), excused);
		}
		for (epoch, excused) in (first..).zip(&list) {
			prop_assert_eq!(amnesty.is_excused(epoch), *excused);
		}
		let next = first + units.len() as u32;
		prop_assert!(!amnesty.is_excused(next) && !amnesty.is_excused(0));
		// What is forgotten is ordinary, whatever is judged later.
		amnesty.judge(next + 2_000, 50, part, most);
		prop_assert!((first..next + 1_999).all(|epoch| !amnesty.is_excused(epoch)));
	}
}

//! Anything in any order: errors are allowed, panics and broken invariants are not.

use crate::{mock::*, rules::changes, Bootstrapped, Params, ValidatorsParams};
use millrace_primitives::Balance;
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use sp_runtime::Perbill;
use std::time::Instant;

/// Accounts that come and go; genesis is made of the first ones.
const ACCOUNTS: u64 = 16;

/// What can happen.
#[derive(Clone, Debug)]
enum Op {
	Stake {
		who: u64,
		stake: Balance,
	},
	SetKeys(u64),
	Validate(u64),
	Chill(u64),
	PurgeKeys(u64),
	SetParams(ValidatorsParams),
	/// A session ends in which each account wrote so many blocks, if it had a seat.
	Rotate(Vec<u8>),
	Offend {
		who: u64,
		percent: u32,
		sessions_ago: u32,
	},
}

fn op() -> impl Strategy<Value = Op> {
	let who = || 1..=ACCOUNTS;
	let stake = prop_oneof![
		1 => Just(0u128),
		6 => 1u128..60,
		1 => 1u128..1_000,
	];
	let params = (0u32..=8, 0u128..40, 0u128..200, 3u32..9, 1u32..=100).prop_map(
		|(max, min, bootstrap, seats, percent)| ValidatorsParams {
			max_validators: max,
			min_seat_stake: min,
			bootstrap_stake: bootstrap,
			seats_per_change: seats,
			least_authored: Perbill::from_percent(percent),
		},
	);
	let blocks = prop_oneof![1 => Just(0u8), 4 => 0u8..30];
	prop_oneof![
		6 => (who(), stake).prop_map(|(who, stake)| Op::Stake { who, stake }),
		3 => who().prop_map(Op::SetKeys),
		6 => who().prop_map(Op::Validate),
		1 => who().prop_map(Op::Chill),
		2 => who().prop_map(Op::PurgeKeys),
		1 => params.prop_map(Op::SetParams),
		6 => prop::collection::vec(blocks, ACCOUNTS as usize).prop_map(Op::Rotate),
		1 => (who(), 0u32..=100, 0u32..30).prop_map(|(who, percent, sessions_ago)| {
			Op::Offend { who, percent, sessions_ago }
		}),
	]
}

/// Does it, and checks what it may change.
fn apply(op: Op) {
	match op {
		Op::Stake { who, stake } => set_stake(who, stake),
		Op::SetKeys(who) => give_keys(who),
		Op::Validate(who) => {
			let banned = Validators::validator(&who).banned_until.is_some();
			let accepted = Validators::validate(signed(who)).is_ok();
			assert!(!(banned && accepted), "a banned account stands");
		}
		Op::Chill(who) => {
			let stood = Validators::validator(&who).rank.is_some();
			assert_eq!(Validators::chill(signed(who)).is_ok(), stood);
		}
		Op::PurgeKeys(who) => {
			if Validators::purge_keys(signed(who)).is_ok() {
				let view = Validators::validator(&who);
				assert!(!view.seated && !view.planned && view.rank.is_none());
			}
		}
		Op::SetParams(params) => {
			let accepted = Validators::apply_params(params).is_ok();
			assert_eq!(accepted, params.is_valid());
		}
		Op::Rotate(blocks) => {
			for (who, blocks) in (1..).zip(blocks) {
				if Seated::get().contains(&who) {
					write(who, blocks.into());
				}
			}
			rotate_and_check();
		}
		Op::Offend {
			who,
			percent,
			sessions_ago,
		} => {
			let session = CurrentSession::get().saturating_sub(sessions_ago);
			Validators::on_equivocation(&who, Perbill::from_percent(percent), session);
			let view = Validators::validator(&who);
			assert!(percent == 0 || view.disabled);
			assert!(view.equivocations.len() <= 8);
		}
	}
}

fn rotate_and_check() {
	let before = planned();
	let was_bootstrapped = Bootstrapped::<Test>::get();
	CurrentEpoch::mutate(|epoch| *epoch += 1);
	let after = rotate();
	let params = Params::<Test>::get();
	let most = changes(before.len(), &params);
	let entered: Vec<_> = after.iter().filter(|who| !before.contains(who)).collect();
	let left = before.iter().filter(|who| !after.contains(who)).count();
	assert!(entered.len() <= most && left <= most);
	assert!(!after.is_empty());
	assert!(after.len() <= before.len().max(params.max_validators as usize));
	for who in entered {
		let view = Validators::validator(who);
		assert!(view.rank.is_some() && view.keys.is_some() && view.banned_until.is_none());
		assert!(view.active_stake >= params.min_seat_stake);
	}
	if was_bootstrapped {
		assert!(Bootstrapped::<Test>::get());
	}
}

fn run(cases: u32, steps: usize) {
	let mut runner = TestRunner::new(Config {
		cases,
		source_file: Some(file!()),
		..Config::default()
	});
	let histories = (1u64..=6, prop::collection::vec(op(), steps));
	let outcome = runner.run(&histories, |(seats, ops)| {
		ExtBuilder::default()
			.genesis((1..=seats).collect())
			.max_validators(6)
			.bootstrap_stake(100)
			.build_and_execute(|| {
				for op in ops {
					apply(op);
					Validators::do_try_state().unwrap();
				}
			});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
}

#[test]
fn anything_may_happen_in_any_order() {
	run(24, 120);
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_validators() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"validators","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}

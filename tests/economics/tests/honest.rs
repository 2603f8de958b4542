//! Honest work passes its audits, keeps its whole stake and is rewarded with its share of the pool, in
//! networks of every size.

use millrace_economics::{
	agents::Strategy,
	grid::Cast,
	run::{simulate, Outcome, Run},
	work::UNITS_OF_PEER,
};
use millrace_primitives::FLT;
use pallet_capacity::CapacityParams;

const EPOCHS: u32 = 30;

/// Does the work, reports it, answers, and is audited like those who lie.
struct Audited;

impl Strategy for Audited {
	fn name(&self) -> &'static str {
		"audited"
	}

	fn fears_audits(&self) -> bool {
		true
	}
}

/// Honest peers where the target is so easy that bad luck misses nothing.
fn lucky(peers: u32) -> Vec<Outcome> {
	simulate(&Run {
		strategy: &Audited,
		peers,
		cast: Cast {
			agents: 3,
			units: UNITS_OF_PEER,
			copies: 0,
			group: 1,
			runs: 1,
		},
		epochs: EPOCHS,
		seed: 11,
		ratio: 1.9,
	})
}

/// Reward of a unit in all epochs: its share of the pool, which aims at the target's reward for each
/// unit and does not fall below its floor, and at most 1.1 times the target's. The floor is more than
/// that for fewer than a hundred units, so that a network of ten peers pays the maximum. What does not
/// divide is carried, and is less than a billionth.
fn expected(peers: u32) -> f64 {
	let params = CapacityParams::default();
	let units = u128::from(peers * UNITS_OF_PEER);
	let pool = (params.reward_target_per_unit * units).max(params.pool_floor);
	let most = params.reward_target_per_unit * 11 / 10;
	let reward = (pool / units).min(most);
	f64::from(EPOCHS) * reward as f64 / FLT as f64
}

#[test]
fn honest_work_is_rewarded_as_the_parameters_say() {
	assert!((expected(10) - 0.33).abs() < 1e-9);
	assert!((expected(1_000) - 0.3).abs() < 1e-9);
	for peers in [10, 1_000, 100_000] {
		for outcome in lucky(peers) {
			assert!(
				(outcome.gain - expected(peers)).abs() < 1e-9,
				"{} instead of {} among {peers}",
				outcome.gain,
				expected(peers)
			);
			assert!(!outcome.over);
			// The target becomes harder while nothing is missed, and hashing dearer with it.
			let epochs = f64::from(EPOCHS);
			assert!((epochs..epochs * 1.4).contains(&outcome.hashed));
		}
	}
}

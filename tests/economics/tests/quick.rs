//! A few epochs of every way to cheat: whether it loses on average. The bar is the whole grid's.

use millrace_economics::{
	grid::{self, Cast},
	run::{quick, simulate, Outcome, Run},
	strategies::GriefFail,
	work::settled_ratio,
};

#[test]
fn every_way_to_cheat_loses_on_average() {
	let rows = quick();
	let costs = grid::HASHING.len();
	assert_eq!(rows.len(), grid::names().len() * 3 * costs);
	let gains: Vec<String> = rows
		.iter()
		.filter(|row| row.margin_mean >= 0.0)
		.map(|row| {
			format!(
				"{} {:?} {}: {}",
				row.cheat, row.point, row.peers, row.margin_mean
			)
		})
		.collect();
	assert!(gains.is_empty(), "these gain: {gains:#?}");
}

/// Peers of one unit in a large network: drawn rarely, and slashed by nearly everything when they are.
fn failed_on_purpose(own_percent: u32) -> Vec<Outcome> {
	let strategy = GriefFail {
		own_percent,
		fakes: true,
	};
	simulate(&Run {
		strategy: &strategy,
		peers: 30_000,
		cast: Cast {
			agents: 100,
			units: 1,
			copies: 0,
			group: 1,
			runs: 1,
		},
		epochs: 40,
		seed: 3,
		ratio: settled_ratio(),
	})
}

#[test]
fn a_staker_loses_only_after_the_providers_own_part() {
	for own_percent in [20, 50] {
		let outcomes = failed_on_purpose(own_percent);
		let harmful: Vec<_> = outcomes.iter().filter(|outcome| outcome.over).collect();
		assert!(!harmful.is_empty(), "about a dozen are drawn");
		// For each FLT of its own a provider can burn so much of others', and no more.
		let most = f64::from(100 - own_percent) / f64::from(own_percent);
		for outcome in harmful {
			assert!(
				outcome.harm > 0.0 && outcome.harm <= most + 1e-9,
				"{outcome:?}"
			);
		}
	}
}

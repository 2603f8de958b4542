//! The life of a whole chain, at random: providers, stakers, clients, challengers and voters send signed
//! transactions and duties into real blocks, developers claim rewards, and FLT goes to the anchor and back. After every step the issuance is what it was at genesis
//! but for what events declare as burnt; after every block all pallets' invariants hold.

mod anchor;
mod capacity;
mod chain;
mod challenges;
mod dice;
mod invariants;
mod ledger;
mod market;
mod programme;
mod seldom;
mod votes;
mod work;
pub(crate) mod world;

use crate::presets::genesis;
use world::World;

/// Steps of the test that runs with all others.
const SHORT: u32 = 1_600;
/// Steps of the measurement.
const LONG: u32 = 10_000;

/// Lets a development chain live for so many steps.
pub(crate) fn live<R>(steps: u32, seed: u64, then: impl FnOnce(&World) -> R) -> R {
	sp_io::TestExternalities::new(genesis("development")).execute_with(|| {
		let mut world = World::new(seed);
		while world.steps < steps {
			world.block();
		}
		then(&world)
	})
}

#[test]
fn no_flt_is_made_or_lost_but_by_the_rules() {
	live(SHORT, 1, |world| {
		for rule in ["fees", "slashes", "messages"] {
			assert!(world.ledger.burnt_by(rule) > 0, "{rule}: nothing burnt");
		}
		assert!(world.done("report") > 0, "{:?}", world.all_done());
	});
}

/// The same for longer, by which every kind of step has succeeded, and every rule has burnt something.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_governance_stateful() {
	let seed = std::env::var("MILLRACE_FUZZ_SEED")
		.ok()
		.and_then(|seed| seed.parse().ok())
		.unwrap_or(1);
	live(LONG, seed, |world| {
		for name in world::KINDS {
			assert!(world.done(name) > 0, "{name}: {:?}", world.all_done());
		}
		for rule in [
			"fees",
			"slashes",
			"payments",
			"challenges",
			"bonds",
			"probes",
			"dust",
			"messages",
			"forced",
		] {
			assert!(world.ledger.burnt_by(rule) > 0, "{rule}: nothing burnt");
		}
		// A step that makes or loses FLT otherwise ends the test.
		println!(
			r#"{{"measure":"governance_stateful","seed":{seed},"steps":{},"blocks":{},"unexplained":0}}"#,
			world.steps,
			millrace_runtime::System::block_number(),
		);
	});
}

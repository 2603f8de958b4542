//! How often made-up solutions are found out, against the formula of docs/ECONOMICS.md.

use millrace_economics::{
	agents::{Agent, Plan},
	background::{Background, Copied},
	chain::{in_world, Claim, Setup, World},
	run::lengths,
	work::{settled_ratio, UNITS_OF_PEER},
};

const PEERS: u32 = 1_000;
const AGENTS: u32 = 10;
const EPOCHS: u32 = 20;

/// Chance that three of `all` leaves have one of the `fakes` among them.
fn seen(all: f64, fakes: f64) -> f64 {
	let missed = (0..3).map(|drawn| (all - fakes - f64::from(drawn)) / (all - f64::from(drawn)));
	1.0 - missed.product::<f64>()
}

/// Reports of half-faked work: how many were drawn, and how many of those were found out.
fn faked(world: &mut World, seed: u64) -> (u32, u32) {
	let mut background = Background::new(PEERS - AGENTS, 0, seed);
	background.enter(world, AGENTS, settled_ratio());
	let agents: Vec<_> = (0..u64::from(AGENTS))
		.map(|number| Agent::new(world, number, UNITS_OF_PEER))
		.collect();
	for agent in &agents {
		agent.commit(world, EPOCHS);
	}
	world.next_epoch();
	background.fill_pool(world, 1, AGENTS);
	let (mut drawn, mut failed) = (0, 0);
	for epoch in 1..=EPOCHS {
		world.next_epoch();
		let nobody = Copied {
			reports: false,
			proven: 0.0,
		};
		background.report(world, epoch, nobody, AGENTS);
		let mut reporters = Vec::new();
		for agent in &agents {
			let Some(owed) = world.owed(agent.peer) else {
				continue;
			};
			let plan = Plan {
				reports: true,
				idle: owed.idle,
				..Plan::silent()
			};
			let claim = Claim {
				idle: plan.idle,
				busy: plan.busy,
				fakes: 0.5,
				deals: &[],
			};
			world.report(agent.peer, claim);
			reporters.push(agent.peer);
		}
		world.draw(&[]);
		for peer in reporters {
			if world.is_drawn(peer) {
				drawn += 1;
				world.answer(peer);
				failed += u32::from(world.has_failed_audit(peer, epoch));
			}
		}
		world.go_to(world.lengths().close_position());
		for agent in &agents {
			world.settle(agent.peer);
		}
	}
	(drawn, failed)
}

#[test]
fn made_up_solutions_are_found_out_as_often_as_computed() {
	let (mut reports, mut drawn, mut failed) = (0.0, 0.0, 0.0);
	for seed in 1..=6 {
		let setup = Setup {
			seed,
			accounts: Agent::accounts(AGENTS),
			lengths: lengths(PEERS),
			audited: true,
		};
		let (of_seed, found) = in_world(setup, |world| faked(world, seed));
		reports += f64::from(AGENTS * EPOCHS);
		drawn += f64::from(of_seed);
		failed += f64::from(found);
	}
	// All peers weigh the same, so that 200 of 1,000 are a uniform choice.
	let within = |count: f64, of: f64, chance: f64| {
		let spread = (of * chance * (1.0 - chance)).sqrt();
		(count - of * chance).abs() < 5.0 * spread
	};
	assert!(within(drawn, reports, 0.2), "{drawn} of {reports}");
	let seen = seen(256.0, 128.0);
	assert!(within(failed, drawn, seen), "{failed} of {drawn}");
}

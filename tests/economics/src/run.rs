//! Simulates points of the grid and compares them with honest work.

use crate::{
	agents::{Agent, Plan, Strategy, View},
	background::{Background, Copied},
	chain::{in_world, Claim, Setup, Shielded, World, ENDOWMENT},
	grid::{Cast, Point, HASHING},
	rows::{row, Row},
	work::{self, Dice},
};
use millrace_primitives::{epoch::EpochLengths, peer::PeerId, Balance, EpochIndex, FLT};
use std::{
	collections::HashMap,
	convert::Infallible,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc, Mutex, OnceLock,
	},
	thread,
	time::Instant,
};

/// Most slots at the end of a window that are tried: they are worth eight draws, of which one spares a
/// peer that is drawn with a chance of a fifth in all but three cases of a million.
const MOST_OWN_SLOTS: u32 = 3;
/// Epochs that a commitment lasts beyond those that are simulated.
const SPARE_EPOCHS: u32 = 50;
/// One simulation.
#[derive(Clone, Copy)]
pub struct Run<'a> {
	/// What the agents do.
	pub strategy: &'a dyn Strategy,
	/// Peers of the network.
	pub peers: u32,
	/// How they are simulated.
	pub cast: Cast,
	/// Epochs that are owed.
	pub epochs: EpochIndex,
	/// Decides everything that is left to chance.
	pub seed: u64,
	/// Target that the chain begins with, as a multiple of the class's reference.
	pub ratio: f64,
}

impl std::fmt::Debug for Run<'_> {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let name = self.strategy.name();
		write!(f, "{name} among {} peers, seed {}", self.peers, self.seed)
	}
}

/// What came of one agent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
	/// FLT that its owner has more than in the beginning, for each unit, before hashing is paid.
	pub gain: f64,
	/// Unit-epochs of hashing, for each unit.
	pub hashed: f64,
	/// What the stranger that staked with it lost, for each FLT of its own loss.
	pub harm: f64,
	/// Whether its commitment was over in the end.
	pub over: bool,
}

impl Outcome {
	/// What is left of the gain when hashing is paid, at a cost in FLT of a unit-epoch.
	pub fn net(&self, hashing: f64) -> f64 {
		self.gain - hashing * self.hashed
	}
}

/// Windows of the simulated epochs. The draw's fold is the mainnet's. The answer window is as short as
/// it can be with room for as many audits as the mainnet draws.
pub fn lengths(peers: u32) -> EpochLengths {
	let (report_window, fold_window) = (2, pallet_epochs::DEFAULT_LENGTHS.fold_window);
	let answer_window = match peers {
		0..=10 => 8,
		11..=100 => 24,
		101..=1_000 => 40,
		1_001..=10_000 => 60,
		10_001..=30_000 => 200,
		_ => 600,
	};
	EpochLengths {
		len: report_window + fold_window + answer_window + 2,
		report_window,
		fold_window,
		answer_window,
	}
}

/// Simulates a network, and tells what came of each agent.
pub fn simulate(run: &Run<'_>) -> Vec<Outcome> {
	let setup = Setup {
		seed: run.seed,
		accounts: Agent::accounts(run.cast.agents),
		lengths: lengths(run.peers),
		audited: run.strategy.fears_audits(),
	};
	in_world(setup, |world| Network::begin(*run, world).finish(world))
}

/// A network in the course of its simulation.
struct Network<'a> {
	run: Run<'a>,
	background: Background,
	agents: Vec<Agent>,
	peers: Vec<PeerId>,
}

impl<'a> Network<'a> {
	fn begin(run: Run<'a>, world: &mut World) -> Self {
		let cast = run.cast;
		let strangers = run.peers - cast.agents - cast.copies;
		let background = Background::new(strangers, cast.copies, run.seed);
		background.enter(world, cast.agents, run.ratio);
		let mut agents: Vec<_> = (0..u64::from(cast.agents))
			.map(|number| Agent::new(world, number, cast.units))
			.collect();
		for agent in &mut agents {
			run.strategy
				.prepare(world, agent, run.epochs + SPARE_EPOCHS);
		}
		world.next_epoch();
		background.fill_pool(world, 1, cast.agents);
		let peers = agents.iter().map(|agent| agent.peer).collect();
		Self {
			run,
			background,
			agents,
			peers,
		}
	}

	fn finish(mut self, world: &mut World) -> Vec<Outcome> {
		for epoch in 1..=self.run.epochs {
			self.pass(world, epoch);
			let over = || self.peers.iter().all(|peer| world.is_over(*peer));
			if !self.run.strategy.outlives_commitment() && over() {
				break;
			}
		}
		self.agents
			.iter()
			.map(|agent| outcome(world, agent))
			.collect()
	}

	/// One epoch from its end on: reports, the draw, answers, settlement.
	fn pass(&mut self, world: &mut World, epoch: EpochIndex) {
		world.next_epoch();
		let plans = self.decide(world, epoch);
		let copied = copied(&plans, self.run.cast.units);
		self.background
			.report(world, epoch, copied, self.run.cast.agents);
		for (agent, plan) in self.agents.iter_mut().zip(&plans) {
			let Some(plan) = plan else { continue };
			agent.hashed += plan.hashed;
			if plan.reports {
				world.report(
					agent.peer,
					Claim {
						idle: plan.idle,
						busy: plan.busy,
						fakes: plan.fakes,
						deals: &agent.deals,
					},
				);
			}
		}

		world.draw(&self.shielded(epoch));
		for (agent, plan) in self.agents.iter().zip(&plans) {
			let answers = plan.is_some_and(|plan| plan.answers);
			if answers && world.is_drawn(agent.peer) {
				world.answer(agent.peer);
			}
		}

		world.go_to(world.lengths().close_position());
		let strategy = self.run.strategy;
		for agent in &mut self.agents {
			strategy.act(world, agent, self.run.epochs);
			world.settle(agent.peer);
		}
	}

	/// What each agent does about an epoch; nothing where it owes nothing.
	fn decide(&self, world: &World, epoch: EpochIndex) -> Vec<Option<Plan>> {
		let ratio = work::ratio(world.row(epoch).target, world.reference());
		self.agents
			.iter()
			.map(|agent| {
				let view = View {
					epoch,
					owed: world.owed(agent.peer)?,
					found_by_core: work::found_by_core(ratio),
					ease: ratio / self.run.ratio,
				};
				let mut dice = Dice::new(self.run.seed, agent.number, u64::from(epoch));
				Some(self.run.strategy.plan(&view, &mut dice))
			})
			.collect()
	}

	/// The hands that own slots at the end of the window, each by its own luck, with their peers.
	fn shielded(&self, epoch: EpochIndex) -> Vec<Shielded> {
		let part = self.run.strategy.slots();
		if part <= 0.0 {
			return Vec::new();
		}
		let hands = self.peers.chunks(self.run.cast.group as usize);
		hands
			.zip(0u64..)
			.filter_map(|(peers, hand)| {
				let mut dice = Dice::new(self.run.seed, u64::MAX - 1 - hand, u64::from(epoch));
				let mut slots = 0;
				while slots < MOST_OWN_SLOTS && dice.happens(part) {
					slots += 1;
				}
				(slots > 0).then(|| Shielded {
					peers: peers.to_vec(),
					slots,
				})
			})
			.collect()
	}
}

/// What the peers of a hand do that are not simulated: what the simulated ones do on average.
fn copied(plans: &[Option<Plan>], units: u32) -> Copied {
	let proven: u32 = plans.iter().flatten().map(Plan::proven).sum();
	let owed = units.max(1) * plans.len().max(1) as u32;
	Copied {
		reports: plans.iter().flatten().any(|plan| plan.reports),
		proven: f64::from(proven) / f64::from(owed),
	}
}

fn outcome(world: &World, agent: &Agent) -> Outcome {
	let flt = |amount: Balance| amount as f64 / FLT as f64;
	let before = 2 * ENDOWMENT;
	let after = agent.wealth(world) - agent.spent;
	// The difference is taken before numbers are rounded.
	let change = |after: Balance, before: Balance| {
		flt(after.saturating_sub(before)) - flt(before.saturating_sub(after))
	};
	let gain = change(after, before);
	let harm = -change(agent.wealth_of_other(world), ENDOWMENT);
	let units = f64::from(agent.units);
	Outcome {
		gain: gain / units,
		hashed: agent.hashed / units,
		harm: if gain < 0.0 && harm > 0.0 {
			harm / -gain
		} else {
			0.0
		},
		over: world.is_over(agent.peer),
	}
}

/// How much is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Options {
	/// Epochs of each run.
	pub epochs: EpochIndex,
	/// Samples that are wanted of each point.
	pub samples: u32,
}

/// What came of the agents of one run, once it is known.
type Known = Arc<OnceLock<Vec<Outcome>>>;

/// What honest work came to, for the runs that were already simulated.
#[derive(Debug, Default)]
pub struct Controls(Mutex<HashMap<String, Known>>);

impl Controls {
	/// What the same peers have from honest work, under the same luck. Whoever needs what another
	/// thread simulates waits for it.
	fn of(&self, run: &Run<'_>) -> Vec<Outcome> {
		let twin = run.strategy.twin();
		let name = format!(
			"{} {:?} {} {:?} {} {}",
			twin.name(),
			twin.point(),
			run.peers,
			run.cast,
			run.epochs,
			run.seed
		);
		let mut all = self.0.lock().expect("nobody panics here");
		let known = Arc::clone(all.entry(name).or_default());
		drop(all);
		let simulated = known.get_or_init(|| {
			let strategy = twin.as_ref();
			simulate(&Run { strategy, ..*run })
		});
		simulated.clone()
	}
}

/// Simulates a point in networks of one size: a row for each cost of hashing, or none where the point
/// makes no sense there.
///
/// It makes as many samples as are wanted, unless fewer leave no doubt that it loses at every cost of
/// hashing. They are looked at rarely, or some look would find too little chance in them.
pub fn measure(point: &Point, peers: u32, options: Options, controls: &Controls) -> Vec<Row> {
	let Some(cast) = point.cast(peers, options.samples) else {
		return Vec::new();
	};
	let (started, ratio) = (Instant::now(), work::settled_ratio());
	let mut pairs: Vec<(Outcome, Outcome)> = Vec::new();
	let mut rows: Vec<Row> = Vec::new();
	let mut looked_at = point.least(peers) as usize;
	for number in 0..cast.runs {
		let run = Run {
			strategy: point.strategy.as_ref(),
			peers,
			// The number of runs is no matter of a single one.
			cast: Cast { runs: 0, ..cast },
			epochs: options.epochs,
			seed: u64::from(number) + 1,
			ratio,
		};
		let honest = controls.of(&run);
		pairs.extend(simulate(&run).into_iter().zip(honest));
		rows = HASHING
			.iter()
			.map(|part| row(point, peers, *part, &pairs, cast.group as usize))
			.collect();
		if !point.luck && pairs.len() / cast.group as usize >= looked_at {
			if rows.iter().all(Row::is_clear) {
				break;
			}
			looked_at *= 2;
		}
	}
	let seconds = started.elapsed().as_secs_f64();
	for row in &mut rows {
		row.epochs = options.epochs;
		row.wanted = options.samples;
		row.seconds = seconds;
	}
	rows
}

/// A point that is still to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
	/// The point.
	pub point: &'a Point,
	/// Peers of the network.
	pub peers: u32,
	/// How much is simulated.
	pub options: Options,
}

impl Job<'_> {
	/// About how long it takes, in microseconds of a usual machine, if the first samples settle it;
	/// what honest work takes besides is left out, since others share it.
	pub fn effort(&self) -> f64 {
		let Some(cast) = self.point.cast(self.peers, self.options.samples) else {
			return 0.0;
		};
		let samples = if self.point.luck {
			self.options.samples
		} else {
			self.point.least(self.peers)
		};
		let runs = f64::from(samples.div_ceil(cast.agents / cast.group).min(cast.runs));
		let agents = f64::from(cast.agents) * 40.0;
		let audits = if !self.point.strategy.fears_audits() {
			0.0
		} else if self.peers <= 200 {
			// Whoever lies is found out within few epochs.
			return runs * 10_000.0 * f64::from(cast.agents);
		} else {
			(f64::from(self.peers) * 0.027).max(200.0) * 12.0
		};
		// Besides its own, a draw has the blocks of its window and those in which it goes on.
		let blocks = if audits > 0.0 { 100.0 } else { 20.0 };
		let draws = if self.point.strategy.slots() > 0.0 {
			3.0
		} else {
			1.0
		};
		let epoch = blocks + agents + audits * draws;
		runs * f64::from(self.options.epochs) * epoch
	}
}

/// Works jobs off with so many threads, in their order, and hands over what each came to; until
/// that fails.
pub fn work_off<E: Send>(
	jobs: &[Job<'_>],
	threads: usize,
	done: impl Fn(&Job<'_>, Vec<Row>) -> Result<(), E> + Sync,
) -> Result<(), E> {
	let (next, controls) = (AtomicUsize::new(0), Controls::default());
	let failed: Mutex<Option<E>> = Mutex::new(None);
	thread::scope(|scope| {
		for _ in 0..threads.max(1) {
			scope.spawn(|| {
				while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
					let rows = measure(job.point, job.peers, job.options, &controls);
					if let Err(error) = done(job, rows) {
						next.store(jobs.len(), Ordering::Relaxed);
						*failed.lock().expect("nobody panics here") = Some(error);
					}
				}
			});
		}
	});
	failed
		.into_inner()
		.expect("nobody panics here")
		.map_or(Ok(()), Err)
}

/// A few epochs of every way in networks of three sizes: what the ordinary tests look at.
///
/// A single peer may well not be drawn in a few epochs of a large network, whatever an audit costs.
/// There many try at once, so that the mean tells.
pub fn quick() -> Vec<Row> {
	let points = crate::grid::quick();
	// The long ones first.
	let scales = [(100_000, 16, 10), (1_000, 60, 10), (10, 100, 10)];
	let jobs: Vec<Job<'_>> = scales
		.iter()
		.flat_map(|(peers, epochs, samples)| {
			points.iter().map(move |point| Job {
				point,
				peers: *peers,
				options: Options {
					epochs: *epochs,
					samples: *samples,
				},
			})
		})
		.collect();
	let rows: Mutex<Vec<Row>> = Mutex::default();
	let Ok(()) = work_off::<Infallible>(&jobs, threads(), |_, measured| {
		rows.lock().expect("nobody panics here").extend(measured);
		Ok(())
	});
	rows.into_inner().expect("nobody panics here")
}

/// As many threads as the machine runs at once.
pub fn threads() -> usize {
	thread::available_parallelism().map_or(1, |number| number.get())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn copies_do_what_the_simulated_peers_do_on_average() {
		let silent = Some(Plan::silent());
		let whole = Some(Plan {
			reports: true,
			idle: 8,
			..Plan::silent()
		});
		let copied_of = |plans: &[Option<Plan>]| {
			let Copied { reports, proven } = copied(plans, 8);
			(reports, proven)
		};
		assert_eq!(copied_of(&[silent, silent]), (false, 0.0));
		assert_eq!(copied_of(&[whole, silent]), (true, 0.5));
		assert_eq!(copied_of(&[None, whole]), (true, 0.5));
	}

	#[test]
	fn windows_hold_the_audits_that_deter() {
		for peers in crate::grid::SIZES {
			assert!(lengths(peers).fits());
		}
	}
}

//! Hill climbing for the dearest mix.

use super::operations::{NUMBERS, OPERATIONS};
use super::{timed, Genome, Pattern};
use crate::corpus::Noise;
use millrace_primitives::execution::CallStatus;
use millrace_primitives::replay::ReplayOutcome;
use millrace_primitives::Gas;
use std::time::Duration;

/// Gas of the loop while it is measured.
const STEP: Gas = 2_000_000;
/// How often each time is taken; the shortest counts, since nothing makes a program faster than it is.
const REPEATS: usize = 3;

/// How long a search takes, and where it begins.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
	/// The chain's cap.
	pub cap: Gas,
	/// Mixes that live at a time.
	pub population: usize,
	/// Rounds.
	pub generations: usize,
	/// Seed of the choices.
	pub seed: u64,
}

/// What a mix takes of the judge.
#[derive(Clone, Debug)]
pub struct Measured {
	/// The mix.
	pub genome: Genome,
	/// Milliseconds of a replay at the cap.
	pub ms_at_cap: f64,
	/// Nanoseconds for a gas of its loop, without what comes before.
	pub loop_ns_per_gas: f64,
}

/// Measures a mix; `None` if it is no package of the profile, or does not come to its loop, or leaves
/// it before the gas is gone.
///
/// The calling thread must have [`crate::STACK_BYTES`].
pub fn measure(genome: &Genome, cap: Gas) -> Option<Measured> {
	let best = |package: &[u8], gas: Gas| {
		(0..REPEATS)
			.map(|_| timed(package, gas))
			.min_by_key(|(time, _, _)| *time)
	};
	let (before, outcome, spent) = best(&genome.package(false), cap)?;
	let ReplayOutcome::Ended {
		status: CallStatus::Exited(0),
		..
	} = outcome
	else {
		return None;
	};
	let left = cap.checked_sub(spent)?;
	let (whole, outcome, reached) = best(&genome.package(true), spent + STEP.min(left))?;
	if outcome != ReplayOutcome::TakesMore || reached <= spent {
		return None;
	}
	let nanoseconds = |time: Duration| time.as_nanos() as f64;
	let loop_ns_per_gas =
		(nanoseconds(whole) - nanoseconds(before)).max(0.0) / (reached - spent) as f64;
	Some(Measured {
		genome: genome.clone(),
		ms_at_cap: (nanoseconds(before) + left as f64 * loop_ns_per_gas) / 1e6,
		loop_ns_per_gas,
	})
}

/// Looks for the mix that takes most time at the cap, and tells the best of every generation. The
/// dearest come first.
///
/// It begins with every statement alone, so that a single one that is priced too low is never missed.
pub fn search(settings: Settings, mut tell: impl FnMut(usize, &Measured)) -> Vec<Measured> {
	let mut noise = Noise::new(settings.seed);
	let mut living: Vec<Measured> = Vec::new();
	for operation in 0..OPERATIONS.len() {
		// A small number, and one that makes much of a statement.
		for number in [5, NUMBERS.len() - 3] {
			for pattern in [Pattern::Strided, Pattern::Chase] {
				let single = Genome::single(operation, number, pattern);
				living.extend(measure(&single, settings.cap));
			}
		}
	}
	for _ in 0..settings.population {
		living.extend(measure(&Genome::random(&mut noise), settings.cap));
	}
	keep_best(&mut living, settings.population);
	for generation in 0..settings.generations {
		let parents = living.len().div_ceil(2) as u64;
		for _ in 0..settings.population {
			if parents == 0 {
				break;
			}
			let one = &living[noise.below(parents) as usize].genome;
			let other = &living[noise.below(parents) as usize].genome;
			let child = match noise.below(3) {
				0 => one.crossed(other, &mut noise),
				_ => one.mutated(&mut noise),
			};
			if living.iter().any(|known| known.genome == child) {
				continue;
			}
			living.extend(measure(&child, settings.cap));
		}
		keep_best(&mut living, settings.population);
		// The best is measured again: one that was only lucky goes down.
		if let Some(again) = living
			.first()
			.and_then(|best| measure(&best.genome, settings.cap))
		{
			living[0].ms_at_cap = living[0].ms_at_cap.min(again.ms_at_cap);
			living[0].loop_ns_per_gas = living[0].loop_ns_per_gas.min(again.loop_ns_per_gas);
			keep_best(&mut living, settings.population);
			tell(generation, &living[0]);
		}
	}
	living
}

fn keep_best(living: &mut Vec<Measured>, count: usize) {
	living.sort_by(|one, other| other.ms_at_cap.total_cmp(&one.ms_at_cap));
	living.truncate(count);
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::deep;

	#[test]
	fn a_search_ends_with_the_dearest_first() {
		let operation = OPERATIONS
			.iter()
			.position(|operation| operation.name == "touch_16")
			.unwrap();
		let mut genome = Genome::single(operation, 0, Pattern::Chase);
		genome.pages_log2 = 0;
		genome.chain_log2 = 4;
		let cap = 3_000_000;
		let measured = deep(|| measure(&genome, cap)).unwrap();
		assert!(measured.loop_ns_per_gas > 0.0, "{measured:?}");
		assert!(measured.ms_at_cap > 0.0, "{measured:?}");
		// What costs more than the cap before its loop begins is no candidate.
		assert!(deep(|| measure(&genome, 30_000)).is_none());

		let mut living = vec![measured.clone(), measured];
		living[1].ms_at_cap *= 2.0;
		let best = living[1].ms_at_cap;
		keep_best(&mut living, 1);
		assert_eq!(living.len(), 1);
		assert!((living[0].ms_at_cap - best).abs() < f64::EPSILON);
	}
}

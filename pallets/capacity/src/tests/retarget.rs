//! Difficulty over 2,000 epochs of joins, leaves, withheld proofs and better hardware, through the
//! chain's own rows: nobody turns a knob.

use super::*;
use crate::EpochRows;
use millrace_primitives::U256;

/// Solutions that a unit of this simulation owes.
const OWED: u64 = 32;
const EPOCHS: usize = 2_000;

/// A generator of its own, so that every run is the same.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self
			.0
			.wrapping_mul(6_364_136_223_846_793_005)
			.wrapping_add(1_442_695_040_888_963_407);
		self.0 >> 33
	}

	fn below(&mut self, bound: u64) -> u64 {
		self.next() % bound
	}

	fn fraction(&mut self) -> f64 {
		self.next() as f64 / (1u64 << 31) as f64
	}
}

/// One peer: how many units it has, and how fast each of them is.
struct Member {
	units: u64,
	speed: f64,
}

impl Member {
	fn any(random: &mut Random) -> Self {
		Self {
			units: 1 << (2 * random.below(4)),
			speed: 0.8 + 0.6 * random.fraction(),
		}
	}
}

/// Chance that a unit which is expected to find so many solutions finds less than it owes.
fn chance_to_miss(expected: f64) -> f64 {
	let (mut term, mut sum) = ((-expected).exp(), 0.0);
	for found in 0..OWED {
		sum += term;
		term *= expected / (found + 1) as f64;
	}
	sum
}

/// How much easier than the reference a target is.
fn ease(target: U256) -> f64 {
	let high = |number: U256| (number >> 128).low_u128() as f64;
	high(target) / high(params().target_reference)
}

/// What an epoch's peers owed and proved goes into its row.
fn note(epoch: EpochIndex, owed: u64, proven: u64) {
	EpochRows::<Test>::mutate(Capacity::slot_of(epoch), |row| {
		let row = row.as_mut().expect("it has just been opened");
		(row.leaves_owed, row.leaves_proven) = (owed, proven);
	});
}

/// A simulated network of machines so many times as fast, in which so many hundredths are withheld:
/// the ease of each epoch's target, and the part of units that missed it although they tried.
fn simulate(
	seed: u64,
	hardware: impl Fn(usize) -> f64,
	withheld: impl Fn(usize) -> u64,
) -> (Vec<f64>, Vec<f64>) {
	let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
	let mut peers: Vec<_> = (0..40).map(|_| Member::any(&mut random)).collect();
	let (mut targets, mut misses) = (vec![1.0], vec![0.0]);
	for epoch in 1..EPOCHS {
		let index = epoch as EpochIndex;
		Capacity::open_row(index);
		let target = Capacity::row(index).expect("it is open").target;
		let before = Capacity::row(index - 1).expect("it is remembered").target;
		// At most 1 % harder and 10 % easier, and never far from the reference.
		assert!(target >= before - before / 100 && target <= before + before / 10);
		let reference = params().target_reference;
		assert!(target >= reference / 2 && target <= reference * 2);

		if epoch.is_multiple_of(10) {
			for _ in 0..random.below(4) {
				if peers.len() > 20 {
					let gone = random.below(peers.len() as u64) as usize;
					peers.swap_remove(gone);
				}
			}
			for _ in 0..random.below(4) {
				if peers.len() < 60 {
					peers.push(Member::any(&mut random));
				}
			}
		}
		let (mut units, mut failed) = (0, 0);
		for peer in &peers {
			// At the reference an ordinary unit needs half an epoch.
			let expected = 2.0 * OWED as f64 * peer.speed * hardware(epoch) * ease(target);
			let chance = chance_to_miss(expected);
			for _ in 0..peer.units {
				failed += u64::from(random.fraction() < chance);
			}
			units += peer.units;
		}
		let proven = (units - failed) * OWED;
		note(index, units * OWED, proven - proven * withheld(epoch) / 100);
		targets.push(ease(target));
		misses.push(failed as f64 / units as f64);
	}
	(targets, misses)
}

fn average(misses: &[f64]) -> f64 {
	misses.iter().sum::<f64>() / misses.len() as f64
}

#[test]
fn targets_find_their_place_over_two_thousand_epochs() {
	let hardware = |epoch: usize| if epoch >= 1_600 { 1.5 } else { 1.0 };
	let withheld = |epoch: usize| match epoch {
		800..=899 => 12,
		1_200..=1_399 => 2,
		_ => 0,
	};
	for seed in 1..=6 {
		ExtBuilder::default().build_and_execute(|| {
			let (targets, misses) = simulate(seed, hardware, withheld);
			for missed in [&misses[200..800], &misses[1_500..1_600]] {
				assert!(average(missed) <= 0.002, "{}", average(missed));
			}
			let worst = misses[200..].iter().copied().fold(0.0, f64::max);
			assert!(worst <= 0.012, "{worst}");

			// An eighth withheld makes it as easy as it gets; the way back is short.
			assert!(targets[899] > 1.99);
			let back = (900..EPOCHS).find(|epoch| targets[*epoch] <= 1.26);
			assert!(back.is_some_and(|epoch| epoch <= 1_020), "{back:?}");
			// Better hardware makes it harder, without anybody's doing.
			assert!(targets[EPOCHS - 1] < 0.92 * targets[1_600]);
		});
	}
}

#[test]
fn a_network_that_becomes_slower_misses_a_little_more() {
	let at_once = |epoch: usize| if epoch >= 1_000 { 0.9 } else { 1.0 };
	let slowly = |epoch: usize| 1.0 - 0.2 * epoch.saturating_sub(500).min(1_000) as f64 / 1_000.0;
	for seed in 1..=2 {
		ExtBuilder::default().build_and_execute(|| {
			let (_, misses) = simulate(seed, at_once, |_| 0);
			let missed = average(&misses[1_000..]);
			assert!(missed <= 0.003, "{missed}");
		});
		ExtBuilder::default().build_and_execute(|| {
			let (_, misses) = simulate(seed, slowly, |_| 0);
			let missed = average(&misses[1_000..]);
			assert!(missed <= 0.005, "{missed}");
		});
	}
}

/// Ease of the target that misses one unit in a thousand: where networks of equal machines settle.
fn rest() -> f64 {
	let (mut low, mut high) = (0.5, 2.0);
	for _ in 0..50 {
		let middle = (low + high) / 2.0;
		if chance_to_miss(2.0 * OWED as f64 * middle) > 0.001 {
			low = middle;
		} else {
			high = middle;
		}
	}
	high
}

/// What a hand with a share of all units gains over honest work by withholding a part of all units,
/// by the epoch and by how much easier the target is than at rest: for each of its units, in rewards
/// of a unit and an epoch, of which hashing costs 0.95 and a miss loses one and burns ten.
fn gained(share: f64, epochs: u32, withheld: impl Fn(u32, f64) -> f64) -> f64 {
	const ALL: f64 = 1e9;
	const HASHING: f64 = 0.95;
	const BURNT: f64 = 10.0;
	let rest = rest();
	let mut gained = 0.0;
	ExtBuilder::default().build_and_execute(|| {
		EpochRows::<Test>::mutate(Capacity::slot_of(0), |row| {
			let row = row.as_mut().expect("genesis opens it");
			row.target =
				(params().target_reference >> 32) * U256::from((rest * 2f64.powi(32)) as u64);
			row.settled = row.target;
		});
		for epoch in 1..=epochs {
			Capacity::open_row(epoch);
			let ease = ease(Capacity::row(epoch).expect("it is open").target);
			let missed = chance_to_miss(2.0 * OWED as f64 * ease);
			let withheld = withheld(epoch, ease / rest).min(share);
			let idle = withheld / share;
			let worked = 1.0 - HASHING * rest / ease - (1.0 + BURNT) * missed;
			let honest = 1.0 - HASHING - (1.0 + BURNT) * 0.001;
			gained += (1.0 - idle) * worked - idle * BURNT - honest;
			let proven = ALL * (1.0 - missed) * (1.0 - withheld);
			note(epoch, ALL as u64, proven as u64);
		}
	});
	gained
}

#[test]
fn withholding_proofs_to_ease_the_target_never_pays() {
	for share in [0.01, 0.1, 0.2, 0.34] {
		// All of them in some epochs, or the part that eases it most for what it costs.
		for (epochs, pause) in [(1, 400), (4, 50), (4, 400), (10, 800)] {
			for part in [0.1, share] {
				let burst = |epoch: u32, _: f64| {
					if epoch % (epochs + pause) < epochs {
						part
					} else {
						0.0
					}
				};
				let gained = gained(share, 1_000, burst);
				assert!(gained < 0.0, "{share} {epochs} {pause} {part}: {gained}");
			}
		}
		// A little, for ever.
		for part in [0.001_2, 0.002, 0.005] {
			let gained = gained(share, 1_000, |_, _| part);
			assert!(gained < 0.0, "{share} {part}: {gained}");
		}
		// As much as it takes to keep the target up.
		for kept in [1.1, 1.5, 2.4] {
			let gained = gained(share, 1_000, |_, ease| if ease < kept { 0.1 } else { 0.0 });
			assert!(gained < 0.0, "{share} {kept}: {gained}");
		}
	}
	// For months, while what is settled follows.
	let gained = gained(0.34, 4_000, |_, ease| if ease < 1.5 { 0.1 } else { 0.0 });
	assert!(gained < 0.0, "{gained}");
}

#[test]
fn an_excused_epoch_moves_no_target() {
	ExtBuilder::default().build_and_execute(|| {
		for (epoch, excused) in [(1, true), (2, false)] {
			Capacity::open_row(epoch);
			note(epoch, 1_000, 500);
			EpochRows::<Test>::mutate(Capacity::slot_of(epoch), |row| {
				row.as_mut().expect("it is open").excused = excused;
			});
		}
		Capacity::open_row(3);
		Capacity::open_row(4);
		let difficulty = |epoch| Capacity::row(epoch).expect("it is open").difficulty();
		assert_eq!(difficulty(3), difficulty(2));
		assert!(difficulty(4).target > difficulty(3).target);
	});
}

#[test]
fn a_network_without_reports_keeps_its_target() {
	ExtBuilder::default().build_and_execute(|| {
		Capacity::open_row(1);
		note(1, 1_000, 500);
		for epoch in 2..50 {
			Capacity::open_row(epoch);
		}
		let target = |epoch| Capacity::row(epoch).expect("it is open").target;
		assert_eq!(target(1), params().target_reference);
		assert!(target(3) > target(2));
		assert_eq!(target(49), target(3));
	});
}

//! Whose turn it is: validators submit one after the other, so that one of them pays and the others stand
//! ready.

use crate::evm::{keccak, Address};
use std::time::Duration;
use tokio::time::Instant;

/// Place of a validator in the order of a turn. Everybody computes the same order, another one for each
/// checkpoint. Who is no validator comes behind all of them.
pub(crate) fn rank(seed: &[u8], own: &[Address], all: &[Address]) -> usize {
	let weight = |address: &Address| keccak(&[seed, &address.0].concat());
	let best = own
		.iter()
		.filter(|address| all.contains(address))
		.map(weight)
		.min();
	match best {
		Some(best) => all.iter().filter(|address| weight(address) < best).count(),
		None => all.len(),
	}
}

/// Since when something is needed, and for how long others go first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
	need: Option<(Vec<u8>, Instant)>,
}

impl Turn {
	/// Whether it is this relayer's turn to do what is needed. Asked again and again with the same name of
	/// the need, it is so in the end.
	pub(crate) fn has_come(
		&mut self,
		need: &[u8],
		rank: usize,
		stagger: Duration,
		now: Instant,
	) -> bool {
		let since = match &self.need {
			Some((known, since)) if known == need => *since,
			_ => {
				self.need = Some((need.to_vec(), now));
				now
			}
		};
		let rank = u32::try_from(rank).unwrap_or(u32::MAX);
		now.saturating_duration_since(since) >= stagger.saturating_mul(rank)
	}

	/// Nothing is needed.
	pub(crate) fn rest(&mut self) {
		self.need = None;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn addresses(count: u8) -> Vec<Address> {
		(0..count).map(|byte| Address([byte; 20])).collect()
	}

	#[test]
	fn every_validator_has_another_place_and_others_come_last() {
		let all = addresses(7);
		for seed in [b"a", b"b", b"c"] {
			let mut ranks: Vec<usize> = all.iter().map(|own| rank(seed, &[*own], &all)).collect();
			ranks.sort_unstable();
			assert_eq!(ranks, [0, 1, 2, 3, 4, 5, 6]);
		}
		assert_eq!(rank(b"a", &[Address([9; 20])], &all), 7);
		assert_eq!(rank(b"a", &[], &all), 7);
		assert_eq!(
			rank(b"a", &all, &all),
			0,
			"of several keys the first counts"
		);
	}

	#[test]
	fn the_order_is_another_one_each_time() {
		let all = addresses(7);
		let first = |seed: u8| all.iter().position(|own| rank(&[seed], &[*own], &all) == 0);
		let firsts: std::collections::BTreeSet<_> = (0..50).map(first).collect();
		assert!(firsts.len() > 3, "{firsts:?}");
	}

	#[test]
	fn who_waits_has_its_turn_in_the_end() {
		let mut turn = Turn::default();
		let stagger = Duration::from_secs(60);
		let start = Instant::now();
		let at = |seconds| start + Duration::from_secs(seconds);
		assert!(turn.has_come(b"x", 0, stagger, at(0)));
		assert!(!turn.has_come(b"y", 2, stagger, at(0)));
		assert!(!turn.has_come(b"y", 2, stagger, at(119)));
		assert!(turn.has_come(b"y", 2, stagger, at(120)));
		assert!(
			!turn.has_come(b"z", 2, stagger, at(120)),
			"another need, another turn"
		);
		turn.rest();
		assert!(!turn.has_come(b"y", 2, stagger, at(240)));
	}
}

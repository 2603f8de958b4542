//! A run of epochs without a report, settled in one step.

use super::{Score, SILENT_EPOCHS};
use millrace_primitives::{Balance, EpochIndex};

/// Ordinary epochs that are looked at together: one more than any score survives.
const STRETCH: u32 = SILENT_EPOCHS + 1;

/// The stake that pays for a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purse {
	/// What is left of the provider's own part, which pays first.
	pub own: Balance,
	/// What is left of the delegators' stakes.
	pub others: Balance,
	/// The commitment fails when no more than this is left of all.
	pub stake_floor: Balance,
	/// The commitment fails when the own part is below this.
	pub floor: Balance,
	/// What an epoch costs in which everything is missed. Not above the floor, so that each falls
	/// wholly on the own part while the commitment lives, and k of them cost k times as much.
	pub each: Balance,
}

impl Purse {
	/// How many misses it takes until too little stake is left: the own part below its floor, or all
	/// together at theirs. `None` where misses cost nothing.
	fn misses_to_failure(&self) -> Option<Balance> {
		let of_own = self
			.own
			.saturating_sub(self.floor)
			.checked_div(self.each)?
			.saturating_add(1);
		let spare = self
			.own
			.saturating_add(self.others)
			.saturating_sub(self.stake_floor);
		// Each costs something: otherwise the function has returned.
		let of_all = spare.div_ceil(self.each).max(1);
		Some(of_own.min(of_all))
	}
}

/// What a run of silence comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
	/// Epochs that are settled: all of them, or up to the one that fails the commitment.
	pub epochs: u32,
	/// Of them, those that cost no miss.
	pub excused: u32,
	/// Stake that they cost.
	pub slash: Balance,
	/// The score after the last of them.
	pub score: Score,
	/// Whether the commitment has failed.
	pub failed: bool,
}

/// Settles the epochs from `first` to `last`, none of which was reported.
///
/// Goes from stretch to stretch of ordinary epochs; each is settled in closed form, and by
/// [`Score::fails_within`] and the purse up to the very epoch that fails the commitment. Excused
/// epochs only let the score age, which never raises it above its limit. Asks for each epoch once
/// or twice whether it is excused, and for none beyond [`STRETCH`] ordinary ones.
pub fn silence(
	first: EpochIndex,
	last: EpochIndex,
	score: Score,
	purse: &Purse,
	is_excused: impl Fn(EpochIndex) -> bool,
) -> Silence {
	let to_failure = purse.misses_to_failure();
	let total = last
		.checked_sub(first)
		.map_or(0, |more| more.saturating_add(1));
	let mut done = Silence {
		epochs: 0,
		excused: 0,
		slash: 0,
		score,
		failed: false,
	};
	let mut misses = 0u32;
	while done.epochs < total && !done.failed {
		let epoch = first.saturating_add(done.epochs);
		if is_excused(epoch) {
			done.score = done.score.aged(epoch.saturating_sub(1), epoch);
			done.excused = done.excused.saturating_add(1);
			done.epochs = done.epochs.saturating_add(1);
			continue;
		}

		let most = total.saturating_sub(done.epochs).min(STRETCH);
		let mut stretch = 1;
		while stretch < most && !is_excused(epoch.saturating_add(stretch)) {
			stretch = stretch.saturating_add(1);
		}
		let by_stake = to_failure
			.and_then(|limit| u32::try_from(limit).ok())
			.map(|limit| limit.saturating_sub(misses))
			.filter(|left| *left <= stretch);
		let by_score = done.score.fails_within(epoch, stretch);
		let fails = match (by_stake, by_score) {
			(Some(one), Some(other)) => Some(one.min(other)),
			(one, other) => one.or(other),
		};
		let took = fails.unwrap_or(stretch);
		done.score = done.score.after_silence(epoch, took);
		done.epochs = done.epochs.saturating_add(took);
		misses = misses.saturating_add(took);
		done.failed = fails.is_some();
	}
	done.slash = purse.each.saturating_mul(Balance::from(misses));
	done
}

//! Sums that change at epoch starts.

use super::NOTICE_EPOCHS;
use codec::{Decode, Encode, MaxEncodedLen};
use millrace_primitives::EpochIndex;
use scale_info::TypeInfo;
use sp_runtime::traits::{CheckedAdd, CheckedSub};

/// A sum as of the four epoch starts that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct AtStarts<V> {
	/// The epoch that the next three speak of.
	pub epoch: EpochIndex,
	/// At the start of the epoch before it.
	pub before: V,
	/// At its start.
	pub current: V,
	/// At the start of the epoch after it, as things stand.
	pub next: V,
	/// At the start of the one after that and of all later ones, as things stand: what is given notice
	/// counts in the next epoch and no more in this.
	pub later: V,
}

impl<V: Copy> AtStarts<V> {
	/// Moves on to a later epoch.
	pub fn roll(&mut self, now: EpochIndex) {
		match now.saturating_sub(self.epoch) {
			0 => return,
			1 => (self.before, self.current) = (self.current, self.next),
			2 => (self.before, self.current) = (self.next, self.later),
			_ => (self.before, self.current) = (self.later, self.later),
		}
		self.next = self.later;
		self.epoch = now;
	}

	/// The sum at the start of an epoch.
	pub fn at(&self, epoch: EpochIndex) -> V {
		match epoch.checked_sub(self.epoch) {
			None => self.before,
			Some(0) => self.current,
			Some(1) => self.next,
			Some(_) => self.later,
		}
	}
}

// A sum can let something count in the next epoch for the last time, and in no later one: that is all
// the notice that there is.
const _: () = assert!(NOTICE_EPOCHS == 1);

impl<V: Copy + CheckedAdd + CheckedSub> AtStarts<V> {
	/// Counts an amount from the next epoch on; `None` where it does not fit.
	pub fn begin(&mut self, amount: V) -> Option<()> {
		self.next = self.next.checked_add(&amount)?;
		self.later = self.later.checked_add(&amount)?;
		Some(())
	}

	/// Counts an amount in the next epoch for the last time; `None` where it never counted.
	pub fn end(&mut self, amount: V) -> Option<()> {
		self.later = self.later.checked_sub(&amount)?;
		Some(())
	}

	/// Takes away what has counted from an epoch on and up to a last one, or for good; `None` where it
	/// never did. It begins with the next epoch at the latest, and the last one is no later either.
	pub fn take(&mut self, amount: V, since: EpochIndex, last: Option<EpochIndex>) -> Option<()> {
		let counts = |epoch: EpochIndex| since <= epoch && last.is_none_or(|last| epoch <= last);
		if self.epoch.checked_sub(1).is_some_and(counts) {
			self.before = self.before.checked_sub(&amount)?;
		}
		if counts(self.epoch) {
			self.current = self.current.checked_sub(&amount)?;
		}
		if self.epoch.checked_add(1).is_some_and(counts) {
			self.next = self.next.checked_sub(&amount)?;
		}
		if last.is_none() {
			self.later = self.later.checked_sub(&amount)?;
		}
		Some(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::Balance;
	use proptest::prelude::*;

	#[test]
	fn what_never_counted_is_not_taken_away() {
		let mut sum = AtStarts::<u32>::default();
		assert_eq!(sum.begin(3), Some(()));
		assert_eq!(sum.end(4), None);
		assert_eq!(sum.end(3), Some(()));
		assert_eq!(sum.take(3, 1, None), None, "it has had notice");
		let mut sum = AtStarts::<u32>::default();
		assert_eq!(sum.begin(3), Some(()));
		assert_eq!(sum.take(3, 0, None), None, "it does not count yet");
		assert_eq!(sum.begin(u32::MAX), None);
	}

	proptest! {
		#[test]
		fn a_sum_is_remembered_for_two_epoch_starts(
			steps in proptest::collection::vec((0u32..5, 0u32..9, 0u32..9), 1..30),
		) {
			let (mut sum, mut now) = (AtStarts::<u32>::default(), 0u32);
			// Naive: what stood at the start of every epoch, and what will as things stand.
			let mut starts = vec![0u32];
			let (mut next, mut later) = (0, 0);
			for (wait, of_next, of_later) in steps {
				for _ in 0..wait {
					starts.push(next);
					next = later;
					now += 1;
				}
				sum.roll(now);
				prop_assert_eq!((sum.next, sum.later), (next, later));
				(next, later) = (of_next, of_later);
				(sum.next, sum.later) = (next, later);
				prop_assert_eq!(sum.at(now), starts[now as usize]);
				prop_assert_eq!(sum.at(now + 1), next);
				prop_assert_eq!((sum.at(now + 2), sum.at(now + 9)), (later, later));
				if let Some(before) = now.checked_sub(1) {
					prop_assert_eq!(sum.at(before), starts[before as usize]);
				}
			}
		}

		#[test]
		fn a_sum_is_of_what_counts_in_each_epoch(
			steps in proptest::collection::vec((0u32..4, 0u8..4, 0usize..9, 1u128..9), 1..60),
		) {
			let (mut sum, mut now) = (AtStarts::<Balance>::default(), 0u32);
			// Naive: each part with the first and the last epoch in which it counts.
			let mut parts: Vec<(EpochIndex, Option<EpochIndex>, Balance)> = Vec::new();
			for (wait, step, pick, amount) in steps {
				now += wait;
				sum.roll(now);
				let picked = pick.checked_rem(parts.len());
				match (step, picked) {
					// What has a last epoch may be taken away before it, in it and long after it.
					(0, Some(pick)) => {
						let (since, last, part) = parts.remove(pick);
						prop_assert_eq!(sum.take(part, since, last), Some(()));
					}
					(1, Some(pick)) => {
						let (_, last, part) = &mut parts[pick];
						if last.is_none() {
							prop_assert_eq!(sum.end(*part), Some(()));
							*last = Some(now + NOTICE_EPOCHS);
						}
					}
					_ => {
						prop_assert_eq!(sum.begin(amount), Some(()));
						parts.push((now + 1, None, amount));
					}
				}
				for epoch in now.saturating_sub(1)..=now + 3 {
					let counted = parts.iter().filter(|(since, last, _)| {
						*since <= epoch && last.is_none_or(|last| epoch <= last)
					});
					let expected: Balance = counted.map(|(.., amount)| amount).sum();
					prop_assert_eq!(sum.at(epoch), expected);
				}
			}
		}
	}
}

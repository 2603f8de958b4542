//! What gas may cost.

use millrace_primitives::U256;

/// Parts of a price that a replacement must pay more, in percent: Filecoin's pools ask for 25, others for
/// 10.
const BUMP_PERCENT: u64 = 26;

/// Prices of gas that a transaction offers, in the smallest unit of the anchor's coin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
	/// What whoever makes the block gets.
	pub priority: U256,
	/// Most that a unit may cost, everything included.
	pub max: U256,
}

/// Bounds of what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeLimits {
	/// Most that a unit of gas may ever cost.
	pub max: U256,
}

impl Fees {
	/// An offer for the next blocks: twice the base fee, which grows by an eighth a block at most, and
	/// what is asked for beside it.
	pub fn offer(base: U256, priority: U256, limits: FeeLimits) -> Self {
		let max = base.saturating_mul(2.into()).saturating_add(priority);
		Self { priority, max }.within(limits)
	}

	/// The offer that replaces this one, or the present one if that is higher. `None` once the limit does
	/// not admit what a pool takes for a replacement.
	pub fn raise(self, present: Self, limits: FeeLimits) -> Option<Self> {
		let needed = Self {
			priority: more(self.priority),
			max: more(self.max),
		};
		if needed.max > limits.max {
			return None;
		}
		let higher = Self {
			priority: needed.priority.max(present.priority),
			max: needed.max.max(present.max),
		};
		Some(higher.within(limits))
	}

	fn within(self, limits: FeeLimits) -> Self {
		let max = self.max.min(limits.max);
		Self {
			priority: self.priority.min(max),
			max,
		}
	}
}

/// So much more, and at least one.
fn more(price: U256) -> U256 {
	let added = price.saturating_mul(BUMP_PERCENT.into()) / U256::from(100);
	price.saturating_add(added.max(U256::one()))
}

#[cfg(test)]
mod tests {
	use super::*;

	const LIMITS: FeeLimits = FeeLimits {
		max: U256([1_000, 0, 0, 0]),
	};

	fn fees(priority: u64, max: u64) -> Fees {
		Fees {
			priority: priority.into(),
			max: max.into(),
		}
	}

	#[test]
	fn an_offer_outlives_a_few_blocks_and_stays_within_the_limit() {
		assert_eq!(Fees::offer(100.into(), 5.into(), LIMITS), fees(5, 205));
		assert_eq!(Fees::offer(600.into(), 5.into(), LIMITS), fees(5, 1_000));
		assert_eq!(
			Fees::offer(0.into(), 5_000.into(), LIMITS),
			fees(1_000, 1_000)
		);
	}

	#[test]
	fn a_replacement_pays_a_quarter_more_in_both_parts() {
		let raised = fees(100, 200).raise(fees(1, 1), LIMITS);
		assert_eq!(raised, Some(fees(126, 252)));
		// Where prices have risen further, it follows them.
		let raised = fees(100, 200).raise(fees(300, 700), LIMITS);
		assert_eq!(raised, Some(fees(300, 700)));
		assert_eq!(fees(0, 1).raise(fees(0, 0), LIMITS), Some(fees(1, 2)));
	}

	#[test]
	fn the_limit_ends_it() {
		assert_eq!(fees(100, 900).raise(fees(1, 1), LIMITS), None);
		let raised = fees(10, 700).raise(fees(2_000, 2_000), LIMITS);
		assert_eq!(raised, Some(fees(1_000, 1_000)));
	}
}

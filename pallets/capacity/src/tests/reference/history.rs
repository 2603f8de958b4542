//! Histories: four commitments, and what happens to them epoch by epoch.

use super::peer::Money;
use crate::{mock::params, CapacityParams};
use proptest::prelude::*;
use sp_runtime::Perbill;

pub(super) const PEERS: usize = 4;
pub(super) const STAKE_PER_UNIT: Money = 1_000_003;
/// Slash rates in billionths: none, 0.1 %, 1 %, 4.9 %.
pub(super) const RATES: [u32; 4] = [0, 1_000_000, 10_000_000, 49_000_000];
/// How often a peer takes to another habit, in thousandths: bursts of a few, or of many epochs.
pub(super) const RESTLESS: [u16; 3] = [500, 120, 20];

/// One peer's commitment.
#[derive(Clone, Debug)]
pub(super) struct Setup {
	pub(super) units: u32,
	pub(super) busy: u32,
	pub(super) rate: usize,
	pub(super) own_percent: u32,
	/// Weights of the delegators' stakes.
	pub(super) split: Vec<u32>,
	pub(super) commission_percent: u32,
	pub(super) duration: u32,
	pub(super) restless: usize,
}

/// Epochs in which all peers but one are silent: first, length, and who is not.
pub(super) type Outage = (u32, u32, usize);

/// A life of four peers. The numbers are read as deeds, of which 0 is the most harmless.
#[derive(Clone, Debug)]
pub(super) struct History {
	pub(super) setups: [Setup; PEERS],
	pub(super) amnesty: u32,
	pub(super) vesting: u32,
	pub(super) outages: Vec<Outage>,
	pub(super) epochs: Vec<([u64; PEERS], u64)>,
}

/// What histories have been through, so that a generator that reaches nothing is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reached {
	pub(super) growths: u32,
	pub(super) renewals: u32,
	pub(super) left: u32,
	pub(super) voided: u32,
	pub(super) failed: u32,
	pub(super) ended: u32,
	pub(super) excused: u32,
	pub(super) waited: u32,
	pub(super) applied: u32,
	pub(super) sent_back: u32,
	pub(super) late: u32,
	pub(super) claims: u32,
}

pub(super) fn setup() -> impl Strategy<Value = Setup> {
	(
		(1u32..=9, 0u32..=9, 0usize..4, 20u32..=100),
		prop::collection::vec(1u32..100, 0..=3),
		(0u32..=100, 20u32..=150, 0usize..3),
	)
		.prop_map(
			|(
				(units, busy, rate, own_percent),
				split,
				(commission_percent, duration, restless),
			)| {
				Setup {
					units,
					busy: busy.min(units),
					rate,
					own_percent,
					split,
					commission_percent,
					duration,
					restless,
				}
			},
		)
}

pub(super) fn history() -> impl Strategy<Value = History> {
	let outages = prop_oneof![
		7 => Just(Vec::new()),
		3 => prop::collection::vec((1u32..150, 1u32..=9, 0usize..PEERS), 1..=3),
	];
	let length = prop_oneof![3 => 40usize..80, 1 => 80usize..160];
	let epochs = length.prop_flat_map(|length| {
		prop::collection::vec((any::<[u64; PEERS]>(), any::<u64>()), length)
	});
	(
		[setup(), setup(), setup(), setup()],
		0u32..=4,
		prop::sample::select(vec![7u32, 30, 100]),
		outages,
		epochs,
	)
		.prop_map(|(setups, amnesty, vesting, outages, epochs)| History {
			setups,
			amnesty,
			vesting,
			outages,
			epochs,
		})
}

/// The parameters of a history; only the slash rate changes in it.
pub(super) fn parameters(history: &History, rate: u32) -> CapacityParams {
	CapacityParams {
		stake_per_unit: STAKE_PER_UNIT,
		slash_rate: Perbill::from_parts(rate),
		reward_target_per_unit: 10_007,
		pool_floor: 100_003,
		amnesty_epochs: history.amnesty,
		vesting_epochs: history.vesting,
		..params()
	}
}

//! Ways to cheat on the market: what each comes to over the real pallets, held against its formula.
//!
//! Nothing here is left to chance and no hand is large, so each point is one short run of a few epochs,
//! and all of them together take seconds. Fees are left out: they are what every way costs besides.

mod asks;
mod clients;
mod grace;
mod probing;
mod table;
mod town;

pub use table::{table, update, worst, COMMAND, TABLE};

use crate::chain::Wanted;
use codec::Encode;
use millrace_primitives::{hash, Balance, FLT};
use pallet_capacity::CapacityParams;
use pallet_market::MarketParams;
use serde::Serialize;

/// What one way to cheat came to at one point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
	/// The way: the name of its section in docs/ECONOMICS.md.
	pub cheat: &'static str,
	/// Its parameters.
	pub point: String,
	/// What is measured, with its unit.
	pub measure: &'static str,
	/// What it came to.
	pub found: f64,
	/// Most that the formula allows.
	pub bound: f64,
}

impl Case {
	/// Whether it came to no more than the formula allows. Numbers are sums of whole units, so that
	/// only their division rounds.
	pub fn holds(&self) -> bool {
		self.found <= self.bound + 1e-9
	}
}

/// The ways, in the order of the document.
pub const NAMES: [&str; 7] = [
	"wash_deal",
	"undeployable_deal",
	"book_flooding",
	"dead_offers",
	"price_baiting",
	"probe_griefing",
	"grace_abuse",
];

/// Every point of every way.
pub fn all() -> Vec<Case> {
	let mut cases = clients::wash_deals();
	cases.extend(clients::undeployable_deals());
	cases.extend(asks::floods());
	cases.extend(asks::dead_offers());
	cases.extend(asks::baits());
	cases.extend(probing::griefs());
	cases.extend(grace::abuses());
	cases
}

/// Names the parameters that the results hold under: a hash of the mainnet's defaults.
pub fn parameters() -> String {
	let all = (
		CapacityParams::default(),
		MarketParams::default(),
		pallet_epochs::DEFAULT_LENGTHS,
	);
	format!("0x{}", hex::encode(hash::blake2_256(&all.encode()).0))
}

/// The price of a unit and epoch where nothing hangs on it. Its half is exact.
const PRICE: Balance = FLT / 20;

/// An order for a worker of one unit, with escrow for some epochs.
fn one_unit(ceiling: Balance, epochs: u32) -> Wanted {
	Wanted {
		units: 1,
		ceiling,
		bond: 0,
		epochs,
	}
}

/// An amount in FLT.
fn flt(amount: Balance) -> f64 {
	amount as f64 / FLT as f64
}

/// What somebody has more than before, in FLT.
fn gain(after: Balance, before: Balance) -> f64 {
	// The difference is taken before numbers are rounded.
	flt(after.saturating_sub(before)) - flt(before.saturating_sub(after))
}

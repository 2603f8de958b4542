//! Every parameter that a vote can change: its name, unit, bounds and meaning, where its value stands
//! and which track sets it.
//!
//! [`table`] is the one list of them, from which keys, checks and what clients see are made;
//! docs/parameters.md shows it, and a test compares the two. [`groups`] tells of each group which
//! pallet has it in force, and how its values must fit.

#![warn(missing_docs, unreachable_pub)]

pub mod groups;
pub mod number;
#[allow(
	missing_docs,
	reason = "dynamic_params expands to public items without documentation"
)]
pub mod table;
#[cfg(test)]
mod tests;

pub use table::{
	dynamic_params, track_of, RuntimeParameters, RuntimeParametersKey, RuntimeParametersValue,
	Table,
};

use crate::{Balance, Runtime};
use frame_support::parameter_types;

/// Whose referenda can set a group of parameters. Root can set them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
	/// What has no track of its own.
	Parameters,
	/// The capacity market.
	Capacity,
	/// Deals.
	Market,
}

impl Track {
	/// Its name, as in the list of tracks.
	pub fn name(self) -> &'static str {
		match self {
			Self::Parameters => "parameters",
			Self::Capacity => "capacity",
			Self::Market => "market",
		}
	}
}

parameter_types! {
	/// Price of a picosecond of computation that is in force.
	pub WeightFee: Balance = pallet_governed::Params::<Runtime>::get().fees.weight_fee;
	/// Price of a byte that is in force.
	pub LengthFee: Balance = pallet_governed::Params::<Runtime>::get().fees.length_fee;
	/// Most that the pool of an epoch can be, as it is in force.
	pub EmissionPerEpoch: Balance = pallet_governed::Params::<Runtime>::get().emission.per_epoch;
}

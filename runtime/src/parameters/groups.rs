//! The groups: of each, who has its values in force, how they must fit, and how they come into force.

use super::table::Rows;
use crate::{timing::SessionSlots, validators::FINALITY_PROVABLE, Balance, Runtime};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::ensure;
use millrace_primitives::{
	epoch::EpochLengths, governance::Contradiction, traits::EpochClock, FLT,
};
use pallet_anchor::AnchorParams;
use pallet_capacity::{CapacityParams, CHANGE_MARGIN_EPOCHS};
use pallet_market::MarketParams;
use pallet_receipts::ReceiptsParams;
use pallet_validators::ValidatorsParams;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What one pallet has in force at once.
pub trait Group {
	/// Its values.
	type Params: PartialEq;

	/// Those in force.
	fn in_force() -> Self::Params;

	/// Whether voted values fit each other, and those of other groups.
	fn is_sound(voted: &Self::Params) -> bool;

	/// Tells voted values to whoever must know them before the next epoch starts.
	fn announce(_voted: Self::Params) -> Result<(), Contradiction> {
		Ok(())
	}

	/// Brings voted values into force, as an epoch starts.
	fn apply(voted: Self::Params) -> Result<(), Contradiction>;
}

/// What transactions cost.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct FeeParams {
	/// Smallest units of FLT for a picosecond of reference time: at the default a transfer costs about
	/// 0.002 FLT.
	#[serde(with = "millrace_primitives::decimal")]
	pub weight_fee: Balance,
	/// Smallest units of FLT for a byte.
	#[serde(with = "millrace_primitives::decimal")]
	pub length_fee: Balance,
}

impl Default for FeeParams {
	/// The mainnet's.
	fn default() -> Self {
		Self {
			weight_fee: 10_000_000,
			length_fee: 1_000_000_000_000,
		}
	}
}

/// What bounds the rewards of all.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct EmissionParams {
	/// Most that the pool of rewards of an epoch can be. The default is above the first year of the
	/// schedule, which therefore binds until a vote asks for less.
	#[serde(with = "millrace_primitives::decimal")]
	pub per_epoch: Balance,
}

impl Default for EmissionParams {
	/// The mainnet's.
	fn default() -> Self {
		Self {
			per_epoch: FLT.saturating_mul(10_000),
		}
	}
}

/// The values in force that no pallet of their own has.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct ChainParams {
	/// What transactions cost.
	pub fees: FeeParams,
	/// What bounds the rewards of all.
	pub emission: EmissionParams,
}

/// What transactions cost.
#[derive(Debug)]
pub struct Fees;

impl Group for Fees {
	type Params = FeeParams;

	fn in_force() -> FeeParams {
		pallet_governed::Params::<Runtime>::get().fees
	}

	fn is_sound(_: &FeeParams) -> bool {
		true
	}

	fn apply(voted: FeeParams) -> Result<(), Contradiction> {
		pallet_governed::Params::<Runtime>::mutate(|params| params.fees = voted);
		Ok(())
	}
}

/// What bounds the rewards of all.
#[derive(Debug)]
pub struct Emission;

impl Group for Emission {
	type Params = EmissionParams;

	fn in_force() -> EmissionParams {
		pallet_governed::Params::<Runtime>::get().emission
	}

	fn is_sound(_: &EmissionParams) -> bool {
		true
	}

	fn apply(voted: EmissionParams) -> Result<(), Contradiction> {
		pallet_governed::Params::<Runtime>::mutate(|params| params.emission = voted);
		Ok(())
	}
}

/// Commitments, work, slashes and rewards.
#[derive(Debug)]
pub struct Capacity;

impl Group for Capacity {
	type Params = CapacityParams;

	fn in_force() -> CapacityParams {
		pallet_capacity::Params::<Runtime>::get()
	}

	fn is_sound(voted: &CapacityParams) -> bool {
		voted.is_valid() && equivocators_stay_liable(voted, &Epochs::voted())
	}

	fn apply(voted: CapacityParams) -> Result<(), Contradiction> {
		crate::Capacity::apply_params(voted)
	}
}

/// Offers and deals.
#[derive(Debug)]
pub struct Market;

impl Group for Market {
	type Params = MarketParams;

	fn in_force() -> MarketParams {
		pallet_market::Params::<Runtime>::get()
	}

	fn is_sound(voted: &MarketParams) -> bool {
		crate::Market::accepts(voted)
	}

	fn apply(voted: MarketParams) -> Result<(), Contradiction> {
		crate::Market::apply_params(voted)
	}
}

/// Challenges of receipts.
#[derive(Debug)]
pub struct Receipts;

impl Group for Receipts {
	type Params = ReceiptsParams;

	fn in_force() -> ReceiptsParams {
		pallet_receipts::Params::<Runtime>::get()
	}

	fn is_sound(voted: &ReceiptsParams) -> bool {
		voted.is_valid()
	}

	fn apply(voted: ReceiptsParams) -> Result<(), Contradiction> {
		crate::Receipts::apply_params(voted)
	}
}

/// Seats.
#[derive(Debug)]
pub struct Validators;

impl Group for Validators {
	type Params = ValidatorsParams;

	fn in_force() -> ValidatorsParams {
		pallet_validators::Params::<Runtime>::get()
	}

	fn is_sound(voted: &ValidatorsParams) -> bool {
		voted.is_valid()
	}

	fn apply(voted: ValidatorsParams) -> Result<(), Contradiction> {
		crate::Validators::apply_params(voted)
	}
}

/// Epochs and the windows in them.
#[derive(Debug)]
pub struct Epochs;

impl Group for Epochs {
	type Params = EpochLengths;

	fn in_force() -> EpochLengths {
		<crate::Epochs as EpochClock>::current().lengths
	}

	fn is_sound(voted: &EpochLengths) -> bool {
		voted.fits() && equivocators_stay_liable(&Capacity::voted(), voted)
	}

	/// An epoch's lengths freeze before anybody is told that it started.
	fn announce(voted: EpochLengths) -> Result<(), Contradiction> {
		crate::Epochs::schedule_lengths(voted)
	}

	/// They are in force by now, if the clock was told.
	fn apply(voted: EpochLengths) -> Result<(), Contradiction> {
		ensure!(Self::in_force() == voted, Contradiction);
		Ok(())
	}
}

/// Messages between the chain and its anchor.
#[derive(Debug)]
pub struct Anchor;

impl Group for Anchor {
	type Params = AnchorParams;

	fn in_force() -> AnchorParams {
		pallet_anchor::Params::<Runtime>::get()
	}

	fn is_sound(voted: &AnchorParams) -> bool {
		voted.is_valid()
	}

	fn apply(voted: AnchorParams) -> Result<(), Contradiction> {
		crate::Anchor::apply_params(voted)
	}
}

/// Whether equivocation can be reported only until what came to the offender's stake in the epoch after
/// it can change again: until then one boundary behind the stake is enough for every slash. Votes on
/// checkpoints can be reported for longer: decision 75 says why.
fn reports_come_in_time(capacity: &CapacityParams, lengths: &EpochLengths) -> bool {
	let sessions = u64::from(FINALITY_PROVABLE).saturating_add(2);
	let slots = sessions.saturating_mul(SessionSlots::<Runtime>::get());
	let epochs = capacity
		.challenge_epochs
		.saturating_add(CHANGE_MARGIN_EPOCHS);
	slots <= u64::from(epochs).saturating_mul(lengths.len.into())
}

/// No vote may end what [`reports_come_in_time`] says. Of development chains it is not true from the
/// beginning: their epochs are short, and their sessions are not.
fn equivocators_stay_liable(capacity: &CapacityParams, lengths: &EpochLengths) -> bool {
	reports_come_in_time(capacity, lengths)
		|| !reports_come_in_time(&Capacity::in_force(), &Epochs::in_force())
}

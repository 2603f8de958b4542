//! The tracks of referenda: which origin a vote gives, how long it takes and how many must agree. The
//! table of docs/governance.md says the same, and a test compares them.

use super::{
	origins::Origin,
	periods::{days, hours, minutes},
};
use crate::{Balance, BlockNumber, OriginCaller};
use alloc::borrow::Cow;
use frame_system::RawOrigin;
use millrace_primitives::FLT;
use pallet_referenda::{Curve, Track, TrackInfo};
use sp_runtime::{str_array as name, FixedI64};

/// Anything.
pub const ROOT: u16 = 0;
/// Spends from the treasury.
pub const TREASURER: u16 = 1;
/// Parameters that have no track of their own.
pub const PARAMETERS: u16 = 2;
/// Parameters of the capacity market.
pub const CAPACITY: u16 = 3;
/// Parameters of deals.
pub const MARKET: u16 = 4;
/// Pauses and cancels.
pub const EMERGENCY: u16 = 5;

const fn percent(x: i32) -> FixedI64 {
	FixedI64::from_rational(x as u128, 100)
}

/// Approval falls from all to half of the votes; four fifths are asked for after a seventh of the time.
const APPROVAL: Curve = Curve::make_reciprocal(4, 28, percent(80), percent(50), percent(100));
/// Support falls steadily from half of the electorate to nothing: who can change anything must wait
/// for those who sleep.
const BROAD_SUPPORT: Curve = Curve::make_linear(28, 28, percent(0), percent(50));
/// Support falls fast, so that matters of one kind need not wait for half of the electorate. A
/// hundredth of it is asked for to the end: nothing passes because nobody looked.
const QUICK_SUPPORT: Curve = Curve::make_reciprocal(8, 28, percent(2), percent(1), percent(50));
/// Emergencies ask for near unanimity at first, and never for less than two thirds.
const EMERGENCY_APPROVAL: Curve =
	Curve::make_reciprocal(1, 24, percent(90), percent(66), percent(100));
/// A tenth of the electorate can brake after an hour, a hundredth at the end of the day.
const EMERGENCY_SUPPORT: Curve =
	Curve::make_reciprocal(1, 24, percent(10), percent(1), percent(50));

type Info = TrackInfo<Balance, BlockNumber>;

/// What tracks of parameters have in common. Records that stand keep the terms that they were made
/// under, so that there is no need of weeks to leave in.
fn of_parameters(label: &str) -> Info {
	TrackInfo {
		name: name(label),
		max_deciding: 10,
		decision_deposit: 2_000 * FLT,
		prepare_period: hours(2),
		decision_period: days(7),
		confirm_period: hours(12),
		min_enactment_period: hours(12),
		min_approval: APPROVAL,
		min_support: QUICK_SUPPORT,
	}
}

fn root() -> Info {
	TrackInfo {
		name: name("root"),
		max_deciding: 2,
		decision_deposit: 10_000 * FLT,
		prepare_period: hours(2),
		decision_period: days(14),
		confirm_period: days(1),
		min_enactment_period: days(1),
		min_approval: APPROVAL,
		min_support: BROAD_SUPPORT,
	}
}

fn treasurer() -> Info {
	TrackInfo {
		name: name("treasurer"),
		max_deciding: 10,
		decision_deposit: 1_000 * FLT,
		prepare_period: hours(2),
		decision_period: days(14),
		confirm_period: days(1),
		min_enactment_period: days(1),
		min_approval: APPROVAL,
		min_support: QUICK_SUPPORT,
	}
}

/// Quick enough to cancel a slash before its delay of a day is over.
fn emergency() -> Info {
	TrackInfo {
		name: name("emergency"),
		max_deciding: 5,
		decision_deposit: 5_000 * FLT,
		prepare_period: minutes(1),
		decision_period: days(1),
		confirm_period: minutes(30),
		min_enactment_period: minutes(1),
		min_approval: EMERGENCY_APPROVAL,
		min_support: EMERGENCY_SUPPORT,
	}
}

/// The six tracks, by id.
#[derive(Debug)]
pub struct Tracks;

impl pallet_referenda::TracksInfo<Balance, BlockNumber> for Tracks {
	type Id = u16;
	type RuntimeOrigin = OriginCaller;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
		[
			(ROOT, root()),
			(TREASURER, treasurer()),
			(PARAMETERS, of_parameters("parameters")),
			(CAPACITY, of_parameters("capacity")),
			(MARKET, of_parameters("market")),
			(EMERGENCY, emergency()),
		]
		.into_iter()
		.map(|(id, info)| Cow::Owned(Track { id, info }))
	}

	fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
		match origin {
			OriginCaller::system(RawOrigin::Root) => Ok(ROOT),
			OriginCaller::GovernanceOrigins(origin) => Ok(match origin {
				Origin::Treasurer => TREASURER,
				Origin::Parameters => PARAMETERS,
				Origin::Capacity => CAPACITY,
				Origin::Market => MARKET,
				Origin::Emergency => EMERGENCY,
			}),
			_ => Err(()),
		}
	}
}

#[cfg(test)]
mod tests;

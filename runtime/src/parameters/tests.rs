//! The list is whole, its bounds hold, and docs/parameters.md shows it.

mod deposits;
mod fixed;
mod page;

use super::*;
use crate::{configs::governance::origins::Origin, Governed, Parameters, RuntimeOrigin};
use codec::{Decode, Encode};
use frame_support::{
	assert_noop, assert_ok, pallet_prelude::DispatchResult,
	traits::dynamic_params::AggregatedKeyValue,
};
use groups::ChainParams;
use millrace_primitives::{
	epoch::EpochInfo,
	governance::ParameterInfo,
	traits::{EpochClock, OnEpoch},
	FLT, U256,
};
use pallet_governed::{Error, ParameterTable};
use serde::Serialize;
use serde_json::Value;
use sp_runtime::DispatchError;
use std::collections::BTreeSet;

/// A chain whose genesis says nothing: the mainnet's values.
fn on_chain(test: impl FnOnce()) {
	sp_io::TestExternalities::default().execute_with(test);
}

/// What sets a parameter to a number, if its type can hold it.
fn setting(info: &ParameterInfo, value: U256) -> Option<RuntimeParameters> {
	let bytes = info.parameter(value)?;
	Some(RuntimeParameters::decode(&mut &bytes[..]).expect("the key names a parameter"))
}

fn set(parameter: RuntimeParameters) -> DispatchResult {
	Governed::set(RuntimeOrigin::root(), parameter)
}

/// Sets a parameter by its name.
fn set_named(name: &str, value: impl Into<U256>) {
	let all = Governed::parameters();
	let info = all.iter().find(|info| info.name == name);
	let info = info.unwrap_or_else(|| panic!("there is no parameter {name}"));
	let parameter = setting(info, value.into()).expect("the value is one of the type");
	assert_ok!(set(parameter));
}

/// The next epoch starts.
fn next_epoch() {
	let info: EpochInfo = crate::Epochs::current();
	Governed::on_epoch_start(&info);
}

/// Names of all values in a structure.
fn leaves(path: String, value: &Value, found: &mut BTreeSet<String>) {
	let Value::Object(fields) = value else {
		assert!(found.insert(path));
		return;
	};
	for (name, value) in fields {
		let mut snake = String::new();
		for letter in name.chars() {
			if letter.is_uppercase() {
				snake.push('_');
			}
			snake.extend(letter.to_lowercase());
		}
		leaves(format!("{path}.{snake}"), value, found);
	}
}

#[test]
fn every_field_of_every_groups_parameters_can_be_voted_on() {
	let mut fields = BTreeSet::new();
	let mut add = |group: &str, params: &dyn erased::Plain| {
		leaves(group.into(), &params.json(), &mut fields);
	};
	let chain = ChainParams::default();
	add("fees", &chain.fees);
	add("emission", &chain.emission);
	add("capacity", &pallet_capacity::CapacityParams::default());
	add("market", &pallet_market::MarketParams::default());
	add("receipts", &pallet_receipts::ReceiptsParams::default());
	add(
		"validators",
		&pallet_validators::ValidatorsParams::default(),
	);
	add("epochs", &pallet_epochs::DEFAULT_LENGTHS);
	add("anchor", &pallet_anchor::AnchorParams::default());
	on_chain(|| {
		let listed = Governed::parameters();
		let names: BTreeSet<String> = listed.iter().map(|info| info.name.clone()).collect();
		assert_eq!(names.len(), listed.len(), "each has a name of its own");
		assert_eq!(names, fields);
	});
}

/// Structures of different types in one list.
mod erased {
	use super::*;

	pub(super) trait Plain {
		fn json(&self) -> Value;
	}

	impl<T: Serialize> Plain for T {
		fn json(&self) -> Value {
			serde_json::to_value(self).expect("parameters are plain data")
		}
	}
}

#[test]
fn without_a_vote_everything_is_the_mainnets() {
	on_chain(|| {
		for group in 0..Table::GROUPS {
			assert!(Table::agrees(group), "group {group}");
			assert!(Table::is_sound(group), "group {group}");
		}
		for info in Governed::parameters() {
			let name = &info.name;
			assert_eq!(
				(info.value, info.in_force),
				(info.default, info.default),
				"{name}"
			);
			assert!(info.allows(info.default), "{name}");
			assert!(info.least < info.most, "{name}");
			assert!(
				info.meaning.ends_with('.') && !info.meaning.contains("  "),
				"{name}"
			);
			assert!(!info.unit.is_empty(), "{name}");
		}
		Governed::do_try_state().unwrap();
	});
}

#[test]
fn a_key_is_that_of_its_parameter() {
	on_chain(|| {
		let mut keys = BTreeSet::new();
		for info in Governed::parameters() {
			let parameter = setting(&info, info.default).expect("defaults have their type");
			let (key, value) = parameter.into_parts();
			assert_eq!(key.encode(), info.key, "{}", info.name);
			assert_eq!(Table::check(&value.expect("it was named")), Ok(()));
			assert_eq!(track_of(&key).name(), info.track);
			assert!(keys.insert(info.key), "{} shares its key", info.name);
		}
	});
}

#[test]
fn every_bound_is_kept_from_both_sides() {
	on_chain(|| {
		for info in Governed::parameters() {
			let name = &info.name;
			let below = info.least.checked_sub(1.into());
			if let Some(parameter) = below.and_then(|value| setting(&info, value)) {
				assert_noop!(set(parameter), Error::<Runtime>::BelowLeast);
			}
			let above = info.most.checked_add(1.into());
			if let Some(parameter) = above.and_then(|value| setting(&info, value)) {
				assert_noop!(set(parameter), Error::<Runtime>::AboveMost);
			}
			// The bounds themselves are taken, if the others allow it.
			for value in [info.least, info.most] {
				let parameter = setting(&info, value).expect("bounds have their type");
				let contradicts = DispatchError::from(Error::<Runtime>::Contradicts);
				match set(parameter) {
					Ok(()) => {
						assert_ok!(set(setting(&info, info.default).expect("it has its type")));
					}
					Err(error) => assert_eq!(error, contradicts, "{name}"),
				}
			}
		}
	});
}

#[test]
fn a_track_sets_its_own_parameters_and_no_others() {
	on_chain(|| {
		let tracks = [
			("parameters", Origin::Parameters),
			("capacity", Origin::Capacity),
			("market", Origin::Market),
			("treasurer", Origin::Treasurer),
			("emergency", Origin::Emergency),
		];
		for info in Governed::parameters() {
			let parameter = setting(&info, info.default).expect("defaults have their type");
			for (track, origin) in tracks {
				let done = Governed::set(origin.into(), parameter.clone());
				let expected = match info.track == track {
					true => Ok(()),
					false => Err(DispatchError::BadOrigin),
				};
				assert_eq!(done, expected, "{} by {track}", info.name);
			}
			assert_ok!(set(parameter));
		}
	});
}

#[test]
fn not_even_root_goes_round_the_bounds() {
	on_chain(|| {
		let fees = dynamic_params::fees::Parameters::WeightFee(
			dynamic_params::fees::WeightFee,
			Some(20_000_000),
		);
		assert_noop!(
			Parameters::set_parameter(RuntimeOrigin::root(), RuntimeParameters::Fees(fees)),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn fees_and_emission_are_in_force_from_the_next_epoch_on() {
	on_chain(|| {
		set_named("fees.weight_fee", 20_000_000u128);
		set_named("fees.length_fee", 3_000_000_000_000u128);
		set_named("emission.per_epoch", 5 * FLT);
		let now = || (WeightFee::get(), LengthFee::get(), EmissionPerEpoch::get());
		assert_eq!(now(), (10_000_000, 1_000_000_000_000, 10_000 * FLT));
		next_epoch();
		assert_eq!(now(), (20_000_000, 3_000_000_000_000, 5 * FLT));
	});
}

#[test]
fn the_anchors_limits_are_those_that_were_voted_from_the_next_epoch_on() {
	on_chain(|| {
		let before = crate::Anchor::params();
		set_named("anchor.withdraw_per_epoch", 500 * FLT);
		set_named("anchor.release_per_epoch", 400 * FLT);
		set_named("anchor.deliver_blocks", 600u32);
		assert_eq!(crate::Anchor::params(), before);
		next_epoch();
		let expected = pallet_anchor::AnchorParams {
			withdraw_per_epoch: 500 * FLT,
			release_per_epoch: 400 * FLT,
			deliver_blocks: 600,
			..before
		};
		assert_eq!(crate::Anchor::params(), expected);
		Governed::do_try_state().unwrap();
	});
}

#[test]
fn a_group_is_set_together_in_an_order_in_which_each_step_fits() {
	on_chain(|| {
		let all = Governed::parameters();
		let own_floor = all.iter().find(|info| info.name == "capacity.own_floor");
		let own_floor = setting(own_floor.expect("it is listed"), 300_000_000u32.into());
		let own_floor = own_floor.expect("it is a part");
		assert_noop!(set(own_floor.clone()), Error::<Runtime>::Contradicts);
		set_named("capacity.min_own_part", 400_000_000u32);
		assert_ok!(set(own_floor));
		let before = pallet_capacity::Params::<Runtime>::get();
		next_epoch();
		let after = pallet_capacity::Params::<Runtime>::get();
		assert_ne!(before, after);
		assert_eq!(
			pallet_capacity::CapacityParams {
				own_floor: before.own_floor,
				min_own_part: before.min_own_part,
				..after
			},
			before,
			"nothing else has changed"
		);
	});
}

#[test]
fn equivocators_stay_liable_where_they_were() {
	on_chain(|| {
		let all = Governed::parameters();
		let refused = |name: &str, value: u32| {
			let info = all.iter().find(|info| info.name == name);
			let parameter = setting(info.expect("it is listed"), value.into());
			let parameter = parameter.expect("it has this type");
			assert_noop!(set(parameter), Error::<Runtime>::Contradicts);
		};
		refused("capacity.challenge_epochs", 23);
		// Sessions stay as long as they are, so that shorter epochs are more of them.
		refused("epochs.len", 1_100);
		set_named("capacity.challenge_epochs", 30u32);
		set_named("epochs.len", 1_100u32);
		refused("capacity.challenge_epochs", 24);
	});
}

#[test]
fn the_clock_is_told_before_an_epoch_starts() {
	on_chain(|| {
		set_named("epochs.answer_window", 800u32);
		let pending = pallet_epochs::PendingLengths::<Runtime>::get();
		assert_eq!(pending.map(|lengths| lengths.answer_window), Some(800));
		Governed::do_try_state().unwrap();
		// Were it not told, nothing would change.
		pallet_epochs::PendingLengths::<Runtime>::kill();
		next_epoch();
		let info = Governed::parameters();
		let info = info.iter().find(|info| info.name == "epochs.answer_window");
		let info = info.expect("it is listed");
		assert_eq!((info.value, info.in_force), (900.into(), 900.into()));
		Governed::do_try_state().unwrap();
	});
}

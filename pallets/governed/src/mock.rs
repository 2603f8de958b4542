//! Two groups of parameters: a fee that the pallet itself has in force, and two windows that must fit
//! each other, which somebody else has.
#![allow(
	unreachable_pub,
	missing_docs,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public, and macros do not document"
)]

use crate as pallet_governed;
use crate::{GroupIndex, OutOfBounds, ParameterTable};
use frame_support::{
	derive_impl,
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	parameter_types,
	traits::{AsEnsureOriginWithArg, EnsureOrigin, EnsureOriginWithArg, Get},
};
use frame_system::{EnsureNever, EnsureRoot};
use millrace_primitives::governance::{Contradiction, ParameterInfo, ParameterKind};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Parameters: pallet_parameters,
		Governed: pallet_governed,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Test>)]
pub mod dynamic_params {
	#[allow(unused_imports, reason = "the macro asks for it")]
	use super::*;

	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod fees {
		#[codec(index = 0)]
		pub static Fee: u128 = 0;
	}

	#[dynamic_pallet_params]
	#[codec(index = 1)]
	pub mod windows {
		#[codec(index = 0)]
		pub static Len: u32 = 20;
		#[codec(index = 1)]
		pub static Window: u32 = 5;
	}
}

use dynamic_params::{fees, windows};

parameter_types! {
	/// The windows in force.
	pub storage InForce: (u32, u32) = (20, 5);
	/// The window that was announced last.
	pub storage Announced: Option<u32> = None;
	/// Whether whoever has the windows takes none any more.
	pub static Stubborn: bool = false;
}

/// Somebody who may set the fee, and nothing else.
pub const TREASURER: u64 = 1;

pub(crate) fn fee(value: u128) -> RuntimeParameters {
	RuntimeParameters::Fees(fees::Parameters::Fee(fees::Fee, Some(value)))
}

pub(crate) fn len(value: u32) -> RuntimeParameters {
	RuntimeParameters::Windows(windows::Parameters::Len(windows::Len, Some(value)))
}

pub(crate) fn window(value: u32) -> RuntimeParameters {
	RuntimeParameters::Windows(windows::Parameters::Window(windows::Window, Some(value)))
}

/// What was voted: fee, length, window.
pub(crate) fn voted() -> (u128, u32, u32) {
	(
		fees::Fee::get(),
		windows::Len::get(),
		windows::Window::get(),
	)
}

/// What is in force: fee, length, window.
pub(crate) fn in_force() -> (u128, u32, u32) {
	let (len, window) = InForce::get();
	(crate::Params::<Test>::get(), len, window)
}

pub struct Table;

impl ParameterTable for Table {
	type Key = RuntimeParametersKey;
	type Value = RuntimeParametersValue;

	const GROUPS: GroupIndex = 2;

	fn group_of(key: &RuntimeParametersKey) -> GroupIndex {
		match key {
			RuntimeParametersKey::Fees(_) => 0,
			RuntimeParametersKey::Windows(_) => 1,
		}
	}

	fn check(value: &RuntimeParametersValue) -> Result<(), OutOfBounds> {
		let (value, least, most) = match value {
			RuntimeParametersValue::Fees(fees::ParametersValue::Fee(fee)) => (*fee, 0, 100),
			RuntimeParametersValue::Windows(windows::ParametersValue::Len(len)) => {
				((*len).into(), 10, 1_000)
			}
			RuntimeParametersValue::Windows(windows::ParametersValue::Window(window)) => {
				((*window).into(), 1, 500)
			}
		};
		match value {
			value if value < least => Err(OutOfBounds::Below),
			value if value > most => Err(OutOfBounds::Above),
			_ => Ok(()),
		}
	}

	fn is_sound(group: GroupIndex) -> bool {
		let (_, len, window) = voted();
		group == 0 || window < len
	}

	fn announce(group: GroupIndex) -> Result<(), Contradiction> {
		if group == 1 {
			let (_, _, window) = voted();
			Announced::set(&Some(window));
		}
		Ok(())
	}

	fn apply(group: GroupIndex) -> Result<(), Contradiction> {
		let (fee, len, window) = voted();
		if group == 0 {
			crate::Params::<Test>::put(fee);
			return Ok(());
		}
		InForce::set(&(len, window));
		match Stubborn::get() {
			// What was written is undone.
			true => Err(Contradiction),
			false => Ok(()),
		}
	}

	fn agrees(group: GroupIndex) -> bool {
		let (voted, forced) = (voted(), in_force());
		match group {
			0 => voted.0 == forced.0,
			_ => (voted.1, voted.2) == (forced.1, forced.2),
		}
	}

	fn in_force(group: GroupIndex) -> Vec<(RuntimeParametersKey, RuntimeParametersValue)> {
		use frame_support::traits::dynamic_params::AggregatedKeyValue;
		let (fee_now, len_now, window_now) = in_force();
		let all = match group {
			0 => vec![fee(fee_now)],
			_ => vec![len(len_now), window(window_now)],
		};
		all.into_iter()
			.map(|parameter| {
				let (key, value) = parameter.into_parts();
				(key, value.expect("each has one"))
			})
			.collect()
	}

	fn list() -> Vec<ParameterInfo> {
		vec![ParameterInfo {
			name: "fees.fee".into(),
			unit: "FLT".into(),
			kind: ParameterKind::Flt,
			key: vec![0, 0],
			value: voted().0.into(),
			in_force: in_force().0.into(),
			least: 1.into(),
			most: 100.into(),
			default: 0.into(),
			meaning: "What a transaction costs.".into(),
			track: "parameters".into(),
		}]
	}
}

/// Root may set anything, the treasurer the fee.
pub struct WhoSets;

impl EnsureOriginWithArg<RuntimeOrigin, RuntimeParametersKey> for WhoSets {
	type Success = ();

	fn try_origin(origin: RuntimeOrigin, key: &RuntimeParametersKey) -> Result<(), RuntimeOrigin> {
		let origin = match <EnsureRoot<u64> as EnsureOrigin<_>>::try_origin(origin) {
			Ok(()) => return Ok(()),
			Err(origin) => origin,
		};
		let is_treasurer = frame_system::ensure_signed(origin.clone()).ok() == Some(TREASURER);
		match key {
			RuntimeParametersKey::Fees(_) if is_treasurer => Ok(()),
			_ => Err(origin),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin(_: &RuntimeParametersKey) -> Result<RuntimeOrigin, ()> {
		Ok(RuntimeOrigin::root())
	}
}

#[cfg(feature = "runtime-benchmarks")]
pub struct Helper;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<RuntimeParameters> for Helper {
	fn parameter() -> RuntimeParameters {
		window(7)
	}
}

impl pallet_parameters::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type AdminOrigin = AsEnsureOriginWithArg<EnsureNever<u64>>;
	type WeightInfo = ();
}

impl pallet_governed::Config for Test {
	type SetOrigin = WhoSets;
	type Table = Table;
	type OwnParams = u128;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Helper;
}

pub(crate) fn build_with_fee(fee: u128) -> sp_io::TestExternalities {
	Stubborn::take();
	let mut storage = frame_system::GenesisConfig::<Test>::default()
		.build_storage()
		.unwrap();
	pallet_governed::GenesisConfig::<Test> { params: fee }
		.assimilate_storage(&mut storage)
		.unwrap();
	let mut ext: sp_io::TestExternalities = storage.into();
	// Block 0 has no events.
	ext.execute_with(|| System::set_block_number(1));
	ext
}

pub(crate) fn build() -> sp_io::TestExternalities {
	build_with_fee(10)
}

pub(crate) fn build_and_execute(test: impl FnOnce()) {
	build().execute_with(|| {
		test();
		Governed::do_try_state().unwrap();
	});
}

/// The next epoch starts.
pub(crate) fn next_epoch() -> frame_support::weights::Weight {
	use millrace_primitives::{
		epoch::{EpochInfo, EpochLengths},
		traits::OnEpoch,
	};
	let lengths = EpochLengths {
		len: 20,
		report_window: 6,
		fold_window: 2,
		answer_window: 8,
	};
	Governed::on_epoch_start(&EpochInfo {
		index: 1,
		start: 21,
		start_ms: 1,
		slot_ms: 1_000,
		lengths,
	})
}

pub(crate) fn events() -> Vec<pallet_governed::Event<Test>> {
	System::read_events_for_pallet::<pallet_governed::Event<Test>>()
}

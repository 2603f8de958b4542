//! Who sets parameters, and that nobody does it past their bounds.

use super::governance::origins::{EnsureCapacity, EnsureMarket, EnsureParameters};
use crate::{
	parameters::{
		groups::ChainParams, track_of, RuntimeParameters, RuntimeParametersKey, Table, Track,
	},
	weights, AccountId, Runtime, RuntimeEvent, RuntimeOrigin,
};
use frame_support::traits::{EnsureOrigin, EnsureOriginWithArg};
use frame_system::{EnsureNever, EnsureRoot};

impl pallet_parameters::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	// Whatever is set goes through `Governed.set`, which knows the bounds.
	type AdminOrigin = EnsureNever<()>;
	type WeightInfo = ();
}

/// Root, or a referendum of the parameter's own track.
#[derive(Debug)]
pub struct ByTrack;

impl EnsureOriginWithArg<RuntimeOrigin, RuntimeParametersKey> for ByTrack {
	type Success = ();

	fn try_origin(origin: RuntimeOrigin, key: &RuntimeParametersKey) -> Result<(), RuntimeOrigin> {
		// Both traits have a function of this name.
		let asked = |origin: RuntimeOrigin| match track_of(key) {
			Track::Parameters => <EnsureParameters as EnsureOrigin<_>>::try_origin(origin),
			Track::Capacity => <EnsureCapacity as EnsureOrigin<_>>::try_origin(origin),
			Track::Market => <EnsureMarket as EnsureOrigin<_>>::try_origin(origin),
		};
		<EnsureRoot<AccountId> as EnsureOrigin<_>>::try_origin(origin).or_else(asked)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin(_: &RuntimeParametersKey) -> Result<RuntimeOrigin, ()> {
		Ok(RuntimeOrigin::root())
	}
}

impl pallet_governed::Config for Runtime {
	type SetOrigin = ByTrack;
	type Table = Table;
	type OwnParams = ChainParams;
	type WeightInfo = weights::pallet_governed::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

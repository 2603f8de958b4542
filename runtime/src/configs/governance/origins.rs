//! Origins that only a referendum of their track gives.

pub use pallet::*;

#[frame_support::pallet]
#[allow(missing_docs, reason = "the macros generate undocumented items")]
pub mod pallet {
	use frame_support::{pallet_prelude::*, traits::OriginTrait};

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::origin]
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
	)]
	pub enum Origin {
		/// Spends from the treasury.
		Treasurer,
		/// Brings emergency measures: pauses, cancels.
		Emergency,
		/// Sets parameters that have no track of their own.
		Parameters,
		/// Sets the parameters of the capacity market.
		Capacity,
		/// Sets the parameters of deals.
		Market,
	}

	macro_rules! ensure_origin {
		($(#[$doc:meta])* $name:ident, $variant:ident) => {
			$(#[$doc])*
			#[derive(Debug)]
			pub struct $name;

			impl<O: OriginTrait + From<Origin>> EnsureOrigin<O> for $name
			where
				for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
			{
				type Success = ();

				fn try_origin(o: O) -> Result<(), O> {
					let given = matches!(o.caller().try_into(), Ok(Origin::$variant));
					given.then_some(()).ok_or(o)
				}

				#[cfg(feature = "runtime-benchmarks")]
				fn try_successful_origin() -> Result<O, ()> {
					Ok(O::from(Origin::$variant))
				}
			}
		};
	}

	ensure_origin!(
		/// The treasurer's track.
		EnsureTreasurer, Treasurer
	);
	ensure_origin!(
		/// The emergency track.
		EnsureEmergency, Emergency
	);
	ensure_origin!(
		/// The track of parameters.
		EnsureParameters, Parameters
	);
	ensure_origin!(
		/// The track of the capacity market.
		EnsureCapacity, Capacity
	);
	ensure_origin!(
		/// The track of deals.
		EnsureMarket, Market
	);
}

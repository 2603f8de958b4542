//! Slot time, session length and governance's hour: set once, in genesis, so that test chains can be
//! fast.
//!
//! They are storage values with the mainnet's as defaults; no call changes them.

#![warn(missing_docs, unreachable_pub)]

pub use pallet::*;

#[frame_support::pallet]
#[allow(
	missing_docs,
	missing_debug_implementations,
	reason = "of what the macros generate"
)]
pub mod pallet {
	use frame_support::pallet_prelude::*;
	use millrace_primitives::BlockNumber;

	/// Slot time of the mainnet in milliseconds.
	const SLOT_MS: u64 = 3_000;
	/// Slots of a session of the mainnet: one hour.
	const SESSION_SLOTS: u64 = 1_200;
	/// Blocks of governance's hour on the mainnet, where it is an hour.
	const GOVERNANCE_HOUR_BLOCKS: BlockNumber = 1_200;
	/// Most of them: so that a block number plus the longest lock, two thirds of a year of such hours, stays
	/// far from the last block number there can be.
	const MAX_GOVERNANCE_HOUR_BLOCKS: BlockNumber = 100_000;

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::type_value]
	pub fn DefaultSlotMs() -> u64 {
		SLOT_MS
	}

	#[pallet::type_value]
	pub fn DefaultSessionSlots() -> u64 {
		SESSION_SLOTS
	}

	#[pallet::type_value]
	pub fn DefaultGovernanceHourBlocks() -> BlockNumber {
		GOVERNANCE_HOUR_BLOCKS
	}

	/// Time between slots in milliseconds.
	#[pallet::storage]
	pub type SlotMs<T> = StorageValue<_, u64, ValueQuery, DefaultSlotMs>;

	/// Slots of a BABE epoch, which is a session.
	#[pallet::storage]
	pub type SessionSlots<T> = StorageValue<_, u64, ValueQuery, DefaultSessionSlots>;

	/// Blocks that governance counts as an hour: its periods are told in hours and days.
	#[pallet::storage]
	pub type GovernanceHourBlocks<T> =
		StorageValue<_, BlockNumber, ValueQuery, DefaultGovernanceHourBlocks>;

	#[pallet::genesis_config]
	#[derive(frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Time between slots in milliseconds; even and not zero.
		pub slot_ms: u64,
		/// Slots of a session; not zero.
		pub session_slots: u64,
		/// Blocks that governance counts as an hour; not zero, at most 100,000.
		pub governance_hour_blocks: BlockNumber,
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self {
				slot_ms: SLOT_MS,
				session_slots: SESSION_SLOTS,
				governance_hour_blocks: GOVERNANCE_HOUR_BLOCKS,
				_config: Default::default(),
			}
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.slot_ms >= 2 && self.slot_ms % 2 == 0 && self.session_slots > 0,
				"slot_ms must be even and not zero, session_slots not zero"
			);
			assert!(
				(1..=MAX_GOVERNANCE_HOUR_BLOCKS).contains(&self.governance_hour_blocks),
				"governance_hour_blocks must be between 1 and 100,000"
			);
			SlotMs::<T>::put(self.slot_ms);
			SessionSlots::<T>::put(self.session_slots);
			GovernanceHourBlocks::<T>::put(self.governance_hour_blocks);
		}
	}

	/// Slot time as a `Get`.
	#[derive(Debug)]
	pub struct SlotDuration<T>(core::marker::PhantomData<T>);
	impl<T: Config> Get<u64> for SlotDuration<T> {
		fn get() -> u64 {
			SlotMs::<T>::get()
		}
	}

	/// Least time between blocks: half a slot, as pallet-babe expects.
	#[derive(Debug)]
	pub struct MinimumPeriod<T>(core::marker::PhantomData<T>);
	impl<T: Config> Get<u64> for MinimumPeriod<T> {
		fn get() -> u64 {
			SlotMs::<T>::get() / 2
		}
	}

	/// Session length as a `Get`.
	#[derive(Debug)]
	pub struct SessionLength<T>(core::marker::PhantomData<T>);
	impl<T: Config> Get<u64> for SessionLength<T> {
		fn get() -> u64 {
			SessionSlots::<T>::get()
		}
	}
}

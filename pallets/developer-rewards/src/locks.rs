//! Locks of claimed rewards: schedules of pallet-vesting that unlock everything at once.

use core::marker::PhantomData;
use frame_support::{
	dispatch::DispatchResult,
	traits::{Currency, VestingSchedule},
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use millrace_primitives::{Balance, BlockNumber};
use sp_runtime::traits::{BlockNumberProvider, Zero};

/// What the pallet asks of locks.
pub trait Locks<AccountId> {
	/// Most locks that an account can have.
	const MOST: u32;

	/// Whether an account has room for one more lock.
	fn has_room(who: &AccountId) -> bool;
	/// Locks so much of an account's balance up to and with a block.
	fn lock(who: &AccountId, amount: Balance, until: BlockNumber) -> DispatchResult;
	/// Whether a lock of an account is over and not taken away yet.
	fn is_over(who: &AccountId) -> bool;
	/// Takes away what is over.
	fn release(who: &AccountId) -> DispatchResult;
}

type AccountIdOf<V> = <V as frame_system::Config>::AccountId;

/// Locks that are schedules of pallet-vesting, beside all others that an account has there.
#[derive(Debug)]
pub struct VestingLocks<V>(PhantomData<V>);

impl<V> VestingLocks<V>
where
	V: pallet_vesting::Config,
	<V as pallet_vesting::Config>::Currency: Currency<AccountIdOf<V>, Balance = Balance>,
{
	/// Schedules of an account: those that still lock something, and those that are over.
	fn count(who: &AccountIdOf<V>) -> (u32, u32) {
		let now = <V as pallet_vesting::Config>::BlockNumberProvider::current_block_number();
		let mut counts = (0u32, 0u32);
		for schedule in pallet_vesting::Vesting::<V>::get(who).unwrap_or_default() {
			let locked = schedule.locked_at::<V::BlockNumberToBalance>(now);
			if locked.is_zero() {
				counts.1 = counts.1.saturating_add(1);
			} else {
				counts.0 = counts.0.saturating_add(1);
			}
		}
		counts
	}
}

impl<V> Locks<AccountIdOf<V>> for VestingLocks<V>
where
	V: pallet_vesting::Config,
	<V as pallet_vesting::Config>::Currency: Currency<AccountIdOf<V>, Balance = Balance>,
{
	const MOST: u32 = V::MAX_VESTING_SCHEDULES;

	fn has_room(who: &AccountIdOf<V>) -> bool {
		Self::count(who).0 < Self::MOST
	}

	fn lock(who: &AccountIdOf<V>, amount: Balance, until: BlockNumber) -> DispatchResult {
		// Schedules that are over take places until somebody takes them away.
		if Self::is_over(who) {
			Self::release(who)?;
		}
		let start = BlockNumberFor::<V>::from(until);
		<pallet_vesting::Pallet<V> as VestingSchedule<_>>::add_vesting_schedule(
			who, amount, amount, start,
		)
	}

	fn is_over(who: &AccountIdOf<V>) -> bool {
		Self::count(who).1 > 0
	}

	fn release(who: &AccountIdOf<V>) -> DispatchResult {
		pallet_vesting::Pallet::<V>::vest(RawOrigin::Signed(who.clone()).into())
	}
}

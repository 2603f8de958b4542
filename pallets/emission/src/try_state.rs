//! What must hold after every block.

use crate::{Config, Paid, Pallet, Pools, Reserve, Supply};
use frame_support::{ensure, traits::fungible::Inspect};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. No more was promised than the reserve can pay without its account's end.
	/// 2. No more was paid than was promised.
	/// 3. What was paid and what the account has are the reserve of genesis together, but for what
	///    others have sent there.
	/// 4. There is no more FLT than at genesis.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let (reserve, pools) = (Reserve::<T>::get(), Pools::<T>::get());
		let payable = reserve.saturating_sub(T::Currency::minimum_balance());
		ensure!(pools <= payable, "more was promised than there is");
		ensure!(Paid::<T>::get() <= pools, "more was paid than was promised");
		ensure!(
			T::Currency::balance(&Self::pot()) >= Self::left(),
			"the account of the reserve has less than what is left"
		);
		ensure!(
			T::Currency::total_issuance() <= Supply::<T>::get(),
			"there is more FLT than at genesis"
		);
		Ok(())
	}
}

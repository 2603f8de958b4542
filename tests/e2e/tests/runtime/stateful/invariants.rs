//! What must hold after every block: what each pallet says of itself, and that all FLT is somebody's.

use millrace_primitives::Balance;
use millrace_runtime::{
	Anchor, Balances, Capacity, DeveloperRewards, Emission, Epochs, Governed, Market, Providers,
	Receipts, Runtime, System, Validators,
};
use sp_runtime::DispatchError;

/// Panics where something is wrong.
pub(super) fn check() {
	let found: [(&str, Result<(), DispatchError>); 10] = [
		("Epochs", Epochs::do_try_state()),
		("Providers", Providers::do_try_state()),
		("Capacity", Capacity::do_try_state()),
		("Market", Market::do_try_state()),
		("Receipts", Receipts::do_try_state()),
		("Validators", Validators::do_try_state()),
		("Anchor", Anchor::do_try_state()),
		("Emission", Emission::do_try_state()),
		("DeveloperRewards", DeveloperRewards::do_try_state()),
		("Governed", Governed::do_try_state()),
	];
	for (pallet, outcome) in found {
		let block = System::block_number();
		assert_eq!(outcome, Ok(()), "{pallet}, after block {block}");
	}
	let owned: Balance = frame_system::Account::<Runtime>::iter_values()
		.map(|account| account.data.free + account.data.reserved)
		.sum();
	assert_eq!(
		owned,
		Balances::total_issuance(),
		"all FLT is in some account"
	);
}

//! Calls of the Balances pallet.

use super::Call;
use crate::AccountId;
use codec::Compact;
use millrace_primitives::Balance;

/// Index of `MultiAddress::Id`: an address that is an account.
const ADDRESS_ID: u8 = 0;

/// Pays another account, and leaves the signer at least the existential deposit.
pub fn transfer(to: &AccountId, amount: Balance) -> Call {
	Call::new(
		"Balances",
		"transfer_keep_alive",
		(ADDRESS_ID, to, Compact(amount)),
	)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::Args;

	#[test]
	fn an_account_is_addressed_by_its_id() {
		let call = transfer(&AccountId::from([7; 32]), 1);
		let mut expected = vec![0];
		expected.extend([7; 32]);
		expected.push(4);
		assert_eq!(call.args, Args::Encoded(expected));
	}
}

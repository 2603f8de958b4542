//! What clients and nodes ask the runtime.

use codec::Codec;
use millrace_primitives::validators::{ValidatorView, ValidatorsView};

sp_api::decl_runtime_apis! {
	/// Seats, and those who want one.
	pub trait ValidatorsApi<AccountId>
	where
		AccountId: Codec,
	{
		/// Who validates, and what a seat takes.
		fn validators() -> ValidatorsView<AccountId>;
		/// Where one account stands.
		fn validator(account: AccountId) -> ValidatorView;
	}
}

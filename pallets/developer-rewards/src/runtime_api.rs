//! What clients ask the runtime.

use codec::Codec;
use millrace_primitives::rewards::RewardsView;

sp_api::decl_runtime_apis! {
	/// Developer rewards.
	pub trait DeveloperRewardsApi<AccountId>
	where
		AccountId: Codec,
	{
		/// How the programme stands.
		fn rewards() -> RewardsView;
		/// Whether a reward of the programme that stands was claimed.
		fn is_claimed(index: u32) -> bool;
		/// Whether a lock of an account is over, so that a free transaction takes it away.
		fn is_releasable(account: AccountId) -> bool;
	}
}

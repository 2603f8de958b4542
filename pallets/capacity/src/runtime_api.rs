//! What clients and daemons ask the runtime.

use codec::Codec;
use millrace_primitives::{peer::PeerId, views::CommitmentView, Balance};

sp_api::decl_runtime_apis! {
	/// Commitments and what they earned.
	pub trait CapacityApi<AccountId>
	where
		AccountId: Codec,
	{
		/// The commitment of a peer.
		fn commitment(peer: PeerId) -> Option<CommitmentView<AccountId>>;
		/// Reward that an account was credited with.
		fn credited(account: AccountId) -> Balance;
	}
}

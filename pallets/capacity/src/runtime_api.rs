//! What clients and daemons ask the runtime.

use alloc::vec::Vec;
use codec::Codec;
use millrace_primitives::{
	commitment::{EarningsView, RoundView, SlashView, StakerTerms},
	peer::PeerId,
	views::CommitmentView,
	Balance,
};
use sp_runtime::Perbill;

sp_api::decl_runtime_apis! {
	/// Commitments, the stake behind them and what they earned.
	pub trait CapacityApi<AccountId>
	where
		AccountId: Codec,
	{
		/// The commitment of a peer.
		fn commitment(peer: PeerId) -> Option<CommitmentView<AccountId>>;
		/// The round of a peer that waits for stake, or for its epoch.
		fn round(peer: PeerId) -> Option<RoundView<AccountId>>;
		/// What stakers would sign if a commitment was created now.
		fn start_terms(
			units: u32,
			duration_epochs: u32,
			own_part: Perbill,
			commission: Perbill,
		) -> StakerTerms;
		/// What stakers would sign if a peer's commitment was grown now; `None` unless it binds.
		fn growth_terms(peer: PeerId, more_units: u32) -> Option<StakerTerms>;
		/// What stakers would sign if a peer's commitment was extended now; `None` unless it binds.
		fn renewal_terms(
			peer: PeerId,
			duration_epochs: u32,
			own_part: Perbill,
			commission: Perbill,
		) -> Option<StakerTerms>;
		/// Slashes of a peer's commitment that wait, oldest first.
		fn slashes(peer: PeerId) -> Vec<SlashView>;
		/// What an account earned.
		fn earnings(account: AccountId) -> EarningsView;
		/// Stake behind the active commitments of a provider.
		fn active_stake(account: AccountId) -> Balance;
	}
}

//! The validator set, and the BEEFY key that each validator holds for later.

#![warn(missing_docs, unreachable_pub)]

use crate::{AccountId, Runtime};
use alloc::vec::Vec;
use frame_support::traits::OneSessionHandler;
use sp_runtime::BoundToRuntimeAppPublic;
use sp_staking::SessionIndex;

/// Keeps the genesis validators, session after session.
///
/// Returning the set each time, rather than nothing, lets `historical` commit to it, so that
/// equivocation can be proven.
#[derive(Debug)]
pub struct GenesisValidators;

impl pallet_session::SessionManager<AccountId> for GenesisValidators {
	fn new_session(_: SessionIndex) -> Option<Vec<AccountId>> {
		let validators = pallet_session::Validators::<Runtime>::get();
		(!validators.is_empty()).then_some(validators)
	}
	fn start_session(_: SessionIndex) {}
	fn end_session(_: SessionIndex) {}
}

impl pallet_session::historical::SessionManager<AccountId, ()> for GenesisValidators {
	fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		let validators = <Self as pallet_session::SessionManager<_>>::new_session(index)?;
		Some(
			validators
				.into_iter()
				.map(|validator| (validator, ()))
				.collect(),
		)
	}
	fn start_session(_: SessionIndex) {}
	fn end_session(ended: SessionIndex) {
		// Equivocation can be reported for 24 sessions; older roots are of no use.
		crate::Historical::prune_up_to(ended.saturating_sub(25));
	}
}

/// Every validator is identified by its account alone.
#[derive(Debug)]
pub struct NoIdentification;

impl sp_runtime::traits::Convert<AccountId, Option<()>> for NoIdentification {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

/// Holds a place for BEEFY's key among the session keys.
#[derive(Debug)]
pub struct BeefyKeys;

impl BoundToRuntimeAppPublic for BeefyKeys {
	type Public = sp_consensus_beefy::ecdsa_crypto::AuthorityId;
}

impl OneSessionHandler<AccountId> for BeefyKeys {
	type Key = sp_consensus_beefy::ecdsa_crypto::AuthorityId;

	fn on_genesis_session<'a, I: 'a>(_: I)
	where
		I: Iterator<Item = (&'a AccountId, Self::Key)>,
		AccountId: 'a,
	{
	}
	fn on_new_session<'a, I: 'a>(_: bool, _: I, _: I)
	where
		I: Iterator<Item = (&'a AccountId, Self::Key)>,
		AccountId: 'a,
	{
	}
	fn on_disabled(_: u32) {}
}

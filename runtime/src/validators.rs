//! Sessions and the validator set: how the SDK's pallets and `pallet-validators` know each other.

#![warn(missing_docs, unreachable_pub)]

use crate::{
	seated_keys, timing::SessionSlots, AccountId, Babe, Balance, BlockNumber, Historical, Runtime,
	RuntimeOrigin, Session, System, Validators,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	dispatch::DispatchClass, pallet_prelude::DispatchResult, storage::with_transaction,
	traits::KeyOwnerProofSystem, weights::Weight,
};
use pallet_capacity::{ActiveStakes, TotalActiveStake};
use pallet_session::{NextKeys, QueuedKeys};
use sp_consensus_babe::Slot;
use sp_core::crypto::KeyTypeId;
use sp_runtime::{DispatchError, Perbill, TransactionOutcome};
use sp_session::MembershipProof;
use sp_staking::{
	offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
	SessionIndex,
};

/// Sessions for which it can be proven who voted on checkpoints, and for which roots of validators' keys
/// are kept: nineteen days of the mainnet. An anchor believes a set for fourteen days after it took
/// over, so that what the set signs as late as that must be provable for some days more.
pub const CHECKPOINTS_PROVABLE: SessionIndex = 456;

/// Sessions for which it can be proven who signed blocks and votes on finality. Old ones harm nobody who
/// has seen a later block.
pub const FINALITY_PROVABLE: SessionIndex = 25;

/// Least part of the stake that an equivocation costs. BABE and GRANDPA ask for (3k/n)² of k
/// offenders out of n: for one of a hundred that is less than a day of misses.
pub const LEAST_FRACTION: Perbill = Perbill::from_percent(1);

/// Gives seats by stake, hears who authors, and hears who equivocates.
#[derive(Debug)]
pub struct StakedValidators;

impl pallet_session::SessionManager<AccountId> for StakedValidators {
	fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
		Validators::plan(index)
	}
	fn start_session(index: SessionIndex) {
		Validators::open_session(index);
	}
	fn end_session(ended: SessionIndex) {
		Validators::close_session(ended);
	}
}

// Returning the set each time, rather than nothing where it stays, lets `historical` commit to it, so
// that equivocation can be proven.
impl pallet_session::historical::SessionManager<AccountId, ()> for StakedValidators {
	fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		let seats = Validators::plan(index)?;
		Some(seats.into_iter().map(|who| (who, ())).collect())
	}
	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(index);
		// Until the next session is planned, the queued keys are those of the one that begins.
		seated_keys::put(index, QueuedKeys::<Runtime>::get());
	}
	fn end_session(ended: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(ended);
		Historical::prune_up_to(ended.saturating_sub(CHECKPOINTS_PROVABLE));
	}
}

/// Proves whose session key it is that equivocated.
///
/// `historical` proves of the present session by the keys that its seats have set for later. An
/// authority signs with those that it had when the session was planned: if it set others first and
/// then equivocated, `historical` alone could not say who it was.
#[derive(Debug)]
pub struct KeyOwners;

impl<D: AsRef<[u8]>> KeyOwnerProofSystem<(KeyTypeId, D)> for KeyOwners {
	type Proof = MembershipProof;
	type IdentificationTuple = (AccountId, ());

	fn prove(key: (KeyTypeId, D)) -> Option<Self::Proof> {
		with_seated_keys(|| Historical::prove(key))
	}
	fn check_proof(key: (KeyTypeId, D), proof: Self::Proof) -> Option<Self::IdentificationTuple> {
		let provable = if key.0 == sp_consensus_beefy::KEY_TYPE {
			CHECKPOINTS_PROVABLE
		} else {
			FINALITY_PROVABLE
		};
		if Session::current_index() > proof.session.saturating_add(provable) {
			return None;
		}
		with_seated_keys(|| Historical::check_proof(key, proof))
	}
}

/// Whether a slot lies in the session that goes on.
pub fn is_of_this_session(slot: Slot) -> bool {
	let start = Babe::current_epoch_start();
	let slots = SessionSlots::<Runtime>::get();
	(*slot)
		.checked_sub(*start)
		.is_some_and(|since| since < slots)
}

/// Lets `historical` see the keys with which the present session's seats sign, and undoes that.
fn with_seated_keys<R>(read: impl FnOnce() -> Option<R>) -> Option<R> {
	with_transaction(|| {
		for (who, keys) in seated_keys::get() {
			NextKeys::<Runtime>::insert(who, keys);
		}
		TransactionOutcome::Rollback(Ok::<_, DispatchError>(read()))
	})
	.ok()
	.flatten()
}

impl pallet_authorship::EventHandler<AccountId, BlockNumber> for StakedValidators {
	fn note_author(author: AccountId) {
		Validators::note_author(author);
	}
}

impl OnOffenceHandler<AccountId, (AccountId, ()), Weight> for StakedValidators {
	/// The offences pallet names all offenders of a slot or round again with each new one, at the
	/// fraction that has risen by it.
	fn on_offence(
		offenders: &[OffenceDetails<AccountId, (AccountId, ())>],
		fractions: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		let mut weight = Weight::zero();
		for (offence, fraction) in offenders.iter().zip(fractions) {
			let (who, ()) = &offence.offender;
			let fraction = (*fraction).max(LEAST_FRACTION);
			weight.saturating_accrue(Validators::on_equivocation(who, fraction, session));
		}
		// The offences pallet drops what it is told here.
		System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
		weight
	}
}

/// Sessions and their keys, as `pallet-validators` asks for them.
#[derive(Debug)]
pub struct RuntimeSessions;

impl pallet_validators::Sessions<AccountId> for RuntimeSessions {
	fn current() -> SessionIndex {
		Session::current_index()
	}
	fn seated() -> Vec<AccountId> {
		Session::validators()
	}
	fn queued() -> Vec<AccountId> {
		Session::queued_keys()
			.into_iter()
			.map(|(who, _)| who)
			.collect()
	}
	fn keys(who: &AccountId) -> Option<Vec<u8>> {
		NextKeys::<Runtime>::get(who).map(|keys| keys.encode())
	}
	fn has_keys(who: &AccountId) -> bool {
		NextKeys::<Runtime>::contains_key(who)
	}
	fn purge_keys(who: &AccountId) -> DispatchResult {
		// Straight to the pallet, past `KeysStay`: `pallet-validators` has looked whether it may be.
		Session::purge_keys(RuntimeOrigin::signed(who.clone()))
	}
	fn disable(who: &AccountId, severity: Perbill) {
		Session::report_offence(who.clone(), OffenceSeverity(severity));
	}
	fn is_disabled(who: &AccountId) -> bool {
		Session::validator_id_to_index(who)
			.is_some_and(|index| Session::disabled_validators().contains(&index))
	}
	fn on_genesis() {
		// When the session pallet planned these, nobody knew the set, so that no root was kept.
		type Manager = <Runtime as pallet_session::Config>::SessionManager;
		for session in [0, 1] {
			<Manager as pallet_session::SessionManager<_>>::new_session(session);
		}
	}
}

/// Stake behind active commitments, as `pallet-validators` asks for it.
#[derive(Debug)]
pub struct RuntimeStakes;

impl pallet_validators::Stakes<AccountId> for RuntimeStakes {
	fn active(provider: &AccountId) -> Balance {
		ActiveStakes::<Runtime>::get(provider)
	}
	fn total() -> Balance {
		TotalActiveStake::<Runtime>::get()
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

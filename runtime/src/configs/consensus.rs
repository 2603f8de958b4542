//! Block production, finality, sessions and offences.

use crate::{
	timing,
	validators::{self, KeyOwners},
	weights, AccountId, Babe, Balance, Balances, Epochs, Offences, Runtime, RuntimeEvent, Session,
	SessionKeys,
};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU64},
};
use sp_consensus_babe::AuthorityId as BabeId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

/// `MaxValidators` of the protocol: most seats that governance can ask for.
pub type MaxValidators = ConstU32<{ pallet_validators::MAX_VALIDATORS }>;

/// Sessions for which equivocation can be reported.
const REPORT_SESSIONS: u32 = 24;

const _: () = assert!(
	validators::FINALITY_PROVABLE > REPORT_SESSIONS,
	"whatever can be reported must be proven by its session's root"
);
const _: () = assert!(
	validators::CHECKPOINTS_PROVABLE > validators::FINALITY_PROVABLE,
	"roots must be there for whatever can be proven"
);
const _: () = assert!(
	pallet_validators::SESSION_RING > validators::CHECKPOINTS_PROVABLE + 2,
	"whatever can be proven must find its session, also while the next two are planned"
);

parameter_types! {
	/// How long equivocation can be reported: as long as 24 sessions.
	pub ReportLongevity: u64 =
		timing::SessionSlots::<Runtime>::get().saturating_mul(REPORT_SESSIONS.into());
	/// Held for a validator's session keys.
	pub const SessionKeyDeposit: Balance = super::money::deposit(1, 97);
}

impl timing::Config for Runtime {}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Babe;
	type MinimumPeriod = timing::MinimumPeriod<Runtime>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_babe::Config for Runtime {
	type EpochDuration = timing::SessionLength<Runtime>;
	type ExpectedBlockTime = timing::SlotDuration<Runtime>;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type WeightInfo = ();
	type MaxAuthorities = MaxValidators;
	type MaxNominators = ConstU32<0>;
	type KeyOwnerProof =
		<KeyOwners as frame_support::traits::KeyOwnerProofSystem<(KeyTypeId, BabeId)>>::Proof;
	type EquivocationReportSystem =
		pallet_babe::EquivocationReportSystem<Self, Offences, KeyOwners, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxValidators;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<48>;
	type KeyOwnerProof =
		<KeyOwners as frame_support::traits::KeyOwnerProofSystem<(KeyTypeId, GrandpaId)>>::Proof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, KeyOwners, ReportLongevity>;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type EventHandler = validators::StakedValidators;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager =
		pallet_session::historical::NoteHistoricalRoot<Self, validators::StakedValidators>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = pallet_session::disabling::UpToLimitDisablingStrategy;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = SessionKeyDeposit;
}

impl pallet_session::historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = validators::NoIdentification;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
	type OnOffenceHandler = validators::StakedValidators;
}

impl pallet_validators::Config for Runtime {
	type Sessions = validators::RuntimeSessions;
	type Stakes = validators::RuntimeStakes;
	type Clock = Epochs;
	type WeightInfo = weights::pallet_validators::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{Historical, System, Validators};
	use frame_support::traits::Contains;
	use pallet_authorship::EventHandler;
	use pallet_session::SessionManager;
	use pallet_validators::Sessions;
	use sp_runtime::Perbill;
	use sp_staking::offence::{OffenceDetails, OnOffenceHandler};
	use validators::{RuntimeSessions, StakedValidators, LEAST_FRACTION};

	/// Blocks of the mainnet's sessions, if every slot has one.
	fn session_blocks() -> u64 {
		sp_io::TestExternalities::default().execute_with(timing::SessionSlots::<Runtime>::get)
	}

	fn account(byte: u8) -> AccountId {
		AccountId::new([byte; 32])
	}

	fn keys(byte: u8) -> SessionKeys {
		let bytes = [byte; 32 + 32 + 33];
		codec::Decode::decode(&mut &bytes[..]).expect("any bytes are keys")
	}

	/// Seats accounts in the present session, with keys.
	fn seat(who: &[AccountId]) {
		for (byte, who) in (1..).zip(who) {
			pallet_session::NextKeys::<Runtime>::insert(who, keys(byte));
		}
		pallet_session::Validators::<Runtime>::put(who.to_vec());
	}

	/// The offences pallet reports these accounts for a session.
	fn offend(who: &[AccountId], fraction: Perbill, session: u32) {
		let offenders: Vec<_> = who
			.iter()
			.map(|who| OffenceDetails {
				offender: (who.clone(), ()),
				reporters: Vec::new(),
			})
			.collect();
		let fractions = vec![fraction; who.len()];
		StakedValidators::on_offence(&offenders, &fractions, session);
	}

	#[test]
	fn stake_outlives_every_report_of_equivocation() {
		let capacity = pallet_capacity::CapacityParams::default();
		let epoch = u64::from(pallet_epochs::DEFAULT_LENGTHS.len);
		let unbonding = u64::from(capacity.unbonding_epochs) * epoch;
		let delay = u64::from(capacity.slash_delay_epochs) * epoch;
		let provable = u64::from(validators::CHECKPOINTS_PROVABLE) * session_blocks();
		assert!(unbonding > provable + delay);
		// A commitment remembers one change. A later one comes no sooner than this many epochs after
		// it, and by then whatever was done to blocks and finality before has been reported.
		let remembered = u64::from(capacity.challenge_epochs + 3) * epoch;
		let provable = u64::from(validators::FINALITY_PROVABLE) * session_blocks();
		assert!(remembered > provable);
	}

	#[test]
	fn a_fraction_is_at_least_a_hundredth_and_a_session_counts_once() {
		sp_io::TestExternalities::default().execute_with(|| {
			System::set_block_number(1);
			let seats = [1, 2, 3, 4].map(account);
			seat(&seats);
			offend(&seats[..1], Perbill::from_parts(900_000), 0);
			let first = Validators::validator(&seats[0]);
			assert_eq!(first.equivocations.len(), 1);
			assert_eq!(first.equivocations[0].part, LEAST_FRACTION);
			assert!(first.disabled && first.banned_until.is_some());
			assert!(!Validators::validator(&seats[1]).disabled);

			// The second offender raises the fraction of both.
			offend(&seats[..2], Perbill::from_percent(40), 0);
			offend(&seats[..1], Perbill::from_percent(40), 0);
			assert_eq!(Validators::validator(&seats[0]).equivocations.len(), 2);
			let second = Validators::validator(&seats[1]).equivocations;
			assert_eq!(second.len(), 1);
			assert_eq!(second[0].part, Perbill::from_percent(40));
			// One of four is all that may be disabled.
			assert_eq!(Session::disabled_validators(), [0]);
		});
	}

	#[test]
	fn blocks_are_counted_for_their_authors_until_the_session_ends() {
		sp_io::TestExternalities::default().execute_with(|| {
			let seats = [1, 2].map(account);
			seat(&seats);
			for _ in 0..3 {
				StakedValidators::note_author(seats[1].clone());
			}
			assert_eq!(Validators::validator(&seats[1]).authored, 3);
			assert_eq!(Validators::validators().expected, 1);
			<StakedValidators as SessionManager<_>>::end_session(0);
			assert_eq!(Validators::validator(&seats[1]).authored, 0);
		});
	}

	#[test]
	fn a_session_remembers_the_epoch_that_it_began_in() {
		sp_io::TestExternalities::default().execute_with(|| {
			System::set_block_number(1);
			let who = account(1);
			seat(core::slice::from_ref(&who));
			pallet_epochs::Current::<Runtime>::mutate(|epoch| epoch.index = 5);
			<StakedValidators as SessionManager<_>>::start_session(7);
			pallet_epochs::Current::<Runtime>::mutate(|epoch| epoch.index = 6);
			offend(core::slice::from_ref(&who), Perbill::one(), 7);
			assert_eq!(Validators::validator(&who).equivocations[0].epoch, 5);
		});
	}

	#[test]
	fn new_session_keys_do_not_hide_who_signed_with_the_old_ones() {
		use frame_support::traits::KeyOwnerProofSystem;
		use pallet_validators::{Genesis, Seats};
		type Manager = <Runtime as pallet_session::Config>::SessionManager;
		type NextKeys = pallet_session::NextKeys<Runtime>;
		sp_io::TestExternalities::default().execute_with(|| {
			let seats = [1, 2, 3].map(account);
			seat(&seats);
			Genesis::<Runtime>::put(Seats::<AccountId>::truncate_from(seats.to_vec()));
			assert_eq!(
				<Manager as SessionManager<_>>::new_session(0),
				Some(seats.to_vec())
			);
			let queued: Vec<_> = seats.iter().cloned().zip((1..).map(keys)).collect();
			pallet_session::QueuedKeys::<Runtime>::put(queued);
			<Manager as SessionManager<_>>::start_session(0);

			// The session goes on under the keys that it was planned with.
			NextKeys::insert(&seats[0], keys(9));
			let key = || (sp_consensus_babe::KEY_TYPE, keys(1).babe);
			let owner = Some((seats[0].clone(), ()));
			let proof = KeyOwners::prove(key()).expect("the key has a seat");
			assert_eq!(KeyOwners::check_proof(key(), proof.clone()), owner);
			NextKeys::insert(&seats[1], keys(8));
			assert_eq!(KeyOwners::check_proof(key(), proof.clone()), owner);
			assert_eq!(NextKeys::get(&seats[0]), Some(keys(9)), "only looked at");
			let alone =
				Historical::prove(key()).and_then(|proof| Historical::check_proof(key(), proof));
			assert_eq!(alone, None);
			// A key that counts later has no seat yet.
			let later = || (sp_consensus_babe::KEY_TYPE, keys(9).babe);
			let proof_of_later = KeyOwners::prove(later());
			let owner_of_later = proof_of_later.and_then(|it| KeyOwners::check_proof(later(), it));
			assert_eq!(owner_of_later, None);

			// Once the session is over, its root says the same.
			pallet_session::CurrentIndex::<Runtime>::put(1);
			assert_eq!(KeyOwners::check_proof(key(), proof), owner);
		});
	}

	#[test]
	fn who_voted_on_a_checkpoint_is_known_for_longer_than_who_made_a_block() {
		use frame_support::traits::KeyOwnerProofSystem;
		use pallet_validators::{Genesis, Seats};
		use validators::{CHECKPOINTS_PROVABLE, FINALITY_PROVABLE};
		type Manager = <Runtime as pallet_session::Config>::SessionManager;
		sp_io::TestExternalities::default().execute_with(|| {
			let seats = [1, 2, 3].map(account);
			seat(&seats);
			Genesis::<Runtime>::put(Seats::<AccountId>::truncate_from(seats.to_vec()));
			<Manager as SessionManager<_>>::new_session(0);
			let block = || (sp_consensus_babe::KEY_TYPE, keys(2).babe);
			let checkpoint = || (sp_consensus_beefy::KEY_TYPE, keys(2).beefy);
			let of_block = KeyOwners::prove(block()).expect("the key has a seat");
			let of_checkpoint = KeyOwners::prove(checkpoint()).expect("the key has a seat");
			let owners = |session: u32| {
				pallet_session::CurrentIndex::<Runtime>::put(session);
				[
					KeyOwners::check_proof(block(), of_block.clone()),
					KeyOwners::check_proof(checkpoint(), of_checkpoint.clone()),
				]
			};
			let owner = Some((seats[1].clone(), ()));
			assert_eq!(owners(1), [owner.clone(), owner.clone()]);
			assert_eq!(owners(FINALITY_PROVABLE), [owner.clone(), owner.clone()]);
			assert_eq!(owners(FINALITY_PROVABLE + 1), [None, owner.clone()]);
			assert_eq!(owners(CHECKPOINTS_PROVABLE), [None, owner]);
			assert_eq!(owners(CHECKPOINTS_PROVABLE + 1), [None, None]);
		});
	}

	#[test]
	fn a_slot_is_proven_in_its_own_session_alone() {
		sp_io::TestExternalities::default().execute_with(|| {
			pallet_babe::GenesisSlot::<Runtime>::put(sp_consensus_babe::Slot::from(100));
			pallet_babe::EpochIndex::<Runtime>::put(2);
			let length = timing::SessionSlots::<Runtime>::get();
			let start = 100 + 2 * length;
			let slots = [start - 1, start, start + length - 1, start + length];
			let proven = slots.map(|slot| validators::is_of_this_session(slot.into()));
			assert_eq!(proven, [false, true, true, false]);
		});
	}

	#[test]
	fn keys_are_purged_past_the_filter_that_closes_the_session_pallets_call() {
		sp_io::TestExternalities::default().execute_with(|| {
			let who = account(1);
			seat(core::slice::from_ref(&who));
			let _ = System::inc_providers(&who);
			assert!(System::inc_consumers(&who).is_ok());
			let call = crate::RuntimeCall::Session(pallet_session::Call::purge_keys {});
			assert!(!crate::configs::system::KeysStay::contains(&call));
			assert!(RuntimeSessions::has_keys(&who));
			assert_eq!(RuntimeSessions::purge_keys(&who), Ok(()));
			assert_eq!(RuntimeSessions::keys(&who), None);
			assert_eq!(System::consumers(&who), 0);
			assert!(RuntimeSessions::purge_keys(&who).is_err());
		});
	}

	#[test]
	fn roots_are_kept_for_as_long_as_they_can_be_asked_for() {
		use pallet_session::historical::{HistoricalSessions, StoredRange};
		sp_io::TestExternalities::default().execute_with(|| {
			type Root = (sp_core::H256, u32);
			let end = validators::CHECKPOINTS_PROVABLE + 15;
			for session in 0..end {
				HistoricalSessions::<Runtime>::insert(session, Root::default());
			}
			StoredRange::<Runtime>::put((0, end));
			type Manager = StakedValidators;
			let ended = validators::CHECKPOINTS_PROVABLE + 5;
			<Manager as pallet_session::historical::SessionManager<_, ()>>::end_session(ended);
			assert_eq!(StoredRange::<Runtime>::get(), Some((5, end)));
			assert_eq!(Historical::historical_root(4u32), None);
			assert!(Historical::historical_root(5u32).is_some());
		});
	}
}

//! Messages to the anchor and from it: who votes on them, and what a false vote costs.

use super::{governance::RootOrEmergency, millrace::LastTimestamp};
use crate::{
	seated_keys, validators::KeyOwners, weights, AccountId, Balances, Epochs, Offences, Runtime,
	RuntimeHoldReason, Session,
};
use alloc::{vec, vec::Vec};
use frame_support::{parameter_types, traits::KeyOwnerProofSystem, weights::Weight, PalletId};
use millrace_primitives::anchor::VoterKey;
use pallet_anchor::{Conflict, Voters};
use pallet_validators::WeightInfo;
use sp_core::crypto::KeyTypeId;
use sp_runtime::{traits::OpaqueKeys, Perbill};
use sp_session::{GetSessionNumber, GetValidatorCount, MembershipProof};
use sp_staking::{
	offence::{Kind, Offence, ReportOffence},
	SessionIndex,
};

const _: () = assert!(
	pallet_anchor::MAX_VOTERS >= pallet_validators::MAX_VALIDATORS,
	"every seat has a vote"
);

parameter_types! {
	/// Names the pot that FLT stands in while it is at the anchor.
	pub const AnchorPotId: PalletId = PalletId(*b"mr/anchr");
}

/// Validators, by their keys of BEEFY.
#[derive(Debug)]
pub struct AnchorVoters;

impl Voters<AccountId> for AnchorVoters {
	type Proof = MembershipProof;

	fn session() -> SessionIndex {
		Session::current_index()
	}

	fn seated() -> Vec<(AccountId, VoterKey)> {
		seated_keys::get()
			.into_iter()
			.map(|(who, keys)| {
				let key = keys.get_raw(sp_consensus_beefy::KEY_TYPE);
				// Nobody signs for zeros. The places of the others stay theirs.
				(who, VoterKey::try_from(key).unwrap_or([0; 33]))
			})
			.collect()
	}

	fn owner(
		key: &VoterKey,
		session: SessionIndex,
		proof: MembershipProof,
	) -> Option<(AccountId, u32)> {
		if proof.session() != session {
			return None;
		}
		let voters = proof.validator_count();
		let key: (KeyTypeId, VoterKey) = (sp_consensus_beefy::KEY_TYPE, *key);
		let (who, ()) = KeyOwners::check_proof(key, proof)?;
		Some((who, voters))
	}

	fn punish(who: AccountId, conflict: Conflict, reporter: Option<AccountId>) -> bool {
		let offence = ConflictingVotes {
			offender: who,
			conflict,
		};
		Offences::report_offence(reporter.into_iter().collect(), offence).is_ok()
	}

	fn seated_weight() -> Weight {
		// Decoding a hundred accounts with three keys each.
		let db = <Runtime as frame_system::Config>::DbWeight::get();
		Weight::from_parts(60_000_000, 0).saturating_add(db.reads(1))
	}

	fn owner_weight() -> Weight {
		// A trie over all keys of all seats, which are put in their places before and taken out after.
		let db = <Runtime as frame_system::Config>::DbWeight::get();
		let seats = u64::from(pallet_validators::MAX_VALIDATORS);
		Weight::from_parts(4_000_000_000, 0)
			.saturating_add(db.reads_writes(seats.saturating_mul(2).saturating_add(6), seats))
	}

	fn punish_weight() -> Weight {
		// Whoever did the same is told of again; the handler registers what that takes by itself.
		let db = <Runtime as frame_system::Config>::DbWeight::get();
		let seats = u64::from(pallet_validators::MAX_VALIDATORS);
		weights::pallet_validators::WeightInfo::<Runtime>::on_equivocation()
			.saturating_add(db.reads_writes(seats.saturating_add(8), 8))
	}
}

/// A validator signed two accumulators for one number of messages.
#[derive(Debug)]
pub struct ConflictingVotes {
	offender: AccountId,
	conflict: Conflict,
}

impl Offence<(AccountId, ())> for ConflictingVotes {
	const ID: Kind = *b"anchor:conflicts";
	type Slot = (SessionIndex, u32, u64);

	fn offenders(&self) -> Vec<(AccountId, ())> {
		vec![(self.offender.clone(), ())]
	}

	fn session_index(&self) -> SessionIndex {
		self.conflict.session
	}

	fn validator_set_count(&self) -> u32 {
		self.conflict.voters
	}

	fn slot(&self) -> Self::Slot {
		let Conflict {
			session,
			round,
			nonce,
			..
		} = self.conflict;
		(session, round, nonce)
	}

	/// As for finality: a third of the validators together lose all.
	fn slash_fraction(&self, offenders: u32) -> Perbill {
		let voters = self.conflict.voters.max(1);
		Perbill::from_rational(offenders.saturating_mul(3), voters).square()
	}
}

impl pallet_anchor::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type PotId = AnchorPotId;
	type Clock = Epochs;
	type Time = LastTimestamp;
	type Voters = AnchorVoters;
	// A false attestation is paid from within an epoch or a few: the emergency track is fast enough.
	type PauseOrigin = RootOrEmergency;
	type WeightToFee = <Runtime as pallet_receipts::Config>::WeightToFee;
	type ByteFee = <Runtime as pallet_receipts::Config>::ByteFee;
	type WeightInfo = weights::pallet_anchor::WeightInfo<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarking::Scene;
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		configs::system::{AlwaysAllowed, NeverPaused},
		validators::LEAST_FRACTION,
		Anchor, Historical, RuntimeCall, RuntimeOrigin, SessionKeys, System, Validators,
	};
	use codec::Decode;
	use frame_support::{
		assert_noop, assert_ok,
		dispatch::DispatchResultWithPostInfo,
		traits::{Contains, GetCallMetadata, GetCallName},
		BoundedVec,
	};
	use millrace_primitives::{
		anchor::{AnchorId, SignedVote, Vote, H160},
		traits::EpochClock,
		H256,
	};
	use pallet_anchor::Error;
	use sp_core::{ecdsa, Pair};

	const ANCHOR: AnchorId = AnchorId {
		chain_id: 31_337,
		contract: H160::repeat_byte(1),
	};

	fn pair(byte: u8) -> ecdsa::Pair {
		ecdsa::Pair::from_seed(&[byte; 32])
	}

	fn account(byte: u8) -> AccountId {
		AccountId::new([byte; 32])
	}

	/// Seats accounts 1 to 4 in the present session, which their keys' root is kept for, too.
	fn seat() {
		let keys: Vec<_> = (1..=4)
			.map(|byte| {
				let bytes = [&[byte; 64][..], &pair(byte).public().0[..]].concat();
				let keys = SessionKeys::decode(&mut &bytes[..]).expect("any bytes are keys");
				pallet_session::NextKeys::<Runtime>::insert(account(byte), &keys);
				(account(byte), keys)
			})
			.collect();
		let seats: Vec<_> = keys.iter().map(|(who, _)| who.clone()).collect();
		pallet_session::Validators::<Runtime>::put(seats);
		seated_keys::put(Session::current_index(), keys);
	}

	fn execute<R>(test: impl FnOnce() -> R) -> R {
		sp_io::TestExternalities::default().execute_with(|| {
			System::set_block_number(1);
			pallet_anchor::Anchor::<Runtime>::put(ANCHOR);
			seat();
			test()
		})
	}

	fn signed(byte: u8, nonce: u64, acc: u8) -> SignedVote {
		let vote = Vote {
			round: 0,
			session: Session::current_index(),
			nonce,
			acc: H256::repeat_byte(acc),
			epoch: 0,
		};
		let hash = vote.hash(<Epochs as EpochClock>::genesis(), &ANCHOR);
		SignedVote {
			vote,
			signature: pair(byte).sign(hash.as_bytes()).0,
		}
	}

	fn prove(byte: u8) -> MembershipProof {
		let key: VoterKey = pair(byte).public().0;
		KeyOwners::prove((sp_consensus_beefy::KEY_TYPE, key)).expect("the key has a seat")
	}

	fn report(byte: u8, proof: MembershipProof) -> DispatchResultWithPostInfo {
		let key: VoterKey = pair(byte).public().0;
		let (first, second) = (signed(byte, 1, 1), signed(byte, 1, 2));
		Anchor::report_conflict(RuntimeOrigin::signed(account(9)), key, first, second, proof)
	}

	#[test]
	fn votes_deliveries_and_brakes_pass_whatever_is_paused() {
		let passing = [
			"vote",
			"deliver",
			"release",
			"report_conflict",
			"pause",
			"resume",
		];
		type Call = pallet_anchor::Call<Runtime>;
		for name in passing {
			assert!(Call::get_call_names().contains(&name), "{name}");
		}
		for name in Call::get_call_names() {
			let bounded = |name: &str| BoundedVec::truncate_from(name.as_bytes().to_vec());
			let is_kept = NeverPaused::contains(&(bounded("Anchor"), bounded(name)));
			assert_eq!(is_kept, passing.contains(name), "{name}");
		}
		let vote = execute(|| signed(1, 1, 1));
		let calls = [
			(
				Call::withdraw {
					recipient: H160::zero(),
					amount: 1,
				},
				false,
			),
			(
				Call::send {
					target: H160::zero(),
					data: Default::default(),
				},
				false,
			),
			(
				Call::vote {
					voter: 0,
					vote: vote.vote,
					signature: vote.signature,
				},
				true,
			),
			(
				Call::deliver {
					messages: Default::default(),
				},
				true,
			),
			(Call::release { nonce: 0 }, true),
			(Call::pause { blocks: 1 }, true),
			(Call::resume {}, true),
			(Call::set_anchor { anchor: ANCHOR }, false),
		];
		for (call, passes) in calls {
			let call = RuntimeCall::Anchor(call);
			let name = call.get_call_metadata().function_name;
			assert_eq!(AlwaysAllowed::contains(&call), passes, "{name}");
		}
	}

	#[test]
	fn the_emergency_track_stops_the_anchor_in_safe_mode_too() {
		use crate::configs::governance::origins::Origin;
		use sp_runtime::{traits::Dispatchable, DispatchError};
		type Call = pallet_anchor::Call<Runtime>;
		execute(|| {
			pallet_safe_mode::EnteredUntil::<Runtime>::put(100);
			let make = |origin: RuntimeOrigin, call: Call| {
				let made = RuntimeCall::Anchor(call).dispatch(origin);
				made.map(|_| ()).map_err(|refusal| refusal.error)
			};
			let pause = || Call::pause { blocks: 5 };
			let refused = make(Origin::Parameters.into(), pause());
			assert_eq!(refused, Err(DispatchError::BadOrigin));
			assert_ok!(make(Origin::Emergency.into(), pause()));
			assert!(Anchor::is_paused());
			assert_ok!(make(Origin::Emergency.into(), Call::resume {}));
			assert!(!Anchor::is_paused());
			let withdraw = Call::withdraw {
				recipient: H160::repeat_byte(2),
				amount: 1,
			};
			let refused = make(RuntimeOrigin::signed(account(9)), withdraw);
			let filtered = frame_system::Error::<Runtime>::CallFiltered;
			assert_eq!(refused, Err(filtered.into()));
		});
	}

	#[test]
	fn forced_calls_are_too_shallow_to_run_out_of_stack() {
		use codec::Encode;
		use frame_support::{traits::Hooks, weights::WeightMeter};
		use millrace_primitives::anchor::messages::ForcedData;
		use pallet_anchor::{
			Event, Forced, ForcedMessage, ForcedQueue, ForcedRefusal, MAX_FORCED_DEPTH,
		};
		let nested = |depth: u32| {
			let remark = RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() });
			(0..depth).fold(remark, |call, _| {
				RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![call] })
			})
		};
		execute(|| {
			for (nonce, depth) in [
				(0u64, MAX_FORCED_DEPTH),
				(1, MAX_FORCED_DEPTH + 1),
				(2, 250),
			] {
				let message = ForcedMessage {
					sender: H160::repeat_byte(3),
					fee: 0,
					data: ForcedData::truncate_from(nested(depth).encode()),
				};
				Forced::<Runtime>::insert(nonce, message);
				ForcedQueue::<Runtime>::try_append(nonce).expect("there is room");
			}
			Anchor::on_poll(1, &mut WeightMeter::new());
			assert!(ForcedQueue::<Runtime>::get().is_empty());
			let none: Vec<u64> = System::read_events_for_pallet::<Event<Runtime>>()
				.into_iter()
				.filter_map(|event| match event {
					Event::ForcedRefused {
						nonce,
						reason: ForcedRefusal::NoCall,
						..
					} => Some(nonce),
					_ => None,
				})
				.collect();
			assert_eq!(none, [1, 2]);
		});
	}

	#[test]
	fn voters_are_the_seats_in_their_order_by_their_beefy_keys() {
		execute(|| {
			let seats = AnchorVoters::seated();
			let expected: Vec<_> = (1..=4)
				.map(|byte| (account(byte), pair(byte).public().0))
				.collect();
			assert_eq!(seats, expected);
			assert_eq!(Anchor::voter(pair(3).public().0), Some(2));
			assert_eq!(Anchor::voter(pair(5).public().0), None);
		});
	}

	#[test]
	fn who_signs_two_accumulators_equivocates_once() {
		execute(|| {
			assert_ok!(report(1, prove(1)));
			let offender = Validators::validator(&account(1));
			assert_eq!(offender.equivocations.len(), 1);
			// One of four: nine sixteenths.
			assert_eq!(
				offender.equivocations[0].part,
				Perbill::from_rational(9u32, 16)
			);
			assert!(offender.equivocations[0].part > LEAST_FRACTION);
			assert!(offender.disabled && offender.banned_until.is_some());
			assert_noop!(report(1, prove(1)), Error::<Runtime>::KnownConflict);

			assert_ok!(report(2, prove(2)));
			let second = Validators::validator(&account(2)).equivocations;
			assert_eq!(second[0].part, Perbill::one(), "half of all together");
			assert!(Validators::validator(&account(3)).equivocations.is_empty());
		});
	}

	#[test]
	fn a_conflict_is_proven_by_the_key_and_the_session_that_it_was_signed_in() {
		execute(|| {
			assert_noop!(report(1, prove(2)), Error::<Runtime>::NoVoter);
			assert_noop!(report(5, prove(1)), Error::<Runtime>::NoVoter);
			let other_session = MembershipProof {
				session: 7,
				..prove(1)
			};
			assert_noop!(report(1, other_session), Error::<Runtime>::NoVoter);
		});
	}

	#[test]
	fn a_conflict_of_an_earlier_session_is_proven_by_its_root() {
		type Manager = <Runtime as pallet_session::Config>::SessionManager;
		use pallet_session::SessionManager;
		use pallet_validators::{Genesis, Seats};
		execute(|| {
			let seats: Vec<_> = (1..=4).map(account).collect();
			Genesis::<Runtime>::put(Seats::<AccountId>::truncate_from(seats));
			// The root of session 0 is made when it is planned.
			<Manager as SessionManager<_>>::new_session(0);
			assert!(Historical::historical_root(0u32).is_some());
			let proof = prove(1);
			let key: VoterKey = pair(1).public().0;
			let (first, second) = (signed(1, 1, 1), signed(1, 1, 2));
			pallet_session::CurrentIndex::<Runtime>::put(3);
			let reporter = RuntimeOrigin::signed(account(9));
			assert_ok!(Anchor::report_conflict(reporter, key, first, second, proof));
			let offender = Validators::validator(&account(1));
			assert_eq!(offender.equivocations[0].session, 0);
		});
	}
}

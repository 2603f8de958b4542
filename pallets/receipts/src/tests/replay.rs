//! Calls that are run again: what they are judged by, what they weigh, and who pays.

use super::*;
use crate::{ReplayedAt, WeightInfo};
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo, PostDispatchInfo},
	weights::Weight,
};
use millrace_primitives::{
	effects::{EffectRecord, MAX_TRANSCRIPT_BYTES},
	execution::{
		randomness_seed, replay_ps, response_hash, CallStatus, CallTerms, Request, ARBITRATION_GAS,
		ARBITRATION_PS, MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD,
		MAX_RESPONSE_BYTES, PROFILE_V1, REPLAY_PS_PER_GAS, UNVERIFIED,
	},
	market::Host,
	replay::ReplayOutcome,
};

/// What a replay of so much gas costs, with the package of the tests.
fn cost(gas: u64) -> Balance {
	Balance::from(replay_ps(PACKAGE.len() as u32, gas))
}

/// What the judge's word makes of a challenge of the honest receipt.
fn judged(outcome: ReplayOutcome) -> Vec<Event<Test>> {
	Outcome::set(Some(outcome));
	let (case, evidence) = replayed();
	commit(ALICE, case);
	pass(2);
	events();
	assert_ok!(reveal(ALICE, case, evidence));
	events()
}

#[test]
fn a_call_that_ends_otherwise_is_fraud() {
	let ended = |status, response, gas| ReplayOutcome::Ended {
		status,
		response,
		gas,
	};
	let (fine, out) = (CallStatus::Exited(0), response_hash(b"out"));
	for outcome in [
		ended(fine, response_hash(b"other"), MOST_GAS),
		ended(fine, out, MOST_GAS - 1),
		ended(CallStatus::Trapped, response_hash(b""), MOST_GAS),
		ReplayOutcome::TakesMore,
		ReplayOutcome::OtherEffects,
		ReplayOutcome::PackageInvalid,
	] {
		build_and_execute(|| {
			let (case, _) = replayed();
			let told = judged(outcome);
			let contest_until = System::block_number() + 8;
			assert_eq!(
				told,
				vec![Event::ChallengeProven {
					case,
					leader: ALICE,
					contest_until
				}]
			);
			assert_eq!(free(ALICE), ENDOWMENT);
			conclude(1, OffenceKind::Fraud);
			let slashes = Slashes::get();
			assert_eq!(slashes.len(), 1);
			assert_eq!(slashes[0].amount, STAKE / 2);
			assert!(slashes[0].offence.fails);
			assert_eq!(slashes[0].offence.reporter, Some((ALICE, params().reward)));
		});
	}
}

#[test]
fn a_challenge_keeps_what_the_accused_gets_of_its_bond() {
	build_and_execute(|| {
		Outcome::set(Some(true_outcome()));
		let (case, evidence) = replayed();
		commit(ALICE, case);
		let nothing = crate::ReceiptsParams {
			compensation: sp_runtime::Perbill::zero(),
			..params()
		};
		assert_ok!(Receipts::apply_params(nothing));
		pass(2);
		assert_ok!(reveal(ALICE, case, evidence));
		let given = half_of(bond() - cost(MOST_GAS));
		assert_eq!(free(PROVIDER), ENDOWMENT + given);
	});
}

#[test]
fn a_call_that_ends_as_it_says_costs_the_bond() {
	build_and_execute(|| {
		let before = issuance();
		let (case, _) = replayed();
		let told = judged(true_outcome());
		let given = half_of(bond() - cost(MOST_GAS));
		let burnt = bond() - given;
		assert_eq!(
			told,
			vec![Event::ChallengeRefuted {
				case,
				who: ALICE,
				burnt,
				provider: given
			}]
		);
		assert_eq!(free(ALICE), ENDOWMENT - bond());
		assert_eq!(held(ALICE, HoldReason::Challenge), 0);
		assert_eq!(free(PROVIDER), ENDOWMENT + given);
		assert_eq!(issuance(), before - burnt);
		assert!(!Receipts::has_open_case(peer()));
	});
}

#[test]
fn a_bond_below_the_cost_of_the_replay_burns_as_a_whole() {
	build_and_execute(|| {
		let bond = cost(MOST_GAS) - 1;
		let params = crate::ReceiptsParams { bond, ..params() };
		assert_ok!(Receipts::apply_params(params));
		let before = issuance();
		judged(true_outcome());
		assert_eq!(free(ALICE), ENDOWMENT - bond);
		assert_eq!(free(PROVIDER), ENDOWMENT);
		assert_eq!(issuance(), before - bond);
	});
}

#[test]
fn nobody_pays_where_the_judge_cannot_say() {
	build_and_execute(|| {
		let before = issuance();
		let (case, _) = replayed();
		let told = judged(ReplayOutcome::Inconclusive);
		assert_eq!(
			told,
			vec![Event::ChallengeInconclusive { case, who: ALICE }]
		);
		assert_eq!(free(ALICE), ENDOWMENT);
		assert_eq!(free(PROVIDER), ENDOWMENT);
		assert_eq!(issuance(), before);
		assert!(!Receipts::has_open_case(peer()));
	});
}

#[test]
fn the_judge_gets_what_the_receipt_names() {
	build_and_execute(|| {
		judged(true_outcome());
		let replays = Replays::get();
		let [(profile, package, input)] = &replays[..] else {
			panic!("one replay: {replays:?}");
		};
		let receipt = receipt(0);
		assert_eq!((*profile, &package[..]), (PROFILE_V1, PACKAGE));
		assert_eq!(input.request, request());
		assert_eq!(input.transcript, Transcript::default());
		assert_eq!(input.limits, terms().limits);
		assert_eq!(input.hosts, terms().hosts);
		assert_eq!(input.claimed_gas, MOST_GAS);
		// Block 30 is the tenth of epoch 1, which began with second 20.
		assert_eq!((receipt.block, input.clock_ms), (30, 29_000));
		let genesis = MockClock::genesis();
		let seed = randomness_seed(genesis, DEAL, peer(), 1, 0, request().hash());
		assert_eq!(input.seed, seed);
	});
}

#[test]
fn one_a_block() {
	build_and_execute(|| {
		let (case, evidence) = replayed();
		let second = receipt(1);
		let other = case_of(Charge::Replay, &second);
		commit(ALICE, case);
		commit(BOB, other);
		pass(2);
		Outcome::set(Some(true_outcome()));
		assert_ok!(reveal(ALICE, case, evidence));
		assert_eq!(ReplayedAt::<Test>::get(), Some(System::block_number()));
		let late = replay_of(sign(second));
		let taken = error(Error::BlockTaken);
		assert_eq!(plain(reveal(BOB, other, late.clone())), taken);
		assert_eq!(Replays::get().len(), 1);
		pass(1);
		assert_ok!(reveal(BOB, other, late));
		assert_eq!(Replays::get().len(), 2);
	});
}

/// The call that reveals, as its transaction brings it.
fn reveal_call(case: CaseId, evidence: Evidence) -> Call<Test> {
	Call::reveal {
		case,
		salt: SALT,
		evidence: Some(Box::new(evidence)),
	}
}

fn weight_of(case: CaseId, evidence: &Evidence) -> Weight {
	reveal_call(case, evidence.clone())
		.get_dispatch_info()
		.call_weight
}

#[test]
fn weight_follows_the_claim_and_comes_back() {
	build_and_execute(|| {
		let (case, evidence) = replayed();
		let whole = weight_of(case, &evidence);
		let gas = MOST_GAS * REPLAY_PS_PER_GAS;
		let unused = 400;
		Spent::set(MOST_GAS - unused);
		Outcome::set(Some(ReplayOutcome::PackageInvalid));
		commit(ALICE, case);
		pass(2);
		let info: PostDispatchInfo = reveal(ALICE, case, evidence.clone()).expect("it is false");
		let spent = info.actual_weight.expect("it is known");
		let back = whole.ref_time() - spent.ref_time();
		assert_eq!(back, unused * REPLAY_PS_PER_GAS);

		// A claim of less weighs less.
		let less = Receipt {
			gas: 0,
			..receipt(0)
		};
		let light = weight_of(case, &replay_of(sign(less)));
		assert_eq!(whole.ref_time() - light.ref_time(), gas);

		// Of a case that stands, nothing is run again.
		commit(BOB, case);
		pass(2);
		let info = reveal(BOB, case, evidence).expect("it is proven");
		assert_eq!(info.actual_weight, Some(<() as WeightInfo>::reveal()));
		assert_eq!(Replays::get().len(), 1);
	});
}

#[test]
fn the_claim_beyond_the_cap_is_not_weighed() {
	build_and_execute(|| {
		let (case, _) = replayed();
		let with = |gas| {
			let receipt = Receipt { gas, ..receipt(0) };
			weight_of(case, &replay_of(sign(receipt)))
		};
		assert_eq!(with(ARBITRATION_GAS), with(u64::MAX));
		assert!(with(ARBITRATION_GAS).ref_time() > with(ARBITRATION_GAS - 1).ref_time());
	});
}

/// The honest receipt under other terms, which it keeps to, and the evidence of its replay.
fn under(
	change: impl FnOnce(&mut CallTerms),
	also: impl FnOnce(&mut Receipt),
) -> (CaseId, Evidence) {
	let mut terms = terms();
	change(&mut terms);
	let mut receipt = Receipt {
		terms: terms.hash(MockClock::genesis()),
		profile: terms.profile,
		package: terms.package,
		..receipt(0)
	};
	also(&mut receipt);
	let case = case_of(Charge::Replay, &receipt);
	let mut evidence = replay_of(sign(receipt));
	if let Evidence::Replay { terms: named, .. } = &mut evidence {
		*named = terms;
	}
	(case, evidence)
}

#[test]
fn a_receipt_that_breaks_its_own_terms_needs_no_replay() {
	build_and_execute(|| {
		// The deal is gone, but the receipt names what it ran under.
		DealStands::set(false);
		let (case, evidence) = under(|_| {}, |receipt| receipt.gas = MOST_GAS + 1);
		assert_ok!(challenge(ALICE, case, evidence));
		assert!(Replays::get().is_empty());
		assert_eq!(ReplayedAt::<Test>::get(), None);
		conclude(1, OffenceKind::Fraud);
	});
	// Beyond the cap as well: nobody bills more to be beyond judgement.
	build_and_execute(|| {
		let (case, evidence) = under(|_| {}, |receipt| receipt.gas = u64::MAX);
		assert_ok!(challenge(ALICE, case, evidence));
	});
}

#[test]
fn claimed_gas_over_the_cap_is_not_replayed() {
	for (gas, outcome) in [
		(ARBITRATION_GAS, Ok(())),
		(ARBITRATION_GAS + 1, error(Error::NotReplayable)),
	] {
		build_and_execute(|| {
			let (case, evidence) = under(
				|terms| {
					terms.limits.gas = ARBITRATION_GAS * 2;
					terms.profile |= UNVERIFIED;
				},
				|receipt| receipt.gas = gas,
			);
			assert_eq!(challenge(ALICE, case, evidence), outcome);
			let profiles: Vec<_> = Replays::get()
				.iter()
				.map(|(profile, ..)| *profile)
				.collect();
			let asked = if outcome.is_ok() {
				vec![PROFILE_V1]
			} else {
				vec![]
			};
			assert_eq!(profiles, asked);
		});
	}
}

#[test]
fn what_the_judge_has_no_room_for_is_not_replayed() {
	let changes: [fn(&mut CallTerms); 4] = [
		|terms| terms.limits.memory_bytes = MAX_MEMORY_BYTES + 1,
		|terms| terms.limits.response_bytes = MAX_RESPONSE_BYTES + 1,
		|terms| terms.limits.request_bytes = 3,
		|terms| terms.profile = 2,
	];
	for change in changes {
		build_and_execute(|| {
			let (case, evidence) = under(change, |_| {});
			let not = error(Error::NotReplayable);
			assert_eq!(challenge(ALICE, case, evidence), not);
			assert!(Replays::get().is_empty());
		});
	}
	build_and_execute(|| {
		let (case, evidence) = under(
			|terms| {
				terms.limits.memory_bytes = MAX_MEMORY_BYTES;
				terms.limits.response_bytes = MAX_RESPONSE_BYTES;
				terms.limits.request_bytes = 4;
			},
			|_| {},
		);
		assert_ok!(challenge(ALICE, case, evidence));
	});
}

#[test]
fn every_part_must_be_what_the_receipt_names() {
	let other_request = Request {
		path: "/other".into(),
		..request()
	};
	let record = EffectRecord {
		request: H256::zero(),
		reply: vec![1],
	};
	let more = |mut bytes: Vec<u8>| {
		bytes.push(0);
		bytes
	};
	let parts: [(usize, Vec<u8>); 8] = [
		(0, b"\0asn".to_vec()),
		(0, more(PACKAGE.to_vec())),
		(1, other_request.encode()),
		(1, more(request().encode())),
		(1, vec![]),
		(2, Transcript(vec![record]).encode()),
		(2, more(Transcript::default().encode())),
		(2, vec![]),
	];
	for (part, bytes) in parts {
		build_and_execute(|| {
			let (case, mut evidence) = replayed();
			if let Evidence::Replay {
				package,
				request,
				transcript,
				..
			} = &mut evidence
			{
				match part {
					0 => *package = bytes.try_into().expect("it is small"),
					1 => *request = bytes.try_into().expect("it is small"),
					_ => *transcript = bytes.try_into().expect("it is small"),
				}
			}
			let bad = error(Error::BadEvidence);
			assert_eq!(challenge(ALICE, case, evidence), bad);
			assert!(Replays::get().is_empty());
		});
	}
	build_and_execute(|| {
		let (case, mut evidence) = replayed();
		if let Evidence::Replay { terms, .. } = &mut evidence {
			terms.limits.gas += 1;
		}
		let bad = error(Error::BadEvidence);
		assert_eq!(challenge(ALICE, case, evidence), bad);
	});
}

#[test]
fn a_call_of_a_deal_that_is_gone_is_judged_by_the_terms_it_names() {
	build_and_execute(|| {
		DealStands::set(false);
		Outcome::set(Some(ReplayOutcome::TakesMore));
		let (case, evidence) = replayed();
		assert_ok!(challenge(ALICE, case, evidence));
	});
}

#[test]
fn effects_are_replayed_from_the_transcript() {
	build_and_execute(|| {
		let transcript = Transcript(vec![EffectRecord {
			request: H256::repeat_byte(1),
			reply: b"reply".to_vec(),
		}]);
		let host: Host = b"a.example".to_vec().try_into().expect("it is short");
		let (case, mut evidence) = under(
			|terms| terms.hosts = vec![host].try_into().expect("one fits"),
			|receipt| receipt.transcript = transcript.hash(),
		);
		if let Evidence::Replay {
			transcript: brought,
			..
		} = &mut evidence
		{
			*brought = transcript.encode().try_into().expect("it is small");
		}
		assert_ok!(challenge(ALICE, case, evidence));
		assert_eq!(Replays::get()[0].2.transcript, transcript);
		assert_eq!(Replays::get()[0].2.hosts.len(), 1);
	});
}

#[test]
fn the_dearest_replay_fits_into_a_block() {
	build_and_execute(|| {
		let weights = <Test as frame_system::Config>::BlockWeights::get();
		let normal = weights.get(DispatchClass::Normal);
		let most = normal.max_extrinsic.expect("it is bounded");
		let whole = Receipts::largest_reveal_weight();
		assert!(whole.all_lte(most), "{whole} of {most}");
		let parts = Weight::from_parts(ARBITRATION_PS, 0)
			.saturating_add(<() as WeightInfo>::reveal_replay())
			.saturating_add(Receipts::reading_weight(
				(MAX_PACKAGE_BYTES + 2 * (MAX_REQUEST_RECORD + MAX_TRANSCRIPT_BYTES)) as usize,
			));
		assert_eq!(whole, parts);
	});
}

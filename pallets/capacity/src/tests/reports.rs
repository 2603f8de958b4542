//! The duty to report: who may send what when, what it costs, what is kept.

use super::*;
use crate::{refusal, Audits, CapacityParams, Commitments, Event, Outcome, ReportList, Rounds};
use codec::Encode;
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
};
use millrace_primitives::{
	capacity::MAX_UNITS,
	merkle::{path_length, MAX_PATH},
	peer::PeerKey,
	report::Served,
	traits::{Offence, StakeSlasher},
	FLT, U256,
};
use sp_core::Pair;
use sp_runtime::{DispatchError, Perbill};

fn served(deal: u64) -> Served {
	Served {
		deal,
		calls: 1,
		gas: 2,
	}
}

#[test]
fn a_report_is_taken_once_with_the_highest_priority() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 3);
		go_to(2, 2);
		assert!(Capacity::report_due(peer(1)));
		let mut report = claim(1, 3, 0);
		report.served = vec![served(4), served(7)].try_into().expect("two fit");
		let hash = report.hash(MockClock::genesis(), peer(1));
		events();

		let valid = send(report_call(1, report.clone())).expect("the report is due");
		assert_eq!(valid.priority, u64::MAX);
		assert_eq!(
			valid.provides,
			vec![("millrace-duty", peer(1), 0u8, 1u32).encode()]
		);
		assert_eq!(valid.longevity, 4);
		assert!(valid.propagate);
		assert!(valid.requires.is_empty());

		assert!(!Capacity::report_due(peer(1)));
		assert_eq!(ReportHashes::get().get(&(peer(1), 1)), Some(&hash));
		assert_eq!(
			WorkCalls::get(),
			vec![WorkCall::Reported {
				peer: peer(1),
				epoch: 1,
				served: vec![served(4), served(7)]
			}]
		);
		assert_eq!(
			events(),
			vec![Event::Reported {
				peer: peer(1),
				epoch: 1,
				idle: 3,
				busy: 0
			}]
		);
		assert_eq!(send(report_call(1, report)), refused(refusal::ALREADY_SENT));
		assert_eq!(
			send(report_call(1, claim(1, 0, 0))),
			refused(refusal::ALREADY_SENT)
		);
	});
}

#[test]
fn deals_are_noted_only_when_every_unit_at_work_is_proven() {
	for (proven, noted) in [(0, 0), (1, 0), (2, 1)] {
		ExtBuilder::default().build_and_execute(|| {
			BusyUnits::mutate(|busy| busy.insert(peer(1), 2));
			commit(1, 3);
			go_to(2, 2);
			let mut report = claim(1, 1, proven);
			report.served = vec![served(4)].try_into().expect("one fits");
			assert_ok!(send(report_call(1, report)));
			assert_eq!(WorkCalls::get().len(), noted, "{proven} of 2 units proven");
		});
	}
}

#[test]
fn a_report_of_another_peer_key_or_chain_is_refused() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 3);
		go_to(2, 0);
		let report = claim(1, 3, 0);
		let genesis = MockClock::genesis();
		let call = |signature| Call::<Test>::report {
			peer: peer(1),
			report: report.clone(),
			signature,
		};
		let by_other = sign(2, report.hash(genesis, peer(1)));
		assert_eq!(send(call(by_other)), refused(refusal::BAD_SIGNATURE));
		let of_other = sign(1, report.hash(genesis, peer(2)));
		assert_eq!(send(call(of_other)), refused(refusal::BAD_SIGNATURE));
		let elsewhere = sign(1, report.hash(Default::default(), peer(1)));
		assert_eq!(send(call(elsewhere)), refused(refusal::BAD_SIGNATURE));
		assert_eq!(send(call([0; 64])), refused(refusal::BAD_SIGNATURE));
		assert_eq!(
			send(report_call(9, report.clone())),
			refused(refusal::UNKNOWN_PEER)
		);
		assert_eq!(
			send(report_call(2, report.clone())),
			refused(refusal::NO_COMMITMENT)
		);

		// After a rotation the new key counts, and the old one does not.
		let rotated: PeerKey = pair(5).public().0;
		Registered::mutate(|peers| peers.insert(peer(1), (PROVIDER, rotated)));
		assert_eq!(
			send(report_call(1, report.clone())),
			refused(refusal::BAD_SIGNATURE)
		);
		assert_ok!(send(call(sign(5, report.hash(genesis, peer(1))))));
	});
}

#[test]
fn only_the_epoch_that_has_just_ended_is_reported_and_only_in_its_window() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 3);
		go_to(1, 0);
		// The commitment begins with epoch 1.
		assert_eq!(
			send(report_call(1, claim(0, 3, 0))),
			refused(refusal::NO_COMMITMENT)
		);
		assert_eq!(
			send(report_call(1, claim(1, 3, 0))),
			refused(refusal::WRONG_EPOCH)
		);
		go_to(3, 0);
		assert_eq!(
			send(report_call(1, claim(1, 3, 0))),
			refused(refusal::WRONG_EPOCH)
		);
		go_to(3, 6);
		assert_eq!(
			send(report_call(1, claim(2, 3, 0))),
			refused(refusal::WINDOW_CLOSED)
		);
		assert!(!Capacity::report_due(peer(1)));
	});
}

#[test]
fn a_report_claims_no_more_than_was_owed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 5);
		BusyUnits::mutate(|busy| busy.insert(peer(1), 2));
		go_to(2, 0);
		let owed = Capacity::work_of(peer(1), 1).expect("the peer owes work");
		assert_eq!((owed.idle, owed.busy), (3, 2));
		assert_eq!(owed.rates, params().rates);
		assert_eq!(Some(owed.seed), MockClock::seed(1));
		assert_eq!(
			send(report_call(1, claim(1, 4, 0))),
			refused(refusal::TOO_MANY_UNITS)
		);
		assert_eq!(
			send(report_call(1, claim(1, 0, 3))),
			refused(refusal::TOO_MANY_UNITS)
		);
		assert_ok!(send(report_call(1, claim(1, 3, 2))));
		assert_eq!(Capacity::work_of(peer(1), 0), None);
	});
}

#[test]
fn deals_in_disorder_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 1);
		go_to(2, 0);
		let mut report = claim(1, 1, 0);
		report.served = vec![served(7), served(7)].try_into().expect("two fit");
		assert_eq!(send(report_call(1, report)), refused(refusal::BAD_REPORT));
	});
}

#[test]
fn duties_need_their_own_origin() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 1);
		go_to(2, 0);
		for origin in [
			RuntimeOrigin::signed(PROVIDER),
			RuntimeOrigin::root(),
			RuntimeOrigin::none(),
		] {
			assert_noop!(
				Capacity::report(origin, peer(1), claim(1, 1, 0), [0; 64]),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn a_report_enters_the_list_with_a_running_total() {
	ExtBuilder::default().peers(3).build_and_execute(|| {
		commit(1, 3);
		commit(2, 4);
		commit(3, 5);
		go_to(2, 0);
		assert_ok!(send(report_call(1, claim(1, 3, 0))));
		// Whoever proved nothing cannot be audited for anything.
		assert_ok!(send(report_call(2, claim(1, 0, 0))));
		assert_ok!(send(report_call(3, claim(1, 2, 0))));
		let listed = |index| ReportList::<Test>::get((1, index));
		assert_eq!(
			listed(0).map(|entry| (entry.peer, entry.running_total)),
			Some((peer(1), 3))
		);
		assert_eq!(
			listed(1).map(|entry| (entry.peer, entry.running_total)),
			Some((peer(3), 5))
		);
		assert_eq!(listed(2), None);
		let row = Capacity::row(1).expect("the epoch is remembered");
		assert_eq!((row.reports, row.units, row.idle), (2, 5, 5));
		assert_eq!((row.leaves_owed, row.leaves_proven), (48, 20));
		assert_eq!(Audits::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_report_costs_the_same_for_any_number_of_units() {
	let weigh = |units: u32| {
		let mut found = None;
		// Cheap, so that the provider can stake any number.
		let params = CapacityParams {
			stake_per_unit: FLT,
			..params()
		};
		ExtBuilder::default().params(params).build_and_execute(|| {
			commit(1, units);
			go_to(2, 0);
			let call = report_call(1, claim(1, units, 0));
			let declared = call.get_dispatch_info();
			assert_eq!(declared.class, DispatchClass::Operational);
			let authorized = call.weight_of_authorize();
			assert!(authorized.ref_time() < declared.call_weight.ref_time());
			let size = call.encoded_size();
			let took = duty(call).expect("a report never fails").actual_weight;
			let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
			let row = Capacity::row(1).expect("the epoch is remembered");
			let stored = (commitment.encoded_size(), row.encoded_size());
			found = Some((declared, authorized, size, took, stored));
		});
		found.expect("it ran")
	};
	let one = weigh(1);
	for units in [2, 64, 1_024, MAX_UNITS] {
		assert_eq!(weigh(units), one, "{units} units");
	}
}

#[test]
fn the_path_of_an_answer_is_all_that_grows_with_the_units() {
	let longest = |units: u32| path_length(u64::from(units) * 4, 0).expect("there is a leaf");
	assert_eq!((longest(1), longest(1_024)), (2, 12));
	assert!(longest(MAX_UNITS) <= MAX_PATH);
}

#[test]
fn units_of_a_growth_are_owed_from_its_epoch_on() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 3);
		go_to(2, 0);
		let provider = RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Capacity::grow(
			provider.clone(),
			peer(1),
			2,
			Default::default()
		));
		let terms = Rounds::<Test>::get(peer(1)).expect("it is open").terms;
		assert_ok!(Capacity::stake(provider, peer(1), terms, 0, 2_000 * FLT));
		// Agreed in epoch 2, so from epoch 3 on.
		let owed = |epoch| Capacity::work_of(peer(1), epoch).map(|owed| owed.idle);
		assert_eq!((owed(1), owed(2)), (Some(3), Some(3)));
		assert_eq!(
			send(report_call(1, claim(1, 4, 0))),
			refused(refusal::TOO_MANY_UNITS)
		);
		go_to(4, 0);
		assert_eq!((owed(2), owed(3), owed(4)), (Some(3), Some(5), Some(5)));
		assert_ok!(send(report_call(1, claim(3, 5, 0))));
	});
}

#[test]
fn a_report_is_cut_to_what_is_owed_when_a_growth_turns_out_to_be_void() {
	ExtBuilder::default().build_and_execute(|| {
		let provider = || RuntimeOrigin::signed(PROVIDER);
		let stake = |who, add| {
			let terms = Rounds::<Test>::get(peer(1)).expect("it is open").terms;
			assert_ok!(Capacity::stake(
				RuntimeOrigin::signed(who),
				peer(1),
				terms,
				0,
				add
			));
		};
		let offer = shared(20, 0);
		assert_ok!(Capacity::create(provider(), peer(1), 10, DURATION, offer));
		stake(PROVIDER, 5_000 * FLT);
		stake(DELEGATOR, 5_000 * FLT);
		go_to(5, 0);
		assert_ok!(Capacity::grow(provider(), peer(1), 10, Default::default()));
		stake(DELEGATOR, 10_000 * FLT);
		// Of the provider's 5,000 FLT an offence and misses leave 1,400: enough for ten units, but
		// not a tenth of what twenty take.
		go_to(6, 0);
		let offence = Offence {
			epoch: 5,
			part: Perbill::from_percent(31),
			fails: false,
			reporter: None,
		};
		assert_eq!(Capacity::slash(peer(1), offence), 3_100 * FLT);
		go_to(7, 0);
		events();
		// When it is authorised, the chain has not looked yet.
		assert_ok!(send(report_call(1, claim(6, 20, 0))));
		let commitment = Commitments::<Test>::get(peer(1)).expect("it stands");
		assert_eq!((commitment.units, commitment.change), (10, None));
		assert_eq!(commitment.own.left, 1_400 * FLT);
		let outcome = Outcome {
			epoch: 6,
			idle: 10,
			busy: 0,
		};
		assert_eq!(commitment.reported, Some(outcome));
		let row = Capacity::row(6).expect("the epoch is remembered");
		assert_eq!(
			(row.units, row.leaves_owed, row.leaves_proven),
			(10, 40, 40)
		);
		assert!(events().contains(&Event::ChangeVoided {
			peer: peer(1),
			at: 6
		}));
	});
}

#[test]
fn targets_follow_the_reports_of_two_epochs_before() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 4);
		let target = |epoch| {
			Capacity::row(epoch)
				.expect("the epoch is remembered")
				.target
		};
		go_to(2, 0);
		assert_ok!(send(report_call(1, claim(1, 4, 0))));
		let reference = params().target_reference;
		assert_eq!(target(2), reference);
		go_to(3, 0);
		assert_eq!(
			target(3),
			reference - (reference / 1_000_000) * U256::from(250)
		);
		// Half of the work is missing: easier by a tenth, the most that there is.
		assert_ok!(send(report_call(1, claim(2, 2, 0))));
		go_to(4, 0);
		assert_eq!(
			target(4),
			target(3) + (target(3) / 1_000_000) * U256::from(100_000)
		);
		// Nobody reported epoch 3.
		go_to(5, 0);
		assert_eq!(target(5), target(4));
	});
}

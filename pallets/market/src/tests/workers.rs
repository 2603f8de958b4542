//! Going live and giving up: the duty, its refusals, deadlines and exclusions.

use crate::{
	mock::*, refusal, DealKey, Error, Event, Exclusions, HoldReason, Reason, ReleaseReason,
	Unfilled, Workers,
};
use frame_support::{
	assert_noop, assert_ok,
	pallet_prelude::{
		Authorize, InvalidTransaction, TransactionSource, TransactionValidityError,
		ValidTransaction,
	},
};
use millrace_primitives::{
	market::WorkerStatus,
	peer::{PeerId, PeerSignature},
	traits::{WorkInspector, WorkLedger},
	DealId,
};

fn authorize(
	peer: PeerId,
	deal: DealId,
	signature: PeerSignature,
) -> Result<ValidTransaction, TransactionValidityError> {
	let call = RuntimeCall::Market(crate::Call::go_live {
		peer,
		deal,
		signature,
	});
	let answer = call
		.authorize(TransactionSource::External)
		.expect("it is a duty");
	answer.map(|(validity, _)| validity)
}

fn refused(peer: PeerId, deal: DealId, signature: PeerSignature, code: u8) {
	let error = TransactionValidityError::Invalid(InvalidTransaction::Custom(code));
	assert_eq!(authorize(peer, deal, signature), Err(error));
}

/// A peer that is assigned to a deal.
fn assigned() -> (DealId, PeerId) {
	let peer = offer(1, PROVIDER, 4, 10);
	let deal = create(spec(1, 10), 20);
	run_matcher();
	(deal, peer)
}

#[test]
fn going_live_is_authorised_by_the_peers_key() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		let signature = go_live_signature(1, deal, 6);
		let validity = authorize(peer, deal, signature).expect("all is right");
		assert_eq!(validity.priority, u64::MAX);
		assert!(validity.propagate && validity.requires.is_empty());
		assert_eq!(validity.provides.len(), 1);
		// This epoch and the next.
		assert_eq!(validity.longevity, 40);
		at(6, 19);
		let validity = authorize(peer, deal, signature).expect("all is right");
		assert_eq!(validity.longevity, 1);
	});
}

#[test]
fn every_refusal_has_its_code() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		let signature = go_live_signature(1, deal, 6);
		refused(peer_id(9), deal, signature, refusal::UNKNOWN_PEER);
		register(2, PROVIDER, 4);
		refused(
			peer_id(2),
			deal,
			go_live_signature(2, deal, 6),
			refusal::NOT_ASSIGNED,
		);
		refused(
			peer,
			deal + 1,
			go_live_signature(1, deal + 1, 6),
			refusal::NOT_ASSIGNED,
		);
		for wrong in [
			go_live_signature(2, deal, 6),
			go_live_signature(1, deal + 1, 6),
			go_live_signature(1, deal, 5),
		] {
			refused(peer, deal, wrong, refusal::BAD_SIGNATURE);
		}
		at(7, 0);
		refused(peer, deal, signature, refusal::DEADLINE_PASSED);
		at(6, 0);
		go_live(peer, deal);
		refused(peer, deal, signature, refusal::ALREADY_LIVE);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		refused(peer, deal, signature, refusal::NOT_ASSIGNED);
		let signed = RuntimeOrigin::signed(PROVIDER);
		assert_noop!(
			Market::go_live(signed, peer, deal, signature),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn a_live_worker_holds_its_bond_serves_at_once_and_is_at_work_from_the_next_epoch() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		assert_eq!(Market::busy_units(peer, 6), 0);
		go_live(peer, deal);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 100);
		let worker = Workers::<Test>::get(deal, peer).expect("it works");
		assert_eq!(worker.status, WorkerStatus::Live { since: 6 });
		assert_eq!(
			(Market::busy_units(peer, 5), Market::busy_units(peer, 6)),
			(0, 1)
		);
		assert!(!Market::is_worker(peer, deal, 4));
		assert!(Market::is_worker(peer, deal, 5) && Market::is_worker(peer, deal, 6));
		assert_eq!(Unfilled::<Test>::iter().count(), 0);
	});
}

#[test]
fn what_is_left_of_the_epoch_of_going_live_is_neither_paid_nor_owed() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		assert!(!Market::is_worker(peer, deal, 5));
		go_live(peer, deal);
		// It may list the deal.
		at_rest_of(6);
		report_and_settle(peer, 5, &[deal]);
		assert_eq!(Market::deal_of(deal).expect("it stands").escrow, 20);
	});
	build_and_execute(|| {
		let (deal, peer) = assigned();
		go_live(peer, deal);
		miss(peer, 5);
		at_rest_of(6);
		assert_noop!(
			Market::replace(RuntimeOrigin::signed(STRANGER), deal, peer),
			Error::<Test>::NotLost
		);
	});
}

#[test]
fn a_signature_is_good_for_one_assignment() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		let old = go_live_signature(1, deal, 6);
		let first = authorize(peer, deal, old).expect("all is right");
		at(7, 0);
		assert_ok!(Market::release_worker(
			RuntimeOrigin::signed(STRANGER),
			deal,
			peer
		));
		at(10, 0);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
		refused(peer, deal, old, refusal::BAD_SIGNATURE);
		let second = authorize(peer, deal, go_live_signature(1, deal, 11)).expect("all is right");
		assert_ne!(first.provides, second.provides);
	});
}

#[test]
fn without_a_bond_there_is_no_duty() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		let signature = go_live_signature(1, deal, 6);
		let away = FUNDS - OFFER_DEPOSIT - EXISTENTIAL_DEPOSIT - 99;
		let provider = RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Balances::transfer_keep_alive(provider, STRANGER, away));
		refused(peer, deal, signature, refusal::BOND_UNAVAILABLE);
		let stranger = RuntimeOrigin::signed(STRANGER);
		assert_ok!(Balances::transfer_keep_alive(stranger, PROVIDER, 1));
		assert_ok!(authorize(peer, deal, signature));
	});
}

#[test]
fn without_a_bond_the_assignment_is_given_up() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		assert_ok!(Balances::transfer_keep_alive(
			RuntimeOrigin::signed(PROVIDER),
			STRANGER,
			FUNDS - OFFER_DEPOSIT - 50,
		));
		go_live(peer, deal);
		System::assert_last_event(
			Event::<Test>::WorkerReleased {
				deal,
				peer,
				reason: ReleaseReason::BondUnavailable,
			}
			.into(),
		);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		assert_eq!(workers(deal), vec![]);
		// It is excluded, so it is not matched again at once.
		run_matcher();
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn an_overdue_worker_is_released_and_excluded_for_a_while() {
	build_and_execute(|| {
		let (deal, peer) = assigned();
		let release = || Market::release_worker(RuntimeOrigin::signed(STRANGER), deal, peer);
		at(6, 19);
		assert_noop!(release(), Error::<Test>::NotOverdue);
		at(7, 0);
		assert_ok!(release());
		assert_noop!(release(), Error::<Test>::NotAssigned);
		assert_noop!(
			Market::release_worker(RuntimeOrigin::signed(STRANGER), deal + 1, peer),
			Error::<Test>::UnknownDeal
		);
		assert_eq!(Balances::free_balance(PROVIDER), FUNDS - OFFER_DEPOSIT);
		// Excluded up to and without epoch 10: three epochs.
		for epoch in [7, 8, 9] {
			at(epoch, 1);
			run_matcher();
			assert_eq!(workers(deal), vec![]);
		}
		// The exclusion is this deal's alone.
		assert_eq!(why_not(spec(1, 10), peer), None::<Reason>);
		at(10, 0);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
	});
}

#[test]
fn the_matcher_replaces_an_overdue_worker() {
	build_and_execute(|| {
		let (deal, _) = assigned();
		let dearer = offer(2, PROVIDER + 1, 1, 10);
		run_matcher();
		assert_eq!(workers(deal).len(), 1);
		at(7, 0);
		run_matcher();
		assert_eq!(workers(deal), vec![dearer]);
		let vacancy = Unfilled::<Test>::get(DealKey::from(deal)).expect("not live yet");
		assert_eq!(vacancy.assigned.to_vec(), vec![(dearer, 8)]);
	});
}

#[test]
fn a_deal_remembers_whom_it_excluded_until_it_is_stopped() {
	build_and_execute(|| {
		let deal = create(spec(1, 10), 1_000);
		for index in 0..70u8 {
			offer(index, PROVIDER, 1, 10);
		}
		at(5, 0);
		for step in 0..70u32 {
			// Long exclusions, so that none ends on the way.
			let params = crate::MarketParams {
				exclusion_epochs: 10_000,
				..params()
			};
			assert_ok!(Market::apply_params(params));
			at(5 + 2 * step, 0);
			run_matcher();
			run_matcher();
		}
		// All but the one that is assigned now.
		assert_eq!(Exclusions::<Test>::get(deal).len(), 69);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Exclusions::<Test>::iter().count(), 0);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
	});
}

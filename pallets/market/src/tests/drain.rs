//! Notice, by the peer or by the deal's owner: whoever leaves with it is paid to the end and replaced
//! before it is gone.

use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::DispatchResultWithPostInfo,
	pallet_prelude::{
		Authorize, InvalidTransaction, TransactionSource, TransactionValidityError,
		ValidTransaction,
	},
};
use millrace_primitives::{
	market::{Worker, WorkerStatus, MAX_WORKERS},
	peer::{PeerId, PeerSignature},
	traits::{WorkInspector, WorkLedger},
	views::Subject,
	Balance, DealId, EpochIndex,
};
use sp_runtime::DispatchResult;

fn authorize(
	peer: PeerId,
	deal: DealId,
	signature: PeerSignature,
) -> Result<ValidTransaction, TransactionValidityError> {
	let call = RuntimeCall::Market(Call::drain {
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

fn release(deal: DealId, peer: PeerId) -> DispatchResultWithPostInfo {
	Market::release_worker(RuntimeOrigin::signed(STRANGER), deal, peer)
}

fn end(who: u64, deal: DealId, peer: PeerId) -> DispatchResult {
	Market::end_worker(RuntimeOrigin::signed(who), deal, peer)
}

fn row(deal: DealId) -> Deal<u64> {
	Market::deal_of(deal).expect("it stands")
}

fn worker(deal: DealId, peer: PeerId) -> Worker {
	Workers::<Test>::get(deal, peer).expect("it works")
}

fn is_queued(deal: DealId) -> bool {
	Unfilled::<Test>::contains_key(DealKey::from(deal))
}

/// Peers that a deal does not take, each up to and without an epoch.
fn excluded(deal: DealId) -> Vec<(PeerId, EpochIndex)> {
	Exclusions::<Test>::get(deal).into_inner()
}

/// The first reason against a peer for a deal.
fn reason(deal: DealId, peer: PeerId) -> Option<Reason> {
	let why = Market::why_not(Subject::Deal(deal), Some(peer));
	why.reasons.first().map(|(reason, _)| *reason)
}

/// Rows, live workers and draining ones of a deal.
fn counts(deal: DealId) -> (u32, u32, u32) {
	let Deal {
		workers,
		live,
		draining,
		..
	} = row(deal);
	(workers, live, draining)
}

/// Price of one epoch of a deal's paid workers, in three epochs from one on.
fn rates(deal: DealId, from: EpochIndex) -> [Balance; 3] {
	let rate = row(deal).rate;
	[from, from + 1, from + 2].map(|epoch| rate.at(epoch))
}

#[test]
fn a_notice_is_authorised_by_the_peers_key_in_this_epoch() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(7, 4);
		let signature = drain_signature(1, deal, 6);
		let validity = authorize(peer, deal, signature).expect("all is right");
		assert_eq!(validity.priority, u64::MAX);
		assert!(validity.propagate && validity.requires.is_empty());
		assert_eq!(validity.provides.len(), 1);
		assert_eq!(validity.longevity, 16);
		at(7, 19);
		let validity = authorize(peer, deal, signature).expect("all is right");
		assert_eq!(validity.longevity, 1);
	});
}

#[test]
fn every_refusal_of_a_notice_has_its_code() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 4, 10);
		let deal = create(spec(1, 10), 90);
		run_matcher();
		let signature = drain_signature(1, deal, 6);
		refused(peer_id(9), deal, signature, refusal::UNKNOWN_PEER);
		register(2, PROVIDER, 4);
		refused(
			peer_id(2),
			deal,
			drain_signature(2, deal, 6),
			refusal::NOT_ASSIGNED,
		);
		refused(peer, deal + 1, signature, refusal::NOT_ASSIGNED);
		refused(peer, deal, signature, refusal::NOT_LIVE);
		go_live(peer, deal);
		for wrong in [
			drain_signature(2, deal, 6),
			drain_signature(1, deal + 1, 6),
			drain_signature(1, deal, 7),
			go_live_signature(1, deal, 6),
		] {
			refused(peer, deal, wrong, refusal::BAD_SIGNATURE);
		}
		let signed = RuntimeOrigin::signed(PROVIDER);
		assert_noop!(
			Market::drain(signed, peer, deal, signature),
			sp_runtime::DispatchError::BadOrigin
		);
		drain(peer, deal);
		refused(peer, deal, signature, refusal::ALREADY_DRAINING);
		let authorised = frame_system::RawOrigin::Authorized;
		assert_noop!(
			Market::drain(authorised.into(), peer, deal, signature),
			Error::<Test>::NotLive
		);
	});
}

#[test]
fn a_deal_that_is_ending_takes_no_notice() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(6, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		refused(
			peer,
			deal,
			drain_signature(1, deal, 6),
			refusal::NOT_ASSIGNED,
		);
		assert_noop!(end(CLIENT, deal, peer), Error::<Test>::DealEnding);
	});
}

#[test]
fn a_worker_with_notice_is_paid_to_the_end_and_leaves_with_its_bond() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		drain(peer, deal);
		System::assert_last_event(
			Event::<Test>::WorkerDraining {
				deal,
				peer,
				last: 8,
				notice: Notice::Peer,
			}
			.into(),
		);
		let status = WorkerStatus::Draining { since: 6, last: 8 };
		assert_eq!(worker(deal, peer).status, status);
		assert_eq!(counts(deal), (1, 0, 1));
		assert!(is_queued(deal));
		assert_eq!(rates(deal, 7), [1_000, 1_000, 0]);
		for (epoch, works) in [(6, true), (7, true), (8, true), (9, false)] {
			assert_eq!(Market::is_worker(peer, deal, epoch), works);
			assert_eq!(Market::busy_units(peer, epoch), u32::from(works));
		}
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 100);

		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		assert_noop!(release(deal, peer), Error::<Test>::NotOverdue);
		// The last epoch is over and can still be reported, with the unit that was at work in it.
		at(9, 0);
		assert_noop!(release(deal, peer), Error::<Test>::NotOverdue);
		assert_eq!(Market::busy_units(peer, 8), 1);
		assert_eq!(Loads::<Test>::get(peer).taken, 1);
		at_rest_of(9);
		report_and_settle(peer, 8, &[deal]);
		assert_ok!(release(deal, peer));
		System::assert_last_event(
			Event::<Test>::WorkerReleased {
				deal,
				peer,
				reason: ReleaseReason::Drained,
			}
			.into(),
		);
		assert_noop!(release(deal, peer), Error::<Test>::NotAssigned);
		assert_eq!(counts(deal), (0, 0, 0));
		assert_eq!(rates(deal, 8), [0, 0, 0]);
		assert_eq!(Loads::<Test>::get(peer).taken, 0);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
		// Epochs 6 to 8 at 1,000, of which 2 % burn.
		let row = row(deal);
		assert_eq!((row.escrow, row.paid, row.burnt), (6_000, 2_940, 60));
		assert_eq!(
			Balances::free_balance(PROVIDER),
			FUNDS - OFFER_DEPOSIT + 2_940
		);
	});
}

#[test]
fn another_worker_takes_the_place_before_the_first_is_gone() {
	build_and_execute(|| {
		let first = offer(1, PROVIDER, 4, 10);
		let second = offer(2, PROVIDER + 1, 4, 12);
		let deal = create(spec(1, 12), 240);
		run_matcher();
		go_live(first, deal);
		assert_eq!(Market::sought(deal, &spec(1, 12)), Err(Content::Filled));
		at(7, 0);
		drain(first, deal);
		assert_eq!(Market::sought(deal, &spec(1, 12)), Ok(()));
		run_matcher();
		assert_eq!(workers(deal), vec![first, second]);
		assert_eq!(Market::sought(deal, &spec(1, 12)), Err(Content::Filled));
		go_live(second, deal);
		assert_eq!(counts(deal), (2, 1, 1));
		assert!(!is_queued(deal));
		assert_eq!(rates(deal, 7), [10, 22, 12]);
		for (epoch, serving) in [
			(6, vec![first]),
			(7, vec![first, second]),
			(8, vec![first, second]),
			(9, vec![second]),
			(10, vec![second]),
		] {
			let due = [first, second].map(|peer| Market::is_worker(peer, deal, epoch));
			let expected = [first, second].map(|peer| serving.contains(&peer));
			assert_eq!(due, expected, "epoch {epoch}");
		}

		for (peer, epoch) in [(first, 6), (first, 7), (first, 8), (second, 8)] {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		assert_ok!(release(deal, first));
		// It leaves a deal that has whom it wants.
		assert!(!is_queued(deal));
		assert_eq!(workers(deal), vec![second]);
		let row = row(deal);
		assert_eq!(row.paid + row.burnt, 3 * 10 + 12);
		assert_eq!(row.escrow, 240 - 42);
	});
}

#[test]
fn notice_in_the_epoch_of_going_live_leaves_one_paid_epoch() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		drain(peer, deal);
		let status = WorkerStatus::Draining { since: 6, last: 6 };
		assert_eq!(worker(deal, peer).status, status);
		assert_eq!(rates(deal, 5), [0, 1_000, 0]);
		for epoch in [6, 7] {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		assert_ok!(release(deal, peer));
		let row = row(deal);
		assert_eq!((row.escrow, row.paid), (8_000, 980));
	});
}

#[test]
fn whoever_parts_is_not_taken_again_at_once_and_others_may_have_it() {
	type Part = fn(PeerId, DealId);
	let parts: [Part; 2] = [drain, |peer, deal| {
		assert_ok!(end(CLIENT, deal, peer));
	}];
	for part in parts {
		build_and_execute(|| {
			let (deal, peer) = live_deal(1, 10, 9);
			at(7, 0);
			part(peer, deal);
			// From the notice on, which was in epoch 7, for three epochs.
			assert_eq!(excluded(deal), vec![(peer, 10)]);
			// No more is said of the peer than that one of its units is taken.
			assert_eq!(Book::<Test>::iter().count(), 1);
			let other = create(spec(1, 10), 90);
			run_matcher();
			assert_eq!((workers(deal), workers(other)), (vec![peer], vec![peer]));
			assert_eq!(Loads::<Test>::get(peer).taken, 2);

			at_rest_of(9);
			assert_ok!(release(deal, peer));
			assert_eq!(reason(deal, peer), Some(Reason::Excluded));
			run_matcher();
			assert_eq!(workers(deal), vec![]);
			at(10, 0);
			assert_eq!(reason(deal, peer), None);
			run_matcher();
			assert_eq!(workers(deal), vec![peer]);
		});
	}
}

#[test]
fn the_only_unit_of_a_peer_comes_back_to_the_book_when_its_notice_is_over() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 10);
		let deal = create(spec(1, 10), 90);
		run_matcher();
		go_live(peer, deal);
		let other = create(spec(1, 10), 90);
		at(6, 0);
		drain(peer, deal);
		assert_eq!(Book::<Test>::iter().count(), 0);
		assert_eq!(reason(other, peer), Some(Reason::TooFewUnits));
		at_rest_of(8);
		let version = BookVersion::<Test>::get();
		assert_ok!(release(deal, peer));
		assert_eq!(Book::<Test>::iter().count(), 1);
		assert_ne!(BookVersion::<Test>::get(), version);
		run_matcher();
		assert_eq!((workers(deal), workers(other)), (vec![], vec![peer]));
	});
}

#[test]
fn another_offer_does_not_bring_a_peer_back_to_the_deal_that_it_left() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		drain(peer, deal);
		let provider = || RuntimeOrigin::signed(PROVIDER);
		assert_ok!(Market::withdraw_offer(provider(), peer));
		assert_ok!(Market::post_offer(provider(), peer, terms(9)));
		at_rest_of(7);
		assert_ok!(release(deal, peer));
		assert_eq!(reason(deal, peer), Some(Reason::Excluded));
		run_matcher();
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn whoever_parts_in_grace_is_not_taken_again_when_it_ends() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 2);
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_ok!(Market::begin_grace(RuntimeOrigin::signed(STRANGER), deal));
		drain(peer, deal);
		assert_eq!(excluded(deal), vec![(peer, 10)]);
		assert_ok!(Market::do_try_state());
		assert_ok!(Market::top_up(RuntimeOrigin::signed(STRANGER), deal, 1_000));
		at_rest_of(9);
		assert_ok!(release(deal, peer));
		run_matcher();
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn a_release_settles_what_is_owed_and_waits_for_what_it_cannot_settle() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(6, 0);
		drain(peer, deal);
		at_rest_of(8);
		report(peer, 7, &[deal]);
		leave_unsettled_with(peer, 6, 0);
		leave_unsettled(peer, 7);
		// One step does not bring it up to date.
		assert_noop!(release(deal, peer), Error::<Test>::WorkersNotSettled);
		SettlesAtOnce::set(true);
		let weight = release(deal, peer).expect("it is settled").actual_weight;
		let expected = <() as WeightInfo>::release_worker() + <() as WeightInfo>::on_settled(1);
		assert_eq!(weight, Some(expected));
		assert_eq!(row(deal).paid, 980);
		assert_eq!(workers(deal), vec![]);
	});
}

#[test]
fn a_release_that_finds_the_commitment_over_has_nothing_left_to_do() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(6, 0);
		drain(peer, deal);
		at_rest_of(8);
		leave_unsettled(peer, 7);
		end_with_settlement(peer);
		assert_ok!(release(deal, peer));
		assert_eq!(counts(deal), (0, 0, 0));
		assert_eq!(Loads::<Test>::iter().count(), 0);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
	});
}

#[test]
fn a_commitment_that_is_over_ends_a_notice_at_once() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 10, 9);
		at(6, 0);
		drain(peer, deal);
		set_units(peer, 0);
		Market::on_commitment_over(peer, false);
		assert_eq!(counts(deal), (0, 0, 0));
		assert_eq!(rates(deal, 6), [0, 0, 0]);
		assert!(is_queued(deal));
	});
}

#[test]
fn a_worker_with_notice_stays_with_a_deal_that_is_stopped() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(7, 0);
		drain(peer, deal);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		// It looks for nobody any more, so that there is nobody to keep away.
		assert_eq!(excluded(deal), vec![]);
		// Epoch 7 is the deal's last one, so the unit is free from epoch 8 on.
		assert_eq!(
			(Market::busy_units(peer, 7), Market::busy_units(peer, 8)),
			(1, 0)
		);
		assert_eq!(Loads::<Test>::get(peer).taken, 0);
		assert!(!Market::is_worker(peer, deal, 8));
		at_rest_of(9);
		report_and_settle(peer, 7, &[deal]);
		assert_noop!(release(deal, peer), Error::<Test>::NotOverdue);
		assert_eq!(workers(deal), vec![peer]);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(PeerDeals::<Test>::iter().count(), 0);
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
	});
}

#[test]
fn the_owner_ends_a_live_worker_with_notice() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(6, 0);
		assert_noop!(end(CLIENT, deal + 1, peer), Error::<Test>::UnknownDeal);
		assert_noop!(end(STRANGER, deal, peer), Error::<Test>::NotOwner);
		assert_noop!(end(PROVIDER, deal, peer), Error::<Test>::NotOwner);
		assert_noop!(end(CLIENT, deal, peer_id(2)), Error::<Test>::NotAssigned);
		assert_ok!(end(CLIENT, deal, peer));
		System::assert_last_event(
			Event::<Test>::WorkerDraining {
				deal,
				peer,
				last: 7,
				notice: Notice::Owner,
			}
			.into(),
		);
		assert_noop!(end(CLIENT, deal, peer), Error::<Test>::NotLive);
		// A second notice does not prolong the first.
		at(7, 0);
		assert_noop!(end(CLIENT, deal, peer), Error::<Test>::NotLive);
		for epoch in 6..9 {
			at_rest_of(epoch + 1);
			report_and_settle(peer, epoch, &[deal]);
		}
		// This epoch and the next one: nothing after them.
		assert_eq!(row(deal).paid, 2 * 980);
		assert_ok!(release(deal, peer));
		assert_eq!(held(HoldReason::WorkerBond, PROVIDER), 0);
	});
}

#[test]
fn the_owner_ends_an_assigned_worker_at_once_and_without_fault() {
	build_and_execute(|| {
		let peer = offer(1, PROVIDER, 1, 10);
		let deal = create(spec(1, 10), 90);
		run_matcher();
		assert_ok!(end(CLIENT, deal, peer));
		System::assert_last_event(
			Event::<Test>::WorkerReleased {
				deal,
				peer,
				reason: ReleaseReason::Ended,
			}
			.into(),
		);
		assert_eq!((row(deal).pledged, counts(deal)), (0, (0, 0, 0)));
		assert_eq!(Offers::<Test>::get(peer).map(|offer| offer.lapses), Some(0));
		// Its unit is free, for others at once.
		assert_eq!(why_not(spec(1, 10), peer), None);
		assert_eq!(excluded(deal), vec![(peer, 8)]);
		run_matcher();
		assert_eq!(workers(deal), vec![]);
		at(8, 0);
		run_matcher();
		assert_eq!(workers(deal), vec![peer]);
	});
}

/// Each is paid for the next epoch, though none serves longer than that.
#[test]
fn whoever_gives_notice_at_once_is_followed_by_one_more_in_an_epoch() {
	build_and_execute(|| {
		let peers = [1, 2, 3].map(|index| offer(index, PROVIDER + u64::from(index), 4, 10));
		let deal = create(spec(1, 10), 1_000);
		for peer in &peers[..2] {
			run_matcher();
			go_live(*peer, deal);
			drain(*peer, deal);
		}
		assert_eq!(Market::sought(deal, &spec(1, 10)), Err(Content::Full));
		run_matcher();
		assert_eq!(workers(deal), peers[..2].to_vec());
		assert_eq!(rates(deal, 5), [0, 20, 0]);
		// In the next epoch there is room, without anybody's doing.
		at(6, 0);
		assert_eq!(Market::sought(deal, &spec(1, 10)), Ok(()));
		run_matcher();
		assert!(workers(deal).contains(&peers[2]));
	});
}

#[test]
fn a_deal_full_of_workers_waits_until_one_that_leaves_is_gone() {
	build_and_execute(|| {
		let wanted = spec(MAX_WORKERS, 10);
		let peers: Vec<_> = (0..=u8::MAX)
			.map(|index| offer(index, PROVIDER, 1, 10))
			.collect();
		let deal = create(wanted.clone(), 1_000_000);
		while (row(deal).workers as usize) < peers.len() {
			run_matcher();
		}
		peers.iter().for_each(|peer| go_live(*peer, deal));
		assert_eq!(Market::sought(deal, &wanted), Err(Content::Filled));
		at(6, 0);
		drain(peers[7], deal);
		assert_eq!(Market::sought(deal, &wanted), Err(Content::Full));
		run_matcher();
		let asleep = || Unfilled::<Test>::get(DealKey::from(deal)).map(|vacancy| vacancy.asleep);
		assert!(asleep().flatten().is_some());
		at_rest_of(8);
		run_matcher();
		assert!(asleep().flatten().is_some());
		assert_ok!(release(deal, peers[7]));
		assert_eq!(asleep(), Some(None));
		assert_eq!(Market::sought(deal, &wanted), Ok(()));
	});
}

//! Deals that change their owner.

use crate::{mock::*, Error, Event, HoldReason};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::DealId;

fn name(who: u64, deal: DealId, heir: Option<u64>) -> sp_runtime::DispatchResult {
	Market::name_heir(RuntimeOrigin::signed(who), deal, heir)
}

fn take(who: u64, deal: DealId) -> sp_runtime::DispatchResult {
	Market::take_deal(RuntimeOrigin::signed(who), deal)
}

#[test]
fn whom_the_owner_names_takes_the_deal_and_brings_the_deposit() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		assert_noop!(take(STRANGER, deal), Error::<Test>::NotHeir);
		assert_noop!(
			name(STRANGER, deal, Some(STRANGER)),
			Error::<Test>::NotOwner
		);
		assert_noop!(
			name(CLIENT, deal + 1, Some(STRANGER)),
			Error::<Test>::UnknownDeal
		);
		assert_ok!(name(CLIENT, deal, Some(STRANGER)));
		System::assert_last_event(
			Event::<Test>::HeirNamed {
				deal,
				heir: Some(STRANGER),
			}
			.into(),
		);
		assert_noop!(take(CLIENT, deal), Error::<Test>::NotHeir);
		assert_noop!(take(STRANGER, deal + 1), Error::<Test>::UnknownDeal);
		// Until it is taken it is the old owner's.
		assert_eq!(Market::deal_ids(Some(CLIENT), 0, 9), vec![deal]);
		let stop = |who| Market::stop(RuntimeOrigin::signed(who), deal);
		assert_noop!(stop(STRANGER), Error::<Test>::NotOwner);

		assert_ok!(take(STRANGER, deal));
		System::assert_last_event(
			Event::<Test>::OwnerChanged {
				deal,
				from: CLIENT,
				to: STRANGER,
			}
			.into(),
		);
		assert_eq!(held(HoldReason::DealDeposit, CLIENT), 0);
		assert_eq!(held(HoldReason::DealDeposit, STRANGER), DEAL_DEPOSIT);
		assert_eq!(Balances::free_balance(CLIENT), FUNDS - 10_000);
		assert_eq!(Market::deal_ids(Some(CLIENT), 0, 9), Vec::<DealId>::new());
		assert_eq!(Market::deal_ids(Some(STRANGER), 0, 9), vec![deal]);
		assert_noop!(take(STRANGER, deal), Error::<Test>::NotHeir);
		assert_noop!(name(CLIENT, deal, Some(CLIENT)), Error::<Test>::NotOwner);

		// The worker stays, and what is left is the new owner's.
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_noop!(stop(CLIENT), Error::<Test>::NotOwner);
		assert_ok!(stop(STRANGER));
		at_rest_of(8);
		report_and_settle(peer, 7, &[deal]);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::total_balance(&CLIENT), FUNDS - 10_000);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS + 7_000);
		assert_eq!(in_pot(), 0);
	});
}

#[test]
fn an_owner_thinks_better_of_it() {
	build_and_execute(|| {
		let deal = create(spec(1, 10), 90);
		assert_ok!(name(CLIENT, deal, Some(STRANGER)));
		assert_ok!(name(CLIENT, deal, Some(PROVIDER)));
		assert_noop!(take(STRANGER, deal), Error::<Test>::NotHeir);
		assert_ok!(name(CLIENT, deal, None));
		assert_noop!(take(PROVIDER, deal), Error::<Test>::NotHeir);
		assert_eq!(held(HoldReason::DealDeposit, CLIENT), DEAL_DEPOSIT);
	});
}

#[test]
fn whoever_cannot_bring_the_deposit_takes_nothing() {
	build_and_execute(|| {
		let heir = 50;
		let deal = create(spec(1, 10), 90);
		assert_ok!(name(CLIENT, deal, Some(heir)));
		let send = |amount| {
			let from = RuntimeOrigin::signed(PROVIDER);
			assert_ok!(Balances::transfer_allow_death(from, heir, amount));
		};
		assert_noop!(take(heir, deal), Error::<Test>::FundsTooLow);
		send(DEAL_DEPOSIT + EXISTENTIAL_DEPOSIT - 1);
		assert_noop!(take(heir, deal), Error::<Test>::FundsTooLow);
		send(1);
		assert_ok!(take(heir, deal));
		assert_eq!(Balances::free_balance(heir), EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn a_deal_changes_its_owner_also_while_it_ends() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		at(6, 0);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		assert_ok!(name(CLIENT, deal, Some(STRANGER)));
		assert_ok!(take(STRANGER, deal));
		at_rest_of(7);
		report_and_settle(peer, 6, &[deal]);
		assert_ok!(Market::close(RuntimeOrigin::signed(CLIENT), deal));
		assert_eq!(Balances::free_balance(STRANGER), FUNDS + 8_000);
	});
}

#[test]
fn an_owner_that_takes_from_itself_is_where_it_was() {
	build_and_execute(|| {
		let deal = create(spec(1, 10), 90);
		let before = Balances::free_balance(CLIENT);
		assert_ok!(name(CLIENT, deal, Some(CLIENT)));
		assert_ok!(take(CLIENT, deal));
		assert_eq!(Balances::free_balance(CLIENT), before);
		assert_eq!(Market::deal_ids(Some(CLIENT), 0, 9), vec![deal]);
		assert_eq!(Market::deal_of(deal).expect("it stands").heir, None);
	});
}

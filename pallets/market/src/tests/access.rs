//! Who may call a deal: what is refused, who changes it, and who sees it.

use crate::{mock::*, Error, Event, Specs};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	access::{Access, Invokers, RateLimit, MAX_INVOKERS, MAX_RATE_CALLS, MAX_RATE_SECONDS},
	traits::DealClients,
	DealId, H256,
};
use sp_runtime::DispatchResult;

fn listed(invokers: &[u8]) -> Invokers {
	let invokers: Vec<H256> = invokers.iter().map(|n| H256::repeat_byte(*n)).collect();
	invokers.try_into().expect("they are few")
}

fn rate(calls: u32, per_seconds: u32) -> Option<RateLimit> {
	Some(RateLimit { calls, per_seconds })
}

fn set(who: u64, deal: DealId, access: Access, rate: Option<RateLimit>) -> DispatchResult {
	Market::set_access(RuntimeOrigin::signed(who), deal, access, rate)
}

/// The error of an order and of a change with this access and rate.
fn refused(access: Access, rate: Option<RateLimit>, error: Error<Test>) {
	let deal = create(spec(1, 10), 100);
	assert_noop!(set(CLIENT, deal, access.clone(), rate), error);
	let mut spec = spec(1, 10);
	(spec.access, spec.rate) = (access, rate);
	let again = crate::NextDeal::<Test>::get();
	let outcome = Market::create_deal(RuntimeOrigin::signed(CLIENT), spec, 100);
	assert!(outcome.is_err());
	assert_eq!(crate::NextDeal::<Test>::get(), again);
}

#[test]
fn a_deal_lists_whom_it_serves_once_each_and_rates_that_can_be_counted() {
	build_and_execute(|| {
		for list in [Access::Keys, Access::Tokens] {
			refused(list(listed(&[])), None, Error::<Test>::BadAccess);
			refused(list(listed(&[1, 2, 1])), None, Error::<Test>::BadAccess);
		}
		for (calls, seconds) in [
			(0, 1),
			(1, 0),
			(MAX_RATE_CALLS + 1, 1),
			(1, MAX_RATE_SECONDS + 1),
		] {
			let rate = rate(calls, seconds);
			refused(Access::Open, rate, Error::<Test>::RateOutOfRange);
		}
		let mut most = spec(1, 10);
		let all: Vec<u8> = (0..MAX_INVOKERS as u8).collect();
		most.access = Access::Keys(listed(&all));
		most.rate = rate(MAX_RATE_CALLS, MAX_RATE_SECONDS);
		create(most, 100);
	});
}

#[test]
fn the_owner_changes_who_may_call_and_workers_and_clients_see_it() {
	build_and_execute(|| {
		let (deal, peer) = live_deal(1, 1_000, 9);
		let (access, limit) = (Access::Tokens(listed(&[1])), rate(100, 60));
		let noop = |who, deal, error: Error<Test>| {
			assert_noop!(set(who, deal, access.clone(), limit), error);
		};
		noop(STRANGER, deal, Error::<Test>::NotOwner);
		noop(CLIENT, deal + 1, Error::<Test>::UnknownDeal);
		assert_ok!(set(CLIENT, deal, access.clone(), limit));
		System::assert_last_event(Event::<Test>::AccessSet { deal }.into());
		let assignment = Market::assignments(peer).remove(0);
		assert_eq!((&assignment.access, assignment.rate), (&access, limit));
		let view = Market::deal_view(deal, |_| None).expect("it stands");
		assert_eq!((view.spec.access, view.spec.rate), (access.clone(), limit));

		// Back again, and then no more.
		assert_ok!(set(CLIENT, deal, Access::Open, None));
		let spec = Specs::<Test>::get(deal).expect("it stands");
		assert_eq!((spec.access, spec.rate), (Access::Open, None));
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		noop(CLIENT, deal, Error::<Test>::DealEnding);
	});
}

#[test]
fn calls_of_a_deal_that_is_not_open_are_its_owners_business() {
	build_and_execute(|| {
		let client = <Market as DealClients<u64>>::private_client;
		let deal = create(spec(1, 10), 100);
		assert_eq!(client(deal), None);
		assert_ok!(set(CLIENT, deal, Access::Keys(listed(&[1])), None));
		assert_eq!(client(deal), Some(CLIENT));
		// A rate alone keeps nobody out.
		assert_ok!(set(CLIENT, deal, Access::Open, rate(1, 1)));
		assert_eq!(client(deal), None);
		assert_ok!(set(CLIENT, deal, Access::Tokens(listed(&[1])), None));
		let heir = Some(STRANGER);
		assert_ok!(Market::name_heir(RuntimeOrigin::signed(CLIENT), deal, heir));
		assert_ok!(Market::take_deal(RuntimeOrigin::signed(STRANGER), deal));
		assert_eq!(client(deal), Some(STRANGER));
		assert_eq!(client(deal + 1), None);
	});
}

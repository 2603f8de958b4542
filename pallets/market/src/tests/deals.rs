//! Ordering deals, and what is wrong with an order.

use crate::{mock::*, Error, HoldReason};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::{
	capacity::MAX_UNITS,
	execution::{MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES},
	governance::Contradiction,
	market::{DealSpec, Host, GAS_BILLED, HTTP_OUT, MAX_HOST, MAX_HOSTS},
	Balance,
};

const ESCROW: Balance = 100;

/// Creating the ordinary deal with one change is refused with one error.
fn refused(change: impl FnOnce(&mut DealSpec<u64>), error: Error<Test>) {
	let mut spec = spec(2, 10);
	change(&mut spec);
	assert_noop!(
		Market::create_deal(RuntimeOrigin::signed(CLIENT), spec, ESCROW),
		error
	);
}

fn link(url: &str) -> millrace_primitives::market::Link {
	url.as_bytes().to_vec().try_into().expect("short")
}

#[test]
fn escrow_and_closing_deposit_stand_in_the_pot_and_the_deposit_is_held() {
	build_and_execute(|| {
		let id = create(spec(2, 10), ESCROW);
		assert_eq!(in_pot(), ESCROW + 20);
		assert_eq!(held(HoldReason::Escrow, CLIENT), 0);
		assert_eq!(held(HoldReason::DealDeposit, CLIENT), DEAL_DEPOSIT);
		assert_eq!(
			Balances::free_balance(CLIENT),
			FUNDS - ESCROW - 20 - DEAL_DEPOSIT
		);
		assert_eq!(Balances::total_balance(&CLIENT), FUNDS - ESCROW - 20);
		assert_eq!(Market::deal_ids(Some(CLIENT), 0, 10), vec![id]);
		assert_eq!(Market::deal_ids(Some(STRANGER), 0, 10), Vec::<u64>::new());
	});
}

#[test]
fn every_bad_specification_has_its_own_error() {
	build_and_execute(|| {
		refused(|spec| spec.class += 1, Error::UnknownClass);
		refused(
			|spec| spec.regions = vec![63, 64].try_into().expect("two fit"),
			Error::UnknownRegion,
		);
		refused(|spec| spec.units_per_worker = 0, Error::UnitsZero);
		refused(
			|spec| spec.units_per_worker = MAX_UNITS + 1,
			Error::TooManyUnits,
		);
		refused(|spec| spec.min_workers = 0, Error::WorkersOutOfRange);
		refused(|spec| spec.min_workers = 3, Error::WorkersOutOfRange);
		refused(|spec| spec.target_workers = 257, Error::WorkersOutOfRange);
		refused(
			|spec| spec.max_workers_per_provider = 0,
			Error::WorkersOutOfRange,
		);
		refused(|spec| spec.price_ceiling = 1, Error::PriceBelowMinimum);
		refused(
			|spec| spec.price_ceiling = Balance::MAX,
			Error::PriceOverflow,
		);
		refused(|spec| spec.limits.gas = 0, Error::LimitsZero);
		refused(|spec| spec.limits.memory_bytes = 0, Error::LimitsZero);
		refused(|spec| spec.limits.response_bytes = 0, Error::LimitsZero);
		refused(|spec| spec.limits.gas = 1_001, Error::LimitsTooHigh);
		refused(
			|spec| spec.limits.memory_bytes = MAX_MEMORY_BYTES + 1,
			Error::LimitsTooHigh,
		);
		refused(
			|spec| spec.limits.request_bytes = MAX_REQUEST_BYTES + 1,
			Error::LimitsTooHigh,
		);
		refused(
			|spec| spec.limits.response_bytes = MAX_RESPONSE_BYTES + 1,
			Error::LimitsTooHigh,
		);
		refused(|spec| spec.package.size = 0, Error::PackageEmpty);
		refused(
			|spec| spec.package.size = MAX_PACKAGE_BYTES + 1,
			Error::PackageTooLarge,
		);
		refused(|spec| spec.package.links.clear(), Error::NoLinks);
		for url in [
			"ftp://a.example/b",
			"https://a.example/b c",
			"http://a.example/\u{e9}",
		] {
			let bad = link(url);
			refused(|spec| spec.package.links[0] = bad, Error::BadLink);
		}
		refused(|spec| spec.term_epochs = Some(0), Error::TermOutOfRange);
		refused(
			|spec| spec.term_epochs = Some(u32::MAX),
			Error::TermOutOfRange,
		);
		// Two epochs of two workers at 26 cost 104.
		refused(|spec| spec.price_ceiling = 26, Error::EscrowTooSmall);
		assert_noop!(
			Market::create_deal(RuntimeOrigin::signed(CLIENT), spec(2, 10), FUNDS),
			Error::<Test>::FundsTooLow
		);
	});
}

/// Lists hosts, and asks for the capability of asking them.
fn with_hosts(spec: &mut DealSpec<u64>, hosts: &[&str]) {
	let hosts: Vec<Host> = hosts
		.iter()
		.map(|host| host.as_bytes().to_vec().try_into().expect("short"))
		.collect();
	spec.hosts = hosts.try_into().expect("few");
	spec.capabilities |= HTTP_OUT;
}

#[test]
fn hosts_are_listed_once_in_their_one_form_and_with_the_capability() {
	build_and_execute(|| {
		for hosts in [
			["api.example", "Api.example"],
			["api.example", ""],
			["api.example", "https://api.example"],
			["api.example", "api.example/path"],
			["api.example", "user@api.example"],
			["api.example", "api.example:0"],
			["api.example", "2130706433"],
			["api.example", "api.example"],
			["[::1]:80", "[::1]:80"],
		] {
			refused(|spec| with_hosts(spec, &hosts), Error::BadHost);
			let turned = [hosts[1], hosts[0]];
			refused(|spec| with_hosts(spec, &turned), Error::BadHost);
		}
		for capabilities in [0, 2, !HTTP_OUT] {
			refused(
				|spec| {
					with_hosts(spec, &["api.example"]);
					spec.capabilities = capabilities;
				},
				Error::HostsNeedCapability,
			);
		}
		// A port makes another host of a name; the capability may be asked for without any.
		let mut order = spec(2, 10);
		with_hosts(&mut order, &["api.example", "api.example:80", "9.9.9.9"]);
		let id = create(order.clone(), ESCROW);
		let view = Market::deal_view(id, |_| None).expect("it stands");
		assert_eq!(view.spec.hosts, order.hosts);
		order.hosts.clear();
		create(order, ESCROW);
	});
}

#[test]
fn who_is_billed_by_gas_names_some_and_asks_for_the_capability() {
	build_and_execute(|| {
		refused(|spec| *spec = by_gas(spec.clone(), 0), Error::FullGasZero);
		for capabilities in [0, 1, !GAS_BILLED] {
			refused(
				|spec| {
					*spec = by_gas(spec.clone(), 7);
					spec.capabilities = capabilities;
				},
				Error::BillingNeedsCapability,
			);
		}
		let id = create(by_gas(spec(2, 10), 7), ESCROW);
		let deal = Market::deal_of(id).expect("it stands");
		assert_eq!(deal.full_gas, Some(7));
		// The capability may be asked for without it.
		let mut order = spec(2, 10);
		order.capabilities |= GAS_BILLED;
		let id = create(order, ESCROW);
		assert_eq!(Market::deal_of(id).expect("it stands").full_gas, None);
	});
}

#[test]
fn the_longest_list_of_hosts_is_taken() {
	build_and_execute(|| {
		let mut order = spec(2, 10);
		let names: Vec<String> = (0..MAX_HOSTS)
			.map(|number| format!("{number}{}.{}", "a".repeat(30), "b".repeat(32)))
			.collect();
		assert!(names.iter().all(|name| name.len() == MAX_HOST as usize));
		let names: Vec<&str> = names.iter().map(String::as_str).collect();
		with_hosts(&mut order, &names);
		let id = create(order, ESCROW);
		let terms = call_terms(id).expect("it stands");
		assert_eq!(terms.hosts.len(), MAX_HOSTS as usize);
		assert!(terms.is_verifiable());
	});
}

#[test]
fn anybody_tops_up() {
	build_and_execute(|| {
		let id = create(spec(2, 10), ESCROW);
		let top_up = |who, amount| Market::top_up(RuntimeOrigin::signed(who), id, amount);
		assert_ok!(top_up(CLIENT, 5));
		assert_ok!(top_up(STRANGER, 7));
		assert_eq!(in_pot(), ESCROW + 20 + 12);
		assert_eq!(held(HoldReason::Escrow, STRANGER), 0);
		assert_eq!(Balances::free_balance(STRANGER), FUNDS - 7);
		assert_eq!(Market::deal_of(id).expect("it stands").escrow, ESCROW + 12);

		assert_noop!(top_up(STRANGER, 0), Error::<Test>::AmountZero);
		assert_noop!(top_up(STRANGER, FUNDS), Error::<Test>::FundsTooLow);
		assert_noop!(
			Market::top_up(RuntimeOrigin::signed(STRANGER), id + 1, 1),
			Error::<Test>::UnknownDeal
		);
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), id));
		assert_noop!(top_up(STRANGER, 1), Error::<Test>::DealEnding);
	});
}

#[test]
fn pages_of_deals_are_in_the_order_of_creation() {
	build_and_execute(|| {
		let ids: Vec<_> = (0..5).map(|_| create(spec(1, 10), ESCROW)).collect();
		assert_eq!(Market::deal_ids(None, 0, 3), ids[..3].to_vec());
		assert_eq!(Market::deal_ids(None, 3, 3), ids[3..].to_vec());
		assert_eq!(Market::deal_ids(Some(CLIENT), 2, 2), ids[2..4].to_vec());
		assert_eq!(Market::deal_ids(None, 0, u32::MAX).len(), 5);
	});
}

#[test]
fn parameters_are_those_of_new_records() {
	build_and_execute(|| {
		let id = create(spec(2, 10), ESCROW);
		let new = crate::MarketParams {
			deal_deposit: EXISTENTIAL_DEPOSIT,
			min_price: 11,
			..params()
		};
		// Otherwise an owner's account could be gone when its refund comes.
		let worthless = crate::MarketParams {
			deal_deposit: EXISTENTIAL_DEPOSIT - 1,
			..params()
		};
		assert_noop!(Market::apply_params(worthless), Contradiction);
		assert_ok!(Market::apply_params(new));
		refused(|_| {}, Error::PriceBelowMinimum);
		assert_eq!(
			Market::deal_of(id).expect("it stands").deposit,
			DEAL_DEPOSIT
		);
	});
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
	build_and_execute(|| {
		use crate::MarketParams;
		use sp_runtime::Perbill;
		let spoil: [fn(&mut MarketParams); 8] = [
			|params| params.grace_epochs = 0,
			// Three halves are more than the closing deposit has.
			|params| params.grace_epochs = 3,
			|params| params.grace_price = Perbill::from_parts(500_000_001),
			|params| params.payment_burn = Perbill::one(),
			|params| params.probe_burn = Perbill::zero(),
			|params| params.min_escrow_epochs = 0,
			|params| params.max_lapses = 0,
			|params| params.bounty_part = Perbill::from_percent(11),
		];
		for (index, spoil) in spoil.iter().enumerate() {
			let mut bad = params();
			spoil(&mut bad);
			assert!(!bad.is_valid(), "case {index}");
			assert_noop!(Market::apply_params(bad), Contradiction);
		}
		let long = MarketParams {
			grace_epochs: 24,
			grace_price: Perbill::from_parts(41_666_666),
			..params()
		};
		assert_ok!(Market::apply_params(long));
	});
}

#[test]
fn a_new_deal_brings_the_escrow_that_is_voted() {
	build_and_execute(|| {
		let five = crate::MarketParams {
			min_escrow_epochs: 5,
			..params()
		};
		assert_ok!(Market::apply_params(five));
		let short = Market::create_deal(RuntimeOrigin::signed(CLIENT), spec(2, 10), 99);
		assert_eq!(short, Err(Error::<Test>::EscrowTooSmall.into()));
		assert_eq!(Market::quote(spec(2, 10), 0).min_escrow, 100);
		create(spec(2, 10), 100);
	});
}

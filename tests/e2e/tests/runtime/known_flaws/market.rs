//! What users of other markets complain of, and where it is shown that it does not happen here: each by a
//! test through the whole runtime, or by one of a pallet or a daemon, or both. Tests of other crates are named
//! from their crate on, those of the program with real processes from `network` on, those of this one from its
//! root, and those of the modules below from here.
//!
//! | Complaint | Shown by |
//! |---|---|
//! | Leases go on when their money is used up, and keep machines from whoever would pay | `leases::known_flaw_leases_outlive_their_escrow`, `pallet_market::tests::closing::the_units_of_a_stopped_deal_are_free_for_the_next_epoch` |
//! | A deal dies at zero funds, without warning | `escrow::known_flaw_zero_funds_kill_the_deal_without_warning`, `pallet_market::tests::grace::grace_ends_halfway_when_the_deposit_is_restored`, `millrace::commands::deal::show::tests::who_looks_at_a_deal_in_grace_is_told_how_long_it_lasts_and_what_to_do` |
//! | Leases dangle: the machine is gone, and only its client may act | `leases::known_flaw_leases_dangle`, `pallet_market::tests::patrol::the_lost_are_taken_out_as_soon_as_they_are_known_and_without_a_bounty`, `pallet_market::tests::commitment::the_workers_end_and_the_deals_look_for_others`, `network::failover::a_lost_worker_is_replaced_and_one_with_notice_hands_over_without_a_failed_call` |
//! | One fault, restart or outage closes all leases | `leases::known_flaw_an_outage_closes_all_leases`, `network::worker_killed::a_killed_worker_loses_no_call_no_receipt_no_solution_and_no_pay`, `network::node_killed::a_killed_node_costs_its_worker_nothing` |
//! | A provider that leaves stops its client's deal | `pallet_market::tests::drain::another_worker_takes_the_place_before_the_first_is_gone` |
//! | A client that is failed by a machine is not made whole | `leases::known_flaw_leases_dangle`, `pallet_market::tests::lost::the_client_gets_no_more_than_the_bond_and_no_more_than_one_epoch` |
//! | Machines are listed and never matched, and nobody learns why | `matching::known_flaw_an_offer_is_listed_and_never_matched`, `pallet_market::tests::why_not::reasons_are_counted_over_all_offers_whether_or_not_they_are_in_the_book`, `pallet_market::tests::matching::every_reason_against_an_offer_has_a_name` |
//! | What a deal waits for is not to be seen in its state | `pallet_market::tests::why_not::every_reason_of_a_deal_that_looks_for_nobody_has_a_name` |
//! | A match is never acknowledged, and stays | `matching::known_flaw_a_match_is_never_acknowledged`, `pallet_market::tests::offers::three_assignments_in_a_row_that_come_to_nothing_close_the_offer` |
//! | Matching is done by an index outside of the chain, and what is wrong in a match is passed over | `pallet_market::tests::matching::what_is_matched_is_what_was_quoted_and_what_a_naive_matcher_takes` |
//! | One bid too many is taken | `known_flaws::known_flaw_provider_limit_off_by_one` |
//! | Offers are spam | `matching::known_flaw_offers_are_spam`, `pallet_market::tests::offers::only_free_proven_units_stand_in_the_book` |
//! | It is too early to rematch, which only a refusal tells | `matching::known_flaw_it_is_too_early_to_rematch`, `pallet_market::tests::sleep::a_new_epoch_wakes_everybody`, `pallet_market::tests::rematch::a_deal_moves_to_a_cheaper_worker_and_no_epoch_lies_between` |
//! | A worker goes on unpaid | `escrow::known_flaw_a_worker_works_unpaid`, `pallet_market::tests::grace::what_is_served_after_grace_is_not_paid_while_nobody_stops_the_deal`, `millrace_worker::snapshot::tests::a_deal_in_grace_is_served_and_reported_as_before_and_then_is_over`, `millrace_worker::snapshot::tests::nobody_is_served_for_nothing` |
//! | A client has machines for nothing | `pallet_market::tests::expiry::a_deal_that_cannot_pay_takes_no_workers`, `pallet_market::tests::expiry::assigned_workers_and_open_dues_count_against_the_escrow` |
//! | The final invoice is unpaid; bills lapse when nobody accepts them in time | `escrow::known_flaw_the_final_invoice_is_unpaid`, `pallet_market::tests::closing::what_a_stop_costs_does_not_depend_on_who_settled_before` |
//! | Pay begins with an entry; what failed is paid as what was done | `known_flaws::known_flaw_pay_without_a_report`, `pallet_market::tests::payments::what_is_not_reported_void_or_not_due_is_not_paid` |
//! | What clients pay does not reach providers | `pallet_market::tests::payments::a_reported_epoch_is_paid_once_and_two_per_cent_burn` |
//! | Time that was paid for and not served is not given back | `pallet_market::tests::payments::escrowed_is_paid_burnt_and_refunded`, `locked_funds::vote_locked_escrow_pays_in_full_and_comes_back` |
//! | Fractions are lost in rounding | `escrow::known_flaw_fractions_are_lost_in_rounding`, `pallet_market::tests::conservation::what_is_put_in_is_paid_burnt_and_refunded_whatever_happens` |
//! | Of an overdraft whoever comes first has all | `escrow::known_flaw_an_overdraft_pays_whoever_comes_first`, `pallet_market::tests::payments::dues_never_exceed_the_escrow` |
//! | One bad payment reverts all others | `pallet_market::tests::payments::a_deal_without_escrow_keeps_no_other_from_being_paid` |
//! | Stakes are stuck in a job that hangs, and so is its worker | `leases::known_flaw_stakes_are_stuck`, `pallet_market::tests::patrol::notice_that_is_served_is_paid_and_over`, `pallet_market::tests::probe_failures::the_chain_decides_without_anybody` |
//! | That the stake is too low shows only in a job that does not begin | `pallet_market::tests::workers::without_a_bond_there_is_no_duty`, `pallet_market::tests::workers::without_a_bond_the_assignment_is_given_up` |
//! | A download that does not end keeps a worker from all else | `millrace_worker::packages::tests::slow_links_do_not_delay_other_packages` |
//! | Rewards and prices are not to be seen before one begins | `pallet_market::tests::views::the_epochs_that_were_quoted_are_those_that_are_paid` |
//! | An index counts otherwise than the chain: negative workers, wrong units | `pallet_market::tests::stateful::anything_may_happen_in_any_order`, `views::every_view_is_encoded_as_the_runtime_describes_it` |
//! | Workers of more than one unit, other sizes of a deal come late or never | `known_flaws::known_flaw_a_fake_deal_captures_units`, `pallet_market::tests::resize::more_workers_raise_the_closing_deposit_and_are_looked_for` |
//! | Deals are one person's | `owners::two_who_sign_together_own_a_deal`, `owners::an_account_without_a_key_owns_a_deal_by_its_proxy` |
//! | Somebody else takes a name | `known_flaws::known_flaw_names_are_squatted` |
//! | Somebody decides who may provide | `known_flaws::known_flaw_whitelisted_providers` |
//!
//! What guests keep is no part of the market: a call has no state but what it asks hosts for.

mod escrow;
mod leases;
mod matching;

use super::workers;
use crate::{
	errors::scene::{
		account, asked, by, done, go_live, go_to, hand_in, offering, order, pass_audit, peer,
		report, ALICE, BOB, EVE,
	},
	threats::all_tests,
};
use frame_support::traits::fungible::{Inspect, InspectHold};
use millrace_primitives::{
	market::{split_payment, DealSpec},
	traits::Capacity as _,
	views::DealView,
	Balance, DealId, EpochIndex,
};
use millrace_runtime::{AccountId, Balances, Capacity, Market, Runtime};

type Call = pallet_market::Call<Runtime>;

/// All that an account has, held or not.
fn has(name: &str) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(&account(name))
}

/// What an account has besides its stake, so that no slash is in it.
fn unstaked(name: &str) -> Balance {
	let reason = pallet_capacity::HoldReason::Stake.into();
	has(name) - Balances::balance_on_hold(&reason, &account(name))
}

/// What is held of an account for its workers.
fn bonds(name: &str) -> Balance {
	let reason = pallet_market::HoldReason::WorkerBond.into();
	Balances::balance_on_hold(&reason, &account(name))
}

/// What everybody asks for here: the least price.
fn price() -> Balance {
	asked().ask
}

/// What a provider gets of a payment.
fn due(payment: Balance) -> Balance {
	split_payment(payment).0
}

fn view(deal: DealId) -> DealView<AccountId> {
	Market::deal_view(deal, |_| None).expect("it stands")
}

/// A new deal of Bob's with so much escrow.
fn ordered(spec: DealSpec<AccountId>, escrow: Balance) -> DealId {
	let deal = pallet_market::NextDeal::<Runtime>::get();
	done(by(BOB), Call::create_deal { spec, escrow });
	deal
}

/// A deal of Bob's whose escrow pays the first machine, which is Alice's, for epochs 3 and 4. Its closing
/// deposit is one epoch's price: 5 and 6 are in grace, at half of it.
fn two_paid_epochs(worker_bond: Balance) -> DealId {
	offering(ALICE, 1, 1);
	let spec = DealSpec {
		price_ceiling: price(),
		worker_bond,
		..order(1, 1)
	};
	let deal = ordered(spec, 2 * price());
	done(by(EVE), Call::match_deal { deal });
	go_live(1, deal);
	deal
}

/// Machines report all that they owe for an epoch, each with the deals that it served, and pass their
/// audits. All others are silent.
fn hand_in_all(epoch: EpochIndex, machines: &[(u16, &[DealId])]) {
	go_to(epoch + 1, 0);
	for &(n, deals) in machines {
		let owed = Capacity::work_of(peer(n), epoch).expect("the commitment stands");
		hand_in(n, &report(owed.idle, owed.busy, &[0], deals));
	}
	go_to(epoch + 1, 8);
	for &(n, _) in machines {
		pass_audit(n);
	}
}

/// As [`hand_in_all`], and once the epoch is closed it is settled.
fn serve(epoch: EpochIndex, machines: &[(u16, &[DealId])]) {
	hand_in_all(epoch, machines);
	go_to(epoch + 1, 16);
	for &(n, _) in machines {
		let peer = peer(n);
		// The matcher or the patrol may have been faster.
		if !Capacity::is_settled(peer) {
			done(by(EVE), pallet_capacity::Call::<Runtime>::settle { peer });
		}
	}
}

#[test]
fn every_complaint_names_a_test_that_there_is() {
	let tests = all_tests();
	let table = include_str!("market.rs").lines();
	let rows: Vec<&str> = table
		.filter_map(|line| line.strip_prefix("//! | "))
		.skip(1)
		.collect();
	assert!(rows.len() > 25, "{} rows", rows.len());
	for row in rows {
		let names: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
		assert!(!names.is_empty(), "no test: {row}");
		for name in names {
			let test = name.rsplit("::").next().unwrap_or(name);
			assert!(tests.contains(test), "there is no test {name}");
		}
	}
}

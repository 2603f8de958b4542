//! What reports and settlements weigh once they are done: what they did, never more than declared.

use super::*;
use crate::{Error, WeightInfo, MAX_BACKLOG};
use frame_support::{dispatch::GetDispatchInfo, weights::Weight};
use millrace_primitives::{
	report::Served,
	traits::{Capacity as CapacityTrait, WorkLedger},
};
use proptest::prelude::*;

/// Sends a duty: the weight that it declared, and the weight that it took.
fn weigh(call: Call<Test>) -> (Weight, Weight) {
	let declared = call.get_dispatch_info().call_weight;
	let authorized = call
		.authorize(TransactionSource::External)
		.expect("the call is a duty");
	assert!(authorized.is_ok(), "{authorized:?}");
	let done = call
		.dispatch_bypass_filter(RawOrigin::Authorized.into())
		.expect("an authorised duty never fails");
	(declared, done.actual_weight.expect("a report is weighed"))
}

/// The first peer's call of a report of two units and so many deals.
fn report_of(epoch: EpochIndex, deals: u32) -> Call<Test> {
	let served: Vec<_> = (0..deals)
		.map(|deal| Served {
			deal: deal.into(),
			calls: 1,
			gas: 2,
		})
		.collect();
	let report = Report {
		served: served.try_into().expect("no more than fit"),
		..claim(epoch, 2, 0)
	};
	report_call(1, report)
}

/// A report of so many deals that is noted, without what is settled on its way.
fn report_alone(deals: u32) -> Weight {
	<() as WeightInfo>::report(deals).saturating_add(MockWork::on_report_weight(deals))
}

fn own(settled: u32) -> Weight {
	<() as WeightInfo>::settle(settled)
}

#[test]
fn a_report_takes_what_it_lists_and_settles() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		go_to(2, 0);
		let (declared, took) = weigh(report_of(1, 0));
		// Nothing is closed yet.
		assert_eq!(took, report_alone(0).saturating_add(own(0)));
		assert!(took.saturating_mul(100).all_lte(declared));

		go_to(3, 0);
		let (declared, took) = weigh(report_of(2, 3));
		let settled = own(1).saturating_add(PAYMENT);
		assert_eq!(took, report_alone(3).saturating_add(settled));
		assert!(took.saturating_mul(20).all_lte(declared));
	});
}

#[test]
fn deals_that_are_not_noted_are_not_weighed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		go_to(60, 0);
		let (_, took) = weigh(report_of(59, 64));
		// The commitment turns out to have failed with its fortieth epoch.
		let settled = own(STEP)
			.saturating_add(LOOK.saturating_mul(STEP.into()))
			.saturating_add(ENDING);
		assert_eq!(took, <() as WeightInfo>::report(64).saturating_add(settled));
	});
}

#[test]
fn a_settlement_takes_what_was_there_to_settle() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		close(3);
		let call = Call::<Test>::settle { peer: peer(1) };
		let declared = call.get_dispatch_info().call_weight;
		let settle = || {
			call.clone()
				.dispatch_bypass_filter(RuntimeOrigin::signed(STRANGER))
		};
		let done = settle().expect("three epochs are closed");
		let expected = own(3).saturating_add(LOOK.saturating_mul(3));
		assert_eq!(done.actual_weight, Some(expected));
		assert!(expected.saturating_mul(10).all_lte(declared));

		let failed = settle().expect_err("all is settled");
		assert_eq!(failed.error, Error::<Test>::NothingToSettle.into());
		assert_eq!(failed.post_info.actual_weight, Some(own(0)));
	});
}

#[test]
fn the_market_is_told_what_a_settlement_took() {
	ExtBuilder::default().build_and_execute(|| {
		let settle = || <Capacity as CapacityTrait>::settle(peer(1));
		assert_eq!(settle(), own(0));
		commit(1, 2);
		close(STEP);
		let took = settle();
		assert_eq!(
			took,
			own(STEP)
				.saturating_add(LOOK.saturating_mul(STEP.into()))
				.saturating_add(ENDING)
		);
		assert!(took.all_lte(<Capacity as CapacityTrait>::settle_weight()));
		assert_eq!(settle(), own(0));
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(24))]

	#[test]
	fn no_report_takes_more_than_it_declared(
		reported in any::<bool>(),
		silent in 0u32..45,
		deals in 0u32..=64,
		payment in 0..=WORK_BOUND.ref_time(),
		ending in 0..=WORK_BOUND.ref_time(),
	) {
		ExtBuilder::default().build_and_execute(|| {
			PaymentWeight::set(Weight::from_parts(payment, 0));
			EndingWeight::set(Weight::from_parts(ending, 0));
			commit(1, 2);
			if reported {
				go_to(2, 0);
				let done = work(1, 1, 2, 0);
				send(report_call(1, done.report.clone())).expect("the report is due");
				go_to_answers(1);
				send(answer_call(1, answer(1, &done))).expect("the answer is due");
			}
			let backlog = u32::from(reported) + silent;
			go_to(backlog + 2, 0);
			let before = WorkCalls::get().len();
			let (declared, took) = weigh(report_of(backlog + 1, deals));
			assert!(took.all_lte(declared), "{took:?} of {declared:?}");

			let calls = WorkCalls::get().split_off(before);
			let told = |what: fn(&WorkCall) -> bool| calls.iter().filter(|call| what(call)).count();
			let settled = told(|call| matches!(call, WorkCall::Settled { .. })) as u32;
			let ended = told(|call| matches!(call, WorkCall::Over { .. })) as u64;
			let noted = told(|call| matches!(call, WorkCall::Reported { .. })) as u64;
			assert_eq!(settled, backlog.min(STEP + u32::from(reported)));
			assert!(settled <= MAX_BACKLOG);
			assert_eq!((ended, noted), if silent < STEP { (0, 1) } else { (1, 0) });

			let work = PaymentWeight::get()
				.saturating_mul(reported.into())
				.saturating_add(LOOK.saturating_mul((settled - u32::from(reported)).into()))
				.saturating_add(EndingWeight::get().saturating_mul(ended));
			let most = WORK_BOUND.saturating_mul(2);
			let expected = <() as WeightInfo>::report(deals)
				.saturating_add(MockWork::on_report_weight(deals).saturating_mul(noted))
				.saturating_add(own(settled))
				.saturating_add(work.min(most));
			assert_eq!(took, expected);
		});
	}
}

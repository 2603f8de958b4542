//! What reports and settlements weigh once they are done: what they did, never more than declared.

use super::*;
use crate::{rules::SILENT_EPOCHS, Audits, Error, WeightInfo};
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::Get,
	weights::{RuntimeDbWeight, Weight},
};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	commitment::MAX_STAKERS,
	report::Served,
	traits::{Capacity as CapacityTrait, WorkLedger},
	FLT,
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

/// What it takes to find that nothing is to settle.
fn idle() -> Weight {
	let weights: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
	weights.reads(6)
}

/// What a report and what is settled on its way have in common: the commitment, the clock's epoch
/// and position, and the provider's equivocations.
fn shared() -> Weight {
	let weights: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
	weights.reads_writes(4, 1)
}

/// A settlement that costs the provider stake, of however many epochs.
fn misses() -> Weight {
	<() as WeightInfo>::settle().saturating_add(<() as WeightInfo>::slash(1))
}

/// The draw's verdict over the first peer's report.
fn pass(epoch: EpochIndex) {
	let status = AuditStatus::Passed;
	Audits::<Test>::insert(peer(1), Audit { epoch, status });
}

#[test]
fn a_report_takes_what_it_lists_and_settles() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		go_to(2, 0);
		let (declared, took) = weigh(report_of(1, 0));
		// Nothing is closed yet.
		assert_eq!(took, report_alone(0));
		assert!(took.saturating_mul(100).all_lte(declared));

		go_to(3, 0);
		pass(1);
		let (declared, took) = weigh(report_of(2, 3));
		let settled = <() as WeightInfo>::settle()
			.saturating_add(PAYMENT)
			.saturating_sub(shared());
		assert_eq!(took, report_alone(3).saturating_add(settled));
		assert!(took.saturating_mul(20).all_lte(declared));
	});
}

#[test]
fn a_void_report_takes_the_slash_that_waits() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		go_to(2, 0);
		weigh(report_of(1, 0));
		go_to(3, 0);
		let (_, took) = weigh(report_of(2, 0));
		let settled = misses()
			.saturating_add(<() as WeightInfo>::wait_slash(1))
			.saturating_add(PAYMENT)
			.saturating_sub(shared());
		assert_eq!(took, report_alone(0).saturating_add(settled));
	});
}

#[test]
fn deals_that_are_not_noted_are_not_weighed() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 2);
		go_to(60, 0);
		let (_, took) = weigh(report_of(59, 64));
		// The commitment turns out to have failed with its fortieth epoch.
		let settled = misses()
			.saturating_add(<() as WeightInfo>::conclude())
			.saturating_add(LOOK)
			.saturating_add(ENDING)
			.saturating_sub(shared());
		assert_eq!(took, <() as WeightInfo>::report(64).saturating_add(settled));
	});
}

#[test]
fn a_settlement_takes_the_same_for_one_epoch_and_for_many() {
	for epochs in [1, 3, 39] {
		ExtBuilder::default().build_and_execute(|| {
			commit(1, 2);
			close(epochs);
			let call = Call::<Test>::settle { peer: peer(1) };
			let declared = call.get_dispatch_info().call_weight;
			let settle = || {
				call.clone()
					.dispatch_bypass_filter(RuntimeOrigin::signed(STRANGER))
			};
			let done = settle().expect("epochs are closed");
			let expected = misses().saturating_add(LOOK);
			assert_eq!(done.actual_weight, Some(expected));
			assert!(expected.saturating_mul(10).all_lte(declared));

			let failed = settle().expect_err("all is settled");
			assert_eq!(failed.error, Error::<Test>::NothingToSettle.into());
			assert_eq!(failed.post_info.actual_weight, Some(idle()));
		});
	}
}

#[test]
fn delegators_are_weighed_where_there_are_any() {
	ExtBuilder::default().build_and_execute(|| {
		commit_with(1, 2, DURATION, &[(DELEGATOR, 1_000 * FLT)], 0);
		close(1);
		let took = <Capacity as CapacityTrait>::settle(peer(1));
		let expected = <() as WeightInfo>::settle()
			.saturating_add(<() as WeightInfo>::slash(MAX_STAKERS))
			.saturating_add(LOOK);
		assert_eq!(took, expected);
	});
}

#[test]
fn the_market_is_told_what_a_settlement_took() {
	ExtBuilder::default().build_and_execute(|| {
		let settle = || <Capacity as CapacityTrait>::settle(peer(1));
		assert_eq!(settle(), idle());
		commit(1, 2);
		close(SILENT_EPOCHS);
		let took = settle();
		assert_eq!(
			took,
			misses()
				.saturating_add(<() as WeightInfo>::conclude())
				.saturating_add(LOOK)
				.saturating_add(ENDING)
		);
		assert!(took.all_lte(<Capacity as CapacityTrait>::settle_weight()));
		assert_eq!(settle(), idle());
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
			let told = |what: fn(&WorkCall) -> bool| {
				calls.iter().filter(|call| what(call)).count() as u64
			};
			let settled = told(|call| matches!(call, WorkCall::Settled { .. }));
			let ended = told(|call| matches!(call, WorkCall::Over { .. }));
			let noted = told(|call| matches!(call, WorkCall::Reported { .. }));
			// Told once, of however many epochs.
			assert_eq!(settled, u64::from(backlog > 0));
			assert_eq!((ended, noted), if silent < SILENT_EPOCHS { (0, 1) } else { (1, 0) });

			let mut expected = <() as WeightInfo>::report(deals)
				.saturating_add(MockWork::on_report_weight(deals).saturating_mul(noted));
			if backlog > 0 {
				expected.saturating_accrue(<() as WeightInfo>::settle());
				expected = expected.saturating_sub(shared());
				expected.saturating_accrue(if reported { PaymentWeight::get() } else { LOOK });
			}
			if silent > 0 {
				expected.saturating_accrue(<() as WeightInfo>::slash(1));
				// The reward's period is over, or the commitment is.
				let flush = <() as WeightInfo>::flush(1);
				expected.saturating_accrue(flush.saturating_mul(reported.into()));
			}
			let end = <() as WeightInfo>::conclude().saturating_add(EndingWeight::get());
			expected.saturating_accrue(end.saturating_mul(ended));
			assert_eq!(took, expected);
		});
	}
}

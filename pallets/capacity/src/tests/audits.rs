//! The duty to answer an audit: what passes, what fails, and who is refused.

use super::*;
use crate::{refusal, AuditFailure, Error, Event, WeightInfo};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, weights::Weight};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	traits::ReceiptLedger,
};
use sp_runtime::DispatchError;

/// The first peer reports honest work for epoch 1 and is drawn.
fn drawn_with(idle: u32, busy: u32) -> Work {
	commit(1, idle + busy);
	BusyUnits::mutate(|units| units.insert(peer(1), busy));
	go_to(2, 0);
	let done = work(1, 1, idle, busy);
	send(report_call(1, done.report.clone())).expect("the report is due");
	go_to_answers(1);
	assert_eq!(status(), AuditStatus::Open);
	events();
	done
}

fn status() -> AuditStatus {
	let audit = Capacity::audit_of(peer(1)).expect("the peer is drawn");
	assert_eq!(
		audit,
		Audit {
			epoch: 1,
			status: audit.status
		}
	);
	audit.status
}

/// Answers for the first peer; what it took, or why it is refused.
fn try_answer(answer: AuditAnswer) -> Result<Weight, DispatchError> {
	match duty(answer_call(1, answer)) {
		Ok(done) => Ok(done.actual_weight.expect("an answer is weighed")),
		Err(failed) => {
			// Whatever is wrong on its face is cheap.
			assert_eq!(failed.post_info.actual_weight, Some(checks()));
			Err(failed.error)
		}
	}
}

/// What an answer takes without any hash.
fn checks() -> Weight {
	<() as WeightInfo>::answer_checks()
}

/// What an answer takes with so many hashes.
fn checks_and(hashes: u64) -> Weight {
	checks().saturating_add(<() as WeightInfo>::randomx_hash().saturating_mul(hashes))
}

/// An answer that is wrong on its face changes nothing, and the right one can still be sent.
fn assert_refused(answer: AuditAnswer, error: Error<Test>) {
	assert_noop!(try_answer(answer), error);
	assert_eq!(status(), AuditStatus::Open);
}

/// An answer whose work or receipts do not hold is a verdict.
fn assert_fails(answer: AuditAnswer, reason: AuditFailure, took: Weight) {
	assert_eq!(try_answer(answer), Ok(took));
	assert_eq!(status(), AuditStatus::Failed);
	assert_eq!(
		events(),
		vec![Event::AuditFailed {
			peer: peer(1),
			epoch: 1,
			reason
		}]
	);
}

#[test]
fn honest_work_passes() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 2);
		let valid = send(answer_call(1, answer(1, &done))).expect("the answer is due");
		assert_eq!(valid.priority, u64::MAX);
		assert_eq!(
			valid.provides,
			vec![("millrace-duty", peer(1), 1u8, 1u32).encode()]
		);
		assert_eq!(valid.longevity, 8);
		assert_eq!(status(), AuditStatus::Passed);
		assert_eq!(
			events(),
			vec![Event::AuditPassed {
				peer: peer(1),
				epoch: 1
			}]
		);
		assert_eq!(
			send(answer_call(1, answer(1, &done))),
			refused(refusal::ALREADY_SENT)
		);
	});
}

#[test]
fn a_single_busy_unit_opens_what_it_has() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(0, 1);
		assert_eq!(answer(1, &done).solutions.len(), 1);
		assert_ok!(send(answer_call(1, answer(1, &done))));
		assert_eq!(status(), AuditStatus::Passed);
	});
}

#[test]
fn an_answer_takes_the_hashes_that_were_computed() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let call = answer_call(1, answer(1, &done));
		let declared = call.get_dispatch_info().call_weight;
		let took = checks_and(3).saturating_add(MockReceipts::open_weight());
		assert_eq!(declared, took);
		assert_eq!(try_answer(answer(1, &done)), Ok(took));
	});
}

#[test]
fn an_answer_that_is_wrong_on_its_face_may_be_mended() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut short = answer(1, &done);
		short.solutions.pop();
		assert_refused(short, Error::<Test>::SolutionCount);
		let mut none = answer(1, &done);
		none.solutions.clear();
		assert_refused(none, Error::<Test>::SolutionCount);
		assert_ok!(send(answer_call(1, answer(1, &done))));
		assert_eq!(status(), AuditStatus::Passed);
	});
}

#[test]
fn a_verdict_has_no_second_try() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		ReceiptsHold::set(false);
		assert_ok!(send(answer_call(1, answer(1, &done))));
		assert_eq!(status(), AuditStatus::Failed);
		ReceiptsHold::set(true);
		assert_eq!(
			send(answer_call(1, answer(1, &done))),
			refused(refusal::ALREADY_SENT)
		);
	});
}

#[test]
fn more_solutions_than_drawn_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(0, 1);
		let mut twice = answer(1, &done);
		let again = twice.solutions[0].clone();
		twice.solutions.try_push(again).expect("three fit");
		assert_refused(twice, Error::<Test>::SolutionCount);
	});
}

#[test]
fn another_report_than_the_one_taken_is_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut other = answer(1, &done);
		other.report.receipts = 1;
		assert_refused(other, Error::<Test>::OtherReport);
		// Not even a better one: the work of one unit more.
		let better = work(1, 1, 4, 0);
		assert_refused(answer(1, &better), Error::<Test>::OtherReport);
	});
}

#[test]
fn solutions_at_other_indices_are_refused() {
	ExtBuilder::default().build_and_execute(|| {
		// Sixteen leaves, so that every path is as long as any other.
		let done = drawn_with(4, 0);
		let mut swapped = answer(1, &done);
		swapped.solutions.as_mut().swap(0, 1);
		assert_refused(swapped, Error::<Test>::SolutionPath);
	});
}

#[test]
fn a_forged_path_is_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut forged = answer(1, &done);
		forged.solutions[0].path[0].0[0] ^= 1;
		assert_refused(forged, Error::<Test>::SolutionPath);
		let mut other = answer(1, &done);
		other.solutions[1].nonce ^= 1;
		assert_refused(other, Error::<Test>::SolutionPath);
	});
}

#[test]
fn a_path_that_is_too_long_or_too_short_is_refused() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut longer = answer(1, &done);
		longer.solutions[2]
			.path
			.try_push(Default::default())
			.expect("there is room");
		assert_refused(longer, Error::<Test>::SolutionPathLength);
		let mut shorter = answer(1, &done);
		shorter.solutions[0].path.pop();
		assert_refused(shorter, Error::<Test>::SolutionPathLength);
		let mut endless = answer(1, &done);
		while endless.solutions[0]
			.path
			.try_push(Default::default())
			.is_ok()
		{}
		assert_refused(endless, Error::<Test>::SolutionPathLength);
	});
}

#[test]
fn what_another_peer_or_epoch_opened_is_refused() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(2, 4);
		let done = drawn_with(4, 0);
		let mut others = answer(1, &work(2, 1, 4, 0));
		others.report = done.report.clone();
		assert_refused(others, Error::<Test>::SolutionPath);
		let mut earlier = answer(1, &done);
		earlier.solutions = answer(1, &work(1, 0, 4, 0)).solutions;
		assert_refused(earlier, Error::<Test>::SolutionPath);
	});
}

#[test]
fn work_that_was_not_done_fails_at_the_first_hash() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 3);
		go_to(2, 0);
		let faked = work_that(false, 1, 1, 3, 0);
		send(report_call(1, faked.report.clone())).expect("the report is due");
		go_to_answers(1);
		events();
		assert_fails(answer(1, &faked), AuditFailure::SolutionWork, checks_and(1));
	});
}

#[test]
fn the_work_of_another_under_an_own_root_fails() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		commit(1, 4);
		commit(2, 4);
		go_to(2, 0);
		// Whatever was solved by another peer solves nothing here, but for one try in four.
		let stolen = work(2, 1, 4, 0);
		send(report_call(1, stolen.report.clone())).expect("the report is due");
		go_to_answers(1);
		assert_ok!(try_answer(answer(1, &stolen)));
		assert_eq!(status(), AuditStatus::Failed);
	});
}

#[test]
fn receipts_that_do_not_hold_fail() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		ReceiptsHold::set(false);
		let took = checks_and(3).saturating_add(MockReceipts::open_weight());
		assert_fails(answer(1, &done), AuditFailure::Receipt, took);
	});
}

#[test]
fn answers_are_refused_with_a_code() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		let done = drawn_with(3, 0);
		let good = answer(1, &done);

		let signature = sign(2, good.hash(MockClock::genesis(), peer(1)));
		let by_other = Call::answer_audit {
			peer: peer(1),
			answer: good.clone(),
			signature,
		};
		assert_eq!(send(by_other), refused(refusal::BAD_SIGNATURE));
		assert_eq!(
			send(answer_call(2, good.clone())),
			refused(refusal::NOT_DRAWN)
		);
		assert_eq!(
			send(answer_call(3, good.clone())),
			refused(refusal::UNKNOWN_PEER)
		);
		let mut early = good.clone();
		early.report.epoch = 2;
		assert_eq!(send(answer_call(1, early)), refused(refusal::WRONG_EPOCH));

		close(1);
		assert_eq!(
			send(answer_call(1, good.clone())),
			refused(refusal::WINDOW_CLOSED)
		);
		go_to(3, 0);
		assert_eq!(send(answer_call(1, good)), refused(refusal::WRONG_EPOCH));
		assert_eq!(status(), AuditStatus::Open);
	});
}

//! The duty to answer an audit: what passes, what fails, and who is refused.

use super::*;
use crate::{refusal, AuditFailure, Event};
use codec::Encode;
use frame_support::assert_ok;
use millrace_primitives::audit::{Audit, AuditStatus};

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

fn assert_fails(answer: AuditAnswer, reason: AuditFailure) {
	assert_ok!(send(answer_call(1, answer)));
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
fn an_answer_has_one_try() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut short = answer(1, &done);
		short.solutions.pop();
		assert_fails(short, AuditFailure::SolutionCount);
		assert_eq!(
			send(answer_call(1, answer(1, &done))),
			refused(refusal::ALREADY_SENT)
		);
	});
}

#[test]
fn another_report_than_the_one_taken_fails() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut other = answer(1, &done);
		other.report.receipts = 1;
		assert_fails(other, AuditFailure::OtherReport);
	});
}

#[test]
fn solutions_at_other_indices_fail() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut swapped = answer(1, &done);
		swapped.solutions.as_mut().swap(0, 1);
		assert_fails(swapped, AuditFailure::SolutionPath);
	});
}

#[test]
fn a_forged_path_fails() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		let mut forged = answer(1, &done);
		forged.solutions[0].path[0].0[0] ^= 1;
		assert_fails(forged, AuditFailure::SolutionPath);
	});
}

#[test]
fn work_that_was_not_done_fails() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 3);
		go_to(2, 0);
		let faked = work_that(false, 1, 1, 3, 0);
		send(report_call(1, faked.report.clone())).expect("the report is due");
		go_to_answers(1);
		events();
		assert_fails(answer(1, &faked), AuditFailure::SolutionWork);
	});
}

#[test]
fn receipts_that_do_not_hold_fail() {
	ExtBuilder::default().build_and_execute(|| {
		let done = drawn_with(3, 0);
		ReceiptsHold::set(false);
		assert_fails(answer(1, &done), AuditFailure::Receipt);
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

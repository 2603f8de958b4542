//! Tests, a file for each feature. The builder checks the pallet's invariants at the end of each.

mod amnesty;
mod audits;
mod commitments;
mod draw;
mod earnings;
mod equivocations;
mod known_flaws;
mod missed;
mod offences;
mod reference;
mod refunds;
mod renewal;
mod reports;
mod retarget;
mod rewards;
mod rounds;
mod settlement;
mod silence;
mod slashes;
mod stateful;
mod try_state;
mod withdrawal;

use crate::{mock::*, Audits, Call, Commitments, Ledgers};
use frame_support::{
	pallet_prelude::{
		DispatchResult, DispatchResultWithPostInfo, InvalidTransaction, TransactionSource,
		TransactionValidityError, ValidTransaction,
	},
	traits::{fungible::InspectHold, Authorize, UnfilteredDispatchable},
};
use frame_system::RawOrigin;
use millrace_primitives::{
	audit::{drawn_solutions, Audit, AuditAnswer, AuditStatus, SolutionOpening},
	capacity::{meets, Puzzle},
	commitment::StakerTerms,
	merkle::Tree,
	report::Report,
	traits::{EpochClock, RandomX},
	Balance, EpochIndex,
};

/// A report with everything that an audit may ask for.
struct Work {
	report: Report,
	nonces: Vec<u64>,
	tree: Tree,
}

/// Does the work of an epoch for so many units of the n-th peer.
fn work(n: u8, epoch: EpochIndex, idle: u32, busy: u32) -> Work {
	work_that(true, n, epoch, idle, busy)
}

/// Leaves that all solve what they should, or that all do not.
fn work_that(solves: bool, n: u8, epoch: EpochIndex, idle: u32, busy: u32) -> Work {
	let row = Capacity::row(epoch).expect("the epoch has begun");
	let seed = MockClock::seed(epoch).expect("the mock knows all seeds");
	let nonces: Vec<u64> = (0..row.rates.leaves(idle, busy))
		.map(|index| {
			let (unit, k) = row
				.rates
				.leaf(idle, busy, index)
				.expect("the index is below all");
			let puzzle = Puzzle {
				genesis: MockClock::genesis(),
				peer: peer(n),
				unit,
				k,
			};
			(0u64..)
				.find(|nonce| {
					let hash = MockRandomX::hash(seed, puzzle.input(*nonce));
					meets(&hash.expect("the mock knows all keys"), row.target) == solves
				})
				.expect("there are many nonces")
		})
		.collect();
	let tree = Tree::new(nonces.iter().map(|nonce| nonce.to_le_bytes()));
	let report = Report {
		proven_idle: idle,
		proven_busy: busy,
		proofs_root: tree.root(),
		..Report::empty(epoch)
	};
	Work {
		report,
		nonces,
		tree,
	}
}

/// The answer that the n-th peer owes when its work is drawn.
fn answer(n: u8, work: &Work) -> AuditAnswer {
	let draw = MockClock::draw(work.report.epoch).expect("the mock knows all draws");
	let solutions: Vec<_> = drawn_solutions(draw, peer(n), work.tree.count())
		.into_iter()
		.map(|index| SolutionOpening {
			nonce: work.nonces[index as usize],
			path: work.tree.path(index).expect("the index is below all"),
		})
		.collect();
	AuditAnswer {
		report: work.report.clone(),
		solutions: solutions.try_into().expect("no more are drawn than fit"),
		receipts: Default::default(),
	}
}

/// A report that claims units without having proven them.
fn claim(epoch: EpochIndex, idle: u32, busy: u32) -> Report {
	Report {
		proven_idle: idle,
		proven_busy: busy,
		..Report::empty(epoch)
	}
}

/// The n-th peer's signed call of its report.
fn report_call(n: u8, report: Report) -> Call<Test> {
	let signature = sign(n, report.hash(MockClock::genesis(), peer(n)));
	Call::report {
		peer: peer(n),
		report,
		signature,
	}
}

/// The n-th peer's signed call of its answer.
fn answer_call(n: u8, answer: AuditAnswer) -> Call<Test> {
	let signature = sign(n, answer.hash(MockClock::genesis(), peer(n)));
	Call::answer_audit {
		peer: peer(n),
		answer,
		signature,
	}
}

/// Authorises and dispatches a duty, as a block does.
fn send(call: Call<Test>) -> Result<ValidTransaction, TransactionValidityError> {
	let authorized = call
		.authorize(TransactionSource::External)
		.expect("the call is a duty");
	let (valid, _) = authorized?;
	call.dispatch_bypass_filter(RawOrigin::Authorized.into())
		.expect("an authorised duty never fails");
	Ok(valid)
}

/// The outcome of [`send`] for a duty that is refused with a code.
fn refused(code: u8) -> Result<ValidTransaction, TransactionValidityError> {
	Err(InvalidTransaction::Custom(code).into())
}

/// A call of an account.
fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// The outcome of a call, whatever it weighs.
fn plain(outcome: DispatchResultWithPostInfo) -> DispatchResult {
	match outcome {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}

/// The n-th peer's commitment.
fn commitment(n: u8) -> crate::Commitment<u64> {
	Commitments::<Test>::get(peer(n)).expect("the peer has a commitment")
}

/// What stakers of the n-th peer's round sign.
fn round_terms(n: u8) -> StakerTerms {
	Capacity::round(peer(n)).expect("a round is open").terms
}

/// Signs the n-th peer's round as it stands.
fn pledge(who: u64, n: u8, keep: Balance, add: Balance) -> DispatchResult {
	plain(Capacity::stake(
		signed(who),
		peer(n),
		round_terms(n),
		keep,
		add,
	))
}

/// What an account has on hold.
fn held(who: u64, reason: crate::HoldReason) -> Balance {
	Balances::balance_on_hold(&RuntimeHoldReason::Capacity(reason), &who)
}

/// Pledges, stakes and leaving stakes of an account.
fn places(who: u64) -> u32 {
	Ledgers::<Test>::get(who).map_or(0, |ledger| ledger.places)
}

/// On to the block in which an epoch is closed. Nobody reports what lies between.
fn pass(epoch: EpochIndex) {
	jump(epoch + 1);
	close_quickly(epoch);
}

/// The n-th peer proves all that it owes for an epoch, which closes.
fn serve(n: u8, epoch: EpochIndex) {
	jump(epoch + 1);
	let units = commitment(n).units_at(epoch);
	duty(report_call(n, claim(epoch, units, 0))).expect("a report never fails");
	close_quickly(epoch);
	let status = AuditStatus::Passed;
	Audits::<Test>::insert(peer(n), Audit { epoch, status });
}

//! Tests, a file for each feature. The builder checks the pallet's invariants at the end of each.

mod audits;
mod commitments;
mod draw;
mod model;
mod refunds;
mod reports;
mod settlement;
mod try_state;

use crate::{mock::*, Call};
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
	},
	traits::{Authorize, UnfilteredDispatchable},
};
use frame_system::RawOrigin;
use millrace_primitives::{
	audit::{drawn_solutions, AuditAnswer, SolutionOpening},
	capacity::{meets, Puzzle},
	merkle::Tree,
	report::Report,
	traits::{EpochClock, RandomX},
	EpochIndex,
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

//! Tests, a file for each feature. The builder checks the pallet's invariants at the end of each.

mod commits;
mod contest;
mod demands;
mod histories;
mod inspection;
mod known_flaws;
mod money;
mod omission;
mod opening;
mod params;
mod removal;
mod replay;
mod ring;
mod stateful;
mod try_state;

use crate::{mock::*, Call, Commits, Error, Event, HoldReason, Opened, Opening, Params};
use codec::Encode;
use frame_support::{
	assert_ok,
	pallet_prelude::{
		DispatchResult, DispatchResultWithPostInfo, InvalidTransaction, TransactionSource,
		TransactionValidityError, ValidTransaction,
	},
	traits::{
		fungible::{Inspect, InspectHold},
		Authorize, UnfilteredDispatchable,
	},
};
use frame_system::RawOrigin;
use millrace_primitives::{
	challenge::{
		commitment, posted_hash, shown_hash, CaseId, Charge, Evidence, OffenceKind, Shown, Wanted,
	},
	effects::Transcript,
	execution::{Receipt, SignedReceipt},
	merkle::Tree,
	report::Report,
	traits::{EpochClock, ReceiptLedger},
	Balance, EpochIndex, H256,
};
use sp_core::Pair;

/// What hides every challenge of these tests.
const SALT: H256 = H256::repeat_byte(6);

/// A call of an account.
fn by(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// The outcome of a call, whatever it weighs.
fn plain(outcome: DispatchResultWithPostInfo) -> DispatchResult {
	match outcome {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}

/// All events of the pallet since the last look.
fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}

/// Names a case by its receipt.
fn case_of(charge: Charge, receipt: &Receipt) -> CaseId {
	CaseId {
		peer: receipt.peer,
		epoch: receipt.epoch,
		charge,
		subject: receipt.hash(),
	}
}

/// What an account commits to.
fn name_of(who: u64, case: CaseId) -> H256 {
	commitment(MockClock::genesis(), &who, &case, SALT)
}

/// Commits to a case.
fn commit(who: u64, case: CaseId) {
	assert_ok!(Receipts::commit(by(who), name_of(who, case)));
}

/// Reveals a case.
fn reveal(
	who: u64,
	case: CaseId,
	evidence: impl Into<Option<Evidence>>,
) -> DispatchResultWithPostInfo {
	Receipts::reveal(by(who), case, SALT, evidence.into().map(Box::new))
}

/// Commits to a case and reveals it as early as can be.
fn challenge(who: u64, case: CaseId, evidence: Evidence) -> DispatchResult {
	commit(who, case);
	pass(2);
	plain(reveal(who, case, evidence))
}

/// Concludes a case once its contest is over.
fn conclude(epoch: EpochIndex, kind: OffenceKind) {
	pass(params().contest_blocks + 1);
	assert_ok!(Receipts::conclude(by(STRANGER), peer(), epoch, kind));
}

/// A receipt that is seen to be false, its case and its evidence.
fn seen_false(change: impl FnOnce(&mut Receipt)) -> (CaseId, Evidence) {
	let mut receipt = receipt(0);
	change(&mut receipt);
	let case = case_of(Charge::Inspection, &receipt);
	let (receipt, leaf) = (sign(receipt), None);
	(case, Evidence::Inspection { receipt, leaf })
}

/// One that bills more gas than the deal grants.
fn overbilled() -> (CaseId, Evidence) {
	seen_false(|receipt| receipt.gas = MOST_GAS + 1)
}

/// Evidence that a call ends otherwise.
fn replay_of(receipt: SignedReceipt) -> Evidence {
	Evidence::Replay {
		receipt,
		terms: terms(),
		package: PACKAGE.to_vec().try_into().expect("it is small"),
		request: request().encode().try_into().expect("it is small"),
		transcript: Transcript::default()
			.encode()
			.try_into()
			.expect("it is small"),
	}
}

/// The case and evidence of a replay of the honest receipt.
fn replayed() -> (CaseId, Evidence) {
	let receipt = receipt(0);
	let case = case_of(Charge::Replay, &receipt);
	(case, replay_of(sign(receipt)))
}

/// The peer reports receipts.
fn report(receipts: &[Receipt]) -> (Report, Tree) {
	let epoch = receipts.first().map_or(1, |receipt| receipt.epoch);
	let tree = Tree::new(receipts.iter().map(Receipt::hash));
	let report = Report {
		receipts: receipts.len() as u32,
		receipts_root: tree.root(),
		..Report::empty(epoch)
	};
	let hash = report.hash(MockClock::genesis(), peer());
	Receipts::on_report(peer(), epoch, hash);
	(report, tree)
}

/// The claim that a receipt is left out of a report.
fn omitted(receipt: Receipt, report: &Report) -> (CaseId, Evidence) {
	let case = case_of(Charge::Omitted, &receipt);
	let (receipt, report) = (sign(receipt), report.clone());
	(case, Evidence::Omitted { receipt, report })
}

/// The peer's signed call that shows a leaf.
fn show_call(case: CaseId, shown: Shown) -> Call<Test> {
	let hash = shown_hash(MockClock::genesis(), &case, &shown);
	Call::show {
		peer: case.peer,
		case,
		shown,
		signature: pair().sign(hash.as_bytes()).0,
	}
}

/// The peer's signed call that posts data.
fn post_call(seq: u32, wanted: Wanted, hash: H256, data: Vec<u8>) -> Call<Test> {
	let signed = posted_hash(MockClock::genesis(), peer(), 1, seq, wanted, hash);
	Call::post {
		peer: peer(),
		epoch: 1,
		seq,
		wanted,
		data: data.try_into().expect("it is small"),
		signature: pair().sign(signed.as_bytes()).0,
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

/// The peer has opened these receipts of epoch 1.
fn open(receipts: &[Receipt]) {
	let receipts: Vec<_> = receipts.iter().cloned().map(sign).collect();
	let opening = Opening {
		epoch: 1,
		receipts: receipts.try_into().expect("two at most"),
	};
	Opened::<Test>::insert(peer(), 1, opening);
}

fn free(who: u64) -> Balance {
	Balances::free_balance(who)
}

fn held(who: u64, reason: HoldReason) -> Balance {
	Balances::balance_on_hold(&RuntimeHoldReason::Receipts(reason), &who)
}

fn issuance() -> Balance {
	<Balances as Inspect<u64>>::total_issuance()
}

/// What the second half of a bond is, of which the provider gets the first, rounded down.
fn half_of(bond: Balance) -> Balance {
	bond / 2
}

/// The bond of these tests.
fn bond() -> Balance {
	Params::<Test>::get().bond
}

/// How many commitments an account has.
fn commits(who: u64) -> usize {
	Commits::<Test>::iter_prefix(who).count()
}

/// An error of the pallet, as a call's outcome.
fn error(error: Error<Test>) -> DispatchResult {
	Err(error.into())
}

//! Referenda as the client builds and reads them: its calls are the runtime's, and the views tell where a
//! referendum stands from its submission to its end.

mod calls;
mod views;

use crate::{
	errors::scene::{account, by, done, on_dev_chain, ALICE, METADATA},
	samples::{metadata, peer},
};
use codec::{DecodeAll, Encode};
use frame_support::traits::{fungible::Inspect, Hooks};
use frame_system::RawOrigin;
use millrace_client::{
	calls::{
		governance::{self as gov, Proposal},
		Call, CallText,
	},
	AccountId,
};
use millrace_primitives::{
	governance::{ParameterInfo, ParameterKind},
	hash::blake2_256,
	referenda::{
		Ballot, Enactment, ReferendumPhase, ReferendumView, TrackLock, VoteLock, VoteView,
		VotingView,
	},
	BlockNumber, U256,
};
use millrace_runtime::{
	referenda, Balances, Governed, OriginCaller, RuntimeCall, Scheduler, System,
};
use sp_runtime::Perbill;

pub(crate) use calls::pairs;

/// Blocks in which a development chain has decided.
const PATIENCE: BlockNumber = 100;

/// Makes a call that the client built.
#[track_caller]
fn make(name: &str, call: Call) {
	let bytes = call.encode(&METADATA).expect("the runtime has it");
	let call = RuntimeCall::decode_all(&mut &bytes[..]).expect("the runtime reads it");
	done(by(name), call);
}

/// A view as the client reads what the runtime says.
fn read(index: u32) -> ReferendumView<AccountId> {
	let view = referenda::referendum(index).expect("it was submitted");
	ReferendumView::decode_all(&mut &view.encode()[..]).expect("the client reads it")
}

fn phase(index: u32) -> ReferendumPhase {
	read(index).phase
}

fn voting(name: &str) -> VotingView<AccountId> {
	let view = referenda::voting(account(name));
	VotingView::decode_all(&mut &view.encode()[..]).expect("the client reads it")
}

/// A block begins, with what was scheduled for it.
fn tick() {
	let number = System::block_number() + 1;
	System::set_block_number(number);
	Scheduler::on_initialize(number);
}

/// A parameter of its own track, and another value that it takes.
fn wanted() -> (ParameterInfo, U256) {
	let info = Governed::parameters()
		.into_iter()
		.find(|info| info.track == "market" && info.kind == ParameterKind::Flt)
		.expect("the market has amounts");
	let value = match info.value < info.most {
		true => info.value + 1,
		false => info.value - 1,
	};
	assert!(info.allows(value), "{info:?}");
	(info, value)
}

#[test]
fn a_referendum_is_read_from_its_submission_to_its_enactment() {
	on_dev_chain(|| {
		let (info, value) = wanted();
		let rules = referenda::rules();
		let track = rules.tracks.iter().find(|track| track.name == info.track);
		let track = track.expect("every parameter has a track");
		let argument = info.parameter(value).expect("its kind can hold it");
		let call = gov::set_parameter(&argument)
			.encode(&METADATA)
			.expect("the runtime has it");
		let proposal = Proposal::of(&call);
		make(
			ALICE,
			gov::submit(&track.origin, &proposal, Enactment::After(0)),
		);
		assert_eq!(referenda::rules().referenda, 1);
		let submitted = System::block_number();
		let view = read(0);
		let until = submitted + rules.undecided_blocks;
		assert_eq!(view.phase, ReferendumPhase::NeedsDeposit { until });
		let deposit = view.submission_deposit.expect("it is held");
		assert_eq!(deposit.amount, rules.submission_deposit);
		let ongoing = view.ongoing.expect("it goes on");
		assert_eq!((ongoing.track, ongoing.submitted), (track.id, submitted));
		assert_eq!((ongoing.call, ongoing.has_preimage), (call.clone(), true));
		assert_eq!(ongoing.proposal, blake2_256(&call));
		assert!(!ongoing.tally.passes());

		make(ALICE, gov::place_decision_deposit(0));
		let until = submitted + track.prepare_blocks;
		assert_eq!(phase(0), ReferendumPhase::Preparing { until });

		let balance = <Balances as Inspect<_>>::total_balance(&account(ALICE)) / 2;
		let ballot = Ballot::Side {
			aye: true,
			conviction: 2,
			balance,
		};
		make(ALICE, gov::vote(0, &ballot));
		let tally = read(0).ongoing.expect("it goes on").tally;
		assert_eq!((tally.ayes, tally.nays), (2 * balance, 0));
		assert_eq!((tally.support, tally.approval), (balance, Perbill::one()));
		let vote = |lock| VoteView {
			referendum: 0,
			track: track.id,
			ballot,
			lock,
		};
		assert_eq!(voting(ALICE).votes, [vote(VoteLock::Ongoing)]);
		let lock = TrackLock {
			track: track.id,
			locked: balance,
			needed: balance,
			past: 0,
			past_until: 0,
		};
		assert_eq!(voting(ALICE).locks, [lock]);

		let (at, enacts) = until_approved();
		assert_eq!(enacts, at + track.enactment_blocks);
		while phase(0)
			== (ReferendumPhase::Approved {
				at,
				enacts: Some(enacts),
			}) {
			assert!(System::block_number() < enacts, "it is late");
			tick();
		}
		assert_eq!(System::block_number(), enacts);
		assert_eq!(phase(0), ReferendumPhase::Approved { at, enacts: None });
		let told = Governed::parameters();
		let told = told.iter().find(|told| told.name == info.name);
		assert_eq!(told.map(|told| told.value), Some(value));

		let until = at + 2 * rules.lock_blocks;
		assert_eq!(voting(ALICE).votes, [vote(VoteLock::Until(until))]);
		make(ALICE, gov::remove_vote(track.id, 0));
		let rest = voting(ALICE);
		assert!(rest.votes.is_empty());
		let past = TrackLock {
			past: balance,
			past_until: until,
			..lock
		};
		assert_eq!(rest.locks, [past]);

		make(ALICE, gov::refund_submission_deposit(0));
		make(ALICE, gov::refund_decision_deposit(0));
		let view = read(0);
		assert_eq!(
			(view.submission_deposit, view.decision_deposit),
			(None, None)
		);
		assert_eq!(referenda::referenda(0, 9).len(), 1);
	});
}

/// Goes on until the only referendum is approved, and looks at every step that it takes.
fn until_approved() -> (BlockNumber, BlockNumber) {
	for _ in 0..PATIENCE {
		let (before, now) = (read(0), System::block_number());
		tick();
		match (before.phase, phase(0)) {
			// A phase lasts as long as it was said to.
			(ReferendumPhase::Preparing { until }, ReferendumPhase::Preparing { .. }) => {
				assert!(now + 1 < until)
			}
			(ReferendumPhase::Deciding { .. }, ReferendumPhase::Confirming { .. }) => {
				let tally = before.ongoing.expect("it goes on").tally;
				assert_eq!(tally.passes_from, Some(now + 1));
				assert!(read(0).ongoing.expect("it goes on").tally.passes());
			}
			(
				ReferendumPhase::Confirming { until, .. },
				ReferendumPhase::Approved { at, enacts },
			) => {
				assert_eq!(until, at);
				return (at, enacts.expect("it is scheduled"));
			}
			_ => {}
		}
	}
	panic!("not approved after {PATIENCE} blocks: {:?}", phase(0));
}

#[test]
fn a_long_call_is_looked_up_for_one_referendum_and_not_for_a_page() {
	on_dev_chain(|| {
		let code = gov::set_code(&[7; 10_000]);
		let call = code.encode(&METADATA).expect("the runtime has it");
		let proposal = Proposal::of(&call);
		let root = OriginCaller::system(RawOrigin::Root).encode();
		make(ALICE, gov::submit(&root, &proposal, Enactment::After(0)));
		let ongoing = read(0).ongoing.expect("it goes on");
		assert!(!ongoing.has_preimage && ongoing.call.is_empty());
		assert!(!referenda::has_preimage(blake2_256(&call)));

		make(ALICE, gov::note_preimage(&call));
		assert!(referenda::has_preimage(blake2_256(&call)));
		let ongoing = read(0).ongoing.expect("it goes on");
		assert!(ongoing.has_preimage && call.starts_with(&ongoing.call));
		let text = CallText::of(&ongoing.call, &METADATA).expect("the runtime has it");
		assert_eq!(
			(text.to_string(), text.arguments),
			("System.set_code".into(), None)
		);
		let page = referenda::referenda(0, 1).remove(0).ongoing;
		assert!(page.expect("it goes on").call.is_empty());
	});
}

#[test]
fn a_proposed_call_is_told_by_the_runtimes_own_names() {
	let call = gov::cancel_slash(peer(), 7);
	for version in [14, 15, 16] {
		let metadata = metadata(version);
		let bytes = call.encode(&metadata).expect("the runtime has it");
		let text = CallText::of(&bytes, &metadata).expect("the runtime has it");
		assert_eq!(text.to_string(), "Capacity.cancel_slash");
		let arguments = text.arguments.expect("it is whole");
		let names: Vec<_> = arguments.iter().map(|(name, _)| name.as_str()).collect();
		assert_eq!(names, ["peer", "slash"]);
		assert!(
			arguments[0].1.contains(&hex::encode([5; 32])),
			"{arguments:?}"
		);
		assert_eq!(arguments[1].1, "7");
		let cut = CallText::of(&bytes[..9], &metadata).expect("its beginning is enough");
		assert_eq!(
			(cut.to_string().as_str(), cut.arguments),
			("Capacity.cancel_slash", None)
		);
		assert_eq!(CallText::of(&[255, 255], &metadata), None);
		assert_eq!(CallText::of(&[0], &metadata), None);
	}
}

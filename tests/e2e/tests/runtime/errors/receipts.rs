//! Errors of challenges and demands, and the codes with which a peer's answers to them are refused.

use super::scene::{
	account, assert_all_raised, by, commit, done, duty, genesis_hash, go_to, hand_in, on_dev_chain,
	peer, pooled, refusal_of, refuses, report, sign, tick, ALICE, BOB, CHARLIE,
};
use crate::samples;
use codec::Encode;
use millrace_client::calls::{self, Call};
use millrace_primitives::{
	challenge::{
		commitment, posted_hash, shown_hash, CaseId, Charge, Evidence, OffenceKind, Shown, Wanted,
	},
	effects::Transcript,
	execution::{
		package_hash, CallStatus, CallTerms, Receipt, Request, SignedReceipt, ARBITRATION_GAS,
		MAX_REQUEST_RECORD, UNVERIFIED,
	},
	market::{Abi, CallLimits, Hosts, Package},
	merkle::Tree,
	report::Report,
	traits::EpochClock,
	DealId, EpochIndex, Gas, H256,
};
use millrace_runtime::{Epochs, Runtime};
use pallet_receipts::{
	refusal, Answered, Answers, Case, Cases, Clients, OpenDemandCount, OpenDemands, Opened,
	Opening, OpeningClients, Posted, ShowsOf, MAX_COMMITS, MAX_OTHER_DEMANDS, MAX_SHOWS, RING,
};
use sp_runtime::Perbill;

type Receipts = pallet_receipts::Call<Runtime>;

/// The epoch of all receipts here; it is judged in the next one.
const EPOCH: EpochIndex = 1;
/// A deal that does not stand.
const DEAL: DealId = 99;
/// What its workers ran. Nothing can run it.
const MODULE: &[u8] = b"no module";
const SALT: H256 = H256::repeat_byte(1);

/// The n-th machine's receipt of the epoch: good, but for what is changed.
fn signed(n: u16, change: impl FnOnce(&mut Receipt)) -> SignedReceipt {
	let info = <Epochs as EpochClock>::info(EPOCH).expect("it is remembered");
	let mut receipt = Receipt {
		genesis: genesis_hash(),
		seed: <Epochs as EpochClock>::seed(EPOCH).expect("it is remembered"),
		deal: DEAL,
		peer: peer(n),
		epoch: EPOCH,
		seq: 0,
		package: package_hash(MODULE),
		request: Request::default().hash(),
		status: CallStatus::Exited(0),
		block: info.start,
		..samples::receipt().receipt
	};
	change(&mut receipt);
	let signature = sign(n, receipt.hash());
	SignedReceipt { receipt, signature }
}

/// Two machines of Alice's, after the epoch. The first one has reported the two receipts that come
/// with its report, the second one nothing.
fn setting() -> ([SignedReceipt; 2], Report) {
	for n in [1, 2] {
		commit(ALICE, n, 2, 100);
	}
	go_to(EPOCH + 1, 0);
	let receipts = [0, 1].map(|seq| signed(1, |receipt| receipt.seq = seq));
	let report = Report {
		receipts: 2,
		receipts_root: tree(&receipts).root(),
		..report(2, 0, &[0], &[])
	};
	hand_in(1, &report);
	(receipts, report)
}

fn tree(receipts: &[SignedReceipt]) -> Tree {
	Tree::new(receipts.iter().map(|signed| signed.receipt.hash()))
}

fn of(signed: &SignedReceipt, charge: Charge) -> CaseId {
	CaseId {
		peer: signed.receipt.peer,
		epoch: signed.receipt.epoch,
		charge,
		subject: signed.receipt.hash(),
	}
}

fn inspection(receipt: &SignedReceipt) -> Evidence {
	Evidence::Inspection {
		receipt: receipt.clone(),
		leaf: None,
	}
}

fn omission(receipt: &SignedReceipt, report: &Report) -> Evidence {
	Evidence::Omitted {
		receipt: receipt.clone(),
		report: report.clone(),
	}
}

/// Commits to a case.
#[track_caller]
fn promise(who: &str, case: &CaseId) {
	let commitment = commitment(genesis_hash(), &account(who), case, SALT);
	done(by(who), Receipts::commit { commitment });
}

fn reveal(case: CaseId, evidence: Option<Evidence>) -> Receipts {
	Receipts::reveal {
		case,
		salt: SALT,
		evidence: evidence.map(Box::new),
	}
}

fn conclude() -> Receipts {
	Receipts::conclude {
		peer: peer(1),
		epoch: EPOCH,
		kind: OffenceKind::Fraud,
	}
}

fn close_show(subject: H256) -> Receipts {
	Receipts::close_show {
		peer: peer(1),
		subject,
	}
}

fn demand(seq: u32, wanted: Wanted) -> Receipts {
	Receipts::demand {
		peer: peer(1),
		epoch: EPOCH,
		seq,
		wanted,
	}
}

fn expire(seq: u32, wanted: Wanted) -> Receipts {
	Receipts::expire_demand {
		peer: peer(1),
		epoch: EPOCH,
		seq,
		wanted,
	}
}

fn pass(blocks: u32) {
	for _ in 0..blocks {
		tick();
	}
}

#[test]
fn every_error_of_receipts_is_raised() {
	for scene in [commitments, evidence, replays, ends, demands] {
		on_dev_chain(scene);
	}
	let unreachable = "for what cannot be; seen by pallet tests' invariants alone";
	assert_all_raised("Receipts", &[("Defensive", unreachable)]);
}

fn commitments() {
	let bob = by(BOB);
	let ([honest, _], _) = setting();
	let case = of(&honest, Charge::Inspection);
	let commitment = commitment(genesis_hash(), &account(BOB), &case, SALT);
	let forget = || Receipts::forget_commit {
		who: account(BOB),
		commitment,
	};
	let revealed = || reveal(case, Some(inspection(&honest)));
	refuses!(Receipts::NoCommit, bob.clone(), revealed());
	refuses!(Receipts::NoCommit, by(CHARLIE), forget());
	promise(BOB, &case);
	refuses!(
		Receipts::AlreadyCommitted,
		bob.clone(),
		Receipts::commit { commitment }
	);
	// It is Bob's, and nobody else's.
	refuses!(Receipts::NoCommit, by(CHARLIE), revealed());
	for other in 1..MAX_COMMITS as u8 {
		let commitment = H256::repeat_byte(other);
		done(bob.clone(), Receipts::commit { commitment });
	}
	refuses!(
		Receipts::TooManyCommits,
		bob.clone(),
		Receipts::commit {
			commitment: H256::zero()
		}
	);
	refuses!(Receipts::TooEarly, bob.clone(), revealed());
	pass(1);
	refuses!(Receipts::TooEarly, bob.clone(), revealed());
	pass(15);
	refuses!(Receipts::NotFalse, bob.clone(), revealed());
	refuses!(Receipts::StillRevealable, by(CHARLIE), forget());
	pass(1);
	refuses!(Receipts::TooLate, bob.clone(), revealed());
	done(by(CHARLIE), forget());
	refuses!(Receipts::NoCommit, bob, revealed());
}

fn evidence() {
	let bob = by(BOB);
	let ([honest, next], report) = setting();
	let mut forged = signed(1, |receipt| receipt.gas += 1);
	forged.signature = sign(2, forged.receipt.hash());
	let silent = signed(2, |_| ());
	let inspected = of(&honest, Charge::Inspection);
	let before = CaseId {
		epoch: EPOCH - 1,
		..inspected
	};
	let double = of(&honest, Charge::DoubleSeq);
	let smaller = CaseId {
		subject: honest.receipt.hash().min(next.receipt.hash()),
		..double
	};
	let omitted = of(&honest, Charge::Omitted);
	let mut cases = vec![
		inspected,
		before,
		double,
		omitted,
		of(&forged, Charge::Inspection),
		of(&silent, Charge::Omitted),
	];
	if smaller != double {
		cases.push(smaller);
	}
	for case in &cases {
		promise(BOB, case);
	}
	pass(2);

	let twice = |first: &SignedReceipt, second: &SignedReceipt| Evidence::DoubleSeq {
		first: first.clone(),
		second: second.clone(),
	};
	macro_rules! reveals {
		($error:ident, $case:expr, $evidence:expr) => {
			refuses!(Receipts::$error, bob.clone(), reveal($case, $evidence))
		};
	}
	reveals!(NoEvidence, inspected, None);
	reveals!(OtherCase, inspected, Some(inspection(&next)));
	reveals!(OtherCase, inspected, Some(omission(&honest, &report)));
	reveals!(NotFalse, inspected, Some(inspection(&honest)));
	reveals!(NotFalse, double, Some(twice(&honest, &honest)));
	reveals!(NotFalse, smaller, Some(twice(&honest, &next)));
	reveals!(PeriodOver, before, Some(inspection(&honest)));
	reveals!(
		BadEvidence,
		of(&forged, Charge::Inspection),
		Some(inspection(&forged))
	);
	reveals!(
		NoReport,
		of(&silent, Charge::Omitted),
		Some(omission(&silent, &report))
	);
	let other = Report {
		proven_idle: 1,
		..report.clone()
	};
	reveals!(OtherReport, omitted, Some(omission(&honest, &other)));
	ShowsOf::<Runtime>::insert(peer(1), MAX_SHOWS);
	reveals!(TooManyShows, omitted, Some(omission(&honest, &report)));
	ShowsOf::<Runtime>::remove(peer(1));

	// Its slot of the ring is not free yet.
	let place = (EPOCH % RING, OffenceKind::Fraud);
	let old = Case {
		epoch: EPOCH - 1,
		charge: Charge::Inspection,
		subject: H256::zero(),
		proven: 1,
		leader: account(CHARLIE),
		committed: 1,
		contest_until: 1,
		part: Perbill::from_percent(50),
		reward: Perbill::from_percent(30),
		concluded: false,
	};
	Cases::<Runtime>::insert(peer(1), place, old);
	reveals!(OlderCaseOpen, inspected, Some(inspection(&honest)));
	Cases::<Runtime>::remove(peer(1), place);
	reveals!(NotFalse, inspected, Some(inspection(&honest)));
}

/// Terms of the deal that does not stand any more.
fn terms(gas: Gas) -> CallTerms {
	let package = Package {
		hash: package_hash(MODULE),
		size: MODULE.len() as u32,
		links: Default::default(),
		abi: Abi::default(),
	};
	let limits = CallLimits {
		gas,
		memory_bytes: 65_536,
		request_bytes: 1_024,
		response_bytes: 1_024,
	};
	CallTerms::new(DEAL, &package, limits, Hosts::default())
}

/// The n-th machine's receipt of a call that took all gas that it was granted.
fn called(n: u16, gas: Gas) -> SignedReceipt {
	let terms = terms(gas);
	signed(n, |receipt| {
		receipt.profile = terms.profile;
		receipt.terms = terms.hash(genesis_hash());
		receipt.gas = gas;
	})
}

fn replay(receipt: &SignedReceipt, terms: CallTerms) -> Evidence {
	let (request, transcript) = (Request::default(), Transcript::default());
	Evidence::Replay {
		receipt: receipt.clone(),
		terms,
		package: MODULE.to_vec().try_into().expect("it is short"),
		request: request.encode().try_into().expect("it is short"),
		transcript: transcript.encode().try_into().expect("it is short"),
	}
}

fn replays() {
	let bob = by(BOB);
	setting();
	let (gas, too_much) = (1_000, ARBITRATION_GAS + 1);
	let [one, other] = [1, 2].map(|n| called(n, gas));
	let costly = called(1, too_much);
	for receipt in [&one, &other, &costly] {
		promise(BOB, &of(receipt, Charge::Replay));
	}
	pass(2);
	let reveals = |receipt: &SignedReceipt, terms: CallTerms| {
		reveal(of(receipt, Charge::Replay), Some(replay(receipt, terms)))
	};
	refuses!(
		Receipts::NotReplayable,
		bob.clone(),
		reveals(&costly, terms(too_much))
	);
	refuses!(
		Receipts::BadEvidence,
		bob.clone(),
		reveals(&one, terms(gas + 1))
	);
	// Nothing can run that package, so that no receipt of it is true. The judge says so once a block.
	done(bob.clone(), reveals(&one, terms(gas)));
	refuses!(
		Receipts::BlockTaken,
		bob.clone(),
		reveals(&other, terms(gas))
	);
	pass(1);
	done(bob, reveals(&other, terms(gas)));
}

fn ends() {
	let bob = by(BOB);
	let ([honest, _], report) = setting();
	// A call that trapped has no response.
	let lie = signed(1, |receipt| receipt.status = CallStatus::Trapped);
	let (fraud, omitted) = (of(&lie, Charge::Inspection), of(&honest, Charge::Omitted));
	refuses!(Receipts::NoCase, bob.clone(), conclude());
	refuses!(Receipts::NoShow, bob.clone(), close_show(omitted.subject));
	promise(BOB, &fraud);
	promise(BOB, &omitted);
	pass(2);
	done(bob.clone(), reveal(fraud, Some(inspection(&lie))));
	done(
		bob.clone(),
		reveal(omitted, Some(omission(&honest, &report))),
	);
	pass(8);
	refuses!(Receipts::ContestOpen, bob.clone(), conclude());
	refuses!(
		Receipts::StillOpen,
		bob.clone(),
		close_show(omitted.subject)
	);
	pass(1);
	done(bob.clone(), conclude());
	refuses!(Receipts::NoCase, bob.clone(), conclude());
	done(bob.clone(), close_show(omitted.subject));
	refuses!(Receipts::NoShow, bob, close_show(omitted.subject));
}

/// Takes receipts for opened in an audit: for scenes that are not about it.
fn opened(receipts: Vec<SignedReceipt>) {
	let opening = Opening {
		epoch: EPOCH,
		receipts: receipts.try_into().expect("two fit"),
	};
	Opened::<Runtime>::insert(peer(1), EPOCH % RING, opening);
}

fn demands() {
	let bob = by(BOB);
	let ([plain, _], _) = setting();
	let unverified = signed(1, |receipt| {
		receipt.seq = 1;
		receipt.profile |= UNVERIFIED;
	});
	let package = plain.receipt.package;
	opened(vec![plain, unverified]);
	let (request, transcript) = (Wanted::Request, Wanted::Transcript);
	refuses!(Receipts::NotOpened, bob.clone(), demand(7, request));
	refuses!(Receipts::Unverified, bob.clone(), demand(1, request));
	refuses!(Receipts::NoTranscript, bob.clone(), demand(0, transcript));
	let clients = OpeningClients {
		epoch: EPOCH,
		clients: vec![(0, account(ALICE))].try_into().expect("one fits"),
	};
	Clients::<Runtime>::insert(peer(1), EPOCH % RING, clients);
	refuses!(Receipts::NotClient, bob.clone(), demand(0, request));
	Clients::<Runtime>::remove(peer(1), EPOCH % RING);
	Posted::<Runtime>::insert(package, 1);
	refuses!(
		Receipts::AlreadyPosted,
		bob.clone(),
		demand(0, Wanted::Package)
	);
	Posted::<Runtime>::remove(package);
	OpenDemands::<Runtime>::put(OpenDemandCount {
		packages: 0,
		others: MAX_OTHER_DEMANDS,
	});
	refuses!(Receipts::TooManyDemands, bob.clone(), demand(0, request));
	OpenDemands::<Runtime>::kill();
	refuses!(Receipts::NoDemand, bob.clone(), expire(0, request));

	done(bob.clone(), demand(0, request));
	refuses!(Receipts::AlreadyDemanded, by(CHARLIE), demand(0, request));
	pass(10);
	refuses!(Receipts::StillOpen, bob.clone(), expire(0, request));
	pass(1);
	done(bob.clone(), expire(0, request));
	refuses!(Receipts::NotOpened, bob.clone(), demand(0, request));

	let answers = Answers {
		epoch: EPOCH,
		withheld: true,
		data: vec![(0, request)].try_into().expect("one fits"),
	};
	Answered::<Runtime>::insert(peer(1), EPOCH % RING, answers);
	opened(vec![signed(1, |_| ())]);
	refuses!(Receipts::AlreadyAnswered, bob, demand(0, request));
}

/// The n-th machine's answer to a claim, signed.
fn shown(n: u16, case: &CaseId, shown: &Shown) -> Call {
	let signature = sign(n, shown_hash(genesis_hash(), case, shown));
	calls::receipts::show(case.peer, case, shown, signature)
}

#[test]
fn leaves_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		let (receipts, report) = setting();
		let cases = receipts.each_ref().map(|one| of(one, Charge::Omitted));
		for case in &cases {
			promise(BOB, case);
		}
		pass(2);
		for (case, receipt) in cases.iter().zip(&receipts) {
			done(by(BOB), reveal(*case, Some(omission(receipt, &report))));
		}

		let answer = |index: u64| Shown {
			report: report.clone(),
			path: tree(&receipts).path(index).expect("there are two"),
		};
		let good = shown(1, &cases[0], &answer(0));
		let unknown = CaseId {
			peer: peer(9),
			..cases[0]
		};
		let code = refusal_of(&shown(9, &unknown, &answer(0)));
		assert_eq!(code, refusal::UNKNOWN_PEER);
		for other in [
			CaseId {
				subject: H256::zero(),
				..cases[0]
			},
			CaseId {
				epoch: EPOCH + 1,
				..cases[0]
			},
		] {
			let code = refusal_of(&shown(1, &other, &answer(0)));
			assert_eq!(code, refusal::NOT_ASKED);
		}
		let forged = shown(2, &cases[0], &answer(0));
		assert_eq!(refusal_of(&forged), refusal::BAD_SIGNATURE);
		let mut other = answer(0);
		other.report.proven_idle = 1;
		let code = refusal_of(&shown(1, &cases[0], &other));
		assert_eq!(code, refusal::OTHER_REPORT);
		let code = refusal_of(&shown(1, &cases[0], &answer(1)));
		assert_eq!(code, refusal::BAD_PATH);

		assert_eq!(pooled(&good).err(), None);
		let call = Receipts::show {
			peer: peer(1),
			case: cases[0],
			shown: answer(0),
			signature: [0; 64],
		};
		done(duty(), call);
		assert_eq!(refusal_of(&good), refusal::NOT_ASKED);
		// The pool looks from the block that comes.
		pass(7);
		let late = shown(1, &cases[1], &answer(1));
		assert_eq!(pooled(&late).err(), None);
		pass(1);
		assert_eq!(refusal_of(&late), refusal::WINDOW_CLOSED);
	});
}

/// What the n-th machine posts for the first machine's first receipt, which names data of that hash.
fn posted(n: u16, seq: u32, wanted: Wanted, data: &[u8], hash: H256) -> Call {
	let message = posted_hash(genesis_hash(), peer(1), EPOCH, seq, wanted, hash);
	calls::receipts::post(peer(1), EPOCH, seq, wanted, data, sign(n, message))
}

#[test]
fn posts_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		let ([plain, _], _) = setting();
		opened(vec![plain]);
		let (package, request) = (Wanted::Package, Wanted::Request);
		for wanted in [package, request] {
			done(by(BOB), demand(0, wanted));
		}
		let (data, hash) = (Request::default().encode(), Request::default().hash());
		let good = posted(1, 0, request, &data, hash);
		let unknown = calls::receipts::post(peer(9), EPOCH, 0, request, &data, [0; 64]);
		assert_eq!(refusal_of(&unknown), refusal::UNKNOWN_PEER);
		let not_asked = posted(1, 1, request, &data, hash);
		assert_eq!(refusal_of(&not_asked), refusal::NOT_ASKED);
		let large = vec![0; MAX_REQUEST_RECORD as usize + 1];
		let code = refusal_of(&posted(1, 0, request, &large, hash));
		assert_eq!(code, refusal::TOO_LARGE);
		let forged = posted(2, 0, request, &data, hash);
		assert_eq!(refusal_of(&forged), refusal::BAD_SIGNATURE);
		let longer = [&data[..], &[0]].concat();
		for other in [b"other".as_slice(), &[], longer.as_slice()] {
			let code = refusal_of(&posted(1, 0, request, other, hash));
			assert_eq!(code, refusal::OTHER_DATA);
		}

		let module = posted(1, 0, package, MODULE, package_hash(MODULE));
		assert!(pooled(&module).is_ok());
		let call = Receipts::post {
			peer: peer(1),
			epoch: EPOCH,
			seq: 0,
			wanted: package,
			data: MODULE.to_vec().try_into().expect("it is short"),
			signature: [0; 64],
		};
		done(duty(), call);
		assert_eq!(refusal_of(&module), refusal::NOT_ASKED);
		pass(9);
		assert_eq!(pooled(&good).err(), None);
		pass(1);
		assert_eq!(refusal_of(&good), refusal::WINDOW_CLOSED);
	});
}

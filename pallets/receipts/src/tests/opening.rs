//! Opened receipts: what holds, and each reason why one does not.

use crate::{mock::*, Clients, Event, OpeningError};
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	execution::{
		empty_transcript, response_hash, CallStatus, Receipt, SignedReceipt, PROFILE_V1, UNVERIFIED,
	},
	merkle::Tree,
	peer::PeerId,
	report::Report,
	traits::{EpochClock, ReceiptLedger},
	H256,
};
use sp_core::Pair;

/// The peer's honest receipt of epoch 1.
fn receipt(seq: u32) -> Receipt {
	Receipt {
		genesis: MockClock::genesis(),
		seed: MockClock::seed(1).expect("the mock knows all seeds"),
		deal: DEAL,
		peer: peer(),
		epoch: 1,
		seq,
		package: package(),
		profile: PROFILE_V1,
		terms: terms().hash(MockClock::genesis()),
		request: H256::repeat_byte(4),
		response: H256::repeat_byte(5),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: MOST_GAS,
		block: 30,
	}
}

fn draw() -> H256 {
	MockClock::draw(1).expect("the mock knows all draws")
}

/// A report over the receipts, and what the draw asks for of it.
fn report_over(receipts: &[Receipt]) -> (Report, Vec<ReceiptOpening>) {
	let tree = Tree::new(receipts.iter().map(Receipt::hash));
	let count = receipts.len() as u32;
	let report = Report {
		receipts: count,
		receipts_root: tree.root(),
		..Report::empty(1)
	};
	let openings = drawn_receipts(draw(), peer(), u64::from(count))
		.into_iter()
		.map(|index| {
			let receipt = receipts[index as usize].clone();
			let signature = pair().sign(receipt.hash().as_bytes()).0;
			let path = tree.path(index).expect("the index is below all");
			ReceiptOpening {
				receipt: SignedReceipt { receipt, signature },
				path,
			}
		})
		.collect();
	(report, openings)
}

fn open(report: &Report, openings: &[ReceiptOpening]) -> bool {
	Receipts::open(peer(), report, draw(), openings)
}

fn refusal() -> Option<OpeningError> {
	System::read_events_for_pallet::<Event<Test>>()
		.into_iter()
		.find_map(|event| match event {
			Event::OpeningRefused {
				peer: refused,
				epoch: 1,
				reason,
			} if refused == peer() => Some(reason),
			_ => None,
		})
}

/// Asserts that a receipt, changed before it is signed and reported, does not hold.
fn assert_refused(reason: OpeningError, change: impl Fn(&mut Receipt)) {
	build_and_execute(|| {
		let mut changed = receipt(0);
		change(&mut changed);
		let (report, openings) = report_over(&[changed]);
		assert!(!open(&report, &openings));
		assert_eq!(refusal(), Some(reason));
		assert!(Receipts::opened(peer(), 1).is_empty());
	});
}

#[test]
fn honest_receipts_hold_and_are_kept() {
	build_and_execute(|| {
		let receipts: Vec<_> = (0..9).map(receipt).collect();
		let (report, openings) = report_over(&receipts);
		assert_eq!(openings.len(), 2);
		assert!(open(&report, &openings));
		let kept: Vec<_> = openings
			.into_iter()
			.map(|opening| opening.receipt)
			.collect();
		assert_eq!(Receipts::opened(peer(), 1), kept);
		assert!(Receipts::opened(peer(), 65).is_empty());
		assert_eq!(
			System::read_events_for_pallet::<Event<Test>>(),
			vec![Event::ReceiptsOpened {
				peer: peer(),
				epoch: 1,
				kept: 2
			}]
		);
	});
}

#[test]
fn a_report_without_receipts_opens_none() {
	build_and_execute(|| {
		assert!(open(&Report::empty(1), &[]));
		assert!(System::read_events_for_pallet::<Event<Test>>().is_empty());
		let (_, openings) = report_over(&[receipt(0)]);
		assert!(!open(&Report::empty(1), &openings));
		assert_eq!(refusal(), Some(OpeningError::Count));
	});
}

#[test]
fn fewer_than_drawn_are_refused_and_those_that_hold_are_kept() {
	build_and_execute(|| {
		let receipts: Vec<_> = (0..9).map(receipt).collect();
		let (report, openings) = report_over(&receipts);
		assert!(!open(&report, &openings[..1]));
		assert_eq!(refusal(), Some(OpeningError::Count));
		assert_eq!(
			Receipts::opened(peer(), 1),
			vec![openings[0].receipt.clone()]
		);
	});
}

#[test]
fn openings_of_other_leaves_are_refused() {
	build_and_execute(|| {
		let receipts: Vec<_> = (0..9).map(receipt).collect();
		let (report, mut openings) = report_over(&receipts);
		openings.swap(0, 1);
		assert!(!open(&report, &openings));
		assert_eq!(refusal(), Some(OpeningError::Path));
	});
}

#[test]
fn a_receipt_changed_after_the_report_is_refused() {
	build_and_execute(|| {
		let (report, mut openings) = report_over(&[receipt(0)]);
		openings[0].receipt.receipt.response = H256::zero();
		assert!(!open(&report, &openings));
		assert_eq!(refusal(), Some(OpeningError::Path));
	});
}

#[test]
fn a_signature_of_another_is_refused() {
	build_and_execute(|| {
		let (report, mut openings) = report_over(&[receipt(0)]);
		openings[0].receipt.signature[0] ^= 1;
		assert!(!open(&report, &openings));
		assert_eq!(refusal(), Some(OpeningError::Signature));
	});
}

#[test]
fn false_claims_are_refused_with_their_reason() {
	assert_refused(OpeningError::Sequence, |receipt| receipt.seq = 1);
	assert_refused(OpeningError::Genesis, |receipt| {
		receipt.genesis = H256::zero()
	});
	assert_refused(OpeningError::Seed, |receipt| receipt.seed = H256::zero());
	assert_refused(OpeningError::Peer, |receipt| {
		receipt.peer = PeerId::default()
	});
	assert_refused(OpeningError::Epoch, |receipt| receipt.epoch = 0);
	assert_refused(OpeningError::Block, |receipt| receipt.block = 20);
	assert_refused(OpeningError::Block, |receipt| receipt.block = 41);
	assert_refused(OpeningError::Worker, |receipt| receipt.deal = 6);
	assert_refused(OpeningError::Package, |receipt| {
		receipt.package = H256::zero()
	});
	assert_refused(OpeningError::Gas, |receipt| receipt.gas = MOST_GAS + 1);
	assert_refused(OpeningError::Profile, |receipt| receipt.profile = 2);
	assert_refused(OpeningError::Profile, |receipt| {
		receipt.profile |= UNVERIFIED
	});
	assert_refused(OpeningError::Terms, |receipt| receipt.terms = H256::zero());
	assert_refused(OpeningError::Outcome, |receipt| {
		receipt.status = CallStatus::OutOfGas;
		receipt.response = response_hash(&[]);
		receipt.gas = MOST_GAS - 1;
	});
	assert_refused(OpeningError::Outcome, |receipt| {
		receipt.transcript = H256::zero()
	});
}

#[test]
fn a_call_that_failed_has_the_empty_response() {
	for status in [
		CallStatus::Exited(1),
		CallStatus::Trapped,
		CallStatus::OutOfGas,
		CallStatus::StackOverflow,
		CallStatus::ResponseTooLarge,
	] {
		assert_refused(OpeningError::Outcome, |receipt| receipt.status = status);
		assert_refused(OpeningError::Outcome, |receipt| {
			receipt.status = status;
			receipt.response = response_hash(&[]);
			receipt.transcript = H256::zero();
		});
		build_and_execute(|| {
			let honest = Receipt {
				status,
				response: response_hash(&[]),
				..receipt(0)
			};
			let (report, openings) = report_over(&[honest]);
			assert!(open(&report, &openings));
		});
	}
}

#[test]
fn a_key_signs_only_inside_its_interval() {
	assert_refused(OpeningError::Signature, |receipt| {
		receipt.block = KEY_SINCE - 1
	});
	build_and_execute(|| {
		let first = Receipt {
			block: KEY_SINCE,
			..receipt(0)
		};
		let (report, openings) = report_over(&[first]);
		assert!(open(&report, &openings));
	});
}

#[test]
fn a_receipt_names_the_package_of_its_block() {
	build_and_execute(|| {
		let before = update(29, 1);
		let of_before = |block| Receipt {
			package: before.package,
			terms: before.hash(MockClock::genesis()),
			block,
			..receipt(0)
		};
		for honest in [of_before(28), of_before(40), receipt(0)] {
			let (report, openings) = report_over(&[honest]);
			assert!(open(&report, &openings));
		}
		// The one of today did not count yet.
		let early = Receipt {
			block: 28,
			..receipt(0)
		};
		let (report, openings) = report_over(&[early]);
		assert!(!open(&report, &openings));
		assert_eq!(refusal(), Some(OpeningError::Package));
	});
	build_and_execute(|| {
		let before = update(29, 0);
		let late = Receipt {
			package: before.package,
			terms: before.hash(MockClock::genesis()),
			..receipt(0)
		};
		let (report, openings) = report_over(&[late]);
		assert!(!open(&report, &openings));
		assert_eq!(refusal(), Some(OpeningError::Package));
	});
}

#[test]
fn terms_of_a_deal_that_is_gone_are_not_asked_for() {
	build_and_execute(|| {
		DealStands::set(false);
		let (report, openings) = report_over(&[Receipt {
			gas: MOST_GAS + 1,
			terms: H256::zero(),
			profile: PROFILE_V1 | UNVERIFIED,
			transcript: H256::zero(),
			..receipt(0)
		}]);
		assert!(open(&report, &openings));
	});
}

#[test]
fn the_owner_of_a_private_deal_is_kept_with_what_was_opened_of_it() {
	build_and_execute(|| {
		PrivateTo::set(Some(ALICE));
		let (report, openings) = report_over(&[receipt(0), receipt(1)]);
		assert!(open(&report, &openings));
		for opening in &openings {
			let seq = opening.receipt.receipt.seq;
			assert_eq!(Receipts::client_of(peer(), 1, seq), Some(ALICE));
		}
		assert_eq!(Receipts::client_of(peer(), 1, 7), None);
		assert_eq!(Receipts::client_of(peer(), 2, 0), None);
		// What the deal says afterwards changes nothing, nor that it is gone.
		PrivateTo::set(Some(BOB));
		DealStands::set(false);
		let seq = openings[0].receipt.receipt.seq;
		assert_eq!(Receipts::client_of(peer(), 1, seq), Some(ALICE));

		// What is opened later in the same slot is not taken for hers.
		DealStands::set(true);
		PrivateTo::set(None);
		assert!(open(&report, &openings));
		assert_eq!(Receipts::client_of(peer(), 1, seq), None);
		assert_eq!(Clients::<Test>::iter().count(), 0);
	});
}

use super::*;
use millrace_primitives::{
	challenge::Charge,
	execution::{empty_transcript, response_hash, CallStatus, Receipt, PROFILE_V1},
};

const PEER: PeerId = PeerId(H256::repeat_byte(7));

pub(crate) fn signed(peer: PeerId, epoch: EpochIndex, seq: u32, response: &[u8]) -> SignedReceipt {
	SignedReceipt {
		receipt: Receipt {
			genesis: H256::repeat_byte(1),
			seed: H256::zero(),
			deal: 3,
			peer,
			epoch,
			seq,
			package: H256::zero(),
			profile: PROFILE_V1,
			terms: H256::zero(),
			request: H256::zero(),
			response: response_hash(response),
			transcript: empty_transcript(),
			status: CallStatus::Exited(0),
			gas: 10,
			block: 90,
		},
		signature: [0; 64],
	}
}

fn open(folder: &tempfile::TempDir) -> Records {
	Records::open(folder.path(), H256::repeat_byte(1)).expect("the folder is writable")
}

fn folder() -> tempfile::TempDir {
	tempfile::tempdir().expect("a temporary folder")
}

fn suspicion(charge: Charge, subject: u8) -> (Suspicion, Evidence) {
	let case = CaseId {
		peer: PEER,
		epoch: 4,
		charge,
		subject: H256::repeat_byte(subject),
	};
	let evidence = Evidence::Inspection {
		receipt: signed(PEER, 4, 0, b"a"),
		leaf: None,
	};
	let suspicion = Suspicion {
		case,
		salt: H256::repeat_byte(9),
		stage: Stage::Waiting,
	};
	(suspicion, evidence)
}

#[test]
fn a_number_with_two_receipts_is_noticed() {
	let (folder, first) = (folder(), signed(PEER, 4, 0, b"a"));
	let records = open(&folder);
	let hold = |receipts: &[SignedReceipt]| records.hold(receipts).expect("it is stored");
	assert!(hold(&[first.clone(), signed(PEER, 4, 1, b"a")]).is_empty());
	// The same one once more is no offence.
	assert!(hold(&[first.clone()]).is_empty());
	let second = signed(PEER, 4, 0, b"b");
	assert_eq!(hold(&[second.clone()]), [(first.clone(), second)]);
	assert!(hold(&[signed(PEER, 5, 0, b"b")]).is_empty());
	let held = records.held(PEER, 4).expect("it is read");
	assert_eq!(held, [first, signed(PEER, 4, 1, b"a")]);
	let groups = records.held_groups().expect("they are read");
	assert_eq!(groups, [(PEER, 4), (PEER, 5)].into());
	records.let_go(PEER, 4).expect("they go");
	assert!(records.held(PEER, 4).expect("it is read").is_empty());
	assert_eq!(records.held(PEER, 5).expect("it is read").len(), 1);
}

#[test]
fn numbers_are_in_the_order_of_their_size() {
	let folder = folder();
	let records = open(&folder);
	let receipts = [256, 1, 255, 2].map(|seq| signed(PEER, 4, seq, b"a"));
	records.hold(&receipts).expect("they are stored");
	let held = records.held(PEER, 4).expect("they are read");
	let numbers: Vec<u32> = held.iter().map(|signed| signed.receipt.seq).collect();
	assert_eq!(numbers, [1, 2, 255, 256]);
}

#[test]
fn a_receipt_is_looked_at_once() {
	let folder = folder();
	let mut check = Check::opened(signed(PEER, 4, 0, b"a"));
	let key = Key::new(&check.receipt);
	{
		let records = open(&folder);
		let added = records.add_checks(&[check.clone()]).expect("it is stored");
		assert_eq!(added, [key.clone()]);
		check.tries = 2;
		records.set_check(&key, &check).expect("it is stored");
	}
	// A watcher that starts again goes on where it was.
	let records = open(&folder);
	let again = records.add_checks(&[Check::opened(check.receipt.clone())]);
	assert!(again.expect("it is read").is_empty());
	assert_eq!(
		records.checks().expect("they are read"),
		[(key.clone(), check.clone())]
	);
	records.end_check(&key).expect("it is stored");
	assert_eq!(records.check(&key).expect("it is read"), None);
	let again = records.add_checks(&[check]);
	assert!(again.expect("it is read").is_empty());
}

#[test]
fn a_peer_is_charged_once_for_an_epoch_and_kind() {
	let folder = folder();
	let records = open(&folder);
	let begin = |charge, subject| {
		let (suspicion, evidence) = suspicion(charge, subject);
		let begun = records.suspect(&suspicion, &evidence);
		begun.expect("it is stored")
	};
	assert!(begin(Charge::Replay, 1));
	assert!(!begin(Charge::Replay, 2));
	assert!(!begin(Charge::Inspection, 3));
	assert!(begin(Charge::Omitted, 4));
	assert!(!begin(Charge::DoubleSeq, 5));
	assert_eq!(records.suspicions().expect("they are read").len(), 2);
}

#[test]
fn what_came_to_nothing_is_in_nobodys_way() {
	let folder = folder();
	let records = open(&folder);
	let (mut first, evidence) = suspicion(Charge::Replay, 1);
	assert!(records.suspect(&first, &evidence).expect("it is stored"));
	for (end, next) in [(End::Won, false), (End::Moot, false), (End::Refused, true)] {
		first.stage = Stage::Over(end);
		records.set_suspicion(&first).expect("it is stored");
		let (second, evidence) = suspicion(Charge::Replay, 2);
		let begun = records.suspect(&second, &evidence);
		assert_eq!(begun.expect("it is stored"), next, "{end:?}");
	}
}

#[test]
fn salts_and_proofs_survive_until_the_end() {
	let folder = folder();
	let (mut first, evidence) = suspicion(Charge::Replay, 1);
	{
		let records = open(&folder);
		records.suspect(&first, &evidence).expect("it is stored");
		first.stage = Stage::Committing;
		records.set_suspicion(&first).expect("it is stored");
	}
	let records = open(&folder);
	let case = first.case;
	assert_eq!(
		records.suspicion(&case).expect("it is read"),
		Some(first.clone())
	);
	assert_eq!(records.evidence(&case).expect("it is read"), Some(evidence));
	// It is old, but a bond hangs on it.
	records.prune(100).expect("they go");
	assert_eq!(
		records.suspicion(&case).expect("it is read"),
		Some(first.clone())
	);
	first.stage = Stage::Over(End::Won);
	records.set_suspicion(&first).expect("it is stored");
	assert_eq!(records.evidence(&case).expect("it is read"), None);
	records.prune(4).expect("they go");
	assert!(records.suspicion(&case).expect("it is read").is_some());
	records.prune(5).expect("they go");
	assert!(records.suspicion(&case).expect("it is read").is_none());
}

#[test]
fn slashes_are_remembered_until_they_are_applied() {
	let folder = folder();
	let records = open(&folder);
	records.add_slash((PEER, 4, 9)).expect("it is stored");
	records.add_slash((PEER, 4, 10)).expect("it is stored");
	assert_eq!(records.slashes().expect("they are read"), [(PEER, 4, 10)]);
	records.end_slash(PEER, 4).expect("it goes");
	assert!(records.slashes().expect("they are read").is_empty());
}

#[test]
fn bonds_are_counted_while_they_are_held() {
	let revealed = |bonded| Stage::Revealed { since: 1, bonded };
	for (stage, bonded) in [
		(Stage::Waiting, false),
		(Stage::Committing, true),
		(Stage::Committed(1), true),
		(revealed(true), true),
		(revealed(false), false),
		(Stage::Forgotten(1), true),
		(Stage::Over(End::Won), false),
	] {
		assert_eq!(stage.is_bonded(), bonded, "{stage:?}");
	}
	let mut check = Check::opened(signed(PEER, 4, 0, b"a"));
	let demanded = |ours, over| Demanded {
		wanted: Wanted::Package,
		next: 1,
		deadline: 2,
		ours,
		over,
	};
	check.demands = vec![
		demanded(true, false),
		demanded(true, true),
		demanded(false, false),
	];
	assert_eq!(check.bonds(), 1);
}

#[test]
fn records_are_of_one_chain() {
	let folder = folder();
	drop(open(&folder));
	let other = Records::open(folder.path(), H256::repeat_byte(2));
	assert!(matches!(other, Err(StoreError::OtherChain)), "{other:?}");
}

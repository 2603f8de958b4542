//! What is found to be signed, and what is kept of it.

use super::*;
use crate::{
	commitment::tests::{addresses, commitment, keys, signed},
	contract::Submission,
	evm::AnchorKey,
};

#[test]
fn transactions_to_the_contract_are_found_whatever_their_capitals() {
	let contract = Address([0xab; 20]);
	let transaction = json!({
		"from": format!("0x{}", "cd".repeat(20)),
		"to": format!("0x{}", "AB".repeat(20)),
		"input": "0x0102",
	});
	let found = sent_to(&transaction, contract);
	assert_eq!(found, Some((Address([0xcd; 20]), vec![1, 2])));
	assert_eq!(sent_to(&transaction, Address([1; 20])), None);
	let deployment = json!({ "from": "0x", "to": null, "input": "0x" });
	assert_eq!(sent_to(&deployment, contract), None);
}

#[test]
fn blocks_that_took_the_place_of_others_are_looked_for_once() {
	let block = |parent: u8| json!({ "parentHash": format!("0x{}", hex::encode([parent; 32])) });
	let mut watcher = Watcher {
		last: Some(H256::repeat_byte(1)),
		..Watcher::default()
	};
	assert!(!watcher.is_taken_back(&block(1)));
	assert!(!watcher.is_taken_back(&Value::Null), "a round without one");
	assert!(watcher.is_taken_back(&block(2)));
	watcher.last = Some(H256::repeat_byte(1));
	assert!(!watcher.is_taken_back(&block(2)), "it was gone back for");
	assert!(watcher.is_taken_back(&block(3)));
}

fn fork_of(keys: &[AnchorKey], block: BlockNumber, who: &[usize]) -> Fork {
	Fork {
		signed: signed(commitment(block, 1), keys, who),
		set: Authorities {
			id: 1,
			keys: Vec::new(),
			addresses: addresses(keys),
		},
		signers: who.to_vec(),
		told_here: 0,
		is_told_there: false,
	}
}

#[test]
fn a_fork_is_known_by_what_was_signed_and_by_whom() {
	let keys = keys(4);
	let name = |block, who: &[usize]| fork_of(&keys, block, who).name();
	assert_eq!(name(5, &[0, 1]), name(5, &[0, 1]));
	assert_ne!(name(5, &[0, 1]), name(6, &[0, 1]));
	assert_ne!(name(5, &[0, 1]), name(5, &[0, 2]));
}

#[test]
fn what_one_server_makes_up_keeps_back_nothing_of_others() {
	let keys = keys(2);
	let shown = |block, by| Shown {
		signed: signed(commitment(block, 1), &keys, &[0]),
		by,
	};
	let mut watcher = Watcher::default();
	let mut others = vec![shown(5, Way::Event(1)), shown(5, Way::Transaction)];
	for other in others.iter().chain(&others) {
		watcher.wait_for(other.clone());
	}
	for block in 0..100 {
		watcher.wait_for(shown(block, Way::Event(0)));
	}
	others.extend((36..100).map(|block| shown(block, Way::Event(0))));
	assert_eq!(Vec::from(watcher.early), others, "its last ones alone");
}

#[test]
fn many_with_one_signature_do_not_push_out_an_early_one_with_more() {
	let keys = keys(4);
	let shown = |block, who: &[usize]| Shown {
		signed: signed(commitment(block, 1), &keys, who),
		by: Way::Event(0),
	};
	let quorum = shown(500, &[0, 1, 2]);
	let mut watcher = Watcher::default();
	watcher.wait_for(quorum.clone());
	for block in 0..100 {
		watcher.wait_for(shown(block, &[3]));
	}
	assert_eq!(watcher.early.len(), EARLY);
	assert!(watcher.early.contains(&quorum));
}

#[test]
fn forks_are_bounded_and_one_with_a_quorum_goes_first() {
	let keys = keys(4);
	let fork = |block, who: &[usize]| fork_of(&keys, block, who);
	let mut watcher = Watcher::default();
	for block in 0..80 {
		watcher.keep(fork(block, &[3]));
	}
	watcher.keep(fork(500, &[0, 1, 2]));
	assert_eq!(watcher.forks.len(), FORKS);
	let first = watcher.forks.iter().take(3);
	let blocks: Vec<_> = first.map(|fork| fork.signed.commitment.block).collect();
	assert_eq!(blocks, [0, 500, 1], "the first one is under way");
}

#[test]
fn both_commitments_of_a_report_are_looked_at() {
	let keys = keys(4);
	let one = signed(commitment(5, 1), &keys, &[0, 1, 2]);
	let submission = Submission::new(&one, addresses(&keys), None);
	let report = Call::ReportDoubleSign {
		first: submission.signed.clone(),
		second: submission.signed.clone(),
		authorities: submission.authorities.clone(),
	};
	assert_eq!(signed_in(&report.encode()).len(), 2);
	assert_eq!(signed_in(&Call::Submit(submission.clone()).encode()), [one]);
	assert!(signed_in(&Call::Status.encode()).is_empty());
	let mut nobody = submission;
	nobody.authorities.rotate_left(2);
	assert!(signed_in(&Call::Submit(nobody).encode()).is_empty());
}

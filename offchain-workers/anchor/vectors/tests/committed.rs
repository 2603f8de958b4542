//! The file that the contracts' tests read is what the chain's code makes.

use millrace_anchor_vectors::{path, Vectors};
use std::{fs, sync::LazyLock};

static MADE: LazyLock<Vectors> = LazyLock::new(Vectors::make);

#[test]
fn the_file_is_what_the_chain_makes() {
	let file = fs::read_to_string(path()).expect("the file is there");
	// Not `assert_eq`, which would print both.
	assert!(
		file == MADE.to_json(),
		"the chain makes something else than {}: write it anew with \
		 `cargo run --release -p millrace-anchor-vectors` and run the contracts' tests",
		path().display()
	);
}

#[test]
fn a_commitment_has_83_bytes_and_a_leaf_121() {
	let bytes = |text: &str| text.len() / 2 - 1;
	for checkpoint in &MADE.checkpoints {
		assert_eq!(bytes(&checkpoint.commitment), 83);
		let entry = format!("0x08636880{}6d6880", &MADE.genesis[2..]);
		assert!(checkpoint.commitment.starts_with(&entry));
	}
	for block in &MADE.range.blocks {
		assert_eq!(bytes(&block.leaf), 121);
	}
}

/// Else the commitment for that block, the first that the set signs, could not show who follows it.
#[test]
fn the_first_leaf_of_a_session_names_the_set_after_its_own() {
	let mut before = 0;
	for checkpoint in &MADE.checkpoints {
		if checkpoint.set == before {
			continue;
		}
		before = checkpoint.set;
		let block = &MADE.range.blocks[checkpoint.block as usize - 1];
		assert_eq!(block.next_set, checkpoint.set + 1);
		let earlier = &MADE.range.blocks[checkpoint.block as usize - 2];
		assert_eq!(earlier.next_set, checkpoint.set);
	}
}

#[test]
fn as_many_sign_as_the_gadget_asks_for() {
	for checkpoint in &MADE.checkpoints {
		let len = MADE.sets[checkpoint.set as usize].addresses.len();
		assert_eq!(checkpoint.signatures.len(), len - (len - 1) / 3);
	}
}

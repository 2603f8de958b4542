//! The ring of roots once it is lapped: what is kept of it, and the gas of a checkpoint then.

use super::client::{alone, checkpoint, commitment, first, leaf, Client, GENESIS};
use millrace_anchor::{
	contract::{Call, Handover},
	evm::keccak,
};
use millrace_primitives::H256;

/// Checkpoints whose roots are kept.
const RING: u32 = 1_024;
/// Validators, and most gas of a checkpoint by a quorum of them.
const BARS: [(usize, u64); 3] = [(7, 95_000), (100, 475_000), (256, 1_120_000)];
/// A message on Filecoin is smaller.
const MAX_BYTES: usize = 65_536;

/// Root of a block.
fn root(block: u32) -> H256 {
	keccak(&block.to_le_bytes())
}

#[test]
fn a_checkpoint_keeps_its_bar_of_gas() {
	let mut client = Client::new(GENESIS, [first(0, 1), first(1, BARS[0].0)]);
	let mut block = 0;
	// One more than the ring has, so that each word of it is written for the second time.
	for _ in 0..=RING {
		block += 1;
		client.send(&checkpoint(commitment(block, 0, root(block)), 1, None));
	}
	for (set, (members, bar)) in (1usize..).zip(BARS) {
		block += 1;
		let following = BARS.get(set).map_or(1, |(members, _)| *members);
		let raw = leaf(first(set as u64 + 1, following), H256::zero());
		let begins = commitment(block, set as u64, keccak(&raw));
		let handover = Handover {
			leaf: raw,
			proof: alone(),
		};
		client.send(&checkpoint(begins, members, Some(handover)));
		// Eight share a word of block numbers, and zeros in roots are cheap: the worst of some.
		for _ in 0..10 {
			block += 1;
			let within = commitment(block, set as u64, root(block));
			let call = checkpoint(within, members, None);
			let bytes = call.encode().len();
			assert!(bytes < MAX_BYTES, "{members} validators: {bytes} bytes");
			let gas = client.send(&call).gas;
			assert!(gas <= bar, "{members} validators: {gas} gas");
		}
	}
}

#[test]
fn roots_of_the_last_1_024_checkpoints_are_found_and_no_others() {
	let mut client = Client::new(GENESIS, [first(0, 1), first(1, 1)]);
	let mut block = 0;
	let mut blocks = Vec::new();
	for index in 0..RING + 6 {
		// Some blocks are left out.
		block += if index % 3 == 1 { 2 } else { 1 };
		client.send(&checkpoint(commitment(block, 0, root(block)), 1, None));
		blocks.push(block);
	}
	let (gone, kept) = blocks.split_at(6);
	for block in kept {
		let found = client.ask(&Call::RootAt(*block));
		assert_eq!(found, root(*block).0, "of {block}");
	}
	let (oldest, latest) = (kept[0], block);
	let between = (oldest..latest).filter(|block| kept.binary_search(block).is_err());
	let never = [0, latest + 1, u32::MAX];
	for block in gone.iter().copied().chain(never).chain(between) {
		let expected = format!("UnknownRoot (oldest {oldest}, latest {latest}, given {block})");
		assert_eq!(client.refusal(&Call::RootAt(block)), expected);
	}
}

//! A chain that begins with many peers at work: what a network of processes would take days to come
//! to, written into a genesis.

use super::scene::{working, Group, Machine};
use frame_support::storage::storage_prefix;
use millrace_e2e::spec;
use sp_core::storage::well_known_keys::EXTRINSIC_INDEX;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
};

/// What the system pallet keeps of the block that is executed: nothing of it belongs into a genesis.
const OF_A_BLOCK: [&[u8]; 8] = [
	b"Events",
	b"EventCount",
	b"EventTopics",
	b"ExecutionPhase",
	b"Digest",
	b"ParentHash",
	b"ExtrinsicCount",
	b"BlockWeight",
];

/// A chain, and the peers that have a report to hand in as soon as it begins.
pub(super) struct Prepared {
	/// Its specification.
	pub(super) spec: PathBuf,
	/// The peers.
	pub(super) peers: Vec<Machine>,
}

/// Prepares a chain in a folder.
pub(super) fn prepare(folder: &Path, groups: &[Group]) -> Prepared {
	let (mut ext, peers) = working(groups);
	let top = ext.execute_with(state);
	Prepared {
		spec: spec::raw(folder, "dev", "prepared", top),
		peers,
	}
}

/// The whole state, but for what is a block's.
fn state() -> BTreeMap<Vec<u8>, Vec<u8>> {
	let passing: Vec<Vec<u8>> = OF_A_BLOCK
		.iter()
		.map(|item| storage_prefix(b"System", item).to_vec())
		.chain([EXTRINSIC_INDEX.to_vec()])
		.collect();
	let (mut top, mut last) = (BTreeMap::new(), Vec::new());
	while let Some(key) = sp_io::storage::next_key(&last) {
		let passes = passing.iter().any(|prefix| key.starts_with(prefix));
		if let Some(value) = sp_io::storage::get(&key).filter(|_| !passes) {
			top.insert(key.clone(), value.to_vec());
		}
		last = key;
	}
	top
}

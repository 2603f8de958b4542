//! # Vectors of the anchor
//!
//! What the chain's own code makes of given inputs: authority sets, leaves, proofs and signed
//! commitments, put out by the runtime and the SDK's crates and not by a second hand. The file lies
//! beside the contracts, whose tests read it; a test here keeps it what it is said to be. Write it anew
//! with `cargo run --release -p millrace-anchor-vectors`.

mod authorities;
mod checkpoints;
mod outbox;
mod range;

pub use authorities::{Authorities, AuthoritySet};
pub use checkpoints::{Checkpoint, Signature};
pub use outbox::{Outbox, OutboxProof};
pub use range::{Answer, Block, LeafProof, Range};

use serde::Serialize;
use sp_core::H256;
use std::path::PathBuf;

/// All vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Vectors {
	/// Hash of block 0.
	pub genesis: String,
	/// Validators, and the roots of the sets that the first of them make.
	pub authorities: Authorities,
	/// The sets of the chain's sessions, by their ids.
	pub sets: Vec<AuthoritySet>,
	/// Blocks and the range over them.
	pub range: Range,
	/// Commitments that the sets sign.
	pub checkpoints: Vec<Checkpoint>,
	/// Messages of blocks.
	pub outboxes: Vec<Outbox>,
}

impl Vectors {
	/// Makes them.
	pub fn make() -> Self {
		let validators = authorities::validators();
		let sets = authorities::sets(&validators);
		let range = range::Chain::make(&sets);
		Self {
			genesis: text(genesis()),
			authorities: Authorities::of(&validators),
			checkpoints: checkpoints::of(&validators, &range),
			range: range.vectors,
			sets,
			outboxes: outbox::outboxes(),
		}
	}

	/// As the file has them.
	pub fn to_json(&self) -> String {
		let mut json = serde_json::to_string_pretty(self).expect("vectors are plain data");
		json.push('\n');
		json
	}
}

/// Where the file is.
pub fn path() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/vectors/chain.json")
}

/// Hash of block 0.
fn genesis() -> H256 {
	named("vectors/genesis")
}

/// A hash by its name.
fn named(name: &str) -> H256 {
	sp_crypto_hashing::keccak_256(name.as_bytes()).into()
}

/// Bytes as the file has them.
fn text(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

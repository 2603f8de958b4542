//! A client on the anchor, and validators that sign for it.

use super::{file::FILE, Machine, BEGINNING};
use crate::evm::Outcome;
use millrace_anchor::{
	commitment::{authority_set, required, BeefySignature, Commitment, Signed},
	contract::{AuthoritySet, Call, Handover, Settings, Submission},
	evm::{keccak, Address, AnchorKey},
	leaf::LeafProof,
};
use millrace_primitives::{BlockNumber, H256};
use std::sync::LazyLock;

/// Hash of the first block of chains that are not the file's.
pub(super) const GENESIS: H256 = H256([7; 32]);

static VALIDATORS: LazyLock<Vec<AnchorKey>> = LazyLock::new(|| {
	let key = |index: usize| {
		let secret = keccak(format!("vectors/{index}").as_bytes());
		AnchorKey::from_secret(&secret.0).expect("a hash is a secret")
	};
	(0..300).map(key).collect()
});

/// The validators of the file, which has their addresses only. A secret is the hash of its name.
pub(super) fn validators() -> &'static [AnchorKey] {
	&VALIDATORS
}

/// Their addresses.
pub(super) fn addresses(members: &[AnchorKey]) -> Vec<Address> {
	members.iter().map(AnchorKey::address).collect()
}

/// The set of the first so many validators.
pub(super) fn first(id: u64, members: usize) -> AuthoritySet {
	authority_set(id, &addresses(&validators()[..members]))
}

/// A commitment of a chain that is not the file's.
pub(super) fn commitment(block: BlockNumber, set: u64, root: H256) -> Commitment {
	Commitment {
		genesis: GENESIS,
		root,
		block,
		set,
	}
}

/// A signature of its parts.
pub(super) fn signature(r: [u8; 32], s: [u8; 32], parity: u8) -> BeefySignature {
	let mut raw = [parity; 65];
	raw[..32].copy_from_slice(&r);
	raw[32..64].copy_from_slice(&s);
	raw
}

/// Signs a commitment.
pub(super) fn sign(key: &AnchorKey, commitment: &Commitment) -> BeefySignature {
	let (r, s, parity) = key.sign(commitment.digest()).expect("it is signed");
	signature(r, s, parity)
}

/// A commitment with the signatures of the members at these places.
pub(super) fn signed(
	commitment: Commitment,
	members: &[AnchorKey],
	mut who: impl FnMut(usize) -> bool,
) -> Signed {
	let signatures = members.iter().enumerate();
	let signatures = signatures
		.map(|(place, key)| who(place).then(|| sign(key, &commitment)))
		.collect();
	Signed {
		commitment,
		signatures,
	}
}

/// A checkpoint, with as few signatures as are enough, of a set of the first so many validators.
pub(super) fn checkpoint(
	commitment: Commitment,
	members: usize,
	handover: Option<Handover>,
) -> Call {
	let members = &validators()[..members];
	let quorum = required(members.len());
	let signed = signed(commitment, members, |place| place < quorum);
	Call::Submit(Submission::new(&signed, addresses(members), handover))
}

/// The leaf of block 1: the set after its own, and the root of the messages before it.
pub(super) fn leaf(next: AuthoritySet, outbox: H256) -> Vec<u8> {
	let milliseconds = BEGINNING * 1_000;
	[
		&[0u8; 5][..],
		&GENESIS.0,
		&next.id.to_le_bytes(),
		&next.len.to_le_bytes(),
		&next.root.0,
		&outbox.0,
		&milliseconds.to_le_bytes(),
	]
	.concat()
}

/// Proof of a leaf that is alone in its range, whose root is its hash.
pub(super) fn alone() -> LeafProof {
	LeafProof {
		leaf_index: 0,
		leaf_count: 1,
		items: Vec::new(),
	}
}

/// The contract on an anchor of its own.
pub(super) struct Client {
	machine: Machine,
	pub(super) address: Address,
}

impl Client {
	/// That of a chain which begins with these sets.
	pub(super) fn new(genesis: H256, sets: [AuthoritySet; 2]) -> Self {
		let mut machine = Machine::new();
		let settings = Settings::beginning(genesis, 0, sets, BEGINNING);
		let address = machine.deploy(settings.deployment());
		Self { machine, address }
	}

	/// That of the file's chain.
	pub(super) fn of_file() -> Self {
		Self::new(FILE.genesis, [FILE.sets[0].set, FILE.sets[1].set])
	}

	/// Who sends all that is sent.
	pub(super) fn sender(&self) -> Address {
		self.machine.sender
	}

	/// Sends a call, which must succeed.
	pub(super) fn send(&mut self, call: &Call) -> Outcome {
		self.machine.send(Some(self.address), call.encode())
	}

	/// The bytes that a call answers.
	pub(super) fn ask(&self, call: &Call) -> Vec<u8> {
		self.machine
			.ask(self.address, call.encode())
			.unwrap_or_else(|refusal| panic!("{}: {refusal}", call.name()))
	}

	/// The error that a call is refused with, and what it says.
	pub(super) fn refusal(&self, call: &Call) -> String {
		match self.machine.ask(self.address, call.encode()) {
			Ok(_) => panic!("{} is not refused", call.name()),
			Err(refusal) => refusal.to_string(),
		}
	}
}

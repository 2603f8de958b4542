//! What the contract answers and takes, as structures.

use crate::{
	commitment::{Signed, SignedForm},
	evm::{
		abi::{words, AbiError, Value},
		Address,
	},
	leaf::LeafProof,
};
use millrace_primitives::H256;
use serde::{Deserialize, Serialize};

/// An authority set: BEEFY's id, how many validators, and the Keccak root of their addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthoritySet {
	/// Its id: one more in each session.
	pub id: u64,
	/// Its size.
	pub len: u32,
	/// Root over its addresses.
	pub root: H256,
}

/// Where client and inbox stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
	/// Block of the last checkpoint.
	pub latest_block: u32,
	/// Its MMR root; zero if there is none since the start or the last recovery.
	pub root: H256,
	/// Id of the current set.
	pub set_id: u64,
	/// Messages to the chain so far.
	pub nonce: u64,
	/// Accumulator over them.
	pub acc: H256,
	/// Block of the anchor at the last checkpoint.
	pub last_epoch: u64,
	/// Whether two quorums have contradicted each other.
	pub frozen: bool,
}

/// The sets that the client knows. The one before may have no members: then it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthoritySets {
	/// The one before.
	pub previous: AuthoritySet,
	/// The current one.
	pub current: AuthoritySet,
	/// The next.
	pub next: AuthoritySet,
}

/// A withdrawal that was proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Credit {
	/// Who can claim it; nobody, if it is not proven.
	pub recipient: Address,
	/// Recoveries before it was proven.
	pub round: u32,
	/// How much it is, in the smallest unit.
	#[serde(with = "millrace_primitives::decimal")]
	pub amount: u128,
	/// How much of it was minted.
	#[serde(with = "millrace_primitives::decimal")]
	pub paid: u128,
}

/// The leaf that names the set after the one that signed, with its proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handover {
	/// The leaf; empty where the current set signed.
	pub leaf: Vec<u8>,
	/// Its proof.
	pub proof: LeafProof,
}

/// A checkpoint as it is submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
	/// The commitment with its signatures.
	pub signed: SignedForm,
	/// The whole set.
	pub authorities: Vec<Address>,
	/// The handover, where the next set signed.
	pub handover: Handover,
}

impl Submission {
	/// A checkpoint of what validators signed.
	pub fn new(signed: &Signed, authorities: Vec<Address>, handover: Option<Handover>) -> Self {
		Self {
			signed: signed.form(),
			authorities,
			handover: handover.unwrap_or_default(),
		}
	}
}

impl AuthoritySet {
	/// As an argument.
	pub(super) fn value(&self) -> Value {
		Value::Tuple(vec![
			Value::number(self.id),
			Value::number(self.len),
			Value::hash(self.root),
		])
	}

	fn of([id, len, root]: [&Value; 3]) -> Result<Self, AbiError> {
		Ok(Self {
			id: id.as_u64().ok_or(AbiError::Large)?,
			len: small(len)?,
			root: root.as_hash().ok_or(AbiError::Short)?,
		})
	}
}

impl Status {
	pub(super) fn read(bytes: &[u8]) -> Result<Self, AbiError> {
		let [block, root, set, nonce, acc, epoch, frozen] = words(bytes)?;
		let large = AbiError::Large;
		Ok(Self {
			latest_block: small(&block)?,
			root: root.as_hash().ok_or(large)?,
			set_id: set.as_u64().ok_or(large)?,
			nonce: nonce.as_u64().ok_or(large)?,
			acc: acc.as_hash().ok_or(large)?,
			last_epoch: epoch.as_u64().ok_or(large)?,
			frozen: frozen.as_u64().ok_or(large)? != 0,
		})
	}
}

impl AuthoritySets {
	pub(super) fn read(bytes: &[u8]) -> Result<Self, AbiError> {
		let [a, b, c, d, e, f, g, h, i] = words(bytes)?;
		Ok(Self {
			previous: AuthoritySet::of([&a, &b, &c])?,
			current: AuthoritySet::of([&d, &e, &f])?,
			next: AuthoritySet::of([&g, &h, &i])?,
		})
	}

	/// One of the three, by its id.
	pub fn find(&self, id: u64) -> Option<AuthoritySet> {
		[self.current, self.next, self.previous]
			.into_iter()
			.find(|set| set.id == id && set.len != 0)
	}
}

impl Credit {
	pub(super) fn read(bytes: &[u8]) -> Result<Self, AbiError> {
		let [recipient, round, amount, paid] = words(bytes)?;
		Ok(Self {
			recipient: recipient.as_address().ok_or(AbiError::Large)?,
			round: small(&round)?,
			amount: amount.as_u128().ok_or(AbiError::Large)?,
			paid: paid.as_u128().ok_or(AbiError::Large)?,
		})
	}
}

pub(super) fn hash(bytes: &[u8]) -> Result<H256, AbiError> {
	let [word] = words(bytes)?;
	word.as_hash().ok_or(AbiError::Short)
}

pub(super) fn number(bytes: &[u8]) -> Result<u128, AbiError> {
	let [word] = words(bytes)?;
	word.as_u128().ok_or(AbiError::Large)
}

pub(super) fn address(bytes: &[u8]) -> Result<Address, AbiError> {
	let [word] = words(bytes)?;
	word.as_address().ok_or(AbiError::Short)
}

fn small(value: &Value) -> Result<u32, AbiError> {
	let number = value.as_u64().ok_or(AbiError::Large)?;
	u32::try_from(number).map_err(|_| AbiError::Large)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::evm::abi::encode;

	#[test]
	fn a_status_is_read_word_by_word() {
		let root = H256::repeat_byte(7);
		let values = [
			Value::number(9),
			Value::hash(root),
			Value::number(3),
			Value::number(4),
			Value::hash(H256::zero()),
			Value::number(1_000),
			Value::number(1),
		];
		let bytes = encode(&values);
		let status = Status::read(&bytes).expect("seven words");
		let expected = Status {
			latest_block: 9,
			root,
			set_id: 3,
			nonce: 4,
			acc: H256::zero(),
			last_epoch: 1_000,
			frozen: true,
		};
		assert_eq!(status, expected);
		assert_eq!(Status::read(&bytes[..200]), Err(AbiError::Short));
	}

	#[test]
	fn a_set_without_members_is_not_known() {
		let set = |id, len| AuthoritySet {
			id,
			len,
			root: H256::zero(),
		};
		let sets = AuthoritySets {
			previous: set(0, 0),
			current: set(1, 4),
			next: set(2, 4),
		};
		assert_eq!(sets.find(0), None);
		assert_eq!(sets.find(2), Some(set(2, 4)));
	}
}

//! Calls of the contract, and the same read from transactions of others.

use super::{
	artefact::{ANCHOR, TOKEN},
	types::{Handover, Submission},
};
use crate::{
	commitment::SignedForm,
	evm::{
		abi::{decode, encode, Kind, Value},
		Address,
	},
	leaf::{LeafProof, ProvenLeaf},
	tree::Path,
};
use millrace_primitives::{Balance, BlockNumber, H256};

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
	/// Where client and inbox stand.
	Status,
	/// The sets that the client knows.
	AuthoritySets,
	/// The accumulator after so many messages.
	AccumulatorAt(u64),
	/// The root of a checkpoint's block.
	RootAt(BlockNumber),
	/// What is credited for a withdrawal.
	Credits(H256),
	/// Something without arguments, by its name.
	Getter(&'static str),
	/// A checkpoint.
	Submit(Submission),
	/// Proves a withdrawal.
	Withdraw {
		/// Number of its message.
		nonce: u64,
		/// Whom it is for.
		recipient: Address,
		/// How much.
		amount: Balance,
		/// Its path to the outbox root.
		path: Path,
		/// The leaf with that root.
		leaf: ProvenLeaf,
		/// Block of a checkpoint that proves the leaf.
		root_block: BlockNumber,
	},
	/// Mints what is due.
	Claim {
		/// For whom.
		to: Address,
		/// Ids of the withdrawals.
		ids: Vec<H256>,
	},
	/// Burns FLT that is unlocked on the chain.
	Deposit {
		/// The account there.
		recipient: [u8; 32],
		/// How much.
		amount: Balance,
	},
	/// Leaves bytes that the chain must take.
	ForceInclude(Vec<u8>),
	/// Two commitments of one block that contradict each other.
	ReportDoubleSign {
		/// One of them.
		first: SignedForm,
		/// The other.
		second: SignedForm,
		/// The whole set.
		authorities: Vec<Address>,
	},
}

impl Call {
	/// Its name in the contract.
	pub fn name(&self) -> &'static str {
		match self {
			Self::Status => "status",
			Self::AuthoritySets => "authoritySets",
			Self::AccumulatorAt(_) => "accumulatorAt",
			Self::RootAt(_) => "rootAt",
			Self::Credits(_) => "credits",
			Self::Getter(name) => name,
			Self::Submit(_) => "submit",
			Self::Withdraw { .. } => "withdraw",
			Self::Claim { .. } => "claim",
			Self::Deposit { .. } => "deposit",
			Self::ForceInclude(_) => "forceInclude",
			Self::ReportDoubleSign { .. } => "reportDoubleSign",
		}
	}

	/// The transaction's data.
	pub fn encode(&self) -> Vec<u8> {
		[
			&ANCHOR.function(self.name())[..],
			&encode(&self.arguments()),
		]
		.concat()
	}

	fn arguments(&self) -> Vec<Value> {
		match self {
			Self::Status | Self::AuthoritySets | Self::Getter(_) => Vec::new(),
			Self::AccumulatorAt(nonce) => vec![Value::number(*nonce)],
			Self::RootAt(block) => vec![Value::number(*block)],
			Self::Credits(id) => vec![Value::hash(*id)],
			Self::Submit(submission) => {
				let [commitment, bitmap, signatures] = signed(&submission.signed);
				let list = addresses(&submission.authorities);
				let Handover { leaf, proof } = &submission.handover;
				let handover = Value::Tuple(vec![Value::Bytes(leaf.clone()), leaf_proof(proof)]);
				vec![commitment, list, bitmap, signatures, handover]
			}
			Self::Withdraw {
				nonce,
				recipient,
				amount,
				path,
				leaf,
				root_block,
			} => vec![
				Value::Tuple(vec![
					Value::number(*nonce),
					Value::address(*recipient),
					Value::number(*amount),
				]),
				Value::Tuple(vec![
					Value::number(path.index),
					Value::number(path.count),
					hashes(&path.items),
				]),
				Value::Bytes(leaf.raw.clone()),
				leaf_proof(&leaf.proof),
				Value::number(*root_block),
			],
			Self::Claim { to, ids } => vec![Value::address(*to), hashes(ids)],
			Self::Deposit { recipient, amount } => {
				vec![Value::Word(*recipient), Value::number(*amount)]
			}
			Self::ForceInclude(data) => vec![Value::Bytes(data.clone())],
			Self::ReportDoubleSign {
				first,
				second,
				authorities,
			} => vec![
				Value::Tuple(signed(first).to_vec()),
				Value::Tuple(signed(second).to_vec()),
				addresses(authorities),
			],
		}
	}
}

/// FLT of an account, asked of the token.
pub(super) fn balance_of(account: Address) -> Vec<u8> {
	let arguments = encode(&[Value::address(account)]);
	[&TOKEN.function("balanceOf")[..], &arguments].concat()
}

/// All FLT there is, asked of the token.
pub(super) fn total_supply() -> Vec<u8> {
	TOKEN.function("totalSupply").to_vec()
}

/// Reads a checkpoint out of a transaction's data. The handover is not read: nothing that it says is
/// signed.
pub fn read_submission(data: &[u8]) -> Option<Submission> {
	let kinds = [
		Kind::Bytes,
		Kind::List(Box::new(Kind::Word)),
		Kind::List(Box::new(Kind::Word)),
		signatures_kind(),
	];
	let values = arguments_of("submit", &kinds, data)?;
	let [commitment, authorities, bitmap, signatures] = &values[..] else {
		return None;
	};
	Some(Submission {
		signed: form([commitment, bitmap, signatures])?,
		authorities: list(authorities, Value::as_address)?,
		handover: Handover::default(),
	})
}

/// Reads a report of two commitments out of a transaction's data.
pub fn read_report(data: &[u8]) -> Option<[Submission; 2]> {
	let signed = Kind::Tuple(vec![
		Kind::Bytes,
		Kind::List(Box::new(Kind::Word)),
		signatures_kind(),
	]);
	let kinds = [signed.clone(), signed, Kind::List(Box::new(Kind::Word))];
	let values = arguments_of("reportDoubleSign", &kinds, data)?;
	let [first, second, authorities] = &values[..] else {
		return None;
	};
	let authorities = list(authorities, Value::as_address)?;
	let submission = |value: &Value| {
		let [commitment, bitmap, signatures] = value.items()? else {
			return None;
		};
		Some(Submission {
			signed: form([commitment, bitmap, signatures])?,
			authorities: authorities.clone(),
			handover: Handover::default(),
		})
	};
	Some([submission(first)?, submission(second)?])
}

/// Reads a deposit out of a transaction's data: the account and the amount.
pub fn read_deposit(data: &[u8]) -> Option<([u8; 32], Balance)> {
	let values = arguments_of("deposit", &[Kind::Word, Kind::Word], data)?;
	let [recipient, amount] = &values[..] else {
		return None;
	};
	Some((recipient.as_word()?, amount.as_u128()?))
}

/// Reads a forced message out of a transaction's data.
pub fn read_forced(data: &[u8]) -> Option<Vec<u8>> {
	let values = arguments_of("forceInclude", &[Kind::Bytes], data)?;
	values.first()?.as_bytes().map(<[u8]>::to_vec)
}

fn arguments_of(name: &str, kinds: &[Kind], data: &[u8]) -> Option<Vec<Value>> {
	let arguments = data.strip_prefix(&ANCHOR.function(name)[..])?;
	decode(kinds, arguments).ok()
}

pub(super) fn signatures_kind() -> Kind {
	let pair = Kind::Tuple(vec![Kind::Word, Kind::Word]);
	Kind::List(Box::new(pair))
}

fn form([commitment, bitmap, signatures]: [&Value; 3]) -> Option<SignedForm> {
	Some(SignedForm {
		commitment: commitment.as_bytes()?.to_vec(),
		bitmap: list(bitmap, Value::as_number)?,
		signatures: pairs(signatures)?,
	})
}

/// The signatures of a list.
pub(super) fn pairs(value: &Value) -> Option<Vec<[[u8; 32]; 2]>> {
	list(value, |pair| {
		let [r, s] = pair.items()? else {
			return None;
		};
		Some([r.as_word()?, s.as_word()?])
	})
}

pub(super) fn list<T>(value: &Value, take: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
	value.items()?.iter().map(take).collect()
}

fn signed(form: &SignedForm) -> [Value; 3] {
	let pair = |[r, s]: &[[u8; 32]; 2]| Value::Tuple(vec![Value::Word(*r), Value::Word(*s)]);
	[
		Value::Bytes(form.commitment.clone()),
		Value::list(form.bitmap.iter().copied().map(Value::number)),
		Value::list(form.signatures.iter().map(pair)),
	]
}

fn addresses(list: &[Address]) -> Value {
	Value::list(list.iter().copied().map(Value::address))
}

fn hashes(list: &[H256]) -> Value {
	Value::list(list.iter().copied().map(Value::hash))
}

fn leaf_proof(proof: &LeafProof) -> Value {
	Value::Tuple(vec![
		Value::number(proof.leaf_index),
		Value::number(proof.leaf_count),
		hashes(&proof.items),
	])
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::commitment::tests::{addresses, commitment, keys, signed};

	fn submission(count: usize) -> Submission {
		let keys = keys(count);
		let who: Vec<usize> = (0..count).collect();
		let signed = signed(commitment(5, 1), &keys, &who);
		Submission::new(&signed, addresses(&keys), None)
	}

	#[test]
	fn a_checkpoint_of_another_is_read_from_its_transaction() {
		for count in [1, 4, 257] {
			let submission = submission(count);
			let data = Call::Submit(submission.clone()).encode();
			assert_eq!(read_submission(&data), Some(submission));
			assert_eq!(read_submission(&data[..data.len() / 2]), None);
			assert_eq!(read_report(&data), None);
		}
	}

	#[test]
	fn a_report_of_another_is_read_from_its_transaction() {
		let submission = submission(4);
		let call = Call::ReportDoubleSign {
			first: submission.signed.clone(),
			second: submission.signed.clone(),
			authorities: submission.authorities.clone(),
		};
		let read = read_report(&call.encode());
		assert_eq!(read, Some([submission.clone(), submission]));
	}

	#[test]
	fn messages_are_read_from_their_transactions() {
		let call = Call::Deposit {
			recipient: [7; 32],
			amount: u128::MAX,
		};
		assert_eq!(read_deposit(&call.encode()), Some(([7; 32], u128::MAX)));
		let call = Call::ForceInclude(vec![1, 2, 3]);
		assert_eq!(read_forced(&call.encode()), Some(vec![1, 2, 3]));
		assert_eq!(read_forced(&Call::Status.encode()), None);
	}

	#[test]
	fn a_checkpoint_has_the_size_that_the_contracts_measure() {
		// The contracts' README: 100 validators, 67 signatures, no handover: 8,132 bytes.
		let keys = keys(100);
		let who: Vec<usize> = (0..67).collect();
		let signed = signed(commitment(5, 1), &keys, &who);
		let submission = Submission::new(&signed, addresses(&keys), None);
		assert_eq!(Call::Submit(submission).encode().len(), 8_132);
	}
}

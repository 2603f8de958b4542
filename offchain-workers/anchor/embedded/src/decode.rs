//! Transactions as they come over the RPC: of type 2, signed.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use millrace_anchor::evm::{keccak, Address};
use millrace_primitives::{H256, U256};

/// Type of transactions that are taken.
const TYPE: u8 = 2;
/// Fields before the signature.
const SIGNED_FIELDS: usize = 9;
/// Fields in all.
const FIELDS: usize = 12;

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
	/// Its hash.
	pub(crate) hash: H256,
	/// Its bytes.
	pub(crate) raw: Vec<u8>,
	pub(crate) from: Address,
	pub(crate) to: Option<Address>,
	pub(crate) nonce: u64,
	pub(crate) gas: u64,
	pub(crate) max_fee: u128,
	pub(crate) priority: u128,
	pub(crate) data: Vec<u8>,
}

/// Why bytes are no transaction that is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
	#[error("only transactions of type 2 (EIP-1559) are taken")]
	Type,
	#[error("the transaction is not encoded as its type asks for")]
	Form,
	#[error("the transaction is for chain {given}, and this is {expected}")]
	Chain { expected: u64, given: u64 },
	#[error("a value or an access list is not taken here")]
	Unsupported,
	#[error("the signature belongs to nobody")]
	Signature,
}

/// Reads a transaction for a chain.
pub(crate) fn read(raw: &[u8], chain_id: u64) -> Result<Message, DecodeError> {
	let (&kind, body) = raw.split_first().ok_or(DecodeError::Form)?;
	if kind != TYPE {
		return Err(DecodeError::Type);
	}
	let mut rest = body;
	let Item::List(mut content) = item(&mut rest).ok_or(DecodeError::Form)? else {
		return Err(DecodeError::Form);
	};
	let signed_part = content;
	let mut fields = Vec::with_capacity(FIELDS);
	let mut signed_bytes = 0;
	while !content.is_empty() {
		fields.push(item(&mut content).ok_or(DecodeError::Form)?);
		if fields.len() == SIGNED_FIELDS {
			signed_bytes = signed_part.len() - content.len();
		}
	}
	if fields.len() != FIELDS || !rest.is_empty() {
		return Err(DecodeError::Form);
	}
	let bytes = |index: usize| match fields.get(index) {
		Some(Item::Bytes(bytes)) => Ok(*bytes),
		_ => Err(DecodeError::Form),
	};
	let number = |index: usize| -> Result<U256, DecodeError> {
		let bytes = bytes(index)?;
		match bytes.len() <= 32 {
			true => Ok(U256::from_big_endian(bytes)),
			false => Err(DecodeError::Form),
		}
	};
	let small = |index: usize| -> Result<u64, DecodeError> {
		number(index)?.try_into().map_err(|_| DecodeError::Form)
	};
	let wide = |index: usize| -> Result<u128, DecodeError> {
		number(index)?.try_into().map_err(|_| DecodeError::Form)
	};
	let given: u64 = small(0)?;
	if given != chain_id {
		let expected = chain_id;
		return Err(DecodeError::Chain { expected, given });
	}
	let has_list = !matches!(fields.get(8), Some(Item::List([])));
	if !number(6)?.is_zero() || has_list {
		return Err(DecodeError::Unsupported);
	}
	let to = match bytes(5)? {
		[] => None,
		to => Some(Address(to.try_into().map_err(|_| DecodeError::Form)?)),
	};
	let signed = signed_part.get(..signed_bytes).ok_or(DecodeError::Form)?;
	let digest = keccak(&[&[TYPE][..], &list_of(signed)].concat());
	let from = signer(digest, small(9)?, number(10)?, number(11)?).ok_or(DecodeError::Signature)?;
	Ok(Message {
		hash: keccak(raw),
		raw: raw.to_vec(),
		from,
		to,
		nonce: small(1)?,
		priority: wide(2)?,
		max_fee: wide(3)?,
		gas: small(4)?,
		data: bytes(7)?.to_vec(),
	})
}

fn signer(digest: H256, parity: u64, r: U256, s: U256) -> Option<Address> {
	let signature = Signature::from_scalars(r.to_big_endian(), s.to_big_endian()).ok()?;
	let id = RecoveryId::from_byte(u8::try_from(parity).ok()?)?;
	let key = VerifyingKey::recover_from_prehash(&digest.0, &signature, id).ok()?;
	Some(Address::of(&key))
}

/// A piece of a recursive encoding.
#[derive(Clone, Copy, Debug)]
enum Item<'a> {
	Bytes(&'a [u8]),
	/// Its content, encoded.
	List(&'a [u8]),
}

fn item<'a>(input: &mut &'a [u8]) -> Option<Item<'a>> {
	let first = *input.first()?;
	match first {
		0..=0x7f => take(input, 1).map(Item::Bytes),
		0x80..=0xb7 => {
			take(input, 1)?;
			take(input, usize::from(first - 0x80)).map(Item::Bytes)
		}
		0xb8..=0xbf => {
			take(input, 1)?;
			let length = length(input, first - 0xb7)?;
			take(input, length).map(Item::Bytes)
		}
		0xc0..=0xf7 => {
			take(input, 1)?;
			take(input, usize::from(first - 0xc0)).map(Item::List)
		}
		0xf8..=0xff => {
			take(input, 1)?;
			let length = length(input, first - 0xf7)?;
			take(input, length).map(Item::List)
		}
	}
}

fn length(input: &mut &[u8], bytes: u8) -> Option<usize> {
	let digits = take(input, usize::from(bytes))?;
	digits.iter().try_fold(0usize, |sum, digit| {
		sum.checked_mul(256)?.checked_add(usize::from(*digit))
	})
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
	let (taken, rest) = input.split_at_checked(count)?;
	*input = rest;
	Some(taken)
}

/// A list of what is encoded already.
fn list_of(content: &[u8]) -> Vec<u8> {
	let mut out = match u8::try_from(content.len()) {
		Ok(short @ 0..=55) => vec![0xc0 + short],
		_ => {
			let length = (content.len() as u64).to_be_bytes();
			let zeros = length.iter().take_while(|byte| **byte == 0).count();
			let digits = length.get(zeros..).unwrap_or_default();
			let mut out = vec![0xf7 + digits.len() as u8];
			out.extend(digits);
			out
		}
	};
	out.extend(content);
	out
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_anchor::evm::{AnchorKey, Fees, Transaction};

	fn transaction(data: Vec<u8>, to: Option<Address>) -> Transaction {
		Transaction {
			chain_id: 31_337,
			nonce: 300,
			fees: Fees {
				priority: 7.into(),
				max: 1_000_000_000u64.into(),
			},
			gas: 5_000_000,
			to,
			data,
		}
	}

	#[test]
	fn what_a_relayer_sends_is_read_with_its_sender() {
		let key = AnchorKey::development(3).expect("there is one");
		for (data, to) in [
			(Vec::new(), Some(Address([1; 20]))),
			(vec![0], Some(Address([1; 20]))),
			(vec![5; 56], None),
			(vec![5; 70_000], Some(Address([9; 20]))),
		] {
			let signed = transaction(data.clone(), to)
				.sign(&key)
				.expect("it is signed");
			let read = read(&signed.raw, 31_337).expect("it is one");
			assert_eq!((read.from, read.hash), (key.address(), signed.hash));
			assert_eq!((read.to, read.nonce, read.gas), (to, 300, 5_000_000));
			assert_eq!(
				(read.data, read.max_fee, read.priority),
				(data, 1_000_000_000, 7)
			);
		}
	}

	#[test]
	fn other_chains_and_broken_bytes_are_refused() {
		let key = AnchorKey::development(3).expect("there is one");
		let signed = transaction(vec![1, 2], None)
			.sign(&key)
			.expect("it is signed");
		assert_eq!(
			read(&signed.raw, 314),
			Err(DecodeError::Chain {
				expected: 314,
				given: 31_337
			})
		);
		for length in 0..signed.raw.len() {
			assert!(read(&signed.raw[..length], 31_337).is_err(), "{length}");
		}
	}
}

//! The ABI of contracts: arguments and answers, of the types that ours have.

use super::Address;
use millrace_primitives::{H256, U256};

/// Bytes of a word.
const WORD: usize = 32;
/// Most items of a list that are read: far above every set of authorities.
const MAX_ITEMS: usize = 70_000;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
	/// A number, an address, a flag or fixed bytes.
	Word([u8; 32]),
	/// Bytes of any length.
	Bytes(Vec<u8>),
	/// A list of any length.
	List(Vec<Value>),
	/// A structure, or a list of a fixed length.
	Tuple(Vec<Value>),
}

/// The type of a value, to read it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
	/// A word.
	Word,
	/// Bytes of any length.
	Bytes,
	/// A list of any length.
	List(Box<Kind>),
	/// A structure, or a list of a fixed length.
	Tuple(Vec<Kind>),
}

/// Why something is not encoded as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
	/// It ends too early.
	#[error("it ends before its last value")]
	Short,
	/// A length or an offset leads nowhere.
	#[error("a length or an offset in it leads nowhere")]
	Offset,
	/// A number does not fit.
	#[error("a number in it is larger than it may be")]
	Large,
}

impl Value {
	/// A number.
	pub fn number(value: impl Into<U256>) -> Self {
		Self::Word(value.into().to_big_endian())
	}

	/// 32 bytes.
	pub fn hash(value: H256) -> Self {
		Self::Word(value.0)
	}

	/// An address.
	pub fn address(value: Address) -> Self {
		let mut word = [0; WORD];
		word[12..].copy_from_slice(&value.0);
		Self::Word(word)
	}

	/// A list.
	pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
		Self::List(items.into_iter().collect())
	}

	/// The word, if it is one.
	pub fn as_word(&self) -> Option<[u8; 32]> {
		match self {
			Self::Word(word) => Some(*word),
			_ => None,
		}
	}

	/// Its hash, if it is a word.
	pub fn as_hash(&self) -> Option<H256> {
		self.as_word().map(H256)
	}

	/// Its number, if it is a word.
	pub fn as_number(&self) -> Option<U256> {
		self.as_word().map(|word| U256::from_big_endian(&word))
	}

	/// Its number, if it is one that fits.
	pub fn as_u64(&self) -> Option<u64> {
		self.as_number().and_then(|number| number.try_into().ok())
	}

	/// Its number, if it is one that fits.
	pub fn as_u128(&self) -> Option<u128> {
		self.as_number().and_then(|number| number.try_into().ok())
	}

	/// Its address, if it is a word. What stands above an address is no part of it.
	pub fn as_address(&self) -> Option<Address> {
		let word = self.as_word()?;
		let mut address = [0; 20];
		address.copy_from_slice(&word[12..]);
		Some(Address(address))
	}

	/// Its bytes, if it has any.
	pub fn as_bytes(&self) -> Option<&[u8]> {
		match self {
			Self::Bytes(bytes) => Some(bytes),
			_ => None,
		}
	}

	/// Its items, if it has any.
	pub fn items(&self) -> Option<&[Value]> {
		match self {
			Self::List(items) | Self::Tuple(items) => Some(items),
			_ => None,
		}
	}

	fn is_dynamic(&self) -> bool {
		match self {
			Self::Word(_) => false,
			Self::Bytes(_) | Self::List(_) => true,
			Self::Tuple(items) => items.iter().any(Self::is_dynamic),
		}
	}

	fn body(&self) -> Vec<u8> {
		match self {
			Self::Word(word) => word.to_vec(),
			Self::Bytes(bytes) => {
				let mut out = U256::from(bytes.len()).to_big_endian().to_vec();
				out.extend(bytes);
				out.resize(out.len().next_multiple_of(WORD), 0);
				out
			}
			Self::List(items) => {
				let mut out = U256::from(items.len()).to_big_endian().to_vec();
				out.extend(encode(items));
				out
			}
			Self::Tuple(items) => encode(items),
		}
	}

	/// Bytes that it takes among its neighbours: its own, or those of the offset to them.
	fn head(&self) -> usize {
		match self {
			Self::Tuple(items) if !self.is_dynamic() => items.iter().map(Self::head).sum(),
			_ => WORD,
		}
	}
}

/// Values one after the other, as arguments of a call are.
pub fn encode(values: &[Value]) -> Vec<u8> {
	let heads: usize = values.iter().map(Value::head).sum();
	let mut out = Vec::new();
	let mut tail = Vec::new();
	for value in values {
		let body = value.body();
		if value.is_dynamic() {
			out.extend(U256::from(heads + tail.len()).to_big_endian());
			tail.extend(body);
		} else {
			out.extend(body);
		}
	}
	out.extend(tail);
	out
}

/// Reads values of these types. What stands behind them is not looked at.
pub fn decode(kinds: &[Kind], bytes: &[u8]) -> Result<Vec<Value>, AbiError> {
	let mut place = 0;
	let mut values = Vec::with_capacity(kinds.len());
	for kind in kinds {
		let (value, next) = read(kind, bytes, place)?;
		values.push(value);
		place = next;
	}
	Ok(values)
}

/// Reads answers that are words alone.
pub fn words<const N: usize>(bytes: &[u8]) -> Result<[Value; N], AbiError> {
	let kinds: [Kind; N] = std::array::from_fn(|_| Kind::Word);
	let values = decode(&kinds, bytes)?;
	values.try_into().map_err(|_| AbiError::Short)
}

impl Kind {
	fn is_dynamic(&self) -> bool {
		match self {
			Self::Word => false,
			Self::Bytes | Self::List(_) => true,
			Self::Tuple(kinds) => kinds.iter().any(Self::is_dynamic),
		}
	}
}

/// Reads one value whose head is at a place; and the place behind the head.
fn read(kind: &Kind, bytes: &[u8], place: usize) -> Result<(Value, usize), AbiError> {
	if kind.is_dynamic() {
		let offset = length_at(bytes, place)?;
		let from = bytes.get(offset..).ok_or(AbiError::Offset)?;
		return Ok((read_body(kind, from)?, place + WORD));
	}
	match kind {
		Kind::Tuple(kinds) => {
			let mut next = place;
			let mut values = Vec::with_capacity(kinds.len());
			for kind in kinds {
				let (value, behind) = read(kind, bytes, next)?;
				values.push(value);
				next = behind;
			}
			Ok((Value::Tuple(values), next))
		}
		_ => Ok((Value::Word(word_at(bytes, place)?), place + WORD)),
	}
}

fn read_body(kind: &Kind, bytes: &[u8]) -> Result<Value, AbiError> {
	match kind {
		Kind::Word => Ok(Value::Word(word_at(bytes, 0)?)),
		Kind::Bytes => {
			let length = length_at(bytes, 0)?;
			let end = length.checked_add(WORD).ok_or(AbiError::Large)?;
			let content = bytes.get(WORD..end).ok_or(AbiError::Short)?;
			Ok(Value::Bytes(content.to_vec()))
		}
		Kind::List(inner) => {
			let length = length_at(bytes, 0)?;
			// Every item takes a word at least, so no list is longer than its bytes.
			if length > MAX_ITEMS || length > bytes.len() / WORD {
				return Err(AbiError::Large);
			}
			let content = bytes.get(WORD..).ok_or(AbiError::Short)?;
			let mut items = Vec::with_capacity(length);
			let mut place = 0;
			for _ in 0..length {
				let (value, next) = read(inner, content, place)?;
				items.push(value);
				place = next;
			}
			Ok(Value::List(items))
		}
		Kind::Tuple(kinds) => Ok(Value::Tuple(decode(kinds, bytes)?)),
	}
}

fn word_at(bytes: &[u8], place: usize) -> Result<[u8; 32], AbiError> {
	let end = place.checked_add(WORD).ok_or(AbiError::Offset)?;
	let word = bytes.get(place..end).ok_or(AbiError::Short)?;
	word.try_into().map_err(|_| AbiError::Short)
}

fn length_at(bytes: &[u8], place: usize) -> Result<usize, AbiError> {
	let word = U256::from_big_endian(&word_at(bytes, place)?);
	// More than any answer that is read has bytes.
	match word > U256::from(u32::MAX) {
		true => Err(AbiError::Large),
		false => Ok(word.as_usize()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn text(values: &[Value]) -> String {
		hex::encode(encode(values))
	}

	#[test]
	fn arguments_are_encoded_as_the_specification_shows() {
		// Of the examples of the ABI: sam("dave", true, [1, 2, 3]).
		let sam = [
			Value::Bytes(b"dave".to_vec()),
			Value::number(1),
			Value::list([1, 2, 3].map(Value::number)),
		];
		let expected = [
			"0000000000000000000000000000000000000000000000000000000000000060",
			"0000000000000000000000000000000000000000000000000000000000000001",
			"00000000000000000000000000000000000000000000000000000000000000a0",
			"0000000000000000000000000000000000000000000000000000000000000004",
			"6461766500000000000000000000000000000000000000000000000000000000",
			"0000000000000000000000000000000000000000000000000000000000000003",
			"0000000000000000000000000000000000000000000000000000000000000001",
			"0000000000000000000000000000000000000000000000000000000000000002",
			"0000000000000000000000000000000000000000000000000000000000000003",
		];
		assert_eq!(text(&sam), expected.concat());
		// bar([bytes3, bytes3]): a fixed list stands in its place.
		let bar = [Value::Tuple(vec![Value::number(1), Value::number(2)])];
		assert_eq!(encode(&bar).len(), 64);
	}

	fn kinds() -> Vec<Kind> {
		let pair = Kind::Tuple(vec![Kind::Word, Kind::Word]);
		let mixed = Kind::Tuple(vec![
			Kind::Bytes,
			Kind::Tuple(vec![Kind::Word, Kind::Bytes]),
		]);
		vec![Kind::Bytes, Kind::List(Box::new(pair)), mixed, Kind::Word]
	}

	proptest! {
		#[test]
		fn what_was_encoded_is_read_again(
			bytes in proptest::collection::vec(any::<u8>(), 0..100),
			pairs in proptest::collection::vec(any::<[u64; 2]>(), 0..9),
			word in any::<[u8; 32]>(),
		) {
			let pairs = pairs.iter().map(|[a, b]| {
				Value::Tuple(vec![Value::number(*a), Value::number(*b)])
			});
			let inner = Value::Tuple(vec![Value::Word(word), Value::Bytes(bytes.clone())]);
			let values = vec![
				Value::Bytes(bytes.clone()),
				Value::list(pairs),
				Value::Tuple(vec![Value::Bytes(bytes), inner]),
				Value::Word(word),
			];
			prop_assert_eq!(decode(&kinds(), &encode(&values)), Ok(values));
		}

		#[test]
		fn whatever_a_server_answers_is_read_or_refused(
			bytes in proptest::collection::vec(any::<u8>(), 0..400),
		) {
			let _ = decode(&kinds(), &bytes);
		}
	}

	#[test]
	fn a_length_without_content_is_refused() {
		let mut bytes = encode(&[Value::list([])]);
		bytes[63] = 0xff;
		let list = Kind::List(Box::new(Kind::Word));
		assert_eq!(decode(&[list], &bytes), Err(AbiError::Large));
		assert_eq!(decode(&[Kind::Word], &[0; 31]), Err(AbiError::Short));
	}
}

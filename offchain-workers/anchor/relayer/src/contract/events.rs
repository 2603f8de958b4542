//! Events of the contract that prove themselves.

use super::{
	artefact::ANCHOR,
	calls::{list, pairs, signatures_kind},
};
use crate::{
	commitment::Commitment,
	evm::{
		abi::{decode, Kind, Value as Abi},
		hex_bytes, hex_hash,
	},
};
use millrace_primitives::{H256, U256};
use serde_json::Value;

/// Most bytes of an event's data that are read: those of 112 signatures and a bitmap have fewer.
const MAX_BYTES: usize = 16 * 1024;
/// Most words of a bitmap: far above every set that there can be here.
const MAX_WORDS: usize = 8;

/// A part of those who signed a commitment which the contract has accepted, or which was reported to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPart {
	/// What they signed.
	pub commitment: Commitment,
	/// All who signed: bit i of word w is authority 256·w + i.
	pub bitmap: Vec<U256>,
	/// How many of them stand before the first one of this part.
	pub first: usize,
	/// Signatures of this part.
	pub signatures: Vec<[[u8; 32]; 2]>,
}

/// Reads an event of the contract of a chain; `None` if it tells of no signatures. Nothing of it is
/// believed: whether they are right is for the reader to find out.
pub fn read_signed(event: &Value, genesis: H256) -> Option<SignedPart> {
	let topics = event.get("topics")?.as_array()?;
	let [name, block, set] = &topics[..] else {
		return None;
	};
	if hex_hash(name)?.0 != ANCHOR.event("Signed") {
		return None;
	}
	let number = |topic: &Value| hex_hash(topic).map(Abi::hash)?.as_u64();
	let (block, set) = (number(block)?, number(set)?);
	let data = event.get("data")?;
	if data.as_str()?.len() > 2 + 2 * MAX_BYTES {
		return None;
	}
	let kinds = [
		Kind::Word,
		Kind::List(Box::new(Kind::Word)),
		Kind::Word,
		signatures_kind(),
	];
	let values = decode(&kinds, &hex_bytes(data)?).ok()?;
	let [root, bitmap, first, signatures] = &values[..] else {
		return None;
	};
	let bitmap = list(bitmap, Abi::as_number)?;
	if bitmap.len() > MAX_WORDS {
		return None;
	}
	Some(SignedPart {
		commitment: Commitment {
			genesis,
			root: root.as_hash()?,
			block: block.try_into().ok()?,
			set,
		},
		bitmap,
		first: first.as_u64()?.try_into().ok()?,
		signatures: pairs(signatures)?,
	})
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use crate::{
		commitment::{
			tests::{commitment, keys, signed},
			Signed,
		},
		evm::abi::encode,
	};
	use serde_json::json;

	/// The events that a contract makes of signatures, so many in each.
	pub(crate) fn events(signed: &Signed, at_once: usize) -> Vec<Value> {
		let form = signed.form();
		let topic = |bytes: [u8; 32]| format!("0x{}", hex::encode(bytes));
		let Commitment {
			root, block, set, ..
		} = signed.commitment;
		let part = |(index, signatures): (usize, &[[[u8; 32]; 2]])| {
			let pair = |[r, s]: &[[u8; 32]; 2]| Abi::Tuple(vec![Abi::Word(*r), Abi::Word(*s)]);
			let data = encode(&[
				Abi::hash(root),
				Abi::list(form.bitmap.iter().copied().map(Abi::number)),
				Abi::number((index * at_once) as u64),
				Abi::list(signatures.iter().map(pair)),
			]);
			json!({
				"topics": [
					topic(ANCHOR.event("Signed")),
					topic(U256::from(block).to_big_endian()),
					topic(U256::from(set).to_big_endian()),
				],
				"data": format!("0x{}", hex::encode(data)),
			})
		};
		let parts = form.signatures.chunks(at_once).enumerate();
		parts.map(part).collect()
	}

	#[test]
	fn an_event_tells_what_was_signed_and_by_whom() {
		let signed = signed(commitment(5, 9), &keys(300), &[0, 1, 255, 256, 299]);
		let genesis = signed.commitment.genesis;
		let all = events(&signed, 3);
		let read: Option<Vec<SignedPart>> = all.iter().map(|e| read_signed(e, genesis)).collect();
		let read = read.expect("they are ours");
		let [first, second] = &read[..] else {
			panic!("five make two events");
		};
		assert_eq!(first.commitment, signed.commitment);
		assert_eq!((first.first, second.first), (0, 3));
		let form = signed.form();
		assert_eq!(second.bitmap, form.bitmap);
		let signatures = [&first.signatures[..], &second.signatures].concat();
		assert_eq!(signatures, form.signatures);
	}

	#[test]
	fn an_event_in_another_form_tells_nothing() {
		let signed = signed(commitment(5, 1), &keys(4), &[0, 1, 2]);
		let genesis = signed.commitment.genesis;
		let event = events(&signed, 112).remove(0);
		let with = |name: &str, value: Value| {
			let mut other = event.clone();
			other[name] = value;
			read_signed(&other, genesis)
		};
		let topics = event["topics"].as_array().unwrap().clone();
		let high = format!("0x{}", "ff".repeat(32));
		let text = event["data"].as_str().unwrap();
		assert!(with("data", text.into()).is_some());
		for (name, value) in [
			("topics", json!(topics[..2])),
			("topics", json!([topics[1], topics[1], topics[2]])),
			("topics", json!([topics[0], high, topics[2]])),
			("topics", Value::Null),
			("data", json!(&text[..text.len() / 2])),
			("data", format!("{text}{}", "00".repeat(MAX_BYTES)).into()),
			("data", "0x".into()),
		] {
			assert_eq!(with(name, value.clone()), None, "{name} {value}");
		}
		let mut wide = signed;
		wide.signatures.resize(256 * MAX_WORDS + 1, None);
		assert_eq!(read_signed(&events(&wide, 112)[0], genesis), None);
	}
}

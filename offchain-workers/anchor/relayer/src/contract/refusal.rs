//! What the contract says when it refuses: the error's name, with what was expected and what was given.

use super::artefact::{ANCHOR, TOKEN};
use crate::evm::Address;
use millrace_primitives::U256;
use std::fmt;

/// An error of the contract. All values of ours are words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
	/// Its name, such as `StaleBlock`.
	pub name: String,
	/// Its values with their names, in its order.
	pub values: Vec<(String, String)>,
}

impl Refusal {
	/// Reads the bytes of an error.
	pub fn read(bytes: &[u8]) -> Self {
		let known = bytes.first_chunk::<4>().and_then(|selector| {
			let error = ANCHOR.error(*selector);
			error.or_else(|| TOKEN.error(*selector))
		});
		let Some(form) = known else {
			let name = match bytes.is_empty() {
				true => "no reason given".into(),
				false => format!("unknown error 0x{}", hex::encode(bytes)),
			};
			let values = Vec::new();
			return Self { name, values };
		};
		let words = bytes.get(4..).unwrap_or_default().chunks_exact(32);
		let values = form
			.values
			.iter()
			.zip(words)
			.map(|((name, kind), word)| (name.clone(), shown(kind, word)));
		Self {
			name: form.name.clone(),
			values: values.collect(),
		}
	}

	/// One of its values.
	pub fn value(&self, name: &str) -> Option<&str> {
		let found = self.values.iter().find(|(known, _)| known == name)?;
		Some(&found.1)
	}
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.name)?;
		for (index, (name, value)) in self.values.iter().enumerate() {
			let separator = if index == 0 { " (" } else { ", " };
			write!(f, "{separator}{name} {value}")?;
		}
		match self.values.is_empty() {
			true => Ok(()),
			false => f.write_str(")"),
		}
	}
}

/// A word as its type shows it.
fn shown(kind: &str, word: &[u8]) -> String {
	if kind.starts_with("uint") {
		return U256::from_big_endian(word).to_string();
	}
	if let ("address", Some(bytes)) = (kind, word.last_chunk::<20>()) {
		return Address(*bytes).to_string();
	}
	if kind == "bool" {
		return (word.last() == Some(&1)).to_string();
	}
	let size = kind
		.strip_prefix("bytes")
		.and_then(|size| size.parse().ok());
	let bytes = word.get(..size.unwrap_or(word.len())).unwrap_or(word);
	format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::evm::{
		abi::{encode, Value},
		keccak,
	};

	fn error(signature: &str, values: &[Value]) -> Vec<u8> {
		let selector = keccak(signature.as_bytes());
		[&selector.0[..4], &encode(values)].concat()
	}

	#[test]
	fn an_error_says_what_was_expected() {
		let values = [Value::number(67), Value::number(66)];
		let refusal = Refusal::read(&error("QuorumNotReached(uint256,uint256)", &values));
		assert_eq!(
			refusal.to_string(),
			"QuorumNotReached (required 67, given 66)"
		);
		assert_eq!(refusal.value("required"), Some("67"));
		let refusal = Refusal::read(&error("ClientFrozen()", &[]));
		assert_eq!(refusal.to_string(), "ClientFrozen");
	}

	#[test]
	fn bytes_and_addresses_are_shown_as_such() {
		let entry = Value::Word([0x61; 32]);
		let bytes = error(
			"PayloadEntry(uint256,bytes3,bytes3)",
			&[Value::number(1), entry.clone(), entry],
		);
		let refusal = Refusal::read(&bytes);
		assert_eq!(refusal.value("expected"), Some("0x616161"));
		let bytes = error(
			"NotGuardian(address)",
			&[Value::address(Address([0x11; 20]))],
		);
		let given = Refusal::read(&bytes);
		assert_eq!(
			given.value("given"),
			Some("0x1111111111111111111111111111111111111111")
		);
	}

	#[test]
	fn what_is_no_error_of_ours_is_shown_as_it_is() {
		assert_eq!(Refusal::read(&[]).name, "no reason given");
		assert_eq!(
			Refusal::read(&[1, 2, 3, 4, 5]).name,
			"unknown error 0x0102030405"
		);
		assert_eq!(Refusal::read(&[1]).values, []);
	}
}

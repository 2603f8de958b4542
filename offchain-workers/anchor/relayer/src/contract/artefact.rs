//! What the compiler made of the contracts: selectors are computed from it, so none is mistyped here.

use crate::evm::keccak;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// The contract that is deployed, which deploys the token.
pub static ANCHOR: LazyLock<Artefact> =
	LazyLock::new(|| Artefact::read(include_str!("../../../contracts/artefacts/Anchor.json")));

/// The token.
pub static TOKEN: LazyLock<Artefact> =
	LazyLock::new(|| Artefact::read(include_str!("../../../contracts/artefacts/Flt.json")));

/// A compiled contract.
#[derive(Clone, Debug, Default)]
pub struct Artefact {
	/// Code that deploys it, before the arguments of its constructor.
	pub bytecode: Vec<u8>,
	/// Selectors of its functions, by their names.
	functions: BTreeMap<String, [u8; 4]>,
	/// Topics of its events, by their names.
	events: BTreeMap<String, [u8; 32]>,
	/// Its errors, by their selectors.
	errors: BTreeMap<[u8; 4], ErrorForm>,
}

/// An error: its name and the names and types of its values.
#[derive(Clone, Debug)]
pub(super) struct ErrorForm {
	pub(super) name: String,
	pub(super) values: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct File {
	abi: Vec<Item>,
	bytecode: String,
}

#[derive(Deserialize)]
struct Item {
	r#type: String,
	#[serde(default)]
	name: String,
	#[serde(default)]
	inputs: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
	#[serde(default)]
	name: String,
	r#type: String,
	#[serde(default)]
	components: Vec<Input>,
}

impl Artefact {
	/// Reads a file of the contracts' folder, which is part of this program.
	pub fn read(text: &str) -> Self {
		// The tests read both files, so they are what they should be wherever this runs.
		let Ok(file) = serde_json::from_str::<File>(text) else {
			return Self::default();
		};
		let digits = file.bytecode.trim_start_matches("0x");
		let mut artefact = Self {
			bytecode: hex::decode(digits).unwrap_or_default(),
			..Self::default()
		};
		for item in file.abi {
			let hash = keccak(signature(&item).as_bytes()).0;
			let [a, b, c, d, ..] = hash;
			let selector = [a, b, c, d];
			match item.r#type.as_str() {
				"function" => {
					artefact.functions.insert(item.name, selector);
				}
				"event" => {
					artefact.events.insert(item.name, hash);
				}
				"error" => {
					let values = item.inputs.into_iter();
					let form = ErrorForm {
						name: item.name,
						values: values.map(|input| (input.name, input.r#type)).collect(),
					};
					artefact.errors.insert(selector, form);
				}
				_ => {}
			}
		}
		artefact
	}

	/// Selector of a function. All zeros if there is none, which no function of ours has.
	pub fn function(&self, name: &str) -> [u8; 4] {
		self.functions.get(name).copied().unwrap_or_default()
	}

	/// Topic of an event.
	pub fn event(&self, name: &str) -> [u8; 32] {
		self.events.get(name).copied().unwrap_or_default()
	}

	pub(super) fn error(&self, selector: [u8; 4]) -> Option<&ErrorForm> {
		self.errors.get(&selector)
	}
}

fn signature(item: &Item) -> String {
	format!("{}({})", item.name, types(&item.inputs))
}

fn types(inputs: &[Input]) -> String {
	let types: Vec<String> = inputs.iter().map(canonical).collect();
	types.join(",")
}

/// The type as selectors have it: structures are written out.
fn canonical(input: &Input) -> String {
	match input.r#type.strip_prefix("tuple") {
		Some(suffix) => format!("({}){suffix}", types(&input.components)),
		None => input.r#type.clone(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn selectors_are_those_that_other_tools_compute() {
		// Of ERC-20, which everybody has.
		assert_eq!(TOKEN.function("transfer"), [0xa9, 0x05, 0x9c, 0xbb]);
		assert_eq!(TOKEN.function("balanceOf"), [0x70, 0xa0, 0x82, 0x31]);
		assert_eq!(TOKEN.function("totalSupply"), [0x18, 0x16, 0x0d, 0xdd]);
		assert_eq!(
			hex::encode(TOKEN.event("Transfer")),
			"ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
		);
	}

	#[test]
	fn everything_that_is_called_is_there() {
		for name in [
			"submit",
			"reportDoubleSign",
			"withdraw",
			"claim",
			"deposit",
			"forceInclude",
			"recover",
			"status",
			"authoritySets",
			"accumulatorAt",
			"credits",
			"rootAt",
			"genesisHash",
			"flt",
			"minDeposit",
			"outflowAvailable",
			"staleSince",
		] {
			assert_ne!(ANCHOR.function(name), [0; 4], "{name}");
		}
		for name in ["Enqueued", "Signed"] {
			assert_ne!(ANCHOR.event(name), [0; 32], "{name}");
		}
		assert!(ANCHOR.bytecode.len() > 20_000);
	}
}

//! Parameters that a vote can change, as clients see them: whoever shows or proposes one needs no
//! table of its own.

use crate::U256;
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

/// What the value of a parameter is: how it is encoded, and how people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum ParameterKind {
	/// A number of 32 bits: blocks, epochs, or what else is counted.
	U32,
	/// A number of 64 bits: gas.
	U64,
	/// An amount in smallest units of FLT, of 128 bits.
	Flt,
	/// A part of a whole in billionths, up to one: people write per cent.
	Part,
	/// A number of 256 bits: a target.
	U256,
}

impl ParameterKind {
	/// SCALE encoding of a value; nothing if it is more than the kind can hold.
	pub fn encode(self, value: U256) -> Option<Vec<u8>> {
		Some(match self {
			Self::U32 => u32::try_from(value).ok()?.encode(),
			Self::U64 => u64::try_from(value).ok()?.encode(),
			Self::Flt => u128::try_from(value).ok()?.encode(),
			Self::Part => {
				let parts = u32::try_from(value).ok()?;
				let part = Perbill::from_parts(parts);
				// Beyond the whole, parts are cut off.
				(part.deconstruct() == parts).then(|| part.encode())?
			}
			Self::U256 => value.encode(),
		})
	}
}

/// Values of parameters do not fit each other: nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction;

/// A parameter that a vote can change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ParameterInfo {
	/// Its name: the group, a dot, the field, such as `market.min_price`.
	pub name: String,
	/// What a value counts, such as `epochs` or `FLT per unit and epoch`.
	pub unit: String,
	/// What a value is.
	pub kind: ParameterKind,
	/// SCALE encoding of its key in the runtime's `RuntimeParametersKey`.
	pub key: Vec<u8>,
	/// What was voted. From the next epoch on it is in force.
	pub value: U256,
	/// What is in force in this epoch.
	pub in_force: U256,
	/// Least value that is taken.
	pub least: U256,
	/// Most that is taken.
	pub most: U256,
	/// What the mainnet begins with.
	pub default: U256,
	/// What it means, in a sentence or two.
	pub meaning: String,
	/// Track whose referenda can set it, besides root's.
	pub track: String,
}

impl ParameterInfo {
	/// Whether a value lies within the bounds. How it must fit the other parameters, only the chain
	/// decides, when the value is set.
	pub fn allows(&self, value: U256) -> bool {
		value >= self.least && value <= self.most
	}

	/// Whether what was voted is not in force yet.
	pub fn is_pending(&self) -> bool {
		self.value != self.in_force
	}

	/// SCALE encoding of the `RuntimeParameters` that sets it: the argument of `Governed.set`. Its
	/// variants are encoded like those of the key, and the value follows as an option.
	pub fn parameter(&self, value: U256) -> Option<Vec<u8>> {
		let value = self.kind.encode(value)?;
		Some([self.key.as_slice(), &[1], &value].concat())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_value_is_encoded_as_its_kind_and_never_cut_off() {
		for (kind, most, bytes) in [
			(ParameterKind::U32, U256::from(u32::MAX), 4),
			(ParameterKind::U64, U256::from(u64::MAX), 8),
			(ParameterKind::Flt, U256::from(u128::MAX), 16),
			(ParameterKind::Part, U256::from(1_000_000_000u32), 4),
		] {
			assert_eq!(kind.encode(most).map(|value| value.len()), Some(bytes));
			assert_eq!(kind.encode(most + 1), None);
		}
		assert_eq!(
			ParameterKind::U256.encode(U256::MAX),
			Some([0xff; 32].to_vec())
		);
		let half = U256::from(500_000_000u32);
		assert_eq!(
			ParameterKind::Part.encode(half),
			Some(Perbill::from_percent(50).encode())
		);
	}

	#[test]
	fn an_argument_is_key_and_value() {
		let info = ParameterInfo {
			name: "market.probe_blocks".into(),
			unit: "blocks".into(),
			kind: ParameterKind::U32,
			key: [3, 7].to_vec(),
			value: 40.into(),
			in_force: 40.into(),
			least: 2.into(),
			most: 50.into(),
			default: 40.into(),
			meaning: String::new(),
			track: "market".into(),
		};
		assert_eq!(info.parameter(7.into()).unwrap(), [3, 7, 1, 7, 0, 0, 0]);
		assert_eq!(info.parameter(U256::MAX), None);
		assert!(info.allows(2.into()) && info.allows(50.into()));
		assert!(!info.allows(1.into()) && !info.allows(51.into()));
	}
}

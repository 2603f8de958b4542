//! Serde helper: amounts as decimal strings, since JSON numbers lose digits above 2^53.

use crate::Balance;
use alloc::string::{String, ToString};
use serde::{de::Error, Deserialize, Deserializer, Serializer};

/// Writes the amount as a string of digits.
pub fn serialize<S: Serializer>(amount: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
	serializer.serialize_str(&amount.to_string())
}

/// Reads an amount from a string of digits.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Balance, D::Error> {
	let digits = String::deserialize(deserializer)?;
	digits
		.parse()
		.map_err(|_| Error::custom("an amount is a string of decimal digits"))
}

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

/// The same for amounts that there need not be: a string of digits, or null.
pub mod option {
	use crate::Balance;
	use alloc::string::{String, ToString};
	use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

	/// Writes the amount as a string of digits, or null.
	pub fn serialize<S: Serializer>(
		amount: &Option<Balance>,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		amount
			.map(|amount| amount.to_string())
			.serialize(serializer)
	}

	/// Reads an amount from a string of digits, or null.
	pub fn deserialize<'de, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<Option<Balance>, D::Error> {
		Option::<String>::deserialize(deserializer)?
			.map(|digits| digits.parse())
			.transpose()
			.map_err(|_| Error::custom("an amount is a string of decimal digits, or null"))
	}
}

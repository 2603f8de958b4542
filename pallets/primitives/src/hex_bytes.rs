//! Serde helper: 32 bytes as `0x`-prefixed hexadecimal.

use crate::H256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes the bytes as hexadecimal.
pub fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
	H256(*bytes).serialize(serializer)
}

/// Reads the bytes from hexadecimal.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
	Ok(H256::deserialize(deserializer)?.0)
}

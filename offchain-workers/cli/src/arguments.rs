//! Arguments as people write them.

use millrace_client::{amounts, PeerKeypair};
use millrace_primitives::{peer::PeerId, Balance, H256};
use std::path::Path;

/// 32 bytes in hexadecimal, with or without `0x`.
pub(crate) fn hash(text: &str) -> Result<H256, String> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let bytes = hex::decode(digits).map_err(|error| format!("no hexadecimal: {error}"))?;
	let bytes: [u8; 32] = bytes
		.try_into()
		.map_err(|bytes: Vec<u8>| format!("{} bytes, not 32", bytes.len()))?;
	Ok(H256(bytes))
}

/// A peer: its id, or a key file of it.
pub(crate) fn peer(text: &str) -> Result<PeerId, String> {
	let path = Path::new(text);
	if path.is_file() {
		return PeerKeypair::load(path)
			.map(|key| key.id())
			.map_err(|error| error.to_string());
	}
	hash(text).map(PeerId)
}

/// An amount with its unit.
pub(crate) fn amount(text: &str) -> Result<Balance, String> {
	amounts::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn hashes_are_read_with_and_without_prefix() {
		let digits = "11".repeat(32);
		assert_eq!(hash(&digits), Ok(H256::repeat_byte(0x11)));
		assert_eq!(hash(&format!("0x{digits}")), Ok(H256::repeat_byte(0x11)));
		assert!(hash("0x11").is_err());
		assert!(hash("not hex").is_err());
	}

	#[test]
	fn a_peer_can_be_named_by_its_key_file() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("peer.json");
		let key = PeerKeypair::load_or_generate(&path).expect("it is made");
		assert_eq!(peer(&path.display().to_string()), Ok(key.id()));
		assert_eq!(peer(&key.id().to_string()), Ok(key.id()));
	}
}

//! Calls of the Session pallet: the keys that a validator signs blocks and votes with.

use super::{Call, Raw};

/// Sets the signer's session keys; `keys` and `proof` as [`crate::Chain::rotate_keys`] gives them.
///
/// They count from the session after the next on. Until then the node needs the keys before.
pub fn set_keys(keys: &[u8], proof: &[u8]) -> Call {
	Call::new("Session", "set_keys", (Raw(keys), proof))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::Args;

	#[test]
	fn keys_stand_as_they_are_and_the_proof_with_its_length() {
		let call = set_keys(&[1; 97], &[2; 200]);
		let mut expected = [1; 97].to_vec();
		// Compact 200.
		expected.extend([0x21, 0x03]);
		expected.extend([2; 200]);
		assert_eq!(call.args, Args::Encoded(expected));
		assert_eq!(call.to_string(), "Session.set_keys");
	}
}

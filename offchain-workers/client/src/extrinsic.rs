//! General transactions of extrinsic format 5, by hand: what duties travel in.
//!
//! A duty has no signer: the runtime admits it by its content. Its transaction is therefore only
//! a preamble, the explicit parts of the transaction extensions and the call, so that a peer
//! needs neither an account nor a nonce to do what it owes.

use codec::{Compact, Encode};

/// A general transaction (0b01 in the upper two bits) of format 5.
const PREAMBLE: u8 = 0b0100_0000 | 5;
/// The runtime's one set of transaction extensions.
pub(crate) const EXTENSION_VERSION: u8 = 0;

/// A transaction extension that this client does not know how to fill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the runtime asks for the transaction extension {0}, which this client does not know")]
pub struct UnknownExtension(pub String);

/// The transaction that carries an encoded call, with its length in front.
///
/// `extensions` are the identifiers of the runtime's extensions in their order. `nonce` counts for
/// nothing where nobody signs; two transactions of one duty that differ in it have different
/// hashes, which is all it is for.
pub fn general<'a>(
	call: &[u8],
	extensions: impl IntoIterator<Item = &'a str>,
	nonce: u32,
) -> Result<Vec<u8>, UnknownExtension> {
	let mut body = vec![PREAMBLE, EXTENSION_VERSION];
	for identifier in extensions {
		match identifier {
			"AuthorizeCall" | "CheckNonZeroSender" | "CheckSpecVersion" | "CheckTxVersion"
			| "CheckGenesis" | "CheckWeight" | "WeightReclaim" => {}
			// The era of a transaction that never expires; duties have windows of their own.
			"CheckMortality" => body.push(0),
			"CheckNonce" => Compact(nonce).encode_to(&mut body),
			"ChargeTransactionPayment" => Compact(0u128).encode_to(&mut body),
			// Mode: no metadata hash is checked.
			"CheckMetadataHash" => body.push(0),
			other => return Err(UnknownExtension(other.into())),
		}
	}
	body.extend_from_slice(call);
	Ok(body.encode())
}

#[cfg(test)]
mod tests {
	use super::*;

	const RUNTIME: [&str; 11] = [
		"AuthorizeCall",
		"CheckNonZeroSender",
		"CheckSpecVersion",
		"CheckTxVersion",
		"CheckGenesis",
		"CheckMortality",
		"CheckNonce",
		"CheckWeight",
		"ChargeTransactionPayment",
		"CheckMetadataHash",
		"WeightReclaim",
	];

	#[test]
	fn a_duty_is_preamble_extensions_and_call() {
		let bytes = general(&[9, 3, 0xaa], RUNTIME, 0).expect("all extensions are known");
		// Nine bytes follow; compact length 9 is 36.
		assert_eq!(bytes, [36, 0x45, 0, 0, 0, 0, 0, 9, 3, 0xaa]);
	}

	#[test]
	fn the_nonce_changes_the_bytes_and_nothing_else() {
		let bytes = general(&[9, 3], RUNTIME, 1).expect("all extensions are known");
		assert_eq!(bytes, [32, 0x45, 0, 0, 4, 0, 0, 9, 3]);
	}

	#[test]
	fn a_long_call_has_a_long_length() {
		let call = vec![1; 100];
		let bytes = general(&call, RUNTIME, 0).expect("all extensions are known");
		assert_eq!(bytes[..2], Compact(106u32).encode()[..]);
		assert_eq!(bytes.len(), 2 + 106);
	}

	#[test]
	fn an_unknown_extension_is_named() {
		assert_eq!(
			general(&[], ["Tax"], 0),
			Err(UnknownExtension("Tax".into()))
		);
	}
}

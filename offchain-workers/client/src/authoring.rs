//! What a node does for its operator alone: session keys in its keystore.

use crate::{
	chain::{lost, refused, Chain, REQUEST_TIMEOUT},
	error::ReadError,
	AccountId,
};
use serde::Deserialize;
use subxt::rpcs::client::rpc_params;
use tokio::time::timeout;

/// What is asked for, in errors.
const NEW_KEYS: &str = "new session keys";
/// How a node refuses what it does for whoever sits at its machine alone. Its number is that of a
/// method that is not there.
const UNSAFE: &str = "RPC call is unsafe to be called externally";

/// Session keys that a node has made, whose secret halves are in its keystore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedKeys {
	/// The public keys, SCALE-encoded.
	pub keys: Vec<u8>,
	/// Shows that they belong to the account that they were made for.
	pub proof: Vec<u8>,
}

/// The node's answer.
#[derive(Deserialize)]
struct Answer {
	keys: String,
	proof: Option<String>,
}

impl Chain {
	/// Has the node make new session keys for an account, and keep them beside those that it has.
	///
	/// Nothing is said again over a second connection: the node might make a second set.
	pub async fn rotate_keys(&self, owner: &AccountId) -> Result<GeneratedKeys, ReadError> {
		let link = self.link().await?;
		let owner = format!("0x{}", hex::encode(owner.0));
		let request = link
			.rpc
			.request::<Answer>("author_rotateKeysWithOwner", rpc_params![owner]);
		let reason = match timeout(REQUEST_TIMEOUT, request).await {
			Ok(Ok(answer)) => return generated(&answer),
			Ok(Err(error)) if !lost(&error) => return Err(refused(NEW_KEYS, &error)),
			Ok(Err(error)) => error.to_string(),
			Err(_) => "no answer in time".to_string(),
		};
		link.give_up();
		Err(ReadError::Lost(reason))
	}

	/// Whether the node's keystore has the secret halves of session keys.
	pub async fn has_keys(&self, keys: &[u8]) -> Result<bool, ReadError> {
		self.request("the node's session keys", |methods| async move {
			methods.author_has_session_keys(keys.to_vec()).await
		})
		.await
	}
}

impl ReadError {
	/// Whether the node answers this to its own machine alone.
	pub fn is_unsafe_rpc(&self) -> bool {
		matches!(self, Self::Refused { reason, .. } if reason.starts_with(UNSAFE))
	}
}

fn generated(answer: &Answer) -> Result<GeneratedKeys, ReadError> {
	let undecodable = |reason: &str| ReadError::Undecodable {
		what: NEW_KEYS.into(),
		reason: reason.into(),
	};
	let bytes = |text: &str| {
		let digits = text.strip_prefix("0x").unwrap_or(text);
		hex::decode(digits).map_err(|error| undecodable(&error.to_string()))
	};
	let proof = answer
		.proof
		.as_deref()
		.ok_or_else(|| undecodable("there is no proof of who owns them"))?;
	Ok(GeneratedKeys {
		keys: bytes(&answer.keys)?,
		proof: bytes(proof)?,
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn keys_come_with_a_proof_or_not_at_all() {
		let read = |json: &str| {
			let answer = serde_json::from_str(json).expect("that is an answer");
			generated(&answer)
		};
		let keys = read(r#"{"keys":"0x0102","proof":"0x03"}"#).expect("they can be read");
		assert_eq!((keys.keys, keys.proof), (vec![1, 2], vec![3]));
		assert!(read(r#"{"keys":"0x0102"}"#).is_err());
		assert!(read(r#"{"keys":"0x01","proof":"keys"}"#).is_err());
	}

	#[test]
	fn a_node_that_keeps_its_keystore_to_itself_is_recognised() {
		let refused = |reason: &str| ReadError::Refused {
			what: NEW_KEYS.into(),
			reason: reason.into(),
		};
		assert!(refused(UNSAFE).is_unsafe_rpc());
		assert!(!refused("Method not found").is_unsafe_rpc());
		assert!(!ReadError::Lost(UNSAFE.into()).is_unsafe_rpc());
	}
}

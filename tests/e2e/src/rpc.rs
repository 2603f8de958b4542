//! A node's JSON-RPC, by hand: what a client sees that knows nothing of ours.

use crate::Http;
use codec::Decode;
use http::Method;
use millrace_client::{calls::Call, extrinsic};
use millrace_primitives::{epoch::EpochStatus, H256};
use serde_json::{json, Value};
use subxt::Metadata;

/// A node's RPC over HTTP.
#[derive(Clone, Debug)]
pub struct Rpc {
	http: Http,
	url: String,
}

/// An error object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
	/// JSON-RPC's number.
	pub code: i64,
	/// What happened.
	pub message: String,
	/// More of it.
	pub data: Value,
}

impl Fault {
	/// The runtime's own code for refusing a duty.
	pub fn refusal(&self) -> Option<u8> {
		self.data
			.as_str()?
			.strip_prefix("Custom error: ")?
			.parse()
			.ok()
	}
}

/// Weight that the transactions of a block took: (time in picoseconds, bytes of proof).
pub type BlockWeight = (u64, u64);

impl Rpc {
	/// The RPC at a port of this machine.
	pub fn new(port: u16) -> Self {
		Self {
			http: Http::default(),
			url: format!("http://127.0.0.1:{port}"),
		}
	}

	/// Makes a request; the outer error is the transport's.
	pub async fn try_call(
		&self,
		method: &str,
		params: Value,
	) -> Result<Result<Value, Fault>, String> {
		let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
		let body = body.to_string();
		let answer = self
			.http
			.send(Method::POST, &self.url, "application/json", body)
			.await?;
		let mut object = answer.json();
		if !object.is_object() {
			return Err(format!("{method}: no JSON-RPC, status {}", answer.status));
		}
		let error = object["error"].take();
		if error.is_null() {
			return Ok(Ok(object["result"].take()));
		}
		Ok(Err(Fault {
			code: error["code"].as_i64().unwrap_or_default(),
			message: error["message"].as_str().unwrap_or_default().into(),
			data: error["data"].clone(),
		}))
	}

	/// Makes a request of a node that must be there.
	pub async fn call(&self, method: &str, params: Value) -> Result<Value, Fault> {
		self.try_call(method, params)
			.await
			.unwrap_or_else(|error| panic!("{method}: {error}"))
	}

	/// Makes a request that must be answered.
	pub async fn result(&self, method: &str, params: Value) -> Value {
		self.call(method, params)
			.await
			.unwrap_or_else(|fault| panic!("{method}: {fault:?}"))
	}

	/// Hash of the best block.
	pub async fn best(&self) -> H256 {
		hash(&self.result("chain_getBlockHash", json!([])).await)
	}

	/// Hash of the last finalised block.
	pub async fn finalized(&self) -> H256 {
		hash(&self.result("chain_getFinalizedHead", json!([])).await)
	}

	/// Height of a block.
	pub async fn number(&self, block: H256) -> u32 {
		let header = self.result("chain_getHeader", json!([block])).await;
		let number = header["number"].as_str().unwrap_or_default();
		u32::from_str_radix(number.trim_start_matches("0x"), 16)
			.unwrap_or_else(|_| panic!("the header has no number: {header}"))
	}

	/// Height of the last finalised block.
	pub async fn finalized_number(&self) -> u32 {
		let block = self.finalized().await;
		self.number(block).await
	}

	/// Hash of the block of a height on the best chain.
	pub async fn block_hash(&self, number: u32) -> Option<H256> {
		let found = self.result("chain_getBlockHash", json!([number])).await;
		(!found.is_null()).then(|| hash(&found))
	}

	/// Slot that the block of a height was written in. Nodes keep headers for ever.
	pub async fn slot(&self, number: u32) -> u64 {
		let hash = self.block_hash(number).await;
		let hash = hash.unwrap_or_else(|| panic!("there is no block {number}"));
		let header = self.result("chain_getHeader", json!([hash])).await;
		let logs = header["digest"]["logs"].as_array();
		logs.and_then(|logs| logs.iter().find_map(babe_slot))
			.unwrap_or_else(|| panic!("block {number} has no slot: {header}"))
	}

	/// Bytes under a key of a block's state.
	pub async fn storage(&self, key: &[u8], block: H256) -> Option<Vec<u8>> {
		let key = format!("0x{}", hex::encode(key));
		let found = self.result("state_getStorage", json!([key, block])).await;
		(!found.is_null()).then(|| bytes(&found))
	}

	/// Where the clock stood at a block.
	pub async fn epoch(&self, block: H256) -> EpochStatus {
		let status = self.result("epochs_current", json!([block])).await;
		serde_json::from_value(status).expect("that is an epoch's status")
	}

	/// Transactions of a block, as hexadecimal.
	pub async fn transactions(&self, block: H256) -> Vec<String> {
		let body = self.result("chain_getBlock", json!([block])).await;
		let body = body["block"]["extrinsics"].as_array().cloned();
		let body = body.expect("a block has a body");
		let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
		body.iter().map(text).collect()
	}

	/// What ordinary transactions took of a block, duties and inherents not counted.
	pub async fn normal_weight(&self, block: H256) -> BlockWeight {
		// twox_128("System"), twox_128("BlockWeight").
		let key = "0x26aa394eea5630e07c48ae0c9558cef734abf5cb34d6244378cddbf18e849d96";
		let found = self.result("state_getStorage", json!([key, block])).await;
		let bytes = bytes(&found);
		type Weight = (codec::Compact<u64>, codec::Compact<u64>);
		let (normal, _, _) = <(Weight, Weight, Weight)>::decode(&mut &bytes[..])
			.expect("weights of three classes are kept");
		(normal.0 .0, normal.1 .0)
	}

	/// What the runtime says of itself.
	pub async fn metadata(&self) -> Metadata {
		let found = self.result("state_getMetadata", json!([])).await;
		Metadata::decode_from(&bytes(&found)).expect("the metadata can be read")
	}

	/// Hands a transaction to the pool.
	pub async fn submit(&self, transaction: &[u8]) -> Result<Value, Fault> {
		let text = format!("0x{}", hex::encode(transaction));
		self.call("author_submitExtrinsic", json!([text])).await
	}
}

/// The transaction of a duty. `nonce` counts for nothing but the bytes.
pub fn duty(metadata: &Metadata, call: &Call, nonce: u32) -> Vec<u8> {
	let extensions = metadata
		.extrinsic()
		.transaction_extensions_by_version(0)
		.expect("version 0 of the extensions is there")
		.map(|extension| extension.identifier());
	let call = call.encode(metadata).expect("the runtime has this call");
	extrinsic::general(&call, extensions, nonce).expect("every extension is known")
}

/// A pre-runtime digest (6) of BABE: engine, length, kind of slot, the author's index, then the slot.
fn babe_slot(log: &Value) -> Option<u64> {
	let item = hex::decode(log.as_str()?.strip_prefix("0x")?).ok()?;
	// The item is longer than 63 bytes, so its length takes two.
	let slot = item.strip_prefix(b"\x06BABE")?.get(7..15)?;
	Some(u64::from_le_bytes(slot.try_into().ok()?))
}

fn hash(value: &Value) -> H256 {
	serde_json::from_value(value.clone()).unwrap_or_else(|_| panic!("that is no hash: {value}"))
}

fn bytes(value: &Value) -> Vec<u8> {
	let text = value.as_str().unwrap_or_default();
	hex::decode(text.trim_start_matches("0x")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_slot_is_read_from_the_digest_of_its_engine_alone() {
		// A length of 109, a secondary slot with a VRF, author 1, slot 7.
		let item = "0642414245b50103010000000700000000000000";
		let log = |text: &str| json!(format!("0x{text}{}", "00".repeat(96)));
		assert_eq!(babe_slot(&log(item)), Some(7));
		assert_eq!(babe_slot(&log(&item.replacen("06", "05", 1))), None);
		assert_eq!(babe_slot(&json!("0x0642414245")), None);
	}
}

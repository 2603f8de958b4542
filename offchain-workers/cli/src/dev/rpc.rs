//! What the demo asks the node by plain JSON-RPC over HTTP: the best block, and storage that no
//! view shows.

use crate::{
	errors::{CliError, Kind, Result},
	http::Http,
};
use bytes::Bytes;
use codec::DecodeAll;
use millrace_primitives::{capacity::WorkRates, Balance, EpochIndex, H256, U256};
use serde_json::{json, Value};
use sp_crypto_hashing::{twox_128, twox_64};

/// A node's RPC.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
	http: Http,
	url: String,
}

/// What the rewards of an epoch follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RewardRow {
	/// The epoch.
	pub(crate) epoch: EpochIndex,
	/// The pool that idle units share.
	pub(crate) pool: Balance,
	/// What earlier pools left over, which they share besides.
	pub(crate) carried: Balance,
	/// Most that a unit gets.
	pub(crate) max_per_unit: Balance,
	/// Idle units that were proven.
	pub(crate) idle: u64,
}

/// The stored row: epoch, target and where it has settled, rates, pool, carried over, most per unit,
/// stake of a unit, cost of a miss, audits planned and drawn, reports, units, idle units, solutions
/// owed and proven, and whether misses are excused.
type StoredRow = (
	EpochIndex,
	U256,
	U256,
	WorkRates,
	Balance,
	Balance,
	Balance,
	Balance,
	Balance,
	u32,
	u32,
	u32,
	u64,
	u64,
	u64,
	u64,
	bool,
);

impl Rpc {
	/// The RPC of a node on this machine.
	pub(crate) fn new(http: Http, port: u16) -> Self {
		Self {
			http,
			url: format!("http://127.0.0.1:{port}"),
		}
	}

	/// Height of the best block.
	pub(crate) async fn best_number(&self) -> Result<u32> {
		let header = self.request("chain_getHeader", json!([])).await?;
		header
			.get("number")
			.and_then(Value::as_str)
			.and_then(|number| u32::from_str_radix(number.trim_start_matches("0x"), 16).ok())
			.ok_or_else(|| unexpected("chain_getHeader"))
	}

	/// Hash of the block of a height, which is final.
	pub(crate) async fn block_hash(&self, number: u32) -> Result<H256> {
		let answer = self.request("chain_getBlockHash", json!([number])).await?;
		serde_json::from_value(answer).map_err(|_| unexpected("chain_getBlockHash"))
	}

	/// The row of an epoch at a block; `None` where it is not remembered.
	pub(crate) async fn reward_row(
		&self,
		epoch: EpochIndex,
		at: H256,
	) -> Result<Option<RewardRow>> {
		// Rows lie in a ring, of which this chain is too young to have seen the end.
		let slot = epoch.to_le_bytes();
		let mut key = [twox_128(b"Capacity"), twox_128(b"EpochRows")].concat();
		key.extend(twox_64(&slot));
		key.extend(slot);
		let key = format!("0x{}", hex::encode(key));
		let answer = self.request("state_getStorage", json!([key, at])).await?;
		let Some(text) = answer.as_str() else {
			return Ok(None);
		};
		let bytes = hex::decode(text.trim_start_matches("0x"))
			.map_err(|_| unexpected("state_getStorage"))?;
		let row =
			StoredRow::decode_all(&mut &bytes[..]).map_err(|_| unexpected("Capacity.EpochRows"))?;
		let (of, _, _, _, pool, carried, max_per_unit, _, _, _, _, _, _, idle, ..) = row;
		Ok((of == epoch).then_some(RewardRow {
			epoch,
			pool,
			carried,
			max_per_unit,
			idle,
		}))
	}

	async fn request(&self, method: &str, params: Value) -> Result<Value> {
		let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
		let body = Bytes::from(body.to_string());
		let answer = self
			.http
			.send(
				::http::Method::POST,
				&self.url,
				Some("application/json"),
				body,
			)
			.await?
			.success()?;
		let mut answer: Value =
			serde_json::from_slice(&answer.body).map_err(|_| unexpected(method))?;
		match answer.get("error") {
			Some(error) => {
				let message = format!("{method}: {error}");
				Err(CliError::new(Kind::Network, "rpc_error", message))
			}
			None => Ok(answer
				.get_mut("result")
				.map(Value::take)
				.unwrap_or_default()),
		}
	}
}

fn unexpected(what: &str) -> CliError {
	CliError::new(
		Kind::Network,
		"answer_undecodable",
		format!("{what} answers in another form"),
	)
	.hint("node and this tool are of different versions")
}

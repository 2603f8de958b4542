//! What it answers: the part of `eth_*` that relayers and wallets ask for, and the few reads of Filecoin's
//! own that tell what it is.

use crate::{
	chain::{Chain, Tipset},
	decode::Message,
	evm::{LogEntry, Outcome, Query, BASE_FEE, GAS_LIMIT},
};
use axum::{extract::State, routing::post, Json, Router};
use millrace_anchor::evm::Address;
use millrace_primitives::{H256, U256};
use serde_json::{json, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// Rounds that one question for events may cover, as Filecoin's servers have it.
const MAX_LOG_RANGE: u64 = 2_880;
/// Events that an answer may have.
const MAX_LOGS: usize = 10_000;
/// Part of the gas that is added to an estimate, in percent.
const ESTIMATE_PERCENT: u64 = 20;

type Shared = Arc<Mutex<Chain>>;

/// The server's routes.
pub fn router(chain: Arc<Mutex<Chain>>) -> Router {
	Router::new()
		.route("/", post(answer))
		.route("/rpc/v1", post(answer))
		.with_state(chain)
}

/// An error of JSON-RPC.
#[derive(Debug)]
struct Fault {
	code: i64,
	message: String,
	data: Option<String>,
}

impl Fault {
	fn new(code: i64, message: impl Into<String>) -> Self {
		Self {
			code,
			message: message.into(),
			data: None,
		}
	}

	fn params(what: &str) -> Self {
		Self::new(-32602, format!("{what} is expected"))
	}

	fn pruned() -> Self {
		Self::new(-32000, "the state of this tipset is gone")
	}

	fn revert(outcome: &Outcome) -> Self {
		Self {
			code: 3,
			message: "execution reverted".into(),
			data: Some(hex_text(&outcome.output)),
		}
	}
}

async fn answer(State(chain): State<Shared>, Json(request): Json<Value>) -> Json<Value> {
	let answered = match request {
		Value::Array(requests) => {
			let each = requests.iter().map(|request| one(&chain, request));
			Value::Array(each.collect())
		}
		request => one(&chain, &request),
	};
	Json(answered)
}

fn one(chain: &Shared, request: &Value) -> Value {
	let id = request.get("id").cloned().unwrap_or_default();
	let method = request
		.get("method")
		.and_then(Value::as_str)
		.unwrap_or_default();
	let params = request.get("params").cloned().unwrap_or_default();
	let mut chain = chain.lock().unwrap_or_else(PoisonError::into_inner);
	match call(&mut chain, method, &params) {
		Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
		Err(fault) => {
			let mut error = json!({ "code": fault.code, "message": fault.message });
			if let (Some(data), Some(fields)) = (fault.data, error.as_object_mut()) {
				fields.insert("data".into(), data.into());
			}
			json!({ "jsonrpc": "2.0", "id": id, "error": error })
		}
	}
}

fn call(chain: &mut Chain, method: &str, params: &Value) -> Result<Value, Fault> {
	let chain_id = chain.settings().chain_id;
	match method {
		"eth_chainId" => Ok(number(chain_id)),
		"net_version" => Ok(json!(chain_id.to_string())),
		"web3_clientVersion" => Ok(json!("millrace-embedded-anchor (adds no security)")),
		"eth_blockNumber" => Ok(number(chain.latest().number)),
		"eth_gasPrice" => Ok(number(BASE_FEE + 1)),
		"eth_maxPriorityFeePerGas" => Ok(number(1)),
		"eth_syncing" => Ok(json!(false)),
		"eth_getBlockByNumber" => {
			let tipset = at(chain, params.get(0))?;
			Ok(block(tipset, params.get(1) == Some(&Value::Bool(true))))
		}
		"eth_getBalance" => {
			let tipset = at(chain, params.get(1))?;
			let coins = chain.balance(tipset, address(params.get(0))?);
			coins.map(wide).ok_or_else(Fault::pruned)
		}
		"eth_getTransactionCount" => {
			let account = address(params.get(0))?;
			let pending = params.get(1).and_then(Value::as_str) == Some("pending");
			Ok(number(match pending {
				true => chain.pending_nonce(account),
				false => chain.executed_nonce(account),
			}))
		}
		"eth_getCode" => {
			let tipset = at(chain, params.get(1))?;
			let code = chain.code(tipset, address(params.get(0))?);
			code.map(|code| json!(hex_text(&code)))
				.ok_or_else(Fault::pruned)
		}
		"eth_call" => {
			let tipset = at(chain, params.get(1))?;
			let outcome = chain
				.query(tipset, &query(params.get(0))?)
				.ok_or_else(Fault::pruned)?;
			match outcome.ok {
				true => Ok(json!(hex_text(&outcome.output))),
				false => Err(Fault::revert(&outcome)),
			}
		}
		"eth_estimateGas" => {
			let asked = query(params.get(0))?;
			let outcome = chain
				.query(chain.latest(), &asked)
				.ok_or_else(Fault::pruned)?;
			match outcome.ok {
				true => {
					let more = outcome.gas.saturating_mul(ESTIMATE_PERCENT) / 100;
					Ok(number(outcome.gas.saturating_add(more)))
				}
				false => Err(Fault::revert(&outcome)),
			}
		}
		"eth_sendRawTransaction" => {
			let raw = bytes(params.get(0)).ok_or_else(|| Fault::params("a signed transaction"))?;
			let hash = chain
				.send(&raw)
				.map_err(|error| Fault::new(-32000, error.to_string()))?;
			Ok(json!(hash))
		}
		"eth_getTransactionReceipt" => {
			let found = chain.message(hash(params.get(0))?);
			Ok(found.map_or(Value::Null, |(tipset, place)| receipt(tipset, place)))
		}
		"eth_getTransactionByHash" => {
			let found = chain.message(hash(params.get(0))?);
			Ok(found
				.and_then(|(tipset, place)| {
					Some(transaction(tipset, place, &tipset.messages.get(place)?.0))
				})
				.unwrap_or_default())
		}
		"eth_getLogs" => logs(chain, params.get(0)),
		"Filecoin.ChainHead" => {
			let latest = chain.latest();
			Ok(json!({ "Cids": [{ "/": latest.hash }], "Height": latest.number }))
		}
		"Filecoin.StateNetworkName" => Ok(json!("embedded")),
		_ => Err(Fault::new(-32601, format!("there is no method {method}"))),
	}
}

/// The tipset that a tag or a number names.
fn at<'a>(chain: &'a Chain, given: Option<&Value>) -> Result<&'a Tipset, Fault> {
	let text = given.and_then(Value::as_str).unwrap_or("latest");
	match text {
		// What waits is not executed, and so has no state.
		"latest" | "pending" => Ok(chain.latest()),
		"finalized" | "safe" => Ok(chain.finalized()),
		"earliest" => chain
			.tipset(0)
			.ok_or_else(|| Fault::new(-32000, "there is no tipset")),
		_ => {
			let number =
				small(given).ok_or_else(|| Fault::params("a tag or a number of a block"))?;
			if number > chain.latest().number {
				return Err(Fault::new(-32000, "requested a future epoch"));
			}
			chain.tipset(number).ok_or_else(|| {
				Fault::new(12, format!("requested epoch was a null round ({number})"))
			})
		}
	}
}

fn query(given: Option<&Value>) -> Result<Query, Fault> {
	let given = given.ok_or_else(|| Fault::params("a call"))?;
	let named = |name: &str| given.get(name).filter(|value| !value.is_null());
	let data = named("data").or_else(|| named("input"));
	Ok(Query {
		from: named("from").map_or(Ok(Address::default()), |from| address(Some(from)))?,
		to: named("to").map(|to| address(Some(to))).transpose()?,
		data: data
			.map_or(Some(Vec::new()), |data| bytes(Some(data)))
			.ok_or_else(|| Fault::params("data in hexadecimal"))?,
	})
}

fn block(tipset: &Tipset, whole: bool) -> Value {
	let messages: Vec<Value> = tipset
		.messages
		.iter()
		.enumerate()
		.map(|(place, (message, _))| match whole {
			true => transaction(tipset, place, message),
			false => json!(message.hash),
		})
		.collect();
	let gas: u64 = tipset.messages.iter().map(|(_, outcome)| outcome.gas).sum();
	json!({
		"number": number(tipset.number),
		"hash": tipset.hash,
		"parentHash": tipset.parent,
		"timestamp": number(tipset.time),
		"gasLimit": number(GAS_LIMIT),
		"gasUsed": number(gas),
		"baseFeePerGas": number(BASE_FEE),
		"transactions": messages,
	})
}

fn transaction(tipset: &Tipset, place: usize, message: &Message) -> Value {
	json!({
		"hash": message.hash,
		"type": "0x2",
		"from": message.from,
		"to": message.to,
		"nonce": number(message.nonce),
		"gas": number(message.gas),
		"maxFeePerGas": wide(message.max_fee.into()),
		"maxPriorityFeePerGas": wide(message.priority.into()),
		"value": "0x0",
		"input": hex_text(&message.data),
		"blockHash": tipset.hash,
		"blockNumber": number(tipset.number),
		"transactionIndex": number(place as u64),
	})
}

fn receipt(tipset: &Tipset, place: usize) -> Value {
	let Some((message, outcome)) = tipset.messages.get(place) else {
		return Value::Null;
	};
	let price = message
		.max_fee
		.min(u128::from(BASE_FEE).saturating_add(message.priority));
	let logs: Vec<Value> = entries(tipset)
		.filter(|(of, ..)| *of == place)
		.map(|(place, index, entry)| event(tipset, place, index, entry))
		.collect();
	json!({
		"transactionHash": message.hash,
		"transactionIndex": number(place as u64),
		"blockHash": tipset.hash,
		"blockNumber": number(tipset.number),
		"from": message.from,
		"to": message.to,
		"status": if outcome.ok { "0x1" } else { "0x0" },
		"gasUsed": number(outcome.gas),
		"effectiveGasPrice": wide(price.into()),
		"contractAddress": outcome.created,
		"logs": logs,
	})
}

/// The events of a tipset: place of the message, place among all of them, and the event.
fn entries(tipset: &Tipset) -> impl Iterator<Item = (usize, usize, &LogEntry)> {
	let of_messages = tipset.messages.iter().enumerate();
	let all = of_messages
		.flat_map(|(place, (_, outcome))| outcome.logs.iter().map(move |entry| (place, entry)));
	all.enumerate()
		.map(|(index, (place, entry))| (place, index, entry))
}

fn event(tipset: &Tipset, place: usize, index: usize, entry: &LogEntry) -> Value {
	let message = tipset.messages.get(place).map(|(message, _)| message.hash);
	let topics: Vec<String> = entry.topics.iter().map(|topic| hex_text(topic)).collect();
	json!({
		"address": entry.address,
		"topics": topics,
		"data": hex_text(&entry.data),
		"blockHash": tipset.hash,
		"blockNumber": number(tipset.number),
		"transactionHash": message,
		"transactionIndex": number(place as u64),
		"logIndex": number(index as u64),
		"removed": false,
	})
}

fn logs(chain: &Chain, filter: Option<&Value>) -> Result<Value, Fault> {
	let filter = filter.ok_or_else(|| Fault::params("a filter"))?;
	let bound = |name: &str| -> Result<u64, Fault> {
		match filter.get(name) {
			Some(given) if small(Some(given)).is_some() => {
				Ok(small(Some(given)).unwrap_or_default())
			}
			given => at(chain, given).map(|tipset| tipset.number),
		}
	};
	let (from, to) = (bound("fromBlock")?, bound("toBlock")?);
	if to.saturating_sub(from) > MAX_LOG_RANGE {
		let message = format!("block range exceeds maximum of {MAX_LOG_RANGE}");
		return Err(Fault::new(-32000, message));
	}
	let mut found = Vec::new();
	for tipset in chain.range(from, to) {
		for (place, index, entry) in entries(tipset) {
			if fits(filter, entry) {
				found.push(event(tipset, place, index, entry));
			}
		}
		if found.len() > MAX_LOGS {
			return Err(Fault::new(-32000, format!("more than {MAX_LOGS} events")));
		}
	}
	Ok(Value::Array(found))
}

/// Whether an event is asked for: by the contract, and for each topic by one of several, or any.
fn fits(filter: &Value, entry: &LogEntry) -> bool {
	let text = |value: &Value| value.as_str().map(str::to_lowercase);
	let address = hex_text(&entry.address.0);
	let of_contract = match filter.get("address") {
		None | Some(Value::Null) => true,
		Some(Value::Array(any)) => any.iter().any(|one| text(one).as_ref() == Some(&address)),
		Some(one) => text(one).as_ref() == Some(&address),
	};
	let wanted = filter.get("topics").and_then(Value::as_array);
	let of_topics = wanted
		.into_iter()
		.flatten()
		.enumerate()
		.all(|(place, wanted)| {
			let topic = entry.topics.get(place).map(|topic| hex_text(topic));
			match wanted {
				Value::Null => true,
				Value::Array(any) => any.iter().any(|one| text(one) == topic),
				one => text(one) == topic,
			}
		});
	of_contract && of_topics
}

fn small(value: Option<&Value>) -> Option<u64> {
	let digits = value?.as_str()?.strip_prefix("0x")?;
	u64::from_str_radix(digits, 16).ok()
}

fn bytes(value: Option<&Value>) -> Option<Vec<u8>> {
	hex::decode(value?.as_str()?.strip_prefix("0x")?).ok()
}

fn address(value: Option<&Value>) -> Result<Address, Fault> {
	let expected = || Fault::params("an address");
	let bytes = bytes(value).ok_or_else(expected)?;
	Ok(Address(bytes.try_into().map_err(|_| expected())?))
}

fn hash(value: Option<&Value>) -> Result<H256, Fault> {
	let expected = || Fault::params("a hash");
	let bytes = bytes(value).ok_or_else(expected)?;
	Ok(H256(bytes.try_into().map_err(|_| expected())?))
}

fn number(value: u64) -> Value {
	json!(format!("{value:#x}"))
}

fn wide(value: U256) -> Value {
	json!(format!("{value:#x}"))
}

fn hex_text(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{Settings, Store};

	fn shared(folder: &std::path::Path) -> Shared {
		let store = Store::open(&folder.join("a")).expect("it is opened");
		let chain = Chain::open(Settings::default(), store, 1_700_000_000).expect("it begins");
		Arc::new(Mutex::new(chain))
	}

	fn ask(chain: &Shared, method: &str, params: Value) -> Value {
		let request = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
		one(chain, &request)
	}

	#[test]
	fn it_answers_as_anchors_do() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let chain = shared(folder.path());
		let answer = ask(&chain, "eth_chainId", json!([]));
		assert_eq!(
			answer,
			json!({ "jsonrpc": "2.0", "id": 7, "result": "0x7a69" })
		);
		let block = ask(&chain, "eth_getBlockByNumber", json!(["finalized", false]));
		assert_eq!(block["result"]["number"], "0x0");
		let later = ask(&chain, "eth_getBlockByNumber", json!(["0x9", false]));
		assert!(later["error"]["message"].is_string(), "{later}");
		let rich = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
		let coins = ask(&chain, "eth_getBalance", json!([rich, "latest"]));
		assert_eq!(coins["result"], format!("{:#x}", U256::exp10(22)));
		let none = ask(&chain, "eth_mine", json!([]));
		assert_eq!(none["error"]["code"], -32601);
	}

	#[test]
	fn events_are_found_by_contract_and_topics() {
		let entry = LogEntry {
			address: Address([1; 20]),
			topics: vec![[2; 32], [3; 32]],
			data: Vec::new(),
		};
		let word = |byte: u8| hex_text(&[byte; 32]);
		let here = hex_text(&[1; 20]);
		for (filter, expected) in [
			(json!({}), true),
			(json!({ "address": here }), true),
			(json!({ "address": hex_text(&[9; 20]) }), false),
			(json!({ "topics": [word(2)] }), true),
			(json!({ "topics": [null, [word(4), word(3)]] }), true),
			(json!({ "topics": [word(2), word(2)] }), false),
			(json!({ "topics": [word(2), word(3), word(4)] }), false),
		] {
			assert_eq!(fits(&filter, &entry), expected, "{filter}");
		}
	}
}

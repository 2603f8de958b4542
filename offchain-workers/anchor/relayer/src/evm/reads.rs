//! Several servers as one: what is believed must be the same from enough of them.

use super::{
	transaction::{hex_bytes, hex_hash, small_quantity, to_hex},
	Address, FeeLimits, Fees, Receipt, RpcError, SignedTransaction, Transport,
};
use futures::future::join_all;
use millrace_primitives::{H256, U256};
use serde_json::{json, Value};
use std::sync::{
	atomic::{AtomicUsize, Ordering},
	Arc,
};

/// Blocks behind the head that count as final where a server does not say: Filecoin's own rule without
/// fast finality.
pub(crate) const FALLBACK_DEPTH: u64 = 900;
/// Empty rounds in a row that are stepped over.
const MAX_NULL_ROUNDS: u64 = 30;

/// A block of the anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorBlock {
	/// Its number; an epoch, on Filecoin.
	pub number: u64,
	/// Its hash.
	pub hash: H256,
	/// Its time, in seconds.
	pub time: u64,
}

/// Why nothing can be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadsError {
	/// One server is enough for this, and none answered.
	#[error(transparent)]
	Rpc(#[from] RpcError),
	/// Too few servers answered.
	#[error("{answered} of the {needed} servers that must agree answered {method}; {last}")]
	TooFew {
		/// What was asked.
		method: String,
		/// How many must agree.
		needed: usize,
		/// How many answered.
		answered: usize,
		/// What one of the others said.
		last: String,
	},
	/// Two servers contradict each other: one of them lies, or is on a fork.
	#[error("{first} and {second} answer {method} differently: one of them is wrong")]
	Divergent {
		/// What was asked.
		method: String,
		/// A server.
		first: String,
		/// Another one.
		second: String,
	},
}

impl ReadsError {
	/// The bytes that the contract refused with, if it did.
	pub fn revert(&self) -> Option<&[u8]> {
		match self {
			Self::Rpc(RpcError::Refused { revert, .. }) => revert.as_deref(),
			_ => None,
		}
	}

	/// Whether somebody should look: servers that contradict each other do not heal by themselves.
	pub fn is_divergence(&self) -> bool {
		matches!(self, Self::Divergent { .. })
	}
}

/// The servers.
#[derive(Clone, Debug)]
pub struct Reads {
	servers: Vec<Arc<dyn Transport>>,
	agree: usize,
	/// The one that is asked first where one is enough.
	first: Arc<AtomicUsize>,
}

impl Reads {
	/// Servers of which so many must agree: at least one, and not more than there are.
	pub fn new(servers: Vec<Arc<dyn Transport>>, agree: usize) -> Self {
		let agree = agree.clamp(1, servers.len().max(1));
		Self {
			servers,
			agree,
			first: Arc::default(),
		}
	}

	/// How many must agree.
	pub fn agree(&self) -> usize {
		self.agree
	}

	/// Asks another server first from now on: one that answers may be far behind all the same.
	pub fn ask_another(&self) {
		self.first.fetch_add(1, Ordering::Relaxed);
	}

	/// The servers, one by one.
	pub fn servers(&self) -> &[Arc<dyn Transport>] {
		&self.servers
	}

	/// Asks one server after the other until one answers.
	pub async fn any(&self, method: &str, params: Value) -> Result<Value, ReadsError> {
		let count = self.servers.len();
		let start = self.first.load(Ordering::Relaxed);
		let mut last = None;
		for step in 0..count {
			let index = start.wrapping_add(step) % count;
			let Some(server) = self.servers.get(index) else {
				continue;
			};
			match server.request(method, params.clone()).await {
				Ok(answer) => {
					self.first.store(index, Ordering::Relaxed);
					return Ok(answer);
				}
				Err(error) if error.is_revert() => return Err(error.into()),
				// That there is no such block is an answer; another server's absence is none.
				Err(error) if !last.as_ref().is_some_and(RpcError::is_null_round) => {
					last = Some(error);
				}
				Err(_) => {}
			}
		}
		Err(last.map_or_else(|| self.too_few(method, 0, "there is no server"), Into::into))
	}

	/// Asks all servers. What is taken from their answers must be the same from enough of them, and from
	/// none something else. A refusal by the contract is an answer.
	pub async fn agreed<T: PartialEq>(
		&self,
		method: &str,
		params: Value,
		take: impl Fn(&Value) -> Option<T>,
	) -> Result<T, ReadsError> {
		let asked = self.servers.iter().map(|server| {
			let params = params.clone();
			async move {
				let answer = server.request(method, params).await;
				(server.name(), answer)
			}
		});
		let mut found: Option<(&str, T)> = None;
		let mut reverted = None;
		let mut answered = 0;
		let mut last = "no other was asked".to_string();
		for (name, answer) in join_all(asked).await {
			let value = match answer {
				Ok(answer) => take(&answer),
				Err(error) if error.is_revert() => {
					reverted = Some((name, error));
					continue;
				}
				Err(error) => {
					last = error.to_string();
					continue;
				}
			};
			let Some(value) = value else {
				last = format!("{name} answers in another form, or does not know it yet");
				continue;
			};
			match &found {
				Some((first, known)) if *known != value => {
					return Err(divergent(method, first, name));
				}
				Some(_) => answered += 1,
				None => {
					found = Some((name, value));
					answered = 1;
				}
			}
		}
		match (found, reverted) {
			(Some((first, _)), Some((second, _))) => Err(divergent(method, first, second)),
			(None, Some((_, error))) => Err(error.into()),
			(Some((_, value)), None) if answered >= self.agree => Ok(value),
			_ => Err(self.too_few(method, answered, &last)),
		}
	}

	fn too_few(&self, method: &str, answered: usize, last: &str) -> ReadsError {
		ReadsError::TooFew {
			method: method.into(),
			needed: self.agree,
			answered,
			last: last.into(),
		}
	}

	/// Chain id of the anchor.
	pub async fn chain_id(&self) -> Result<u64, ReadsError> {
		self.agreed("eth_chainId", json!([]), small_quantity).await
	}

	/// Number of the newest block.
	pub async fn head(&self) -> Result<u64, ReadsError> {
		let answer = self.any("eth_blockNumber", json!([])).await?;
		small_quantity(&answer).ok_or_else(|| self.malformed("eth_blockNumber"))
	}

	/// The last block that enough servers call final and know by the same hash.
	///
	/// Servers are seldom at the same height: the lowest that any of them names is taken, so that a
	/// server which is behind costs time and a server which is ahead gains nothing.
	pub async fn finalized(&self) -> Result<AnchorBlock, ReadsError> {
		let asked = self.servers.iter().map(|server| last_final(&**server));
		let mut numbers = Vec::new();
		let mut last = "no server is known".to_string();
		for outcome in join_all(asked).await {
			match outcome {
				Ok(number) => numbers.push(number),
				Err(error) => last = error.to_string(),
			}
		}
		match numbers.iter().min() {
			Some(number) if numbers.len() >= self.agree => self.block(*number).await,
			_ => Err(self.too_few("eth_getBlockByNumber", numbers.len(), &last)),
		}
	}

	/// A block that enough servers know by the same hash.
	pub async fn block(&self, number: u64) -> Result<AnchorBlock, ReadsError> {
		let params = json!([format!("{number:#x}"), false]);
		self.agreed("eth_getBlockByNumber", params, block_of).await
	}

	/// How many seconds lie between a block and the newest one, as one server says.
	pub async fn age(&self, number: u64) -> Result<u64, ReadsError> {
		let method = "eth_getBlockByNumber";
		let time = |answer: Value| answer.get("timestamp").and_then(small_quantity);
		let then = self
			.any(method, json!([format!("{number:#x}"), false]))
			.await?;
		let now = self.any(method, json!(["latest", false])).await?;
		match (time(then), time(now)) {
			(Some(then), Some(now)) => Ok(now.saturating_sub(then)),
			_ => Err(self.malformed(method)),
		}
	}

	/// What a contract answers at the end of a block, as enough servers say.
	pub async fn call_at(
		&self,
		to: Address,
		data: &[u8],
		block: u64,
	) -> Result<Vec<u8>, ReadsError> {
		let params = json!([{ "to": to, "data": to_hex(data) }, format!("{block:#x}")]);
		self.agreed("eth_call", params, hex_bytes).await
	}

	/// What a contract answers now, as one server says: for what a transaction of ours would do.
	pub async fn call(
		&self,
		from: Address,
		to: Address,
		data: &[u8],
	) -> Result<Vec<u8>, ReadsError> {
		let call = json!({ "from": from, "to": to, "data": to_hex(data) });
		let answer = self.any("eth_call", json!([call, "latest"])).await?;
		hex_bytes(&answer).ok_or_else(|| self.malformed("eth_call"))
	}

	/// Gas that a transaction would take.
	pub async fn estimate(
		&self,
		from: Address,
		to: Option<Address>,
		data: &[u8],
	) -> Result<u64, ReadsError> {
		let mut call = json!({ "from": from, "data": to_hex(data) });
		if let (Some(to), Some(fields)) = (to, call.as_object_mut()) {
			fields.insert("to".into(), to.to_string().into());
		}
		let answer = self.any("eth_estimateGas", json!([call])).await?;
		small_quantity(&answer).ok_or_else(|| self.malformed("eth_estimateGas"))
	}

	/// Coins of an account.
	pub async fn balance(&self, account: Address) -> Result<U256, ReadsError> {
		let answer = self
			.any("eth_getBalance", json!([account, "latest"]))
			.await?;
		super::transaction::quantity(&answer).ok_or_else(|| self.malformed("eth_getBalance"))
	}

	/// Transactions of an account that are in blocks.
	pub async fn nonce(&self, account: Address) -> Result<u64, ReadsError> {
		let answer = self
			.any("eth_getTransactionCount", json!([account, "latest"]))
			.await?;
		small_quantity(&answer).ok_or_else(|| self.malformed("eth_getTransactionCount"))
	}

	/// What gas costs now; nothing where the base fee alone is above the limit.
	pub async fn fees(&self, limits: FeeLimits) -> Result<Option<Fees>, ReadsError> {
		let head = self
			.any("eth_getBlockByNumber", json!(["latest", false]))
			.await?;
		let base = head
			.get("baseFeePerGas")
			.and_then(super::transaction::quantity)
			.unwrap_or_default();
		if base > limits.max {
			return Ok(None);
		}
		let asked = self.any("eth_maxPriorityFeePerGas", json!([])).await;
		let priority = asked.ok().as_ref().and_then(super::transaction::quantity);
		let priority = priority.unwrap_or_default();
		Ok(Some(Fees::offer(base, priority, limits)))
	}

	/// Hands a transaction to every server, so that none can keep it back. One that takes it is enough.
	pub async fn send(&self, signed: &SignedTransaction) -> Result<(), ReadsError> {
		let raw = to_hex(&signed.raw);
		let asked = self
			.servers
			.iter()
			.map(|server| server.request("eth_sendRawTransaction", json!([raw])));
		let mut last = None;
		let mut taken = false;
		for outcome in join_all(asked).await {
			match outcome {
				Ok(_) => taken = true,
				Err(error) if error.is_known() => taken = true,
				Err(error) => last = Some(error),
			}
		}
		match (taken, last) {
			(true, _) => Ok(()),
			(false, Some(error)) => Err(error.into()),
			(false, None) => Err(self.too_few("eth_sendRawTransaction", 0, "there is no server")),
		}
	}

	/// What became of a transaction, if a server knows it in a block.
	pub async fn receipt(&self, hash: H256) -> Result<Option<Receipt>, ReadsError> {
		let params = json!([to_hex(&hash.0)]);
		let asked = self
			.servers
			.iter()
			.map(|server| server.request("eth_getTransactionReceipt", params.clone()));
		let mut last = None;
		let mut answered = false;
		for outcome in join_all(asked).await {
			match outcome {
				Ok(answer) => match Receipt::read(&answer) {
					Some(receipt) => return Ok(Some(receipt)),
					None => answered = true,
				},
				Err(error) => last = Some(error),
			}
		}
		match (answered, last) {
			(false, Some(error)) => Err(error.into()),
			_ => Ok(None),
		}
	}

	fn malformed(&self, method: &str) -> ReadsError {
		RpcError::Malformed {
			server: "a server".into(),
			method: method.into(),
			reason: "that is no such answer".into(),
		}
		.into()
	}
}

/// Height of the last block that a server calls final, or of one so deep that it is.
async fn last_final(server: &dyn Transport) -> Result<u64, RpcError> {
	let method = "eth_getBlockByNumber";
	match server.request(method, json!(["finalized", false])).await {
		Ok(block) => {
			if let Some(block) = block_of(&block) {
				return Ok(block.number);
			}
		}
		Err(error @ RpcError::Refused { .. }) => {
			tracing::debug!(%error, "a server does not know what is final");
		}
		Err(error) => return Err(error),
	}
	let malformed = |reason: &str| RpcError::Malformed {
		server: server.name().into(),
		method: method.into(),
		reason: reason.into(),
	};
	let head = server.request("eth_blockNumber", json!([])).await?;
	let head = small_quantity(&head).ok_or_else(|| malformed("the head is no number"))?;
	let deep = head
		.checked_sub(FALLBACK_DEPTH)
		.ok_or_else(|| malformed("it does not say what is final, and has too few blocks"))?;
	// Rounds without a block have no number of their own.
	for number in (deep.saturating_sub(MAX_NULL_ROUNDS)..=deep).rev() {
		let params = json!([format!("{number:#x}"), false]);
		match server.request(method, params).await {
			Ok(block) if block_of(&block).is_some() => return Ok(number),
			Ok(_) | Err(RpcError::Refused { .. }) => {}
			Err(error) => return Err(error),
		}
	}
	Err(malformed("it knows no block that is deep enough"))
}

fn block_of(answer: &Value) -> Option<AnchorBlock> {
	Some(AnchorBlock {
		number: small_quantity(answer.get("number")?)?,
		hash: hex_hash(answer.get("hash")?)?,
		time: small_quantity(answer.get("timestamp")?)?,
	})
}

fn divergent(method: &str, first: &str, second: &str) -> ReadsError {
	ReadsError::Divergent {
		method: method.into(),
		first: first.into(),
		second: second.into(),
	}
}

#[cfg(test)]
mod tests;

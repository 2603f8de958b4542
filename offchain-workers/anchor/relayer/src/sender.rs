//! Transactions on the anchor: one at a time, replaced by a dearer one while it waits.
//!
//! Nothing is kept on disk. After a restart the account's nonce says where it stands: a transaction that
//! still waits has that nonce, and is replaced.

use crate::{
	contract::{Call, Contract, ContractError, Refusal, ANCHOR},
	evm::{
		Address, AnchorKey, FeeLimits, Fees, ReadsError, Receipt, RpcError, SignedTransaction,
		Transaction,
	},
};
use millrace_primitives::{H256, U256};
use std::time::Duration;
use tokio::time::{sleep, Instant};

/// Part of the estimated gas that is added, in percent: the state may be another one when it counts.
const GAS_MARGIN_PERCENT: u64 = 25;
/// Times that a price is raised at once, where a pool has another transaction of this nonce.
const RAISES: usize = 16;
/// Time by which a server may tell a receipt later than the nonce behind it.
const RECEIPT_LAG: Duration = Duration::from_secs(30);
/// Pause between two looks at a transaction that is waited for.
const PAUSE: Duration = Duration::from_millis(500);

/// How transactions are sent.
#[derive(Clone, Copy, Debug)]
pub struct SendRules {
	/// Chain id of the anchor.
	pub chain_id: u64,
	/// What gas may cost.
	pub limits: FeeLimits,
	/// Time after which a transaction that is in no block is replaced.
	pub bump_after: Duration,
	/// Most bytes of a transaction.
	pub max_bytes: usize,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
	/// It was sent, or replaced, or it still waits.
	Waiting,
	/// It is in a block and did what was asked.
	Done(Receipt),
	/// It is in a block and failed: something came before it.
	Failed(Receipt),
	/// Nothing was sent, since the contract would refuse it now.
	Refused(Refusal),
	/// Another transaction took its nonce, or there is none before it any more.
	Replaced,
}

/// Why a call is not sent.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
	/// The anchor cannot be read, or does not take it.
	#[error(transparent)]
	Contract(#[from] ContractError),
	/// The account's coins do not pay for it.
	#[error("{account} has {has} of the anchor's smallest coin, and this may take {needed}")]
	Funds {
		/// The account.
		account: Address,
		/// What it has.
		has: U256,
		/// What it may take.
		needed: U256,
	},
	/// Gas costs more than the limit.
	#[error("gas costs more than the limit of {limit} a unit; raise max_fee_per_gas or wait")]
	FeeLimit {
		/// The limit.
		limit: U256,
	},
	/// No message of the anchor may be so long.
	#[error("the transaction has {bytes} bytes; the anchor takes {most} at most")]
	TooLong {
		/// Its bytes.
		bytes: usize,
		/// Most bytes.
		most: usize,
	},
	/// The key made no signature.
	#[error("the anchor's key made no signature")]
	NotSigned,
	/// It was waited for in vain.
	#[error("{what} was in no block within {waited:?}; it may still come to be in one")]
	NotMined {
		/// The call.
		what: &'static str,
		/// How long it was waited for.
		waited: Duration,
	},
}

impl From<ReadsError> for SendError {
	fn from(error: ReadsError) -> Self {
		Self::Contract(ContractError::of(error))
	}
}

/// Sends for one account.
#[derive(Debug)]
pub struct Sender {
	contract: Contract,
	key: AnchorKey,
	rules: SendRules,
	pending: Option<Pending>,
}

/// A transaction that is in no block yet, as far as is known.
#[derive(Debug)]
struct Pending {
	transaction: Transaction,
	/// Its hash and those of the ones that it replaced: any of them may come to be in a block.
	hashes: Vec<H256>,
	sent: Instant,
	/// Since when its nonce is used and nobody tells a receipt.
	used: Option<Instant>,
	/// Since when the nonce before it is not used any more.
	ahead: Option<Instant>,
}

impl Sender {
	/// Sends to a contract.
	pub fn new(contract: Contract, key: AnchorKey, rules: SendRules) -> Self {
		Self {
			contract,
			key,
			rules,
			pending: None,
		}
	}

	/// The account that pays.
	pub fn account(&self) -> Address {
		self.key.address()
	}

	/// The contract.
	pub fn contract(&self) -> &Contract {
		&self.contract
	}

	/// Whether a transaction is under way.
	pub fn is_busy(&self) -> bool {
		self.pending.is_some()
	}

	/// Whether a call of this name is under way. Whoever sent it looks after it: to others, what became
	/// of it says nothing.
	pub fn is_sending(&self, name: &str) -> bool {
		let selector = ANCHOR.function(name);
		let pending = self.pending.as_ref();
		pending.is_some_and(|pending| pending.transaction.data.starts_with(&selector))
	}

	/// Looks after the transaction that is under way, if there is one.
	pub async fn attend(&mut self) -> Result<Option<Progress>, SendError> {
		let Some(pending) = &self.pending else {
			return Ok(None);
		};
		let own = pending.transaction.nonce;
		if let Some(receipt) = self.receipt().await? {
			return Ok(Some(self.settled(receipt)));
		}
		let nonce = self.contract.reads().nonce(self.account()).await?;
		if nonce > own {
			// It may have come to be in a block between the two questions, and servers tell some
			// receipts a moment later than the nonce.
			if let Some(receipt) = self.receipt().await? {
				return Ok(Some(self.settled(receipt)));
			}
			let Some(pending) = &mut self.pending else {
				return Ok(None);
			};
			let since = *pending.used.get_or_insert_with(Instant::now);
			if since.elapsed() < RECEIPT_LAG {
				return Ok(Some(Progress::Waiting));
			}
			self.pending = None;
			return Ok(Some(Progress::Replaced));
		}
		let bump_after = self.rules.bump_after;
		let Some(pending) = &mut self.pending else {
			return Ok(None);
		};
		pending.used = None;
		if nonce < own {
			// The server is behind; or the anchor has taken back what came before, and if pools have not kept
			// that, no price brings this one into a block.
			let since = *pending.ahead.get_or_insert_with(Instant::now);
			if since.elapsed() < bump_after {
				return Ok(Some(Progress::Waiting));
			}
			self.contract.reads().ask_another();
			self.pending = None;
			return Ok(Some(Progress::Replaced));
		}
		pending.ahead = None;
		if pending.sent.elapsed() >= bump_after {
			self.bump().await?;
		}
		Ok(Some(Progress::Waiting))
	}

	/// The receipt of the transaction that is under way, or of one that it replaced.
	async fn receipt(&self) -> Result<Option<Receipt>, SendError> {
		for hash in self.pending.iter().flat_map(|pending| &pending.hashes) {
			if let Some(receipt) = self.contract.reads().receipt(*hash).await? {
				return Ok(Some(receipt));
			}
		}
		Ok(None)
	}

	fn settled(&mut self, receipt: Receipt) -> Progress {
		self.pending = None;
		if receipt.ok {
			return Progress::Done(receipt);
		}
		// The server by whose state it would have worked may be behind.
		self.contract.reads().ask_another();
		Progress::Failed(receipt)
	}

	/// Sends a call, unless one is under way. What became of that one is told if it was one like this.
	pub async fn send(&mut self, call: &Call) -> Result<Progress, SendError> {
		let data = call.encode();
		let selector = |data: &[u8]| data.first_chunk::<4>().copied();
		let before = self
			.pending
			.as_ref()
			.and_then(|pending| selector(&pending.transaction.data));
		match self.attend().await? {
			Some(Progress::Waiting) => return Ok(Progress::Waiting),
			Some(progress) if before == selector(&data) => return Ok(progress),
			_ => {}
		}
		match self.contract.try_as(self.account(), call).await {
			Ok(_) => {}
			Err(ContractError::Refused(refusal)) => return Ok(Progress::Refused(refusal)),
			Err(error) => return Err(error.into()),
		}
		self.transmit(Some(self.contract.address()), data).await?;
		Ok(Progress::Waiting)
	}

	/// Deploys a contract, and waits for it.
	pub async fn deploy(
		&mut self,
		code: Vec<u8>,
		patience: Duration,
	) -> Result<Receipt, SendError> {
		self.transmit(None, code).await?;
		match self.finish("the deployment", patience).await? {
			Progress::Done(receipt) => Ok(receipt),
			_ => Err(ContractError::Refused(Refusal::read(&[])).into()),
		}
	}

	/// Sends a call and waits until it is in a block, or is refused.
	pub async fn complete(
		&mut self,
		call: &Call,
		patience: Duration,
	) -> Result<Progress, SendError> {
		match self.send(call).await? {
			Progress::Waiting => self.finish(call.name(), patience).await,
			progress => Ok(progress),
		}
	}

	async fn finish(
		&mut self,
		what: &'static str,
		patience: Duration,
	) -> Result<Progress, SendError> {
		let deadline = Instant::now() + patience;
		while Instant::now() < deadline {
			match self.attend().await? {
				Some(Progress::Waiting) => sleep(PAUSE).await,
				Some(progress) => return Ok(progress),
				None => return Ok(Progress::Replaced),
			}
		}
		let waited = patience;
		Err(SendError::NotMined { what, waited })
	}

	async fn transmit(&mut self, to: Option<Address>, data: Vec<u8>) -> Result<(), SendError> {
		let reads = self.contract.reads();
		let account = self.account();
		let gas = reads.estimate(account, to, &data).await?;
		let gas = gas.saturating_add(gas.saturating_mul(GAS_MARGIN_PERCENT) / 100);
		let limit = self.rules.limits.max;
		let fees = reads.fees(self.rules.limits).await?;
		let fees = fees.ok_or(SendError::FeeLimit { limit })?;
		let nonce = reads.nonce(account).await?;
		let needed = fees.max.saturating_mul(gas.into());
		let has = reads.balance(account).await?;
		if has < needed {
			return Err(SendError::Funds {
				account,
				has,
				needed,
			});
		}
		let transaction = Transaction {
			chain_id: self.rules.chain_id,
			nonce,
			fees,
			gas,
			to,
			data,
		};
		self.broadcast(transaction, Vec::new()).await
	}

	/// Replaces what is under way by the same at a higher price.
	async fn bump(&mut self) -> Result<(), SendError> {
		// The server that was asked so far may be one that keeps it back, or is behind.
		self.contract.reads().ask_another();
		let present = self.contract.reads().fees(self.rules.limits).await?;
		let Some(pending) = &mut self.pending else {
			return Ok(());
		};
		// Whatever comes of it, the next attempt is as far away as this one was.
		pending.sent = Instant::now();
		let limit = self.rules.limits.max;
		let present = present.ok_or(SendError::FeeLimit { limit })?;
		let raised = pending.transaction.fees.raise(present, self.rules.limits);
		let transaction = Transaction {
			fees: raised.ok_or(SendError::FeeLimit { limit })?,
			..pending.transaction.clone()
		};
		let hashes = pending.hashes.clone();
		tracing::info!(nonce = transaction.nonce, price = %transaction.fees.max, "paying more");
		self.broadcast(transaction, hashes).await
	}

	/// Sends it, for more where a pool has another one of this nonce already.
	async fn broadcast(
		&mut self,
		mut transaction: Transaction,
		mut hashes: Vec<H256>,
	) -> Result<(), SendError> {
		let limit = self.rules.limits.max;
		for _ in 0..RAISES {
			let signed = self.sign(&transaction)?;
			match self.contract.reads().send(&signed).await {
				Ok(()) => {
					hashes.push(signed.hash);
					self.pending = Some(Pending {
						transaction,
						hashes,
						sent: Instant::now(),
						used: None,
						ahead: None,
					});
					return Ok(());
				}
				Err(ReadsError::Rpc(error)) if error.is_underpriced() => {
					let raised = transaction.fees.raise(Fees::default(), self.rules.limits);
					transaction.fees = raised.ok_or(SendError::FeeLimit { limit })?;
				}
				Err(ReadsError::Rpc(error)) if is_lost_race(&error, &hashes) => {
					// It is in a block by now: the receipt will tell.
					return Ok(());
				}
				Err(error) => return Err(error.into()),
			}
		}
		Err(SendError::FeeLimit { limit })
	}

	fn sign(&self, transaction: &Transaction) -> Result<SignedTransaction, SendError> {
		let signed = transaction.sign(&self.key).ok_or(SendError::NotSigned)?;
		let (bytes, most) = (signed.raw.len(), self.rules.max_bytes);
		match bytes <= most {
			true => Ok(signed),
			false => Err(SendError::TooLong { bytes, most }),
		}
	}
}

/// Whether a replacement came too late.
fn is_lost_race(error: &RpcError, hashes: &[H256]) -> bool {
	error.is_stale_nonce() && !hashes.is_empty()
}

#[cfg(test)]
mod tests;

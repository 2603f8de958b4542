//! FLT both ways.

use super::{payer, Servers, PATIENCE_SECONDS};
use crate::{
	commands::wait::{self, Progress as Waited},
	context::Context,
	errors::{CliError, Kind, Result},
	ui,
};
use millrace_anchor::{
	contract::Call,
	evm::{keccak, Address, Receipt},
	ours, tree, Contract, Progress, Sender,
};
use millrace_client::{amounts, calls, AccountId, Chain, View};
use millrace_primitives::{
	anchor::{messages::WITHDRAWAL, OutboxEntry, H160},
	Balance, BlockNumber,
};
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, Instant};

/// Bytes before the recipient of a withdrawal's message.
const HEADER_BYTES: usize = 69;
/// Pause between two looks at the anchor.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for servers that do not have a block yet.
const LAG: Duration = Duration::from_secs(120);

/// Burns FLT on the anchor for an account here.
pub(super) async fn deposit(
	context: &Context,
	amount: Balance,
	to: Option<AccountId>,
	wait: Option<u64>,
	servers: &Servers,
) -> Result<()> {
	let to = context.account_or_signer(to)?;
	let chain = context.chain().await?;
	let mut sender = payer(servers.open(&chain).await?)?;
	let contract = sender.contract().clone();
	let call = Call::Deposit {
		recipient: to.0,
		amount,
	};
	let receipt = {
		let _spinner = ui::Spinner::start("waiting for the anchor");
		done(&mut sender, &call).await?
	};
	let nonce = sent(&contract, receipt.block).await?;
	if let Some(seconds) = wait {
		let what = format!("messages up to {nonce}");
		let waited = wait::until(&chain, &what, seconds, async |view: &View| {
			let taken = view.anchor().await?.taken.nonce;
			match taken >= nonce {
				true => Ok(Waited::Done(())),
				false => Ok(Waited::Waiting(format!("the chain has taken {taken}"))),
			}
		});
		waited
			.await?
			.map_err(|last| late("not_taken", &what, seconds, &last))?;
	}
	let value = json!({
		"account": to,
		"amount": amount.to_string(),
		"epoch": receipt.block,
		"gas": receipt.gas,
		"messages": nonce,
		"taken": wait.is_some(),
	});
	let taken = if wait.is_some() {
		"yes"
	} else {
		"not waited for"
	};
	context.emit(&value, || {
		ui::pairs([
			("burnt there", amounts::format(amount)),
			("for", to.to_string()),
			("in the anchor's block", receipt.block.to_string()),
			("messages so far", nonce.to_string()),
			("taken here", taken.into()),
		])
	})
}

/// Messages to the chain at the end of a block, one that was just sent among them. Servers may be behind the
/// one that told of it, and what was burnt must not look like a failure.
async fn sent(contract: &Contract, block: u64) -> Result<u64> {
	let deadline = Instant::now() + LAG;
	loop {
		match contract.status_at(block).await {
			Ok(status) => return Ok(status.nonce),
			Err(error) if Instant::now() >= deadline => {
				return Err(CliError::from(error).hint(format!(
					"the deposit is made, in the anchor's block {block}: do not repeat it; \
					 `millrace anchor status` shows when it is taken"
				)));
			}
			Err(_) => sleep(PAUSE).await,
		}
	}
}

/// Locks FLT here for an address on the anchor.
pub(super) async fn withdraw(context: &Context, amount: Balance, to: Address) -> Result<()> {
	let chain = context.chain().await?;
	let call = calls::anchor::withdraw(H160(to.0), amount);
	let included = context.submit(&chain, call).await?;
	let nonce = included
		.find::<u64>("Anchor", "WithdrawalSent")
		.ok_or_else(|| {
			let message = "the transaction tells no number of its message";
			CliError::new(Kind::Network, "answer_undecodable", message)
		})?;
	let value = json!({
		"nonce": nonce,
		"amount": amount.to_string(),
		"to": to,
		"block": included.block,
		"number": included.number,
	});
	context.emit(&value, || {
		ui::pairs([
			("locked here", amounts::format(amount)),
			("for", to.to_string()),
			("message", nonce.to_string()),
			("in block", included.number.to_string()),
			(
				"then",
				format!("millrace anchor claim {nonce}, once a checkpoint covers it"),
			),
		])
	})
}

/// Proves withdrawals, as far as nobody has, and mints them.
pub(super) async fn claim(
	context: &Context,
	nonces: &[u64],
	to: Option<Address>,
	wait: Option<u64>,
	servers: &Servers,
) -> Result<()> {
	let chain = context.chain().await?;
	let mut sender = payer(servers.open(&chain).await?)?;
	let contract = sender.contract().clone();
	let to = to.unwrap_or(sender.account());
	let mut ids = Vec::with_capacity(nonces.len());
	for nonce in nonces {
		let entry = message(&chain, *nonce).await?;
		let (recipient, amount) = withdrawal(&entry)?;
		if recipient != sender.account() {
			let message = format!("withdrawal {nonce} belongs to {recipient}");
			return Err(CliError::new(Kind::Refused, "NotRecipient", message)
				.hint("give that address's key by --anchor-key"));
		}
		let id = keccak(&entry.message);
		let credit = contract.credit(id).await?;
		if credit.recipient.is_zero() {
			let root_block = covered(&contract, &entry, wait).await?;
			let call = proof(&chain, &entry, root_block, (recipient, amount)).await?;
			let _spinner = ui::Spinner::start(format!("proving withdrawal {nonce}"));
			match sender
				.complete(&call, Duration::from_secs(PATIENCE_SECONDS))
				.await?
			{
				// Anybody may prove it, and somebody did.
				Progress::Refused(refusal) if refusal.name == "AlreadyWithdrawn" => {}
				progress => {
					settled(progress)?;
				}
			}
		}
		ids.push(id);
	}
	let before = contract.flt_balance(Some(to)).await?;
	let call = Call::Claim { to, ids };
	let receipt = {
		let _spinner = ui::Spinner::start("minting");
		done(&mut sender, &call).await?
	};
	let after = contract.flt_balance(Some(to)).await?;
	let value = json!({
		"to": to,
		"minted": after.saturating_sub(before).to_string(),
		"balance": after.to_string(),
		"epoch": receipt.block,
		"gas": receipt.gas,
	});
	context.emit(&value, || {
		ui::pairs([
			("minted", amounts::format(after.saturating_sub(before))),
			("for", to.to_string()),
			("has now", amounts::format(after)),
		])
	})
}

/// The call that proves a withdrawal by the checkpoint of a block.
pub(super) async fn proof(
	chain: &Chain,
	entry: &OutboxEntry,
	root_block: BlockNumber,
	(recipient, amount): (Address, Balance),
) -> Result<Call> {
	// The messages of a block are in the leaf of the next one.
	let (_, leaf) = ours::leaf(chain, entry.block.saturating_add(1), root_block).await?;
	Ok(Call::Withdraw {
		nonce: entry.nonce,
		recipient,
		amount,
		path: tree::Path::from(entry),
		leaf,
		root_block,
	})
}

/// A message to the anchor.
pub(super) async fn message(chain: &Chain, nonce: u64) -> Result<OutboxEntry> {
	chain
		.latest()
		.await?
		.anchor_message(nonce)
		.await?
		.ok_or_else(|| {
			let message = format!("the chain has sent no message {nonce}");
			CliError::not_found("message_unknown", message)
		})
}

/// Recipient and amount of a withdrawal.
pub(super) fn withdrawal(entry: &OutboxEntry) -> Result<(Address, Balance)> {
	let none = || {
		let message = format!("message {} is no withdrawal", entry.nonce);
		CliError::usage("no_withdrawal", message)
	};
	let body = entry.message.get(HEADER_BYTES..).ok_or_else(none)?;
	let (recipient, amount) = body.split_first_chunk::<20>().ok_or_else(none)?;
	let amount: [u8; 16] = amount.try_into().map_err(|_| none())?;
	match entry.message.first() {
		Some(&WITHDRAWAL) => Ok((Address(*recipient), Balance::from_be_bytes(amount))),
		_ => Err(none()),
	}
}

/// Block of a checkpoint that covers a message; waits for one if that is wanted.
pub(super) async fn covered(
	contract: &Contract,
	entry: &OutboxEntry,
	wait: Option<u64>,
) -> Result<BlockNumber> {
	let seconds = wait.unwrap_or(0);
	let deadline = Instant::now() + Duration::from_secs(seconds.min(u64::from(u32::MAX)));
	let what = format!("a checkpoint later than block {}", entry.block);
	let spinner = ui::Spinner::start(format!("waiting for {what}"));
	loop {
		let status = contract.status().await?;
		let latest = status.latest_block;
		// The block that a contract begins at has no root there.
		if latest > entry.block && !status.root.is_zero() {
			return Ok(latest);
		}
		let state = format!("the last one is of block {latest}");
		if Instant::now() >= deadline {
			return Err(late("not_checkpointed", &what, seconds, &state));
		}
		spinner.say(format!("waiting for {what}: {state}"));
		sleep(PAUSE).await;
	}
}

/// Sends a call and waits until it has done what it says.
async fn done(sender: &mut Sender, call: &Call) -> Result<Receipt> {
	settled(
		sender
			.complete(call, Duration::from_secs(PATIENCE_SECONDS))
			.await?,
	)
}

fn settled(progress: Progress) -> Result<Receipt> {
	match progress {
		Progress::Done(receipt) => Ok(receipt),
		Progress::Refused(refusal) => Err(refusal.into()),
		Progress::Failed(_) | Progress::Replaced | Progress::Waiting => {
			let message = "the transaction was overtaken by another one, and did nothing";
			Err(CliError::new(Kind::Failure, "anchor_overtaken", message)
				.hint("look at `millrace anchor status` before you try again"))
		}
	}
}

fn late(code: &str, what: &str, seconds: u64, last: &str) -> CliError {
	let message = format!("{what}: not after {seconds} s; {last}");
	CliError::not_found(code, message)
		.hint("--wait SECONDS waits longer; see that a relayer runs: `millrace anchor status`")
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		anchor::{messages::Outgoing, AnchorId},
		H256,
	};

	#[test]
	fn a_withdrawal_is_told_from_other_messages() {
		let anchor = AnchorId {
			chain_id: 1,
			contract: H160::repeat_byte(1),
		};
		let mut entry = OutboxEntry {
			nonce: 4,
			message: Vec::new(),
			block: 1,
			index: 0,
			count: 1,
			path: Vec::new(),
			root: H256::zero(),
		};
		let sent = Outgoing::Withdrawal {
			recipient: H160::repeat_byte(7),
			amount: 9,
		};
		entry.message = sent.bytes(H256::zero(), &anchor, 4);
		let read = withdrawal(&entry).expect("it is one");
		assert_eq!(read, (Address([7; 20]), 9));
		let sent = Outgoing::Message {
			sender: [1; 32],
			target: H160::repeat_byte(7),
			data: Default::default(),
		};
		entry.message = sent.bytes(H256::zero(), &anchor, 4);
		assert!(withdrawal(&entry).is_err());
	}
}

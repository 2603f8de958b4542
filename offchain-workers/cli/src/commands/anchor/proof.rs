//! What proves something to the contract, and what the contract proves.

use super::{money, Servers, VerifyArgs};
use crate::{
	commands::receipt,
	context::Context,
	errors::{CliError, Kind, Result},
	files,
	http::Http,
	ui,
};
use millrace_anchor::{
	contract::Call,
	evm::keccak,
	ours, tree,
	verify::{self, Bundle, Checked},
	RelayConfig,
};
use millrace_client::{receipts, Chain};
use millrace_primitives::H256;
use serde_json::{json, Value};
use std::path::Path;

/// Prints what proves a message.
pub(super) async fn proof(context: &Context, nonce: u64, servers: &Servers) -> Result<()> {
	let chain = context.chain().await?;
	let opened = servers.open(&chain).await?;
	let entry = money::message(&chain, nonce).await?;
	let root_block = money::covered(&opened.contract, &entry, None).await?;
	let leaf_block = entry.block.saturating_add(1);
	let (_, leaf) = ours::leaf(&chain, leaf_block, root_block).await?;
	let path = tree::Path::from(&entry);
	let call = match money::withdrawal(&entry) {
		Ok(withdrawal) => Some(money::proof(&chain, &entry, root_block, withdrawal).await?),
		Err(_) => None,
	};
	let id = keccak(&entry.message);
	let value = json!({
		"id": id,
		"message": hex_text(&entry.message),
		"path": path,
		"leaf": hex_text(&leaf.raw),
		"proof": leaf.proof,
		"root_block": root_block,
		"withdraw": call.as_ref().map(|call| hex_text(&Call::encode(call))),
	});
	context.emit(&value, || {
		ui::pairs([
			("id", format!("{id:?}")),
			("message", hex_text(&entry.message)),
			("sent in block", entry.block.to_string()),
			("place", format!("{} of {}", path.index, path.count)),
			("leaf", hex_text(&leaf.raw)),
			("proven by block", root_block.to_string()),
			("its items", leaf.proof.items.len().to_string()),
		])
	})
}

/// Checks a receipt down to a checkpoint.
pub(super) async fn verify(context: &Context, args: VerifyArgs) -> Result<()> {
	let bytes = files::read(&args.file)?;
	let held: Option<Bundle> = serde_json::from_slice(&bytes).ok();
	let given = match (&args.root, &args.answer) {
		(Some(root), _) => Some(*root),
		(None, Some(file)) => Some(answered(file)?),
		(None, None) => None,
	};
	let (bundle, expected) = match (held, given) {
		// Nobody is asked.
		(Some(bundle), Some(root)) => (bundle, root),
		(Some(bundle), None) => {
			let root = ask(context, &bundle, &args.servers).await?;
			(bundle, root)
		}
		(None, given) => {
			let chain = context.chain().await?;
			let bundle = gather(&chain, &args).await?;
			let root = match given {
				Some(root) => root,
				None => ask(context, &bundle, &args.servers).await?,
			};
			(bundle, root)
		}
	};
	let checked = bundle.check()?;
	if checked.root != expected {
		let message = format!(
			"the receipt leads to root {:?} of block {}, and the anchor has {expected:?}",
			checked.root, checked.root_block
		);
		return Err(CliError::new(
			Kind::Verification,
			"anchor_other_root",
			message,
		));
	}
	if let Some(path) = &args.keep {
		let bytes = serde_json::to_vec_pretty(&bundle)
			.map_err(|error| CliError::from(anyhow::Error::from(error)))?;
		context.keep(path, &bytes)?;
	}
	show(context, &bundle, &checked)
}

fn show(context: &Context, bundle: &Bundle, checked: &Checked) -> Result<()> {
	let receipt = &bundle.receipt.receipt.receipt;
	let value = json!({ "verified": true, "receipt": receipt, "checked": checked });
	context.emit(&value, || {
		let signed = match &checked.signed {
			Some(signed) => {
				format!(
					"{} of set {} with {} members",
					signed.signers, signed.set.id, signed.set.len
				)
			}
			None => "not checked here; the anchor has".into(),
		};
		ui::pairs([
			("verified", "yes".into()),
			("receipt", format!("{:?}", receipt.hash())),
			("report", format!("{:?}", checked.report)),
			(
				"in the state of",
				format!("block {} {:?}", checked.block, checked.hash),
			),
			(
				"under the root of",
				format!("block {} {:?}", checked.root_block, checked.root),
			),
			("signed by", signed),
		])
	})
}

/// Everything that a receipt is checked by, for the anchor's last checkpoint.
async fn gather(chain: &Chain, args: &VerifyArgs) -> Result<Bundle> {
	let opened = args.servers.open(chain).await?;
	let root_block = opened.contract.status().await?.latest_block;
	let proof = match receipt::read(&args.file)? {
		receipt::Held::Proof(proof) => *proof,
		receipt::Held::Receipt(held) => {
			let view = chain.latest().await?;
			let _spinner = ui::Spinner::start("fetching the proof from the worker");
			receipt::fetch(&Http::new(), &view, &held, args.worker.as_deref()).await?
		}
	};
	receipts::stands_in_report(&proof)?;
	let epoch = verify::epoch_of(&proof);
	let at = chain.hash_of(root_block.saturating_sub(1)).await?;
	let peer = proof.receipt.receipt.peer;
	if chain.at(at).await?.report(peer, epoch).await?.is_none() {
		let message = format!(
			"epoch {epoch} was not reported yet at block {}, up to which the anchor knows the chain",
			root_block.saturating_sub(1)
		);
		return Err(CliError::not_found("not_checkpointed", message)
			.hint("wait for the next checkpoint; `millrace anchor status` shows the last one"));
	}
	Ok(verify::fetch(chain, proof, root_block).await?)
}

/// The root that the anchor has for the checkpoint of a bundle, as enough servers say.
async fn ask(context: &Context, bundle: &Bundle, servers: &Servers) -> Result<H256> {
	let contract = match servers.contract {
		// The chain need not be asked where the contract is known.
		Some(address) => contract_at(&servers.config()?, address)?,
		None => servers.open(&context.chain().await?).await?.contract,
	};
	let head = contract.reads().head().await?;
	Ok(contract.root_at(bundle.root_block, head).await?)
}

fn contract_at(
	config: &RelayConfig,
	address: millrace_anchor::evm::Address,
) -> Result<millrace_anchor::Contract> {
	let reads = config.reads().map_err(millrace_anchor::RelayError::from)?;
	Ok(millrace_anchor::Contract::new(reads, address))
}

/// The root in a file of what a server answered.
fn answered(file: &Path) -> Result<H256> {
	let bytes = files::read(file)?;
	let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
	verify::answered_root(&answer).ok_or_else(|| {
		let message = format!("{} is no answer to rootAt", file.display());
		CliError::usage("bad_answer", message)
			.hint("it is a word of 32 bytes in hexadecimal, or the object of JSON-RPC with it")
	})
}

fn hex_text(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

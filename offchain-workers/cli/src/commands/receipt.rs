//! `millrace receipt`: receipts against the chain.

use crate::{
	commands::{
		challenge::{self, ChallengeArgs},
		invoke::{check_response, SavedReceipt},
		wait::{self, Progress},
	},
	context::Context,
	errors::{CliError, Kind, Result},
	files,
	http::{self, Http},
	ui,
};
use clap::Subcommand;
use millrace_client::{receipts, Chain, ReceiptProof, View};
use millrace_primitives::{
	execution::{SignedReceipt, UNVERIFIED},
	EpochIndex,
};
use serde_json::json;
use std::path::PathBuf;

/// Receipts against the chain.
#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
	/// Show what a receipt says, without asking anybody.
	Show {
		/// A receipt that `millrace invoke --receipt` kept, or a whole proof.
		file: PathBuf,
	},
	/// Look for what is false about a receipt, and charge its peer with it before the chain.
	///
	/// The call is run again by the chain's judge, on this machine; its data come from the worker. A
	/// bond is held until the outcome, and is lost if the chain finds the receipt right. Whoever has
	/// the evidence accepted first earns the bounty.
	Challenge(ChallengeArgs),
	/// Check signature, chain and epoch of a receipt, and that the peer reported it.
	Verify {
		/// A receipt that `millrace invoke --receipt` kept, or a whole proof.
		file: PathBuf,
		/// URL of the worker that proves it [default: the peer's endpoint on the chain].
		#[arg(long, value_name = "URL")]
		worker: Option<String>,
		/// Check, too, that this file is the response.
		#[arg(long, value_name = "FILE")]
		response: Option<PathBuf>,
		/// Wait for the report, at most so many seconds.
		#[arg(long, value_name = "SECONDS")]
		wait: Option<u64>,
		/// Keep the proof here: it can be checked later without the worker.
		#[arg(long, value_name = "FILE")]
		proof: Option<PathBuf>,
	},
}

/// Does it.
pub(crate) async fn run(context: &Context, command: ReceiptCommand) -> Result<()> {
	let (file, worker, response, wait, keep) = match command {
		ReceiptCommand::Show { file } => return show(context, &read(&file)?.receipt()),
		ReceiptCommand::Challenge(args) => return challenge::run(context, args).await,
		ReceiptCommand::Verify {
			file,
			worker,
			response,
			wait,
			proof,
		} => (file, worker, response, wait, proof),
	};
	let held = read(&file)?;
	let chain = context.chain().await?;
	if let (Some(seconds), Held::Receipt(receipt)) = (wait, &held) {
		until_reported(&chain, receipt, seconds).await?;
	}
	let view = chain.latest().await?;
	let proof = match held {
		Held::Proof(proof) => *proof,
		Held::Receipt(receipt) => {
			let _spinner = ui::Spinner::start("fetching the proof from the worker");
			fetch(&Http::new(), &view, &receipt, worker.as_deref()).await?
		}
	};
	receipts::verify(&view, &proof).await?;
	if let Some(path) = response {
		check_response(&proof.receipt, &files::read(&path)?)?;
	}
	if let Some(path) = keep {
		let bytes = serde_json::to_vec_pretty(&proof)
			.map_err(|error| CliError::from(anyhow::Error::from(error)))?;
		context.keep(&path, &bytes)?;
	}
	let receipt = &proof.receipt.receipt;
	let report = proof.report.hash(view.genesis(), receipt.peer);
	let value = json!({ "verified": true, "receipt": receipt, "report": report });
	context.emit(&value, || {
		ui::pairs([
			("verified", "yes".into()),
			("deal", receipt.deal.to_string()),
			("peer", receipt.peer.to_string()),
			("epoch", receipt.epoch.to_string()),
			(
				"number",
				format!("{} of {}", receipt.seq, proof.report.receipts),
			),
			("status", format!("{:?}", receipt.status)),
			("gas", receipt.gas.to_string()),
			("package", format!("{:?}", receipt.package)),
			("request", format!("{:?}", receipt.request)),
			("response", format!("{:?}", receipt.response)),
			("report", format!("{report:?}")),
		])
	})
}

fn show(context: &Context, signed: &SignedReceipt) -> Result<()> {
	let receipt = &signed.receipt;
	let hash = receipt.hash();
	let verifiable = receipt.profile & UNVERIFIED == 0;
	let value = json!({ "receipt": receipt, "hash": hash, "verifiable": verifiable });
	context.emit(&value, || {
		ui::pairs([
			("receipt", format!("{hash:?}")),
			("chain", format!("{:?}", receipt.genesis)),
			("deal", receipt.deal.to_string()),
			("peer", receipt.peer.to_string()),
			("epoch", receipt.epoch.to_string()),
			("number", receipt.seq.to_string()),
			("block", receipt.block.to_string()),
			("status", format!("{:?}", receipt.status)),
			("gas", receipt.gas.to_string()),
			(
				"engine profile",
				(receipt.profile & !UNVERIFIED).to_string(),
			),
			(
				"verifiable",
				match verifiable {
					true => "yes".into(),
					false => "no: its deal grants calls more than the chain runs again".into(),
				},
			),
			("package", format!("{:?}", receipt.package)),
			("terms", format!("{:?}", receipt.terms)),
			("request", format!("{:?}", receipt.request)),
			("response", format!("{:?}", receipt.response)),
			("transcript", format!("{:?}", receipt.transcript)),
		])
	})
}

/// What a file holds.
pub(crate) enum Held {
	/// A receipt alone.
	Receipt(SignedReceipt),
	/// A receipt with the report that it stands in.
	Proof(Box<ReceiptProof>),
}

impl Held {
	/// The receipt in it.
	pub(crate) fn receipt(self) -> SignedReceipt {
		match self {
			Self::Receipt(receipt) => receipt,
			Self::Proof(proof) => proof.receipt,
		}
	}
}

/// Reads a receipt, or a whole proof.
pub(crate) fn read(path: &std::path::Path) -> Result<Held> {
	let bytes = files::read(path)?;
	if let Ok(proof) = serde_json::from_slice::<ReceiptProof>(&bytes) {
		return Ok(Held::Proof(Box::new(proof)));
	}
	let saved: SavedReceipt = serde_json::from_slice(&bytes).map_err(|error| {
		CliError::usage(
			"bad_receipt_file",
			format!("{} is no receipt: {error}", path.display()),
		)
		.hint("`millrace invoke --receipt FILE` writes one")
	})?;
	Ok(Held::Receipt(saved.decode()?))
}

/// Fetches the proof of a receipt from its worker, and checks that it is of this receipt.
pub(crate) async fn fetch(
	http: &Http,
	view: &View,
	receipt: &SignedReceipt,
	worker: Option<&str>,
) -> Result<ReceiptProof> {
	let fields = &receipt.receipt;
	let endpoint = match worker {
		Some(url) => url.to_string(),
		None => {
			let peer = view.peer(fields.peer).await?.ok_or_else(|| {
				let message = format!("no peer {} is registered", fields.peer);
				CliError::not_found("peer_unknown", message).hint("name its worker with --worker")
			})?;
			String::from_utf8_lossy(&peer.endpoint).into_owned()
		}
	};
	let url = http::join(
		&endpoint,
		&format!("/receipts/{}/{}", fields.epoch, fields.seq),
	);
	let answer = http.get(&url).await?;
	let proof: ReceiptProof = serde_json::from_slice(&answer.body).map_err(|error| {
		let message = format!("{url} answers no proof: {error}");
		CliError::new(Kind::Network, "proof_undecodable", message)
	})?;
	if proof.receipt.receipt != *fields {
		let message = format!("the worker has another receipt under number {}", fields.seq);
		return Err(CliError::new(Kind::Verification, "other_receipt", message)
			.hint("the worker signed two receipts with one number: keep both, they are evidence"));
	}
	Ok(proof)
}

async fn until_reported(chain: &Chain, receipt: &SignedReceipt, seconds: u64) -> Result<()> {
	let (peer, epoch): (_, EpochIndex) = (receipt.receipt.peer, receipt.receipt.epoch);
	let what = format!("the report of epoch {epoch}");
	let waited = wait::until(chain, &what, seconds, async |view: &View| {
		if view.report(peer, epoch).await?.is_some() {
			return Ok(Progress::Done(()));
		}
		let present = view.epoch().await?.info.index;
		Ok(Progress::Waiting(format!(
			"the chain is in epoch {present}"
		)))
	});
	waited.await?.map_err(|last| {
		let message = format!("epoch {epoch} is not reported after {seconds} s: {last}");
		CliError::not_found("not_reported", message)
	})
}

//! `millrace anchor`: the contracts on the chain's anchor, FLT both ways, and the relayer.

mod deploy;
mod errors;
mod money;
mod proof;
mod relay;
mod status;

pub(crate) use deploy::beginning;
pub(crate) use relay::relay;

use crate::{
	arguments,
	context::{parse_account, Context},
	errors::{CliError, Result},
};
use clap::{Args, Subcommand};
use millrace_anchor::{
	evm::{Address, AnchorKey},
	Opened, RelayConfig, RelayError, Sender,
};
use millrace_client::{AccountId, Chain};
use millrace_primitives::{Balance, H256};
use std::path::PathBuf;

/// Time in which a transaction on the anchor is waited for.
pub(crate) const PATIENCE_SECONDS: u64 = 600;

/// The contracts on the chain's anchor, FLT both ways, and the relayer.
#[derive(Debug, Subcommand)]
pub(crate) enum AnchorCommand {
	/// Show where contract and chain stand: the last checkpoint, sets, messages, coins of the relayer.
	Status(Servers),
	/// Burn FLT on the anchor, which is unlocked on the chain.
	Deposit {
		/// How much, such as "1.5 FLT".
		#[arg(value_parser = arguments::amount)]
		amount: Balance,
		/// Account on the chain; the signing account without it.
		#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
		to: Option<AccountId>,
		/// Wait until the chain has taken it, at most so many seconds.
		#[arg(long, value_name = "SECONDS")]
		wait: Option<u64>,
		#[command(flatten)]
		servers: Servers,
	},
	/// Lock FLT on the chain, so that as much can be claimed on the anchor.
	Withdraw {
		/// How much, such as "1.5 FLT".
		#[arg(value_parser = arguments::amount)]
		amount: Balance,
		/// Address on the anchor.
		#[arg(long, value_name = "ADDRESS")]
		to: Address,
	},
	/// Prove withdrawals on the anchor and mint their FLT.
	Claim {
		/// Numbers of the withdrawals' messages.
		#[arg(required = true)]
		nonces: Vec<u64>,
		/// Address that receives it; that of --anchor-key, to which they belong, without it.
		#[arg(long, value_name = "ADDRESS")]
		to: Option<Address>,
		/// Wait until a checkpoint covers them, at most so many seconds.
		#[arg(long, value_name = "SECONDS")]
		wait: Option<u64>,
		#[command(flatten)]
		servers: Servers,
	},
	/// Print what proves a message of the chain to the contract.
	Proof {
		/// Number of the message.
		nonce: u64,
		#[command(flatten)]
		servers: Servers,
	},
	/// Check a receipt down to a checkpoint on the anchor.
	///
	/// Of a receipt, or its proof by the report, everything else is fetched from worker and node, and the
	/// root is asked of the anchor. What --keep has written is checked without any connection: give the
	/// root by --root, or what the anchor's server answered to rootAt by --answer.
	Verify(VerifyArgs),
	/// Carry checkpoints and messages between chain and anchor, until it is stopped.
	Relay(relay::RelayArgs),
	/// Deploy the contracts for this chain.
	Deploy(deploy::DeployArgs),
	/// Make a key for the anchor, in a new file.
	Key {
		/// The file.
		file: PathBuf,
	},
}

/// What `verify` checks, and by what.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
	/// A receipt, its proof by the report, or what --keep has written.
	pub(crate) file: PathBuf,
	/// URL of the worker that proves the receipt [default: the peer's endpoint on the chain].
	#[arg(long, value_name = "URL")]
	pub(crate) worker: Option<String>,
	/// Root that the anchor has for the checkpoint's block.
	#[arg(long, value_name = "HASH", value_parser = arguments::hash, conflicts_with = "answer")]
	pub(crate) root: Option<H256>,
	/// What a server of the anchor answered to rootAt, as JSON.
	#[arg(long, value_name = "FILE")]
	pub(crate) answer: Option<PathBuf>,
	/// Write down everything that it was checked by.
	#[arg(long, value_name = "FILE")]
	pub(crate) keep: Option<PathBuf>,
	/// Where the anchor is.
	#[command(flatten)]
	pub(crate) servers: Servers,
}

/// Where the anchor is, and who pays there.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Servers {
	/// URL of a JSON-RPC server of the anchor; several may be given, of which two must agree.
	#[arg(
		long = "anchor",
		value_name = "URL",
		env = "MILLRACE_ANCHOR",
		value_delimiter = ','
	)]
	pub(crate) rpcs: Vec<String>,
	/// Key on the anchor: a file of `millrace anchor key`, or dev:0 to dev:9.
	#[arg(long, value_name = "KEY", env = "MILLRACE_ANCHOR_KEY")]
	pub(crate) anchor_key: Option<String>,
	/// The contract [default: the one that the chain names].
	#[arg(long, value_name = "ADDRESS", env = "MILLRACE_ANCHOR_CONTRACT")]
	pub(crate) contract: Option<Address>,
}

impl Servers {
	/// As a relayer's configuration.
	pub(crate) fn config(&self) -> Result<RelayConfig> {
		if self.rpcs.is_empty() {
			return Err(
				CliError::usage("no_anchor", "no server of the anchor is named")
					.hint("use --anchor URL or MILLRACE_ANCHOR, several with commas between them"),
			);
		}
		let config = RelayConfig {
			key: self.anchor_key.clone(),
			contract: self.contract,
			..RelayConfig::of(self.rpcs.clone())
		};
		config.check().map_err(RelayError::from)?;
		Ok(config)
	}

	/// The anchor, once it is known to be this chain's.
	pub(crate) async fn open(&self, chain: &Chain) -> Result<Opened> {
		Ok(millrace_anchor::open(&self.config()?, chain).await?)
	}
}

/// Who pays on the anchor.
pub(crate) fn payer(opened: Opened) -> Result<Sender> {
	opened.sender.ok_or_else(|| {
		CliError::usage(
			"no_anchor_key",
			"this command pays on the anchor, and no key is given",
		)
		.hint("use --anchor-key FILE or MILLRACE_ANCHOR_KEY; dev:0 on a development anchor")
	})
}

/// Does it.
pub(crate) async fn run(context: &Context, command: AnchorCommand) -> Result<()> {
	match command {
		AnchorCommand::Status(servers) => status::status(context, &servers).await,
		AnchorCommand::Deposit {
			amount,
			to,
			wait,
			servers,
		} => money::deposit(context, amount, to, wait, &servers).await,
		AnchorCommand::Withdraw { amount, to } => money::withdraw(context, amount, to).await,
		AnchorCommand::Claim {
			nonces,
			to,
			wait,
			servers,
		} => money::claim(context, &nonces, to, wait, &servers).await,
		AnchorCommand::Proof { nonce, servers } => proof::proof(context, nonce, &servers).await,
		AnchorCommand::Verify(args) => proof::verify(context, args).await,
		AnchorCommand::Deploy(args) => deploy::deploy(context, args).await,
		AnchorCommand::Key { file } => key(context, &file),
		// The daemon's configuration is its own; see `dispatch`.
		AnchorCommand::Relay(args) => relay(&context.global, args).await,
	}
}

fn key(context: &Context, file: &std::path::Path) -> Result<()> {
	let key = AnchorKey::create(file).map_err(RelayError::from)?;
	let value = serde_json::json!({ "address": key.address(), "file": file });
	context.emit(&value, || format!("{} {}", key.address(), file.display()))
}

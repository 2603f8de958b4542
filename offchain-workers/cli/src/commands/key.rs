//! `millrace key`: keys of accounts and peers.

use crate::{
	arguments,
	context::Context,
	errors::{CliError, Result},
	ui,
};
use clap::Subcommand;
use millrace_client::{AccountKey, PeerKeypair};
use millrace_primitives::{peer::PeerId, H256};
use secrecy::zeroize::Zeroizing;
use serde_json::json;
use std::{
	io::{BufRead, IsTerminal, Read},
	path::{Path, PathBuf},
};

/// Longest secret that is read: more than any phrase with derivations.
const MAX_SECRET_BYTES: u64 = 4 * 1024;

/// Keys of accounts and peers.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
	/// Write a new key into a file that only you can read. Never overwrites.
	#[command(subcommand)]
	Generate(Generate),
	/// Write an account key that you have as a phrase or seed into a file that only you can read.
	///
	/// Asks for the secret, or reads it from the first line of standard input where that is no
	/// terminal. Never overwrites.
	Import {
		/// Where to write it.
		file: PathBuf,
	},
	/// Show the public part of a key.
	Inspect {
		/// A key file, or a development name such as //Bob.
		key: String,
	},
}

/// Kinds of keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Generate {
	/// An account: stakes, pays, is paid. Back it up.
	Account {
		/// Where to write it.
		file: PathBuf,
	},
	/// The hot key of a machine: signs reports and receipts, moves nothing.
	Peer {
		/// Where to write it.
		file: PathBuf,
		/// The peer that will be rotated to this key; without it, a new peer.
		#[arg(long, value_parser = arguments::peer)]
		peer: Option<PeerId>,
	},
}

/// Does it.
pub(crate) fn run(context: &Context, command: KeyCommand) -> Result<()> {
	match command {
		KeyCommand::Generate(Generate::Account { file }) => {
			let key = AccountKey::generate()?;
			key.save(&file)?;
			show_account(context, &key)
		}
		KeyCommand::Generate(Generate::Peer { file, peer }) => {
			let key = match peer {
				Some(peer) => PeerKeypair::generate_for(peer)?,
				None => PeerKeypair::generate()?,
			};
			key.save(&file)?;
			show_peer(context, &key)
		}
		KeyCommand::Import { file } => {
			let key = AccountKey::from_suri(&secret()?)?;
			key.save(&file)?;
			show_account(context, &key)
		}
		KeyCommand::Inspect { key } => {
			let path = Path::new(&key);
			if path.is_file() {
				// A file says itself which kind it is of; the account's message fits other files.
				if let Ok(peer) = PeerKeypair::load(path) {
					return show_peer(context, &peer);
				}
			}
			show_account(context, &AccountKey::from_name_or_file(&key)?)
		}
	}
}

/// The secret that the user has, from where nobody else sees it.
fn secret() -> Result<Zeroizing<String>> {
	let input = std::io::stdin();
	let unreadable = |error: std::io::Error| {
		CliError::usage("secret_unreadable", format!("no secret was read: {error}"))
	};
	let line = if input.is_terminal() {
		let prompt = "Phrase or 0x seed (not shown): ";
		Zeroizing::new(rpassword::prompt_password(prompt).map_err(unreadable)?)
	} else {
		let mut line = Zeroizing::new(String::new());
		input
			.lock()
			.take(MAX_SECRET_BYTES)
			.read_line(&mut line)
			.map_err(unreadable)?;
		line
	};
	match line.trim() {
		"" => Err(CliError::usage("secret_unreadable", "no secret was given")
			.hint("write it to standard input, or run this in a terminal")),
		secret => Ok(Zeroizing::new(secret.to_string())),
	}
}

fn show_account(context: &Context, key: &AccountKey) -> Result<()> {
	let public = H256(key.account().0);
	let value = json!({ "kind": "account", "address": key.address(), "public": public });
	context.emit(&value, || {
		ui::pairs([
			("kind", "account".into()),
			("address", key.address()),
			("public key", format!("{public:?}")),
		])
	})
}

fn show_peer(context: &Context, key: &PeerKeypair) -> Result<()> {
	let public = H256(key.public());
	let value = json!({ "kind": "peer", "peer": key.id(), "public": public });
	context.emit(&value, || {
		ui::pairs([
			("kind", "peer".into()),
			("peer", key.id().to_string()),
			("public key", format!("{public:?}")),
		])
	})
}

//! `millrace key`: keys of accounts and peers.

use crate::{arguments, context::Context, errors::Result, ui};
use clap::Subcommand;
use millrace_client::{AccountKey, PeerKeypair};
use millrace_primitives::{peer::PeerId, H256};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Keys of accounts and peers.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
	/// Write a new key into a file that only you can read. Never overwrites.
	#[command(subcommand)]
	Generate(Generate),
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
		KeyCommand::Inspect { key } => {
			let path = Path::new(&key);
			if path.is_file() {
				// A file says itself which kind it is of; the account's message fits other files.
				if let Ok(peer) = PeerKeypair::load(path) {
					return show_peer(context, &peer);
				}
			}
			show_account(context, &AccountKey::from_suri_or_file(&key)?)
		}
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

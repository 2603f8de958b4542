//! What every command shares: settings, the form of the output, connection and signer.

use crate::{
	cli::Global,
	config::Settings,
	errors::{CliError, Kind, Result},
	files,
	ui::Spinner,
};
use millrace_client::{AccountId, AccountKey, Call, Chain, Included};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{io::Write, path::Path, str::FromStr};

/// Context of one run of the tool.
#[derive(Debug)]
pub(crate) struct Context {
	/// Options that every command has.
	pub(crate) global: Global,
	/// Settings; empty defaults for commands that need none.
	pub(crate) settings: Settings,
}

impl Context {
	/// Reads the settings.
	pub(crate) fn load(global: Global) -> Result<Self> {
		let settings = Settings::load(&global)?;
		Ok(Self { global, settings })
	}

	/// Whether results are JSON.
	pub(crate) fn json(&self) -> bool {
		self.global.json
	}

	/// Connects to the node.
	pub(crate) async fn chain(&self) -> Result<Chain> {
		Ok(Chain::connect(&self.settings.node).await?)
	}

	/// The account that signs.
	pub(crate) fn signer(&self) -> Result<AccountKey> {
		let source = self.settings.key.as_deref().ok_or_else(|| {
			CliError::usage("no_key", "this command signs, and no key is given").hint(
				"use --key FILE, MILLRACE_KEY or `key` in the config; --key //Bob on a dev chain",
			)
		})?;
		Ok(AccountKey::from_name_or_file(source)?)
	}

	/// An account that is named, or else the signer's.
	pub(crate) fn account_or_signer(&self, account: Option<AccountId>) -> Result<AccountId> {
		match account {
			Some(account) => Ok(account),
			None => Ok(self.signer()?.account()),
		}
	}

	/// Signs and submits, and waits until the block is final.
	pub(crate) async fn submit(&self, chain: &Chain, call: Call) -> Result<Included> {
		let signer = self.signer()?;
		let spinner = Spinner::start(format!("{call}: waiting for finality"));
		let included = chain.submit(&signer, call).await;
		drop(spinner);
		Ok(included?)
	}

	/// Writes a result to standard output: as one JSON object, or as `human` words it.
	pub(crate) fn emit<T: Serialize>(
		&self,
		value: &T,
		human: impl FnOnce() -> String,
	) -> Result<()> {
		let text = if self.json() {
			serde_json::to_string_pretty(value).map_err(|error| {
				CliError::new(Kind::Failure, "not_serialised", error.to_string())
			})?
		} else {
			human()
		};
		write_line(&text);
		Ok(())
	}

	/// Puts out bytes that a command came by: into a file, or on standard output for `-`. In JSON
	/// they stand in the one object, in hexadecimal under this name, beside what else is told.
	pub(crate) fn deliver(
		&self,
		name: &str,
		bytes: &[u8],
		out: Option<&Path>,
		mut told: Map<String, Value>,
	) -> Result<()> {
		let out = out.unwrap_or(Path::new("-"));
		if !self.json() {
			return files::write(out, bytes);
		}
		if out == Path::new("-") {
			told.insert(name.into(), format!("0x{}", hex::encode(bytes)).into());
		} else {
			files::write(out, bytes)?;
			told.insert("out".into(), out.display().to_string().into());
		}
		self.emit(&told, String::new)
	}

	/// Writes a file beside the result.
	pub(crate) fn keep(&self, path: &Path, bytes: &[u8]) -> Result<()> {
		if self.json() && path == Path::new("-") {
			let message = "standard output has the JSON object; name a file";
			return Err(CliError::usage("output_taken", message));
		}
		files::write(path, bytes)
	}
}

/// One line on standard output. A reader that has gone away is no error of ours.
pub(crate) fn write_line(text: &str) {
	let mut out = std::io::stdout().lock();
	let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// An account by address, or by the name of a development account.
pub(crate) fn parse_account(text: &str) -> std::result::Result<AccountId, String> {
	if text.starts_with("//") {
		return AccountKey::from_suri(text)
			.map(|key| key.account())
			.map_err(|e| e.to_string());
	}
	AccountId::from_str(text).map_err(|error| format!("no account address: {error}"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_file_that_is_asked_for_gets_the_bytes_also_with_json() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let out = folder.path().join("out");
		for json in [false, true] {
			let context = Context {
				global: Global {
					json,
					..Global::default()
				},
				settings: Settings::default(),
			};
			let bytes = [0, 1, u8::from(json)];
			let outcome = context.deliver("response", &bytes, Some(&out), Map::new());
			assert!(outcome.is_ok(), "{outcome:?}");
			assert_eq!(std::fs::read(&out).expect("it is written"), bytes);
		}
	}
}

//! `millrace package`: WebAssembly modules by their hash.

use crate::{
	arguments,
	context::Context,
	errors::{CliError, Kind, Result},
	files,
	http::{self, Http},
	ui,
};
use bytes::Bytes;
use clap::Subcommand;
use millrace_client::web;
use millrace_primitives::{
	execution::{package_hash, MAX_PACKAGE_BYTES},
	H256,
};
use serde::Deserialize;
use serde_json::{json, Map};
use std::path::PathBuf;

/// WebAssembly modules by their hash.
#[derive(Debug, Subcommand)]
pub(crate) enum PackageCommand {
	/// Print the hash that names a module.
	Hash {
		/// The module.
		file: PathBuf,
	},
	/// Check that the engine profile takes a module, and say why not.
	Validate {
		/// The module.
		file: PathBuf,
	},
	/// Store a module at the gateway, where workers fetch it.
	Upload {
		/// The module.
		file: PathBuf,
	},
	/// Fetch a module from the gateway and check its hash.
	Download {
		/// Its hash.
		#[arg(value_parser = arguments::hash)]
		hash: H256,
		/// Where to write it; `-` for standard output.
		#[arg(long, value_name = "FILE")]
		out: PathBuf,
	},
}

/// Does it.
pub(crate) async fn run(context: &Context, command: PackageCommand) -> Result<()> {
	match command {
		PackageCommand::Hash { file } => {
			let hash = package_hash(&files::read(&file)?);
			context.emit(&json!({ "hash": hash }), || format!("{hash:?}"))
		}
		PackageCommand::Validate { file } => {
			let module = files::read(&file)?;
			let hash = package_hash(&module);
			validate(&module)?;
			let value = json!({ "valid": true, "hash": hash, "size": module.len() });
			context.emit(&value, || {
				ui::pairs([
					("valid", "yes".into()),
					("hash", format!("{hash:?}")),
					("size", format!("{} bytes", module.len())),
				])
			})
		}
		PackageCommand::Upload { file } => {
			let module = files::read(&file)?;
			let size = module.len();
			let (hash, url) = upload(&context.settings.gateway, module).await?;
			let value = json!({ "hash": hash, "size": size, "url": url });
			context.emit(&value, || format!("{hash:?}"))
		}
		PackageCommand::Download { hash, out } => {
			let url = package_url(&context.settings.gateway, hash);
			let spinner = ui::Spinner::start(format!("fetching {url}"));
			let answer = Http::new().get(&url).await;
			drop(spinner);
			let answer = answer?;
			let found = package_hash(&answer.body);
			if found != hash {
				let message = format!("the gateway answered a module of hash {found:?}");
				return Err(CliError::new(Kind::Verification, "package_hash", message));
			}
			let told = Map::from_iter([
				("hash".to_string(), json!(hash)),
				("size".to_string(), json!(answer.body.len())),
			]);
			context.deliver("module", &answer.body, Some(&out), told)
		}
	}
}

/// Checks a module against the engine profile, here and now.
pub(crate) fn validate(module: &[u8]) -> Result<()> {
	if module.len() > MAX_PACKAGE_BYTES as usize {
		let message = format!(
			"{} bytes are over the limit of {MAX_PACKAGE_BYTES}",
			module.len()
		);
		return Err(CliError::new(Kind::Failure, "package_invalid", message)
			.hint("build with optimisation for size, and strip names"));
	}
	match millrace_executor::validate(module) {
		Ok(_) => Ok(()),
		Err(reasons) => {
			let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
			let message = format!(
				"the engine profile refuses the module: {}",
				reasons.join("; ")
			);
			Err(CliError::new(Kind::Failure, "package_invalid", message)
				.hint("build a WASI preview 1 command, such as Rust's target wasm32-wasip1"))
		}
	}
}

/// A gateway's answer to an upload.
#[derive(Debug, Deserialize)]
struct Stored {
	hash: H256,
	url: String,
}

/// Stores a module at a gateway; checks first, so that a bad one is refused without a transfer.
/// Returns its hash and where the gateway says that workers fetch it.
pub(crate) async fn upload(gateway: &str, module: Vec<u8>) -> Result<(H256, String)> {
	validate(&module)?;
	let hash = package_hash(&module);
	let url = http::join(gateway, "/packages");
	let spinner = ui::Spinner::start(format!("uploading to {url}"));
	let answer = Http::new()
		.send(
			::http::Method::PUT,
			&url,
			Some("application/wasm"),
			Bytes::from(module),
		)
		.await;
	drop(spinner);
	let url = stored_at(gateway, hash, &answer?.success()?.body)?;
	Ok((hash, url))
}

/// The URL in a gateway's answer to an upload; a relative one is below the gateway itself.
fn stored_at(gateway: &str, hash: H256, answer: &[u8]) -> Result<String> {
	let stored: Stored = serde_json::from_slice(answer).map_err(|error| {
		let message = format!("the gateway's answer to the upload is none: {error}");
		CliError::new(Kind::Network, "answer_undecodable", message)
	})?;
	if stored.hash != hash {
		let message = format!("the gateway stored {:?} instead of {hash:?}", stored.hash);
		return Err(CliError::new(Kind::Verification, "package_hash", message));
	}
	if stored.url.starts_with('/') {
		return Ok(http::join(gateway, &stored.url));
	}
	web::url(&stored.url)?;
	Ok(stored.url)
}

/// Where a gateway serves a package.
pub(crate) fn package_url(gateway: &str, hash: H256) -> String {
	http::join(gateway, &format!("/packages/{hash:?}"))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn stored(url: &str) -> std::result::Result<String, String> {
		let hash = H256::repeat_byte(1);
		let answer = json!({ "hash": hash, "size": 8, "url": url }).to_string();
		stored_at("http://gate:1/", hash, answer.as_bytes()).map_err(|error| error.code)
	}

	#[test]
	fn the_gateway_says_where_workers_fetch_what_was_uploaded() {
		assert_eq!(
			stored("https://public.example/packages/0x01"),
			Ok("https://public.example/packages/0x01".into())
		);
		assert_eq!(
			stored("/packages/0x01"),
			Ok("http://gate:1/packages/0x01".into())
		);
		assert_eq!(stored("file:///etc/passwd"), Err("bad_url".into()));
	}

	#[test]
	fn an_answer_about_something_else_is_none() {
		let code = |answer: &[u8]| {
			let outcome = stored_at("http://gate:1", H256::zero(), answer);
			outcome.expect_err("it is none").code
		};
		let other = json!({ "hash": H256::repeat_byte(2), "url": "/packages/0x02" }).to_string();
		assert_eq!(code(other.as_bytes()), "package_hash");
		assert_eq!(code(b"<html>"), "answer_undecodable");
	}
}

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
use millrace_primitives::{
	execution::{package_hash, MAX_PACKAGE_BYTES},
	H256,
};
use serde_json::json;
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
			let answer = Http::new()
				.get(&package_url(&context.settings.gateway, hash))
				.await?;
			let found = package_hash(&answer.body);
			if found != hash {
				let message = format!("the gateway answered a module of hash {found:?}");
				return Err(CliError::new(Kind::Verification, "package_hash", message));
			}
			files::write(&out, &answer.body)
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

/// Stores a module at a gateway; checks first, so that a bad one is refused without a transfer.
pub(crate) async fn upload(gateway: &str, module: Vec<u8>) -> Result<(H256, String)> {
	validate(&module)?;
	let hash = package_hash(&module);
	let url = http::join(gateway, "/packages");
	Http::new()
		.send(
			::http::Method::PUT,
			&url,
			Some("application/wasm"),
			Bytes::from(module),
		)
		.await?
		.success()?;
	Ok((hash, package_url(gateway, hash)))
}

/// Where a gateway serves a package.
pub(crate) fn package_url(gateway: &str, hash: H256) -> String {
	http::join(gateway, &format!("/packages/{hash:?}"))
}

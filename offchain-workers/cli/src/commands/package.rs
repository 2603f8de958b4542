//! `millrace package`: WebAssembly modules, and the files that go with them, by their hash.

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
use millrace_executor::{archive, ModuleInfo};
use millrace_primitives::{
	execution::{package_hash, MAX_PACKAGE_BYTES, PROFILE_V1},
	H256,
};
use serde::Deserialize;
use serde_json::{json, Map};
use std::path::{Path, PathBuf};

/// Most files that are looked at for a package; it can hold fewer.
const MAX_FILES: usize = 10_000;

/// WebAssembly modules by their hash.
#[derive(Debug, Subcommand)]
pub(crate) enum PackageCommand {
	/// Put files into a package: calls find them in the folder `/`, and cannot change them.
	Build {
		/// The module.
		module: PathBuf,
		/// Folder of the files.
		#[arg(long, value_name = "DIR")]
		files: PathBuf,
		/// Where to write the package; `-` for standard output.
		#[arg(long, short, value_name = "FILE")]
		out: PathBuf,
	},
	/// Print the hash that names a module.
	Hash {
		/// The module.
		file: PathBuf,
	},
	/// Check that the engine profile takes a module, and give every reason why not.
	///
	/// The same check as in workers and in the chain: it includes that the chain's judge can run the
	/// module.
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
		PackageCommand::Build { module, files, out } => build(context, &module, &files, &out),
		PackageCommand::Hash { file } => {
			let hash = package_hash(&files::read(&file)?);
			context.emit(&json!({ "hash": hash }), || format!("{hash:?}"))
		}
		PackageCommand::Validate { file } => {
			let module = files::read(&file)?;
			let hash = package_hash(&module);
			let info = validate(&module)?;
			let value = json!({
				"valid": true,
				"hash": hash,
				"size": info.size,
				"profile": PROFILE_V1,
				"functions": info.functions,
				"memory_pages": info.memory_pages,
				"imports": info.imports,
				"files": info.files,
			});
			context.emit(&value, || {
				ui::pairs([
					("valid", "yes".into()),
					("hash", format!("{hash:?}")),
					("size", format!("{} bytes", info.size)),
					("engine profile", PROFILE_V1.to_string()),
					("functions", info.functions.to_string()),
					(
						"memory at the start",
						format!("{} KiB", info.memory_pages * 64),
					),
					("calls of its host", info.imports.join(", ")),
					("files", info.files.to_string()),
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

/// Puts files into a package.
fn build(context: &Context, module: &Path, folder: &Path, out: &Path) -> Result<()> {
	let module = files::read(module)?;
	let content = gather(folder)?;
	let package = archive::attach(&module, &content).map_err(|reason| {
		let message = format!("the files cannot go into the package: {reason}");
		CliError::new(Kind::Failure, "package_invalid", message)
	})?;
	validate(&package)?;
	let hash = package_hash(&package);
	let told = Map::from_iter([
		("hash".to_string(), json!(hash)),
		("size".to_string(), json!(package.len())),
		("files".to_string(), json!(content.len())),
	]);
	if !context.json() {
		eprintln!("{hash:?}: {} bytes, {} files", package.len(), content.len());
	}
	context.deliver("package", &package, Some(out), told)
}

/// The files below a folder, by their paths in it. What is neither file nor folder is refused: a
/// package has no links.
fn gather(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
	let unreadable = |path: &Path, reason: &dyn std::fmt::Display| {
		let message = format!("cannot read {}: {reason}", path.display());
		CliError::usage("file_unreadable", message)
	};
	let mut found = Vec::new();
	let mut folders = vec![(folder.to_path_buf(), String::new())];
	while let Some((folder, prefix)) = folders.pop() {
		let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
		for entry in entries {
			let entry = entry.map_err(|error| unreadable(&folder, &error))?;
			let path = entry.path();
			let kind = entry
				.file_type()
				.map_err(|error| unreadable(&path, &error))?;
			let name = entry
				.file_name()
				.into_string()
				.map_err(|_| unreadable(&path, &"its name is no UTF-8"))?;
			let name = format!("{prefix}{name}");
			if kind.is_dir() {
				folders.push((path, format!("{name}/")));
			} else if kind.is_file() {
				found.push((name, files::read(&path)?));
			} else {
				return Err(unreadable(&path, &"it is neither a file nor a folder"));
			}
			if found.len() > MAX_FILES {
				return Err(unreadable(&folder, &"there are too many files"));
			}
		}
	}
	Ok(found)
}

/// Checks a package against the engine profile, here and now.
pub(crate) fn validate(module: &[u8]) -> Result<ModuleInfo> {
	if module.len() > MAX_PACKAGE_BYTES as usize {
		let message = format!(
			"{} bytes are over the limit of {MAX_PACKAGE_BYTES}",
			module.len()
		);
		return Err(CliError::new(Kind::Failure, "package_invalid", message)
			.hint("build with optimisation for size, and strip names"));
	}
	match millrace_executor::whole(module) {
		Ok((info, _)) => Ok(info),
		Err(reasons) => {
			let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
			let message = format!(
				"the engine profile refuses the module: {}",
				reasons.join("; ")
			);
			let told = Map::from_iter([("reasons".to_string(), json!(reasons))]);
			Err(CliError::new(Kind::Failure, "package_invalid", message)
				.hint("build a WASI preview 1 command, such as Rust's target wasm32-wasip1")
				.details(told))
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

	#[test]
	fn files_go_into_a_package_by_their_paths() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let at = |path: &str| folder.path().join(path);
		std::fs::create_dir_all(at("words/en")).expect("a folder");
		std::fs::write(at("words/en/a.txt"), "one").expect("a file");
		std::fs::write(at("b.txt"), "two").expect("a file");
		let mut found = gather(folder.path()).expect("they are read");
		found.sort();
		let expected = [
			("b.txt".to_string(), b"two".to_vec()),
			("words/en/a.txt".to_string(), b"one".to_vec()),
		];
		assert_eq!(found, expected);
		let module =
			wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))")
				.expect("that is a module");
		let package = archive::attach(&module, &found).expect("they fit");
		let info = validate(&package).expect("it can run");
		assert_eq!(info.files, 2);
		// A package is not built upon once more.
		assert!(archive::attach(&package, &found).is_err());
	}

	#[cfg(unix)]
	#[test]
	fn links_do_not_go_into_a_package() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a")).expect("a link");
		let error = gather(folder.path()).expect_err("it is a link");
		assert_eq!(error.code, "file_unreadable");
		let error = gather(&folder.path().join("none")).expect_err("there is none");
		assert_eq!(error.kind, Kind::Usage);
	}

	#[test]
	fn every_reason_against_a_module_is_given() {
		let module =
			wat::parse_str("(module (import \"env\" \"f\" (func)) (import \"env\" \"g\" (func)))");
		let error = validate(&module.expect("that is a module")).expect_err("it cannot run");
		assert_eq!(error.code, "package_invalid");
		let reasons = error.details["reasons"].as_array().map(Vec::len);
		assert!(reasons >= Some(3), "{error:?}");
	}

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

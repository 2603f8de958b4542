//! Chain specifications that differ from those that the node knows by name.

use crate::binaries;
use codec::Encode;
use millrace_primitives::hash::blake2_256;
use serde_json::{json, Map, Value};
use std::{
	collections::BTreeMap,
	io::Write,
	path::{Path, PathBuf},
	process::{Command, Stdio},
};
use tempfile::NamedTempFile;

/// Key of the runtime in the state.
const CODE: &str = "0x3a636f6465";

/// Writes the specification of a chain (`dev`, `local`, `testnet`) with other values in its genesis: a
/// merge patch as in RFC 7396. The file is `name.json` in the folder.
pub fn patched(folder: &Path, chain: &str, name: &str, patch: &Value) -> PathBuf {
	let mut spec = exported(chain, &[]);
	// A named chain's whole preset is written out here, over the runtime's defaults.
	let genesis = &mut spec["genesis"]["runtimeGenesis"]["patch"];
	assert!(genesis.is_object(), "{chain} has no preset");
	merge(genesis, patch);
	write(folder, name, &spec)
}

/// Writes a specification again with the state of its genesis in place of what the runtime makes it
/// from; the path of the file, beside the other one.
///
/// A node compiles the runtime to make the state, and once more to run it, each time that it is
/// started. This spares the first where several are started, or one is started again.
pub fn built(spec: &Path) -> PathBuf {
	let named = spec.file_stem().and_then(|name| name.to_str());
	let (Some(folder), Some(name)) = (spec.parent(), named) else {
		panic!("{} is no file's path", spec.display());
	};
	let built = exported(&spec.display().to_string(), &["--raw"]);
	assert!(built["genesis"]["raw"].is_object(), "{name} has no state");
	write(folder, &format!("{name}-built"), &built)
}

/// Writes the specification of a chain with another state in its genesis: of its own, the runtime
/// alone stays. The file is `name.json` in the folder.
pub fn raw(folder: &Path, chain: &str, name: &str, top: BTreeMap<Vec<u8>, Vec<u8>>) -> PathBuf {
	let mut spec = exported(chain, &["--raw"]);
	let genesis = &mut spec["genesis"]["raw"];
	let code = genesis["top"][CODE].take();
	assert!(code.is_string(), "{chain} has no runtime");
	let text = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
	let mut state: Map<String, Value> = top
		.iter()
		.map(|(key, value)| (text(key), text(value).into()))
		.collect();
	state.insert(CODE.into(), code);
	*genesis = json!({ "top": state, "childrenDefault": {} });
	write(folder, name, &spec)
}

/// What the node exports. It compiles the runtime for that, so that tests keep it for each other.
fn exported(chain: &str, options: &[&str]) -> Value {
	let read = |bytes: &[u8]| serde_json::from_slice(bytes).expect("a specification is JSON");
	// Of a file, what it says counts, and not where it lies.
	let said = std::fs::read(chain).unwrap_or_else(|_| chain.into());
	let name = hex::encode(blake2_256(&(said, options).encode()).0);
	let kept = binaries::kept().join(name);
	if let Ok(bytes) = std::fs::read(&kept) {
		return read(&bytes);
	}
	let output = Command::new(binaries::node())
		.args(["export-chain-spec", "--chain", chain])
		.args(options)
		.env_remove("RUST_LOG")
		.stdin(Stdio::null())
		.output()
		.expect("the node can be started");
	assert!(
		output.status.success(),
		"the specification of {chain}: {}",
		String::from_utf8_lossy(&output.stderr)
	);
	// Another test may be doing the same: whoever reads finds all of it or nothing.
	let mut own = NamedTempFile::new_in(binaries::kept()).expect("that folder is writable");
	own.write_all(&output.stdout).expect("there is room");
	own.persist(&kept).expect("it is in the same folder");
	read(&output.stdout)
}

fn write(folder: &Path, name: &str, spec: &Value) -> PathBuf {
	let path = folder.join(format!("{name}.json"));
	std::fs::write(&path, spec.to_string()).expect("the test's folder is writable");
	path
}

/// A merge patch, without removals.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
	match (target, patch) {
		(Value::Object(target), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(target.entry(key.clone()).or_insert(Value::Null), value);
			}
		}
		(target, patch) => *target = patch.clone(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_patch_changes_what_it_names() {
		let mut spec = json!({ "a": { "b": 1, "c": [1, 2] }, "d": 3 });
		merge(
			&mut spec,
			&json!({ "a": { "b": 2, "c": [4] }, "e": { "f": 5 } }),
		);
		let expected = json!({ "a": { "b": 2, "c": [4] }, "d": 3, "e": { "f": 5 } });
		assert_eq!(spec, expected);
	}

	#[test]
	fn amounts_beyond_64_bits_survive() {
		let text = r#"{"balance":100000000000000000000000000}"#;
		let mut spec: Value = serde_json::from_str(text).expect("that is JSON");
		merge(&mut spec, &json!({}));
		assert_eq!(spec.to_string(), text);
	}
}

//! The anchor's contracts: the sources make the committed artefacts, tests in JavaScript hold, and on anvil
//! they agree with all that the chain's own code makes and keep their bars of gas.

use millrace_e2e::{binaries, network::folder, npm, Anvil};
use std::time::Duration;

/// Longest run of all of their tests.
const TESTS: Duration = Duration::from_secs(300);
/// Sets of validators for which there is a bar.
const SIZES: [u64; 3] = [7, 100, 256];
/// Time at which the chain in the contracts' tests begins.
const BEGINNING: u64 = 1_700_000_000;

#[tokio::test]
async fn contracts_are_the_committed_ones_and_keep_their_bars() {
	let folder = folder();
	let path = folder.path();
	let source = binaries::repository().join("offchain-workers/anchor/contracts");
	let names = ["artefacts", "build.mjs", "src", "test", "vectors"];
	npm::install(&source, &names, path).await;
	npm::run(path, TESTS, "npm", &["test"], &[]).await;

	let anvil = Anvil::instant(path, BEGINNING).await;
	let environment = [("ANVIL", anvil.url.as_str())];
	let vectors = ["--test", "test/chain.test.mjs"];
	npm::run(path, TESTS, "node", &vectors, &environment).await;
	let told = npm::run(path, TESTS, "npm", &["run", "gas"], &environment).await;
	let checkpoints: Vec<[u64; 3]> = told.lines().filter_map(checkpoint).collect();
	let sizes: Vec<u64> = checkpoints.iter().map(|[size, ..]| *size).collect();
	assert_eq!(sizes, SIZES, "{told}");
	for [validators, gas, bytes] in checkpoints {
		println!(
			r#"{{"measure":"anchor_gas","validators":{validators},"gas":{gas},"call_data_bytes":{bytes}}}"#
		);
	}
}

/// Validators, gas and bytes of call data in a line that tells of a checkpoint without a handover.
fn checkpoint(line: &str) -> Option<[u64; 3]> {
	let (validators, rest) = line
		.strip_prefix("checkpoint, ")?
		.split_once(" validators: ")?;
	let (gas, rest) = rest.split_once(" of ")?;
	let (_, rest) = rest.split_once(", ")?;
	let bytes = rest.strip_suffix(" bytes of call data")?;
	Some([
		validators.parse().ok()?,
		gas.parse().ok()?,
		bytes.parse().ok()?,
	])
}

#[test]
fn gas_is_read_from_what_its_program_tells() {
	let line = "checkpoint, 100 validators: 412715 of 475000, 8132 bytes of call data";
	assert_eq!(checkpoint(line), Some([100, 412_715, 8_132]));
	assert_eq!(
		checkpoint("checkpoint with handover, 7 validators: 128880"),
		None
	);
	assert_eq!(checkpoint("claim: 93665"), None);
}

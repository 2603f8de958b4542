//! The library that most Substrate clients are built with reads our metadata and works with a node.

use millrace_e2e::{binaries, network::folder, Network};
use serde_json::Value;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{join, process::Command, time::timeout};

/// Longest installation, over a slow line.
const INSTALLATION: Duration = Duration::from_secs(240);
/// Longest check; it has a limit of its own, which is shorter.
const CHECK: Duration = Duration::from_secs(120);

#[tokio::test]
async fn polkadot_js_reads_the_metadata_and_works_with_a_node() {
	let folder = folder();
	let source = binaries::tests().join("e2e/polkadot_js");
	for name in ["package.json", "package-lock.json", "check.mjs"] {
		std::fs::copy(source.join(name), folder.path().join(name))
			.unwrap_or_else(|error| panic!("{name}: {error}"));
	}
	let install = [
		"ci",
		"--prefer-offline",
		"--ignore-scripts",
		"--no-audit",
		"--no-fund",
	];
	let (_, network) = join!(
		run(folder.path(), INSTALLATION, "npm", &install),
		Network::dev()
	);
	let output = run(
		folder.path(),
		CHECK,
		"node",
		&["check.mjs", &network.node.ws()],
	)
	.await;
	let last = output.lines().last().unwrap_or_default();
	let result: Value = serde_json::from_str(last).unwrap_or_else(|error| {
		panic!("the last line is no JSON ({error}): {output}");
	});
	assert_eq!(result["ok"], true, "{result}");
	let genesis = format!("{:?}", network.chain.genesis());
	assert_eq!(
		result["genesis"], genesis,
		"it is our chain that was checked"
	);
	let fee = result["fee"]
		.as_str()
		.and_then(|fee| fee.parse::<u128>().ok());
	assert!(fee > Some(0), "{result}");
}

/// Runs a program that must succeed; its standard output.
async fn run(folder: &Path, limit: Duration, program: &str, arguments: &[&str]) -> String {
	let output = Command::new(program)
		.args(arguments)
		.current_dir(folder)
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output();
	let output = timeout(limit, output)
		.await
		.unwrap_or_else(|_| panic!("{program} {arguments:?}: not done within {limit:?}"))
		.unwrap_or_else(|error| {
			panic!("{program} cannot be run ({error}); scripts/setup.sh installs Node.js and npm")
		});
	let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
	let (out, errors) = (text(&output.stdout), text(&output.stderr));
	assert!(
		output.status.success(),
		"{program} {arguments:?}: {}\n{out}\n{errors}",
		output.status
	);
	out
}

//! The library that most Substrate clients are built with reads our metadata and works with a node.

use crate::javascript::{install, run};
use millrace_e2e::{network::folder, Network};
use serde_json::Value;
use std::time::Duration;
use tokio::join;

/// Longest check; it has a limit of its own, which is shorter.
const CHECK: Duration = Duration::from_secs(120);

#[tokio::test]
async fn polkadot_js_reads_the_metadata_and_works_with_a_node() {
	let folder = folder();
	let ((), network) = join!(install(folder.path(), "check.mjs"), Network::dev());
	let arguments = ["check.mjs", &network.node.ws()];
	let output = run(folder.path(), CHECK, &arguments).await;
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

//! Time in which a node takes in a block in which a call is run again.

use super::{import_ms, serve_with_gas, until_it_follows, LOG_IMPORTS, SHORT};
use codec::Encode;
use millrace_e2e::{
	binaries, command, eventually,
	measure::{median, percentile},
	Network, Node,
};
use millrace_primitives::execution::{arbitration_gas, CallStatus, MAX_PACKAGE_BYTES};
use std::{fmt::Write, time::Duration};

/// Calls that are run again.
const REPLAYS: u32 = 7;
/// Longest run of a challenger.
const CHALLENGE: Duration = Duration::from_secs(120);

/// Time in which a node that does not author takes in a block in which a call of all the gas that the
/// chain runs again is run again: the slowest mix of instructions that the search has found, alone and
/// behind nearly as many bytes of functions as a package may have, each of which is translated first.
///
/// The receipts are true, so that every challenge of one is refuted, and costs a bond.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_adjudication_import() {
	let text = std::fs::read_to_string(binaries::worst_package()).expect("it can be read");
	measure("adjudication_import", packed(&text)).await;
	let large = packed(&with_functions(&text));
	assert!(large.len() > MAX_PACKAGE_BYTES as usize * 4 / 5);
	measure("adjudication_import_large", large).await;
}

/// Has a call of a package challenged and run again, with all the gas that so large a package may use.
async fn measure(name: &str, package: Vec<u8>) {
	let bytes = u32::try_from(package.len()).expect("it is a package");
	let cap = arbitration_gas(bytes);
	let network = Network::dev().await;
	let address = network.node.address().await;
	let options = [
		&["--chain", "dev", "--bootnodes", &address][..],
		&LOG_IMPORTS,
	];
	let mut follower = Node::start(network.folder(), "follower", &options.concat());
	until_it_follows(&mut follower).await;
	let served = serve_with_gas(&network, 1, package, cap).await;

	let url = served.gateway.deal(served.deal.id);
	let door = &served.provider.peers[0].url;
	let mut blocks = Vec::new();
	for number in 0..REPLAYS {
		let text = format!("call {number}");
		let answer = network.http.post(&url, text).await.expect("it answers");
		let signed = answer.receipt().expect("there is a receipt");
		let receipt = &signed.receipt;
		assert_eq!((receipt.status, receipt.gas), (CallStatus::OutOfGas, cap));
		let receipt = format!("0x{}", hex::encode(signed.encode()));
		let node = network.node.ws();
		let challenge = [
			"--node",
			&node,
			"--key",
			"//Dave",
			"lie",
			"--receipt",
			&receipt,
			"--door",
			door,
		];
		let program = binaries::adversary("challenger");
		let ran = command::run(&program, network.folder(), CHALLENGE, challenge).await;
		let told = ran.succeeded().json();
		let events = told["events"].to_string();
		assert!(events.contains("ChallengeRefuted"), "{told}");
		let block = told["block"]
			.as_u64()
			.and_then(|block| u32::try_from(block).ok());
		blocks.push(block.expect("it was in a block"));
	}

	let last = *blocks.last().expect("there are some");
	eventually(
		"the other node has followed",
		SHORT,
		async || match follower.rpc().finalized_number().await {
			height if height >= last => Ok(()),
			height => Err(format!("it is at {height}")),
		},
	)
	.await;
	let log = follower.log();
	let mut times = Vec::new();
	for number in blocks {
		let hash = network.rpc.block_hash(number).await;
		times.push(import_ms(&log, number, hash.expect("the block is final")));
	}
	println!(
		"{{\"measure\":\"{name}\",\"blocks\":{},\"package_bytes\":{bytes},\"cap_gas\":{cap},\
		\"p50_ms\":{:.0},\"max_ms\":{:.0}}}",
		times.len(),
		median(&times),
		percentile(&times, 100),
	);
}

/// The text of a program with as many functions before its loop as a package may have, each with locals
/// and called once: of all that is paid by the byte, what takes the judge longest.
fn with_functions(text: &str) -> String {
	const START: &str = "(func (export \"_start\")";
	const FIRST: &str = "(local.set $a";
	let (before, start) = text.split_once(START).expect("a program begins somewhere");
	let (locals, body) = start.split_once(FIRST).expect("its loop needs numbers");
	let locals_of_each = "i64 ".repeat(13);
	let work = "(drop (i32.const 1))".repeat(10);
	let (mut functions, mut calls) = (String::new(), String::new());
	for index in 0..19_800 {
		writeln!(
			functions,
			"(func $t{index} (local {locals_of_each}) {work})"
		)
		.expect("it is text");
		write!(calls, "(call $t{index})").expect("it is text");
	}
	[before, &functions, START, locals, &calls, FIRST, body].concat()
}

/// The module with the folder of 200 empty files that its search has given it.
fn packed(text: &str) -> Vec<u8> {
	let mut module = wat::parse_str(text).expect("it is well-formed");
	const NAME: &str = "millrace:files";
	let files: Vec<(Vec<u8>, Vec<u8>)> = (0..200)
		.map(|number| (format!("{number:03}").into_bytes(), Vec::new()))
		.collect();
	// A custom section: its name with a length of one byte, then what it holds.
	let mut content = vec![NAME.len() as u8];
	content.extend(NAME.bytes());
	content.extend(files.encode());
	module.push(0);
	// Its length, seven bits to a byte.
	let mut left = content.len();
	while left >= 0x80 {
		module.push((left & 0x7f) as u8 | 0x80);
		left >>= 7;
	}
	module.push(left as u8);
	module.extend(content);
	module
}

//! Deals as clients make them without our library: by a program in JavaScript, which the documentation
//! shows, and by the tool from a file. The tool watches them as they change, and tells a provider what
//! to do.

use crate::javascript;
use codec::DecodeAll;
use millrace_client::calls;
use millrace_e2e::{
	binaries,
	command::millrace,
	deal::CEILING,
	guests,
	network::{account, folder, little_work},
	provider::settle,
	Gateway, Network, Process, Provider, Ran,
};
use millrace_primitives::{
	execution::{package_hash, SignedReceipt},
	market::DealStatus,
	Balance, DealId, FLT,
};
use serde_json::{json, Value};
use std::{path::Path, time::Duration};
use tokio::{join, time::sleep};

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Longest run of the tool, but for what waits for workers.
const MINUTE: Duration = Duration::from_secs(60);
/// Longest wait for what takes a few epochs.
const EPOCHS: Duration = Duration::from_secs(240);
/// Time for which a deal is followed that has all its workers.
const FOLLOWED_SECONDS: &str = "20";
/// Time after which something changes then.
const PAUSE: Duration = Duration::from_secs(3);
/// Epochs at the ceiling that the file asks for, and that the command line asks for in its place.
const IN_FILE: u32 = 30;
const ON_LINE: u32 = 40;

/// What the steps work with.
struct Scene {
	gateway: Gateway,
	/// Has one peer with two units: one for each deal.
	provider: Provider,
	_workers: Vec<Process>,
	// The last field: what writes into its folder goes before it.
	network: Network,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deals_are_made_from_javascript_and_from_a_file_and_watched_as_they_change() {
	let program = folder();
	let installation = javascript::install(program.path(), "deal.mjs");
	let ((), scene) = join!(installation, Scene::start());
	join!(
		scene.javascript_makes_a_deal(program.path()),
		scene.a_file_makes_a_deal()
	);
	scene.providers_are_told_what_to_do().await;
}

#[test]
fn the_documentation_shows_the_program_that_is_tested() {
	let docs = binaries::tests().join("../docs/buy-compute.md");
	let docs = std::fs::read_to_string(docs).expect("it is part of the repository");
	let program = std::fs::read_to_string(javascript::source().join("deal.mjs"));
	let program = program.expect("it is part of the repository");
	let block = format!("```js\n{program}```\n");
	assert!(
		docs.contains(&block),
		"docs/buy-compute.md has another program than tests/e2e/polkadot_js/deal.mjs"
	);
}

impl Scene {
	/// Starts everybody, and waits until the peer is proven, so that its offer stands in the book.
	async fn start() -> Self {
		let (network, _) = Network::quick_with(EPOCH_BLOCKS, &little_work()).await;
		let provider = Provider::register(&network, "//Bob", 1, 2).await;
		let workers = provider.start_workers(&network).await;
		let gateway = Gateway::start(&network).await;
		settle(&network, &provider.ids(), provider.first_epoch).await;
		Self {
			gateway,
			provider,
			_workers: workers,
			network,
		}
	}

	/// Runs the tool for an account.
	async fn tool(&self, key: &str, limit: Duration, arguments: &[&str]) -> Ran {
		let (node, gateway) = (self.network.node.ws(), &self.gateway.url);
		let common = [
			"--json",
			"--node",
			&node,
			"--gateway",
			gateway,
			"--key",
			key,
		];
		let all = common.iter().chain(arguments);
		millrace(self.network.folder(), limit, all).await
	}

	/// The program orders a worker, calls it and stops the deal, as the chain then shows.
	async fn javascript_makes_a_deal(&self, program: &Path) {
		let module = guests::echo();
		let hash = package_hash(&module);
		std::fs::write(program.join("echo.wasm"), module).expect("the folder is writable");
		let arguments = [
			"deal.mjs",
			&self.network.node.ws(),
			&self.gateway.url,
			"echo.wasm",
			"//Charlie",
		];
		let output = javascript::run(program, EPOCHS, &arguments).await;
		let last = output.lines().last().unwrap_or_default();
		let told: Value = serde_json::from_str(last).unwrap_or_else(|error| {
			panic!("the last line is no JSON ({error}): {output}");
		});
		let peer = self.provider.peers[0].id();
		assert_eq!(told["response"], "hello", "{told}");
		assert_eq!(told["peer"], json!(peer), "{told}");

		let id = told["deal"].as_u64().expect("the deal has a number");
		let view = self.network.chain.latest().await.expect("the node is up");
		let deal = view.deal(id).await.expect("deals can be read");
		let deal = deal.expect("a deal that is stopped stands until it is closed");
		assert_eq!(deal.owner, account("//Charlie").account());
		assert_eq!(deal.spec.package.hash, hash);
		assert_eq!(deal.spec.price_ceiling, CEILING);
		assert!(matches!(deal.status, DealStatus::Ending { .. }), "{deal:?}");

		let text = told["receipt"].as_str().unwrap_or_default();
		let bytes = hex::decode(text.trim_start_matches("0x")).expect("it is hexadecimal");
		let receipt = SignedReceipt::decode_all(&mut &bytes[..]).expect("that is a receipt");
		assert_eq!((receipt.receipt.deal, receipt.receipt.peer), (id, peer));
	}

	/// The order lies in a folder with its package; the command line goes before it. The deal is
	/// watched until it is served, and followed when it is.
	async fn a_file_makes_a_deal(&self) {
		let order = self.network.folder().join("order");
		std::fs::create_dir(&order).expect("the folder is writable");
		std::fs::write(order.join("echo.wasm"), guests::echo()).expect("the folder is writable");
		let text = format!(
			"package = \"echo.wasm\"\nupload = true\nworkers = 1\nprice = \"0.02 FLT\"\n\
			 gas = 20_000_000\nepochs_of_escrow = {IN_FILE}\n"
		);
		let path = order.join("deal.toml");
		std::fs::write(&path, text).expect("the folder is writable");
		let path = path.display().to_string();
		let from = ["deal", "quote", "--from", &path];
		let quote = self.tool("//Dave", MINUTE, &from).await.succeeded().json();
		assert_eq!(
			quote["workers"].as_array().map(Vec::len),
			Some(1),
			"{quote}"
		);

		let epochs = ON_LINE.to_string();
		let create = ["deal", "create", "--from", &path];
		let create = [&create[..], &["--epochs-of-escrow", epochs.as_str()]].concat();
		let made = self
			.tool("//Dave", MINUTE, &create)
			.await
			.succeeded()
			.json();
		let escrow = CEILING * Balance::from(ON_LINE);
		assert_eq!(made["escrow"], escrow.to_string(), "{made}");
		let id = made["deal"].as_u64().expect("the deal has a number");

		let lines = self.watch(id, &[]).await;
		let served = |line: &Value| line["serving"] == 1 && line["wanted"] == 1;
		assert!(served(&lines[lines.len() - 1]), "{lines:?}");
		let early = &lines[..lines.len() - 1];
		assert!(
			!early.iter().any(served),
			"it ends when all serve: {lines:?}"
		);

		let follow = ["--follow", "--timeout", FOLLOWED_SECONDS];
		let (lines, ()) = join!(self.watch(id, &follow), self.tops_up(id));
		// Settled epochs may be paid in the meantime, which is far less than what came in.
		let escrow = |line: &Value| {
			let text = line["deal"]["escrow"].as_str().unwrap_or_default();
			text.parse::<Balance>().expect("it is an amount")
		};
		let (first, last) = (&lines[0], &lines[lines.len() - 1]);
		assert!(served(first), "a deal is shown as it stands: {first}");
		assert!(escrow(last) > escrow(first) + 9 * FLT, "{lines:?}");

		let stranger = ["deal", "watch", "999"];
		let ran = self.tool("//Dave", MINUTE, &stranger).await;
		assert_eq!(ran.error(), (4, "deal_unknown".into()), "{ran:?}");
	}

	/// The lines that the tool writes while it watches a deal: each is an object about it, unlike the
	/// one before.
	async fn watch(&self, deal: DealId, more: &[&str]) -> Vec<Value> {
		let id = deal.to_string();
		let watch = [&["deal", "watch", &id][..], more].concat();
		let ran = self.tool("//Dave", EPOCHS, &watch).await.succeeded();
		let text = String::from_utf8(ran.stdout).expect("it is text");
		let lines: Vec<Value> = text
			.lines()
			.map(|line| serde_json::from_str(line).expect("each line is JSON"))
			.collect();
		assert!(!lines.is_empty(), "{}", ran.stderr);
		assert!(lines.iter().all(|line| line["id"] == deal), "{lines:?}");
		assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "{lines:?}");
		lines
	}

	/// A stranger adds to the escrow while the deal is followed.
	async fn tops_up(&self, deal: DealId) {
		sleep(PAUSE).await;
		let call = calls::market::top_up(deal, 10 * FLT);
		let outcome = self.network.chain.submit(&account("//Ferdie"), call).await;
		outcome.expect("anybody may add to it");
	}

	/// Whoever has done everything is told of nothing that the worker does by itself; whoever has done
	/// nothing is told where to begin.
	async fn providers_are_told_what_to_do(&self) {
		let status = ["provider", "status"];
		let told = self.tool("//Bob", MINUTE, &status).await.succeeded().json();
		let step = |code: &str| {
			let steps = told["next"].as_array().expect("steps are listed");
			steps.iter().find(|step| step["code"] == code).cloned()
		};
		// The commitments of tests are short.
		let extend = step("ends_soon").unwrap_or_else(|| panic!("{told}"));
		assert_eq!(extend["peer"], json!(self.provider.peers[0].id()), "{told}");
		let command = extend["command"].as_str().unwrap_or_default();
		assert!(command.starts_with("millrace peer extend 0x"), "{told}");
		for code in [
			"not_registered",
			"no_peer",
			"no_commitment",
			"no_offer",
			"silent",
		] {
			assert_eq!(step(code), None, "{told}");
		}

		let told = self.tool("//Eve", MINUTE, &status).await.succeeded().json();
		let codes: Vec<&Value> = told["next"]
			.as_array()
			.expect("steps are listed")
			.iter()
			.map(|step| &step["code"])
			.collect();
		assert_eq!(codes, [&json!("not_registered")], "{told}");
	}
}

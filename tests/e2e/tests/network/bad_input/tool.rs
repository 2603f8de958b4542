//! Modules that cannot run, and wrong use of the tool.

use super::{Scene, ELEVENS, MINUTE};
use millrace_e2e::{command::millrace, guests};
use millrace_primitives::{execution::MAX_PACKAGE_BYTES, H256};

/// Modules that cannot run, at the gateway and in the tool.
pub(super) async fn packages_are_refused(scene: &Scene) {
	let packages = format!("{}/packages", scene.gateway.url);
	let http = &scene.network.http;
	let cut = {
		let mut whole = guests::odd();
		whole.truncate(whole.len() - 10);
		whole
	};
	for (name, module) in [
		("text", b"this is no module".to_vec()),
		("cut", cut),
		("import", guests::with_a_forbidden_import()),
		("library", guests::without_start()),
		("memory", guests::with_pages(4_000)),
	] {
		let answer = http
			.put(&packages, module.clone())
			.await
			.expect("the gateway answers");
		assert_eq!(answer.error(), (422, "package_invalid".into()), "{name}");
		let file = scene.file(&format!("{name}.wasm"), &module);
		scene
			.tool_fails(&["package", "validate", &file], 1, "package_invalid")
			.await;
		scene
			.tool_fails(&["package", "upload", &file], 1, "package_invalid")
			.await;
		scene
			.tool_fails(&["run", &file], 1, "package_invalid")
			.await;
	}
	let module = guests::with_a_forbidden_import();
	let answer = http
		.put(&packages, module)
		.await
		.expect("the gateway answers");
	let message = answer.json()["error"]["message"].to_string();
	assert!(
		message.contains("env.socket_open"),
		"the import is named: {message}"
	);

	let large = vec![0; MAX_PACKAGE_BYTES as usize + 1];
	let answer = http
		.put(&packages, large.clone())
		.await
		.expect("the gateway answers");
	assert_eq!(answer.error(), (413, "body_too_large".into()));
	let file = scene.file("large.wasm", &large);
	scene
		.tool_fails(&["package", "validate", &file], 1, "package_invalid")
		.await;

	let unknown = format!("{:?}", H256::repeat_byte(0x11));
	let found = scene.get(&format!("{packages}/{unknown}")).await;
	assert_eq!(found, (404, "package_unknown".into()));
	assert_eq!(
		scene.get(&format!("{packages}/0x11")).await,
		(400, "bad_request".into())
	);
	let out = scene.file("none.wasm", b"");
	let download = ["package", "download", &unknown, "--out", &out];
	scene.tool_fails(&download, 4, "package_unknown").await;
}

/// Wrong use of the tool, and guests that fail in it.
pub(super) async fn the_tool_refuses(scene: &Scene) {
	let order = [
		"deal",
		"create",
		"--package-hash",
		ELEVENS,
		"--package-size",
		"8",
		"--price",
	];
	let with = |rest: &[&'static str]| [&order[..], rest].concat();
	scene.tool_fails(&with(&["1 FLT"]), 2, "no_key").await;
	let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
	for key in ["nonsense", phrase, ELEVENS] {
		let ran = scene.tool(&with(&["1 FLT", "--key", key])).await;
		assert_eq!(ran.error(), (2, "bad_key".into()), "{key}: {ran:?}");
		let told = [&ran.stderr, &ran.json().to_string()].map(|text| text.contains(key));
		assert_eq!(
			told,
			[key == "nonsense"; 2],
			"no secret is repeated: {ran:?}"
		);
	}
	let ran = scene.tool(&with(&["1", "--key", "//Eve"])).await;
	let wrong_use = (2, "bad_usage".into());
	assert_eq!(ran.error(), wrong_use, "an amount needs its unit: {ran:?}");
	assert!(ran.stderr.contains("FLT"), "{ran:?}");
	scene
		.tool_fails(&["package", "hash", "there-is-none"], 2, "file_unreadable")
		.await;
	scene
		.tool_fails(&["deal", "show", "999"], 4, "deal_unknown")
		.await;
	scene
		.tool_fails(&["invoke", "999"], 4, "deal_unknown")
		.await;
	scene
		.tool_fails(
			&["deal", "list", "--config", "none.toml"],
			2,
			"config_missing",
		)
		.await;
	let misspelt = scene.file("misspelt.toml", b"nodes = \"ws://127.0.0.1:1\"\n");
	scene
		.tool_fails(&["deal", "list", "--config", &misspelt], 2, "bad_config")
		.await;
	scene.tool_fails(&["worker", "run"], 2, "bad_config").await;
	let order = scene.file("order.toml", b"price = \"1 FLT\"\nwrokers = 2\n");
	let from = ["deal", "create", "--from", &order];
	scene.tool_fails(&from, 2, "bad_order").await;
	let bare = scene.file("bare.toml", b"price = \"1 FLT\"\n");
	let from = ["deal", "quote", "--from", &bare];
	scene.tool_fails(&from, 2, "no_package").await;
	let unread = ["deal", "quote", "--from", "none.toml"];
	scene.tool_fails(&unread, 2, "file_unreadable").await;
	let folder = scene.network.folder();
	let no_node = ["--json", "--node", "ws://127.0.0.1:1", "deal", "list"];
	let ran = millrace(folder, MINUTE, no_node).await;
	assert_eq!(ran.error(), (5, "node_unreachable".into()), "{ran:?}");
	let no_gateway = ["--json", "--gateway", "http://127.0.0.1:1", "invoke", "0"];
	let ran = millrace(folder, MINUTE, no_gateway).await;
	assert_eq!(ran.error(), (5, "unreachable".into()), "{ran:?}");

	let odd = scene.file("odd.wasm", &guests::odd());
	for (letter, code) in [
		("t", "guest_trapped"),
		("g", "guest_out_of_gas"),
		("s", "guest_stack_overflow"),
		("e", "response_too_large"),
		("q", "guest_failed"),
	] {
		let input = scene.file(&format!("{letter}.txt"), letter.as_bytes());
		let run = [
			"run",
			&odd,
			"--input",
			&input,
			"--gas",
			"50000000",
			"--response",
			"64",
		];
		let ran = scene.tool(&run).await;
		assert_eq!(ran.error(), (1, code.into()), "{letter}: {ran:?}");
		let told = ran.json();
		assert!(told["gas"].as_u64() > Some(0), "{letter}: {told}");
		if letter == "q" {
			assert_eq!(told["stderr"], "this guest gives up\n");
		}
	}
	let pages = scene.file("pages.wasm", &guests::with_pages(32));
	scene
		.tool_fails(&["run", &pages, "--memory", "1"], 1, "guest_trapped")
		.await;
	scene
		.tool(&["run", &pages, "--memory", "2"])
		.await
		.succeeded();
}

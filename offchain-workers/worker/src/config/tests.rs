//! What is read, and what is refused.

use super::*;
use millrace_prover::{Mode, Pages, Pin};
use serde_json::{json, Value};
use tokio::sync::Semaphore;

/// The least that must be said, and these tables.
fn config(tables: Value) -> Result<WorkerConfig, serde_json::Error> {
	let mut config = json!({"data_dir": "d", "peer_key": "p"});
	if let (Some(config), Value::Object(tables)) = (config.as_object_mut(), tables) {
		config.extend(tables);
	}
	serde_json::from_value(config)
}

fn refusal(tables: Value) -> String {
	let config = config(tables).expect("it is well-formed");
	let error = config.check().expect_err("it cannot be meant");
	error.to_string()
}

#[test]
fn the_least_that_must_be_said() {
	let config = config(json!({})).expect("two fields are enough");
	assert_eq!(config.packages(), PathBuf::from("d/packages"));
	assert_eq!(config.node_url, "ws://127.0.0.1:9944");
	assert_eq!(config.prover, Settings::default());
	assert_eq!(config.prover.mode, Mode::Auto);
	assert!(config.limits.concurrent_calls > 0);
	assert_eq!(config.check(), Ok(()));
}

#[test]
fn every_key_of_the_prover_is_taken_and_no_other_one() {
	let keys = json!({"mode": "fast", "cores": "0", "threads": 3, "pin": "never",
		"pages": "ordinary", "nice": 5});
	let config = config(json!({ "prover": keys })).expect("all are keys");
	assert_eq!(
		config.prover,
		Settings {
			mode: Mode::Fast,
			cores: Cores::Set([0].into()),
			threads: Some(3),
			pin: Pin::Never,
			pages: Pages::Ordinary,
			nice: 5,
		}
	);
	for wrong in [
		json!({"core": "0"}),
		json!({"cores": ""}),
		json!({"pages": "huge"}),
	] {
		assert!(self::config(json!({ "prover": wrong })).is_err());
	}
}

#[test]
fn receipts_are_kept_until_their_epoch_is_audited() {
	let check = |epochs: u32| {
		let config = config(json!({"limits": {"retention_epochs": epochs}}));
		config.expect("it is well-formed").check()
	};
	assert_eq!(check(2), Ok(()));
	assert_eq!(check(1), Err(ConfigError::Retention(1)));
	let text = ConfigError::Retention(0).to_string();
	assert!(text.contains("limits.retention_epochs is 0"), "{text}");
	assert!(text.contains("at least 2"), "{text}");
}

#[test]
fn every_number_has_bounds_that_are_told() {
	let written = serde_json::to_value(Limits::default()).expect("it can be written");
	let written = written.as_object().expect("it is a table");
	let numbers = Limits::default().numbers();
	// No number of the table is without bounds.
	let keys: Vec<&String> = written
		.iter()
		.filter(|(_, value)| value.is_number())
		.map(|(key, _)| key)
		.collect();
	assert_eq!(keys.len(), numbers.len(), "{keys:?}");
	for (key, value, bounds) in numbers {
		let name = key
			.strip_prefix("limits.")
			.expect("it is one of the limits");
		assert_eq!(written[name].as_u64(), Some(value), "{key}");
		let least = *bounds.start();
		let mut wrong = vec![bounds.end() + 1];
		wrong.extend(least.checked_sub(1));
		for value in wrong {
			let text = refusal(json!({"limits": {name: value}}));
			assert!(text.contains(&format!("{key} is {value}")), "{text}");
			assert!(text.contains(&least.to_string()), "{text}");
		}
		// What would bring a semaphore down never gets there.
		let permits = Semaphore::MAX_PERMITS as u64 + 1;
		let text = match config(json!({"limits": {name: permits}})) {
			Ok(config) => config.check().map_err(|error| error.to_string()),
			Err(error) => Err(error.to_string()),
		};
		let text = text.expect_err("it is too much");
		assert!(text.contains(&bounds.end().to_string()), "{text}");
		for value in [least, *bounds.end()] {
			let config = config(json!({"limits": {name: value}})).expect("well-formed");
			assert_eq!(config.check(), Ok(()), "{key} = {value}");
		}
	}
	for (table, said) in [
		(
			json!({"threads": 0}),
			"prover.threads is 0; it must be from 1 to 1024",
		),
		(
			json!({"threads": 1_025}),
			"prover.threads is 1025; it must be from 1 to 1024",
		),
		(
			json!({"nice": -21}),
			"prover.nice is -21; it must be from -20 to 19",
		),
		(
			json!({"nice": 20}),
			"prover.nice is 20; it must be from -20 to 19",
		),
	] {
		assert_eq!(refusal(json!({ "prover": table })), said);
	}
}

#[test]
fn what_can_only_be_a_mistake_is_refused_with_what_to_do() {
	let folder = tempfile::tempdir().expect("a directory");
	let file = folder.path().join("file");
	std::fs::write(&file, "").expect("a file");
	for (tables, said) in [
		(
			json!({"node_url": "127.0.0.1:9944"}),
			"such as ws://127.0.0.1:9944",
		),
		(
			json!({"node_url": "http://127.0.0.1:9944"}),
			"such as ws://",
		),
		(json!({"node_url": ""}), "node_url is \"\""),
		(
			json!({"public_endpoint": "203.0.113.7:8650"}),
			"write http://host:port",
		),
		(
			json!({"public_endpoint": "http://host/?query"}),
			"leave out",
		),
		(json!({"data_dir": ""}), "data_dir is \"\": it is empty"),
		(json!({"data_dir": file}), "no directory; name a directory"),
		(json!({"package_dir": file}), "package_dir"),
		(
			json!({"prover": {"cores": "1023"}}),
			"prover.cores names 1023",
		),
	] {
		let text = refusal(tables);
		assert!(text.contains(said), "{text}");
	}
	for url in ["ws://node:1", "wss://node.example/path"] {
		let config = config(json!({ "node_url": url })).expect("well-formed");
		assert_eq!(config.check(), Ok(()), "{url}");
	}
}

#[test]
fn guests_run_in_processes_unless_told_otherwise() {
	let least = config(json!({})).expect("it is well-formed");
	assert_eq!(least.sandbox.mode, SandboxMode::Process);
	assert_eq!((least.sandbox.program, least.watch), (None, None));
	let off = config(json!({"sandbox": {"mode": "off", "program": "/nowhere"}}));
	assert_eq!(off.expect("it is well-formed").check(), Ok(()));
	let text = refusal(json!({"sandbox": {"program": "/nowhere/millrace-guest"}}));
	assert!(text.contains("/nowhere/millrace-guest"), "{text}");
	assert!(text.contains("mode = \"off\""), "{text}");
	let text = refusal(json!({"sandbox": {"idle_ms": 0}}));
	assert_eq!(text, "sandbox.idle_ms is 0; it must be from 1 to 86400000");
	assert!(config(json!({"sandbox": {"mode": "none"}})).is_err());
	assert!(config(json!({"sandbox": {"idle": 3}})).is_err());
}

#[test]
fn memory_for_guests_holds_one_at_least() {
	let text = refusal(json!({"limits": {"guest_memory_bytes": 134_217_727}}));
	assert!(
		text.contains("limits.guest_memory_bytes is 134217727"),
		"{text}"
	);
	assert!(text.contains("from 134217728 to"), "{text}");
	let most = config(json!({"limits": {"guest_memory_bytes": 134_217_728}}));
	assert_eq!(most.expect("it is well-formed").check(), Ok(()));
}

#[test]
fn a_watcher_has_a_directory_of_its_own() {
	let config = config(json!({"watch": {"account": "k"}})).expect("it is well-formed");
	let watch = config.watch().expect("it is asked for");
	assert_eq!(watch.data_dir, PathBuf::from("d/watch"));
	assert_eq!(config.check(), Ok(()));
	assert!(refusal(json!({"watch": {"account": ""}})).contains("watch.account"));
}

#[test]
fn links_into_the_own_network_are_not_followed_unless_asked_for() {
	assert!(!Limits::default().allow_private_links);
}

#[test]
fn a_misspelt_field_is_an_error() {
	assert!(config(json!({"limits": {"queue": 3}})).is_err());
	assert!(config(json!({"nodes": "ws://node:1"})).is_err());
}

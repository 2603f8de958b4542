//! Compiled modules that are kept on disk.

mod common;

use common::{command, limits, request, PLENTY};
use millrace_executor::{CallInput, CallOutput, Engine, EngineConfig};
use millrace_primitives::H256;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder with room for everything that these tests make.
const PLENTY_OF_ROOM: u64 = 1 << 30;

fn config(folder: &Path, cache_bytes: u64) -> EngineConfig {
	EngineConfig {
		max_concurrent_calls: 1,
		cache_folder: Some(folder.to_owned()),
		cache_bytes,
		..EngineConfig::default()
	}
}

/// A module that exits with this code.
fn module(code: u32) -> Vec<u8> {
	let text = command(&format!("(call $proc_exit (i32.const {code}))"));
	wat::parse_str(text).expect("the test's module is well-formed")
}

/// Runs a module in an engine of its own, whose memory is empty.
fn run(config: EngineConfig, module: &[u8]) -> CallOutput {
	// Times of change on disk are coarse.
	std::thread::sleep(Duration::from_millis(30));
	let engine = Engine::new(config).expect("the engine can be set up");
	let module = engine.load(module).expect("the test's module can run");
	let input = CallInput {
		request: &request(b""),
		limits: limits(PLENTY),
		clock_ms: 0,
		seed: H256::zero(),
	};
	engine
		.call(&module, &input)
		.expect("the host does its part")
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
	std::fs::read_dir(folder)
		.expect("the folder is there")
		.map(|entry| entry.expect("it can be read").path())
		.collect()
}

/// The one file that is in the folder besides these.
fn added(folder: &Path, known: &[&PathBuf]) -> PathBuf {
	let all = files(folder);
	let new: Vec<_> = all.iter().filter(|file| !known.contains(file)).collect();
	let [file] = new[..] else {
		panic!("one new file, not {new:?}")
	};
	file.clone()
}

#[test]
fn what_is_compiled_is_known_by_the_code_that_was_compiled() {
	let folder = tempfile::tempdir().expect("a folder");
	let config = config(folder.path(), PLENTY_OF_ROOM);
	let plain = module(3);
	// Another package by its hash, but the instrumentation drops what differs.
	let mut noted = plain.clone();
	noted.extend([0, 5, 4, b'n', b'o', b't', b'e']);
	let one = run(config.clone(), &plain);
	assert_eq!(run(config.clone(), &noted).status, one.status);
	assert_eq!(files(folder.path()).len(), 1);
	assert_ne!(run(config, &module(4)).status, one.status);
	assert_eq!(files(folder.path()).len(), 2);
}

#[test]
fn what_was_not_used_for_longest_makes_room() {
	let folder = tempfile::tempdir().expect("a folder");
	let path = folder.path();
	let wide = config(path, PLENTY_OF_ROOM);
	run(wide.clone(), &module(1));
	let first = added(path, &[]);
	run(wide.clone(), &module(2));
	let second = added(path, &[&first]);
	// Used again, so the second one is now the older.
	run(wide, &module(1));
	let size = std::fs::metadata(&first).expect("it is there").len();
	let narrow = config(path, size * 5 / 2);
	let stale = path.join("0.1.0.new");
	std::fs::write(&stale, b"cut short").expect("the folder is writable");
	let long_ago = std::time::SystemTime::now() - Duration::from_secs(7_200);
	std::fs::File::options()
		.write(true)
		.open(&stale)
		.and_then(|file| file.set_modified(long_ago))
		.expect("its time can be set");
	run(narrow, &module(3));
	assert!(first.exists() && !second.exists());
	assert!(!stale.exists(), "a draft that nobody writes any more");
	assert_eq!(files(path).len(), 2);
}

#[test]
fn the_module_in_use_stays_whatever_its_size() {
	let folder = tempfile::tempdir().expect("a folder");
	for code in 1..4 {
		run(config(folder.path(), 1), &module(code));
		assert_eq!(files(folder.path()).len(), 1, "{code}");
	}
	// And it is the last one: it is read, not made again.
	let file = added(folder.path(), &[]);
	let made = std::fs::read(&file).expect("it can be read");
	run(config(folder.path(), 1), &module(3));
	assert_eq!(std::fs::read(&file).expect("it is still there"), made);
}

//! Compiled modules that are kept on disk.

mod common;

use common::{command, limits, request, PLENTY};
use millrace_executor::{archive, ArtifactFolder, CallInput, CallOutput, Engine, EngineConfig};
use millrace_primitives::execution::{package_hash, CallStatus};
use millrace_primitives::market::Hosts;
use millrace_primitives::H256;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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

fn call(engine: &Engine, package: &[u8]) -> CallOutput {
	let module = engine.load(package).expect("the test's module can run");
	let input = CallInput {
		request: &request(b""),
		limits: limits(PLENTY),
		hosts: &Hosts::default(),
		clock_ms: 0,
		seed: H256::zero(),
	};
	engine
		.call(&module, &input)
		.expect("the host does its part")
}

/// Runs a module in an engine of its own, whose memory is empty. Says how many it compiled.
fn run(config: EngineConfig, package: &[u8]) -> (CallOutput, u64) {
	// Times of change on disk are coarse.
	std::thread::sleep(Duration::from_millis(30));
	let engine = Engine::new(config).expect("the engine can be set up");
	let output = call(&engine, package);
	(output, engine.compiled())
}

fn files(folder: &Path) -> BTreeSet<PathBuf> {
	std::fs::read_dir(folder)
		.expect("the folder is there")
		.map(|entry| entry.expect("it can be read").path())
		.collect()
}

/// The one module that is in the folder besides these: its `.meta`.
fn added(folder: &Path, known: &[&PathBuf]) -> PathBuf {
	let all = files(folder);
	let new: Vec<_> = all
		.iter()
		.filter(|file| {
			file.extension()
				.is_some_and(|extension| extension == "meta")
		})
		.filter(|file| !known.contains(file))
		.collect();
	let [file] = new[..] else {
		panic!("one new module, not {new:?}")
	};
	file.clone()
}

#[test]
fn what_was_compiled_once_is_not_compiled_again() {
	let folder = tempfile::tempdir().expect("a folder");
	let config = config(folder.path(), PLENTY_OF_ROOM);
	let (first, compiled) = run(config.clone(), &module(3));
	assert_eq!((first.status, compiled), (CallStatus::Exited(3), 1));
	let again = run(config.clone(), &module(3));
	assert_eq!(again, (first.clone(), 0));
	// In memory it is found without a look at the folder.
	let engine = Engine::new(config).expect("the engine can be set up");
	call(&engine, &module(3));
	for file in files(folder.path()) {
		std::fs::remove_file(file).expect("the folder is writable");
	}
	assert_eq!(call(&engine, &module(3)), first);
	assert_eq!(engine.compiled(), 0);
}

#[test]
fn another_package_is_another_module_whatever_its_code() {
	let folder = tempfile::tempdir().expect("a folder");
	let config = config(folder.path(), PLENTY_OF_ROOM);
	let plain = module(3);
	let mut noted = plain.clone();
	noted.extend([0, 5, 4, b'n', b'o', b't', b'e']);
	assert_eq!(run(config.clone(), &plain).1, 1);
	assert_eq!(run(config, &noted).1, 1);
	assert_eq!(files(folder.path()).len(), 4);
}

#[test]
fn damage_is_noticed_and_made_good() {
	let folder = tempfile::tempdir().expect("a folder");
	let config = config(folder.path(), PLENTY_OF_ROOM);
	let (first, _) = run(config.clone(), &module(3));
	let meta = added(folder.path(), &[]);
	for file in [meta.with_extension("cwasm"), meta.clone()] {
		let whole = std::fs::read(&file).expect("it can be read");
		let mut damages = vec![whole[..whole.len() - 1].to_vec(), Vec::new()];
		for at in [0, whole.len() / 2, whole.len() - 1] {
			let mut damaged = whole.clone();
			damaged[at] ^= 1;
			damages.push(damaged);
		}
		for damaged in damages {
			std::fs::write(&file, damaged).expect("the folder is writable");
			assert_eq!(run(config.clone(), &module(3)), (first.clone(), 1));
			assert_eq!(run(config.clone(), &module(3)), (first.clone(), 0));
		}
		std::fs::remove_file(&file).expect("the folder is writable");
		assert_eq!(run(config.clone(), &module(3)), (first.clone(), 1));
	}
}

#[test]
fn another_engine_does_not_take_it() {
	let folder = tempfile::tempdir().expect("a folder");
	let one = config(folder.path(), PLENTY_OF_ROOM);
	let other = EngineConfig {
		max_wall_clock: Some(Duration::from_secs(60)),
		..one.clone()
	};
	let engines = [&one, &one, &other]
		.map(|config| Engine::new(config.clone()).expect("the engine can be set up"));
	let names = [0, 1, 2].map(|index: usize| engines[index].compatibility());
	assert_eq!(names[0], names[1]);
	assert_ne!(names[0], names[2]);
	assert_eq!(run(one.clone(), &module(3)).1, 1);
	assert_eq!(run(other.clone(), &module(3)).1, 1);
	assert_eq!(run(one, &module(3)).1, 0);
	assert_eq!(run(other, &module(3)).1, 0);
}

#[test]
fn a_module_is_opened_from_its_file_with_the_packages_files() {
	let folder = tempfile::tempdir().expect("a folder");
	let engine = Engine::new(EngineConfig::default()).expect("the engine can be set up");
	let package = archive::attach(&module(5), &[("a".to_owned(), b"content".to_vec())])
		.expect("the file goes in");
	let hash = package_hash(&package);
	let kept = ArtifactFolder::open(folder.path().join("below"), PLENTY_OF_ROOM, &engine)
		.expect("the folder is made");
	assert!(kept.find(&hash).is_none());
	let artifact = engine.prepare(&package).expect("the package can run");
	assert_eq!(artifact.info.files, 1);
	kept.keep(&hash, &artifact).expect("the folder is writable");

	let (found, code) = kept.find(&hash).expect("it was kept");
	assert_eq!(found.info, artifact.info);
	assert_eq!(found.files, artifact.files);
	assert!(found.code.is_empty());
	// SAFETY: the file was just made by this engine.
	let module = unsafe { engine.open(found, code) }.expect("it is whole");
	let input = CallInput {
		request: &request(b""),
		limits: limits(PLENTY),
		hosts: &Hosts::default(),
		clock_ms: 0,
		seed: H256::zero(),
	};
	let output = engine
		.call(&module, &input)
		.expect("the host does its part");
	assert_eq!(output.status, CallStatus::Exited(5));
	assert_eq!(engine.compiled(), 1);
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
	let length = |file: &Path| std::fs::metadata(file).expect("it is there").len();
	let size = length(&first) + length(&first.with_extension("cwasm"));
	let narrow = config(path, size * 5 / 2);
	let stale = [path.join("0.1.0.new"), path.join("0.cwasm")];
	let fresh = [path.join("1.1.0.new"), path.join("1.cwasm")];
	let long_ago = SystemTime::now() - Duration::from_secs(7_200);
	for file in stale.iter().chain(&fresh) {
		std::fs::write(file, b"cut short").expect("the folder is writable");
	}
	for file in &stale {
		std::fs::File::options()
			.write(true)
			.open(file)
			.and_then(|file| file.set_modified(long_ago))
			.expect("its time can be set");
	}
	run(narrow, &module(3));
	assert!(first.exists() && first.with_extension("cwasm").exists());
	assert!(!second.exists() && !second.with_extension("cwasm").exists());
	assert!(
		stale.iter().all(|file| !file.exists()),
		"what nobody writes any more"
	);
	assert!(
		fresh.iter().all(|file| file.exists()),
		"what somebody may be writing"
	);
	assert_eq!(files(path).len(), 2 * 2 + fresh.len());
}

#[test]
fn the_module_in_use_stays_whatever_its_size() {
	let folder = tempfile::tempdir().expect("a folder");
	for code in 1..4 {
		run(config(folder.path(), 1), &module(code));
		assert_eq!(files(folder.path()).len(), 2, "{code}");
	}
	// And it is the last one: it is read, not made again.
	assert_eq!(run(config(folder.path(), 1), &module(3)).1, 0);
	// Nothing is in use where nothing is being kept.
	let engine = Engine::new(EngineConfig::default()).expect("the engine can be set up");
	let kept = ArtifactFolder::open(folder.path(), 1, &engine).expect("the folder is there");
	kept.prune().expect("the folder is writable");
	assert!(files(folder.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_made_is_said_at_once() {
	let folder = tempfile::tempdir().expect("a folder");
	let file = folder.path().join("file");
	std::fs::write(&file, b"").expect("the folder is writable");
	let error = Engine::new(config(&file.join("below"), 1)).expect_err("there is a file");
	assert!(error.to_string().contains("file/below"), "{error}");
}

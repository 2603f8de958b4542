//! Where the programs and the sample functions are.

use std::{path::PathBuf, time::UNIX_EPOCH};

/// The node.
pub fn node() -> PathBuf {
	built("millrace-node")
}

/// A folder for what one test makes and others take: it is there for as long as the node is the same.
pub fn kept() -> PathBuf {
	let node = node();
	let seen = node.metadata().expect("it is there");
	let made = seen.modified().expect("files have times");
	let made = made.duration_since(UNIX_EPOCH).expect("it is no older");
	let all = node.with_file_name("e2e-kept");
	let own = all.join(format!("{}-{}", seen.len(), made.as_nanos()));
	if !own.is_dir() {
		// What nodes had which are there no more.
		for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
			if old.path() != own {
				let _ = std::fs::remove_dir_all(old.path());
			}
		}
		std::fs::create_dir_all(&own).expect("the folder of the programs is writable");
	}
	own
}

/// The command line tool, which is worker and gateway too.
pub fn millrace() -> PathBuf {
	built("millrace")
}

/// The anchor for development.
pub fn embedded_anchor() -> PathBuf {
	built("millrace-embedded-anchor")
}

/// A program that cheats: `liar`, `proxy` or `challenger`.
pub fn adversary(name: &str) -> PathBuf {
	built(name)
}

/// A sample function, such as `thumbnail`.
pub fn guest(name: &str) -> PathBuf {
	present(
		tests().join("guests/out").join(format!("{name}.wasm")),
		"scripts/guests.sh builds the sample functions",
	)
}

/// The package whose calls take the judge longest for their gas, as a search found it.
pub fn worst_package() -> PathBuf {
	present(
		tests().join("differential/worst.wat"),
		"it is part of the repository",
	)
}

/// A sample input.
pub fn sample(name: &str) -> PathBuf {
	present(
		tests().join("guests/samples").join(name),
		"it is part of the repository",
	)
}

/// The runtime of the next version, in Wasm and compressed: what an upgrade sets.
pub fn next_runtime() -> PathBuf {
	let path = millrace_upgrade::WASM_BINARY_PATH.unwrap_or_default();
	present(path.into(), "it is built unless SKIP_WASM_BUILD is set")
}

/// The folder of everything.
pub fn repository() -> PathBuf {
	let tests = tests();
	tests.parent().map(PathBuf::from).unwrap_or(tests)
}

/// The folder of all tests.
pub fn tests() -> PathBuf {
	// Where the test runs, not where it was built: checkouts may share a target folder.
	let own = std::env::var_os("CARGO_MANIFEST_DIR");
	let own = own.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
	own.parent().map(PathBuf::from).unwrap_or(own)
}

fn built(name: &str) -> PathBuf {
	let own = std::env::current_exe().expect("a process knows its own program");
	// The test is in `deps` beside the programs.
	let folder = own.ancestors().nth(2).expect("programs lie in folders");
	present(
		folder.join(name),
		"run scripts/test.sh, or cargo build --release --workspace --bins",
	)
}

fn present(path: PathBuf, remedy: &str) -> PathBuf {
	assert!(path.is_file(), "{} is missing: {remedy}", path.display());
	path
}

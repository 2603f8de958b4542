//! Programs with the library that most Substrate clients are built with.

use millrace_e2e::{binaries, npm};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Where the programs are.
pub(crate) fn source() -> PathBuf {
	binaries::tests().join("e2e/polkadot_js")
}

/// Puts a program into a folder, with all that it imports.
pub(crate) async fn install(folder: &Path, program: &str) {
	npm::install(&source(), &[program], folder).await;
}

/// Runs a program that must succeed; its standard output.
pub(crate) async fn run(folder: &Path, limit: Duration, arguments: &[&str]) -> String {
	npm::run(folder, limit, "node", arguments, &[]).await
}

//! Programs in JavaScript, with the library that most Substrate clients are built with.

use millrace_e2e::binaries;
use std::{
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Longest installation, over a slow line.
const INSTALLATION: Duration = Duration::from_secs(240);

/// Where the programs are.
pub(crate) fn source() -> PathBuf {
	binaries::tests().join("e2e/polkadot_js")
}

/// Puts a program into a folder, with all that it imports.
pub(crate) async fn install(folder: &Path, program: &str) {
	let source = source();
	for name in ["package.json", "package-lock.json", program] {
		std::fs::copy(source.join(name), folder.join(name))
			.unwrap_or_else(|error| panic!("{name}: {error}"));
	}
	let arguments = [
		"ci",
		"--prefer-offline",
		"--ignore-scripts",
		"--no-audit",
		"--no-fund",
	];
	run(folder, INSTALLATION, "npm", &arguments).await;
}

/// Runs a program that must succeed; its standard output.
pub(crate) async fn run(
	folder: &Path,
	limit: Duration,
	program: &str,
	arguments: &[&str],
) -> String {
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

//! Programs in JavaScript, with what npm installs for them.

use std::{
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};
use tokio::{process::Command, time::timeout};

/// Longest installation, over a slow line.
const INSTALLATION: Duration = Duration::from_secs(240);

/// Puts files of a folder into another one, with all that they import by the lock file among them.
pub async fn install(source: &Path, names: &[&str], folder: &Path) {
	for name in ["package.json", "package-lock.json"].iter().chain(names) {
		copy(&source.join(name), &folder.join(name));
	}
	let arguments = [
		"ci",
		"--prefer-offline",
		"--ignore-scripts",
		"--no-audit",
		"--no-fund",
	];
	run(folder, INSTALLATION, "npm", &arguments, &[]).await;
}

fn copy(source: &Path, target: &PathBuf) {
	let failed = |error| -> ! { panic!("{}: {error}", source.display()) };
	if !source.is_dir() {
		std::fs::copy(source, target).unwrap_or_else(|error| failed(error));
		return;
	}
	std::fs::create_dir_all(target).unwrap_or_else(|error| failed(error));
	for entry in std::fs::read_dir(source).unwrap_or_else(|error| failed(error)) {
		let entry = entry.unwrap_or_else(|error| failed(error));
		copy(&entry.path(), &target.join(entry.file_name()));
	}
}

/// Runs a program that must succeed; its standard output.
pub async fn run(
	folder: &Path,
	limit: Duration,
	program: &str,
	arguments: &[&str],
	environment: &[(&str, &str)],
) -> String {
	let output = Command::new(program)
		.args(arguments)
		.envs(environment.iter().copied())
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

//! Builds the next version's Wasm.

fn main() {
	#[cfg(feature = "std")]
	{
		share_dependencies();
		substrate_wasm_builder::WasmBuilder::build_using_defaults();
	}
}

/// Lets both runtimes be built in one folder, so that what they have in common is compiled once. Where
/// that fails, it is compiled twice.
#[cfg(feature = "std")]
fn share_dependencies() {
	use std::path::PathBuf;

	let out = std::env::var_os("OUT_DIR").map(PathBuf::from);
	// OUT_DIR is `<profile>/build/<package>-<hash>/out`; the builder works beside `build`.
	let Some(profile) = out.as_deref().and_then(|out| out.ancestors().nth(3)) else {
		return;
	};
	let wasm = profile.join("wbuild");
	let (ours, theirs) = (wasm.join("millrace-upgrade"), wasm.join("millrace-runtime"));
	for folder in [&ours, &theirs.join("target")] {
		if std::fs::create_dir_all(folder).is_err() {
			return;
		}
	}
	// If it is there already, it stays.
	#[cfg(unix)]
	let _ = std::os::unix::fs::symlink("../millrace-runtime/target", ours.join("target"));
}

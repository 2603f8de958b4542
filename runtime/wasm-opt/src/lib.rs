//! # What the runtime's builder asks of wasm-opt
//!
//! The builder of SDK runtimes runs Binaryen's `wasm-opt` at level 0, to take debug information out of a module and to
//! replace instructions that are newer than WebAssembly's first version. To build Binaryen takes eight minutes of two
//! cores. Rust's target `wasm32v1-none` emits no such instructions, so only sections are left to take out: that is done
//! here, and a module that states newer features is refused. See `docs/decisions/0086-the-runtime-is-built-without-binaryen.md`.

mod sections;

use std::{fmt, fs, io, path::Path};

/// What to do with a module. Whatever else the builder asks for holds already.
#[derive(Debug, Default)]
pub struct OptimizationOptions {
	strips_debug_information: bool,
}

/// Passes that the builder asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
	/// Takes sections of debug information out.
	StripDwarf,
	/// Replaces sign extensions. No module that is accepted has any.
	SignextLowering,
}

/// Why a module is not written.
pub enum OptimizationError {
	/// A file cannot be read or written.
	File(io::Error),
	/// It is no module.
	Malformed,
	/// It uses what is newer than WebAssembly's first version.
	Feature(String),
}

impl OptimizationOptions {
	/// Changes nothing but what passes do.
	pub fn new_opt_level_0() -> Self {
		Self::default()
	}

	/// Refuses newer features: always done.
	pub fn mvp_features_only(&mut self) -> &mut Self {
		self
	}

	/// Keeps the names of functions: always done.
	pub fn debug_info(&mut self, _keep: bool) -> &mut Self {
		self
	}

	/// Adds a pass.
	pub fn add_pass(&mut self, pass: Pass) -> &mut Self {
		self.strips_debug_information |= pass == Pass::StripDwarf;
		self
	}

	/// Reads a module, and writes what is left of it.
	pub fn run(
		&self,
		input: impl AsRef<Path>,
		output: impl AsRef<Path>,
	) -> Result<(), OptimizationError> {
		let input = input.as_ref();
		let kept = self.keep(input);
		if kept.is_err() {
			// Where its copy of the compiler's module has not changed, the builder takes what it made of it
			// the last time, or of another one before: so it copies this one again, and asks again.
			let _ = fs::remove_file(input);
		}
		fs::write(output, kept?).map_err(OptimizationError::File)
	}

	fn keep(&self, input: &Path) -> Result<Vec<u8>, OptimizationError> {
		let module = fs::read(input).map_err(OptimizationError::File)?;
		sections::keep(&module, |name| {
			let name = name.strip_prefix(b"reloc.").unwrap_or(name);
			!(self.strips_debug_information && name.starts_with(b".debug_"))
		})
	}
}

impl fmt::Display for OptimizationError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::File(error) => write!(f, "{error}"),
			Self::Malformed => f.write_str("this is no WebAssembly module"),
			Self::Feature(name) => write!(
				f,
				"the module uses {name}, which nodes may not know: build it for wasm32v1-none"
			),
		}
	}
}

/// The builder shows errors so.
impl fmt::Debug for OptimizationError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl std::error::Error for OptimizationError {}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_module_that_is_refused_is_not_found_again() {
		let name = format!("millrace-wasm-opt-{}", std::process::id());
		let path = std::env::temp_dir().join(name);
		fs::write(&path, b"no module").expect("there is room");
		let refused = OptimizationOptions::new_opt_level_0().run(&path, &path);
		assert_eq!(
			refused.map_err(|error| format!("{error:?}")),
			Err("this is no WebAssembly module".into())
		);
		assert!(!path.exists());
	}
}

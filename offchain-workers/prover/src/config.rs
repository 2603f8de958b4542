//! How a prover is set up.

use crate::cores::{Cores, Topology};
use millrace_randomx::Pages;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, ops::RangeInclusive, path::PathBuf};

/// How RandomX is computed. All give the same hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
	/// Fast where its memory is free when an epoch's is filled, else light with a warning.
	#[default]
	Auto,
	/// 256 MiB shared by all threads, ready in about a second; a hash takes several times as long.
	Light,
	/// 2.3 GiB shared by all threads, filled once an epoch by all of them.
	Fast,
}

impl Mode {
	/// Its name in configurations.
	pub fn name(self) -> &'static str {
		match self {
			Self::Auto => "auto",
			Self::Light => "light",
			Self::Fast => "fast",
		}
	}
}

/// Whether a thread stays on one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
	/// Where every core that is searched on has its own thread.
	#[default]
	Auto,
	/// Always.
	Always,
	/// Never.
	Never,
}

/// What [`crate::Prover::start`] needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProverConfig {
	/// Directory of the solutions; created when it is missing.
	pub dir: PathBuf,
	/// How it searches.
	pub settings: Settings,
}

/// How a prover searches: the `[prover]` section of a worker's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
	/// How RandomX is computed.
	pub mode: Mode,
	/// Cores to search on.
	pub cores: Cores,
	/// Threads that search, where it is not one for each core. With another number than cores
	/// nothing is pinned, unless `pin` says so.
	pub threads: Option<usize>,
	/// Whether a thread stays on one core.
	pub pin: Pin,
	/// Best pages to take memory from; lower ones follow.
	pub pages: Pages,
	/// What is added to the niceness of the process: calls of deals go first.
	pub nice: i32,
}

impl Default for Settings {
	fn default() -> Self {
		Self {
			mode: Mode::default(),
			cores: Cores::default(),
			threads: None,
			pin: Pin::default(),
			pages: Pages::Reserved,
			nice: 10,
		}
	}
}

impl Settings {
	/// Bounds of `threads`.
	pub const THREADS: RangeInclusive<usize> = 1..=1_024;
	/// Bounds of `nice`.
	pub const NICE: RangeInclusive<i32> = -20..=19;

	/// Cores that are named although this process may not run on them.
	pub fn foreign_cores(&self) -> BTreeSet<usize> {
		self.cores.foreign_to(&Topology::read())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn read(text: &str) -> Result<Settings, serde_json::Error> {
		serde_json::from_str(text)
	}

	#[test]
	fn nothing_said_is_every_core_in_the_mode_that_fits() {
		let settings = read("{}").expect("every key has a default");
		assert_eq!(settings, Settings::default());
		assert_eq!((settings.mode, settings.nice), (Mode::Auto, 10));
		assert_eq!(
			(settings.cores, settings.pages),
			(Cores::All, Pages::Reserved)
		);
	}

	#[test]
	fn every_key_is_taken_and_no_other_one() {
		let text = r#"{"mode": "fast", "cores": "0-1,4", "threads": 2, "pin": "always",
			"pages": "transparent", "nice": 0}"#;
		let settings = read(text).expect("all are keys");
		assert_eq!(
			settings,
			Settings {
				mode: Mode::Fast,
				cores: Cores::Set(BTreeSet::from([0, 1, 4])),
				threads: Some(2),
				pin: Pin::Always,
				pages: Pages::Transparent,
				nice: 0,
			}
		);
		let written = serde_json::to_string(&settings).expect("it can be written");
		assert_eq!(read(&written).expect("and read"), settings);
		assert!(read(r#"{"thread": 2}"#).is_err());
		assert!(read(r#"{"mode": "quick"}"#).is_err());
	}

	#[test]
	fn a_core_that_no_machine_has_is_foreign() {
		let last = Cores::MOST;
		let named = Settings {
			cores: Cores::Set(BTreeSet::from([last])),
			..Settings::default()
		};
		assert_eq!(named.foreign_cores(), BTreeSet::from([last]));
		assert_eq!(Settings::default().foreign_cores(), BTreeSet::new());
	}
}

//! How a prover is set up.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How RandomX is computed. Both give the same hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
	/// 256 MiB shared by all threads, ready in about a second, about 10 times slower a hash.
	#[default]
	Light,
	/// 2 GiB shared by all threads, built once an epoch by all of them.
	Fast,
}

/// What [`crate::Prover::start`] needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProverConfig {
	/// Directory of the solutions; created when it is missing.
	pub dir: PathBuf,
	/// Threads that search; at least one is started.
	pub threads: usize,
	/// How they compute.
	pub mode: Mode,
}

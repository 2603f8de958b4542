//! The command line.

use sc_cli::{
	BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd,
	ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd,
};

/// Options of the running node, or a subcommand.
#[derive(Debug, clap::Parser)]
pub(crate) struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub(crate) subcommand: Option<Subcommand>,

	/// How to run the node.
	#[clap(flatten)]
	pub(crate) run: RunCmd,
}

/// What the node can do besides running.
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one value per process")]
pub(crate) enum Subcommand {
	/// Generate, inspect and insert keys.
	#[command(subcommand)]
	Key(KeySubcommand),

	/// Write a chain specification, with a bootnode for this node's key.
	BuildSpec(BuildSpecCmd),

	/// Write a chain specification as it is.
	ExportChainSpec(ExportChainSpecCmd),

	/// Execute a block of the database again.
	CheckBlock(CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(ExportBlocksCmd),

	/// Read blocks from a file.
	ImportBlocks(ImportBlocksCmd),

	/// Remove the whole chain from disk.
	PurgeChain(PurgeChainCmd),

	/// Go back by some blocks, at most to the last finalised one.
	Revert(RevertCmd),

	/// Print best and finalised block of the database as JSON.
	ChainInfo(ChainInfoCmd),

	/// Measure the runtime.
	#[cfg(feature = "runtime-benchmarks")]
	#[command(subcommand)]
	Benchmark(Benchmark),
}

/// What can be measured.
#[cfg(feature = "runtime-benchmarks")]
#[derive(Debug, clap::Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one value per process")]
pub(crate) enum Benchmark {
	/// Weights of a pallet's calls and hooks.
	Pallet(frame_benchmarking_cli::PalletCmd),
}

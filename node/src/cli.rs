//! The command line.

use sc_cli::{
	BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd,
	ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd,
};

/// Most subscriptions of one connection where the operator says nothing; the SDK says 1024.
///
/// Our methods serve 256 to all connections together, of which one takes a quarter at most. Clients
/// need fewer: subxt opens one or two and one for each transaction that it watches, polkadot-js two
/// and one for each query that it follows, which are some dozens in a wallet.
const SUBSCRIPTIONS_PER_CONNECTION: &str = "64";

/// Options of the running node, or a subcommand.
#[derive(Debug, clap::Parser)]
#[command(mut_arg("rpc_max_subscriptions_per_connection", |arg| {
	arg.default_value(SUBSCRIPTIONS_PER_CONNECTION)
}))]
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

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	fn subscriptions(arguments: &[&str]) -> u32 {
		let arguments = [&["millrace-node"][..], arguments].concat();
		let params = Cli::parse_from(arguments).run.rpc_params;
		params.rpc_max_subscriptions_per_connection
	}

	#[test]
	fn one_connection_cannot_take_all_subscriptions_unless_the_operator_lets_it() {
		assert_eq!(subscriptions(&["--dev"]), 64);
		let option = "--rpc-max-subscriptions-per-connection=300";
		assert_eq!(subscriptions(&["--dev", option]), 300);
	}
}

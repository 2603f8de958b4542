//! The command line.

use millrace_randomx::{allowed, Code, Options, Pages};
use sc_cli::{
	BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd,
	ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd,
};
use std::path::PathBuf;

/// Most subscriptions of one connection where the operator says nothing; the SDK says 1024.
///
/// Our methods serve 256 to all connections together, of which one takes a quarter at most. Clients
/// need fewer: subxt opens one or two and one for each transaction that it watches, polkadot-js two
/// and one for each query that it follows, which are some dozens in a wallet.
const SUBSCRIPTIONS_PER_CONNECTION: &str = "64";

/// Options of the running node, or a subcommand.
// Offchain indexing is on, which the SDK has off: blocks write the leaves beside the state that proofs
// for the anchor are made of. A gap can never be filled.
#[derive(Debug, clap::Parser)]
#[command(
	mut_arg("rpc_max_subscriptions_per_connection", |arg| {
		arg.default_value(SUBSCRIPTIONS_PER_CONNECTION)
	}),
	mut_arg("indexing_enabled", |arg| arg.default_value("true"))
)]
pub(crate) struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub(crate) subcommand: Option<Subcommand>,

	/// How to run the node.
	#[clap(flatten)]
	pub(crate) run: RunCmd,

	/// How RandomX runs in it.
	#[clap(flatten)]
	pub(crate) randomx: RandomXOptions,

	/// Run the anchor's relayer beside this node, by this configuration: `millrace anchor relay --config
	/// FILE`, which takes its turn among the validators and ends with the node.
	#[arg(long, value_name = "FILE")]
	pub(crate) anchor_relay: Option<PathBuf>,

	/// Keep compiled runtimes in this folder, so that a restart takes seconds less. Whoever can write there
	/// decides what the node runs.
	#[arg(long, value_name = "FOLDER")]
	pub(crate) compiled_runtimes: Option<PathBuf>,
}

/// Options of RandomX, for the running node and for every subcommand that executes blocks.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct RandomXOptions {
	/// Most that RandomX programs may do. Less is done where the system forbids it.
	#[arg(long, value_name = "HOW", value_enum, default_value_t = Programs::Auto, global = true)]
	randomx: Programs,

	/// Best memory pages that RandomX tries to get; lower ones follow.
	#[arg(
		long,
		value_name = "KIND",
		value_enum,
		default_value_t = MemoryPages::Reserved,
		global = true
	)]
	randomx_pages: MemoryPages,
}

/// How RandomX programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Programs {
	/// Whatever is fastest of what the system allows.
	Auto,
	/// Compiled, in memory that is writable and executable at once.
	Compiled,
	/// Compiled, in memory that is never both at once.
	Secure,
	/// Interpreted: seven times slower.
	Interpreted,
}

/// Pages behind RandomX's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum MemoryPages {
	/// What every process gets.
	Ordinary,
	/// Huge ones, if the kernel gives them to whoever asks.
	Transparent,
	/// Huge ones of vm.nr_hugepages.
	Reserved,
}

impl RandomXOptions {
	/// What machines are made by.
	pub(crate) fn options(&self) -> Options {
		let ceiling = match self.randomx {
			Programs::Auto | Programs::Compiled => Code::Compiled,
			Programs::Secure => Code::Secure,
			Programs::Interpreted => Code::Interpreted,
		};
		Options {
			code: allowed().at_most(ceiling),
			pages: match self.randomx_pages {
				MemoryPages::Ordinary => Pages::Ordinary,
				MemoryPages::Transparent => Pages::Transparent,
				MemoryPages::Reserved => Pages::Reserved,
			},
		}
	}
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
	use clap::{CommandFactory, Parser};

	fn parsed(arguments: &[&str]) -> RandomXOptions {
		let arguments = ["millrace-node"]
			.into_iter()
			.chain(arguments.iter().copied());
		Cli::try_parse_from(arguments)
			.expect("the arguments are right")
			.randomx
	}

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn options_of_randomx_are_understood_everywhere() {
		let options = parsed(&["--dev"]);
		assert_eq!(options.randomx, Programs::Auto);
		assert_eq!(options.randomx_pages, MemoryPages::Reserved);
		assert_eq!(options.options().code, allowed());

		let lowered = ["--randomx", "interpreted", "--randomx-pages", "ordinary"];
		let alone = parsed(&lowered);
		let with_subcommand = parsed(&[&["import-blocks"][..], &lowered].concat());
		for options in [alone, with_subcommand] {
			assert_eq!(options.options().code, Code::Interpreted);
			assert_eq!(options.options().pages, Pages::Ordinary);
		}
		assert!(Cli::try_parse_from(["millrace-node", "--randomx", "fast"]).is_err());
	}

	fn indexing(arguments: &[&str]) -> bool {
		let arguments = [&["millrace-node"][..], arguments].concat();
		let params = Cli::parse_from(arguments).run.offchain_worker_params;
		params.indexing_enabled
	}

	#[test]
	fn leaves_are_kept_unless_the_operator_wants_none() {
		assert!(indexing(&["--dev"]));
		assert!(!indexing(&["--dev", "--enable-offchain-indexing=false"]));
	}

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

//! The command line: options that every command has, and the commands.

use crate::{
	commands::{
		anchor::AnchorCommand, deal::DealCommand, gateway::GatewayCommand, gov::GovCommand,
		invoke::InvokeCommand, key::KeyCommand, offer::OfferCommand, package::PackageCommand,
		peer::PeerCommand, prover::ProverCommand, provider::ProviderCommand,
		receipt::ReceiptCommand, rewards::RewardsCommand, run::RunCommand,
		validator::ValidatorCommand, watch::WatchCommand, worker::WorkerCommand,
	},
	dev::{tether::TetherCommand, DevCommand},
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Verifiable compute: sell it, buy it, check it.
///
/// Results go to standard output, everything else to standard error.
///
/// Exit status: 0 done, 1 failed, 2 wrong use, 3 refused by the chain, 4 not found, 5 network,
/// 6 verification failed.
#[derive(Debug, Parser)]
#[command(name = "millrace", version, propagate_version = true)]
pub(crate) struct Cli {
	/// Options that every command has.
	#[command(flatten)]
	pub(crate) global: Global,
	/// What to do.
	#[command(subcommand)]
	pub(crate) command: Command,
}

/// Options that every command has.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Global {
	/// Configuration file: of the daemon for `worker`, `gateway` and `watch`, else of this tool.
	#[arg(long, global = true, value_name = "FILE")]
	pub(crate) config: Option<PathBuf>,
	/// WebSocket URL of a node [default: ws://127.0.0.1:9944].
	#[arg(long, global = true, value_name = "URL")]
	pub(crate) node: Option<String>,
	/// URL of a gateway [default: http://127.0.0.1:8090].
	#[arg(long, global = true, value_name = "URL")]
	pub(crate) gateway: Option<String>,
	/// Signing account: a key file, or a development name such as //Bob. Phrases and seeds are not
	/// taken: `millrace key import` writes them into a file.
	#[arg(long, global = true, value_name = "KEY")]
	pub(crate) key: Option<String>,
	/// Print exactly one JSON object on standard output, {"error": …} if the command fails. Only `deal
	/// watch` prints one a line.
	#[arg(long, global = true)]
	pub(crate) json: bool,
	/// Log as JSON.
	#[arg(long, global = true)]
	pub(crate) log_json: bool,
	/// Log more; twice for everything.
	#[arg(short, long, global = true, action = clap::ArgAction::Count)]
	pub(crate) verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
	/// Generate and inspect keys of accounts and peers.
	#[command(subcommand)]
	Key(KeyCommand),
	/// Register as a provider and see where you stand.
	#[command(subcommand)]
	Provider(ProviderCommand),
	/// Register machines, commit their capacity, settle and withdraw.
	#[command(subcommand)]
	Peer(PeerCommand),
	/// Post, change and withdraw offers, and leave deals with notice.
	#[command(subcommand)]
	Offer(OfferCommand),
	/// Build, hash, validate, upload and download WebAssembly packages.
	#[command(subcommand)]
	Package(PackageCommand),
	/// Quote, create, watch, change and end deals.
	#[command(subcommand)]
	Deal(Box<DealCommand>),
	/// Call a deal through a gateway.
	Invoke(InvokeCommand),
	/// Run a package locally under the workers' engine profile.
	Run(RunCommand),
	/// Show receipts, check them against the chain, and challenge those that are false.
	#[command(subcommand)]
	Receipt(ReceiptCommand),
	/// Run receipts again and challenge those that are false, until it is stopped.
	Watch(WatchCommand),
	/// The provider's daemon: one process for each peer.
	#[command(subcommand)]
	Worker(WorkerCommand),
	/// Validate: keys, where you stand, and how to stop.
	#[command(subcommand)]
	Validator(ValidatorCommand),
	/// Claim developer rewards, build the tree over a list of them, and see how a programme stands.
	#[command(subcommand)]
	Rewards(RewardsCommand),
	/// Parameters, referenda and votes.
	#[command(subcommand)]
	Gov(GovCommand),
	/// Measure the capacity prover on this machine.
	#[command(subcommand)]
	Prover(ProverCommand),
	/// The clients' HTTP door.
	#[command(subcommand)]
	Gateway(GatewayCommand),
	/// The contracts on the chain's anchor, FLT both ways, and the relayer.
	#[command(subcommand)]
	Anchor(Box<AnchorCommand>),
	/// Run the demo: a chain, a provider, a deal, receipts and payment, on this machine.
	Dev(DevCommand),
	/// Become another program that ends with the process that started it.
	#[command(hide = true)]
	Tether(TetherCommand),
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn the_help_says_what_the_exit_status_means() {
		let help = Cli::command().render_long_help().to_string();
		let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
		assert!(
			help.contains("Exit status: 0 done, 1 failed, 2 wrong use, 3 refused by the chain"),
			"{help}"
		);
	}

	#[test]
	fn no_default_is_told_twice() {
		fn look(command: &clap::Command) {
			for arg in command.get_arguments() {
				let help = arg.get_long_help().or(arg.get_help());
				let text = help.map(ToString::to_string).unwrap_or_default();
				let told = text.matches("[default:").count();
				let added = usize::from(!arg.get_default_values().is_empty());
				assert!(told + added <= 1, "{}: {text}", arg.get_id());
			}
			command.get_subcommands().for_each(look);
		}
		look(&Cli::command());
	}

	/// A daemon takes the node that the tool takes, so that one text is right for all commands.
	#[test]
	fn every_command_shows_the_nodes_default() {
		fn look(command: &clap::Command) {
			let node = command
				.get_arguments()
				.find(|arg| arg.get_id().as_str() == "node");
			let help = node.and_then(|arg| arg.get_help()).map(ToString::to_string);
			let name = command.get_name();
			assert!(
				help.as_deref()
					.is_some_and(|help| help.contains("[default: ws://127.0.0.1:9944]")),
				"{name}: {help:?}"
			);
			// Clap's own command knows of no node.
			command
				.get_subcommands()
				.filter(|command| command.get_name() != "help")
				.for_each(look);
		}
		let mut cli = Cli::command();
		cli.build();
		look(&cli);
	}
}

//! What each subcommand does.

use crate::{
	chain_spec::{self, ChainSpec},
	cli::{Cli, Subcommand},
	executor, relayer,
	service::{self, Backend, Client, Partial},
};
use millrace_runtime::{opaque::Block, BlockNumber, Hash};
use sc_cli::SubstrateCli;
use sc_network::{config::NetworkBackendType, Litep2pNetworkBackend, NetworkWorker};
use std::sync::Arc;

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"Millrace Node".into()
	}

	fn impl_version() -> String {
		env!("SUBSTRATE_CLI_IMPL_VERSION").into()
	}

	fn description() -> String {
		env!("CARGO_PKG_DESCRIPTION").into()
	}

	fn author() -> String {
		"the Millrace developers".into()
	}

	fn support_url() -> String {
		concat!(env!("CARGO_PKG_REPOSITORY"), "/issues").into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn sc_cli::ChainSpec>, String> {
		Ok(match id {
			"dev" => Box::new(chain_spec::development()?),
			"" | "local" => Box::new(chain_spec::local()?),
			"testnet" => Box::new(chain_spec::testnet()?),
			path => Box::new(ChainSpec::from_json_file(path.into()).map_err(|error| {
				format!(
					"{error}. --chain takes dev, local, testnet or the path of a specification file."
				)
			})?),
		})
	}
}

/// Does what the command line says.
pub(crate) fn run() -> sc_cli::Result<()> {
	let cli = Cli::from_args();
	millrace_host::configure(cli.randomx.options());
	if let Some(folder) = &cli.compiled_runtimes {
		executor::keep_compiled(folder.clone());
	}
	match &cli.subcommand {
		None => run_node(&cli),
		Some(Subcommand::Key(cmd)) => cmd.run(&cli),
		Some(Subcommand::BuildSpec(cmd)) => cli
			.create_runner(cmd)?
			.sync_run(|config| cmd.run(config.chain_spec, config.network)),
		Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
		Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let Partial {
				client,
				import_queue,
				task_manager,
				..
			} = service::partial(&config)?;
			Ok((cmd.run(client, import_queue), task_manager))
		}),
		Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let Partial {
				client,
				task_manager,
				..
			} = service::partial(&config)?;
			Ok((cmd.run(client, config.database), task_manager))
		}),
		Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|mut config| {
			// As the running node does, or it would have no proofs of these blocks.
			config.offchain_worker.indexing_enabled = true;
			let Partial {
				client,
				import_queue,
				task_manager,
				..
			} = service::partial(&config)?;
			Ok((cmd.run(client, import_queue), task_manager))
		}),
		Some(Subcommand::PurgeChain(cmd)) => cli
			.create_runner(cmd)?
			.sync_run(|config| cmd.run(config.database)),
		Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let Partial {
				client,
				backend,
				task_manager,
				..
			} = service::partial(&config)?;
			let revert = cmd.run::<Block, Backend, Client>(
				client,
				backend,
				Some(Box::new(revert_consensus)),
			);
			Ok((revert, task_manager))
		}),
		Some(Subcommand::ChainInfo(cmd)) => cli
			.create_runner(cmd)?
			.sync_run(|config| cmd.run::<Block>(&config)),
		#[cfg(feature = "runtime-benchmarks")]
		Some(Subcommand::Benchmark(crate::cli::Benchmark::Pallet(cmd))) => cli
			.create_runner(cmd)?
			.sync_run(|config| measure_pallet(cmd, config.chain_spec)),
	}
}

// The tool brings the SDK's host functions; RandomX is ours.
#[cfg(feature = "runtime-benchmarks")]
fn measure_pallet(
	cmd: &frame_benchmarking_cli::PalletCmd,
	chain_spec: Box<dyn sc_cli::ChainSpec>,
) -> sc_cli::Result<()> {
	cmd.run_with_spec::<sp_runtime::traits::HashingFor<Block>, millrace_host::HostFunctions>(Some(
		chain_spec,
	))
}

fn run_node(cli: &Cli) -> sc_cli::Result<()> {
	let relay = cli.anchor_relay.clone();
	cli.create_runner(&cli.run)?
		.run_node_until_exit(|config| async move {
			let rpc = relayer::rpc_address(&config.rpc);
			let node = match config.network.network_backend {
				NetworkBackendType::Litep2p => service::full::<Litep2pNetworkBackend>(config),
				NetworkBackendType::Libp2p => service::full::<NetworkWorker<Block, Hash>>(config),
			}
			.map_err(sc_cli::Error::Service)?;
			if let Some(settings) = relay {
				relayer::start(settings, rpc)?;
			}
			Ok(node)
		})
}

// BABE and GRANDPA keep data beside the blocks, which must go back with them.
fn revert_consensus(
	client: Arc<Client>,
	backend: Arc<Backend>,
	blocks: BlockNumber,
) -> sc_cli::Result<()> {
	sc_consensus_babe::revert(client.clone(), backend, blocks)?;
	sc_consensus_grandpa::revert(client, blocks)?;
	Ok(())
}

//! The commands, a file each.

pub(crate) mod access;
pub(crate) mod anchor;
pub(crate) mod challenge;
pub(crate) mod deal;
pub(crate) mod gateway;
pub(crate) mod gov;
pub(crate) mod invoke;
pub(crate) mod key;
pub(crate) mod offer;
pub(crate) mod package;
pub(crate) mod peer;
pub(crate) mod prover;
pub(crate) mod provider;
pub(crate) mod receipt;
pub(crate) mod rewards;
pub(crate) mod run;
pub(crate) mod spec;
pub(crate) mod validator;
pub(crate) mod watch;
pub(crate) mod worker;

mod signals;
mod wait;

use crate::{
	cli::{Cli, Command, Global},
	context::{write_line, Context},
	errors::Result,
};
use std::process::ExitCode;

pub(crate) use signals::until_stopped;

/// Does what the command line says.
pub(crate) async fn dispatch(cli: Cli) -> Result<ExitCode> {
	match cli.command {
		// The daemons' configuration is their own; see `config::daemon`.
		Command::Worker(command) => {
			worker::run(&cli.global, command).await?;
			stopped(&cli.global);
		}
		Command::Gateway(command) => {
			gateway::run(&cli.global, command).await?;
			stopped(&cli.global);
		}
		Command::Watch(command) => {
			watch::run(&cli.global, command).await?;
			stopped(&cli.global);
		}
		Command::Anchor(command) => match *command {
			anchor::AnchorCommand::Relay(args) => {
				anchor::relay(&cli.global, args).await?;
				stopped(&cli.global);
			}
			command => anchor::run(&Context::load(cli.global)?, command).await?,
		},
		Command::Dev(command) => return crate::dev::run(&cli.global, command).await,
		Command::Tether(command) => return Err(crate::dev::tether::become_command(command)),
		Command::Run(command) => return run::run(&Context::load(cli.global)?, command).await,
		Command::Invoke(command) => {
			return invoke::run(&Context::load(cli.global)?, command).await;
		}
		Command::Key(command) => key::run(&Context::load(cli.global)?, command)?,
		Command::Provider(command) => {
			provider::run(&Context::load(cli.global)?, command).await?;
		}
		Command::Validator(command) => {
			validator::run(&Context::load(cli.global)?, command).await?;
		}
		Command::Gov(command) => gov::run(&Context::load(cli.global)?, command).await?,
		Command::Prover(command) => prover::run(&Context::load(cli.global)?, &command)?,
		Command::Peer(command) => peer::run(&Context::load(cli.global)?, command).await?,
		Command::Offer(command) => offer::run(&Context::load(cli.global)?, command).await?,
		Command::Package(command) => package::run(&Context::load(cli.global)?, command).await?,
		Command::Deal(command) => deal::run(&Context::load(cli.global)?, *command).await?,
		Command::Receipt(command) => receipt::run(&Context::load(cli.global)?, command).await?,
		Command::Rewards(command) => rewards::run(&Context::load(cli.global)?, command).await?,
	}
	Ok(ExitCode::SUCCESS)
}

/// A daemon's one JSON object: it was asked to stop, and has.
fn stopped(global: &Global) {
	if global.json {
		write_line("{\"stopped\":true}");
	}
}

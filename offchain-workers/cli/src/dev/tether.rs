//! A child that ends with its parent, even when that one is killed.
//!
//! The kernel is asked to kill the process when its parent ends, and then the process becomes the
//! program that was meant. Asking must happen in the child, and without unsafe code a child can only
//! ask once it is a program of its own: this one.

use crate::errors::CliError;
use clap::Args;
use rustix::process::{set_parent_process_death_signal, Signal};
use std::{ffi::OsString, os::unix::process::CommandExt, process::Command};

/// Become another program that ends with the process that started it.
#[derive(Debug, Args)]
pub(crate) struct TetherCommand {
	/// The program and its arguments.
	#[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
	program: Vec<OsString>,
}

/// Becomes the program; returns only if that fails.
pub(crate) fn become_command(command: TetherCommand) -> CliError {
	if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
		return CliError::from(anyhow::anyhow!("cannot be tied to the parent: {error}"));
	}
	let mut arguments = command.program.into_iter();
	let Some(program) = arguments.next() else {
		return CliError::usage("no_program", "there is no program to become");
	};
	let error = Command::new(&program).args(arguments).exec();
	CliError::from(anyhow::anyhow!(
		"cannot run {}: {error}",
		program.to_string_lossy()
	))
}

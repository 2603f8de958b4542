//! Logs: to standard error, `RUST_LOG` decides where it is set.

use crate::{
	cli::{Cli, Command},
	commands::anchor::AnchorCommand,
};
use indicatif::ProgressBar;
use std::{
	ffi::OsStr,
	io::{self, IsTerminal, Write},
	sync::OnceLock,
};
use tracing_subscriber::EnvFilter;

/// The progress bar of this process, which makes way for lines of the log.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Begins to log. Daemons say what they do, commands only what is wrong.
pub(crate) fn init(cli: &Cli) {
	let daemon = match &cli.command {
		Command::Worker(_) | Command::Gateway(_) | Command::Watch(_) => true,
		Command::Anchor(command) => matches!(**command, AnchorCommand::Relay(_)),
		_ => false,
	};
	let level = match (daemon, cli.global.verbose) {
		(false, 0) => "warn",
		(true, 0) => "info",
		(_, 1) => {
			"millrace=debug,millrace_client=debug,millrace_worker=debug,\
			millrace_gateway=debug,millrace_prover=debug,millrace_executor=debug,\
			millrace_sandbox=debug,millrace_watcher=debug,millrace_anchor=debug,info"
		}
		_ => "debug",
	};
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
	let no_color = std::env::var_os("NO_COLOR");
	let logs = tracing_subscriber::fmt()
		.with_writer(|| BarWriter)
		.with_ansi(colours(io::stderr().is_terminal(), no_color.as_deref()))
		.with_env_filter(filter);
	if cli.global.log_json {
		logs.json().init();
	} else {
		logs.init();
	}
}

/// Whether lines are coloured: on a terminal, unless `NO_COLOR` says otherwise. An empty value says
/// nothing; see <https://no-color.org>.
fn colours(is_terminal: bool, no_color: Option<&OsStr>) -> bool {
	is_terminal && no_color.is_none_or(OsStr::is_empty)
}

/// From now on the log is written above this bar.
pub(crate) fn above(bar: &ProgressBar) {
	// A process has one bar at most.
	let _ = BAR.set(bar.clone());
}

/// Standard error; the bar is taken away while something is written.
#[derive(Debug)]
struct BarWriter;

impl Write for BarWriter {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		let write = || io::stderr().write(bytes);
		match BAR.get() {
			Some(bar) => bar.suspend(write),
			None => write(),
		}
	}

	fn flush(&mut self) -> io::Result<()> {
		io::stderr().flush()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::{Arc, Mutex};

	#[test]
	fn colours_are_for_terminals_and_for_who_wants_them() {
		let (set, empty) = (Some(OsStr::new("1")), Some(OsStr::new("")));
		assert!(colours(true, None) && colours(true, empty));
		assert!(!colours(true, set));
		assert!(!colours(false, None) && !colours(false, empty) && !colours(false, set));
	}

	#[derive(Clone, Default)]
	struct Lines(Arc<Mutex<Vec<u8>>>);

	impl Write for Lines {
		fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
			self.0.lock().expect("nobody panicked").write(bytes)
		}

		fn flush(&mut self) -> io::Result<()> {
			Ok(())
		}
	}

	#[test]
	fn a_line_without_colours_has_no_escapes() {
		for ansi in [false, true] {
			let lines = Lines::default();
			let writer = lines.clone();
			let logs = tracing_subscriber::fmt()
				.with_writer(move || writer.clone())
				.with_ansi(ansi)
				.finish();
			tracing::subscriber::with_default(logs, || tracing::warn!(block = 7, "a line"));
			let written = lines.0.lock().expect("nobody panicked").clone();
			assert!(!written.is_empty());
			assert_eq!(written.contains(&0x1b), ansi, "{written:?}");
		}
	}

	#[test]
	fn the_log_is_written_with_and_without_a_bar() {
		let line = b"a line of the log\n";
		assert_eq!(BarWriter.write(line).expect("it is written"), line.len());
		above(&ProgressBar::hidden());
		assert_eq!(BarWriter.write(line).expect("it is written"), line.len());
		BarWriter.flush().expect("it is written");
	}
}

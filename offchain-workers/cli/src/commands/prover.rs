//! `millrace prover`: what the capacity prover does on this machine.

use crate::{
	context::Context,
	errors::{CliError, Kind, Result},
	ui::{self, Spinner},
};
use clap::{builder::RangedU64ValueParser, Args, Subcommand};
use millrace_prover::{
	bench::{measure, Measured},
	Code, Cores, Mode, Pages, ProverError, Settings,
};
use serde_json::{json, Value};

/// What the capacity prover does on this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum ProverCommand {
	/// Measure the hash rate, beside that of RandomX' own benchmark loop.
	///
	/// Takes the settings of `[prover]` in a worker's configuration. Uses the cores in full for
	/// two times `seconds` times `rounds`, after filling the memory, which takes a minute or two
	/// of one core in fast mode.
	Bench(Bench),
}

/// Settings of the measurement.
#[derive(Debug, Args)]
pub(crate) struct Bench {
	/// Mode: auto, light or fast.
	#[arg(long, value_name = "MODE", value_parser = mode, default_value = "auto")]
	mode: Mode,
	/// Cores to use: all, or numbers and ranges such as 0-3,8.
	#[arg(long, value_name = "LIST", default_value = "all")]
	cores: Cores,
	/// Threads, where it is not one for each core.
	#[arg(long, value_name = "N", value_parser = threads())]
	threads: Option<usize>,
	/// Best pages to try: ordinary, transparent or reserved.
	#[arg(long, value_name = "PAGES", value_parser = pages, default_value = "reserved")]
	pages: Pages,
	/// Seconds of one measurement.
	#[arg(
		long,
		value_name = "SECONDS",
		default_value_t = 5,
		value_parser = clap::value_parser!(u64).range(1..=600)
	)]
	seconds: u64,
	/// Measurements of each kind; medians are told.
	#[arg(
		long,
		value_name = "ROUNDS",
		default_value_t = 5,
		value_parser = RangedU64ValueParser::<usize>::new().range(1..=100)
	)]
	rounds: usize,
}

fn threads() -> RangedU64ValueParser<usize> {
	let (least, most) = (*Settings::THREADS.start(), *Settings::THREADS.end());
	RangedU64ValueParser::new().range(least as u64..=most as u64)
}

fn mode(text: &str) -> std::result::Result<Mode, String> {
	[Mode::Auto, Mode::Light, Mode::Fast]
		.into_iter()
		.find(|mode| mode.name() == text)
		.ok_or_else(|| "write auto, light or fast".into())
}

fn pages(text: &str) -> std::result::Result<Pages, String> {
	match text {
		"ordinary" => Ok(Pages::Ordinary),
		"transparent" => Ok(Pages::Transparent),
		"reserved" => Ok(Pages::Reserved),
		_ => Err("write ordinary, transparent or reserved".into()),
	}
}

/// Does it.
pub(crate) fn run(context: &Context, command: &ProverCommand) -> Result<()> {
	let ProverCommand::Bench(bench) = command;
	let settings = Settings {
		mode: bench.mode,
		cores: bench.cores.clone(),
		threads: bench.threads,
		pages: bench.pages,
		..Settings::default()
	};
	let spinner = Spinner::start("measuring");
	let measured = measure(&settings, bench.seconds, bench.rounds).map_err(failed);
	drop(spinner);
	let measured = measured?;
	context.emit(&object(&measured), || words(&measured))
}

fn failed(error: ProverError) -> CliError {
	match error {
		ProverError::Cores { .. } => CliError::usage("bad_cores", error.to_string())
			.hint("`lscpu -e` shows the machine's cores; leave --cores out for all"),
		ProverError::Memory(_) => {
			CliError::new(Kind::Failure, "no_memory", error.to_string()).hint("try --mode light")
		}
		_ => CliError::new(Kind::Failure, "not_measured", error.to_string()),
	}
}

fn object(measured: &Measured) -> Value {
	json!({
		"mode": measured.mode,
		"threads": measured.threads,
		"pinned": measured.pinned,
		"code": measured.code,
		"pages": measured.pages,
		"fill_seconds": measured.fill_seconds,
		"plain_rate": measured.plain,
		"prover_rate": measured.prover,
		"ratio": measured.ratio,
	})
}

fn words(measured: &Measured) -> String {
	let code = match measured.code {
		Code::Compiled => "compiled",
		Code::Secure => "compiled, never writable and executable at once",
		Code::Interpreted => {
			"interpreted, about seven times slower: the system forbids compiled code"
		}
	};
	let pages = match measured.pages {
		Pages::Ordinary => "ordinary",
		Pages::Transparent => "transparent huge",
		Pages::Reserved => "reserved huge",
	};
	let pinned = if measured.pinned { ", pinned" } else { "" };
	ui::pairs([
		("mode", measured.mode.name().to_string()),
		("threads", format!("{}{pinned}", measured.threads)),
		("code", code.to_string()),
		("pages", pages.to_string()),
		(
			"memory filled in",
			format!("{:.1} s", measured.fill_seconds),
		),
		("plain RandomX", format!("{:.1} H/s", measured.plain)),
		("prover", format!("{:.1} H/s", measured.prover)),
		("ratio", format!("{:.3}", measured.ratio)),
	])
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::cli::{Cli, Command};
	use clap::Parser;

	fn bench(options: &[&str]) -> std::result::Result<Bench, clap::Error> {
		let line = ["millrace", "prover", "bench"];
		match Cli::try_parse_from(line.iter().chain(options))?.command {
			Command::Prover(ProverCommand::Bench(bench)) => Ok(bench),
			_ => panic!("it is another command"),
		}
	}

	#[test]
	fn options_are_read_within_bounds() {
		let plain = bench(&[]).expect("nothing must be said");
		assert_eq!((plain.mode, plain.pages), (Mode::Auto, Pages::Reserved));
		assert_eq!((plain.cores, plain.threads), (Cores::All, None));
		assert_eq!((plain.seconds, plain.rounds), (5, 5));
		let all = [
			"--mode",
			"light",
			"--cores",
			"0-1",
			"--threads",
			"3",
			"--pages",
			"ordinary",
			"--seconds",
			"1",
			"--rounds",
			"2",
		];
		let all = bench(&all).expect("all are options");
		assert_eq!((all.mode, all.pages), (Mode::Light, Pages::Ordinary));
		assert_eq!(
			(all.cores, all.threads),
			(Cores::Set([0, 1].into()), Some(3))
		);
		assert_eq!((all.seconds, all.rounds), (1, 2));
		for (option, value, said) in [
			("--mode", "quick", "auto, light or fast"),
			("--cores", "", "\"0-3,8\""),
			("--threads", "0", "1..=1024"),
			("--pages", "huge", "transparent"),
			("--seconds", "0", "1..=600"),
			("--rounds", "101", "1..=100"),
		] {
			let error = bench(&[option, value]).expect_err("it is out of bounds");
			assert_eq!(error.exit_code(), 2);
			assert!(error.to_string().contains(said), "{error}");
		}
	}

	#[test]
	fn what_was_measured_is_told_in_words_and_as_json() {
		let measured = Measured {
			plain: 200.0,
			prover: 198.5,
			ratio: 0.9931,
			fill_seconds: 31.25,
			mode: Mode::Fast,
			code: Code::Compiled,
			pages: Pages::Transparent,
			threads: 2,
			pinned: true,
		};
		assert_eq!(
			object(&measured),
			json!({
				"mode": "fast", "threads": 2, "pinned": true, "code": "compiled",
				"pages": "transparent", "fill_seconds": 31.25, "plain_rate": 200.0,
				"prover_rate": 198.5, "ratio": 0.9931,
			})
		);
		let words = words(&measured);
		for part in [
			"fast",
			"2, pinned",
			"transparent huge",
			"198.5 H/s",
			"0.993",
		] {
			assert!(words.contains(part), "{words}");
		}
		let error = failed(ProverError::Cores {
			foreign: "9".into(),
			allowed: "0-1".into(),
		});
		assert_eq!(error.kind, Kind::Usage);
	}
}

//! Orders in files: `millrace deal create --from deal.toml`.
//!
//! The keys of a file are the options of `deal create`, and become such options before the command
//! line is read: so each has one meaning, one default and one check, wherever it stands.

use crate::{
	cli::Cli,
	errors::{CliError, Result},
	files,
};
use clap::{parser::ValueSource, Arg, ArgAction, ArgMatches, Command, CommandFactory, ValueHint};
use figment::providers::{Format, Toml};
use serde_json::Value;
use std::{
	collections::BTreeMap,
	ffi::{OsStr, OsString},
	path::{Path, PathBuf},
};

/// The option that names a file.
const FROM: &str = "from";
/// Commands that take an order. One file is good for all of them: the first one has all the options
/// that it may name.
const COMMANDS: [&str; 3] = ["create", "quote", "why-not"];

/// The command line with what the file says that its `--from` names. What the command line says
/// itself goes first.
pub(crate) fn expand(mut arguments: Vec<OsString>) -> Result<Vec<OsString>> {
	if arguments.iter().any(|argument| names_file(argument)) {
		let added = added_to(&arguments)?;
		arguments.extend(added);
	}
	Ok(arguments)
}

fn names_file(argument: &OsStr) -> bool {
	let argument = argument.as_encoded_bytes();
	argument == b"--from" || argument.starts_with(b"--from=")
}

fn added_to(arguments: &[OsString]) -> Result<Vec<OsString>> {
	// What is missing may stand in the file; what is wrong is told when all of it is read.
	let mut cli = Cli::command().ignore_errors(true);
	let Ok(matches) = cli.try_get_matches_from_mut(arguments) else {
		return Ok(Vec::new());
	};
	let order = matches
		.subcommand_matches("deal")
		.and_then(ArgMatches::subcommand)
		.filter(|(name, _)| COMMANDS.contains(name));
	let Some((name, given)) = order else {
		return Ok(Vec::new());
	};
	let deal = cli.find_subcommand("deal");
	let command = |name: &str| deal.and_then(|deal| deal.find_subcommand(name));
	match (
		given.get_one::<PathBuf>(FROM),
		command(COMMANDS[0]),
		command(name),
	) {
		(Some(path), Some(all), Some(present)) => options(path, all, present, given),
		_ => Ok(Vec::new()),
	}
}

/// Options that a file adds to those that are given. `all` are those that it may name, `present` those
/// of the command at hand: what concerns another command is passed over.
fn options(
	path: &Path,
	all: &Command,
	present: &Command,
	given: &ArgMatches,
) -> Result<Vec<OsString>> {
	let bad = |what: String| {
		let message = format!("{}: {what}", path.display());
		CliError::usage("bad_order", message).hint(
			"its keys are the options of `millrace deal create` without dashes in front, such as \
			 min_workers; docs/buy-compute.md has an example",
		)
	};
	let text = String::from_utf8(files::read(path)?).map_err(|_| bad("it is no text".into()))?;
	let table: BTreeMap<String, Value> =
		Toml::from_str(&text).map_err(|error| bad(error.to_string()))?;
	let is_given =
		|arg: &&Arg| given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
	let spoken: Vec<&Arg> = present.get_arguments().filter(is_given).collect();
	let folder = path.parent().unwrap_or(Path::new(""));
	let mut added = Vec::new();
	for (key, value) in &table {
		let long = key.replace('_', "-");
		if find(all, &long).is_none() {
			return Err(bad(format!("`{key}` is no option of an order")));
		}
		let Some(arg) = find(present, &long) else {
			continue;
		};
		if spoken.iter().any(|other| excludes(present, arg, other)) {
			continue;
		}
		let words =
			words(arg, &long, value, folder).map_err(|why| bad(format!("`{key}` {why}")))?;
		added.extend(words);
	}
	Ok(added)
}

/// An option of the command itself, which a file may name.
fn find<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
	let may = |arg: &Arg| {
		let says_something = matches!(
			arg.get_action(),
			ArgAction::Set | ArgAction::Append | ArgAction::SetTrue
		);
		says_something && !arg.is_global_set() && arg.get_id() != FROM
	};
	command
		.get_arguments()
		.find(|arg| arg.get_long() == Some(long) && may(arg))
}

/// Whether the one says nothing more where the other one is given.
fn excludes(command: &Command, one: &Arg, other: &Arg) -> bool {
	let conflicts = |a: &Arg, b: &Arg| {
		let conflicting = command.get_arg_conflicts_with(a);
		conflicting.iter().any(|arg| arg.get_id() == b.get_id())
	};
	one.get_id() == other.get_id() || conflicts(one, other) || conflicts(other, one)
}

/// An option as it is written on the command line, as often as it has values.
fn words(
	arg: &Arg,
	long: &str,
	value: &Value,
	folder: &Path,
) -> std::result::Result<Vec<OsString>, &'static str> {
	if matches!(arg.get_action(), ArgAction::SetTrue) {
		return match value {
			Value::Bool(true) => Ok(vec![format!("--{long}").into()]),
			Value::Bool(false) => Ok(Vec::new()),
			_ => Err("is either true or false"),
		};
	}
	let values = match value {
		Value::Array(values) => values.as_slice(),
		one => std::slice::from_ref(one),
	};
	let is_path = arg.get_value_hint() == ValueHint::AnyPath;
	let word = |value: &Value| {
		let text = match value {
			Value::String(text) => text.clone(),
			Value::Number(number) => number.to_string(),
			_ => return Err("is a string, a number or a list of them"),
		};
		let mut word = OsString::from(format!("--{long}="));
		match is_path && text != "-" {
			// A file names others as they lie to it, wherever the tool is started.
			true => word.push(folder.join(text)),
			false => word.push(text),
		}
		Ok(word)
	};
	values.iter().map(word).collect()
}

#[cfg(test)]
mod tests;

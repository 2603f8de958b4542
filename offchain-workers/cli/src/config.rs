//! Settings: a TOML file, then `MILLRACE_…` variables, then options; the later ones win.

use crate::{
	cli::Global,
	errors::{CliError, Result},
};
use figment::{
	providers::{Env, Format, Serialized, Toml},
	Figment,
};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::path::PathBuf;

/// What the commands that talk to a chain need to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
	/// WebSocket URL of a node.
	pub(crate) node: String,
	/// URL of a gateway.
	pub(crate) gateway: String,
	/// Key file or development name of the signing account.
	pub(crate) key: Option<String>,
}

impl Default for Settings {
	fn default() -> Self {
		Self {
			node: "ws://127.0.0.1:9944".into(),
			gateway: "http://127.0.0.1:8090".into(),
			key: None,
		}
	}
}

impl Settings {
	/// Reads file, environment and options.
	pub(crate) fn load(global: &Global) -> Result<Self> {
		let mut figment = Figment::from(Serialized::defaults(Self::default()));
		if let Some(path) = named_file(global)?.or_else(default_path) {
			figment = figment.merge(Toml::file_exact(path));
		}
		// Other variables of this prefix belong to daemons and scripts.
		figment = figment.merge(Env::prefixed("MILLRACE_").only(&["node", "gateway", "key"]));
		overrides(figment, global).extract().map_err(config_error)
	}
}

/// Reads a daemon's configuration: the file, then `PREFIX…` variables (two underscores between a
/// table and its key), then options.
pub(crate) fn daemon<T: DeserializeOwned>(
	global: &Global,
	prefix: &str,
	options: &[(&str, Option<String>)],
) -> Result<T> {
	daemon_with_lists(global, prefix, options, &[])
}

/// The same with options that can be given several times. An empty list is one that was not given.
pub(crate) fn daemon_with_lists<T: DeserializeOwned>(
	global: &Global,
	prefix: &str,
	options: &[(&str, Option<String>)],
	lists: &[(&str, Vec<String>)],
) -> Result<T> {
	let mut figment = Figment::new();
	if let Some(path) = named_file(global)? {
		figment = figment.merge(Toml::file_exact(path));
	}
	figment = figment.merge(Env::prefixed(prefix).split("__"));
	for (key, value) in options {
		if let Some(value) = value {
			figment = figment.merge((*key, value));
		}
	}
	for (key, values) in lists {
		if !values.is_empty() {
			figment = figment.merge((*key, values));
		}
	}
	figment.extract().map_err(config_error)
}

fn overrides(mut figment: Figment, global: &Global) -> Figment {
	let options = [
		("node", &global.node),
		("gateway", &global.gateway),
		("key", &global.key),
	];
	for (key, value) in options {
		if let Some(value) = value {
			figment = figment.merge((key, value));
		}
	}
	figment
}

/// The file that is named, which must exist.
fn named_file(global: &Global) -> Result<Option<PathBuf>> {
	match &global.config {
		Some(path) if path.is_file() => Ok(Some(path.clone())),
		Some(path) => {
			let message = format!("there is no configuration file {}", path.display());
			Err(CliError::usage("config_missing", message))
		}
		None => Ok(None),
	}
}

/// `$XDG_CONFIG_HOME/millrace/config.toml` or `~/.config/millrace/config.toml`, where it exists.
fn default_path() -> Option<PathBuf> {
	let folder = std::env::var_os("XDG_CONFIG_HOME")
		.map(PathBuf::from)
		.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
	Some(folder.join("millrace/config.toml")).filter(|path| path.exists())
}

fn config_error(error: figment::Error) -> CliError {
	CliError::usage("bad_config", error.to_string())
		.hint("the pages under docs/ list the settings of each daemon")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn options_go_before_the_file() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("config.toml");
		std::fs::write(
			&path,
			"node = \"ws://file:1\"\ngateway = \"http://file:2\"\n",
		)
		.expect("the folder is writable");
		let global = Global {
			config: Some(path),
			node: Some("ws://option:3".into()),
			..Global::default()
		};
		let settings = Settings::load(&global).expect("the file is well-formed");
		assert_eq!(settings.node, "ws://option:3");
		assert_eq!(settings.gateway, "http://file:2");
	}

	#[test]
	fn an_unknown_setting_is_named() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("config.toml");
		std::fs::write(&path, "nodes = \"ws://file:1\"\n").expect("the folder is writable");
		let error = Settings::load(&Global {
			config: Some(path),
			..Global::default()
		})
		.expect_err("the setting is misspelt");
		assert_eq!(error.code, "bad_config");
		assert!(error.message.contains("nodes"), "{}", error.message);
	}
}

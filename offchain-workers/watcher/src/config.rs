//! How a watcher is set up.

use millrace_primitives::peer::PeerId;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Most bonds that may be held at once.
pub const MAX_OPEN_BONDS: u32 = 1_000;

/// Everything that [`crate::run`] needs beside a chain and a place to run guests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchConfig {
	/// Key file of the account that pays bonds and earns bounties, or the name of a development
	/// account such as `//Dave`.
	pub account: PathBuf,
	/// Directory of what must survive a restart: the salts of commitments above all.
	#[serde(default)]
	pub data_dir: PathBuf,
	/// Bonds that may be held at once, of challenges and demands together.
	#[serde(default = "default_open_bonds")]
	pub max_open_bonds: u32,
	/// Whose receipts are run again.
	#[serde(default)]
	pub mode: Mode,
	/// Peers that are never challenged: one's own. Those of the account itself count besides.
	#[serde(default)]
	pub own: Vec<PeerId>,
	/// Whether data are fetched from hosts of this machine and its network too. Endpoints and links
	/// are written by strangers. On development chains they always are.
	#[serde(default)]
	pub allow_private_endpoints: bool,
}

/// Whose receipts are run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
	/// Those that audits open, of every peer, and some of those that were received.
	#[default]
	All,
	/// Those that were received, all of them, and no others.
	Own,
}

/// What cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
	/// There is no account.
	#[error("watch.account is empty; name the key file of the account that pays bonds")]
	NoAccount,
	/// There is no directory.
	#[error("watch.data_dir is empty; name a directory that this user may write to")]
	NoDirectory,
	/// Nothing could be challenged.
	#[error("watch.max_open_bonds is {0}; it must be from 1 to {most}", most = MAX_OPEN_BONDS)]
	OpenBonds(u32),
}

impl WatchConfig {
	/// Refuses what can only be a mistake.
	pub fn check(&self) -> Result<(), ConfigError> {
		if self.account.as_os_str().is_empty() {
			return Err(ConfigError::NoAccount);
		}
		if self.data_dir.as_os_str().is_empty() {
			return Err(ConfigError::NoDirectory);
		}
		if !(1..=MAX_OPEN_BONDS).contains(&self.max_open_bonds) {
			return Err(ConfigError::OpenBonds(self.max_open_bonds));
		}
		Ok(())
	}
}

fn default_open_bonds() -> u32 {
	4
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::H256;
	use serde_json::{json, Value};

	fn config(value: Value) -> Result<WatchConfig, serde_json::Error> {
		serde_json::from_value(value)
	}

	#[test]
	fn an_account_and_a_directory_are_enough() {
		let config = config(json!({"account": "//Dave", "data_dir": "d"})).expect("enough");
		assert_eq!(config.max_open_bonds, 4);
		assert_eq!(config.mode, Mode::All);
		assert!(config.own.is_empty());
		assert!(!config.allow_private_endpoints);
		assert_eq!(config.check(), Ok(()));
	}

	#[test]
	fn every_key_is_taken_and_no_other_one() {
		let own = PeerId(H256::repeat_byte(7));
		let all = json!({"account": "k", "data_dir": "d", "max_open_bonds": 9, "mode": "own",
			"own": [own], "allow_private_endpoints": true});
		let read = config(all).expect("all are keys");
		assert_eq!((read.mode, read.own), (Mode::Own, vec![own]));
		assert!(config(json!({"account": "k", "acount": "k"})).is_err());
		assert!(config(json!({"account": "k", "mode": "some"})).is_err());
		assert!(config(json!({})).is_err());
	}

	#[test]
	fn what_can_only_be_a_mistake_is_refused() {
		let check = |value| config(value).expect("it is well-formed").check();
		assert_eq!(check(json!({"account": ""})), Err(ConfigError::NoAccount));
		assert_eq!(
			check(json!({"account": "k"})),
			Err(ConfigError::NoDirectory)
		);
		for bonds in [0, 1_001] {
			let refused = check(json!({"account": "k", "data_dir": "d", "max_open_bonds": bonds}));
			assert_eq!(refused, Err(ConfigError::OpenBonds(bonds)));
		}
	}
}

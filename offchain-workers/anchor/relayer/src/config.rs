//! How a relayer is set up.

use crate::evm::{Address, FeeLimits, Reads, Rpc, Transport};
use millrace_client::web::{self, UrlError};
use millrace_primitives::U256;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Filecoin's chain ids: mainnet, and the test network Calibration.
pub const FILECOIN_CHAINS: [u64; 2] = [314, 314_159];
/// Most bytes of a message on Filecoin.
const FILECOIN_MESSAGE_BYTES: usize = 64 * 1024;
/// Most bytes of a transaction that pools of other chains take.
const EVM_TRANSACTION_BYTES: usize = 128 * 1024;
/// Chain id of anchors on one machine: anvil's, and the embedded one's unless it is told another.
pub const LOCAL_CHAIN: u64 = 31_337;
/// Fewest servers of an anchor where something is at stake.
const SERVERS: usize = 2;
/// Longest that anything may take: a day.
const MAX_SECONDS: u64 = 86_400;

/// Everything that [`crate::run`] needs beside a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayConfig {
	/// URLs of the anchor's JSON-RPC servers, of different operators.
	pub rpcs: Vec<String>,
	/// How many of them must agree on what is believed: two without it, or one where there is only one. Nobody
	/// votes on what one says, but for an anchor on one machine.
	#[serde(default)]
	pub agree: Option<usize>,
	/// Key file of the account that pays on the anchor, or `dev:0` to `dev:9`. Without it nothing is sent
	/// there: a watcher that votes.
	#[serde(default)]
	pub key: Option<String>,
	/// Key file of an account of the chain, or a development name, that reports offences.
	#[serde(default)]
	pub account: Option<String>,
	/// The contract. Without it, that which the chain names.
	#[serde(default)]
	pub contract: Option<Address>,
	/// Block of the anchor in which the contract was deployed, before which nothing is looked for.
	#[serde(default)]
	pub deployed_at: u64,
	/// Most that a unit of gas may cost, in the anchor's smallest coin.
	#[serde(default = "defaults::max_fee_per_gas")]
	pub max_fee_per_gas: u64,
	/// Longest time between two checkpoints.
	#[serde(default = "defaults::heartbeat_seconds")]
	pub heartbeat_seconds: u64,
	/// Time after which the next validator in turn submits a checkpoint that is not there.
	#[serde(default = "defaults::stagger_seconds")]
	pub stagger_seconds: u64,
	/// Time after which a transaction that is in no block is replaced by a dearer one.
	#[serde(default = "defaults::bump_seconds")]
	pub bump_seconds: u64,
	/// Pause between two looks at the anchor.
	#[serde(default = "defaults::poll_ms")]
	pub poll_ms: u64,
	/// Time without a checkpoint after which an alarm is raised.
	#[serde(default = "defaults::alarm_seconds")]
	pub alarm_seconds: u64,
}

mod defaults {
	pub(super) fn max_fee_per_gas() -> u64 {
		100_000_000_000
	}
	pub(super) fn heartbeat_seconds() -> u64 {
		3_600
	}
	pub(super) fn stagger_seconds() -> u64 {
		60
	}
	pub(super) fn bump_seconds() -> u64 {
		120
	}
	pub(super) fn poll_ms() -> u64 {
		6_000
	}
	pub(super) fn alarm_seconds() -> u64 {
		3 * 3_600
	}
}

/// What cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
	/// There is nobody to ask.
	#[error("rpcs is empty; name the URLs of the anchor's JSON-RPC servers")]
	NoServer,
	/// One of the URLs is none.
	#[error("rpcs: {0}")]
	Url(#[from] UrlError),
	/// One URL is there twice.
	#[error("rpcs names {0} twice; one server cannot confirm itself")]
	Twice(String),
	/// More must agree than there are.
	#[error("agree is {agree}, and rpcs has {servers} URLs; it must be from 1 to as many")]
	Agree {
		/// How many must agree.
		agree: usize,
		/// How many there are.
		servers: usize,
	},
	/// One server could make up what validators sign.
	#[error(
		"nothing is voted on that one server of anchor {chain_id} says alone: add the URL of another operator to \
		 rpcs, and leave agree out or make it 2"
	)]
	TooFewToVote {
		/// Chain id of the anchor.
		chain_id: u64,
	},
	/// A time is zero, or far too long.
	#[error("{name} is {given}; it must be from 1 to {most}")]
	Time {
		/// The key.
		name: &'static str,
		/// Its value.
		given: u64,
		/// The most.
		most: u64,
	},
}

impl RelayConfig {
	/// The configuration of these servers, everything else as it is without being set.
	pub fn of(rpcs: Vec<String>) -> Self {
		Self {
			rpcs,
			agree: None,
			key: None,
			account: None,
			contract: None,
			deployed_at: 0,
			max_fee_per_gas: defaults::max_fee_per_gas(),
			heartbeat_seconds: defaults::heartbeat_seconds(),
			stagger_seconds: defaults::stagger_seconds(),
			bump_seconds: defaults::bump_seconds(),
			poll_ms: defaults::poll_ms(),
			alarm_seconds: defaults::alarm_seconds(),
		}
	}

	/// Refuses what can only be a mistake.
	pub fn check(&self) -> Result<(), ConfigError> {
		if self.rpcs.is_empty() {
			return Err(ConfigError::NoServer);
		}
		for (index, url) in self.rpcs.iter().enumerate() {
			web::url(url)?;
			if self.rpcs.iter().take(index).any(|earlier| earlier == url) {
				return Err(ConfigError::Twice(url.clone()));
			}
		}
		let (agree, servers) = (self.agree(), self.rpcs.len());
		if !(1..=servers).contains(&agree) {
			return Err(ConfigError::Agree { agree, servers });
		}
		for (name, given, most) in [
			("heartbeat_seconds", self.heartbeat_seconds, MAX_SECONDS),
			("stagger_seconds", self.stagger_seconds, MAX_SECONDS),
			("bump_seconds", self.bump_seconds, MAX_SECONDS),
			("poll_ms", self.poll_ms, MAX_SECONDS * 1_000),
			("alarm_seconds", self.alarm_seconds, 30 * MAX_SECONDS),
			("max_fee_per_gas", self.max_fee_per_gas, u64::MAX),
		] {
			if !(1..=most).contains(&given) {
				return Err(ConfigError::Time { name, given, most });
			}
		}
		Ok(())
	}

	/// How many servers must agree.
	pub fn agree(&self) -> usize {
		self.agree.unwrap_or(SERVERS.min(self.rpcs.len()))
	}

	/// Whether validators may sign what so many servers agree on.
	///
	/// Checkpoints may be relayed with one server, since the contract judges them. A vote is believed, so no
	/// server may be able to make one up alone. Nothing is at stake on an anchor on one machine.
	pub fn may_vote(&self, chain_id: u64) -> Result<(), ConfigError> {
		match self.agree() >= SERVERS || chain_id == LOCAL_CHAIN {
			true => Ok(()),
			false => Err(ConfigError::TooFewToVote { chain_id }),
		}
	}

	/// The servers. Nothing is connected to yet.
	pub fn reads(&self) -> Result<Reads, ConfigError> {
		let mut servers: Vec<Arc<dyn Transport>> = Vec::with_capacity(self.rpcs.len());
		for url in &self.rpcs {
			servers.push(Arc::new(Rpc::new(url)?));
		}
		Ok(Reads::new(servers, self.agree()))
	}

	/// What gas may cost.
	pub fn fee_limits(&self) -> FeeLimits {
		FeeLimits {
			max: U256::from(self.max_fee_per_gas),
		}
	}

	pub(crate) fn heartbeat(&self) -> Duration {
		Duration::from_secs(self.heartbeat_seconds)
	}

	pub(crate) fn stagger(&self) -> Duration {
		Duration::from_secs(self.stagger_seconds)
	}

	pub(crate) fn bump(&self) -> Duration {
		Duration::from_secs(self.bump_seconds)
	}

	pub(crate) fn poll(&self) -> Duration {
		Duration::from_millis(self.poll_ms)
	}

	pub(crate) fn alarm(&self) -> Duration {
		Duration::from_secs(self.alarm_seconds)
	}
}

/// Most bytes of a transaction on an anchor.
pub fn max_transaction_bytes(chain_id: u64) -> usize {
	match FILECOIN_CHAINS.contains(&chain_id) {
		true => FILECOIN_MESSAGE_BYTES,
		false => EVM_TRANSACTION_BYTES,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::{json, Value};

	fn config(value: Value) -> Result<RelayConfig, serde_json::Error> {
		serde_json::from_value(value)
	}

	#[test]
	fn servers_are_enough_to_relay_and_two_of_them_must_agree() {
		let one = config(json!({"rpcs": ["http://a:1"]})).expect("enough");
		assert_eq!((one.agree(), one.check()), (1, Ok(())));
		let three = config(json!({"rpcs": ["http://a:1", "http://b:1", "http://c:1"]}));
		let three = three.expect("enough");
		assert_eq!((three.agree(), three.check()), (2, Ok(())));
		assert_eq!(RelayConfig::of(three.rpcs.clone()), three);
	}

	#[test]
	fn what_one_server_says_is_voted_on_where_nothing_is_at_stake() {
		let may_vote =
			|value: Value, chain| config(value).expect("it is well-formed").may_vote(chain);
		let one = || json!({"rpcs": ["http://a:1"]});
		let two = || json!({"rpcs": ["http://a:1", "http://b:1"]});
		let careless = || json!({"rpcs": ["http://a:1", "http://b:1"], "agree": 1});
		for chain_id in FILECOIN_CHAINS.into_iter().chain([1]) {
			let refused = Err(ConfigError::TooFewToVote { chain_id });
			assert_eq!(may_vote(one(), chain_id), refused);
			assert_eq!(may_vote(careless(), chain_id), refused);
			assert_eq!(may_vote(two(), chain_id), Ok(()));
		}
		for servers in [one(), two(), careless()] {
			assert_eq!(may_vote(servers, LOCAL_CHAIN), Ok(()));
		}
		let told = ConfigError::TooFewToVote { chain_id: 314 };
		assert!(told.to_string().contains("rpcs"), "{told}");
	}

	#[test]
	fn every_key_is_taken_and_no_other_one() {
		let all = json!({"rpcs": ["http://a:1"], "agree": 1, "key": "dev:0", "account": "//Eve",
			"contract": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "deployed_at": 3,
			"max_fee_per_gas": 1, "heartbeat_seconds": 2, "stagger_seconds": 3, "bump_seconds": 4,
			"poll_ms": 5, "alarm_seconds": 6});
		let read = config(all).expect("all are keys");
		assert_eq!((read.stagger_seconds, read.poll_ms), (3, 5));
		assert_eq!(read.check(), Ok(()));
		assert!(config(json!({"rpcs": [], "rpc": []})).is_err());
	}

	#[test]
	fn what_can_only_be_a_mistake_is_refused() {
		let check = |value| config(value).expect("it is well-formed").check();
		assert_eq!(check(json!({"rpcs": []})), Err(ConfigError::NoServer));
		let twice = check(json!({"rpcs": ["http://a:1", "http://a:1"]}));
		assert_eq!(twice, Err(ConfigError::Twice("http://a:1".into())));
		assert!(matches!(
			check(json!({"rpcs": ["ftp://a"]})),
			Err(ConfigError::Url(_))
		));
		for agree in [0, 2] {
			let refused = check(json!({"rpcs": ["http://a:1"], "agree": agree}));
			assert_eq!(refused, Err(ConfigError::Agree { agree, servers: 1 }));
		}
		let never = check(json!({"rpcs": ["http://a:1"], "poll_ms": 0}));
		assert!(matches!(
			never,
			Err(ConfigError::Time {
				name: "poll_ms",
				..
			})
		));
	}

	#[test]
	fn filecoin_takes_shorter_messages() {
		assert_eq!(max_transaction_bytes(314), 65_536);
		assert!(max_transaction_bytes(31_337) > 65_536);
	}
}

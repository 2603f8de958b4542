//! The relayer: looks at both sides again and again, and does what is missing.

use crate::{
	checkpoints::Checkpoints,
	commitment::address_of,
	config::max_transaction_bytes,
	conflicts::{Conflicts, OnChain},
	contract::{Contract, Status},
	evm::{Address, AnchorKey},
	inbox::{keys_of_node, InboxRelay, Scene},
	metrics::{Alarm, Metrics},
	ours::{self, Authorities},
	preimages::Seen,
	sender::{SendRules, Sender},
	watch::{Watcher, SOON},
	RelayConfig, RelayError,
};
use millrace_client::{AccountKey, Chain, View};
use millrace_primitives::{anchor::AnchorId, epoch::EpochInfo, BlockNumber, H256};
use std::{
	future::Future,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, Instant};
use tokio_util::sync::CancellationToken;

/// An anchor that is known to be the right one.
#[derive(Debug)]
pub struct Opened {
	/// The contract, read through the servers.
	pub contract: Contract,
	/// Chain id of the anchor.
	pub chain_id: u64,
	/// Pays for transactions, if there is a key.
	pub sender: Option<Sender>,
}

/// Connects to the anchor's servers and makes sure that the contract is this chain's.
///
/// The contract is the one that the chain names; one that the configuration names must be the same, unless
/// the chain names none yet.
pub async fn open(config: &RelayConfig, chain: &Chain) -> Result<Opened, RelayError> {
	config.check()?;
	let reads = config.reads()?;
	let key = config
		.key
		.as_deref()
		.map(AnchorKey::from_name_or_file)
		.transpose()?;
	let chain_id = reads.chain_id().await?;
	let named = chain.latest().await?.anchor().await?.anchor;
	let address = match (named, config.contract) {
		(Some(named), given) => {
			let expected = Address(named.contract.0);
			let found = given.unwrap_or(expected);
			if found != expected || named.chain_id != chain_id {
				return Err(RelayError::OtherContract {
					expected,
					expected_chain: named.chain_id,
					found,
					found_chain: chain_id,
				});
			}
			expected
		}
		(None, Some(given)) => given,
		(None, None) => return Err(RelayError::NoContract),
	};
	let contract = Contract::new(reads, address);
	let head = contract.reads().head().await?;
	let found = contract.genesis_at(head).await?;
	if found != chain.genesis() {
		return Err(RelayError::OtherChain {
			contract: address,
			found,
			expected: chain.genesis(),
		});
	}
	let rules = SendRules {
		chain_id,
		limits: config.fee_limits(),
		bump_after: config.bump(),
		max_bytes: max_transaction_bytes(chain_id),
	};
	let sender = key.map(|key| Sender::new(contract.clone(), key, rules));
	Ok(Opened {
		contract,
		chain_id,
		sender,
	})
}

/// Relays until `cancel` is cancelled, or until the configuration turns out to be wrong.
pub async fn run(
	config: RelayConfig,
	chain: Chain,
	cancel: CancellationToken,
	metrics: Metrics,
) -> Result<(), RelayError> {
	config.check()?;
	let account = config
		.account
		.as_deref()
		.map(AccountKey::from_name_or_file)
		.transpose()?;
	let begun = Instant::now();
	let opened = loop {
		if begun.elapsed() >= config.alarm() {
			metrics.set_alarm(Alarm::Late, true);
		}
		match open(&config, &chain).await {
			Ok(opened) => break opened,
			Err(error) if error.is_permanent() => {
				metrics.set_alarm(Alarm::WrongContract, true);
				return Err(error);
			}
			Err(error) => tracing::warn!(%error, "waiting for the anchor"),
		}
		tokio::select! {
			() = cancel.cancelled() => return Ok(()),
			() = sleep(config.poll()) => {},
		}
	};
	tracing::info!(
		contract = %opened.contract.address(),
		chain_id = opened.chain_id,
		pays = ?opened.sender.as_ref().map(Sender::account),
		"the relayer starts"
	);
	let mut relay = Relay {
		chain,
		contract: opened.contract,
		chain_id: opened.chain_id,
		sender: opened.sender,
		account,
		checkpoints: Checkpoints::default(),
		inbox: InboxRelay::default(),
		conflicts: Conflicts::default(),
		watcher: Watcher::default(),
		seen: Seen::default(),
		moved: (0, begun),
		compared: None,
		config,
		metrics,
	};
	loop {
		// What is cut off in the middle is done again: nothing depends on what was done before.
		tokio::select! {
			() = cancel.cancelled() => return Ok(()),
			() = relay.look() => {},
		}
		tokio::select! {
			() = cancel.cancelled() => return Ok(()),
			() = sleep(relay.config.poll()) => {},
		}
	}
}

/// What a relayer needs from one look to the next.
struct Relay {
	chain: Chain,
	contract: Contract,
	chain_id: u64,
	sender: Option<Sender>,
	account: Option<AccountKey>,
	checkpoints: Checkpoints,
	inbox: InboxRelay,
	conflicts: Conflicts,
	watcher: Watcher,
	seen: Seen,
	/// Block of the contract's last checkpoint, and since when it is that one, by this machine's clock:
	/// a server that is stuck has no time of its own.
	moved: (BlockNumber, Instant),
	/// Root of the contract's that is known to be the chain's.
	compared: Option<H256>,
	config: RelayConfig,
	metrics: Metrics,
}

/// What both sides say at one look.
pub(crate) struct Sides {
	/// The chain at its last finalised block.
	pub(crate) view: View,
	/// Where the contract stands.
	pub(crate) status: Status,
	/// How old its last checkpoint is, as far as that is known.
	pub(crate) age_seconds: u64,
	/// Who signs checkpoints.
	pub(crate) set: Authorities,
	/// Keys of this node's validators.
	pub(crate) keys: Vec<[u8; 33]>,
}

impl Relay {
	/// One look at both sides, and what follows from it. Each part fails alone.
	async fn look(&mut self) {
		let Some(sides) = self
			.told("read", Self::sides(&self.chain, &self.contract))
			.await
		else {
			// What cannot be read for so long stands still, as far as anybody here knows.
			if self.moved.1.elapsed() >= self.config.alarm() {
				self.metrics.set_alarm(Alarm::Late, true);
			}
			return;
		};
		if sides.status.latest_block != self.moved.0 {
			self.moved = (sides.status.latest_block, Instant::now());
		}
		let own: Vec<Address> = sides.keys.iter().map(address_of).collect();
		let age = Duration::from_secs(sides.age_seconds).max(self.moved.1.elapsed());
		let (last, latest) = (sides.view.block().number, sides.status.latest_block);
		let is_late = is_late(last, latest, age, self.config.alarm());
		self.metrics.set_alarm(Alarm::Late, is_late);

		let root = self.compare(&sides).await;
		note(&self.metrics, "root", root);
		let scan = self
			.watcher
			.scan(&self.chain, &self.contract, &mut self.seen, &self.metrics)
			.await;
		note(&self.metrics, "scan", scan);
		let report = self
			.watcher
			.report(
				&sides.view,
				self.sender.as_mut(),
				self.account.as_ref(),
				&self.metrics,
			)
			.await;
		note(&self.metrics, "report", report);
		let checkpoint = self
			.checkpoints
			.tick(
				&sides,
				self.sender.as_mut(),
				&own,
				&self.config,
				&self.metrics,
			)
			.await;
		note(&self.metrics, "checkpoint", checkpoint);
		let inbox = self.inbox(&sides).await;
		let diverges = inbox.as_ref().is_err_and(RelayError::is_divergence);
		self.metrics.set_alarm(Alarm::Divergent, diverges);
		note(&self.metrics, "inbox", inbox);
	}

	async fn sides(chain: &Chain, contract: &Contract) -> Result<Sides, RelayError> {
		let view = chain.latest().await?;
		let status = contract.status().await?;
		// A server that is behind does not know the block yet.
		let age = contract.reads().age(status.last_epoch).await;
		let set = view.checkpoint_set().await?;
		let keys = keys_of_node(&view).await?;
		let empty = Authorities {
			id: 0,
			keys: Vec::new(),
			addresses: Vec::new(),
		};
		Ok(Sides {
			view,
			status,
			age_seconds: age.unwrap_or_default(),
			set: set.map_or(empty, Into::into),
			keys,
		})
	}

	/// Whether the contract's last root can be the chain's. What made it believe another one stands in its
	/// events, which servers may leave out; then this alone tells of it.
	async fn compare(&mut self, sides: &Sides) -> Result<(), RelayError> {
		let Status {
			latest_block,
			root,
			last_epoch,
			..
		} = sides.status;
		let is_right = if latest_block > sides.view.block().number {
			// This node may be behind, but no chain is ahead of its slots.
			let most = most_blocks(&sides.view.epoch().await?.info, now_ms());
			latest_block <= most.saturating_add(SOON)
		} else if root.is_zero() || self.compared == Some(root) {
			true
		} else {
			let is_right = ours::root(&self.chain, latest_block).await? == root;
			self.compared = is_right.then_some(root);
			is_right
		};
		if is_right {
			return Ok(());
		}
		// Whoever signed it stands there, if anywhere.
		self.watcher.look_at(last_epoch);
		self.metrics.set_alarm(Alarm::Fork, true);
		tracing::error!(
			block = latest_block,
			?root,
			"the contract believes what is not of this chain, or a server of the anchor lies"
		);
		Ok(())
	}

	async fn inbox(&mut self, sides: &Sides) -> Result<(), RelayError> {
		let ours = sides.view.anchor().await?;
		let Some(anchor) = ours.anchor else {
			return Ok(());
		};
		// That is between the chain and its validators: no server of the anchor is asked.
		let court = OnChain {
			chain: &self.chain,
			account: self.account.as_ref(),
		};
		let last = sides.view.block().number;
		let conflicts = self
			.conflicts
			.tick(&court, last, &ours, &anchor, &self.metrics)
			.await;
		note(&self.metrics, "conflicts", conflicts);
		let is_ours = anchor
			== AnchorId {
				chain_id: self.chain_id,
				contract: millrace_primitives::anchor::H160(self.contract.address().0),
			};
		self.metrics.set_alarm(Alarm::WrongContract, !is_ours);
		if !is_ours {
			return Ok(());
		}
		let scene = Scene {
			view: &sides.view,
			contract: &self.contract,
			anchor,
			ours: &ours,
			keys: &sides.keys,
			all: &sides.set.addresses,
			seen: &self.seen,
			config: &self.config,
			metrics: &self.metrics,
		};
		self.inbox.tick(&scene).await
	}

	/// A result, or nothing where it failed, which is told.
	async fn told<T>(
		&self,
		what: &str,
		work: impl Future<Output = Result<T, RelayError>>,
	) -> Option<T> {
		match work.await {
			Ok(value) => Some(value),
			Err(error) => {
				note(&self.metrics, what, Err(error));
				None
			}
		}
	}
}

/// Whether somebody should look why no checkpoint comes: the chain has gone on behind the last one, and that
/// is old.
fn is_late(last: BlockNumber, latest: BlockNumber, age: Duration, alarm: Duration) -> bool {
	last > latest && age >= alarm
}

/// The highest block that a chain can have at a time: no slot has two.
fn most_blocks(epoch: &EpochInfo, now_ms: u64) -> BlockNumber {
	let since = now_ms.saturating_sub(epoch.start_ms);
	// Without slots nothing can be said.
	let slots = since.checked_div(epoch.slot_ms).unwrap_or(u64::MAX);
	epoch
		.start
		.saturating_add(slots.try_into().unwrap_or(BlockNumber::MAX))
}

/// This machine's clock.
fn now_ms() -> u64 {
	let since = SystemTime::now().duration_since(UNIX_EPOCH);
	// A clock from before 1970 is none, and says nothing.
	since.map_or(u64::MAX, |since| {
		since.as_millis().try_into().unwrap_or(u64::MAX)
	})
}

/// Tells of a failure. It is tried again at the next look.
fn note(metrics: &Metrics, what: &str, outcome: Result<(), RelayError>) {
	let Err(error) = outcome else {
		return;
	};
	metrics.failures.with_label_values(&[what]).inc();
	match error.is_divergence() {
		true => tracing::error!(%error, what, "servers of the anchor contradict each other"),
		false => tracing::warn!(%error, what, "it is tried again"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::epoch::EpochLengths;

	#[test]
	fn no_checkpoint_is_late_while_there_is_nothing_to_check() {
		let alarm = Duration::from_secs(60);
		let hour = Duration::from_secs(3_600);
		assert!(is_late(101, 100, alarm, alarm));
		assert!(!is_late(101, 100, Duration::from_secs(59), alarm));
		assert!(!is_late(100, 100, hour, alarm), "the chain stands still");
		assert!(!is_late(99, 100, hour, alarm), "this node is behind");
	}

	#[test]
	fn a_chain_is_no_farther_than_its_slots() {
		let epoch = |start_ms, slot_ms| EpochInfo {
			index: 3,
			start: 1_000,
			start_ms,
			slot_ms,
			lengths: EpochLengths {
				len: 1_200,
				report_window: 300,
				fold_window: 300,
				answer_window: 300,
			},
		};
		let begun = 1_767_225_600_000;
		assert_eq!(most_blocks(&epoch(begun, 3_000), begun), 1_000);
		assert_eq!(most_blocks(&epoch(begun, 3_000), begun + 8_999), 1_002);
		assert_eq!(most_blocks(&epoch(begun, 3_000), begun - 1), 1_000);
		// A year of a node's absence explains no last block that there can be.
		let year = 365 * 86_400_000;
		assert!(most_blocks(&epoch(begun, 3_000), begun + year) + SOON < BlockNumber::MAX);
		assert_eq!(most_blocks(&epoch(begun, 0), begun), BlockNumber::MAX);
	}
}

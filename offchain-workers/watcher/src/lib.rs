//! # Millrace watcher
//!
//! Runs receipts again, challenges those that are false and demands data that are withheld. Whoever
//! keeps one earns the bounty of what it finds.
//!
//! - Receipts that audits open are fetched with their data and made again: quickly first, by the
//!   workers' engine, and what differs once more by the chain's own judge. Nothing is challenged that
//!   the judge does not call false, so that a mistake of an engine costs nobody a bond.
//! - Receipts that were received, by a gateway for example, are compared with what their peer reports:
//!   none may be left out, and none may share its number.
//! - Data that a peer does not give are demanded before the chain. What is posted stands in a block for
//!   everybody; what is not costs the peer stake.
//! - A challenge is a commitment, a reveal some blocks later, and a conclusion. Every step begins with
//!   what the chain says at a finalised block, so that it can be taken again after any death of the
//!   process. The salt of a commitment is on disk before the commitment is sent.
//!
//! [`run`] does all of it. The parts that look at one receipt can be used alone: [`falsehood`] says what
//! is wrong on its face, [`Sources`] gathers its data, [`Material`] makes its call again.

mod bodies;
mod checks;
mod config;
mod demands;
mod follow;
mod inspect;
mod material;
mod metrics;
mod press;
mod records;
mod reports;
mod rules;
mod shared;
mod sources;
mod web;

pub use config::{ConfigError, Mode, WatchConfig, MAX_OPEN_BONDS};
pub use inspect::{case_of, falsehood, is_authentic};
pub use material::{Material, Verdict};
pub use metrics::Metrics;
pub use records::StoreError;
pub use reports::{look_in_report, Reported};
pub use rules::Rules;
pub use shared::charge_code;
pub use sources::{CallData, Sources};
pub use web::{below, Web, WebError};

use follow::Watcher;
use millrace_client::{Chain, KeyError, ReadError};
use millrace_primitives::{
	effects::Transcript,
	execution::{Request, SignedReceipt},
};
use millrace_sandbox::Guests;
use shared::Shared;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

/// Pause between attempts to read the chain at the start.
const PAUSE: Duration = Duration::from_secs(2);

/// A receipt that somebody was given for a call, with what is known of the call. Its signature was
/// checked.
#[derive(Clone, Debug)]
pub struct Received {
	/// The receipt.
	pub receipt: SignedReceipt,
	/// What was asked.
	pub request: Request,
	/// What the guest was told from outside, if that is known.
	pub transcript: Option<Transcript>,
}

/// Why a watcher does not go on.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
	/// Its configuration cannot be used.
	#[error(transparent)]
	Config(#[from] ConfigError),
	/// Its account cannot be used.
	#[error("watch.account: {0}")]
	Account(#[from] KeyError),
	/// Its records cannot be used.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The chain refuses to be read.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// Its figures cannot be counted.
	#[error("the watcher's metrics cannot be set up: {0}")]
	Metrics(#[from] prometheus::Error),
}

/// Watches until `cancel` is cancelled or the disk fails. What is received comes by the channel, which
/// may be closed from the beginning.
pub async fn run(
	config: WatchConfig,
	chain: Chain,
	guests: Arc<dyn Guests>,
	received: mpsc::Receiver<Received>,
	cancel: CancellationToken,
) -> Result<(), WatchError> {
	run_with(config, chain, guests, received, cancel, Metrics::new()?).await
}

/// [`run`] for a program that shows the figures.
pub async fn run_with(
	config: WatchConfig,
	chain: Chain,
	guests: Arc<dyn Guests>,
	received: mpsc::Receiver<Received>,
	cancel: CancellationToken,
	metrics: Metrics,
) -> Result<(), WatchError> {
	let shared = loop {
		let opened = Shared::open(&config, chain.clone(), guests.clone(), metrics.clone()).await;
		match opened {
			Err(WatchError::Read(error)) if error.is_transient() => {
				tracing::warn!(%error, "the watcher waits for the node");
				tokio::select! {
					() = cancel.cancelled() => return Ok(()),
					() = sleep(PAUSE) => {},
				}
			}
			outcome => break outcome?,
		}
	};
	tracing::info!(account = %shared.account, mode = ?shared.mode, "the watcher starts");
	let watcher = Watcher::new(Arc::new(shared)).await?;
	watcher.follow(received, cancel).await
}

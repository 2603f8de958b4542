//! Waiting for the chain: with progress, an end, and patience with a node that restarts.

use crate::{
	errors::{CliError, Result},
	ui::Spinner,
};
use futures::StreamExt;
use millrace_client::{Chain, View};
use std::time::Duration;
use tokio::time::{timeout_at, Instant};

/// How it stands at a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress<T> {
	/// What was waited for is there.
	Done(T),
	/// It is not there yet; says how far it is.
	Waiting(String),
}

/// Looks at every finalised block until `probe` finds what is waited for. The inner error says how
/// it stood when the time was over.
pub(crate) async fn until<T>(
	chain: &Chain,
	what: &str,
	seconds: u64,
	mut probe: impl AsyncFnMut(&View) -> Result<Progress<T>>,
) -> Result<std::result::Result<T, String>> {
	let spinner = Spinner::start(format!("{what}: waiting for a block"));
	// Longer than anybody waits, and no overflow.
	let end = Instant::now() + Duration::from_secs(seconds.min(u64::from(u32::MAX)));
	let mut blocks = chain.finalized();
	let mut last = "no block was finalised".to_string();
	while let Ok(Some(block)) = timeout_at(end, blocks.next()).await {
		let step = async {
			let view = chain.at(block.hash).await?;
			probe(&view).await
		};
		match timeout_at(end, step).await {
			Ok(Ok(Progress::Done(found))) => return Ok(Ok(found)),
			Ok(Ok(Progress::Waiting(state))) => last = state,
			Ok(Err(error)) if passes(&error) => last = error.message,
			Ok(Err(error)) => return Err(error),
			Err(_) => break,
		}
		spinner.say(format!("{what}: {last} (block {})", block.number));
	}
	Ok(Err(last))
}

/// Whether the node is away for a moment rather than of another mind.
pub(crate) fn passes(error: &CliError) -> bool {
	matches!(&error.code[..], "node_unreachable" | "connection_lost")
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_client::{ConnectError, ReadError};

	#[test]
	fn a_node_that_restarts_ends_no_wait() {
		let away = ConnectError::Unreachable {
			url: "ws://127.0.0.1:1".into(),
			reason: "refused".into(),
		};
		assert!(passes(&ReadError::from(away).into()));
		assert!(passes(&ReadError::Lost("gone".into()).into()));
		let unknown = ReadError::Refused {
			what: "MarketApi_deal".into(),
			reason: "no such method".into(),
		};
		assert!(!passes(&unknown.into()));
	}
}

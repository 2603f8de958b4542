//! Waiting, never for ever.

use futures::StreamExt;
use millrace_client::{Chain, ReadError, View};
use std::time::Duration;
use tokio::time::{sleep, timeout, Instant};

/// Pause between two looks at something that is no block.
const PAUSE: Duration = Duration::from_millis(200);

/// Looks at each finalised block until `probe` has found what it looks for. A node that is away for
/// a while only costs time.
pub async fn until<T>(
	chain: &Chain,
	what: &str,
	limit: Duration,
	mut probe: impl AsyncFnMut(&View) -> Result<Option<T>, ReadError>,
) -> T {
	let deadline = Instant::now() + limit;
	let mut blocks = chain.finalized();
	let mut last = "no block was seen".to_string();
	loop {
		let left = deadline.saturating_duration_since(Instant::now());
		if left.is_zero() {
			panic!("{what}: not within {} s; {last}", limit.as_secs());
		}
		let Ok(Some(block)) = timeout(left, blocks.next()).await else {
			continue;
		};
		last = match look(chain, block.hash, &mut probe).await {
			Ok(Some(found)) => return found,
			Ok(None) => format!("the last block seen was {}", block.number),
			Err(error) => format!("block {} could not be read: {error}", block.number),
		};
	}
}

async fn look<T>(
	chain: &Chain,
	block: millrace_primitives::H256,
	probe: &mut impl AsyncFnMut(&View) -> Result<Option<T>, ReadError>,
) -> Result<Option<T>, ReadError> {
	let view = chain.at(block).await?;
	probe(&view).await
}

/// Looks again and again until `probe` succeeds; its error says what is still missing.
pub async fn eventually<T>(
	what: &str,
	limit: Duration,
	mut probe: impl AsyncFnMut() -> Result<T, String>,
) -> T {
	let deadline = Instant::now() + limit;
	loop {
		match probe().await {
			Ok(found) => return found,
			Err(missing) if Instant::now() >= deadline => {
				panic!("{what}: not within {} s; {missing}", limit.as_secs())
			}
			Err(_) => sleep(PAUSE).await,
		}
	}
}

//! What all subscriptions to our methods share: one task that follows finality, and a number of
//! places that no number of clients can exceed.

use super::error::Error;
use crate::service::Client;
use futures::{stream, Stream, StreamExt};
use millrace_runtime::Hash;
use sc_client_api::BlockchainEvents;
use sc_service::TaskManager;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};

/// Most subscriptions at a time, of all clients together: each asks the runtime once a block.
pub(super) const MAX_SUBSCRIPTIONS: usize = 256;

/// Handle to what they share.
#[derive(Clone)]
pub(crate) struct Subscriptions {
	finalised: watch::Receiver<Hash>,
	places: Arc<Semaphore>,
}

impl Subscriptions {
	/// Starts to follow finality. The client's stream of it has no bound, so it is read in one place
	/// that never waits for a subscriber.
	pub(crate) fn start(client: &Client, task_manager: &TaskManager) -> Self {
		// The stream comes first: a block finalised in between is then told twice, not missed.
		let mut blocks = client.finality_notification_stream();
		let (tell, finalised) = watch::channel(client.info().finalized_hash);
		let follow = async move {
			while let Some(block) = blocks.next().await {
				tell.send_replace(block.hash);
			}
		};
		task_manager
			.spawn_handle()
			.spawn("rpc-finality", Some("rpc"), follow);
		Self::new(finalised)
	}

	fn new(finalised: watch::Receiver<Hash>) -> Self {
		let places = Arc::new(Semaphore::new(MAX_SUBSCRIPTIONS));
		Self { finalised, places }
	}

	/// A place, free for others when it is dropped.
	pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
		let places = self.places.clone();
		places
			.try_acquire_owned()
			.map_err(|_| Error::TooManySubscriptions)
	}

	/// The last finalised block, then each later one. A slow reader misses blocks in between, never
	/// the newest.
	pub(super) fn blocks(&self) -> impl Stream<Item = Hash> + Send + 'static {
		let mut finalised = self.finalised.clone();
		finalised.mark_changed();
		stream::unfold(finalised, |mut finalised| async move {
			finalised.changed().await.ok()?;
			let hash = *finalised.borrow_and_update();
			Some((hash, finalised))
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::executor::block_on;

	#[test]
	fn places_are_bounded_and_come_back() {
		let (_tell, finalised) = watch::channel(Hash::zero());
		let subscriptions = Subscriptions::new(finalised);
		let mut taken: Vec<_> = (0..MAX_SUBSCRIPTIONS)
			.map(|_| subscriptions.place().expect("there are places left"))
			.collect();
		// A clone has no places of its own.
		let full = subscriptions.clone().place();
		assert!(matches!(full, Err(Error::TooManySubscriptions)));
		taken.pop();
		assert!(subscriptions.place().is_ok());
	}

	#[test]
	fn a_slow_reader_gets_the_newest_block() {
		let (tell, finalised) = watch::channel(Hash::repeat_byte(1));
		let mut blocks = Box::pin(Subscriptions::new(finalised).blocks());
		block_on(async {
			assert_eq!(blocks.next().await, Some(Hash::repeat_byte(1)));
			tell.send_replace(Hash::repeat_byte(2));
			tell.send_replace(Hash::repeat_byte(3));
			assert_eq!(blocks.next().await, Some(Hash::repeat_byte(3)));
			drop(tell);
			assert_eq!(blocks.next().await, None);
		});
	}
}

//! What all subscriptions to our methods share: one task that follows finality, and a number of
//! places that no number of clients can exceed.

use super::error::Error;
use crate::service::Client;
use futures::{stream, Stream, StreamExt};
use sc_client_api::BlockchainEvents;
use sc_service::TaskManager;
use std::sync::Arc;
use tokio::sync::{watch, OwnedSemaphorePermit, Semaphore};

/// Most subscriptions at a time, of all clients together: each asks the runtime once a block.
pub(super) const MAX_SUBSCRIPTIONS: usize = 256;

/// Handle to what they share.
#[derive(Clone)]
pub(crate) struct Subscriptions {
	finalised: watch::Receiver<()>,
	places: Arc<Semaphore>,
}

impl Subscriptions {
	/// Starts to follow finality. The client's stream of it has no bound, so it is read in one place
	/// that never waits for a subscriber.
	pub(crate) fn start(client: &Client, task_manager: &TaskManager) -> Self {
		let mut blocks = client.finality_notification_stream();
		let (tell, finalised) = watch::channel(());
		let follow = async move {
			while blocks.next().await.is_some() {
				tell.send_replace(());
			}
		};
		task_manager
			.spawn_handle()
			.spawn("rpc-finality", Some("rpc"), follow);
		Self::new(finalised)
	}

	fn new(finalised: watch::Receiver<()>) -> Self {
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

	/// Comes up at once, and again whenever more has been finalised. For a slow reader several times
	/// are one.
	pub(super) fn news(&self) -> impl Stream<Item = ()> + Send + 'static {
		let mut finalised = self.finalised.clone();
		finalised.mark_changed();
		stream::unfold(finalised, |mut finalised| async move {
			finalised.changed().await.ok()?;
			Some(((), finalised))
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::FutureExt;

	#[test]
	fn places_are_bounded_and_come_back() {
		let (_tell, finalised) = watch::channel(());
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
	fn a_slow_reader_is_told_once() {
		let (tell, finalised) = watch::channel(());
		let mut news = Box::pin(Subscriptions::new(finalised).news());
		assert_eq!(news.next().now_or_never(), Some(Some(())), "at once");
		assert_eq!(news.next().now_or_never(), None);
		tell.send_replace(());
		tell.send_replace(());
		assert_eq!(news.next().now_or_never(), Some(Some(())));
		assert_eq!(news.next().now_or_never(), None);
		drop(tell);
		assert_eq!(news.next().now_or_never(), Some(None));
	}
}

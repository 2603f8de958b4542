//! What our methods share: which block they read, and how subscriptions follow finality.

use super::{error::Error, subscriptions::Subscriptions};
use crate::service::Client;
use futures::{future, StreamExt};
use jsonrpsee::PendingSubscriptionSink;
use millrace_runtime::Hash;
use sc_rpc::{
	utils::{spawn_subscription_task, PendingSubscription, RingBuffer},
	SubscriptionTaskExecutor,
};
use serde::Serialize;
use sp_blockchain::HeaderBackend;
use std::sync::Arc;

/// Values that wait for a slow subscriber. Only the newest matter, so older ones make room.
const WAITING_VALUES: usize = 4;

/// The chain as our methods see it.
#[derive(Clone)]
pub(crate) struct Chain {
	client: Arc<Client>,
	subscriptions: Subscriptions,
	executor: SubscriptionTaskExecutor,
}

impl Chain {
	pub(crate) fn new(
		client: Arc<Client>,
		subscriptions: Subscriptions,
		executor: SubscriptionTaskExecutor,
	) -> Self {
		Self {
			client,
			subscriptions,
			executor,
		}
	}

	/// Reads at a block, or at the last finalised one.
	pub(crate) fn read<T>(
		&self,
		at: Option<Hash>,
		read: impl FnOnce(&Client, Hash) -> Result<T, Error>,
	) -> Result<T, Error> {
		let hash = match at {
			None => self.client.info().finalized_hash,
			Some(hash) => {
				let number = self
					.client
					.number(hash)
					.map_err(|e| Error::Node(e.to_string()))?;
				number.map(|_| hash).ok_or(Error::UnknownBlock(hash))?
			}
		};
		read(&self.client, hash)
	}

	/// Sends what `read` gives at the last finalised block, and again at each later one where it
	/// has changed. A block where it cannot be read is passed over. Refused where there are too many
	/// subscriptions.
	pub(crate) fn follow<T, F>(&self, pending: PendingSubscriptionSink, read: F)
	where
		T: Clone + PartialEq + Serialize + Send + Sync + 'static,
		F: Fn(&Client, Hash) -> Result<T, Error> + Send + 'static,
	{
		let place = match self.subscriptions.place() {
			Ok(place) => place,
			Err(full) => {
				let refuse = async move { pending.reject(full).await };
				return spawn_subscription_task(&self.executor, refuse);
			}
		};
		let client = self.client.clone();
		let mut last: Option<T> = None;
		let values = self.subscriptions.news().filter_map(move |()| {
			// As reads do: whoever has read a block is not shown the one before.
			let hash = client.info().finalized_hash;
			future::ready(match read(&client, hash) {
				Ok(value) if last.as_ref() != Some(&value) => {
					last = Some(value.clone());
					Some(value)
				}
				Ok(_) => None,
				Err(error) => {
					log::debug!(target: "rpc", "Subscription passes over {hash:?}: {error:?}");
					None
				}
			})
		});
		let feed = PendingSubscription::from(pending)
			.pipe_from_stream(values.boxed(), RingBuffer::new(WAITING_VALUES));
		spawn_subscription_task(&self.executor, async move {
			feed.await;
			drop(place);
		});
	}
}

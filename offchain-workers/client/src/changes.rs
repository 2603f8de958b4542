//! What a node tells by itself: a deal as it stands, and again whenever it has changed.

use crate::{
	chain::{lost, next_pause, refused, Chain, Link, BACKOFF, REQUEST_TIMEOUT},
	error::{ConnectError, ReadError},
	AccountId,
};
use futures::{stream::BoxStream, StreamExt};
use millrace_primitives::{views::DealView, DealId};
use serde::de::DeserializeOwned;
use std::{sync::Arc, time::Duration};
use subxt::rpcs::client::{rpc_params, RpcParams, RpcSubscription};
use tokio::time::{sleep, timeout};

/// Silence after which it is asked whether the connection still stands. Nothing need be wrong: a deal
/// may not change for hours.
const CHECK_EVERY: Duration = Duration::from_secs(20);

/// Values of a subscription, each unlike the one before. Ends behind an error alone; see
/// [`Chain::deal_changes`].
pub type Changes<T> = BoxStream<'static, Result<T, ReadError>>;
/// A deal after each of its changes; `None`: there is no such deal, or it is closed.
pub type DealChanges = Changes<Option<DealView<AccountId>>>;

/// What is subscribed to.
#[derive(Clone, Debug)]
struct Topic {
	subscribe: &'static str,
	unsubscribe: &'static str,
	params: RpcParams,
}

impl Chain {
	/// A deal as it stands, and again at finalised blocks where it has changed. A slow consumer misses
	/// values in between, never the newest.
	///
	/// Reconnects by itself, pausing longer each time. A node that comes back may first be behind what
	/// was seen before. A node that refuses, because it serves too many subscriptions or none of this
	/// kind, is an error, behind which the stream ends.
	pub fn deal_changes(&self, deal: DealId) -> DealChanges {
		self.changes(Topic {
			subscribe: "market_subscribeDeal",
			unsubscribe: "market_unsubscribeDeal",
			params: rpc_params![deal],
		})
	}

	fn changes<T>(&self, topic: Topic) -> Changes<T>
	where
		T: Clone + PartialEq + DeserializeOwned + Send + 'static,
	{
		let subscriber = Subscriber {
			chain: self.clone(),
			topic,
			subscription: None,
			last: None,
			pause: BACKOFF.0,
		};
		futures::stream::unfold(Some(subscriber), |subscriber| async move {
			let mut subscriber = subscriber?;
			match subscriber.next().await {
				Ok(value) => Some((Ok(value), Some(subscriber))),
				Err(error) => Some((Err(error), None)),
			}
		})
		.boxed()
	}
}

/// Follows one subscription over as many connections as it takes.
struct Subscriber<T> {
	chain: Chain,
	topic: Topic,
	subscription: Option<(Arc<Link>, RpcSubscription<T>)>,
	last: Option<T>,
	pause: Duration,
}

impl<T: Clone + PartialEq + DeserializeOwned> Subscriber<T> {
	async fn next(&mut self) -> Result<T, ReadError> {
		loop {
			let Some((link, values)) = &mut self.subscription else {
				self.subscribe().await?;
				continue;
			};
			let reason = match timeout(CHECK_EVERY, values.next()).await {
				Ok(Some(Ok(value))) => {
					self.pause = BACKOFF.0;
					// A new subscription begins with what stands, which may be known.
					if self.last.as_ref() == Some(&value) {
						continue;
					}
					self.last = Some(value.clone());
					return Ok(value);
				}
				Ok(Some(Err(error))) if !lost(&error) => {
					return Err(ReadError::Undecodable {
						what: self.topic.subscribe.into(),
						reason: error.to_string(),
					});
				}
				Ok(Some(Err(error))) => error.to_string(),
				Ok(None) => "the subscription ended".to_string(),
				Err(_) => {
					// A request finds out whether the connection is broken, and opens another one then.
					let answer = self.chain.latest().await;
					let present = self.chain.link().await;
					let stands = present.is_ok_and(|present| Arc::ptr_eq(&present, link));
					if answer.is_ok() && stands {
						continue;
					}
					"the connection broke".to_string()
				}
			};
			tracing::warn!(topic = self.topic.subscribe, %reason, "lost a subscription");
			link.give_up();
			self.subscription = None;
		}
	}

	/// One attempt; pauses after one that failed for want of a connection.
	async fn subscribe(&mut self) -> Result<(), ReadError> {
		let topic = &self.topic;
		let reason = match self.chain.link().await {
			Ok(link) => {
				let params = topic.params.clone();
				let asked = link
					.rpc
					.subscribe(topic.subscribe, params, topic.unsubscribe);
				let outcome = timeout(REQUEST_TIMEOUT, asked).await;
				let reason = match outcome {
					Ok(Ok(values)) => {
						self.subscription = Some((link, values));
						return Ok(());
					}
					Ok(Err(error)) if !lost(&error) => {
						return Err(refused(topic.subscribe, &error));
					}
					Ok(Err(error)) => error.to_string(),
					Err(_) => "no answer in time".to_string(),
				};
				link.give_up();
				reason
			}
			Err(error @ ConnectError::Unreachable { .. }) => error.to_string(),
			Err(error) => return Err(error.into()),
		};
		tracing::warn!(%reason, pause = ?self.pause, "no subscription yet");
		sleep(self.pause).await;
		self.pause = next_pause(self.pause);
		Ok(())
	}
}

#[cfg(test)]
mod tests;

//! The connection to a node: one per process, shared by clones, healed when it breaks.

use crate::{
	error::{ConnectError, ReadError},
	view::View,
};
use codec::{Decode, Encode};
use futures::{stream::BoxStream, FutureExt, StreamExt};
use millrace_primitives::{hash::blake2_256, BlockNumber, H256};
use std::{
	collections::HashMap,
	future::Future,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex,
	},
	time::Duration,
};
use subxt::{
	backend::LegacyBackend,
	config::{
		substrate::{SubstrateHeader, H256 as NodeHash},
		PolkadotConfig, RpcConfigFor,
	},
	rpcs::{client::RpcSubscription, methods::LegacyRpcMethods, Error as RpcError, RpcClient},
	OnlineClient,
};
use tokio::{
	sync::{Mutex as AsyncMutex, RwLock},
	time::{sleep, timeout},
};

/// Name that the runtime's version states.
const SPEC_NAME: &str = "millrace";
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for one answer; a runtime call of the heaviest view takes well under a second.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Silence after which a subscription counts as dead: many slots even of a slow chain. A chain
/// whose finality stalls costs one idle reconnection in this time.
const SILENCE: Duration = Duration::from_secs(60);
/// First and longest pause between attempts to reconnect. Daemons must have found a node that
/// restarts before the shortest window for duties of a fast chain, eight seconds, is over.
pub(crate) const BACKOFF: (Duration, Duration) =
	(Duration::from_millis(250), Duration::from_secs(2));

pub(crate) type Header = SubstrateHeader<NodeHash>;
pub(crate) type Methods = LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>;

/// A finalised block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalized {
	/// Its height.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: H256,
}

/// A block that something is read at.
pub type Block = Finalized;

/// Finalised blocks in ascending order. Never ends; see [`Chain::finalized`].
pub type FinalizedStream = BoxStream<'static, Finalized>;

/// Blocks that are the best ones when they come. Never ends; see [`Chain::best`].
pub type BestStream = BoxStream<'static, Block>;

/// A Millrace chain, reached through one node. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Chain {
	inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
	url: String,
	genesis: H256,
	link: RwLock<Arc<Link>>,
	/// One lock per signing account, so that two submissions never take one nonce.
	signers: Mutex<HashMap<[u8; 32], Arc<AsyncMutex<()>>>>,
}

/// One connection, from its handshake until it breaks.
#[derive(Debug)]
pub(crate) struct Link {
	/// For methods that only Millrace nodes or newer ones have.
	pub(crate) rpc: RpcClient,
	pub(crate) methods: Methods,
	pub(crate) client: OnlineClient<PolkadotConfig>,
	broken: AtomicBool,
}

impl Link {
	async fn open(url: &str) -> Result<Self, ConnectError> {
		match timeout(CONNECT_TIMEOUT, Self::handshake(url)).await {
			Ok(outcome) => outcome,
			Err(_) => Err(unreachable(url, "the node did not answer in time")),
		}
	}

	async fn handshake(url: &str) -> Result<Self, ConnectError> {
		let rpc = RpcClient::from_insecure_url(url)
			.await
			.map_err(|e| unreachable(url, e))?;
		let methods = Methods::new(rpc.clone());
		let best = methods
			.chain_get_finalized_head()
			.await
			.map_err(|e| unreachable(url, e))?;
		let version = methods
			.state_call("Core_version", None, Some(best))
			.await
			.map_err(|e| unreachable(url, e))?;
		// The version begins with the specification's name.
		let found = String::decode(&mut &version[..]).unwrap_or_default();
		if found != SPEC_NAME {
			return Err(ConnectError::NotMillrace {
				url: url.into(),
				found,
			});
		}
		// Old blocks of other chains never need decoding here.
		let config = PolkadotConfig::builder().use_historic_types(false).build();
		let backend = LegacyBackend::<PolkadotConfig>::builder().build(rpc.clone());
		let client = OnlineClient::from_backend_with_config(config, Arc::new(backend))
			.await
			.map_err(|e| unreachable(url, e))?;
		Ok(Self {
			rpc,
			methods,
			client,
			broken: AtomicBool::new(false),
		})
	}

	/// Says that this connection is of no use any more; the next request opens another.
	pub(crate) fn give_up(&self) {
		self.broken.store(true, Ordering::Relaxed);
	}

	fn is_broken(&self) -> bool {
		self.broken.load(Ordering::Relaxed)
	}
}

fn unreachable(url: &str, reason: impl ToString) -> ConnectError {
	ConnectError::Unreachable {
		url: url.into(),
		reason: reason.to_string(),
	}
}

impl Chain {
	/// Connects to a node's WebSocket, such as `ws://127.0.0.1:9944`.
	pub async fn connect(url: &str) -> Result<Self, ConnectError> {
		let link = Link::open(url).await?;
		let inner = Inner {
			url: url.into(),
			genesis: link.client.genesis_hash(),
			link: RwLock::new(Arc::new(link)),
			signers: Mutex::default(),
		};
		Ok(Self {
			inner: Arc::new(inner),
		})
	}

	/// The hash of the chain's first block: names the chain in everything that is signed.
	pub fn genesis(&self) -> H256 {
		self.inner.genesis
	}

	/// Where the node is.
	pub fn url(&self) -> &str {
		&self.inner.url
	}

	/// Whether the node calls its chain one for development or for tests on one machine.
	pub async fn is_for_development(&self) -> Result<bool, ReadError> {
		let kind = self
			.request("the chain's type", |methods| async move {
				methods.system_chain_type().await
			})
			.await?;
		Ok(matches!(kind.as_str(), "Development" | "Local"))
	}

	/// Reads at a block.
	pub async fn at(&self, hash: H256) -> Result<View, ReadError> {
		let header = self
			.request("a block's header", |methods| async move {
				methods.chain_get_header(Some(hash)).await
			})
			.await?
			.ok_or_else(|| ReadError::UnknownBlock(format!("{hash:?}")))?;
		let block = block_of(&header);
		Ok(View::new(self.clone(), Block { hash, ..block }))
	}

	/// Reads at the last finalised block.
	pub async fn latest(&self) -> Result<View, ReadError> {
		let hash = self
			.request("the last finalised block", |methods| async move {
				methods.chain_get_finalized_head().await
			})
			.await?;
		self.at(hash).await
	}

	/// Reads at a block whose height is known, which [`Self::at`] asks for first.
	pub fn view(&self, block: Block) -> View {
		View::new(self.clone(), block)
	}

	/// Finalised blocks from now on, the last one first. Reconnects by itself, pausing longer each
	/// time, and never ends.
	///
	/// Heights only grow, but some are missing: blocks that were finalised together, or while the
	/// consumer was busy, arrive as the newest of them. Who acts on the state at each block it
	/// sees needs no more.
	pub fn finalized(&self) -> FinalizedStream {
		self.follow(Heads::Finalized)
	}

	/// Best blocks from now on, in the manner of [`Self::finalized`]. Any of them may be taken back: the
	/// next one is then of another branch, and no higher. Only what is harmless in that case may be done
	/// at their sight.
	pub fn best(&self) -> BestStream {
		self.follow(Heads::Best)
	}

	fn follow(&self, heads: Heads) -> BoxStream<'static, Block> {
		let follower = Follower {
			chain: self.clone(),
			heads,
			subscription: None,
			last: None,
			pause: BACKOFF.0,
		};
		futures::stream::unfold(follower, |mut follower| async move {
			let block = follower.next().await;
			Some((block, follower))
		})
		.boxed()
	}

	/// Hash of the block of a height.
	pub(crate) async fn block_hash(&self, number: BlockNumber) -> Result<H256, ReadError> {
		self.request("a block's hash", |methods| async move {
			methods.chain_get_block_hash(Some(number.into())).await
		})
		.await?
		.ok_or_else(|| ReadError::UnknownBlock(number.to_string()))
	}

	/// The transactions of the block of a height, as they stand in it. Nodes keep these longer than the
	/// block's state.
	pub async fn block_body(&self, number: BlockNumber) -> Result<Vec<Vec<u8>>, ReadError> {
		let hash = self.block_hash(number).await?;
		let details = self
			.request("a block's body", |methods| async move {
				methods.chain_get_block(Some(hash)).await
			})
			.await?
			.ok_or_else(|| ReadError::UnknownBlock(number.to_string()))?;
		let transactions = details.block.extrinsics.into_iter();
		Ok(transactions.map(|bytes| bytes.0).collect())
	}

	/// The connection, opened again if it broke.
	pub(crate) async fn link(&self) -> Result<Arc<Link>, ConnectError> {
		let link = self.inner.link.read().await.clone();
		if !link.is_broken() {
			return Ok(link);
		}
		let mut slot = self.inner.link.write().await;
		if !slot.is_broken() {
			return Ok(slot.clone());
		}
		let fresh = Link::open(&self.inner.url).await?;
		let found = fresh.client.genesis_hash();
		if found != self.inner.genesis {
			let (url, expected) = (self.inner.url.clone(), self.inner.genesis);
			return Err(ConnectError::OtherGenesis {
				url,
				expected,
				found,
			});
		}
		tracing::info!(url = %self.inner.url, "reconnected to the node");
		*slot = Arc::new(fresh);
		Ok(slot.clone())
	}

	/// Makes a request that may be made twice, over a second connection if the first one breaks.
	pub(crate) async fn request<T, F, Fut>(&self, what: &str, request: F) -> Result<T, ReadError>
	where
		F: Fn(Methods) -> Fut,
		Fut: Future<Output = Result<T, RpcError>>,
	{
		let mut second_attempt = false;
		loop {
			let link = self.link().await?;
			let reason = match timeout(REQUEST_TIMEOUT, request(link.methods.clone())).await {
				Ok(Ok(answer)) => return Ok(answer),
				Ok(Err(error)) if !lost(&error) => return Err(refused(what, &error)),
				Ok(Err(error)) => error.to_string(),
				Err(_) => "no answer in time".to_string(),
			};
			link.give_up();
			if second_attempt {
				return Err(ReadError::Lost(reason));
			}
			second_attempt = true;
		}
	}

	/// The lock that whoever submits for an account holds.
	pub(crate) fn signer_lock(&self, account: &[u8; 32]) -> Arc<AsyncMutex<()>> {
		let mut signers = self.inner.signers.lock().unwrap_or_else(|e| e.into_inner());
		signers.entry(*account).or_default().clone()
	}
}

/// Whether an error is the connection's rather than the node's answer.
pub(crate) fn lost(error: &RpcError) -> bool {
	matches!(
		error,
		RpcError::Client(_) | RpcError::DisconnectedWillReconnect(_)
	)
}

pub(crate) fn refused(what: &str, error: &RpcError) -> ReadError {
	let reason = match error {
		RpcError::User(user) => match &user.data {
			Some(data) => format!("{} ({})", user.message, data.get()),
			None => user.message.clone(),
		},
		other => other.to_string(),
	};
	ReadError::Refused {
		what: what.into(),
		reason,
	}
}

fn block_of(header: &Header) -> Block {
	// Heights of this chain are 32 bits wide.
	let number = BlockNumber::try_from(header.number).unwrap_or(BlockNumber::MAX);
	Block {
		number,
		hash: blake2_256(&header.encode()),
	}
}

/// Which heads are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
	Finalized,
	Best,
}

impl Heads {
	fn name(self) -> &'static str {
		match self {
			Self::Finalized => "finalised",
			Self::Best => "best",
		}
	}

	/// Whether a block is news after the last one that was seen.
	fn is_news(self, block: Block, last: Option<Block>) -> bool {
		last.is_none_or(|last| match self {
			// A node that came back may first be behind what was seen before.
			Self::Finalized => block.number > last.number,
			Self::Best => block.hash != last.hash,
		})
	}
}

/// Follows heads over as many connections as it takes.
struct Follower {
	chain: Chain,
	heads: Heads,
	subscription: Option<(Arc<Link>, RpcSubscription<Header>)>,
	last: Option<Block>,
	pause: Duration,
}

impl Follower {
	async fn next(&mut self) -> Block {
		let which = self.heads.name();
		loop {
			let Some((link, heads)) = &mut self.subscription else {
				self.subscribe().await;
				continue;
			};
			let reason = match timeout(SILENCE, heads.next()).await {
				Ok(Some(Ok(header))) => {
					let mut newest = header;
					while let Some(Some(Ok(header))) = heads.next().now_or_never() {
						newest = header;
					}
					self.pause = BACKOFF.0;
					let block = block_of(&newest);
					if self.heads.is_news(block, self.last) {
						self.last = Some(block);
						return block;
					}
					continue;
				}
				Ok(Some(Err(error))) => error.to_string(),
				Ok(None) => "the subscription ended".to_string(),
				Err(_) => "no block came for long".to_string(),
			};
			tracing::warn!(%reason, "lost the stream of {which} blocks");
			link.give_up();
			self.subscription = None;
		}
	}

	/// One attempt; pauses after a failed one, so that nobody spins on a node that is away.
	async fn subscribe(&mut self) {
		let reason = match self.chain.link().await {
			Ok(link) => {
				let which = self.heads;
				let heads = async {
					match which {
						Heads::Finalized => link.methods.chain_subscribe_finalized_heads().await,
						Heads::Best => link.methods.chain_subscribe_new_heads().await,
					}
				};
				let outcome = timeout(REQUEST_TIMEOUT, heads).await;
				match outcome {
					Ok(Ok(heads)) => {
						self.subscription = Some((link, heads));
						return;
					}
					Ok(Err(error)) => {
						link.give_up();
						error.to_string()
					}
					Err(_) => {
						link.give_up();
						"no answer in time".to_string()
					}
				}
			}
			Err(error) => error.to_string(),
		};
		let which = self.heads.name();
		tracing::warn!(%reason, pause = ?self.pause, "no stream of {which} blocks yet");
		sleep(self.pause).await;
		self.pause = next_pause(self.pause);
	}
}

/// The pause after one that did not help.
pub(crate) fn next_pause(pause: Duration) -> Duration {
	pause.saturating_mul(2).min(BACKOFF.1)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[tokio::test]
	async fn a_node_that_is_not_there_is_an_error_and_no_hang() {
		let error = Chain::connect("ws://127.0.0.1:1")
			.await
			.expect_err("nothing listens there");
		assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
	}

	#[tokio::test]
	async fn what_is_no_url_is_an_error() {
		assert!(Chain::connect("nowhere").await.is_err());
	}

	#[test]
	fn pauses_grow_and_stay_short() {
		let pauses: Vec<_> =
			std::iter::successors(Some(BACKOFF.0), |pause| Some(next_pause(*pause)))
				.take(8)
				.collect();
		assert!(pauses.is_sorted(), "{pauses:?}");
		assert_eq!(pauses.last(), Some(&Duration::from_secs(2)));
	}

	#[test]
	fn finalised_blocks_never_go_back_and_best_ones_may() {
		let block = |number, byte| Block {
			number,
			hash: H256::repeat_byte(byte),
		};
		let last = Some(block(7, 1));
		let news = |heads: Heads, next| heads.is_news(next, last);
		for heads in [Heads::Finalized, Heads::Best] {
			assert!(heads.is_news(block(7, 1), None));
			assert!(news(heads, block(8, 2)));
			assert!(!news(heads, block(7, 1)));
		}
		// Another branch, as high as the one before or less so.
		for other in [block(7, 3), block(6, 3)] {
			assert!(!news(Heads::Finalized, other));
			assert!(news(Heads::Best, other));
		}
	}

	#[test]
	fn a_refusal_is_not_a_lost_connection() {
		let refusal = RpcError::User(subxt::rpcs::UserError::method_not_found());
		assert!(!lost(&refusal));
		assert!(lost(&RpcError::Client("gone".into())));
	}
}

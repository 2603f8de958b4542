//! `epochs_*`: where the chain stands.

use super::{chain::Chain, error::Error};
use crate::service::Client;
use jsonrpsee::{proc_macros::rpc, PendingSubscriptionSink};
use millrace_primitives::{epoch::EpochStatus, EpochIndex, H256};
use millrace_runtime::Hash;
use pallet_epochs::runtime_api::EpochsApi;
use sp_api::ProvideRuntimeApi;

/// The epoch clock.
#[rpc(server, namespace = "epochs")]
pub(crate) trait EpochsRpc {
	/// Epoch, position, window, seed and draw of a block.
	#[method(name = "current", blocking)]
	fn current(&self, at: Option<Hash>) -> Result<EpochStatus, Error>;

	/// Seed of an epoch; `null` before it is folded, and once it is forgotten.
	#[method(name = "seed", blocking)]
	fn seed(&self, epoch: EpochIndex, at: Option<Hash>) -> Result<Option<H256>, Error>;

	/// The state of the clock at every finalised block.
	#[subscription(
		name = "subscribeCurrent" => "currentChanged",
		unsubscribe = "unsubscribeCurrent",
		item = EpochStatus
	)]
	fn subscribe_current(&self);
}

/// Answers `epochs_*`.
pub(crate) struct Epochs {
	chain: Chain,
}

impl Epochs {
	pub(crate) fn new(chain: Chain) -> Self {
		Self { chain }
	}
}

impl EpochsRpcServer for Epochs {
	fn current(&self, at: Option<Hash>) -> Result<EpochStatus, Error> {
		self.chain.read(at, status)
	}

	fn seed(&self, epoch: EpochIndex, at: Option<Hash>) -> Result<Option<H256>, Error> {
		self.chain
			.read(at, |client, at| Ok(client.runtime_api().seed(at, epoch)?))
	}

	fn subscribe_current(&self, pending: PendingSubscriptionSink) {
		self.chain.follow(pending, status);
	}
}

fn status(client: &Client, at: Hash) -> Result<EpochStatus, Error> {
	Ok(client.runtime_api().status(at)?)
}

//! `capacity_*`: what peers promise.

use super::{chain::Chain, error::Error};
use jsonrpsee::proc_macros::rpc;
use millrace_primitives::{peer::PeerId, views::CommitmentView};
use millrace_runtime::{AccountId, Hash};
use pallet_capacity::runtime_api::CapacityApi;
use sp_api::ProvideRuntimeApi;

/// Commitments.
#[rpc(server, namespace = "capacity")]
pub(crate) trait CapacityRpc {
	/// A peer's commitment; `null` if it has none.
	#[method(name = "commitment", blocking)]
	fn commitment(
		&self,
		peer: PeerId,
		at: Option<Hash>,
	) -> Result<Option<CommitmentView<AccountId>>, Error>;
}

/// Answers `capacity_*`.
pub(crate) struct Capacity {
	chain: Chain,
}

impl Capacity {
	pub(crate) fn new(chain: Chain) -> Self {
		Self { chain }
	}
}

impl CapacityRpcServer for Capacity {
	fn commitment(
		&self,
		peer: PeerId,
		at: Option<Hash>,
	) -> Result<Option<CommitmentView<AccountId>>, Error> {
		self.chain.read(at, |client, at| {
			Ok(client.runtime_api().commitment(at, peer)?)
		})
	}
}

//! `capacity_*`: what peers promise, who stakes with them, and what that earns.

use super::{chain::Chain, error::Error};
use jsonrpsee::proc_macros::rpc;
use millrace_primitives::{
	commitment::{EarningsView, RoundView},
	peer::PeerId,
	views::CommitmentView,
};
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

	/// The round in which stake for a peer's commitment is taken; `null` if there is none.
	#[method(name = "round", blocking)]
	fn round(&self, peer: PeerId, at: Option<Hash>) -> Result<Option<RoundView<AccountId>>, Error>;

	/// What an account earned by its stakes: what it can claim, and what vests.
	#[method(name = "earnings", blocking)]
	fn earnings(&self, account: AccountId, at: Option<Hash>) -> Result<EarningsView, Error>;
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

	fn round(&self, peer: PeerId, at: Option<Hash>) -> Result<Option<RoundView<AccountId>>, Error> {
		self.chain
			.read(at, |client, at| Ok(client.runtime_api().round(at, peer)?))
	}

	fn earnings(&self, account: AccountId, at: Option<Hash>) -> Result<EarningsView, Error> {
		self.chain.read(at, |client, at| {
			Ok(client.runtime_api().earnings(at, account)?)
		})
	}
}

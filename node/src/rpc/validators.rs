//! `validators_*`: who has a seat, and what one takes.

use super::{chain::Chain, error::Error};
use jsonrpsee::proc_macros::rpc;
use millrace_primitives::validators::{ValidatorView, ValidatorsView};
use millrace_runtime::{AccountId, Hash};
use pallet_validators::runtime_api::ValidatorsApi;
use sp_api::ProvideRuntimeApi;

/// Seats, and those who want one.
#[rpc(server, namespace = "validators")]
pub(crate) trait ValidatorsRpc {
	/// The seats of the present session and of the one that was planned last, and what a seat takes.
	#[method(name = "list", blocking)]
	fn list(&self, at: Option<Hash>) -> Result<ValidatorsView<AccountId>, Error>;

	/// Where an account stands.
	#[method(name = "account", blocking)]
	fn account(&self, account: AccountId, at: Option<Hash>) -> Result<ValidatorView, Error>;
}

/// Answers `validators_*`.
pub(crate) struct Validators {
	chain: Chain,
}

impl Validators {
	pub(crate) fn new(chain: Chain) -> Self {
		Self { chain }
	}
}

impl ValidatorsRpcServer for Validators {
	fn list(&self, at: Option<Hash>) -> Result<ValidatorsView<AccountId>, Error> {
		self.chain
			.read(at, |client, at| Ok(client.runtime_api().validators(at)?))
	}

	fn account(&self, account: AccountId, at: Option<Hash>) -> Result<ValidatorView, Error> {
		self.chain.read(at, |client, at| {
			Ok(client.runtime_api().validator(at, account)?)
		})
	}
}

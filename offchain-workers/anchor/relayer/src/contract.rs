//! The contract on the anchor: its calls, its answers, its refusals.

mod artefact;
mod calls;
mod events;
mod refusal;
mod settings;
mod types;

pub use artefact::{Artefact, ANCHOR, TOKEN};
pub use calls::{read_deposit, read_forced, read_report, read_submission, Call};
#[cfg(test)]
pub(crate) use events::tests::events as signed_events;
pub use events::{read_signed, SignedPart};
pub use refusal::Refusal;
pub use settings::Settings;
pub use types::{AuthoritySet, AuthoritySets, Credit, Handover, Status, Submission};

use crate::evm::{abi::AbiError, Address, Reads, ReadsError};
use millrace_primitives::H256;

/// Why the contract's answer is of no use.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ContractError {
	/// The servers gave none that can be believed.
	#[error(transparent)]
	Reads(#[from] ReadsError),
	/// The contract refuses.
	#[error("the anchor's contract refuses: {0}")]
	Refused(Refusal),
	/// It is not encoded as that of our contract is.
	#[error("the contract's answer to {what} is not that of an anchor of Millrace: {reason}")]
	Form {
		/// What was asked.
		what: &'static str,
		/// What is wrong.
		reason: AbiError,
	},
}

impl ContractError {
	/// A failed read, with what the contract says if it was the contract.
	pub fn of(error: ReadsError) -> Self {
		match error.revert() {
			Some(bytes) => Self::Refused(Refusal::read(bytes)),
			None => Self::Reads(error),
		}
	}

	/// The error's name, if the contract refused.
	pub fn refusal(&self) -> Option<&str> {
		match self {
			Self::Refused(refusal) => Some(&refusal.name),
			_ => None,
		}
	}

	/// Whether servers contradict each other.
	pub fn is_divergence(&self) -> bool {
		matches!(self, Self::Reads(error) if error.is_divergence())
	}
}

/// The contract, read through the servers.
#[derive(Clone, Debug)]
pub struct Contract {
	reads: Reads,
	address: Address,
}

impl Contract {
	/// The contract at an address.
	pub fn new(reads: Reads, address: Address) -> Self {
		Self { reads, address }
	}

	/// Where it is.
	pub fn address(&self) -> Address {
		self.address
	}

	/// The servers.
	pub fn reads(&self) -> &Reads {
		&self.reads
	}

	/// Where it stands at the end of a block, as enough servers say.
	pub async fn status_at(&self, block: u64) -> Result<Status, ContractError> {
		let answer = self.at(&Call::Status, block).await?;
		Status::read(&answer).map_err(form("status"))
	}

	/// Where it stands now, as one server says. Nothing may be believed because of it.
	pub async fn status(&self) -> Result<Status, ContractError> {
		let answer = self.now(&Call::Status).await?;
		Status::read(&answer).map_err(form("status"))
	}

	/// The sets that it knows, as one server says.
	pub async fn authority_sets(&self) -> Result<AuthoritySets, ContractError> {
		let answer = self.now(&Call::AuthoritySets).await?;
		AuthoritySets::read(&answer).map_err(form("authoritySets"))
	}

	/// The accumulator after so many messages, at the end of a block, as enough servers say.
	pub async fn accumulator_at(&self, nonce: u64, block: u64) -> Result<H256, ContractError> {
		let answer = self.at(&Call::AccumulatorAt(nonce), block).await?;
		types::hash(&answer).map_err(form("accumulatorAt"))
	}

	/// The root of a checkpoint's block, at the end of a block of the anchor, as enough servers say.
	pub async fn root_at(&self, checkpoint: u32, block: u64) -> Result<H256, ContractError> {
		let answer = self.at(&Call::RootAt(checkpoint), block).await?;
		types::hash(&answer).map_err(form("rootAt"))
	}

	/// What is credited for a withdrawal, as one server says.
	pub async fn credit(&self, id: H256) -> Result<Credit, ContractError> {
		let answer = self.now(&Call::Credits(id)).await?;
		Credit::read(&answer).map_err(form("credits"))
	}

	/// Number of something that has no arguments, such as `minDeposit`, as one server says.
	pub async fn number(&self, name: &'static str) -> Result<u128, ContractError> {
		let answer = self.now(&Call::Getter(name)).await?;
		types::number(&answer).map_err(form(name))
	}

	/// Hash of the chain's first block, as enough servers say.
	pub async fn genesis_at(&self, block: u64) -> Result<H256, ContractError> {
		let answer = self.at(&Call::Getter("genesisHash"), block).await?;
		types::hash(&answer).map_err(form("genesisHash"))
	}

	/// The token.
	pub async fn flt(&self) -> Result<Address, ContractError> {
		let answer = self.now(&Call::Getter("flt")).await?;
		types::address(&answer).map_err(form("flt"))
	}

	/// FLT of an account, or of all accounts.
	pub async fn flt_balance(&self, account: Option<Address>) -> Result<u128, ContractError> {
		let token = self.flt().await?;
		let data = match account {
			Some(account) => calls::balance_of(account),
			None => calls::total_supply(),
		};
		let outcome = self.reads.call(Address::default(), token, &data).await;
		types::number(&outcome.map_err(ContractError::of)?).map_err(form("FLT"))
	}

	/// What a call would do now, if an account made it.
	pub async fn try_as(&self, from: Address, call: &Call) -> Result<Vec<u8>, ContractError> {
		let outcome = self.reads.call(from, self.address, &call.encode()).await;
		outcome.map_err(ContractError::of)
	}

	async fn now(&self, call: &Call) -> Result<Vec<u8>, ContractError> {
		self.try_as(Address::default(), call).await
	}

	async fn at(&self, call: &Call, block: u64) -> Result<Vec<u8>, ContractError> {
		let outcome = self
			.reads
			.call_at(self.address, &call.encode(), block)
			.await;
		outcome.map_err(ContractError::of)
	}
}

fn form(what: &'static str) -> impl FnOnce(AbiError) -> ContractError {
	move |reason| ContractError::Form { what, reason }
}

//! # Millrace anchor
//!
//! Carries checkpoints, withdrawals and deposits between a Millrace chain and the contracts of its anchor,
//! which stand in `offchain-workers/anchor/contracts`.
//!
//! - **Checkpoints**: what validators have signed goes to the contract, one for each session at least, at
//!   once where a message waits, else by the hour. Validators take turns; anybody may do it.
//! - **Messages to the chain**: what a validator's node signs about the contract's inbox is what enough
//!   servers of the anchor say of a final block. Where they contradict each other, nothing is signed.
//! - **Forks**: whatever was signed that is not of the chain is reported on both sides.
//! - **Conflicting votes**: who signs one thing about the inbox in one session and another in a later one is
//!   reported to the chain.
//!
//! An anchor is whatever answers the JSON-RPC of an EVM: any chain of Ethereum's kind, Filecoin's, and the
//! embedded one for development. What differs is known by the chain id.
//!
//! Nothing here is trusted by anybody: contract and chain check what they are shown. A relayer that dies, or
//! lies, costs time. State is on disk nowhere; each look begins with what both sides say.
//!
//! [`run`] does all of it. The parts can be used alone: [`Contract`] reads and [`Sender`] sends,
//! [`candidate`] says which checkpoint is due, [`verify`] checks a receipt down to a checkpoint without any
//! connection.

mod checkpoints;
pub mod commitment;
mod config;
mod conflicts;
pub mod contract;
mod evidence;
pub mod evm;
mod inbox;
pub mod leaf;
mod metrics;
pub mod ours;
mod preimages;
mod relay;
mod sender;
pub mod tree;
mod turns;
pub mod verify;
mod watch;

pub use checkpoints::{candidate, Candidate};
pub use config::{max_transaction_bytes, ConfigError, RelayConfig, FILECOIN_CHAINS, LOCAL_CHAIN};
pub use contract::Contract;
pub use metrics::{Alarm, Metrics};
pub use preimages::PreimageError;
pub use relay::{open, run, Opened};
pub use sender::{Progress, SendError, SendRules, Sender};

use contract::ContractError;
use evm::{Address, AnchorKeyError, ReadsError};
use millrace_client::{KeyError, ReadError};
use millrace_primitives::H256;
use ours::OursError;

/// Why a relayer does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
	/// Its configuration cannot be used.
	#[error(transparent)]
	Config(#[from] ConfigError),
	/// Its key on the anchor cannot be used.
	#[error("anchor.key: {0}")]
	Key(#[from] AnchorKeyError),
	/// Its account on the chain cannot be used.
	#[error("anchor.account: {0}")]
	Account(#[from] KeyError),
	/// The chain cannot be read.
	#[error(transparent)]
	Ours(#[from] OursError),
	/// The anchor cannot be read.
	#[error(transparent)]
	Reads(#[from] ReadsError),
	/// The contract cannot be read, or refuses.
	#[error(transparent)]
	Contract(#[from] ContractError),
	/// A transaction was not sent.
	#[error(transparent)]
	Send(#[from] SendError),
	/// Messages of the inbox are nowhere to be found.
	#[error(transparent)]
	Preimages(#[from] PreimageError),
	/// The chain names no contract, and the configuration neither.
	#[error("the chain names no contract on an anchor yet; name one with `contract`")]
	NoContract,
	/// The contract is that of another chain.
	#[error(
		"the contract at {contract} is of the chain with genesis {found:?}, not of {expected:?}"
	)]
	OtherChain {
		/// The contract.
		contract: Address,
		/// Hash of the first block of its chain.
		found: H256,
		/// That of this one.
		expected: H256,
	},
	/// The chain names another contract, or one on another anchor.
	#[error("the chain names the contract {expected} on chain {expected_chain}, not {found} on {found_chain}")]
	OtherContract {
		/// The contract that the chain names.
		expected: Address,
		/// Chain id of its anchor.
		expected_chain: u64,
		/// That of the configuration.
		found: Address,
		/// Chain id of the anchor that answers.
		found_chain: u64,
	},
	/// Its figures cannot be counted.
	#[error("the relayer's metrics cannot be set up: {0}")]
	Metrics(#[from] prometheus::Error),
}

impl From<ReadError> for RelayError {
	fn from(error: ReadError) -> Self {
		Self::Ours(error.into())
	}
}

impl RelayError {
	/// Whether the user has to set something right before it can go on.
	pub fn is_permanent(&self) -> bool {
		matches!(
			self,
			Self::Config(_)
				| Self::Key(_)
				| Self::Account(_)
				| Self::OtherChain { .. }
				| Self::OtherContract { .. }
				| Self::Metrics(_)
		)
	}

	/// Whether servers of the anchor contradict each other.
	pub fn is_divergence(&self) -> bool {
		match self {
			Self::Reads(error) => error.is_divergence(),
			Self::Contract(error) | Self::Send(SendError::Contract(error)) => error.is_divergence(),
			_ => false,
		}
	}
}

//! Errors of the anchor as a user meets them.

use crate::errors::{CliError, Kind};
use millrace_anchor::{
	contract::{ContractError, Refusal},
	evm::ReadsError,
	ours::OursError,
	verify::BundleError,
	RelayError, SendError,
};

impl From<RelayError> for CliError {
	fn from(error: RelayError) -> Self {
		match error {
			RelayError::Config(_) | RelayError::Key(_) | RelayError::Account(_) => {
				Self::usage("bad_anchor", error.to_string())
			}
			RelayError::Ours(error) => error.into(),
			RelayError::Reads(error) => error.into(),
			RelayError::Contract(error) => error.into(),
			RelayError::Send(error) => error.into(),
			RelayError::Preimages(error) => {
				Self::new(Kind::Network, "messages_missing", error.to_string())
			}
			RelayError::NoContract => Self::not_found("no_contract", error.to_string())
				.hint("`millrace anchor deploy` deploys one; governance names it on the chain"),
			RelayError::OtherChain { .. } | RelayError::OtherContract { .. } => {
				Self::new(Kind::Verification, "other_anchor", error.to_string())
			}
			RelayError::Metrics(error) => Self::daemon(error),
		}
	}
}

impl From<OursError> for CliError {
	fn from(error: OursError) -> Self {
		match error {
			OursError::Read(error) => error.into(),
			error => Self::new(Kind::Network, "checkpoint_unknown", error.to_string()),
		}
	}
}

impl From<ReadsError> for CliError {
	fn from(error: ReadsError) -> Self {
		let code = match &error {
			ReadsError::Divergent { .. } => "anchor_divergent",
			ReadsError::TooFew { .. } | ReadsError::Rpc(_) => "anchor_unreachable",
		};
		Self::new(Kind::Network, code, error.to_string())
			.hint("name servers of the anchor with --anchor, of different operators")
	}
}

impl From<ContractError> for CliError {
	fn from(error: ContractError) -> Self {
		match error {
			ContractError::Reads(error) => error.into(),
			ContractError::Refused(refusal) => refusal.into(),
			error @ ContractError::Form { .. } => {
				Self::new(Kind::Network, "other_contract", error.to_string())
			}
		}
	}
}

impl From<Refusal> for CliError {
	fn from(refusal: Refusal) -> Self {
		let message = format!("the anchor's contract refuses: {refusal}");
		Self::new(Kind::Refused, &refusal.name, message)
	}
}

impl From<SendError> for CliError {
	fn from(error: SendError) -> Self {
		let code = match &error {
			SendError::Contract(error) => return error.clone().into(),
			SendError::Funds { .. } => "anchor_funds",
			SendError::FeeLimit { .. } => "anchor_fee_limit",
			SendError::TooLong { .. } => "anchor_too_long",
			SendError::NotSigned => "anchor_not_signed",
			SendError::NotMined { .. } => "anchor_not_mined",
		};
		let hint =
			match &error {
				SendError::Funds { account, .. } => {
					format!("send coins of the anchor to {account}, or give another key by --anchor-key")
				}
				SendError::NotMined { .. } => {
					"look at `millrace anchor status` before you try again".into()
				}
				_ => "docs/anchor.md says what the anchor takes".into(),
			};
		Self::new(Kind::Failure, code, error.to_string()).hint(hint)
	}
}

impl From<BundleError> for CliError {
	fn from(error: BundleError) -> Self {
		match error {
			BundleError::Receipt(error) => error.into(),
			error => Self::new(Kind::Verification, "anchor_not_proven", error.to_string()),
		}
	}
}

//! Errors as a user meets them: a code for programs, a message for people, a hint what to do, and
//! the exit status that follows.

use crate::context::write_line;
use millrace_client::{
	amounts::AmountError, web::UrlError, ConnectError, KeyError, ReadError, SubmitError,
	VerifyError,
};
use serde_json::{json, Map, Value};
use std::process::ExitCode;

/// What every command returns.
pub(crate) type Result<T> = std::result::Result<T, CliError>;

/// Kinds of failure, one for each exit status. 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
	/// Anything that is none of the others: status 1.
	Failure = 1,
	/// Wrong option, argument, configuration or file: status 2, as for the command line itself.
	Usage = 2,
	/// The chain refused a transaction: status 3.
	Refused = 3,
	/// What was asked for is not there: status 4.
	NotFound = 4,
	/// A node, gateway or worker cannot be reached or answers nonsense: status 5.
	Network = 5,
	/// A receipt, proof or balance does not hold: status 6.
	Verification = 6,
}

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct CliError {
	/// Decides the exit status.
	pub(crate) kind: Kind,
	/// Machine-readable name in snake case, or the chain's own name of the error.
	pub(crate) code: String,
	/// What happened.
	pub(crate) message: String,
	/// What to do about it, where that is known.
	pub(crate) hint: Option<String>,
	/// What the command found out all the same: fields beside the error in JSON.
	pub(crate) details: Map<String, Value>,
}

impl CliError {
	/// An error of a kind.
	pub(crate) fn new(kind: Kind, code: &str, message: impl Into<String>) -> Self {
		Self {
			kind,
			code: code.into(),
			message: message.into(),
			hint: None,
			details: Map::new(),
		}
	}

	/// Wrong use.
	pub(crate) fn usage(code: &str, message: impl Into<String>) -> Self {
		Self::new(Kind::Usage, code, message)
	}

	/// Something is not there.
	pub(crate) fn not_found(code: &str, message: impl Into<String>) -> Self {
		Self::new(Kind::NotFound, code, message)
	}

	/// A daemon could not start, or had to end.
	pub(crate) fn daemon(error: impl Into<anyhow::Error>) -> Self {
		Self::new(
			Kind::Failure,
			"daemon_failed",
			format!("{:#}", error.into()),
		)
	}

	/// Adds what to do.
	pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
		self.hint = Some(hint.into());
		self
	}

	/// Adds what the command found out all the same.
	pub(crate) fn details(mut self, details: Map<String, Value>) -> Self {
		self.details = details;
		self
	}

	/// The status that the process ends with.
	pub(crate) fn exit_code(&self) -> ExitCode {
		ExitCode::from(self.kind as u8)
	}

	/// Writes the error to standard error in words, and to standard output as the command's one
	/// JSON object where that is asked for.
	pub(crate) fn print(&self, as_json: bool) {
		if as_json {
			write_line(&self.object().to_string());
		}
		eprintln!("error[{}]: {}", self.code, self.message);
		if let Some(hint) = &self.hint {
			eprintln!("  hint: {hint}");
		}
	}
}

impl CliError {
	/// The error as JSON.
	fn object(&self) -> Value {
		let mut object = self.details.clone();
		let error = json!({ "code": self.code, "message": self.message, "hint": self.hint });
		object.insert("error".into(), error);
		object.into()
	}
}

impl std::fmt::Display for CliError {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		f.write_str(&self.message)
	}
}

impl std::error::Error for CliError {}

impl From<ConnectError> for CliError {
	fn from(error: ConnectError) -> Self {
		let code = match &error {
			ConnectError::Unreachable { .. } => "node_unreachable",
			ConnectError::NotMillrace { .. } => "not_millrace",
			ConnectError::OtherGenesis { .. } => "other_genesis",
		};
		Self::new(Kind::Network, code, error.to_string())
			.hint("set the node's WebSocket URL with --node, MILLRACE_NODE or `node` in the config")
	}
}

impl From<ReadError> for CliError {
	fn from(error: ReadError) -> Self {
		match error {
			ReadError::Connect(error) => error.into(),
			ReadError::UnknownBlock(_) => Self::not_found("block_unknown", error.to_string()),
			ReadError::Undecodable { .. } => {
				Self::new(Kind::Network, "answer_undecodable", error.to_string())
					.hint("node and this tool are of different versions")
			}
			ReadError::Lost(_) => Self::new(Kind::Network, "connection_lost", error.to_string()),
			ReadError::Refused { .. } => {
				Self::new(Kind::Network, "read_refused", error.to_string())
			}
		}
	}
}

impl From<SubmitError> for CliError {
	fn from(error: SubmitError) -> Self {
		match error {
			SubmitError::Dispatch {
				pallet,
				error,
				docs,
			} => {
				let message = format!("the chain refused the transaction: {pallet}.{error}");
				let refused = Self::new(Kind::Refused, &error, message);
				if docs.is_empty() {
					refused
				} else {
					refused.hint(docs)
				}
			}
			SubmitError::Refused { .. } => {
				Self::new(Kind::Refused, "transaction_refused", error.to_string())
					.hint("see that the account has FLT for fees and deposits")
			}
			SubmitError::Connect(error) => error.into(),
			SubmitError::Read(error) => error.into(),
			SubmitError::Expired { .. } | SubmitError::Replaced { .. } => {
				Self::new(Kind::Failure, "not_included", error.to_string()).hint("submit it again")
			}
			SubmitError::NotFinalized(_) => {
				Self::new(Kind::Network, "not_finalised", error.to_string())
					.hint("the chain does not finalise; look before you submit again")
			}
			SubmitError::Call(_) | SubmitError::Extension(_) | SubmitError::Build(_) => {
				Self::new(Kind::Failure, "not_encoded", error.to_string())
					.hint("node and this tool are of different versions")
			}
		}
	}
}

impl From<KeyError> for CliError {
	fn from(error: KeyError) -> Self {
		Self::usage("bad_key", error.to_string()).hint(
			"--key takes the file of `millrace key generate account` or `millrace key import`, or \
			 the name of a development account such as //Bob",
		)
	}
}

impl From<UrlError> for CliError {
	fn from(error: UrlError) -> Self {
		Self::usage("bad_url", error.to_string())
	}
}

impl From<AmountError> for CliError {
	fn from(error: AmountError) -> Self {
		Self::usage("bad_amount", error.to_string())
	}
}

impl From<VerifyError> for CliError {
	fn from(error: VerifyError) -> Self {
		let kind = match &error {
			VerifyError::Read(_) => Kind::Network,
			VerifyError::NotReported { .. } | VerifyError::Forgotten(_) => Kind::NotFound,
			_ => Kind::Verification,
		};
		Self::new(kind, error.code(), error.to_string())
	}
}

impl From<anyhow::Error> for CliError {
	fn from(error: anyhow::Error) -> Self {
		Self::new(Kind::Failure, "failed", format!("{error:#}"))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_error_is_one_object_with_what_was_found_out() {
		let details = Map::from_iter([("gas".to_string(), Value::from(7))]);
		let error = CliError::not_found("deal_unknown", "there is no deal 7").details(details);
		assert_eq!(
			error.object(),
			json!({
				"gas": 7,
				"error": { "code": "deal_unknown", "message": "there is no deal 7", "hint": null },
			})
		);
	}

	#[test]
	fn the_chains_name_of_an_error_is_its_code() {
		let error = CliError::from(SubmitError::Dispatch {
			pallet: "Market".into(),
			error: "EscrowTooSmall".into(),
			docs: "Bring at least two epochs.".into(),
		});
		assert_eq!(error.kind, Kind::Refused);
		assert_eq!(error.code, "EscrowTooSmall");
		assert_eq!(error.hint.as_deref(), Some("Bring at least two epochs."));
	}
}

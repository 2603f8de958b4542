//! Errors of our methods. Each has a number, a name for programs and a hint for people.

use super::subscriptions::MAX_SUBSCRIPTIONS;
use jsonrpsee::types::{error::ErrorCode, ErrorObject, ErrorObjectOwned};
use millrace_primitives::views::MAX_DEALS_PAGE;
use millrace_runtime::Hash;
use serde_json::json;
use sp_api::ApiError;

/// Why a method has no answer.
#[derive(Debug)]
pub(crate) enum Error {
	/// No block of that hash.
	UnknownBlock(Hash),
	/// The block's state is pruned, or was never there.
	StateUnavailable(String),
	/// The runtime gave no answer.
	Runtime(String),
	/// The database gave no answer.
	Node(String),
	/// A page of no deals or of too many.
	PageOutOfRange(u32),
	/// All places for subscriptions are taken.
	TooManySubscriptions,
	/// Only for whoever sits at the node's machine.
	Unsafe,
	/// Another accumulator was signed for this number of messages.
	OtherVote(u64),
}

impl Error {
	const fn code(&self) -> i32 {
		match self {
			Self::UnknownBlock(_) => 7001,
			Self::StateUnavailable(_) => 7002,
			Self::Runtime(_) => 7003,
			Self::Node(_) => 7004,
			Self::PageOutOfRange(_) => 7005,
			Self::TooManySubscriptions => 7006,
			// As the SDK's own methods say it.
			Self::Unsafe => ErrorCode::MethodNotFound.code(),
			Self::OtherVote(_) => 7007,
		}
	}

	const fn name(&self) -> &'static str {
		match self {
			Self::UnknownBlock(_) => "block_unknown",
			Self::StateUnavailable(_) => "state_unavailable",
			Self::Runtime(_) => "runtime_failed",
			Self::Node(_) => "node_failed",
			Self::PageOutOfRange(_) => "page_out_of_range",
			Self::TooManySubscriptions => "too_many_subscriptions",
			Self::Unsafe => "unsafe_rpc_refused",
			Self::OtherVote(_) => "other_vote_signed",
		}
	}

	fn message(&self) -> String {
		match self {
			Self::UnknownBlock(hash) => format!("This node has no block {hash:?}"),
			Self::StateUnavailable(why) => format!("The state of this block is not here: {why}"),
			Self::Runtime(why) => format!("The runtime gave no answer: {why}"),
			Self::Node(why) => format!("The database gave no answer: {why}"),
			Self::PageOutOfRange(limit) => format!("A page cannot have {limit} deals"),
			Self::TooManySubscriptions => {
				format!("This node serves {MAX_SUBSCRIPTIONS} subscriptions, and all are taken")
			}
			Self::Unsafe => "RPC call is unsafe to be called externally".into(),
			Self::OtherVote(nonce) => {
				format!("This node has signed another accumulator over {nonce} messages")
			}
		}
	}

	fn hint(&self) -> String {
		match self {
			Self::UnknownBlock(_) => {
				"Leave the hash out to read the last finalised block, or wait until the node has \
				 synced."
					.into()
			}
			Self::StateUnavailable(_) => {
				"Old states are pruned: ask a node that runs with --state-pruning archive.".into()
			}
			Self::Runtime(_) => {
				"The block's runtime may be older than this node's method; the node's log says \
				 more."
					.into()
			}
			Self::Node(_) => "The node's log says more.".into(),
			Self::PageOutOfRange(_) => format!(
				"Ask for 1 to {MAX_DEALS_PAGE} deals, and for the next page from the last one's \
				 index plus 1."
			),
			Self::TooManySubscriptions => {
				"End those that nobody reads, call the method that answers once instead, or ask \
				 another node."
					.into()
			}
			Self::Unsafe => {
				"Ask the node on its own machine, or start it with --rpc-methods unsafe where \
				 nobody else reaches it."
					.into()
			}
			Self::OtherVote(_) => {
				"The anchor's servers say something else than before: one of them has lied, or the \
				 anchor has taken back what was final. Governance sets the inbox anew."
					.into()
			}
		}
	}
}

impl From<ApiError> for Error {
	fn from(error: ApiError) -> Self {
		match error {
			ApiError::UnknownBlock(why) => Self::StateUnavailable(why),
			other => Self::Runtime(other.to_string()),
		}
	}
}

impl From<Error> for ErrorObjectOwned {
	fn from(error: Error) -> Self {
		let data = json!({ "code": error.name(), "hint": error.hint() });
		ErrorObject::owned(error.code(), error.message(), Some(data))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_error_tells_programs_its_name_and_people_what_to_do() {
		let object = ErrorObjectOwned::from(Error::PageOutOfRange(101));
		assert_eq!(object.code(), 7005);
		let data = object.data().expect("every error has data").get();
		assert!(data.contains("page_out_of_range") && data.contains("1 to 100"));
	}

	#[test]
	fn a_pruned_state_is_not_blamed_on_the_runtime() {
		let error = Error::from(ApiError::UnknownBlock("State already discarded".into()));
		assert_eq!(error.name(), "state_unavailable");
	}
}

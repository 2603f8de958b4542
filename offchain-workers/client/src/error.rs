//! What can go wrong between this process and a node.

use millrace_primitives::H256;

/// Why there is no connection to a chain.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
	/// The node does not answer.
	#[error("no node answers at {url}: {reason}")]
	Unreachable {
		/// Where it was looked for.
		url: String,
		/// What the transport says.
		reason: String,
	},
	/// The node runs some other chain.
	#[error("{url} runs \"{found}\", which is no Millrace chain")]
	NotMillrace {
		/// Where the node is.
		url: String,
		/// Its specification's name.
		found: String,
	},
	/// The node runs another Millrace chain than before.
	#[error("{url} has genesis {found:?}, but this process works on {expected:?}")]
	OtherGenesis {
		/// Where the node is.
		url: String,
		/// The chain that was connected to first.
		expected: H256,
		/// The chain that is there now.
		found: H256,
	},
}

/// Why a read has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
	/// There is no connection, and a second attempt did not bring one.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// The connection broke twice while the answer was awaited.
	#[error("the connection to the node was lost: {0}")]
	Lost(String),
	/// The node refused the request.
	#[error("the node refused {what}: {reason}")]
	Refused {
		/// What was asked.
		what: String,
		/// What the node says.
		reason: String,
	},
	/// The node knows no such block, or not any more.
	#[error("the node does not know block {0}")]
	UnknownBlock(String),
	/// The answer is not what this version of the client expects.
	#[error("{what} answers in a form that this client does not know: {reason}")]
	Undecodable {
		/// What was asked.
		what: String,
		/// Where decoding stopped.
		reason: String,
	},
}

impl ReadError {
	/// Whether the same read may succeed later without anyone changing anything.
	pub fn is_transient(&self) -> bool {
		matches!(
			self,
			Self::Connect(ConnectError::Unreachable { .. }) | Self::Lost(_)
		)
	}
}

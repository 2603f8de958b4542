//! Calls of the Sudo pallet, which development chains alone have.

use super::{Args, Call};

/// Makes a call as root; its own failure is the transaction's, see
/// [`crate::SubmitError::Dispatch`].
pub fn sudo(call: Call) -> Call {
	Call {
		pallet: "Sudo".into(),
		name: "sudo".into(),
		args: Args::Call(Box::new(call)),
	}
}

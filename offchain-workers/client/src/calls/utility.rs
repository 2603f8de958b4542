//! Calls of the Utility pallet.

use super::{Args, Call};

/// Several calls in one transaction: all of them happen or none.
pub fn batch_all(calls: Vec<Call>) -> Call {
	Call {
		pallet: "Utility".into(),
		name: "batch_all".into(),
		args: Args::Calls(calls),
	}
}

//! What clients and nodes ask the runtime.

use alloc::vec::Vec;
use millrace_primitives::governance::ParameterInfo;

sp_api::decl_runtime_apis! {
	/// Parameters that a vote can change.
	pub trait GovernanceApi {
		/// All of them, by group: what was voted, what is in force, and what may be proposed.
		fn parameters() -> Vec<ParameterInfo>;
	}
}

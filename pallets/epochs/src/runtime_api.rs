//! What nodes and daemons ask the clock.

use millrace_primitives::epoch::EpochStatus;

sp_api::decl_runtime_apis! {
	/// The epoch clock at a block.
	pub trait EpochsApi {
		/// The epoch, position, window, seed and draw.
		fn status() -> EpochStatus;
	}
}

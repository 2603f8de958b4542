//! What nodes and daemons ask the clock.

use millrace_primitives::{epoch::EpochStatus, EpochIndex, H256};

sp_api::decl_runtime_apis! {
	/// The epoch clock at a block.
	#[api_version(2)]
	pub trait EpochsApi {
		/// The epoch, position, window, seed and draw.
		fn status() -> EpochStatus;
		/// Seed of an epoch, as long as it is remembered.
		#[api_version(2)]
		fn seed(epoch: EpochIndex) -> Option<H256>;
	}
}

//! What clients and daemons ask the runtime.

use alloc::vec::Vec;
use millrace_primitives::{
	execution::SignedReceipt, peer::PeerId, views::ReportRecord, EpochIndex,
};

sp_api::decl_runtime_apis! {
	/// Reports and opened receipts, as long as they are remembered.
	pub trait ReceiptsApi {
		/// What the chain keeps of a peer's report of an epoch.
		fn report(peer: PeerId, epoch: EpochIndex) -> Option<ReportRecord>;
		/// Receipts that a peer opened in its audit of an epoch.
		fn opened(peer: PeerId, epoch: EpochIndex) -> Vec<SignedReceipt>;
	}
}

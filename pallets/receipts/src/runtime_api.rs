//! What clients and daemons ask the runtime.

use crate::ReceiptsParams;
use alloc::vec::Vec;
use codec::Codec;
use millrace_primitives::{
	challenge::{CaseView, OwedEvidence, Wanted},
	execution::SignedReceipt,
	peer::PeerId,
	views::ReportRecord,
	BlockNumber, EpochIndex, H256,
};

sp_api::decl_runtime_apis! {
	/// Reports and opened receipts, as long as they are remembered, and what stands against them.
	#[api_version(2)]
	pub trait ReceiptsApi<AccountId>
	where
		AccountId: Codec,
	{
		/// What the chain keeps of a peer's report of an epoch.
		fn report(peer: PeerId, epoch: EpochIndex) -> Option<ReportRecord>;
		/// Receipts that a peer opened in its audit of an epoch, but for those that are void.
		fn opened(peer: PeerId, epoch: EpochIndex) -> Vec<SignedReceipt>;
		/// What a peer owes to challengers at this block.
		fn owed_evidence(peer: PeerId) -> OwedEvidence;
		/// Cases against a peer, claims that it can still refute among them.
		fn cases(peer: PeerId) -> Vec<CaseView<AccountId>>;
		/// Data that are demanded of a peer: epoch and number of the receipt, what is wanted, and
		/// the last block in which it can be posted.
		fn demands(peer: PeerId) -> Vec<(EpochIndex, u32, Wanted, BlockNumber)>;
		/// The block in which a package was posted.
		fn posted(package: H256) -> Option<BlockNumber>;
		/// Parameters for what is committed and demanded from now on.
		fn params() -> ReceiptsParams;
	}
}

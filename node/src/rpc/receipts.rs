//! `receipts_*`: what the chain keeps of reports.

use super::{chain::Chain, error::Error};
use jsonrpsee::proc_macros::rpc;
use millrace_primitives::{peer::PeerId, views::ReportRecord, EpochIndex};
use millrace_runtime::Hash;
use pallet_receipts::runtime_api::ReceiptsApi;
use sp_api::ProvideRuntimeApi;

/// Reports.
#[rpc(server, namespace = "receipts")]
pub(crate) trait ReceiptsRpc {
	/// Hash of a peer's report of an epoch; `null` if it sent none or it is no longer kept.
	#[method(name = "report", blocking)]
	fn report(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
		at: Option<Hash>,
	) -> Result<Option<ReportRecord>, Error>;
}

/// Answers `receipts_*`.
pub(crate) struct Receipts {
	chain: Chain,
}

impl Receipts {
	pub(crate) fn new(chain: Chain) -> Self {
		Self { chain }
	}
}

impl ReceiptsRpcServer for Receipts {
	fn report(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
		at: Option<Hash>,
	) -> Result<Option<ReportRecord>, Error> {
		self.chain.read(at, |client, at| {
			Ok(client.runtime_api().report(at, peer, epoch)?)
		})
	}
}

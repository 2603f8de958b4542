//! What workers do besides reports: they answer probes with receipts, and redeem what clients signed.

use super::{
	chain::{send, send_duty},
	seldom::goes_on,
	world::{machine_of, World},
};
use crate::errors::scene::{genesis_hash, key, now, sign};
use millrace_client::calls;
use millrace_primitives::{
	billing::{redeem_hash, voucher_hash, Billing, Voucher},
	execution::{empty_transcript, response_hash, CallStatus, Receipt, SignedReceipt},
	market::WorkerStatus,
	peer::PeerId,
	traits::{EpochClock, WorkInspector},
	DealId, EpochIndex, Gas,
};
use millrace_runtime::{Epochs, Market, Runtime, System};
use pallet_market::{Call, Probes, Specs, Vouchers, Workers};

/// A machine that there is none of: its key is that of all clients.
const CLIENT: u16 = 1_000;
/// Gas of an epoch that costs its whole price, where gas is billed.
const FULL_GAS: Gas = 1_000;
/// Gas that each deal's worker reports.
pub(super) const GAS: Gas = FULL_GAS / 3;

/// How deals are billed that pay for gas.
pub(super) fn by_gas() -> Billing {
	Billing::Gas {
		full_gas: FULL_GAS,
		voucher_key: key(CLIENT),
	}
}

/// The receipt that answers a probe in this block.
fn answer(deal: DealId, peer: PeerId) -> Option<SignedReceipt> {
	let probe = Probes::<Runtime>::get(deal, peer)?;
	let n = machine_of(peer)?;
	let (epoch, block) = (now().0, System::block_number());
	let package = Specs::<Runtime>::get(deal)?.package.hash;
	let terms = Market::call_terms(deal, package, epoch, block).ok()?;
	let receipt = Receipt {
		genesis: genesis_hash(),
		seed: <Epochs as EpochClock>::seed(epoch)?,
		deal,
		peer,
		epoch,
		seq: 0,
		package,
		profile: terms.profile,
		terms: terms.hash(genesis_hash()),
		request: probe.request,
		response: response_hash(b""),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 1,
		block,
	};
	let signature = sign(n, receipt.hash());
	Some(SignedReceipt { receipt, signature })
}

/// What a worker redeems next, with its own signature over it.
fn redemption(deal: DealId, peer: PeerId, since: EpochIndex) -> Option<calls::Call> {
	let n = machine_of(peer)?;
	let redeemed = Vouchers::<Runtime>::get(deal, peer).unwrap_or_default();
	let cumulative = redeemed.cumulative + 2 * GAS;
	let genesis = genesis_hash();
	let signature = sign(CLIENT, voucher_hash(genesis, deal, peer, since, cumulative));
	let voucher = Voucher {
		cumulative,
		signature,
	};
	let own = sign(n, redeem_hash(genesis, peer, deal, since, cumulative));
	Some(calls::market::redeem(peer, deal, voucher, own))
}

impl World {
	/// Somebody asks one over the chain who works for a deal in this epoch.
	pub(super) fn probe_who_serves(&mut self) -> bool {
		let (who, epoch) = (self.passer(), now().0);
		let serving: Vec<(DealId, PeerId)> = Workers::<Runtime>::iter()
			.filter(|(deal, peer, worker)| {
				worker.is_due(epoch)
					&& goes_on(*deal)
					&& !Probes::<Runtime>::contains_key(deal, peer)
			})
			.map(|(deal, peer, _)| (deal, peer))
			.collect();
		let body = Default::default();
		self.rare
			.pick(&serving)
			.is_some_and(|(deal, peer)| send(who, Call::<Runtime>::probe { deal, peer, body }))
	}

	/// One that was asked answers, if it does so in this block. Some never do.
	pub(super) fn answer_probe(&mut self) -> Option<bool> {
		let open: Vec<(DealId, PeerId)> = Probes::<Runtime>::iter_keys().collect();
		let (deal, peer) = self.rare.pick(&open).filter(|_| self.rare.one_in(3))?;
		let receipt = answer(deal, peer)?;
		Some(send_duty(&calls::market::answer_probe(
			peer, deal, &receipt,
		)))
	}

	/// A worker of a deal that is billed by gas redeems a voucher, which the client signs for more than it
	/// has reported.
	pub(super) fn redeem(&mut self) -> bool {
		let epoch = now().0;
		let due: Vec<(DealId, PeerId, EpochIndex)> = Workers::<Runtime>::iter()
			.filter(|(deal, peer, _)| {
				let last = Vouchers::<Runtime>::get(deal, peer);
				last.is_none_or(|redeemed| redeemed.epoch < epoch)
			})
			.filter(|(deal, _, _)| {
				let spec = Specs::<Runtime>::get(deal);
				spec.is_some_and(|spec| spec.billing.voucher_key().is_some())
			})
			.filter_map(|(deal, peer, worker)| match worker.status {
				WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => {
					Some((deal, peer, since))
				}
				WorkerStatus::Assigned { .. } => None,
			})
			.collect();
		self.rare
			.pick(&due)
			.and_then(|(deal, peer, since)| redemption(deal, peer, since))
			.is_some_and(|call| send_duty(&call))
	}
}

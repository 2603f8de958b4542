//! What the pallets know of each other: narrow views, so that each can be tested alone.

use crate::{
	audit::ReceiptOpening,
	epoch::{EpochInfo, Phase},
	peer::{PeerId, PeerKey},
	report::{Report, Served},
	BlockNumber, EpochIndex, H256,
};
use alloc::vec::Vec;
use sp_weights::Weight;

/// The epoch clock.
pub trait EpochClock {
	/// The epoch of this block.
	fn current() -> EpochInfo;
	/// The epoch before, unless this is the first.
	fn previous() -> Option<EpochInfo>;
	/// Counted blocks since the current epoch's start.
	fn position() -> u32;
	/// The window that this block lies in.
	fn phase() -> Phase;
	/// Seed of an epoch, as long as it is remembered.
	fn seed(epoch: EpochIndex) -> Option<H256>;
	/// Draw over an epoch's reports, once folded and as long as it is remembered.
	fn draw(epoch: EpochIndex) -> Option<H256>;
	/// Genesis hash of the chain.
	fn genesis() -> H256;
	/// Last epoch that is closed: reported, drawn and audited.
	fn last_closed() -> Option<EpochIndex> {
		let current = Self::current().index;
		match Self::phase() {
			Phase::Rest => current.checked_sub(1),
			_ => current.checked_sub(2),
		}
	}
}

/// Told of the clock's borders, in the first block that lies behind them.
pub trait OnEpoch {
	/// An epoch has begun; its seed is known.
	fn on_epoch_start(info: &EpochInfo) -> Weight;
	/// The draw over the reports of an epoch is known.
	fn on_draw(epoch: EpochIndex, draw: H256) -> Weight;
}

impl OnEpoch for () {
	fn on_epoch_start(_: &EpochInfo) -> Weight {
		Weight::zero()
	}
	fn on_draw(_: EpochIndex, _: H256) -> Weight {
		Weight::zero()
	}
}

/// The registry of peers.
pub trait PeerRegistry<AccountId> {
	/// Owner of a peer.
	fn provider_of(peer: PeerId) -> Option<AccountId>;
	/// Key of a peer at a block; signatures count only inside a key's interval.
	fn key_at(peer: PeerId, block: BlockNumber) -> Option<PeerKey>;
}

/// Whether something still stands on a peer, so that it cannot be removed.
pub trait PeerUse {
	/// A commitment, an offer, a worker or an open case.
	fn in_use(peer: PeerId) -> bool;
	/// The peer is removed: rows that only told of its past go with it.
	fn forget(peer: PeerId);
	/// Weight of [`Self::in_use`] and [`Self::forget`] at their bound.
	fn weight() -> Weight;
}

impl PeerUse for () {
	fn in_use(_: PeerId) -> bool {
		false
	}
	fn forget(_: PeerId) {}
	fn weight() -> Weight {
		Weight::zero()
	}
}

impl<A: PeerUse, B: PeerUse> PeerUse for (A, B) {
	fn in_use(peer: PeerId) -> bool {
		A::in_use(peer) || B::in_use(peer)
	}
	fn forget(peer: PeerId) {
		A::forget(peer);
		B::forget(peer);
	}
	fn weight() -> Weight {
		A::weight().saturating_add(B::weight())
	}
}

/// What the market asks of capacity.
pub trait Capacity {
	/// Settles the closed epochs of a peer, at most as many as one step may. The weight that it
	/// took, never more than [`Self::settle_weight`].
	fn settle(peer: PeerId) -> Weight;
	/// Whether every closed epoch of a peer is settled.
	fn is_settled(peer: PeerId) -> bool;
	/// Units that were proven and not voided, idle and at work, in the last epoch that is settled;
	/// zero without an active commitment. Up to date only where [`Self::is_settled`].
	fn proven_units(peer: PeerId) -> u32;
	/// Weight of one [`Self::settle`] at its bound.
	fn settle_weight() -> Weight;
}

/// What capacity asks of the market: the units at work and what is paid for them.
pub trait WorkLedger {
	/// Units at work at the start of an epoch: the current one or the one before.
	fn busy_units(peer: PeerId, epoch: EpochIndex) -> u32;
	/// A peer reported the epoch that has just ended. Deals that it does not work for are ignored.
	fn on_report(peer: PeerId, epoch: EpochIndex, served: &[Served]);
	/// An epoch of a peer is closed: its reported deals are paid, unless it is void. The weight
	/// that it took, never more than [`Self::on_settled_weight`].
	fn on_settled(peer: PeerId, epoch: EpochIndex, void: bool) -> Weight;
	/// A peer's commitment is over: its workers end without pay for what is not served. The weight
	/// that it took, never more than [`Self::on_settled_weight`].
	fn on_commitment_over(peer: PeerId) -> Weight;
	/// Weight of [`Self::on_report`] with so many deals.
	fn on_report_weight(served: u32) -> Weight;
	/// Weight of [`Self::on_settled`] or [`Self::on_commitment_over`] at their bound.
	fn on_settled_weight() -> Weight;
}

impl WorkLedger for () {
	fn busy_units(_: PeerId, _: EpochIndex) -> u32 {
		0
	}
	fn on_report(_: PeerId, _: EpochIndex, _: &[Served]) {}
	fn on_settled(_: PeerId, _: EpochIndex, _: bool) -> Weight {
		Weight::zero()
	}
	fn on_commitment_over(_: PeerId) -> Weight {
		Weight::zero()
	}
	fn on_report_weight(_: u32) -> Weight {
		Weight::zero()
	}
	fn on_settled_weight() -> Weight {
		Weight::zero()
	}
}

/// What capacity asks of the receipts' ledger.
pub trait ReceiptLedger {
	/// A peer's report was taken: its hash enters the peer's ring.
	fn on_report(peer: PeerId, epoch: EpochIndex, report: H256);
	/// Hash of a peer's report, within the challenge period.
	fn report_hash(peer: PeerId, epoch: EpochIndex) -> Option<H256>;
	/// Checks receipts opened in an audit against the report and, by inspection, against the
	/// chain; keeps those that hold for challengers. False if any does not hold.
	fn open(peer: PeerId, report: &Report, draw: H256, receipts: &[ReceiptOpening]) -> bool;
	/// Weight of [`Self::open`] at its bound.
	fn open_weight() -> Weight;
}

/// What the receipts' ledger asks of the market: whether a receipt's claims can be true.
pub trait WorkInspector {
	/// Whether the peer worked for the deal in the epoch.
	fn is_worker(peer: PeerId, deal: crate::DealId, epoch: EpochIndex) -> bool;
	/// Package and highest gas of a call of the deal; `None` once the deal is gone.
	fn call_terms(deal: crate::DealId) -> Option<(H256, crate::Gas)>;
}

/// RandomX as a function of (key, input), so that pallets can be tested without it.
pub trait RandomX {
	/// The hash, or `None` where the key is not one of the network's current ones.
	fn hash(key: H256, input: Vec<u8>) -> Option<[u8; 32]>;
}

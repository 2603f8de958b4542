//! What the pallets know of each other: narrow views, so that each can be tested alone.

use crate::{
	audit::ReceiptOpening,
	epoch::{EpochInfo, Phase},
	execution::{CallTerms, ProfileId},
	packages::NoTerms,
	peer::{PeerId, PeerKey},
	replay::{ReplayInput, Replayed},
	report::{Report, Served},
	Balance, BlockNumber, EpochIndex, H256,
};
use alloc::vec::Vec;
use core::ops::Range;
use sp_arithmetic::Perbill;
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
	/// An epoch as it was frozen, as long as it is remembered.
	fn info(epoch: EpochIndex) -> Option<EpochInfo> {
		let is_it = |info: &EpochInfo| info.index == epoch;
		Some(Self::current())
			.filter(is_it)
			.or_else(|| Self::previous().filter(is_it))
	}
	/// Its blocks; open-ended for the present one.
	///
	/// An epoch ends where the next one starts, and not by its length: migrations make it longer.
	fn blocks_of(epoch: EpochIndex) -> Option<Range<BlockNumber>> {
		let start = Self::info(epoch)?.start;
		if epoch == Self::current().index {
			return Some(start..BlockNumber::MAX);
		}
		Some(start..Self::info(epoch.checked_add(1)?)?.start)
	}
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

impl<A: OnEpoch, B: OnEpoch> OnEpoch for (A, B) {
	fn on_epoch_start(info: &EpochInfo) -> Weight {
		let first = A::on_epoch_start(info);
		first.saturating_add(B::on_epoch_start(info))
	}
	fn on_draw(epoch: EpochIndex, draw: H256) -> Weight {
		let first = A::on_draw(epoch, draw);
		first.saturating_add(B::on_draw(epoch, draw))
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
	/// Settles every closed epoch of a peer. The weight that it took, never more than
	/// [`Self::settle_weight`].
	fn settle(peer: PeerId) -> Weight;
	/// Whether every closed epoch of a peer is settled.
	fn is_settled(peer: PeerId) -> bool;
	/// Units that were proven and not voided, idle and at work, in the last epoch that is settled;
	/// zero without an active commitment. Up to date only where [`Self::is_settled`].
	fn proven_units(peer: PeerId) -> u32;
	/// Weight of one [`Self::settle`] at its bound.
	fn settle_weight() -> Weight;
	/// Whether a peer owed a report of an epoch and can no longer send it. False while the window is
	/// open, and until it is known whether the epoch is forgiven to all because too many were silent;
	/// for one that is; and for one before the peer's last report, of which nothing is known any more.
	fn missed(peer: PeerId, epoch: EpochIndex) -> bool;
	/// Epochs after the one of a report in which what was signed for it can be challenged.
	fn challenge_epochs() -> EpochIndex;
}

/// What capacity asks of the market: the units at work and what is paid for them.
pub trait WorkLedger {
	/// Units at work at the start of an epoch: the current one or the one before.
	fn busy_units(peer: PeerId, epoch: EpochIndex) -> u32;
	/// A peer reported the epoch that has just ended: the deals for which it is to be paid, none if it
	/// did not prove all its units at work. Deals that it does not work for are ignored.
	fn on_report(peer: PeerId, epoch: EpochIndex, served: &[Served]);
	/// Epochs of a peer are settled. Told once of all since the last time, of which at most one was
	/// reported: of that one, whose deals are paid unless it is void, or else of the last. Silent
	/// ones around it are not told one by one. The weight that it took, never more than
	/// [`Self::on_settled_weight`].
	fn on_settled(peer: PeerId, epoch: EpochIndex, void: bool) -> Weight;
	/// A peer's commitment has ended, or failed: its workers end without pay for what is not served,
	/// and forfeit their bonds if it failed. The weight that it took, never more than
	/// [`Self::on_settled_weight`].
	fn on_commitment_over(peer: PeerId, failed: bool) -> Weight;
	/// A peer is drawn for an audit: if it owes an answer to a probe and can no longer give it, that
	/// counts now. The weight that it took, never more than [`Self::on_drawn_weight`].
	fn on_drawn(_: PeerId) -> Weight {
		Weight::zero()
	}
	/// Weight of [`Self::on_report`] with so many deals.
	fn on_report_weight(served: u32) -> Weight;
	/// Weight of [`Self::on_settled`] or [`Self::on_commitment_over`] at their bound.
	fn on_settled_weight() -> Weight;
	/// Weight of [`Self::on_drawn`] at its bound.
	fn on_drawn_weight() -> Weight {
		Weight::zero()
	}
}

impl WorkLedger for () {
	fn busy_units(_: PeerId, _: EpochIndex) -> u32 {
		0
	}
	fn on_report(_: PeerId, _: EpochIndex, _: &[Served]) {}
	fn on_settled(_: PeerId, _: EpochIndex, _: bool) -> Weight {
		Weight::zero()
	}
	fn on_commitment_over(_: PeerId, _: bool) -> Weight {
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
	/// Whether somebody's claim against the peer is open, so that its stake must stay.
	fn has_open_case(_: PeerId) -> bool {
		false
	}
}

/// What the receipts' ledger asks of the market: whether a receipt's claims can be true.
pub trait WorkInspector {
	/// Whether the peer worked for the deal in the epoch, paid or not, so that its receipts of then may be
	/// true. Also told of one that has left since, as long as that can be asked.
	fn is_worker(peer: PeerId, deal: crate::DealId, epoch: EpochIndex) -> bool;
	/// What a call of a package ran under that began at a block of an epoch; or why that is not known.
	fn call_terms(
		deal: crate::DealId,
		package: H256,
		epoch: EpochIndex,
		block: BlockNumber,
	) -> Result<CallTerms, NoTerms>;
}

/// What the receipts' ledger asks of the market: whose business the calls of a deal are.
pub trait DealClients<AccountId> {
	/// Owner of a deal that not everybody may call; `None`: it is open, or gone.
	fn private_client(deal: crate::DealId) -> Option<AccountId>;
}

impl<AccountId> DealClients<AccountId> for () {
	fn private_client(_: crate::DealId) -> Option<AccountId> {
		None
	}
}

/// Running a call again, as a function of what it depends on.
pub trait Replayer {
	/// What comes of it. `None`: not for this caller; never in a block.
	fn replay(profile: ProfileId, package: &[u8], input: &ReplayInput) -> Option<Replayed>;
}

/// RandomX as a function of (key, input), so that pallets can be tested without it.
pub trait RandomX {
	/// The hash, or `None` where the key is not one of the network's current ones.
	fn hash(key: H256, input: Vec<u8>) -> Option<[u8; 32]>;
}

/// What capacity is rewarded from: a reserve, and the schedule by which it is given out.
pub trait Emission<AccountId> {
	/// Why something was not paid.
	type Error;
	/// Most that the pool of an epoch can be. The pool follows at once where it falls.
	fn limit(epoch: EpochIndex) -> Balance;
	/// The pool of an epoch is fixed, within its limit: so much is promised. Told once for each epoch.
	fn promise(pool: Balance);
	/// Pays an account out of what was promised.
	fn pay(who: &AccountId, amount: Balance) -> Result<(), Self::Error>;
	/// What was promised and is not paid: nobody is owed more.
	fn promised() -> Balance;
	/// Weight of [`Self::limit`] and [`Self::promise`] together.
	fn weight() -> Weight;
	/// Weight of [`Self::pay`].
	fn pay_weight() -> Weight;
}

/// Told when the stake behind the active commitments of a provider changes.
pub trait OnStake<AccountId> {
	/// What it is now.
	fn on_active_stake(provider: &AccountId, active: Balance);
	/// Weight of that.
	fn weight() -> Weight;
}

impl<AccountId> OnStake<AccountId> for () {
	fn on_active_stake(_: &AccountId, _: Balance) {}
	fn weight() -> Weight {
		Weight::zero()
	}
}

/// What a peer did in an epoch that costs stake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offence<AccountId> {
	/// The epoch: only stake that stood in it is taken.
	pub epoch: EpochIndex,
	/// Part of what was committed then.
	pub part: Perbill,
	/// Whether the commitment fails by it.
	pub fails: bool,
	/// Who is rewarded from it, with which part: never with more than the provider itself pays.
	pub reporter: Option<(AccountId, Perbill)>,
}

/// Takes stake for offences that others find: false receipts, withheld data.
pub trait StakeSlasher<AccountId> {
	/// Takes it, or as much as is left; what was taken. Whether an offence was punished before is
	/// the caller's to know.
	fn slash(peer: PeerId, offence: Offence<AccountId>) -> Balance;
	/// Last epoch in which a peer's stake can be charged for an epoch; `None`: none stood in it.
	fn answers_until(peer: PeerId, epoch: EpochIndex) -> Option<EpochIndex>;
	/// Weight of that at its bound.
	fn slash_weight() -> Weight;
}

/// Most equivocations of one provider that are kept apart.
pub const MAX_EQUIVOCATIONS: u32 = 8;

/// Remembers what equivocation costs a provider, for capacity to take when it settles.
pub trait Equivocations<AccountId> {
	/// Serial number of the provider's next one: what a commitment notes as soon as it binds, and
	/// again whenever it has paid.
	fn next(provider: &AccountId) -> u32;
	/// Those from a serial number on, oldest first, at most [`MAX_EQUIVOCATIONS`]: the epoch in
	/// which it happened, and the part that it takes of the stake that stood then and is left.
	fn since(provider: &AccountId, from: u32) -> Vec<(EpochIndex, Perbill)>;
	/// Weight of both together at their bound.
	fn weight() -> Weight;
}

impl<AccountId> Equivocations<AccountId> for () {
	fn next(_: &AccountId) -> u32 {
		0
	}
	fn since(_: &AccountId, _: u32) -> Vec<(EpochIndex, Perbill)> {
		Vec::new()
	}
	fn weight() -> Weight {
		Weight::zero()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::epoch::EpochLengths;

	/// A clock in epoch 2, whose epochs are of 10 blocks but for epoch 1, which was of 12.
	struct Clock;

	const STARTS: [BlockNumber; 3] = [1, 11, 23];

	fn known(index: EpochIndex) -> EpochInfo {
		EpochInfo {
			index,
			start: STARTS[index as usize],
			start_ms: 0,
			slot_ms: 1,
			lengths: EpochLengths {
				len: 10,
				report_window: 3,
				fold_window: 1,
				answer_window: 3,
			},
		}
	}

	impl EpochClock for Clock {
		fn current() -> EpochInfo {
			known(2)
		}
		fn previous() -> Option<EpochInfo> {
			Some(known(1))
		}
		fn position() -> u32 {
			0
		}
		fn phase() -> Phase {
			Phase::Report
		}
		fn seed(_: EpochIndex) -> Option<H256> {
			None
		}
		fn draw(_: EpochIndex) -> Option<H256> {
			None
		}
		fn genesis() -> H256 {
			H256::zero()
		}
	}

	#[test]
	fn a_clock_knows_two_epochs_by_itself() {
		assert_eq!(Clock::info(0), None);
		assert_eq!(Clock::info(1), Some(known(1)));
		assert_eq!(Clock::info(2), Some(known(2)));
		assert_eq!(Clock::info(3), None);
	}

	#[test]
	fn an_epoch_ends_where_the_next_one_starts() {
		assert_eq!(Clock::blocks_of(0), None);
		assert_eq!(Clock::blocks_of(1), Some(11..23));
		assert_eq!(Clock::blocks_of(2), Some(23..BlockNumber::MAX));
		assert_eq!(Clock::blocks_of(3), None);
	}
}

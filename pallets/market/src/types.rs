//! Records that the market keeps, and the order of its keys.

mod past_work;
mod probes;
mod starts;

pub use past_work::{PastWork, PastWorkList};
pub use probes::{Probe, ProbeKey, ProbeRecord, FAILURE_MEMORY, MAX_PROBES_PER_EPOCH};
pub use starts::AtStarts;

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
pub use millrace_primitives::views::{Content, GraceSpan, Reason};
use millrace_primitives::{
	execution::ProfileId,
	market::{DealStatus, DealTerms, OfferTerms, Region, ResourceClass, MAX_WORKERS},
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	Balance, BlockNumber, DealId, EpochIndex, Gas, OfferId, FLT,
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Region codes that there are, from 0 on: a walk merges as many rows of the book at most.
pub const MAX_KNOWN_REGIONS: u32 = 64;
/// Most peers that a deal remembers to have excluded; the oldest makes room for the newest. As many
/// as a deal can have workers, so that not going live together makes the deal forget nobody.
pub const MAX_EXCLUSIONS: u32 = MAX_WORKERS;
/// Offers that one visit of a deal looks at before the next deal has its turn.
pub const MAX_LOOKS_PER_VISIT: u32 = 64;
/// Peers whose closed epochs one `stop` or `close` settles itself: each may pay all deals of its
/// report.
pub const MAX_SETTLED_PER_CLOSE: u32 = 4;
/// Blocks that a deal sleeps at least within one epoch, whatever enters the book.
pub const RETRY_BLOCKS: BlockNumber = 50;
/// Epochs after the present one that a worker with notice serves on: whoever takes its place has at
/// least this whole epoch to go live.
pub const NOTICE_EPOCHS: EpochIndex = 1;
/// Epochs at the ceiling that the workers of one epoch cost at most, with those that leave: each place
/// is paid twice at most.
pub const MAX_OVERLAP: Balance = 2;
/// Largest part of a bond that a bounty may be: whoever points to the lost must not live of it.
const MAX_BOUNTY: Perbill = Perbill::from_percent(10);

/// Regions with the number of offers in each.
pub type RegionCounts = BoundedVec<(Region, u32), ConstU32<MAX_KNOWN_REGIONS>>;
/// Deals of one peer.
pub type DealList = BoundedVec<DealId, ConstU32<MAX_DEALS_PER_PEER>>;
/// Deals of one report, each with the gas of its calls.
pub type ReportedList = BoundedVec<(DealId, Gas), ConstU32<MAX_DEALS_PER_PEER>>;
/// Peers that are excluded, each up to and without an epoch.
pub type ExclusionList = BoundedVec<(PeerId, EpochIndex), ConstU32<MAX_EXCLUSIONS>>;

/// Governed parameters. Records keep what they were made under.
#[derive(
	Clone,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	serde::Serialize,
	serde::Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketParams {
	/// Lowest ask and lowest price ceiling of a unit for an epoch.
	pub min_price: Balance,
	/// What an ask is a multiple of when it is made or changed.
	pub ask_tick: Balance,
	/// Held of a deal's owner until the deal is closed. It covers the deal's own rows, however long; those
	/// of its workers are paid for by the deposits of their peers.
	pub deal_deposit: Balance,
	/// Held of a provider while an offer stands.
	pub offer_deposit: Balance,
	/// Most gas that a deal may grant a call.
	pub max_call_gas: Gas,
	/// Epochs for which a peer that failed a deal, gave it notice or was ended by its owner is not
	/// matched to it again.
	pub exclusion_epochs: EpochIndex,
	/// Epochs after the one of its assignment in which a worker can go live.
	pub assignment_epochs: EpochIndex,
	/// Held of a prober until its probe is answered or failed.
	pub probe_bond: Balance,
	/// Blocks after the one of a probe in which it can be answered.
	pub probe_blocks: BlockNumber,
	/// Part of a prober's bond that burns when the probe is answered; the rest is the provider's.
	pub probe_burn: Perbill,
	/// Part of every payment that burns.
	pub payment_burn: Perbill,
	/// Most epochs that workers stay for without escrow.
	pub grace_epochs: EpochIndex,
	/// Part of its price that a worker is paid for each of them.
	pub grace_price: Perbill,
	/// Epochs at the ceiling that a new deal's escrow covers at least.
	pub min_escrow_epochs: EpochIndex,
	/// Assignments in a row that come to nothing, after which an offer is closed.
	pub max_lapses: u32,
	/// Fees of the work that a bounty for it is at most.
	pub bounty_fees: u32,
	/// Part of a worker's bond that a bounty for pointing to its loss is at most.
	pub bounty_part: Perbill,
}

impl MarketParams {
	/// Whether the parameters make sense together.
	pub fn is_valid(&self) -> bool {
		let grace =
			u64::from(self.grace_price.deconstruct()).saturating_mul(u64::from(self.grace_epochs));
		self.grace_epochs > 0
			// The closing deposit has one epoch's price, of which all of a grace must be paid.
			&& grace <= u64::from(Perbill::one().deconstruct())
			&& self.payment_burn < Perbill::one()
			// Whoever probes its own worker must lose something.
			&& !self.probe_burn.is_zero()
			&& self.ask_tick > 0
			&& self.min_escrow_epochs > 0
			&& self.max_lapses > 0
			&& self.bounty_part <= MAX_BOUNTY
	}

	/// What a deal keeps of them that is made now.
	pub fn terms(&self) -> DealTerms {
		DealTerms {
			payment_burn: self.payment_burn,
			grace_epochs: self.grace_epochs,
			grace_price: self.grace_price,
		}
	}
}

impl Default for MarketParams {
	fn default() -> Self {
		let terms = DealTerms::default();
		Self {
			min_price: 1_000_000_000_000,
			ask_tick: 1_000_000_000_000,
			deal_deposit: FLT.saturating_mul(3),
			offer_deposit: FLT,
			max_call_gas: 10_000_000_000,
			exclusion_epochs: 24,
			assignment_epochs: 1,
			probe_bond: FLT,
			probe_blocks: 40,
			probe_burn: Perbill::from_percent(50),
			payment_burn: terms.payment_burn,
			grace_epochs: terms.grace_epochs,
			grace_price: terms.grace_price,
			min_escrow_epochs: 2,
			max_lapses: 3,
			bounty_fees: 2,
			bounty_part: Perbill::from_percent(1),
		}
	}
}

/// Key of an offer in the book. Its bytes are big-endian, so the order of raw keys is the order of
/// (class, region, ask, age): walking the book needs no sorting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BookKey {
	class: [u8; 2],
	region: [u8; 2],
	ask: [u8; 16],
	offer: [u8; 8],
}

impl BookKey {
	/// Key of an offer.
	pub fn new(class: ResourceClass, region: Region, (ask, offer): BookPlace) -> Self {
		Self {
			class: class.to_be_bytes(),
			region: region.to_be_bytes(),
			ask: ask.to_be_bytes(),
			offer: offer.to_be_bytes(),
		}
	}

	/// The row of the book that the offer stands in.
	pub fn row(&self) -> (ResourceClass, Region) {
		(
			ResourceClass::from_be_bytes(self.class),
			Region::from_be_bytes(self.region),
		)
	}

	/// Where the offer stands among those of all regions.
	pub fn place(&self) -> BookPlace {
		(
			Balance::from_be_bytes(self.ask),
			OfferId::from_be_bytes(self.offer),
		)
	}
}

/// A place in the order of price and age: (ask, offer).
pub type BookPlace = (Balance, OfferId);

/// Index of a deal as a key: big-endian, so that raw keys stand in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct DealKey([u8; 8]);

impl From<DealId> for DealKey {
	fn from(id: DealId) -> Self {
		Self(id.to_be_bytes())
	}
}

impl DealKey {
	/// The deal.
	pub fn id(&self) -> DealId {
		DealId::from_be_bytes(self.0)
	}
}

/// A standing offer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Offer<AccountId> {
	/// Its index; the lower, the older.
	pub id: OfferId,
	/// Owner of its peer, who made it.
	pub provider: AccountId,
	/// What it offers.
	pub terms: OfferTerms,
	/// Held for it.
	pub deposit: Balance,
	/// Assignments in a row that came to nothing, or ended by the peer's fault.
	pub lapses: u32,
	/// After so many of them it is closed.
	pub max_lapses: u32,
}

impl<AccountId> Offer<AccountId> {
	/// Where it stands in the book.
	pub fn key(&self) -> BookKey {
		BookKey::new(
			self.terms.class,
			self.terms.region,
			(self.terms.ask, self.id),
		)
	}
}

/// The moving part of a deal; what was ordered stands apart, and its owner alone changes it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Deal<AccountId> {
	/// Whose it is: who gets back what is left of the escrow.
	pub owner: AccountId,
	/// To whom the owner wants to give it. It becomes theirs once they take it.
	pub heir: Option<AccountId>,
	/// Where it stands.
	pub status: DealStatus,
	/// Whether it was ended while its escrow could have paid on: then each worker is owed one
	/// epoch from the closing deposit.
	pub early: bool,
	/// Epoch of its creation.
	pub created: EpochIndex,
	/// Last epoch that may be paid; `None`: until the escrow is used up.
	pub term_end: Option<EpochIndex>,
	/// Workers that are looked for.
	pub target: u32,
	/// Workers that it has: assigned, live, draining. At most [`MAX_WORKERS`].
	pub workers: u32,
	/// Workers that are live and not draining. No longer kept once the deal is ending.
	pub live: u32,
	/// Workers that are draining. No longer kept once the deal is ending.
	pub draining: u32,
	/// Price of one epoch of those live workers that are paid for it. No longer kept once the deal
	/// is ending.
	pub rate: AtStarts<Balance>,
	/// Price of one epoch of the workers that are assigned and not live yet.
	pub pledged: Balance,
	/// The live worker that gets notice once the cheaper one, which is assigned beyond the target, is
	/// live.
	pub moving: Option<PeerId>,
	/// Escrow that is left, without the closing deposit.
	pub escrow: Balance,
	/// Deposit for an early end, and for grace.
	pub closing_deposit: Balance,
	/// The last time that the escrow was used up. A new one begins only after all of it is settled.
	pub grace: Option<GraceSpan>,
	/// What it keeps of the parameters that it was made under.
	pub terms: DealTerms,
	/// Deposit for the storage that the deal takes.
	pub deposit: Balance,
	/// Paid to providers so far.
	pub paid: Balance,
	/// Burnt so far.
	pub burnt: Balance,
	/// Engine profile that calls of its package run under. It stays when what the chain replays changes:
	/// receipts that were honest are not false by a change of the rules.
	pub profile: ProfileId,
	/// Gas of a worker in an epoch that costs its whole price, as ordered; `None`: every served epoch
	/// costs it.
	pub full_gas: Option<Gas>,
}

impl<AccountId> Deal<AccountId> {
	/// Whether an epoch is one that the deal pays for at all. Of a deal in grace none is after its last.
	pub fn pays(&self, epoch: EpochIndex) -> bool {
		let in_term = self.term_end.is_none_or(|end| epoch <= end);
		let in_time = match self.status {
			DealStatus::Grace => self.grace.is_some_and(|span| epoch <= span.until),
			DealStatus::Active | DealStatus::Ending { .. } => true,
		};
		in_term && in_time && self.covers(epoch)
	}

	/// Whether the deal had not ended before an epoch.
	pub fn covers(&self, epoch: EpochIndex) -> bool {
		match self.status {
			DealStatus::Active | DealStatus::Grace => true,
			DealStatus::Ending { last } => epoch <= last,
		}
	}

	/// Last epoch of a deal whose end nobody can put off any more: that of its grace, or of its term.
	pub fn last_epoch(&self) -> Option<EpochIndex> {
		match self.status {
			DealStatus::Active => self.term_end,
			DealStatus::Grace => self.grace.map(|span| span.until),
			DealStatus::Ending { .. } => None,
		}
	}

	/// Whether no epoch of the term is left after the present one.
	pub fn is_term_over(&self, now: EpochIndex) -> bool {
		self.term_end.is_some_and(|end| end <= now)
	}

	/// Whether an epoch is paid in part only, out of the closing deposit.
	pub fn is_in_grace(&self, epoch: EpochIndex) -> bool {
		self.grace.is_some_and(|span| span.contains(epoch))
	}

	/// What the workers that count in a rate cost the escrow in an epoch.
	fn cost(&self, rate: &AtStarts<Balance>, epoch: EpochIndex) -> Balance {
		match self.is_in_grace(epoch) {
			true => 0,
			false => rate.at(epoch),
		}
	}

	/// Last epoch that is paid for at the present workers, by the escrow or in grace. `first_open` is
	/// the first epoch that is not closed, `unsettled` what the escrow owes for those before it and
	/// has not paid yet.
	pub fn paid_until(
		&self,
		unsettled: Balance,
		first_open: EpochIndex,
		now: EpochIndex,
	) -> EpochIndex {
		let end = self.term_end.unwrap_or(EpochIndex::MAX);
		match self.status {
			DealStatus::Active => {}
			DealStatus::Grace => return self.grace.map_or(now, |span| span.until).min(end),
			DealStatus::Ending { last } => return last.min(end),
		}
		let mut rate = self.rate;
		rate.roll(now);
		let mut left = self.escrow.saturating_sub(unsettled);
		// Who has notice is paid in the next epoch for the last time: only then is the rate what it
		// stays.
		for epoch in first_open..=now.saturating_add(1) {
			match left.checked_sub(self.cost(&rate, epoch)) {
				Some(rest) => left = rest,
				None => return epoch.saturating_sub(1).min(end),
			}
		}
		let Some(epochs) = left.checked_div(rate.later) else {
			return end;
		};
		let epochs = EpochIndex::try_from(epochs).unwrap_or(EpochIndex::MAX);
		now.saturating_add(1).saturating_add(epochs).min(end)
	}

	/// Whether the next epoch has room for one more worker of a price, besides all that are paid for it.
	/// `ceiling` is what all wanted workers cost at most. Who gives notice is paid for the next epoch all
	/// the same: otherwise a hand with many peers could give it as soon as each is live, and be paid
	/// for any number of them.
	pub fn has_room(&self, price: Balance, ceiling: Balance, now: EpochIndex) -> bool {
		let mut rate = self.rate;
		rate.roll(now);
		let most = ceiling.saturating_mul(MAX_OVERLAP);
		[self.pledged, price]
			.into_iter()
			.try_fold(rate.next, |sum, part| sum.checked_add(part))
			.is_some_and(|sum| sum <= most)
	}

	/// Whether the escrow could pay one more worker of a price for the next epoch, besides all that
	/// is owed until then. Each worker may have one report whose epoch is closed and not settled,
	/// which is not known here: one closed epoch counts as if none of it were paid.
	pub fn affords(&self, price: Balance, first_open: EpochIndex, now: EpochIndex) -> bool {
		let mut rate = self.rate;
		rate.roll(now);
		let owed = (first_open.saturating_sub(1)..=now.saturating_add(1))
			.map(|epoch| self.cost(&rate, epoch))
			.chain([self.pledged, price])
			.try_fold(0, |sum: Balance, part| sum.checked_add(part));
		!self.is_term_over(now) && owed.is_some_and(|owed| owed <= self.escrow)
	}

	/// Whether the escrow could pay a worker of a price for the next two epochs besides all others, and
	/// the term reaches beyond: in one of the two the worker that it takes over from serves as well,
	/// in the other one all others do.
	pub fn affords_overlap(&self, price: Balance, first_open: EpochIndex, now: EpochIndex) -> bool {
		let mut rate = self.rate;
		rate.roll(now);
		let more = price
			.checked_mul(2)
			.and_then(|twice| twice.checked_add(rate.later));
		!self.is_term_over(now.saturating_add(2))
			&& more.is_some_and(|more| self.affords(more, first_open, now))
	}

	/// Whether it stands in the matcher's queue: it lacks live workers, or waits for a cheaper one.
	pub fn is_queued(&self) -> bool {
		let lacks = self.live < self.target || self.moving.is_some();
		self.status == DealStatus::Active && lacks
	}
}

/// What a deal that lacks live workers waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vacancy {
	/// Where the walk over the book stopped; `None`: it begins at the cheapest offer.
	pub after: Option<BookPlace>,
	/// Version of the book when the walk began: what entered behind it is seen by the next one.
	pub version: u64,
	/// Epoch in which the walk began: what it passed before a border may fit behind it.
	pub epoch: EpochIndex,
	/// When a walk ended without filling the deal.
	pub asleep: Option<Sleep>,
	/// Workers that are assigned, each with the last epoch in which it can go live.
	pub assigned: BoundedVec<(PeerId, EpochIndex), ConstU32<MAX_WORKERS>>,
}

impl Vacancy {
	/// Workers that did not go live in time.
	pub fn overdue(&self, now: EpochIndex) -> Vec<PeerId> {
		self.assigned
			.iter()
			.filter(|(_, deadline)| *deadline < now)
			.map(|(peer, _)| *peer)
			.collect()
	}
}

/// When a deal fell asleep, and after which book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Sleep {
	/// The epoch in which the walk had begun.
	pub epoch: EpochIndex,
	/// The block.
	pub block: BlockNumber,
	/// Version of the book when the walk had begun.
	pub version: u64,
	/// Where the escrow was too low: the first epoch that was not closed. Less is owed once another is.
	pub short: Option<EpochIndex>,
}

impl Sleep {
	/// Whether the deal is walked again at a present time and book. A new epoch ends exclusions, and an
	/// epoch that closes changes what an escrow affords; within an epoch only a better book is worth a
	/// walk, and not more often than every [`RETRY_BLOCKS`].
	pub fn is_over(&self, present: &Self) -> bool {
		let rested = present.block.saturating_sub(self.block) >= RETRY_BLOCKS;
		self.epoch != present.epoch
			|| (self.short.is_some() && self.short != present.short)
			|| (rested && self.version != present.version)
	}
}

/// Units of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Load {
	/// Units that are taken: of all workers in deals that are not ending.
	pub taken: u32,
	/// Units at work.
	pub at_work: AtStarts<u32>,
}

impl Load {
	/// Whether nothing is left to remember.
	pub fn is_idle(&self) -> bool {
		let AtStarts {
			before,
			current,
			next,
			later,
			..
		} = self.at_work;
		[self.taken, before, current, next, later] == [0; 5]
	}
}

/// Why a worker left a deal.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ReleaseReason {
	/// It did not go live in time.
	NotLive,
	/// Its provider could not bring the bond.
	BondUnavailable,
	/// The deal was stopped before the worker's first paid epoch.
	DealStopped,
	/// The deal was closed.
	DealClosed,
	/// The peer's commitment has ended.
	CommitmentOver,
	/// The peer's commitment has failed: its bond is forfeited.
	CommitmentFailed,
	/// The peer did not report the deal: its bond is forfeited.
	Lost,
	/// It had given or been given notice, and its last epoch is settled.
	Drained,
	/// It was not live yet: the client ended it, or has no escrow for it.
	Ended,
	/// The last epoch of its deal's grace or term is settled.
	DealOver,
}

/// Who gave a worker notice, and so whether the deal may take its peer again at once.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Notice {
	/// The peer itself. The deal does not take it again for a while.
	Peer,
	/// Its provider, by raising the ask of its offer. It may be taken again.
	Raise,
	/// The deal's owner. Whoever the owner ends is not taken again for a while; whoever leaves because
	/// the deal looks for fewer may be.
	Owner,
	/// The deal, which has a cheaper one in its place. It may be taken again.
	Rematch,
}

/// How far the patrol's search for a cheaper worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BookSearch {
	/// The deal.
	pub deal: DealId,
	/// The last offer that was looked at.
	pub after: BookPlace,
	/// Offers that were looked at.
	pub looks: u32,
}

/// How far the patrol of an epoch has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Patrol {
	/// The epoch.
	pub epoch: EpochIndex,
	/// The last deal whose visit is over; `None`: none yet.
	pub after: Option<DealId>,
	/// In a deal whose visit has begun, the last worker that was seen to.
	pub worker: Option<(DealId, PeerId)>,
	/// Whether it has come to the end.
	pub done: bool,
	/// The last deal that was held against the book, which comes after all of that; `None`: none yet.
	pub priced: Option<DealId>,
	/// In a deal for which a cheaper worker is looked for, how far that has come.
	pub search: Option<BookSearch>,
	/// Whether all deals were held against the book.
	pub all_priced: bool,
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	proptest! {
		#[test]
		fn book_keys_sort_as_their_fields_do(
			a in any::<(u16, u16, u128, u64)>(), b in any::<(u16, u16, u128, u64)>(),
		) {
			let key = |(class, region, ask, offer)| BookKey::new(class, region, (ask, offer));
			prop_assert_eq!(key(a).encode().cmp(&key(b).encode()), a.cmp(&b));
			prop_assert_eq!(key(a).row(), (a.0, a.1));
			prop_assert_eq!(key(a).place(), (a.2, a.3));
		}
	}
}

//! Records that the market keeps, and the order of its keys.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	execution::ProfileId,
	market::{DealStatus, OfferTerms, Region, ResourceClass, MAX_WORKERS},
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	Balance, BlockNumber, DealId, EpochIndex, Gas, OfferId, FLT,
};
use scale_info::TypeInfo;

/// Region codes that there are, from 0 on: a walk merges as many rows of the book at most.
pub const MAX_KNOWN_REGIONS: u32 = 64;
/// Most peers that a deal remembers to have excluded; the oldest makes room for the newest. As many
/// as a deal can have workers, so that not going live together makes the deal forget nobody.
pub const MAX_EXCLUSIONS: u32 = MAX_WORKERS;
/// Assignments in a row that came to nothing, after which an offer is closed.
pub const MAX_LAPSES: u32 = 3;
/// Offers that one visit of a deal looks at before the next deal has its turn.
pub const MAX_LOOKS_PER_VISIT: u32 = 64;
/// Peers whose closed epochs one `stop` or `close` settles itself: each may pay all deals of its
/// report.
pub const MAX_SETTLED_PER_CLOSE: u32 = 4;
/// Blocks that a deal sleeps at least within one epoch, whatever enters the book.
pub const RETRY_BLOCKS: BlockNumber = 50;
/// Epochs at the ceiling that a new deal's escrow covers at least.
pub const MIN_ESCROW_EPOCHS: Balance = 2;

/// Regions with the number of offers in each.
pub type RegionCounts = BoundedVec<(Region, u32), ConstU32<MAX_KNOWN_REGIONS>>;
/// Deals of one peer.
pub type DealList = BoundedVec<DealId, ConstU32<MAX_DEALS_PER_PEER>>;
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
	/// Held of a deal's owner until the deal is closed.
	pub deal_deposit: Balance,
	/// Held of a provider while an offer stands.
	pub offer_deposit: Balance,
	/// Most gas that a deal may grant a call.
	pub max_call_gas: Gas,
	/// Epochs for which a peer that did not go live is not matched to the same deal again.
	pub exclusion_epochs: EpochIndex,
	/// Epochs after the one of its assignment in which a worker can go live.
	pub assignment_epochs: EpochIndex,
}

impl Default for MarketParams {
	fn default() -> Self {
		Self {
			min_price: 1_000_000_000_000,
			deal_deposit: FLT,
			offer_deposit: FLT,
			max_call_gas: 10_000_000_000,
			exclusion_epochs: 24,
			assignment_epochs: 1,
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
	/// Assignments in a row that came to nothing.
	pub lapses: u32,
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

/// The moving part of a deal; what was ordered stands apart and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Deal<AccountId> {
	/// Who ordered it, and gets back what is left of the escrow.
	pub owner: AccountId,
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
	/// Workers that it has, assigned or live.
	pub workers: u32,
	/// Workers that are live. No longer kept once the deal is ending.
	pub live: u32,
	/// Price of one epoch of those live workers that are paid for it. No longer kept once the deal
	/// is ending.
	pub rate: AtStarts<Balance>,
	/// Price of one epoch of the workers that are assigned and not live yet.
	pub pledged: Balance,
	/// Escrow that is left, without the closing deposit.
	pub escrow: Balance,
	/// Deposit for an early end.
	pub closing_deposit: Balance,
	/// Deposit for the storage that the deal takes.
	pub deposit: Balance,
	/// Paid to providers so far.
	pub paid: Balance,
	/// Burnt so far.
	pub burnt: Balance,
	/// Engine profile that its calls run under. It stays when what the chain replays changes: receipts
	/// that were honest are not false by a change of the rules.
	pub profile: ProfileId,
}

impl<AccountId> Deal<AccountId> {
	/// Whether an epoch is one that the deal pays for at all.
	pub fn pays(&self, epoch: EpochIndex) -> bool {
		let in_term = self.term_end.is_none_or(|end| epoch <= end);
		in_term && self.covers(epoch)
	}

	/// Whether the deal had not ended before an epoch.
	pub fn covers(&self, epoch: EpochIndex) -> bool {
		match self.status {
			DealStatus::Active => true,
			DealStatus::Ending { last } => epoch <= last,
		}
	}

	/// Last epoch that the escrow pays for at the present workers. `first_open` is the first epoch
	/// that is not closed, `unsettled` what is owed for those before it and not paid yet.
	pub fn paid_until(
		&self,
		unsettled: Balance,
		first_open: EpochIndex,
		now: EpochIndex,
	) -> EpochIndex {
		let end = self.term_end.unwrap_or(EpochIndex::MAX);
		if let DealStatus::Ending { last } = self.status {
			return last.min(end);
		}
		let mut rate = self.rate;
		rate.roll(now);
		let mut left = self.escrow.saturating_sub(unsettled);
		for epoch in first_open..=now {
			match left.checked_sub(rate.at(epoch)) {
				Some(rest) => left = rest,
				None => return epoch.saturating_sub(1).min(end),
			}
		}
		let Some(epochs) = left.checked_div(rate.next) else {
			return end;
		};
		let epochs = EpochIndex::try_from(epochs).unwrap_or(EpochIndex::MAX);
		now.saturating_add(epochs).min(end)
	}

	/// Whether the escrow could pay one more worker of a price for the next epoch, besides all that
	/// is owed until then. Each worker may have one report whose epoch is closed and not settled,
	/// which is not known here: one closed epoch counts as if none of it were paid.
	pub fn affords(&self, price: Balance, first_open: EpochIndex, now: EpochIndex) -> bool {
		let in_term = self.term_end.is_none_or(|end| end > now);
		let mut rate = self.rate;
		rate.roll(now);
		let owed = (first_open.saturating_sub(1)..=now)
			.map(|epoch| rate.at(epoch))
			.chain([rate.next, self.pledged, price])
			.try_fold(0, |sum: Balance, part| sum.checked_add(part));
		in_term && owed.is_some_and(|owed| owed <= self.escrow)
	}
}

/// What a deal that lacks live workers waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vacancy {
	/// Where the walk over the book stopped; `None`: it begins at the cheapest offer.
	pub after: Option<BookPlace>,
	/// Version of the book when the walk began: what entered behind it is seen by the next one.
	pub version: u64,
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
	/// The epoch.
	pub epoch: EpochIndex,
	/// The block.
	pub block: BlockNumber,
	/// Version of the book when the walk had begun.
	pub version: u64,
}

impl Sleep {
	/// Whether the deal is walked again at a present time and book. A new epoch ends exclusions and
	/// changes what an escrow affords; within an epoch only a better book is worth a walk, and not
	/// more often than every [`RETRY_BLOCKS`].
	pub fn is_over(&self, present: &Self) -> bool {
		let rested = present.block.saturating_sub(self.block) >= RETRY_BLOCKS;
		self.epoch != present.epoch || (rested && self.version != present.version)
	}
}

/// A sum as of the three epoch starts that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct AtStarts<V> {
	/// The epoch that the next three speak of.
	pub epoch: EpochIndex,
	/// At the start of the epoch before it.
	pub before: V,
	/// At its start.
	pub current: V,
	/// At the start of the epoch after it, as things stand.
	pub next: V,
}

impl<V: Copy> AtStarts<V> {
	/// Moves on to a later epoch.
	pub fn roll(&mut self, now: EpochIndex) {
		match now.saturating_sub(self.epoch) {
			0 => return,
			1 => self.before = self.current,
			_ => self.before = self.next,
		}
		self.current = self.next;
		self.epoch = now;
	}

	/// The sum at the start of an epoch.
	pub fn at(&self, epoch: EpochIndex) -> V {
		match epoch {
			e if e > self.epoch => self.next,
			e if e == self.epoch => self.current,
			_ => self.before,
		}
	}
}

impl AtStarts<Balance> {
	/// Takes away what has counted from an epoch on; `None` where it never did.
	pub fn take(&mut self, amount: Balance, since: EpochIndex) -> Option<()> {
		if since < self.epoch {
			self.before = self.before.checked_sub(amount)?;
		}
		if since <= self.epoch {
			self.current = self.current.checked_sub(amount)?;
		}
		self.next = self.next.checked_sub(amount)?;
		Some(())
	}
}

/// Units of a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Load {
	/// Units that are taken: of workers assigned or live in deals that are not ending.
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
			..
		} = self.at_work;
		[self.taken, before, current, next] == [0; 4]
	}
}

/// Why an offer is not taken for a specification.
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
pub enum Reason {
	/// The peer has no offer.
	NoOffer,
	/// The offer is of another resource class.
	OtherClass,
	/// The offer's region is not one of those asked for.
	OtherRegion,
	/// The ask is above the price ceiling.
	AboveCeiling,
	/// The peer lacks a capability that is asked for.
	Capabilities,
	/// The worker bond is higher than the provider accepts, or than it can bring now.
	Bond,
	/// The provider is not on the allow list, or is on the deny list.
	ProviderFilter,
	/// The peer works for the deal already.
	AlreadyWorks,
	/// The provider has as many workers in the deal as one provider may.
	ProviderLimit,
	/// The peer works for as many deals as one report can hold.
	TooManyDeals,
	/// The peer was assigned to the deal before and did not go live.
	Excluded,
	/// No unit of the peer was proven in the last closed epoch, or its epochs are not settled yet.
	Unproven,
	/// Fewer proven units of the peer are free than one worker needs.
	TooFewUnits,
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
	/// The peer's commitment is over.
	CommitmentOver,
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

		#[test]
		fn a_sum_is_remembered_for_two_epoch_starts(
			steps in proptest::collection::vec((0u32..4, 0u32..9), 1..30),
		) {
			let (mut sum, mut now) = (AtStarts::<u32>::default(), 0u32);
			// Naive: what stood at the start of every epoch.
			let mut starts = vec![0u32];
			for (wait, value) in steps {
				for _ in 0..wait {
					starts.push(sum.next);
					now += 1;
				}
				sum.roll(now);
				sum.next = value;
				prop_assert_eq!(sum.at(now), starts[now as usize]);
				prop_assert_eq!(sum.at(now + 1), value);
				if let Some(before) = now.checked_sub(1) {
					prop_assert_eq!(sum.at(before), starts[before as usize]);
				}
			}
		}

		#[test]
		fn what_is_taken_away_counts_for_no_epoch(
			steps in proptest::collection::vec((0u32..3, any::<bool>(), 1u128..9), 1..30),
		) {
			let (mut sum, mut now) = (AtStarts::<Balance>::default(), 0u32);
			let mut parts: Vec<(EpochIndex, Balance)> = Vec::new();
			for (wait, leaves, amount) in steps {
				now += wait;
				sum.roll(now);
				let leaving = if leaves { parts.pop() } else { None };
				match leaving {
					Some((since, part)) => prop_assert_eq!(sum.take(part, since), Some(())),
					None => {
						sum.next += amount;
						parts.push((now + 1, amount));
					}
				}
				for epoch in now.saturating_sub(1)..=now + 1 {
					let counted = parts.iter().filter(|(since, _)| *since <= epoch);
					let expected: Balance = counted.map(|(_, amount)| amount).sum();
					prop_assert_eq!(sum.at(epoch), expected);
				}
			}
		}
	}
}

//! Records that the market keeps, and the order of its keys.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	market::{DealStatus, OfferTerms, Region, ResourceClass, MAX_WORKERS},
	peer::PeerId,
	report::MAX_DEALS_PER_PEER,
	Balance, DealId, EpochIndex, Gas, OfferId, FLT,
};
use scale_info::TypeInfo;

/// Most regions of one class that offers can stand in at once: a walk merges as many rows.
pub const MAX_KNOWN_REGIONS: u32 = 64;
/// Most peers that a deal remembers to have excluded; the oldest makes room for the newest.
pub const MAX_EXCLUSIONS: u32 = 64;
/// Offers that one visit of a deal looks at before the next deal has its turn.
pub const MAX_LOOKS_PER_VISIT: u32 = 64;
/// Peers whose open epochs one `close` settles itself: each may pay all deals of its report.
pub const MAX_SETTLED_PER_CLOSE: u32 = 4;
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
	/// Who ordered it, on whose account the escrow is held.
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
	/// Price of one epoch of all live workers. No longer kept once the deal is ending.
	pub rate: Balance,
	/// First epoch that the first of the present live workers is paid for.
	pub rate_since: EpochIndex,
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

	/// Last epoch that the escrow pays for at the present workers, when `first_open` is the first
	/// epoch that is not closed and so perhaps not paid yet.
	pub fn paid_until(&self, first_open: EpochIndex) -> EpochIndex {
		let end = self.term_end.unwrap_or(EpochIndex::MAX);
		if let DealStatus::Ending { last } = self.status {
			return last.min(end);
		}
		let Some(epochs) = self.escrow.checked_div(self.rate) else {
			return end;
		};
		let epochs = EpochIndex::try_from(epochs).unwrap_or(EpochIndex::MAX);
		first_open
			.max(self.rate_since)
			.saturating_add(epochs)
			.saturating_sub(1)
			.min(end)
	}
}

/// What a deal that lacks live workers waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vacancy {
	/// Where the walk over the book stopped; `None`: it begins at the cheapest offer.
	pub after: Option<BookPlace>,
	/// Epoch and version of the book at which a walk ended without filling the deal. It is not
	/// walked again until either changes.
	pub asleep: Option<(EpochIndex, u64)>,
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

/// Units of a peer at work, as of the last three epoch starts that matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Load {
	/// Units that are taken: of workers assigned or live in deals that are not ending.
	pub taken: u32,
	/// The epoch that the next three speak of.
	pub epoch: EpochIndex,
	/// Units at work at the start of the epoch before it.
	pub before: u32,
	/// Units at work at its start.
	pub current: u32,
	/// Units at work at the start of the epoch after it, as things stand.
	pub next: u32,
}

impl Load {
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

	/// Units at work at the start of an epoch.
	pub fn at(&self, epoch: EpochIndex) -> u32 {
		match epoch {
			e if e > self.epoch => self.next,
			e if e == self.epoch => self.current,
			_ => self.before,
		}
	}

	/// Whether nothing is left to remember.
	pub fn is_idle(&self) -> bool {
		self.taken == 0 && self.before == 0 && self.current == 0 && self.next == 0
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
	/// The worker bond is higher than the provider accepts.
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
	/// No unit of the peer was proven in the last closed epoch.
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
	/// The deal was stopped before its first paid epoch.
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
		fn a_load_remembers_two_epoch_starts(steps in proptest::collection::vec((0u32..4, 0u32..9), 1..30)) {
			let (mut load, mut now) = (Load::default(), 0u32);
			// Naive: what stood at the start of every epoch.
			let mut starts = vec![0u32];
			for (wait, units) in steps {
				for _ in 0..wait {
					starts.push(load.next);
					now += 1;
				}
				load.roll(now);
				load.next = units;
				prop_assert_eq!(load.at(now), starts[now as usize]);
				prop_assert_eq!(load.at(now + 1), units);
				if let Some(before) = now.checked_sub(1) {
					prop_assert_eq!(load.at(before), starts[before as usize]);
				}
			}
		}
	}
}

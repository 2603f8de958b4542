//! Offers, deals and workers.

use crate::{hash, peer::PeerId, Balance, DealId, EpochIndex, Gas, OfferId, H256};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A kind of unit; [`crate::CPU_V1`] is the first.
pub type ResourceClass = u16;
/// A region code: 0 means that none is stated, 1 to 63 are codes that governance publishes.
pub type Region = u16;
/// Set of capability tags, one bit each.
pub type Capabilities = u64;

/// Most workers of a deal.
pub const MAX_WORKERS: u32 = 256;
/// Most regions, providers or links that a deal lists.
pub const MAX_REGIONS: u32 = 8;
/// Most providers in an allow or deny list.
pub const MAX_LISTED_PROVIDERS: u32 = 32;
/// Most places that a package can be fetched from.
pub const MAX_LINKS: u32 = 4;
/// Longest link in bytes.
pub const MAX_LINK: u32 = 256;

/// A peer's standing ask.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OfferTerms {
	/// Class of the peer's units.
	pub class: ResourceClass,
	/// Region of the peer.
	pub region: Region,
	/// Price of one unit for one epoch.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub ask: Balance,
	/// Capabilities of the peer.
	pub capabilities: Capabilities,
	/// Highest bond per worker that the provider accepts.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub max_worker_bond: Balance,
}

/// How a package is run.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Abi {
	/// Core module, WASI preview1 command: request on standard input and in CGI variables,
	/// response on standard output.
	#[default]
	WasiPreview1Command,
}

/// A place to fetch a package from: an absolute URL in ASCII.
pub type Link = BoundedVec<u8, ConstU32<MAX_LINK>>;

/// The function that a deal runs.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Package {
	/// [`crate::execution::package_hash`] of the module.
	pub hash: H256,
	/// Size of the module in bytes.
	pub size: u32,
	/// Where workers fetch it; they check the hash.
	#[cfg_attr(feature = "serde", serde(with = "crate::text::list"))]
	pub links: BoundedVec<Link, ConstU32<MAX_LINKS>>,
	/// How it is run.
	pub abi: Abi,
}

/// What one call may use.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallLimits {
	/// Gas.
	pub gas: Gas,
	/// Guest memory in bytes.
	pub memory_bytes: u32,
	/// Request body in bytes.
	pub request_bytes: u32,
	/// Response in bytes.
	pub response_bytes: u32,
}

/// Whose offers a deal takes.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum ProviderFilter<AccountId> {
	/// Any provider's.
	Any,
	/// Only those of the listed providers.
	Allow(BoundedVec<AccountId, ConstU32<MAX_LISTED_PROVIDERS>>),
	/// Those of all but the listed providers.
	Deny(BoundedVec<AccountId, ConstU32<MAX_LISTED_PROVIDERS>>),
}

/// What a client orders.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DealSpec<AccountId> {
	/// Class of the units.
	pub class: ResourceClass,
	/// Units of each worker.
	pub units_per_worker: u32,
	/// Workers below which the deal counts as underfilled; its live workers are paid all the same.
	pub min_workers: u32,
	/// Workers that are looked for.
	pub target_workers: u32,
	/// Most workers of one provider.
	pub max_workers_per_provider: u32,
	/// Highest price of one unit for one epoch.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub price_ceiling: Balance,
	/// The function.
	pub package: Package,
	/// What one call may use.
	pub limits: CallLimits,
	/// Capabilities that a peer must have.
	pub capabilities: Capabilities,
	/// Regions that a peer may be in; empty means any.
	pub regions: BoundedVec<Region, ConstU32<MAX_REGIONS>>,
	/// Whose offers count.
	pub providers: ProviderFilter<AccountId>,
	/// Bond that each worker holds while it is live.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub worker_bond: Balance,
	/// Last epoch that is paid, counted from the creation; `None`: until the escrow is used up.
	pub term_epochs: Option<u32>,
}

impl<AccountId> DealSpec<AccountId> {
	/// The most that all wanted workers can cost in an epoch; `None` on overflow.
	pub fn epoch_price_ceiling(&self) -> Option<Balance> {
		self.price_ceiling
			.checked_mul(Balance::from(self.units_per_worker))?
			.checked_mul(Balance::from(self.target_workers))
	}
}

/// Where a deal stands.
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
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum DealStatus {
	/// Looks for workers, or has them.
	Active,
	/// Ends with this epoch: the last one that its workers are paid for.
	Ending {
		/// The last paid epoch.
		last: EpochIndex,
	},
}

/// Where a worker stands.
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
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum WorkerStatus {
	/// Matched; goes live by the end of this epoch or is given up, which costs no money.
	Assigned {
		/// Last epoch in which it can go live.
		deadline: EpochIndex,
	},
	/// Serves; paid from this epoch on.
	Live {
		/// First paid epoch.
		since: EpochIndex,
	},
}

/// A peer's units at work in a deal.
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Worker {
	/// The peer.
	pub peer: PeerId,
	/// The offer that was taken.
	pub offer: OfferId,
	/// Its price of one unit for one epoch, fixed for the worker's life.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub ask: Balance,
	/// Its units.
	pub units: u32,
	/// Bond held of its provider.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub bond: Balance,
	/// Where it stands.
	pub status: WorkerStatus,
}

impl Worker {
	/// What one served epoch costs.
	pub fn epoch_price(&self) -> Balance {
		self.ask.saturating_mul(Balance::from(self.units))
	}

	/// Whether the epoch is one that it is paid for, when it reports it.
	pub fn is_due(&self, epoch: EpochIndex) -> bool {
		matches!(self.status, WorkerStatus::Live { since } if since <= epoch)
	}
}

/// What a peer's key signs to go live in a deal. The deadline names one assignment: a signature for
/// it is none for a later one of the same peer to the same deal.
pub fn go_live_hash(genesis: H256, peer: PeerId, deal: DealId, deadline: EpochIndex) -> H256 {
	hash::tagged("millrace/go-live/v1", &(genesis, peer, deal, deadline))
}

/// Burnt of every payment, in thousandths: 2 %.
pub const BURN_PER_MILLE: u128 = 20;

/// Splits a payment into (to the provider, burnt); the burn is rounded up, against the claimant.
pub fn split_payment(amount: Balance) -> (Balance, Balance) {
	let whole = amount / 1_000;
	let rest = amount % 1_000;
	let burn = whole
		.saturating_mul(BURN_PER_MILLE)
		.saturating_add(rest.saturating_mul(BURN_PER_MILLE).div_ceil(1_000));
	(amount.saturating_sub(burn), burn)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn a_go_live_is_for_one_chain_peer_deal_and_assignment() {
		let hash = |genesis, peer, deal, deadline| {
			let (genesis, peer) = (H256::repeat_byte(genesis), H256::repeat_byte(peer));
			go_live_hash(genesis, PeerId(peer), deal, deadline)
		};
		let one = hash(1, 2, 3, 4);
		assert_eq!(one, hash(1, 2, 3, 4));
		for other in [
			hash(0, 2, 3, 4),
			hash(1, 0, 3, 4),
			hash(1, 2, 0, 4),
			hash(1, 2, 3, 0),
		] {
			assert_ne!(one, other);
		}
	}

	proptest! {
		#[test]
		fn a_payment_is_split_to_the_unit(amount in any::<u128>()) {
			let (paid, burnt) = split_payment(amount);
			prop_assert_eq!(paid.checked_add(burnt), Some(amount));
			let exact = crate::U256::from(amount) * 20u32;
			prop_assert!(crate::U256::from(burnt) * 1000u32 >= exact);
			prop_assert!(crate::U256::from(burnt) * 1000u32 < exact + 1000u32);
		}
	}
}

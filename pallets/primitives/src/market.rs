//! Offers, deals and workers.

use crate::{
	access::{Access, RateLimit},
	billing::Billing,
	execution::{ProfileId, PROFILE_V1},
	hash,
	peer::PeerId,
	Balance, DealId, EpochIndex, Gas, OfferId, H256,
};
use alloc::string::ToString;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::net::{Ipv4Addr, Ipv6Addr};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

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
/// Most hosts that a deal lists.
pub const MAX_HOSTS: u32 = 8;
/// Longest host in bytes.
pub const MAX_HOST: u32 = 64;

/// Capability of a peer that asks hosts for its guests.
pub const HTTP_OUT: Capabilities = 1;
/// Capability of a peer that takes deals which are billed by gas.
pub const GAS_BILLED: Capabilities = 2;

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

impl Abi {
	/// The engine profile that it names.
	pub fn profile(self) -> ProfileId {
		match self {
			Self::WasiPreview1Command => PROFILE_V1,
		}
	}
}

/// An authority that guests may ask: a lower-case name or a literal address, and a port or none.
pub type Host = BoundedVec<u8, ConstU32<MAX_HOST>>;
/// The authorities that guests of a deal may ask.
pub type Hosts = BoundedVec<Host, ConstU32<MAX_HOSTS>>;

/// Whether the bytes are a [`Host`], in the one way in which it is written.
pub fn is_host(bytes: &[u8]) -> bool {
	let Ok(text) = core::str::from_utf8(bytes) else {
		return false;
	};
	let (host, port) = match text.rsplit_once(':') {
		// The last colon of an IPv6 address without a port stands inside of its brackets.
		Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
		_ => (text, None),
	};
	bytes.len() <= MAX_HOST as usize
		&& port.is_none_or(is_port)
		&& (is_address(host) || is_name(host))
}

fn is_port(port: &str) -> bool {
	// A leading zero would be a second way to write it, and zero is no port.
	!port.starts_with('0')
		&& port.bytes().all(|byte| byte.is_ascii_digit())
		&& port.parse::<u16>().is_ok()
}

fn is_address(host: &str) -> bool {
	match host
		.strip_prefix('[')
		.and_then(|rest| rest.strip_suffix(']'))
	{
		Some(inner) => inner
			.parse::<Ipv6Addr>()
			.is_ok_and(|address| address.to_string() == inner),
		None => host.parse::<Ipv4Addr>().is_ok(),
	}
}

/// The last label begins with a letter, so that no name is read as a number's address by a resolver.
fn is_name(host: &str) -> bool {
	let last = host.rsplit('.').next().unwrap_or_default();
	last.starts_with(|first: char| first.is_ascii_lowercase()) && host.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
	(1..=63).contains(&label.len())
		&& !label.starts_with('-')
		&& !label.ends_with('-')
		&& label
			.bytes()
			.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
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
	/// Hosts that calls may ask, by way of their worker; empty: none.
	#[cfg_attr(feature = "serde", serde(with = "crate::text::list", default))]
	pub hosts: Hosts,
	/// How served epochs are billed.
	#[cfg_attr(feature = "serde", serde(default))]
	pub billing: Billing,
	/// Who may call it.
	#[cfg_attr(feature = "serde", serde(default))]
	pub access: Access,
	/// How often each of them may; `None`: as often as workers answer.
	#[cfg_attr(feature = "serde", serde(default))]
	pub rate: Option<RateLimit>,
	/// A filled deal moves to an offer that is cheaper than its dearest worker by at least this part;
	/// `None`: workers stay as long as they serve.
	#[cfg_attr(feature = "serde", serde(default))]
	pub rematch: Option<Perbill>,
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
	/// The escrow is used up: workers keep what they have at half their price, which comes out of the
	/// closing deposit, until the deposit is restored or the time is over.
	Grace,
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
	/// Serves at once; paid from this epoch on.
	Live {
		/// First paid epoch.
		since: EpochIndex,
	},
	/// Serves on and is paid, and leaves without fault once its last epoch is settled: others are
	/// looked for in the meantime.
	Draining {
		/// First paid epoch.
		since: EpochIndex,
		/// Last paid epoch.
		last: EpochIndex,
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

	/// Whether its first paid epoch is no later than an epoch.
	pub fn began_by(&self, epoch: EpochIndex) -> bool {
		match self.status {
			WorkerStatus::Assigned { .. } => false,
			WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => since <= epoch,
		}
	}

	/// Whether it answers calls in an epoch: in those that it is paid for, and before them in what is
	/// left of the one in which it goes live. That part is not paid and need not be reported.
	pub fn serves(&self, epoch: EpochIndex) -> bool {
		let began = |since: EpochIndex| since.saturating_sub(1) <= epoch;
		match self.status {
			WorkerStatus::Assigned { .. } => false,
			WorkerStatus::Live { since } => began(since),
			WorkerStatus::Draining { since, last } => began(since) && epoch <= last,
		}
	}

	/// Whether the epoch is one that it is paid for, when it reports it.
	pub fn is_due(&self, epoch: EpochIndex) -> bool {
		match self.status {
			WorkerStatus::Assigned { .. } => false,
			WorkerStatus::Live { since } => since <= epoch,
			WorkerStatus::Draining { since, last } => since <= epoch && epoch <= last,
		}
	}
}

/// What a peer's key signs to go live in a deal. The deadline names one assignment: a signature for
/// it is none for a later one of the same peer to the same deal.
pub fn go_live_hash(genesis: H256, peer: PeerId, deal: DealId, deadline: EpochIndex) -> H256 {
	hash::tagged("millrace/go-live/v1", &(genesis, peer, deal, deadline))
}

/// What a peer's key signs to leave a deal with notice. The first paid epoch names one assignment, as
/// the deadline does for [`go_live_hash`].
pub fn drain_hash(genesis: H256, peer: PeerId, deal: DealId, since: EpochIndex) -> H256 {
	hash::tagged("millrace/drain/v1", &(genesis, peer, deal, since))
}

/// What a deal keeps of the parameters that it was made under, whatever is voted later.
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
pub struct DealTerms {
	/// Part of every payment that burns.
	pub payment_burn: Perbill,
	/// Most epochs that the workers stay for without escrow.
	pub grace_epochs: EpochIndex,
	/// Part of its price that a worker is paid for each of them, out of the closing deposit.
	pub grace_price: Perbill,
}

impl Default for DealTerms {
	/// The mainnet's first ones.
	fn default() -> Self {
		Self {
			payment_burn: Perbill::from_percent(2),
			grace_epochs: 2,
			grace_price: Perbill::from_percent(50),
		}
	}
}

impl DealTerms {
	/// Splits a payment into (to the provider, burnt); the burn is rounded up, against the claimant.
	pub fn split(&self, amount: Balance) -> (Balance, Balance) {
		let burn = self.payment_burn.mul_ceil(amount);
		(amount.saturating_sub(burn), burn)
	}

	/// What an epoch in grace costs of a price, rounded down.
	pub fn in_grace(&self, price: Balance) -> Balance {
		self.grace_price.mul_floor(price)
	}
}

/// Splits a payment of a deal that was made under the mainnet's first parameters.
#[cfg(feature = "std")]
pub fn split_payment(amount: Balance) -> (Balance, Balance) {
	DealTerms::default().split(amount)
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

	#[test]
	fn a_notice_is_for_one_chain_peer_deal_and_assignment() {
		let hash = |genesis, peer, deal, since| {
			let (genesis, peer) = (H256::repeat_byte(genesis), H256::repeat_byte(peer));
			drain_hash(genesis, PeerId(peer), deal, since)
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
		// Who goes live has not given notice by it.
		let (genesis, peer) = (H256::repeat_byte(1), PeerId(H256::repeat_byte(2)));
		assert_ne!(one, go_live_hash(genesis, peer, 3, 4));
	}

	fn worker(status: WorkerStatus) -> Worker {
		Worker {
			peer: PeerId(H256::zero()),
			offer: 1,
			ask: 1,
			units: 1,
			bond: 0,
			status,
		}
	}

	#[test]
	fn a_worker_serves_from_the_epoch_in_which_it_goes_live() {
		let serves = |status| -> Vec<EpochIndex> {
			let worker = worker(status);
			(0..9).filter(|epoch| worker.serves(*epoch)).collect()
		};
		let since = 4;
		assert!(serves(WorkerStatus::Assigned { deadline: 4 }).is_empty());
		assert_eq!(serves(WorkerStatus::Live { since }), [3, 4, 5, 6, 7, 8]);
		assert_eq!(
			serves(WorkerStatus::Draining { since, last: 6 }),
			[3, 4, 5, 6]
		);
		// It failed a probe in its first paid epoch.
		assert_eq!(serves(WorkerStatus::Draining { since, last: 3 }), [3]);
		assert_eq!(serves(WorkerStatus::Live { since: 0 }).len(), 9);
	}

	#[test]
	fn a_worker_with_notice_is_due_from_its_first_epoch_to_its_last() {
		let due = |status| -> Vec<EpochIndex> {
			let worker = worker(status);
			(0..9).filter(|epoch| worker.is_due(*epoch)).collect()
		};
		let (since, last) = (4, 6);
		assert_eq!(
			due(WorkerStatus::Assigned { deadline: 4 }),
			Vec::<EpochIndex>::new()
		);
		assert_eq!(due(WorkerStatus::Live { since }), vec![4, 5, 6, 7, 8]);
		assert_eq!(due(WorkerStatus::Draining { since, last }), vec![4, 5, 6]);
	}

	#[test]
	fn a_host_is_written_in_one_way() {
		let longest = ["a".repeat(31), "b".repeat(32)].join(".");
		assert_eq!(longest.len(), MAX_HOST as usize);
		for host in [
			"localhost",
			"api.example",
			"api-2.example:8080",
			"xn--bcher-kva.example",
			"3com.example",
			"9.9.9.9",
			"9.9.9.9:65535",
			"[2001:db8::1]",
			"[2001:db8::1]:443",
			"[::]",
			&longest,
		] {
			assert!(is_host(host.as_bytes()), "{host}");
		}
		for other in [
			"",
			":80",
			"a:",
			"a:0",
			"a:080",
			"a:65536",
			"a:+80",
			"a:80:80",
			"Api.example",
			"api.example.",
			".example",
			"a..b",
			"-a.example",
			"a-.example",
			"a_b.example",
			"a b",
			"a/b",
			"user@a.example",
			"http://a",
			"a%2eb",
			"b\u{fc}cher.example",
			"1",
			"2130706433",
			"0x7f000001",
			"127.1",
			"127.0.0.0x1",
			"127.0.0.01",
			"256.0.0.1",
			"1.2.3.4.5",
			"2001:db8::1",
			"[2001:db8::1",
			"2001:db8::1]",
			"[2001:DB8::1]",
			"[2001:db8:0::1]",
			"[fe80::1%1]",
			"[9.9.9.9]",
			"[]",
			"[::1]80",
			"[::1]:",
			&format!("{longest}c"),
			&"a".repeat(64),
		] {
			assert!(!is_host(other.as_bytes()), "{other}");
		}
		assert!(!is_host(b"a\xff.example"));
		assert!(!is_host(b"a\0.example"));
	}

	#[cfg(feature = "serde")]
	#[test]
	fn hosts_of_a_specification_are_strings_and_may_be_left_out() {
		let host: Host = b"a.example".to_vec().try_into().expect("it is short");
		let spec = DealSpec::<u64> {
			class: crate::CPU_V1,
			units_per_worker: 1,
			min_workers: 1,
			target_workers: 1,
			max_workers_per_provider: 1,
			price_ceiling: 1,
			package: Package {
				hash: H256::zero(),
				size: 1,
				links: Default::default(),
				abi: Abi::default(),
			},
			limits: CallLimits {
				gas: 1,
				memory_bytes: 1,
				request_bytes: 1,
				response_bytes: 1,
			},
			capabilities: HTTP_OUT,
			regions: Default::default(),
			providers: ProviderFilter::Any,
			worker_bond: 0,
			term_epochs: None,
			hosts: vec![host].try_into().expect("one fits"),
			access: Default::default(),
			rate: None,
			billing: Billing::default(),
			rematch: None,
		};
		let mut value = serde_json::json!(spec);
		assert_eq!(value["hosts"], serde_json::json!(["a.example"]));
		let read: DealSpec<u64> = serde_json::from_value(value.clone()).expect("it was one");
		assert_eq!(read, spec);
		value.as_object_mut().expect("an object").remove("hosts");
		let read: DealSpec<u64> = serde_json::from_value(value).expect("hosts may be missing");
		assert!(read.hosts.is_empty());
	}

	proptest! {
		#[test]
		fn no_bytes_are_a_host_and_an_address_of_another_form(
			address in any::<u32>(),
			wide in any::<u128>(),
		) {
			let (v4, v6) = (Ipv4Addr::from(address), Ipv6Addr::from(wide));
			prop_assert!(is_host(v4.to_string().as_bytes()));
			let bracketed = format!("[{v6}]");
			prop_assert!(is_host(bracketed.as_bytes()));
			prop_assert!(!is_host(v6.to_string().as_bytes()));
			prop_assert!(!is_host(address.to_string().as_bytes()));
			let hex = format!("{address:#x}");
			prop_assert!(!is_host(hex.as_bytes()));
		}

		#[test]
		fn a_payment_is_split_to_the_unit(
			amount in any::<u128>(), part in 0u32..=1_000_000_000,
		) {
			let terms = DealTerms {
				payment_burn: Perbill::from_parts(part),
				..Default::default()
			};
			let (paid, burnt) = terms.split(amount);
			prop_assert_eq!(paid.checked_add(burnt), Some(amount));
			let (burnt, whole) = (crate::U256::from(burnt), crate::U256::from(1_000_000_000u32));
			let exact = crate::U256::from(amount) * part;
			prop_assert!(burnt * whole >= exact);
			prop_assert!(burnt * whole < exact + whole);
		}

		#[test]
		fn at_first_a_payment_burns_two_of_a_hundred_rounded_up(amount in any::<u128>()) {
			let (whole, rest) = (amount / 100, amount % 100);
			prop_assert_eq!(split_payment(amount).1, whole * 2 + (rest * 2).div_ceil(100));
		}

		#[test]
		fn a_price_in_grace_is_rounded_down(price in any::<u128>()) {
			prop_assert_eq!(DealTerms::default().in_grace(price), price / 2);
		}
	}
}

//! What runtime APIs, RPC and daemons read: whole pictures at one block, so that a client never
//! joins storage items of different blocks.

use crate::{
	access::{Access, RateLimit},
	audit::Audit,
	billing::{Billing, Redeemed},
	capacity::WorkRates,
	commitment::{ChangeView, CommitmentTerms, StakeView},
	epoch::EpochStatus,
	execution::{CallTerms, ProfileId, Receipt},
	market::{CallLimits, DealSpec, DealStatus, DealTerms, Hosts, OfferTerms, Package, Worker},
	packages::{NoTerms, PackageHistory},
	peer::{Endpoint, PeerId, PeerKey},
	probe::ProbeView,
	Balance, BlockNumber, DealId, EpochIndex, OfferId, H256, U256,
};
use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

mod matching;

pub use matching::{Content, Reason, Subject, WhyNot};

/// Most offers that a quote looks at before it says so and stops.
pub const MAX_QUOTED_OFFERS: u32 = 1_000;
/// Most deals in one page of `market_deals`.
pub const MAX_DEALS_PAGE: u32 = 100;

/// A registered peer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeerView<AccountId> {
	/// Its name.
	pub peer: PeerId,
	/// Its owner.
	pub provider: AccountId,
	/// The key that signs for it at present.
	#[cfg_attr(feature = "serde", serde(with = "crate::hex_bytes"))]
	pub key: PeerKey,
	/// First block at which this key counts.
	pub key_since: BlockNumber,
	/// Where it serves.
	#[cfg_attr(feature = "serde", serde(with = "crate::text"))]
	pub endpoint: Endpoint,
}

/// Where a commitment stands.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum CommitmentStatus {
	/// Waits for its stake; lapses after this epoch.
	Pending {
		/// Last epoch in which the stake can come.
		deadline: EpochIndex,
	},
	/// Owes work from `start` up to and without `end`.
	Active {
		/// First epoch that is owed.
		start: EpochIndex,
		/// First epoch that is not.
		end: EpochIndex,
	},
	/// Over; the stake can be withdrawn from epoch `until` on.
	Unbonding {
		/// First epoch in which the stake can be withdrawn.
		until: EpochIndex,
		/// Whether it failed rather than ended.
		failed: bool,
	},
}

/// A peer's promise.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CommitmentView<AccountId> {
	/// The peer.
	pub peer: PeerId,
	/// Its owner.
	pub provider: AccountId,
	/// Units promised.
	pub units: u32,
	/// Stake that is left, the provider's own and the delegators'.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub stake: Balance,
	/// Slashed so far, slashes that wait included.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub slashed: Balance,
	/// Where it stands.
	pub status: CommitmentStatus,
	/// First epoch that is not settled yet.
	pub next_to_settle: EpochIndex,
	/// Rewards so far, of all owners together.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub rewarded: Balance,
	/// Of the stake that is left, the provider's own.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub own: Balance,
	/// Of what was slashed, what waits.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub waiting: Balance,
	/// Failure score in thousandths of the limit, rounded up.
	pub score_permille: u32,
	/// What was agreed to.
	pub terms: CommitmentTerms,
	/// What was agreed to for later.
	pub change: Option<ChangeView>,
	/// First epoch in which the stake can be withdrawn, once the commitment is over.
	pub withdrawable: Option<EpochIndex>,
	/// Who staked with the provider.
	pub delegators: Vec<StakeView<AccountId>>,
	/// Stakers that did not sign the last renewal; their stake waits.
	pub leaving: Vec<StakeView<AccountId>>,
}

/// What a peer owes for one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Owed {
	/// The epoch.
	pub epoch: EpochIndex,
	/// Its RandomX key.
	pub seed: H256,
	/// Its target.
	pub target: U256,
	/// Idle units.
	pub idle: u32,
	/// Units at work.
	pub busy: u32,
	/// Solutions of each.
	pub rates: WorkRates,
}

/// A deal that a peer works for, with what the peer needs to serve it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Assignment {
	/// The deal.
	pub deal: DealId,
	/// The peer's part in it.
	pub worker: Worker,
	/// What it runs.
	pub package: Package,
	/// Since when, and what calls may run besides: those before it that still count.
	#[cfg_attr(feature = "serde", serde(default))]
	pub packages: PackageHistory,
	/// What a call may use.
	pub limits: CallLimits,
	/// Where the deal stands.
	pub status: DealStatus,
	/// Last epoch that the escrow pays for, at the present workers.
	pub paid_until: EpochIndex,
	/// Hosts that calls may ask; empty: none.
	#[cfg_attr(feature = "serde", serde(with = "crate::text::list", default))]
	pub hosts: Hosts,
	/// Engine profile that calls of the package run under: frozen when it became the deal's.
	pub profile: ProfileId,
	/// How served epochs are billed.
	#[cfg_attr(feature = "serde", serde(default))]
	pub billing: Billing,
	/// What the peer has redeemed of its vouchers, where gas is billed.
	#[cfg_attr(feature = "serde", serde(default))]
	pub redeemed: Redeemed,
	/// Who may call the deal.
	#[cfg_attr(feature = "serde", serde(default))]
	pub access: Access,
	/// How often each of them may; `None`: as often as the worker answers.
	#[cfg_attr(feature = "serde", serde(default))]
	pub rate: Option<RateLimit>,
	/// What the worker is asked over the chain, and has not answered.
	#[cfg_attr(feature = "serde", serde(default))]
	pub probe: Option<ProbeView>,
}

impl Assignment {
	/// What calls of the deal's package run under.
	pub fn terms(&self) -> CallTerms {
		CallTerms::frozen(
			self.deal,
			&self.package,
			self.profile,
			self.limits,
			self.hosts.clone(),
		)
	}
}

/// Everything that a peer must know to do what it owes, at one block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeerDuties {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Where the chain stands.
	pub epoch: EpochStatus,
	/// The epoch before the present one, unless this is the first.
	pub previous: Option<crate::epoch::EpochInfo>,
	/// The key that the chain takes signatures from at this block; `None`: the peer is unknown.
	#[cfg_attr(feature = "serde", serde(skip))]
	pub key: Option<PeerKey>,
	/// Work owed for the present epoch; reported in the next.
	pub work: Option<Owed>,
	/// Work owed for the epoch before.
	pub previous_work: Option<Owed>,
	/// Whether the report of the epoch before can be sent now and has not been.
	pub report_due: bool,
	/// The audit that the peer was last drawn for.
	pub audit: Option<Audit>,
	/// The deals that it works for.
	pub assignments: Vec<Assignment>,
}

/// A worker as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WorkerView {
	/// The worker.
	pub worker: Worker,
	/// Where it serves.
	#[cfg_attr(feature = "serde", serde(with = "crate::text"))]
	pub endpoint: Endpoint,
	/// The key that signs its receipts at present.
	#[cfg_attr(feature = "serde", serde(with = "crate::hex_bytes"))]
	pub key: PeerKey,
}

/// Epochs in which a deal has no escrow and pays half out of its closing deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GraceSpan {
	/// The first.
	pub from: EpochIndex,
	/// The last.
	pub until: EpochIndex,
}

impl GraceSpan {
	/// Whether it is one of them.
	pub fn contains(&self, epoch: EpochIndex) -> bool {
		self.from <= epoch && epoch <= self.until
	}
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DealView<AccountId> {
	/// Its index.
	pub deal: DealId,
	/// Whose it is.
	pub owner: AccountId,
	/// To whom the owner wants to give it.
	pub heir: Option<AccountId>,
	/// What was ordered.
	pub spec: DealSpec<AccountId>,
	/// Where it stands.
	pub status: DealStatus,
	/// Epoch in which it was created.
	pub created: EpochIndex,
	/// Escrow that is left, without the closing deposit.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub escrow: Balance,
	/// Deposit for an early end, and for grace.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub closing_deposit: Balance,
	/// The last time that the escrow was used up.
	pub grace: Option<GraceSpan>,
	/// What it keeps of the parameters that it was made under.
	pub terms: DealTerms,
	/// Paid to providers so far.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub paid: Balance,
	/// Burnt so far.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub burnt: Balance,
	/// Last epoch that the escrow pays for, at the present workers.
	pub paid_until: EpochIndex,
	/// Its workers.
	pub workers: Vec<WorkerView>,
	/// Engine profile that calls of its package run under: frozen when it became the deal's.
	pub profile: ProfileId,
	/// Since when it has its package, and which it had before.
	#[cfg_attr(feature = "serde", serde(default))]
	pub packages: PackageHistory,
}

impl<AccountId> DealView<AccountId> {
	/// What calls of the deal's package run under.
	pub fn call_terms(&self) -> CallTerms {
		CallTerms::frozen(
			self.deal,
			&self.spec.package,
			self.profile,
			self.spec.limits,
			self.spec.hosts.clone(),
		)
	}

	/// What the call of a receipt of the deal ran under, by the package, epoch and block that it names.
	pub fn terms_of(&self, receipt: &Receipt) -> Result<CallTerms, NoTerms> {
		let Receipt {
			package,
			epoch,
			block,
			..
		} = *receipt;
		self.packages
			.terms(&self.call_terms(), package, epoch, block)
	}
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct OfferView {
	/// Its index.
	pub offer: OfferId,
	/// Its peer.
	pub peer: PeerId,
	/// Its terms.
	pub terms: OfferTerms,
	/// Units that are free and proven.
	pub free_units: u32,
}

/// What would be matched now, and how long an escrow would pay it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Quote {
	/// The offers that would be taken, cheapest first.
	pub workers: Vec<OfferView>,
	/// Their price for one epoch.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub epoch_price: Balance,
	/// Smallest escrow that a deal of this specification must bring, without the deposits.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub min_escrow: Balance,
	/// Closing deposit that is held besides.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub closing_deposit: Balance,
	/// Epochs that the escrow which was asked about pays these workers for, within the term; `None`:
	/// nobody would be taken, so it pays nobody.
	pub paid_epochs: Option<u32>,
	/// Offers that were looked at.
	pub looked_at: u32,
	/// Whether the search stopped at [`MAX_QUOTED_OFFERS`].
	pub truncated: bool,
	/// Whether the chain can replay every call of such a deal: [`CallTerms::is_verifiable`].
	pub verifiable: bool,
}

/// What the chain keeps of a report.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReportRecord {
	/// The epoch.
	pub epoch: EpochIndex,
	/// [`crate::report::Report::hash`].
	pub hash: H256,
}

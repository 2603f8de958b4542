//! # Market pallet
//!
//! Providers post offers, clients order deals, and the chain matches the two, keeps the escrow
//! and pays for every epoch that was served. See the crate's README for the rules in one piece.
//! It talks to its neighbours through the narrow traits of `millrace_primitives`: it reads the clock,
//! the registry of peers and the proven units, and is itself the ledger of units at work.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
	missing_debug_implementations,
	reason = "storage types that the macros generate are never values"
)]
#![cfg_attr(
	not(test),
	warn(
		clippy::arithmetic_side_effects,
		clippy::unwrap_used,
		clippy::indexing_slicing
	)
)]

extern crate alloc;

mod access_impls;
mod deals_impls;
mod drain_impls;
mod grace_impls;
mod lost_impls;
mod matching_impls;
mod offers_impls;
mod owners_impls;
mod packages_impls;
mod past_work_impls;
mod patrol_impls;
mod payments_impls;
mod probe_failures_impls;
mod probes_impls;
mod quotes_impls;
mod rematch_impls;
mod resize_impls;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state_impls;
mod views_impls;
mod vouchers_impls;
mod workers_impls;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub mod refusal;
pub mod runtime_api;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The pallet's items.
#[frame_support::pallet]
pub mod pallet {
	use crate::{types::*, weights::WeightInfo};
	use alloc::boxed::Box;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Inspect, Mutate, MutateHold},
		weights::WeightMeter,
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		access::{Access, RateLimit},
		billing::{Redeemed, Voucher},
		execution::SignedReceipt,
		market::{DealSpec, OfferTerms, Package, ResourceClass, Worker, MAX_WORKERS},
		packages::PackageHistory,
		peer::{PeerId, PeerSignature},
		probe::{Moment, ProbeBody},
		report::MAX_DEALS_PER_PEER,
		traits::{Capacity, EpochClock, PeerRegistry},
		Balance, DealId, EpochIndex, Gas, OfferId, H256,
	};

	/// What the market needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// FLT.
		type Currency: Inspect<Self::AccountId, Balance = Balance>
			+ Mutate<Self::AccountId>
			+ MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;
		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;
		/// Names the pot of all escrow, which genesis endows with the existential deposit.
		#[pallet::constant]
		type PotId: Get<PalletId>;
		/// The epoch clock.
		type Epochs: EpochClock;
		/// The registry of peers. Peers for which [`millrace_primitives::traits::PeerUse`] of this
		/// pallet answers yes must stay registered under their provider.
		type Peers: PeerRegistry<Self::AccountId>;
		/// Proven units, and the settlement of their epochs.
		type Capacity: Capacity;
		/// What computation costs: bounties are made of it.
		type WeightToFee: frame_support::weights::WeightToFee<Balance = Balance>;
		/// Weights of the calls and of the matcher's steps.
		type WeightInfo: WeightInfo;
		/// Brings peers into being for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// Reasons of the market's holds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Escrow and closing deposits of all deals, on the pot.
		Escrow,
		/// Deposit for a deal's storage, on its owner's account.
		DealDeposit,
		/// Deposit for an offer's storage, on its provider's account.
		OfferDeposit,
		/// Bonds of live workers, on their provider's account.
		WorkerBond,
		/// Bonds of open probes, on their prober's account.
		Probe,
	}

	/// The pallet.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// Parameters in force; records keep what they were made under. Set by governance.
	#[pallet::storage]
	pub type Params<T: Config> = StorageValue<_, MarketParams, ValueQuery>;

	/// Index of the last offer that was made.
	#[pallet::storage]
	pub type LastOffer<T: Config> = StorageValue<_, OfferId, ValueQuery>;

	/// Index that the next deal gets.
	#[pallet::storage]
	pub type NextDeal<T: Config> = StorageValue<_, DealId, ValueQuery>;

	/// Standing offers, one a peer. The provider pays the offer deposit.
	#[pallet::storage]
	pub type Offers<T: Config> =
		StorageMap<_, Blake2_128Concat, PeerId, Offer<T::AccountId>, OptionQuery>;

	/// The book: offers with free proven units, in the order of class, region, ask and age. Part of
	/// what the offer deposit pays for. Keys are the chain's own, so they need no hashing.
	#[pallet::storage]
	pub type Book<T: Config> = StorageMap<_, Identity, BookKey, PeerId, OptionQuery>;

	/// Counts offers that entered the book or gained free units: another walk may find more.
	#[pallet::storage]
	pub type BookVersion<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Regions in which offers of a class stand, each with their number. Part of what the offer deposits
	/// pay for: the last offer of a class takes the row along.
	#[pallet::storage]
	pub type KnownRegions<T: Config> =
		StorageMap<_, Twox64Concat, ResourceClass, RegionCounts, ValueQuery>;

	/// Deals in the order of their creation. The owner pays the deal deposit.
	#[pallet::storage]
	pub type Deals<T: Config> = StorageMap<_, Identity, DealKey, Deal<T::AccountId>, OptionQuery>;

	/// What the deals ordered. Part of what the deal deposit pays for.
	#[pallet::storage]
	pub type Specs<T: Config> =
		StorageMap<_, Twox64Concat, DealId, DealSpec<T::AccountId>, OptionQuery>;

	/// Deals of an owner, in the order of their creation. Part of what the deal deposit pays for.
	#[pallet::storage]
	pub type DealsOf<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, DealKey, (), OptionQuery>;

	/// Workers of a deal, at most [`MAX_WORKERS`]. Paid for by the deposit of the peer, which has at most
	/// [`MAX_DEALS_PER_PEER`] of them and stays registered while it has any.
	#[pallet::storage]
	pub type Workers<T: Config> =
		StorageDoubleMap<_, Twox64Concat, DealId, Blake2_128Concat, PeerId, Worker, OptionQuery>;

	/// How many workers of a deal each provider has. Paid for by the deposits of their peers: no more rows
	/// than workers.
	#[pallet::storage]
	pub type Seats<T: Config> =
		StorageDoubleMap<_, Twox64Concat, DealId, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// Deals that a peer works for: as many as one report can list. One bounded row of a peer.
	#[pallet::storage]
	pub type PeerDeals<T: Config> = StorageMap<_, Blake2_128Concat, PeerId, DealList, ValueQuery>;

	/// What a peer worked for and has left, as long as receipts of it can be opened, and up to the end of
	/// the challenge period where there is room. Goes with the peer, and is paid for by its registration.
	#[pallet::storage]
	pub type PastWorks<T: Config> =
		StorageMap<_, Blake2_128Concat, PeerId, PastWorkList, ValueQuery>;

	/// Units of each peer that are taken, and that were at work at the last epoch starts. One bounded row
	/// of a peer.
	#[pallet::storage]
	pub type Loads<T: Config> = StorageMap<_, Blake2_128Concat, PeerId, Load, ValueQuery>;

	/// Peers that a deal does not take for a while, until it is ending: they failed it, gave notice or
	/// were ended by its owner. Each with the epoch that ends its exclusion. One bounded row of a deal, whose
	/// deposit pays for it at its longest.
	#[pallet::storage]
	pub type Exclusions<T: Config> = StorageMap<_, Twox64Concat, DealId, ExclusionList, ValueQuery>;

	/// The queue of the matcher: active deals with fewer live workers than their target, and those that
	/// wait for a cheaper one to go live. Part of what the deal deposit pays for; the deposit of a peer that
	/// is assigned pays for its place in the row.
	#[pallet::storage]
	pub type Unfilled<T: Config> = StorageMap<_, Identity, DealKey, Vacancy, OptionQuery>;

	/// The deal that the matcher visited last.
	#[pallet::storage]
	pub type Cursor<T: Config> = StorageValue<_, DealId, OptionQuery>;

	/// How far the present epoch's patrol has come.
	#[pallet::storage]
	pub type PatrolPlace<T: Config> = StorageValue<_, Patrol, ValueQuery>;

	/// Deals that a peer's last report lists, each with its gas, until its epoch is settled. One bounded row
	/// of a peer.
	#[pallet::storage]
	pub type Reported<T: Config> =
		StorageMap<_, Blake2_128Concat, PeerId, (EpochIndex, ReportedList), OptionQuery>;

	/// What workers of deals that are billed by gas have redeemed. Goes with the worker, and is paid for as
	/// its row is.
	#[pallet::storage]
	pub type Vouchers<T: Config> =
		StorageDoubleMap<_, Twox64Concat, DealId, Blake2_128Concat, PeerId, Redeemed, OptionQuery>;

	/// Packages that deals had before their present one, of those that were updated. Paid for by the deal
	/// deposit.
	#[pallet::storage]
	pub type Packages<T: Config> = StorageMap<_, Twox64Concat, DealId, PackageHistory, ValueQuery>;

	/// Open probes, one of a worker. The prober's bond pays for it.
	#[pallet::storage]
	pub type Probes<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		DealId,
		Blake2_128Concat,
		PeerId,
		Probe<T::AccountId>,
		OptionQuery,
	>;

	/// Open probes in the order of their deadlines. Keys are the chain's own, so they need no hashing. Part
	/// of what the prober's bond pays for.
	#[pallet::storage]
	pub type OpenProbes<T: Config> = StorageMap<_, Identity, ProbeKey, (), OptionQuery>;

	/// What is remembered of the probes of a worker. Goes with the worker, and is paid for as its row is.
	#[pallet::storage]
	pub type ProbeRecords<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		DealId,
		Blake2_128Concat,
		PeerId,
		ProbeRecord<T::AccountId>,
		ValueQuery,
	>;

	/// Peers that failed a probe of a deal, until it is ending, each with the epoch in which that is
	/// forgotten: who fails again before it forfeits its bond. One bounded row of a deal, whose deposit pays
	/// for it at its longest.
	#[pallet::storage]
	pub type Failures<T: Config> = StorageMap<_, Twox64Concat, DealId, ExclusionList, ValueQuery>;

	/// Parameters at genesis.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The parameters.
		pub params: MarketParams,
		/// Binds the configuration to the runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::check_genesis(&self.params);
			Params::<T>::put(&self.params);
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An offer was made.
		OfferPosted {
			/// The peer that is offered.
			peer: PeerId,
			/// Index of the offer.
			offer: OfferId,
			/// Its price of one unit for one epoch.
			ask: Balance,
		},
		/// An offer was withdrawn; workers that were taken from it stay.
		OfferWithdrawn {
			/// The peer that was offered.
			peer: PeerId,
			/// Index of the offer.
			offer: OfferId,
		},
		/// An offer was closed: too many assignments in a row came to nothing. It can be posted again.
		OfferClosed {
			/// The peer that was offered.
			peer: PeerId,
			/// Index of the offer.
			offer: OfferId,
		},
		/// An offer's terms were changed. A higher ask gives notice to the live workers of its peer that
		/// have a lower one.
		OfferUpdated {
			/// The peer that is offered.
			peer: PeerId,
			/// Index of the offer.
			offer: OfferId,
			/// Its price of one unit for one epoch.
			ask: Balance,
		},
		/// A deal was ordered and its escrow moved into the pot.
		DealCreated {
			/// The deal.
			deal: DealId,
			/// Who ordered it.
			owner: T::AccountId,
			/// Its escrow, without the closing deposit.
			escrow: Balance,
			/// Moved besides, for an early end.
			closing_deposit: Balance,
		},
		/// Escrow was added to a deal.
		DealToppedUp {
			/// The deal.
			deal: DealId,
			/// Who paid.
			from: T::AccountId,
			/// What was added.
			amount: Balance,
		},
		/// A deal was given its last epoch.
		DealStopped {
			/// The deal.
			deal: DealId,
			/// The last epoch that its workers serve.
			last: EpochIndex,
			/// Whether the workers are owed an epoch from the closing deposit.
			early: bool,
		},
		/// A deal has no escrow for another epoch: its workers get a part of their price, out of the
		/// closing deposit.
		GraceBegun {
			/// The deal.
			deal: DealId,
			/// First epoch at that price.
			from: EpochIndex,
			/// Last epoch at that price. The deal can be stopped from it on.
			until: EpochIndex,
		},
		/// A deal in grace has escrow and closing deposit again.
		GraceEnded {
			/// The deal.
			deal: DealId,
			/// First epoch at full price.
			from: EpochIndex,
		},
		/// A deal looks for another number of workers.
		DealResized {
			/// The deal.
			deal: DealId,
			/// Workers below which it counts as underfilled.
			min_workers: u32,
			/// Workers that it looks for.
			target_workers: u32,
			/// Added to the closing deposit, by the owner.
			added: Balance,
		},
		/// An owner wants to give a deal away, or no longer does.
		HeirNamed {
			/// The deal.
			deal: DealId,
			/// To whom.
			heir: Option<T::AccountId>,
		},
		/// A deal has another owner.
		OwnerChanged {
			/// The deal.
			deal: DealId,
			/// Who gave it.
			from: T::AccountId,
			/// Who took it.
			to: T::AccountId,
		},
		/// A deal was closed and what was left of its escrow given back.
		DealClosed {
			/// The deal.
			deal: DealId,
			/// Paid to providers over its life.
			paid: Balance,
			/// Burnt over its life.
			burnt: Balance,
			/// Given back of escrow and closing deposit; the deal deposit comes besides.
			refunded: Balance,
		},
		/// The matcher assigned a peer to a deal.
		WorkerMatched {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Price of one unit for one epoch, fixed for the worker's life.
			ask: Balance,
		},
		/// A deal's owner wants cheaper workers, and the chain found one: it is matched next, and takes
		/// over a place once it is live.
		RematchBegun {
			/// The deal.
			deal: DealId,
			/// The worker that gets notice then.
			from: PeerId,
			/// The one that takes over its place.
			to: PeerId,
		},
		/// A worker went live and its bond was held.
		WorkerLive {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// First epoch that it is paid for.
			since: EpochIndex,
		},
		/// A worker gave notice or was given it: it serves and is paid for a while, then it leaves.
		WorkerDraining {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Last epoch that it is paid for.
			last: EpochIndex,
			/// Who gave notice.
			notice: Notice,
		},
		/// A worker's bond was forfeited. Of it, the bounty goes to whoever pointed to it, the client's
		/// part to the deal's escrow, and the rest is burnt.
		BondForfeited {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// To whoever pointed to it.
			bounty: Balance,
			/// To the deal's escrow.
			to_escrow: Balance,
			/// Burnt.
			burnt: Balance,
		},
		/// A worker left a deal; what was left of its bond was released.
		WorkerReleased {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Why.
			reason: ReleaseReason,
		},
		/// A served epoch was paid by all deals of its report. What each paid is in its own sums.
		ReportPaid {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// Paid to the provider, by all deals together.
			paid: Balance,
			/// Burnt, of all deals together.
			burnt: Balance,
		},
		/// A worker of a deal that ended early was paid from the closing deposit.
		ClosingPaid {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Paid to the provider.
			paid: Balance,
			/// Burnt.
			burnt: Balance,
		},
		/// A worker redeemed a voucher: as much gas since it went live may be billed.
		VoucherRedeemed {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Gas of all calls since the worker went live.
			cumulative: Gas,
		},
		/// Other invokers may call a deal, or more or less often. Who, is in the deal's specification.
		AccessSet {
			/// The deal.
			deal: DealId,
		},
		/// A deal runs another package, or has other links to the one that it runs.
		PackageUpdated {
			/// The deal.
			deal: DealId,
			/// Hash of its package from this block on.
			package: H256,
			/// Hash of the one before.
			before: H256,
			/// Last epoch in which calls may still run that; `None`: only the links are others.
			until: Option<EpochIndex>,
		},
		/// A worker was asked a call over the chain.
		ProbeMade {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Who asks.
			prober: T::AccountId,
			/// Held of the prober.
			bond: Balance,
			/// The last block in which it can be answered.
			deadline: Moment,
		},
		/// A worker answered a probe with a receipt, which can be challenged as any other.
		ProbeAnswered {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Who asked.
			prober: T::AccountId,
			/// The answer.
			receipt: Box<SignedReceipt>,
			/// Of the bond, to the provider.
			paid: Balance,
			/// Of the bond, burnt.
			burnt: Balance,
		},
		/// A worker did not answer a probe in time: it is not paid from the probe's epoch on, and the deal
		/// looks for another. The prober has its bond back.
		ProbeFailed {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Who asked.
			prober: T::AccountId,
			/// Last epoch that the worker is paid for; before its first one if there is none.
			last: EpochIndex,
			/// Whether the worker's bond was forfeited, because it had failed before.
			forfeits: bool,
		},
		/// A worker left its deal before a probe of it was decided. The prober has its bond back.
		ProbeDropped {
			/// The deal.
			deal: DealId,
			/// The peer.
			peer: PeerId,
			/// Who asked.
			prober: T::AccountId,
		},
		/// Governance set new parameters.
		ParamsSet {
			/// The parameters.
			params: MarketParams,
		},
	}

	/// Why a call is refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The peer is not registered. Register it with the providers pallet first.
		UnknownPeer,
		/// The peer belongs to another provider. Sign with the account that registered it.
		NotProvider,
		/// The peer has an offer already. Withdraw it before posting another.
		OfferExists,
		/// The peer has no offer.
		NoOffer,
		/// The resource class does not exist. Use one of the network's classes.
		UnknownClass,
		/// A region's code is above 63. Use one that governance published, or 0 for none.
		UnknownRegion,
		/// Ask or price ceiling is below the minimum price. Raise it.
		PriceBelowMinimum,
		/// Price ceiling × units × workers does not fit the currency. Lower one of them.
		PriceOverflow,
		/// A worker of no units was ordered. Order at least one.
		UnitsZero,
		/// A worker of more units than a peer can have was ordered. Order fewer.
		TooManyUnits,
		/// Workers must fit 1 ≤ minimum ≤ target ≤ 256, with at least one for each provider.
		WorkersOutOfRange,
		/// A limit of a call is zero, so that no call could succeed. Raise it.
		LimitsZero,
		/// A limit of a call is higher than the engine profile allows. Lower it.
		LimitsTooHigh,
		/// The package is empty. State the size of the module.
		PackageEmpty,
		/// The package is larger than one that can be checked on chain. Make it smaller.
		PackageTooLarge,
		/// The package has no link. Upload it and state where workers fetch it.
		NoLinks,
		/// A link is no absolute `http://` or `https://` URL in printable ASCII.
		BadLink,
		/// A host stands twice, or is not written in its one way. List names in lower case, once each.
		BadHost,
		/// Hosts are listed, but not the capability of asking them. Add `http-out` to those wanted.
		HostsNeedCapability,
		/// The term has no epochs, or more than can be counted.
		TermOutOfRange,
		/// The escrow is below two epochs at the price ceiling. Bring more, or order less.
		EscrowTooSmall,
		/// The account's unlocked balance does not cover what is to be held or moved into the pot.
		FundsTooLow,
		/// Nothing was to be added. State an amount.
		AmountZero,
		/// The deal does not exist, or is closed.
		UnknownDeal,
		/// Only the owner may do this. Anybody may stop a deal once its term or its grace is over.
		NotOwner,
		/// The deal is ending already, or no epoch is left of its term or its grace.
		DealEnding,
		/// The deal is active. Stop it first.
		DealActive,
		/// The last epoch of the deal is not closed yet. Wait for its audits.
		LastEpochOpen,
		/// Closed epochs of too many workers are not settled. Settle the workers with capacity first.
		WorkersNotSettled,
		/// The deal lacks no workers, so there is nothing to match.
		DealIsFilled,
		/// The peer is not assigned to the deal.
		NotAssigned,
		/// The worker can still go live, or serves its last epochs. Wait until they are settled.
		NotOverdue,
		/// The peer is not a worker of the deal that serves and has no notice yet.
		NotLive,
		/// The peer has reported the deal, or may still do so: it is not lost.
		NotLost,
		/// An offer cannot move to another class. Withdraw it and post another.
		ClassChanged,
		/// The deal still has escrow for the next epoch, nobody to pay for it, or its term is over.
		EscrowLasts,
		/// An earlier time without escrow is not settled yet. Wait until its epochs are closed.
		GraceNotSettled,
		/// The amount does not restore the closing deposit and one epoch of escrow. Add more.
		GraceTooLittle,
		/// The deal is in grace. Add escrow first.
		DealInGrace,
		/// Nobody wants to give this deal to the account. Its owner names the account first.
		NotHeir,
		/// A deal is billed by gas, and does not ask for the capability to take such deals. Add it.
		BillingNeedsCapability,
		/// No gas in an epoch would cost the whole price. Name at least one.
		FullGasZero,
		/// A deal that is not open lists nobody, or somebody twice. List each key or token once.
		BadAccess,
		/// A rate must fit 1 to 1,000,000 calls in 1 to 86,400 seconds.
		RateOutOfRange,
		/// The deal's package was updated in this epoch already. Update it again in the next one.
		UpdatedThisEpoch,
		/// As many of the deal's earlier packages can still be challenged as are remembered. Wait for some
		/// epochs.
		TooManyUpdates,
		/// The new package is run in another way than the deal's. Create a deal for it.
		AbiChanged,
		/// The request is longer than a call of the deal may be. Ask a shorter one.
		ProbeTooLong,
		/// The worker is not paid for this epoch, so that it need not answer. Probe one that is.
		NothingToProbe,
		/// A probe of the worker is open. Wait until it is answered or has failed.
		AlreadyProbed,
		/// The account has probed this worker in this epoch. Wait for the next one.
		ProbedBefore,
		/// The worker was probed as often in this epoch as it can be. Wait for the next one.
		TooManyProbes,
		/// No probe of the worker is open.
		NotProbed,
		/// The worker can still answer the probe. Wait until its deadline is over.
		ProbePending,
		/// A new ask is no multiple of the parameter `market.ask_tick`. Raise or lower it to one.
		AskOffTick,
		/// A sum ran over. It cannot happen; report it.
		Arithmetic,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_: BlockNumberFor<T>, weight: &mut WeightMeter) {
			let limit = weight.remaining().min(Self::poll_limit());
			weight.consume(Self::work_within(limit, Self::moment()));
		}

		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			// All transactions of the block have run: what could be answered in it was.
			Self::work_within(remaining, Self::moment().next_position())
		}

		fn integrity_test() {
			Self::check_weights();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Offers the units of a peer at a price. One offer a peer; the offer deposit is held.
		///
		/// ## Dispatch origin
		/// Signed by the provider that owns the peer.
		/// ## Errors
		/// [`Error::UnknownPeer`], [`Error::NotProvider`], [`Error::OfferExists`],
		/// [`Error::UnknownClass`], [`Error::UnknownRegion`], [`Error::PriceBelowMinimum`],
		/// [`Error::AskOffTick`], [`Error::FundsTooLow`].
		/// ## Events
		/// [`Event::OfferPosted`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::post_offer())]
		pub fn post_offer(origin: OriginFor<T>, peer: PeerId, terms: OfferTerms) -> DispatchResult {
			Self::do_post_offer(ensure_signed(origin)?, peer, terms)
		}

		/// Withdraws an offer and releases its deposit. Workers that were taken from it stay.
		///
		/// ## Dispatch origin
		/// Signed by the provider that made the offer.
		/// ## Errors
		/// [`Error::NoOffer`], [`Error::NotProvider`].
		/// ## Events
		/// [`Event::OfferWithdrawn`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::withdraw_offer())]
		pub fn withdraw_offer(origin: OriginFor<T>, peer: PeerId) -> DispatchResult {
			Self::do_withdraw_offer(ensure_signed(origin)?, peer)
		}

		/// Orders a deal. Escrow and a closing deposit of one epoch at the ceiling move into the pot;
		/// the deal deposit is held.
		///
		/// ## Dispatch origin
		/// Signed by the account that owns the deal from then on.
		/// ## Errors
		/// One for each rule of a specification; [`Error::EscrowTooSmall`], [`Error::FundsTooLow`].
		/// ## Events
		/// [`Event::DealCreated`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::create_deal())]
		pub fn create_deal(
			origin: OriginFor<T>,
			spec: DealSpec<T::AccountId>,
			escrow: Balance,
		) -> DispatchResult {
			Self::do_create_deal(ensure_signed(origin)?, spec, escrow)
		}

		/// Adds escrow to a deal. What is left of it goes to the deal's owner in the end. In grace it
		/// restores the closing deposit first, and ends the grace: or nothing is taken.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::AmountZero`],
		/// [`Error::FundsTooLow`], [`Error::GraceTooLittle`].
		/// ## Events
		/// [`Event::DealToppedUp`], [`Event::GraceEnded`].
		#[pallet::call_index(3)]
		#[pallet::weight(Pallet::<T>::top_up_weight())]
		pub fn top_up(
			origin: OriginFor<T>,
			deal: DealId,
			amount: Balance,
		) -> DispatchResultWithPostInfo {
			Ok(Some(Self::do_top_up(ensure_signed(origin)?, deal, amount)?).into())
		}

		/// Makes the present epoch the last one of a deal. Workers that are paid for no epoch up to
		/// it leave at once, live ones with the closing deposit's epoch if the end is early; the
		/// others are free for other deals from the next epoch on. Settles a few workers itself.
		///
		/// ## Dispatch origin
		/// Signed by the owner; or by anybody once the term is over, or in the last epoch of grace.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::NotOwner`],
		/// [`Error::WorkersNotSettled`].
		/// ## Events
		/// [`Event::ClosingPaid`] and [`Event::WorkerReleased`] for those that leave,
		/// [`Event::DealStopped`].
		#[pallet::call_index(4)]
		#[pallet::weight(Pallet::<T>::stop_weight())]
		pub fn stop(origin: OriginFor<T>, deal: DealId) -> DispatchResultWithPostInfo {
			Ok(Some(Self::do_stop(ensure_signed(origin)?, deal)?).into())
		}

		/// A duty: an assigned peer says that it serves the deal from now on. Its provider's bond is
		/// held; where that fails, the assignment is given up. If it takes over the place of a dearer one,
		/// that one gets notice.
		///
		/// ## Dispatch origin
		/// Authorised by the peer's signature over
		/// [`go_live_hash`](millrace_primitives::market::go_live_hash); no account, no fee. Refused
		/// by the pool with the codes of [`refusal`](crate::refusal).
		/// ## Errors
		/// None: an authorised duty is always included once.
		/// ## Events
		/// [`Event::WorkerLive`], [`Event::WorkerDraining`] of whoever it takes over from; or
		/// [`Event::WorkerReleased`], [`Event::OfferClosed`].
		#[pallet::call_index(5)]
		#[pallet::weight((T::WeightInfo::go_live(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_go_live)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_go_live())]
		pub fn go_live(
			origin: OriginFor<T>,
			peer: PeerId,
			deal: DealId,
			signature: PeerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = signature;
			Self::do_go_live(peer, deal)
		}

		/// Takes out a worker whose time is over. One that was assigned and did not go live in time is
		/// not matched to the deal again for a while; the third time in a row closes its offer. One
		/// with notice leaves without fault once its last epoch is closed, and one of a deal whose grace
		/// or term is over once the deal's is; it is settled before, and in a deal that is ending it stays
		/// until the deal is closed.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::NotAssigned`], [`Error::NotOverdue`],
		/// [`Error::WorkersNotSettled`].
		/// ## Events
		/// [`Event::WorkerReleased`], [`Event::OfferClosed`].
		#[pallet::call_index(6)]
		#[pallet::weight(Pallet::<T>::release_weight())]
		pub fn release_worker(
			origin: OriginFor<T>,
			deal: DealId,
			peer: PeerId,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(Some(Self::do_release_worker(deal, peer)?).into())
		}

		/// Closes a stopped deal: pays the closing deposit's epoch to its workers if it ended early,
		/// releases bonds, gives back what is left. Settles a few workers itself.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealActive`], [`Error::LastEpochOpen`],
		/// [`Error::WorkersNotSettled`].
		/// ## Events
		/// [`Event::ClosingPaid`], [`Event::WorkerReleased`] for each worker, [`Event::DealClosed`].
		#[pallet::call_index(7)]
		#[pallet::weight(Pallet::<T>::close_weight())]
		pub fn close(origin: OriginFor<T>, deal: DealId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(Some(Self::do_close(deal)?).into())
		}

		/// Lets the matcher visit a deal now, for a fee.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealIsFilled`].
		/// ## Events
		/// [`Event::WorkerMatched`] for each worker that is found.
		#[pallet::call_index(8)]
		#[pallet::weight(Pallet::<T>::match_deal_weight())]
		pub fn match_deal(origin: OriginFor<T>, deal: DealId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(Some(Self::do_match_deal(deal)?).into())
		}

		/// Changes the terms of an offer, which keeps its age. Workers of the peer keep their price; a
		/// higher ask is notice to all that are live at a lower one, and keeps the peer from no deal.
		///
		/// ## Dispatch origin
		/// Signed by the provider that made the offer.
		/// ## Errors
		/// [`Error::NoOffer`], [`Error::NotProvider`], [`Error::ClassChanged`],
		/// [`Error::UnknownRegion`], [`Error::PriceBelowMinimum`], [`Error::AskOffTick`].
		/// ## Events
		/// [`Event::WorkerDraining`] for each live worker with a lower ask if it is raised,
		/// [`Event::OfferUpdated`].
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::update_offer(MAX_DEALS_PER_PEER))]
		pub fn update_offer(
			origin: OriginFor<T>,
			peer: PeerId,
			terms: OfferTerms,
		) -> DispatchResultWithPostInfo {
			Ok(Some(Self::do_update_offer(ensure_signed(origin)?, peer, terms)?).into())
		}

		/// A duty: a live worker gives notice. It serves this epoch and the next one and is paid for
		/// them; then it leaves without fault. The deal does not take the peer again for a while.
		///
		/// ## Dispatch origin
		/// Authorised by the peer's signature over
		/// [`drain_hash`](millrace_primitives::market::drain_hash); no account, no fee. Refused by the
		/// pool with the codes of [`refusal`](crate::refusal).
		/// ## Errors
		/// None: an authorised duty is always included once.
		/// ## Events
		/// [`Event::WorkerDraining`].
		#[pallet::call_index(11)]
		#[pallet::weight((T::WeightInfo::drain(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_drain)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_drain())]
		pub fn drain(
			origin: OriginFor<T>,
			peer: PeerId,
			deal: DealId,
			signature: PeerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = signature;
			Self::do_drain(peer, deal)
		}

		/// Ends one worker of a deal. A live one gets notice and is paid for this epoch and the next
		/// one; one that is not live yet leaves at once. Neither is at fault, and the deal takes
		/// neither peer again for a while.
		///
		/// ## Dispatch origin
		/// Signed by the owner.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::NotOwner`], [`Error::NotAssigned`],
		/// [`Error::NotLive`].
		/// ## Events
		/// [`Event::WorkerDraining`] or [`Event::WorkerReleased`].
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::end_worker())]
		pub fn end_worker(origin: OriginFor<T>, deal: DealId, peer: PeerId) -> DispatchResult {
			Self::do_end_worker(ensure_signed(origin)?, deal, peer)
		}

		/// Takes a worker out of a deal that did not report the last epoch: its bond is forfeited, and
		/// the deal looks for another. Settles the peer.
		///
		/// ## Dispatch origin
		/// Signed by anybody, who gets the bounty out of the bond.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::NotAssigned`], [`Error::NotLost`],
		/// [`Error::WorkersNotSettled`].
		/// ## Events
		/// [`Event::BondForfeited`], [`Event::WorkerReleased`], [`Event::OfferClosed`].
		#[pallet::call_index(13)]
		#[pallet::weight(Pallet::<T>::replace_weight())]
		pub fn replace(
			origin: OriginFor<T>,
			deal: DealId,
			peer: PeerId,
		) -> DispatchResultWithPostInfo {
			Ok(Some(Self::do_replace(ensure_signed(origin)?, deal, peer)?).into())
		}

		/// Changes how many workers a deal looks for. More of them raise the closing deposit; fewer give
		/// notice to the dearest, the youngest first among equals, and let those go that are not live
		/// yet. All of them may be taken again.
		///
		/// ## Dispatch origin
		/// Signed by the owner.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::DealInGrace`], [`Error::NotOwner`],
		/// [`Error::WorkersOutOfRange`], [`Error::PriceOverflow`], [`Error::FundsTooLow`].
		/// ## Events
		/// [`Event::WorkerDraining`] and [`Event::WorkerReleased`] for those that leave,
		/// [`Event::DealResized`].
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::resize(MAX_WORKERS))]
		pub fn resize(
			origin: OriginFor<T>,
			deal: DealId,
			min_workers: u32,
			target_workers: u32,
		) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Ok(Some(Self::do_resize(who, deal, min_workers, target_workers)?).into())
		}

		/// Names who may take a deal over, or nobody.
		///
		/// ## Dispatch origin
		/// Signed by the owner.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::NotOwner`].
		/// ## Events
		/// [`Event::HeirNamed`].
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::name_heir())]
		pub fn name_heir(
			origin: OriginFor<T>,
			deal: DealId,
			heir: Option<T::AccountId>,
		) -> DispatchResult {
			Self::do_name_heir(ensure_signed(origin)?, deal, heir)
		}

		/// Takes over a deal: its deposit is held of the new owner and released to the old one, and
		/// what is left of the escrow goes to the new one in the end.
		///
		/// ## Dispatch origin
		/// Signed by the account that the owner has named.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::NotHeir`], [`Error::FundsTooLow`].
		/// ## Events
		/// [`Event::OwnerChanged`].
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::take_deal())]
		pub fn take_deal(origin: OriginFor<T>, deal: DealId) -> DispatchResult {
			Self::do_take_deal(ensure_signed(origin)?, deal)
		}

		/// Puts an active deal whose escrow cannot pay the next epoch into grace, as the patrol does.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::DealInGrace`],
		/// [`Error::EscrowLasts`], [`Error::GraceNotSettled`].
		/// ## Events
		/// [`Event::GraceBegun`].
		#[pallet::call_index(17)]
		#[pallet::weight(T::WeightInfo::begin_grace(MAX_WORKERS))]
		pub fn begin_grace(origin: OriginFor<T>, deal: DealId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Ok(Some(Self::do_begin_grace(deal)?).into())
		}

		/// A duty: a worker of a deal that is billed by gas redeems a voucher of the client. It counts for
		/// the epochs that are settled afterwards; at most one an epoch is taken.
		///
		/// ## Dispatch origin
		/// Authorised by the voucher, which the deal's voucher key has signed, and by the peer's signature
		/// over [`redeem_hash`](millrace_primitives::billing::redeem_hash); no account, no fee. Refused by
		/// the pool with the codes of [`refusal`](crate::refusal).
		/// ## Errors
		/// None: an authorised duty is always included once.
		/// ## Events
		/// [`Event::VoucherRedeemed`].
		#[pallet::call_index(18)]
		#[pallet::weight((T::WeightInfo::redeem(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_redeem)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_redeem())]
		pub fn redeem(
			origin: OriginFor<T>,
			peer: PeerId,
			deal: DealId,
			voucher: Voucher,
			signature: PeerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = signature;
			Self::do_redeem(peer, deal, voucher.cumulative)
		}

		/// Gives a deal another package, which counts from this block on. Calls may run the one before until
		/// the end of the next epoch: workers serve it until they have the new one. At most one an epoch.
		/// Other links to the same package are taken at any time.
		///
		/// ## Dispatch origin
		/// Signed by the owner.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::DealInGrace`], [`Error::NotOwner`],
		/// [`Error::PackageEmpty`], [`Error::PackageTooLarge`], [`Error::NoLinks`], [`Error::BadLink`],
		/// [`Error::AbiChanged`], [`Error::UpdatedThisEpoch`], [`Error::TooManyUpdates`].
		/// ## Events
		/// [`Event::PackageUpdated`].
		#[pallet::call_index(22)]
		#[pallet::weight(T::WeightInfo::update_package())]
		pub fn update_package(
			origin: OriginFor<T>,
			deal: DealId,
			package: Package,
		) -> DispatchResult {
			Self::do_update_package(ensure_signed(origin)?, deal, package)
		}

		/// Changes who may call a deal, and how often. Gateways and workers apply it as soon as the block
		/// is final.
		///
		/// ## Dispatch origin
		/// Signed by the owner.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::DealEnding`], [`Error::NotOwner`], [`Error::BadAccess`],
		/// [`Error::RateOutOfRange`].
		/// ## Events
		/// [`Event::AccessSet`].
		#[pallet::call_index(23)]
		#[pallet::weight(T::WeightInfo::set_access())]
		pub fn set_access(
			origin: OriginFor<T>,
			deal: DealId,
			access: Access,
			rate: Option<RateLimit>,
		) -> DispatchResult {
			Self::do_set_access(ensure_signed(origin)?, deal, access, rate)
		}

		/// Asks a call of a worker over the chain: `POST /` with this body, which everybody can read. It
		/// must answer with a receipt before the deadline, or it is not paid for the epoch and replaced.
		/// If it answers, a part of the bond is burnt, and the rest the provider's.
		///
		/// ## Dispatch origin
		/// Signed by anybody if everybody may call the deal, else by its owner.
		/// ## Errors
		/// [`Error::UnknownDeal`], [`Error::NotAssigned`], [`Error::NotOwner`], [`Error::ProbeTooLong`],
		/// [`Error::NothingToProbe`], [`Error::AlreadyProbed`], [`Error::ProbedBefore`],
		/// [`Error::TooManyProbes`], [`Error::FundsTooLow`].
		/// ## Events
		/// [`Event::ProbeMade`].
		#[pallet::call_index(24)]
		#[pallet::weight(T::WeightInfo::probe(MAX_WORKERS))]
		pub fn probe(
			origin: OriginFor<T>,
			deal: DealId,
			peer: PeerId,
			body: ProbeBody,
		) -> DispatchResultWithPostInfo {
			Ok(Some(Self::do_probe(ensure_signed(origin)?, deal, peer, body)?).into())
		}

		/// A duty: a worker answers a probe with the receipt of the call that it asks for. The receipt
		/// enters the peer's report as all do.
		///
		/// ## Dispatch origin
		/// Authorised by the receipt, which the peer's key has signed; no account, no fee. Refused by the
		/// pool with the codes of [`refusal`](crate::refusal).
		/// ## Errors
		/// None: an authorised duty is always included once.
		/// ## Events
		/// [`Event::ProbeAnswered`].
		#[pallet::call_index(25)]
		#[pallet::weight((T::WeightInfo::answer_probe(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_answer_probe)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_answer_probe())]
		pub fn answer_probe(
			origin: OriginFor<T>,
			peer: PeerId,
			deal: DealId,
			receipt: SignedReceipt,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_answer_probe(peer, deal, receipt)
		}

		/// Decides a probe that was not answered in time, as the chain does by itself when its last block
		/// ends or soon after: the worker is not paid from the probe's epoch on, leaves once what it served
		/// before is settled, and is excluded for a while. Who had failed a probe before forfeits its bond.
		/// If the worker has left already, only the prober's bond comes back.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NotProbed`], [`Error::ProbePending`].
		/// ## Events
		/// [`Event::ProbeFailed`], [`Event::BondForfeited`], [`Event::OfferClosed`]; or
		/// [`Event::ProbeDropped`].
		#[pallet::call_index(26)]
		#[pallet::weight(T::WeightInfo::fail_probe())]
		pub fn fail_probe(origin: OriginFor<T>, deal: DealId, peer: PeerId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_fail_probe(deal, peer, Self::moment())
		}
	}
}

//! # Capacity
//!
//! Providers promise units of compute, back them with stake and prove each epoch that they are
//! there. The README describes the life of a commitment; the rules are those of PROTOCOL §3.
//!
//! ## Bounds
//!
//! - No hook and no call iterates over peers, units or solutions. A report costs the same for one
//!   unit and for [`MAX_UNITS`](millrace_primitives::capacity::MAX_UNITS).
//! - A commitment settles at most [`MAX_SETTLED_PER_STEP`] epochs at a time, whoever asks, and at
//!   most [`MAX_BACKLOG`] on the way of a report. Blocks and callers are charged for those that were
//!   there to settle.
//! - A draw looks at no more than [`ATTEMPTS_PER_AUDIT`] entries for each audit, and at no more
//!   than [`ATTEMPTS_PER_BLOCK`] in a block.
//!
//! ## Liveness
//!
//! Reports and answers need neither an account nor a balance: they are authorised by what they
//! hold, before any fee is thought of, and enter blocks ahead of everything that pays. A peer whose
//! provider never calls anything is settled by its own reports.

#![cfg_attr(not(feature = "std"), no_std)]
#![allow(
	missing_debug_implementations,
	reason = "storage types that the macros generate are never values"
)]
#![cfg_attr(
	not(test),
	warn(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used
	)
)]

extern crate alloc;

mod audit_impls;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod commitment_impls;
mod draw_impls;
#[cfg(test)]
mod mock;
pub mod refusal;
mod report_impls;
pub mod rules;
pub mod runtime_api;
mod settlement_impls;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Most epochs that one step settles. A peer that is silent for as long has failed by then (see
/// [`rules::next_score`]).
pub const MAX_SETTLED_PER_STEP: u32 = 40;
/// Most epochs that there can be to settle: the one that was reported last, and a silence that
/// fails the commitment.
pub const MAX_BACKLOG: u32 = MAX_SETTLED_PER_STEP.saturating_add(1);
/// Epochs whose totals are remembered: longer than the mainnet's unbonding, so that whoever settles
/// a commitment only when withdrawing its stake still gets the last reward.
pub const REMEMBERED_EPOCHS: u32 = 1024;
/// Most entries that a draw looks at for each audit, before it makes do with fewer audits.
pub const ATTEMPTS_PER_AUDIT: u32 = 4;
/// Most entries that a draw looks at in one block.
pub const ATTEMPTS_PER_BLOCK: u32 = 64;
/// Most audits of an epoch that governance can ask for.
pub const MAX_AUDITS: u32 = 4_096;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		audit::{Audit, AuditAnswer},
		peer::{PeerId, PeerSignature},
		report::Report,
		traits::{EpochClock, PeerRegistry, RandomX, ReceiptLedger, WorkLedger},
		Balance, EpochIndex,
	};

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// FLT: stakes are held in it.
		type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reason for a hold.
		type RuntimeHoldReason: From<HoldReason>;

		/// Epochs, their windows, seeds and draws.
		type Clock: EpochClock;

		/// Owners and keys of peers.
		type Peers: PeerRegistry<Self::AccountId>;

		/// Keeps hashes of reports and checks opened receipts.
		type Receipts: ReceiptLedger;

		/// Knows the units at work, and pays for them.
		type Work: WorkLedger;

		/// RandomX as a function.
		type RandomX: RandomX;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets the scene for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
	}

	/// Why this pallet holds FLT.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The stake behind the commitments of an account's peers.
		Stake,
	}

	/// Parameters for what is created from now on. Set by governance.
	#[pallet::storage]
	pub type Params<T: Config> = StorageValue<_, CapacityParams, ValueQuery>;

	/// The commitment of each peer. A peer has at most one, so the deposit of the peer pays for it.
	///
	/// Names of peers are hashes already, so they are not hashed again.
	#[pallet::storage]
	pub type Commitments<T: Config> =
		StorageMap<_, Identity, PeerId, Commitment<T::AccountId>, OptionQuery>;

	/// The audit that each peer was last drawn for; overwritten by the next. Paid for by the deposit
	/// of the peer.
	#[pallet::storage]
	pub type Audits<T: Config> = StorageMap<_, Identity, PeerId, Audit, OptionQuery>;

	/// Reward that each provider was credited with. One entry for a provider, whose deposit pays.
	#[pallet::storage]
	pub type Credited<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

	/// Totals of the last [`REMEMBERED_EPOCHS`] epochs, by epoch modulo their number; overwritten,
	/// never swept. Bounded, so nobody pays.
	#[pallet::storage]
	pub type EpochRows<T: Config> = StorageMap<_, Twox64Concat, u32, EpochRow, OptionQuery>;

	/// Peers that reported, in the order of their reports, with running totals of proven units.
	/// Two lists take turns, by parity of the epoch; overwritten, never swept, so that no list
	/// outgrows the number of staked peers.
	#[pallet::storage]
	pub type ReportList<T: Config> = StorageMap<_, Twox64Concat, (u32, u32), Listed, OptionQuery>;

	/// The draw that is going on.
	#[pallet::storage]
	pub type OngoingDraw<T: Config> = StorageValue<_, Draw, OptionQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters that the chain begins with.
		pub params: CapacityParams,
		/// Binds the configuration to its runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.params.is_valid(),
				"capacity parameters contradict each other"
			);
			Params::<T>::put(self.params);
			Pallet::<T>::open_row(0);
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A provider promised units; the stake is to follow.
		CommitmentCreated {
			/// The peer.
			peer: PeerId,
			/// Its owner.
			provider: T::AccountId,
			/// Units promised.
			units: u32,
			/// Last epoch in which the stake can come.
			deadline: EpochIndex,
		},
		/// The stake came: the commitment binds.
		Staked {
			/// The peer.
			peer: PeerId,
			/// What was held.
			amount: Balance,
			/// First epoch that is owed.
			start: EpochIndex,
			/// First epoch that is not.
			end: EpochIndex,
		},
		/// A commitment that was never staked is gone.
		CommitmentCancelled {
			/// The peer.
			peer: PeerId,
		},
		/// A peer reported an epoch.
		Reported {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// Idle units proven.
			idle: u32,
			/// Units at work proven.
			busy: u32,
		},
		/// A peer was drawn for an audit and owes an answer before the epoch closes.
		PeerDrawn {
			/// The peer.
			peer: PeerId,
			/// The epoch whose report was drawn.
			epoch: EpochIndex,
		},
		/// A drawn peer opened what it was asked for, and everything held.
		AuditPassed {
			/// The peer.
			peer: PeerId,
			/// The epoch whose report was drawn.
			epoch: EpochIndex,
		},
		/// A drawn peer answered, and the answer did not hold.
		AuditFailed {
			/// The peer.
			peer: PeerId,
			/// The epoch whose report was drawn.
			epoch: EpochIndex,
			/// What did not hold first.
			reason: AuditFailure,
		},
		/// An epoch of a commitment is settled for good.
		EpochSettled {
			/// The peer.
			peer: PeerId,
			/// The epoch.
			epoch: EpochIndex,
			/// Units that were owed and do not count as proven.
			missed: u32,
			/// Stake that burnt.
			slashed: Balance,
			/// Reward credited to the provider.
			rewarded: Balance,
			/// Whether the report counted for nothing, because its audit was failed or unanswered.
			void: bool,
		},
		/// A commitment is over; its stake unbonds.
		CommitmentEnded {
			/// The peer.
			peer: PeerId,
			/// Whether it failed before its end.
			failed: bool,
		},
		/// What was left of a stake is free again, and the commitment is gone.
		StakeWithdrawn {
			/// The peer.
			peer: PeerId,
			/// Its owner, who has it back.
			provider: T::AccountId,
			/// The amount.
			amount: Balance,
		},
		/// Governance set other parameters.
		ParamsSet {
			/// The parameters.
			params: CapacityParams,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No such peer is registered. Register it with the providers pallet first.
		UnknownPeer,
		/// The peer belongs to another account. Only its provider may do this.
		NotProvider,
		/// The peer already has a commitment. It must be cancelled or withdrawn before another.
		AlreadyCommitted,
		/// The peer has no commitment. Create one first.
		NoCommitment,
		/// A commitment is for at least one unit and at most 65 536.
		UnitsOutOfRange,
		/// The duration is shorter or longer than the parameters allow.
		DurationOutOfRange,
		/// The stake of so many units is more than any balance. Promise fewer.
		StakeTooLarge,
		/// The commitment is staked already, so there is nothing to stake or cancel.
		NotPending,
		/// The deadline for the stake has passed. Cancel the commitment and create another.
		Lapsed,
		/// The deadline for the stake has not passed; until then only the provider may cancel.
		NotLapsed,
		/// Every closed epoch of this commitment is settled. Try again when another has closed.
		NothingToSettle,
		/// The commitment is not over, so its stake still stands behind it.
		StillActive,
		/// The stake still answers for what was done: wait for the end of the unbonding and of the
		/// challenge period of the last report.
		StillBonded,
		/// The parameters contradict each other; see `CapacityParams`.
		BadParams,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
			Self::continue_draw(meter);
		}

		fn integrity_test() {
			assert!(CapacityParams::default().is_valid());
			assert!(
				MAX_CHALLENGE_EPOCHS < REMEMBERED_EPOCHS,
				"whoever answers for a report must find the epoch's totals"
			);
			assert!(
				rules::score_of_silence(MAX_SETTLED_PER_STEP) > rules::FAILURE_LIMIT,
				"a silent peer must fail within one settlement step"
			);
			let weights = T::BlockWeights::get();
			let largest = weights.get(DispatchClass::Operational).max_extrinsic;
			let fits = |weight: Weight| largest.is_none_or(|most| weight.all_lte(most));
			assert!(
				fits(Pallet::<T>::answer_weight()),
				"an audit's answer must fit into a block"
			);
			assert!(
				fits(Pallet::<T>::largest_report_weight()),
				"a report must fit into a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Promises units of a peer for a number of epochs. The promise binds once it is staked.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer.
		///
		/// ## Errors
		/// [`Error::UnknownPeer`], [`Error::NotProvider`], [`Error::AlreadyCommitted`],
		/// [`Error::UnitsOutOfRange`], [`Error::DurationOutOfRange`], [`Error::StakeTooLarge`].
		///
		/// ## Events
		/// [`Event::CommitmentCreated`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::create())]
		pub fn create(
			origin: OriginFor<T>,
			peer: PeerId,
			units: u32,
			duration_epochs: u32,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_create(who, peer, units, duration_epochs)
		}

		/// Holds the stake of a pending commitment, which binds from the next epoch on.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer, who pays the stake.
		///
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::NotProvider`], [`Error::NotPending`],
		/// [`Error::Lapsed`]; an error of the currency when the balance is too small.
		///
		/// ## Events
		/// [`Event::Staked`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::stake())]
		pub fn stake(origin: OriginFor<T>, peer: PeerId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_stake(who, peer)
		}

		/// Removes a commitment that was never staked.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer, or by anybody once the deadline has passed.
		///
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::NotPending`], [`Error::NotLapsed`].
		///
		/// ## Events
		/// [`Event::CommitmentCancelled`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::cancel())]
		pub fn cancel(origin: OriginFor<T>, peer: PeerId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel(who, peer)
		}

		/// A peer's duty: what it proved and served in the epoch that has just ended.
		///
		/// Settles the peer's closed epochs on the way, and weighs what was there to settle.
		///
		/// ## Dispatch origin
		/// Authorised by the signature of the peer's key over the report's hash. Refused with a code
		/// of [`crate::refusal`].
		///
		/// ## Errors
		/// None: one included report is one report.
		///
		/// ## Events
		/// [`Event::Reported`], and those of [`Pallet::settle`].
		#[pallet::call_index(3)]
		#[pallet::weight((Pallet::<T>::report_weight(report), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_report)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_report())]
		pub fn report(
			origin: OriginFor<T>,
			peer: PeerId,
			report: Report,
			_signature: PeerSignature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			Ok(Some(Self::do_report(peer, report)).into())
		}

		/// A drawn peer's duty: opens the leaves of its report that the draw asks for.
		///
		/// ## Dispatch origin
		/// Authorised by the signature of the peer's key over the answer's hash. Refused with a code
		/// of [`crate::refusal`].
		///
		/// ## Errors
		/// None: an answer that does not hold is recorded as one.
		///
		/// ## Events
		/// [`Event::AuditPassed`] or [`Event::AuditFailed`].
		#[pallet::call_index(4)]
		#[pallet::weight((Pallet::<T>::answer_weight(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_answer)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_answer())]
		pub fn answer_audit(
			origin: OriginFor<T>,
			peer: PeerId,
			answer: AuditAnswer,
			_signature: PeerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_answer(peer, &answer);
			Ok(())
		}

		/// Settles the closed epochs of a peer: at most [`MAX_SETTLED_PER_STEP`] in a call, which
		/// costs what it settled.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		///
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::NothingToSettle`].
		///
		/// ## Events
		/// [`Event::EpochSettled`] for each epoch, [`Event::CommitmentEnded`] when that was the last.
		#[pallet::call_index(5)]
		#[pallet::weight(Pallet::<T>::settlement_weight(MAX_SETTLED_PER_STEP))]
		pub fn settle(origin: OriginFor<T>, peer: PeerId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_settle(peer)
		}

		/// Frees what is left of the stake of a commitment that is over. The provider gets it,
		/// whoever calls.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		///
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::StillActive`], [`Error::StillBonded`].
		///
		/// ## Events
		/// [`Event::StakeWithdrawn`].
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>, peer: PeerId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_withdraw(peer)
		}

		/// Sets the parameters for commitments to come and, where they are an epoch's, from the next
		/// epoch on. Nothing that stands changes its terms.
		///
		/// ## Dispatch origin
		/// Root.
		///
		/// ## Errors
		/// [`Error::BadParams`].
		///
		/// ## Events
		/// [`Event::ParamsSet`].
		#[pallet::call_index(7)]
		#[pallet::weight((T::WeightInfo::set_params(), DispatchClass::Operational))]
		pub fn set_params(origin: OriginFor<T>, params: CapacityParams) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_params(params)
		}
	}
}

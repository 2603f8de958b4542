//! # Capacity
//!
//! Providers promise units of compute, back them with stake of their own and of others, and prove
//! each epoch that they are there. The README describes the life of a commitment; the rules are
//! those of PROTOCOL §3.
//!
//! ## Bounds
//!
//! - No hook and no call iterates over peers, units or solutions. A report costs the same for one
//!   unit and for [`MAX_UNITS`](millrace_primitives::capacity::MAX_UNITS).
//! - A settlement settles every closed epoch at once, in at most four pieces, whatever their number:
//!   the epoch that was reported, the silence around it, and a change of the commitment.
//! - What one peer can have is bounded: [`MAX_STAKERS`](millrace_primitives::commitment::MAX_STAKERS)
//!   stakes, as many pledges and leaving stakes, [`MAX_WAITING_SLASHES`] slashes that wait. Ledgers
//!   hold [`MAX_BUCKETS`] buckets.
//! - A draw looks at no more than [`ATTEMPTS_PER_AUDIT`] entries for each audit, and at no more
//!   than [`ATTEMPTS_PER_BLOCK`] in a block.
//!
//! ## Liveness
//!
//! Reports and answers need neither an account nor a balance: they are authorised by what they
//! hold, before any fee is thought of, and enter blocks ahead of everything that pays. A peer whose
//! provider never calls anything is settled by its own reports. Every state that waits can be ended
//! by anybody: see the table in the README.

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

use frame_support::pallet_macros::import_section;

mod amnesty;
mod audit_impls;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod change_impls;
mod commitment;
mod commitment_impls;
mod draw_impls;
mod earnings_impls;
mod equivocation_impls;
mod errors;
mod events;
mod integrity;
mod liability;
#[cfg(test)]
mod mock;
mod params;
pub mod refusal;
mod report_impls;
mod round_impls;
pub mod rules;
pub mod runtime_api;
mod settlement_impls;
mod slash_impls;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
mod view_impls;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// A commitment of a runtime.
pub(crate) type CommitmentOf<T> = Commitment<<T as frame_system::Config>::AccountId>;

/// Epochs whose totals are remembered: longer than the mainnet's unbonding, so that whoever settles
/// a commitment only when withdrawing its stake still gets the last reward.
pub const REMEMBERED_EPOCHS: u32 = 1024;
/// Most entries that a draw looks at for each audit, before it makes do with fewer audits.
pub const ATTEMPTS_PER_AUDIT: u32 = 4;
/// Most entries that a draw looks at in one block.
pub const ATTEMPTS_PER_BLOCK: u32 = 64;
/// Most audits of an epoch.
pub const MAX_AUDITS: u32 = 4_096;

#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		audit::{Audit, AuditAnswer},
		commitment::{Invited, RoundKind, SlashId, StakeOffer, StakerTerms, MAX_STAKERS},
		peer::{PeerId, PeerSignature},
		report::Report,
		traits::{
			Emission, EpochClock, Equivocations, OnStake, PeerRegistry, RandomX, ReceiptLedger,
			WorkLedger,
		},
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

		/// What rewards are paid from, and the schedule that bounds them.
		type Emission: Emission<Self::AccountId, Error = DispatchError>;

		/// Told of the stake behind each provider.
		type OnStake: OnStake<Self::AccountId>;

		/// Remembers equivocations of providers.
		type Equivocations: Equivocations<Self::AccountId>;

		/// May send a slash that waits back.
		type CancelOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// What computation costs: bounties are made of it.
		type WeightToFee: frame_support::weights::WeightToFee<Balance = Balance>;

		/// Held of a provider while a round of it is open.
		#[pallet::constant]
		type RoundDeposit: Get<Balance>;

		/// Held of an account that stakes, for the ledger of its earnings.
		#[pallet::constant]
		type LedgerDeposit: Get<Balance>;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets the scene for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
	}

	/// Why this pallet holds FLT.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Stakes, pledges of stake, and slashes that wait.
		Stake,
		/// Deposits of open rounds and of ledgers.
		Deposit,
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

	/// Stakes of the delegators of each commitment that has any, in the order in which they signed.
	/// Paid for by the deposit of the peer.
	#[pallet::storage]
	pub type Delegations<T: Config> =
		StorageMap<_, Identity, PeerId, Stakes<T::AccountId>, ValueQuery>;

	/// Stakes that the last renewal of a commitment did not keep. Paid for by the deposit of the peer.
	#[pallet::storage]
	pub type Departures<T: Config> =
		StorageMap<_, Identity, PeerId, Leaving<T::AccountId>, OptionQuery>;

	/// The round of each peer that waits for stake, or for its epoch. Paid for by the deposits of the
	/// peer and of the round.
	#[pallet::storage]
	pub type Rounds<T: Config> = StorageMap<_, Identity, PeerId, Round<T::AccountId>, OptionQuery>;

	/// Slashes that wait, at most [`MAX_WAITING_SLASHES`] of a peer. Paid for by the deposit of the
	/// peer.
	#[pallet::storage]
	pub type WaitingSlashes<T: Config> = StorageDoubleMap<
		_,
		Identity,
		PeerId,
		Twox64Concat,
		SlashId,
		WaitingSlash<T::AccountId>,
		OptionQuery,
	>;

	/// Index of the next slash that waits.
	#[pallet::storage]
	pub type NextSlash<T: Config> = StorageValue<_, SlashId, ValueQuery>;

	/// What each account earned. Paid for by a deposit of the account.
	#[pallet::storage]
	pub type Ledgers<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Earnings, OptionQuery>;

	/// Stake behind the active commitments of each provider that has any: its own and its
	/// delegators'. One row for a provider, paid for by the provider's deposit.
	#[pallet::storage]
	pub type ActiveStakes<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

	/// Stake behind all active commitments.
	#[pallet::storage]
	pub type TotalActiveStake<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// Which of the last [`REMEMBERED_EPOCHS`] epochs cost no misses.
	#[pallet::storage]
	pub type Amnesties<T: Config> = StorageValue<_, Amnesty, ValueQuery>;

	/// The audit that each peer was last drawn for; overwritten by the next. Paid for by the deposit
	/// of the peer.
	#[pallet::storage]
	pub type Audits<T: Config> = StorageMap<_, Identity, PeerId, Audit, OptionQuery>;

	/// Totals of the last [`REMEMBERED_EPOCHS`] epochs, by epoch modulo their number; overwritten,
	/// never swept. Bounded, so nobody pays.
	#[pallet::storage]
	pub type EpochRows<T: Config> = StorageMap<_, Twox64Concat, u32, EpochRow, OptionQuery>;

	/// Peers that reported, in the order of their reports, with running totals of proven units.
	/// Two lists take turns, by parity of the epoch; overwritten, never swept. A list is as long as the
	/// most peers that have ever reported in one of its epochs. Their deposits pay for their two rows,
	/// which stay when they leave, for others who report.
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

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
			Self::continue_draw(meter);
		}

		fn integrity_test() {
			Self::check_integrity();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Promises units of a peer for a number of epochs, and opens the round for their stake. The
		/// promise binds once the round is full.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer, whose deposit is held while the round is open.
		/// ## Errors
		/// [`Error::UnknownPeer`], [`Error::NotProvider`], [`Error::AlreadyCommitted`],
		/// [`Error::UnitsOutOfRange`], [`Error::DurationOutOfRange`], [`Error::OwnPartOutOfRange`],
		/// [`Error::StakeTooLarge`]; an error of the currency when the balance is too small.
		/// ## Events
		/// [`Event::CommitmentCreated`], [`Event::RoundOpened`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::create())]
		pub fn create(
			origin: OriginFor<T>,
			peer: PeerId,
			units: u32,
			duration_epochs: u32,
			offer: StakeOffer<T::AccountId>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_create(who, peer, units, duration_epochs, offer)
		}

		/// Signs a round and puts stake behind it: `keep` of what the account has in the commitment
		/// already, in a renewal, and `add` that is put on hold now.
		///
		/// When the round is full it takes effect: a new commitment and a growth from the next epoch
		/// on, a growth of a commitment that has not begun from its second epoch, a renewal from the
		/// present end.
		///
		/// ## Dispatch origin
		/// Signed by the staker.
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::NoRound`], [`Error::RoundAgreed`], [`Error::Lapsed`],
		/// [`Error::TermsDiffer`], [`Error::NotInvited`], [`Error::NoPlace`],
		/// [`Error::StakeTooSmall`], [`Error::StakeTooMuch`], [`Error::OwnPartTooSmall`],
		/// [`Error::KeepTooMuch`], [`Error::NotActive`]; an error of the currency when the balance is
		/// too small.
		/// ## Events
		/// [`Event::StakePledged`], then [`Event::Staked`] or [`Event::ChangeAgreed`] when the round
		/// is full.
		#[pallet::call_index(1)]
		#[pallet::weight(Pallet::<T>::stake_weight())]
		pub fn stake(
			origin: OriginFor<T>,
			peer: PeerId,
			terms: StakerTerms,
			keep: Balance,
			add: Balance,
		) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_stake(who, peer, terms, keep, add)
		}

		/// Ends a round that is not full, with the commitment if it is new. All pledges are free again.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer, or by anybody once the deadline has passed or the
		/// commitment is over; others than the provider get a bounty out of the round's deposit.
		/// ## Errors
		/// [`Error::NoRound`], [`Error::RoundAgreed`], [`Error::NotLapsed`].
		/// ## Events
		/// [`Event::RoundCancelled`], and [`Event::CommitmentCancelled`] of a new commitment.
		#[pallet::call_index(2)]
		#[pallet::weight(
			T::WeightInfo::cancel(MAX_STAKERS).saturating_add(Pallet::<T>::settlement_weight())
		)]
		pub fn cancel(origin: OriginFor<T>, peer: PeerId) -> DispatchResultWithPostInfo {
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
		/// ## Errors
		/// None: one included report is one report.
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
		/// An answer that is wrong on its face is an error and changes nothing: it may be mended.
		/// One whose solutions or receipts do not hold is a verdict; there is no second try.
		///
		/// ## Dispatch origin
		/// Authorised by the signature of the peer's key over the answer's hash. Refused with a code
		/// of [`crate::refusal`].
		/// ## Errors
		/// [`Error::OtherReport`], [`Error::SolutionCount`], [`Error::SolutionPathLength`],
		/// [`Error::SolutionPath`].
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
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			Self::do_answer(peer, &answer)
		}

		/// Settles all closed epochs of a peer, however many they are, and takes what its provider's
		/// equivocations cost since the last time, also of stake that unbonds; of that, too, what the
		/// last report costs if its audit was not passed.
		///
		/// ## Dispatch origin
		/// Signed by anybody. Whoever has no stake in the commitment gets a bounty out of the misses
		/// that are found.
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::NothingToSettle`].
		/// ## Events
		/// [`Event::EpochSettled`] for an epoch that was reported, [`Event::SilenceSettled`] for those
		/// that were not, [`Event::SlashWaits`] for a failed audit, [`Event::ChangeApplied`] or
		/// [`Event::ChangeVoided`], [`Event::CommitmentEnded`], [`Event::EquivocationCharged`],
		/// [`Event::BountyPaid`].
		#[pallet::call_index(5)]
		#[pallet::weight(Pallet::<T>::settlement_weight())]
		pub fn settle(origin: OriginFor<T>, peer: PeerId) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_settle(peer, who)
		}

		/// Frees what is left of all stakes of a commitment that is over, or of those that left with
		/// the last renewal. Their owners get it, whoever calls.
		///
		/// ## Dispatch origin
		/// Signed by anybody. Whoever has no stake in it gets a bounty out of what is moved.
		/// ## Errors
		/// [`Error::NoCommitment`], [`Error::StillActive`], [`Error::StillBonded`],
		/// [`Error::SlashesWait`], [`Error::RoundOpen`].
		/// ## Events
		/// [`Event::StakeWithdrawn`] for each owner, [`Event::CommitmentRemoved`],
		/// [`Event::BountyPaid`].
		#[pallet::call_index(6)]
		#[pallet::weight(Pallet::<T>::withdraw_weight())]
		pub fn withdraw(origin: OriginFor<T>, peer: PeerId) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who, peer)
		}

		/// Opens a round for more units of a commitment that stands, under its own terms.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer, whose deposit is held while the round is open.
		/// ## Errors
		/// [`Error::UnknownPeer`], [`Error::NotProvider`], [`Error::NoCommitment`],
		/// [`Error::NotActive`], [`Error::RoundOpen`], [`Error::UnitsOutOfRange`],
		/// [`Error::StakeTooLarge`], [`Error::ChangedTooRecently`], [`Error::OwnPartTooSmall`]; an
		/// error of the currency when the balance is too small.
		/// ## Events
		/// [`Event::RoundOpened`].
		#[pallet::call_index(8)]
		#[pallet::weight(
			T::WeightInfo::grow().saturating_add(Pallet::<T>::settlement_weight())
		)]
		pub fn grow(
			origin: OriginFor<T>,
			peer: PeerId,
			more_units: u32,
			invited: Invited<T::AccountId>,
		) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_grow(who, peer, more_units, invited)
		}

		/// Opens a round for more epochs of a commitment that stands, under the parameters of today
		/// and what the provider offers. Stakers that do not sign leave at the end that they signed
		/// for.
		///
		/// ## Dispatch origin
		/// Signed by the provider of the peer, whose deposit is held while the round is open.
		/// ## Errors
		/// Those of [`Pallet::grow`] but for `OwnPartTooSmall` and `UnitsOutOfRange`, and
		/// [`Error::DurationOutOfRange`], [`Error::OwnPartOutOfRange`], [`Error::NoticeTooShort`].
		/// ## Events
		/// [`Event::RoundOpened`].
		#[pallet::call_index(9)]
		#[pallet::weight(
			T::WeightInfo::extend().saturating_add(Pallet::<T>::settlement_weight())
		)]
		pub fn extend(
			origin: OriginFor<T>,
			peer: PeerId,
			duration_epochs: u32,
			offer: StakeOffer<T::AccountId>,
		) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_extend(who, peer, duration_epochs, offer)
		}

		/// Pays an account what it has earned, as far as it is vested.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NothingToClaim`].
		/// ## Events
		/// [`Event::RewardClaimed`].
		#[pallet::call_index(10)]
		#[pallet::weight(
			T::WeightInfo::claim(MAX_BUCKETS).saturating_add(T::Emission::pay_weight())
		)]
		pub fn claim(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim(who)
		}

		/// Burns a slash that has waited long enough, less the bounties.
		///
		/// ## Dispatch origin
		/// Signed by anybody. Whoever does not pay for the slash gets a bounty out of it.
		/// ## Errors
		/// [`Error::UnknownSlash`], [`Error::SlashNotDue`].
		/// ## Events
		/// [`Event::SlashApplied`].
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::apply_slash(MAX_PARTS))]
		pub fn apply_slash(origin: OriginFor<T>, peer: PeerId, slash: SlashId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_apply_slash(who, peer, slash)
		}

		/// Sends a slash that waits back to those who pay for it, as free balance. The commitment
		/// gets it neither back nor another life.
		///
		/// ## Dispatch origin
		/// [`Config::CancelOrigin`].
		/// ## Errors
		/// [`Error::UnknownSlash`].
		/// ## Events
		/// [`Event::SlashCancelled`].
		#[pallet::call_index(12)]
		#[pallet::weight((T::WeightInfo::cancel_slash(MAX_PARTS), DispatchClass::Operational))]
		pub fn cancel_slash(origin: OriginFor<T>, peer: PeerId, slash: SlashId) -> DispatchResult {
			T::CancelOrigin::ensure_origin(origin)?;
			Self::do_cancel_slash(peer, slash)
		}
	}
}

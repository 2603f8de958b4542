//! # Validators
//!
//! Who writes and finalises blocks: providers with the most active stake, one seat each. The README
//! tells how a stake becomes a seat and how a seat is lost; the rules are those of PROTOCOL §6.
//!
//! The pallet has no money. It asks capacity for stakes and the session pallet for keys, through
//! [`Stakes`] and [`Sessions`], and remembers for capacity what equivocation costs.
//!
//! ## Bounds
//!
//! - The list has at most [`MAX_CANDIDATES`] rows, and a set at most [`MAX_VALIDATORS`] seats.
//!   Nothing else is gone through, once a session.
//! - A change of stake of whoever is no candidate costs one read.
//!
//! ## Safety and liveness
//!
//! - A share `x` of the seated stake holds at most `2·x·n` of `n` seats that are given by stake: less
//!   than a third, as long as it is less than a sixth.
//! - At most a sixth of the seats changes in a session, and at least one can.
//! - A set is never empty. It does not shrink below [`MIN_SEATS`], unless genesis had fewer or
//!   governance asks for fewer.

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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod candidate_impls;
mod liveness_impls;
#[cfg(test)]
mod mock;
mod offence_impls;
pub mod rules;
pub mod runtime_api;
mod seat_impls;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
mod view_impls;
pub mod weights;

use alloc::vec::Vec;
use frame_support::{pallet_prelude::DispatchResult, traits::StorageVersion};
use millrace_primitives::{validators::SessionIndex, Balance};
use sp_runtime::Perbill;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::{Candidate, Entry, LeaveReason, Record, Seats, ValidatorsParams};
pub use weights::WeightInfo;

/// Most seats that governance can ask for.
pub const MAX_VALIDATORS: u32 = 100;
/// Most candidates: two for each seat.
pub const MAX_CANDIDATES: u32 = 200;
/// Seats below which nobody leaves without a replacement, unless genesis had fewer or governance asks
/// for fewer: a set of one or two would belong to one machine.
pub const MIN_SEATS: u32 = 3;
/// Where fewer candidates than this have a share of all stake, none is asked for: four seats are the
/// least that bear a faulty one.
pub const SEATS_THAT_RELAX: u32 = 4;
/// Least seats of which one can change in a session: more change at once would leave less than two
/// thirds of those who know the chain.
pub const MIN_SEATS_PER_CHANGE: u32 = 4;
/// Silent sessions in a row that end a candidacy.
pub const SILENT_SESSIONS: u32 = 2;
/// Sessions for which an equivocation keeps an account from standing: as long as one in a block or in a
/// vote on finality can be proven.
pub const BAN_SESSIONS: u32 = 24;
/// Sessions whose starts and worst fractions are remembered: more than those of which something can
/// be proven, which are nineteen days of the mainnet where a vote on a checkpoint is concerned.
pub const SESSION_RING: u32 = 512;

/// Form in which all that stands under the pallet's name is stored, with what the runtime keeps there
/// of seated keys. An upgrade that changes it brings a migration.
pub const STORAGE_VERSION: StorageVersion =
	StorageVersion::new(cfg!(feature = "upgrade-rehearsal") as u16);

const _: () = assert!(MAX_CANDIDATES >= MAX_VALIDATORS, "every seat needs a row");
const _: () = assert!(
	SESSION_RING > BAN_SESSIONS,
	"whatever can be proven must find its session"
);

/// What the pallet asks of capacity.
pub trait Stakes<AccountId> {
	/// Stake behind the active commitments of a provider.
	fn active(provider: &AccountId) -> Balance;
	/// The same of all providers.
	fn total() -> Balance;
}

/// What the pallet asks of sessions.
pub trait Sessions<AccountId> {
	/// The present session.
	fn current() -> SessionIndex;
	/// Authorities of the present session, in their order.
	fn seated() -> Vec<AccountId>;
	/// Those that are queued for the next one.
	fn queued() -> Vec<AccountId>;
	/// Session keys of an account as they count for later sessions, SCALE-encoded.
	fn keys(who: &AccountId) -> Option<Vec<u8>>;
	/// Whether an account has session keys.
	fn has_keys(who: &AccountId) -> bool;
	/// Forgets the session keys of an account and gives their deposit back.
	fn purge_keys(who: &AccountId) -> DispatchResult;
	/// Takes an authority's right to author and vote until the session ends.
	fn disable(who: &AccountId, severity: Perbill);
	/// Whether an authority has lost that right.
	fn is_disabled(who: &AccountId) -> bool;
	/// The pallet knows the set of genesis, which sits in the first two sessions: it can plan them
	/// again for whoever wants to remember who they were.
	fn on_genesis() {}
}

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{traits::EpochClock, EpochIndex};

	/// Seats and those who want one.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Sessions and their keys.
		type Sessions: Sessions<Self::AccountId>;

		/// Stake behind active commitments.
		type Stakes: Stakes<Self::AccountId>;

		/// Names the epoch that a session began in.
		type Clock: EpochClock;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets the scene for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
	}

	/// Parameters for the sessions that are planned from now on. Set by governance.
	#[pallet::storage]
	pub type Params<T: Config> = StorageValue<_, ValidatorsParams, ValueQuery>;

	/// The set that stays until stake decides. Written at genesis.
	#[pallet::storage]
	pub type Genesis<T: Config> = StorageValue<_, Seats<T::AccountId>, ValueQuery>;

	/// Candidates, the one with most stake first, older ones first among equals. One bounded value;
	/// whoever is on it has at least `min_seat_stake` at stake when it comes.
	#[pallet::storage]
	pub type Candidates<T: Config> =
		StorageValue<_, BoundedVec<Candidate<T::AccountId>, ConstU32<MAX_CANDIDATES>>, ValueQuery>;

	/// Who is among [`Candidates`], so that a change of another's stake costs one read. As many
	/// rows as candidates.
	#[pallet::storage]
	pub type Standing<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, ()>;

	/// Whether stake decides about seats. Set once, never unset.
	#[pallet::storage]
	pub type Bootstrapped<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// The set that was planned last, and its session.
	#[pallet::storage]
	pub type Planned<T: Config> = StorageValue<_, (SessionIndex, Seats<T::AccountId>)>;

	/// Blocks that each account wrote in this session. Cleared at its end; at most one row for each
	/// seat.
	#[pallet::storage]
	pub type Authored<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// Blocks of this session that have an author.
	#[pallet::storage]
	pub type Written<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Sessions in a row in which an account was found silent. Written anew at the end of each
	/// session, for those who were silent in it.
	#[pallet::storage]
	pub type Silent<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// Who sits out the session that is planned next, fewest blocks first.
	#[pallet::storage]
	pub type SitOut<T: Config> = StorageValue<_, Seats<T::AccountId>, ValueQuery>;

	/// First session for which an account that equivocated may stand again. A row for each account
	/// that did and has not stood since: paid for with its stake.
	#[pallet::storage]
	pub type Banned<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, SessionIndex>;

	/// Sessions by index modulo [`SESSION_RING`], with the epoch in which they began. A ring that is
	/// overwritten, so nobody has to pay for its room.
	#[pallet::storage]
	pub type SessionStarts<T: Config> = StorageMap<_, Identity, u32, (SessionIndex, EpochIndex)>;

	/// What each account answers for that ever equivocated: paid for with its stake.
	#[pallet::storage]
	pub type Records<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Record>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters that the chain begins with.
		pub params: ValidatorsParams,
		/// Binds the configuration to its runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// Takes the set that the session pallet has, which therefore is built before.
		fn build(&self) {
			assert!(
				self.params.is_valid(),
				"validators' parameters contradict each other"
			);
			Params::<T>::put(self.params);
			let seated = Seats::<T::AccountId>::try_from(T::Sessions::seated())
				.expect("genesis has no more validators than there may be seats");
			if !seated.is_empty() {
				// It sits in the first two sessions.
				let session: SessionIndex = 1;
				Planned::<T>::put((session, seated.clone()));
			}
			Genesis::<T>::put(seated);
			T::Sessions::on_genesis();
		}
	}

	/// What the pallet reports.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account stands for a seat.
		CandidateEntered {
			/// The account.
			who: T::AccountId,
			/// Its active stake.
			stake: Balance,
		},
		/// A candidate made room on the full list for one with more stake.
		CandidateOutbid {
			/// Who was on the list.
			who: T::AccountId,
		},
		/// An account stands no longer.
		CandidateLeft {
			/// The account.
			who: T::AccountId,
			/// Why.
			reason: LeaveReason,
		},
		/// An account that sits nowhere gave its session keys back.
		KeysPurged {
			/// The account.
			who: T::AccountId,
		},
		/// Governance set other parameters.
		ParamsSet {
			/// The parameters.
			params: ValidatorsParams,
		},
		/// Enough stake stands for seats: from now on stake decides about them.
		Bootstrapped {
			/// Active stake of all candidates who could sit.
			standing_stake: Balance,
		},
		/// A session's set was made by stake.
		SeatsPlanned {
			/// The session.
			session: SessionIndex,
			/// Its seats.
			seats: u32,
			/// Accounts that had none in the session before.
			entered: u32,
			/// Accounts that lost theirs.
			left: u32,
		},
		/// An account gets a seat.
		SeatGained {
			/// The account.
			who: T::AccountId,
			/// First session in which it sits.
			session: SessionIndex,
		},
		/// An account loses its seat.
		SeatLost {
			/// The account.
			who: T::AccountId,
			/// First session in which it does not sit.
			session: SessionIndex,
			/// Why.
			reason: LeaveReason,
		},
		/// A seat wrote so little that chance does not explain it.
		FoundSilent {
			/// Whose seat.
			who: T::AccountId,
			/// The session that ended.
			session: SessionIndex,
			/// Blocks that it wrote.
			authored: u32,
			/// Blocks that it was expected to write.
			expected: u32,
		},
		/// An account equivocated, and worse than was known of that session.
		Equivocated {
			/// The account.
			who: T::AccountId,
			/// The session.
			session: SessionIndex,
			/// Epoch whose stake answers for it.
			epoch: EpochIndex,
			/// Part of the stake that the session costs.
			fraction: Perbill,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// Less is at stake behind the account's active commitments than a seat needs. Commit more.
		StakeTooLow,
		/// The account has no session keys. Set them with the session pallet first.
		NoKeys,
		/// The account stands already. There is nothing to do.
		AlreadyCandidate,
		/// The account equivocated not long ago. Wait until the session that its ban names.
		Banned,
		/// The list is full, and nobody on it has less stake. Commit more.
		ListFull,
		/// The account does not stand. There is nothing to leave.
		NotCandidate,
		/// The account stands as a candidate. Leave the list with `chill` first.
		IsCandidate,
		/// The account has a seat in the present or a planned session. Wait until it sits nowhere.
		StillSeated,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(ValidatorsParams::default().is_valid());
			let change = T::WeightInfo::plan(MAX_CANDIDATES)
				.saturating_add(T::WeightInfo::close_session(MAX_VALIDATORS));
			assert!(
				change.all_lte(T::BlockWeights::get().max_block),
				"a change of sessions must fit into a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Stands for a seat, with the active stake of the calling account.
		///
		/// A seat follows when it has a claim: two sessions later at the earliest.
		///
		/// ## Dispatch origin
		/// Signed by a provider with session keys.
		///
		/// ## Errors
		/// [`Error::Banned`], [`Error::AlreadyCandidate`], [`Error::StakeTooLow`],
		/// [`Error::NoKeys`], [`Error::ListFull`].
		///
		/// ## Events
		/// [`Event::CandidateEntered`]; [`Event::CandidateOutbid`] where the list was full.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::validate())]
		pub fn validate(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_validate(who)
		}

		/// Stands no longer. Whoever has a seat keeps it, with all that is asked of it, until the set
		/// has changed.
		///
		/// ## Dispatch origin
		/// Signed by a candidate.
		///
		/// ## Errors
		/// [`Error::NotCandidate`].
		///
		/// ## Events
		/// [`Event::CandidateLeft`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::chill())]
		pub fn chill(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_chill(who)
		}

		/// Forgets the session keys of the calling account and gives their deposit back.
		///
		/// ## Dispatch origin
		/// Signed by an account that neither stands nor sits.
		///
		/// ## Errors
		/// [`Error::IsCandidate`], [`Error::StillSeated`], [`Error::NoKeys`].
		///
		/// ## Events
		/// [`Event::KeysPurged`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::purge_keys())]
		pub fn purge_keys(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_purge_keys(who)
		}
	}
}

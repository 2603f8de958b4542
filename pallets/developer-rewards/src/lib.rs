//! # Developer rewards
//!
//! A programme pays accounts that a list names, each once. The chain knows the root of a Merkle tree
//! over the list; whoever claims brings the path. What is claimed is locked for two months, what is
//! not goes to the treasury after the programme's end. The README tells how a programme goes.
//!
//! ## Money
//!
//! One account, the pot, pays. A programme promises at most what the pot has above the existential
//! deposit, and pays at most what it promised. Nothing is made or burnt.
//!
//! ## Free transactions
//!
//! Whoever is rewarded may have no FLT to pay a fee with, so that [`claim_for`](Pallet::claim_for) and
//! [`release`](Pallet::release) are admitted by their content. Each such transaction changes what
//! admitted it: a reward is claimed once, and a lock that is over is taken away once. Whatever could
//! fail in a block is checked before, so that none is included that does nothing.
//!
//! ## Rows
//!
//! A claim is a bit. At most [`MAX_REWARDS`] of them take 512 rows, which are swept after the
//! programme's end, a bounded number at a time: by idle blocks, or by anybody.

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
mod claim_impls;
mod locks;
#[cfg(test)]
mod mock;
mod programme_impls;
pub mod refusal;
pub mod runtime_api;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

use frame_support::{traits::fungible, PalletId};
use millrace_primitives::{merkle::Path, Balance, BlockNumber, H256};
use sp_runtime::traits::{IdentifyAccount, Verify};

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use locks::{Locks, VestingLocks};
pub use millrace_primitives::rewards::MAX_REWARDS;
pub use pallet::*;
pub use types::{Leftover, NewProgramme, Programme, Row, REWARDS_PER_ROW};
pub use weights::WeightInfo;

/// Most rows that are swept at a time.
pub const ROWS_PER_SWEEP: u32 = 64;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// Programmes of rewards.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// What rewards are paid in.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::Mutate<Self::AccountId>;

		/// Locks what was claimed.
		type Locks: Locks<Self::AccountId>;

		/// Signatures of accounts.
		type Signature: Parameter + Verify<Signer = Self::Signer>;

		/// Whose signatures they are.
		type Signer: IdentifyAccount<AccountId = Self::AccountId>;

		/// Hash of the chain's first block: a claim is signed for one chain.
		type Genesis: Get<H256>;

		/// Gets what is not claimed.
		type Treasury: Get<Self::AccountId>;

		/// Names the pot that rewards are paid from.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// Blocks for which a claimed reward is locked.
		type LockBlocks: Get<BlockNumber>;

		/// Most blocks from a programme's start to its end.
		type LongestProgramme: Get<BlockNumber>;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Signs for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<Self::AccountId, Self::Signature>;
	}

	/// The programme that stands, until somebody ends it.
	#[pallet::storage]
	pub type Standing<T: Config> = StorageValue<_, Programme>;

	/// Number of the next programme.
	#[pallet::storage]
	pub type NextNumber<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Which rewards were claimed, by programme and row. A programme has 512 rows at most; they are
	/// swept after its end.
	#[pallet::storage]
	pub type Claimed<T: Config> = StorageDoubleMap<_, Identity, u32, Identity, u32, Row>;

	/// Rows of the programme before that are not swept yet. No programme begins as long as there are.
	#[pallet::storage]
	pub type Leftovers<T: Config> = StorageValue<_, Leftover>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The programme that the chain begins with, if any.
		pub programme: Option<NewProgramme>,
		/// Binds the configuration to its runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// Balances are built before: the pot must have what the programme promises.
		fn build(&self) {
			if let Some(terms) = self.programme {
				if let Err(error) = Pallet::<T>::begin(terms) {
					panic!("the programme of rewards cannot begin: {error:?}");
				}
			}
		}
	}

	/// What the pallet reports.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A programme began.
		ProgrammeStarted {
			/// Its number.
			number: u32,
			/// Root of the tree over its rewards.
			root: H256,
			/// Rewards in the tree.
			rewards: u32,
			/// Most that is paid for all of them.
			total: Balance,
			/// Last block in which one can be claimed.
			ends: BlockNumber,
		},
		/// A reward was paid and locked.
		Claimed {
			/// The programme.
			number: u32,
			/// The reward's place in the tree.
			index: u32,
			/// Whose it is.
			account: T::AccountId,
			/// How much.
			amount: Balance,
			/// Last block in which it is locked.
			locked_until: BlockNumber,
		},
		/// Locks of an account that were over were taken away.
		Released {
			/// The account.
			account: T::AccountId,
		},
		/// A programme ended.
		ProgrammeEnded {
			/// Its number.
			number: u32,
			/// Rewards that were claimed.
			claims: u32,
			/// What was paid for them.
			paid: Balance,
			/// What the treasury got. Nothing if it cannot hold so little: then that stays in the pot.
			to_treasury: Balance,
		},
		/// Nothing is kept of a programme any more.
		ProgrammeSwept {
			/// Its number.
			number: u32,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no programme. Wait until governance starts one.
		NoProgramme,
		/// A programme stands. Another one can begin after it was ended.
		ProgrammeStands,
		/// Rows of the programme before are not swept yet. Call `sweep` until they are.
		RowsLeft,
		/// A programme has at least one reward, at most `MAX_REWARDS`, and pays something.
		BadSize,
		/// The last block has passed already. Choose a later one.
		EndsTooSoon,
		/// The last block is further away than any programme may last. Choose an earlier one.
		EndsTooLate,
		/// The pot has less than the programme promises, beside its existential deposit. Bring FLT to
		/// the pot, or promise less.
		PotTooSmall,
		/// The programme's last block has passed. What was not claimed goes to the treasury.
		ProgrammeOver,
		/// The programme's last block has not passed yet. End it after that.
		ProgrammeRuns,
		/// The path does not lead from this reward to the programme's root. Index, account, amount and
		/// path must be those of the programme's list.
		NotInTree,
		/// The reward was claimed. Each is paid once.
		ClaimedAlready,
		/// Less than this reward is left of what the programme pays: its list promises more than its
		/// total.
		PoolExhausted,
		/// The account has as many locks as there can be. Wait until one is over, or merge two.
		TooManyLocks,
		/// The account does not exist yet and the reward is below the existential deposit, or its
		/// balance would overflow. Bring the account the existential deposit first.
		NotPayable,
		/// No lock of the account is over. Wait until one is.
		NothingToRelease,
		/// Nothing is left to sweep.
		NothingToSweep,
		/// A sum does not fit. Cannot happen with amounts that exist.
		Arithmetic,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			Self::sweep_within(remaining)
		}

		fn integrity_test() {
			assert!(
				T::WeightInfo::sweep(ROWS_PER_SWEEP).all_lte(T::BlockWeights::get().max_block),
				"a sweep must fit into a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Begins a programme. It cannot be changed afterwards, and no other one begins before it was
		/// ended.
		///
		/// ## Dispatch origin
		/// Root.
		/// ## Errors
		/// [`Error::ProgrammeStands`], [`Error::RowsLeft`], [`Error::BadSize`],
		/// [`Error::EndsTooSoon`], [`Error::EndsTooLate`], [`Error::PotTooSmall`].
		/// ## Events
		/// [`Event::ProgrammeStarted`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::start())]
		pub fn start(origin: OriginFor<T>, terms: NewProgramme) -> DispatchResult {
			ensure_root(origin)?;
			Self::begin(terms).map_err(Into::into)
		}

		/// Claims a reward of the calling account, for the usual fee. It is locked at once.
		///
		/// ## Dispatch origin
		/// Signed by the account that the list names: also by a proxy or signatories of it.
		/// ## Errors
		/// [`Error::NoProgramme`], [`Error::ProgrammeOver`], [`Error::NotInTree`],
		/// [`Error::ClaimedAlready`], [`Error::PoolExhausted`], [`Error::TooManyLocks`],
		/// [`Error::NotPayable`].
		/// ## Events
		/// [`Event::Claimed`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::claim())]
		pub fn claim(
			origin: OriginFor<T>,
			index: u32,
			amount: Balance,
			path: Path,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_claim(index, account, amount, &path)
		}

		/// Claims a reward without a fee, for an account that may have nothing yet. Anybody can hand it
		/// in; the reward is the account's.
		///
		/// ## Dispatch origin
		/// Authorised by the account's signature over
		/// [`claim_hash`](millrace_primitives::rewards::claim_hash), as it is or between `<Bytes>` and
		/// `</Bytes>` as wallets sign it; no nonce, no fee. Refused by the pool with the codes of
		/// [`refusal`].
		/// ## Errors
		/// None: an authorised claim is paid.
		/// ## Events
		/// [`Event::Claimed`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::claim_for())]
		#[pallet::authorize(Self::authorize_claim_for)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_claim_for())]
		pub fn claim_for(
			origin: OriginFor<T>,
			account: T::AccountId,
			index: u32,
			amount: Balance,
			path: Path,
			signature: T::Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = signature;
			Self::do_claim(index, account, amount, &path)
		}

		/// Takes away an account's locks that are over, without a fee: an account that has nothing but
		/// what was locked could not pay one. Locks that vest block by block are brought up to date,
		/// too.
		///
		/// ## Dispatch origin
		/// Authorised by a lock that is over; no account, no nonce, no fee. Refused by the pool with
		/// the codes of [`refusal`].
		/// ## Errors
		/// [`Error::NothingToRelease`], never where it was authorised.
		/// ## Events
		/// [`Event::Released`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::release())]
		#[pallet::authorize(Self::authorize_release)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_release())]
		pub fn release(origin: OriginFor<T>, account: T::AccountId) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_release(account)
		}

		/// Ends a programme whose last block has passed. What was not claimed goes to the treasury.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NoProgramme`], [`Error::ProgrammeRuns`].
		/// ## Events
		/// [`Event::ProgrammeEnded`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::end())]
		pub fn end(origin: OriginFor<T>) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_end()
		}

		/// Sweeps rows of a programme that was ended, at most [`ROWS_PER_SWEEP`]. Blocks with nothing
		/// better to do sweep, too.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NothingToSweep`].
		/// ## Events
		/// [`Event::ProgrammeSwept`] with the last row.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::sweep(ROWS_PER_SWEEP))]
		pub fn sweep(origin: OriginFor<T>) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_sweep()
		}
	}
}

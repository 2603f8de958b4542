//! # Receipts
//!
//! Keeps a ring of report hashes for each peer, and the receipts that audits opened; looks at opened
//! receipts and says whether what they claim can be true; and judges challenges: anybody can show, with
//! a bond, that a receipt is false, was not reported, or that its data are withheld. The README tells
//! the rules, which are those of PROTOCOL §5.
//!
//! ## Bounds
//!
//! - What a peer has here is in rings of [`RING`] epochs, overwritten as epochs pass and cleared when
//!   the peer is removed. All else is paid for by a hold: a commitment, a claim, a demand.
//! - No call iterates over more than the two receipts of an answer. A call is run again in at most one
//!   transaction of a block, and no further than its receipt claims; its weight is known before.
//! - An account has at most [`MAX_COMMITS`] commitments, a peer at most [`MAX_SHOWS`] claims to refute.
//!   The chain has room for [`MAX_PACKAGE_DEMANDS`] demands for packages and [`MAX_OTHER_DEMANDS`] others.
//!
//! ## Time
//!
//! Windows count blocks that carry transactions: those that a migration takes move no deadline. Anybody
//! can end what has run out: a commitment, a contest, a claim, a demand.

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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod case_impls;
mod commit_impls;
mod demand_impls;
mod errors;
mod events;
mod judge_impls;
mod ledger_impls;
#[cfg(test)]
mod mock;
mod opening_impls;
mod params;
pub mod refusal;
mod reveal_impls;
pub mod runtime_api;
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
pub use params::ReceiptsParams;
pub use types::*;
pub use weights::WeightInfo;

/// Epochs that are remembered for each peer: more than the longest challenge period, 60 epochs.
pub const RING: u32 = 64;
/// Most commitments of an account that are open at once.
pub const MAX_COMMITS: u32 = 16;
/// Most claims of omission that a peer can be asked to refute at once. Filling them costs more than
/// half a bond each, so that they shield nobody; and a peer can answer them all in time.
pub const MAX_SHOWS: u32 = 1_024;
/// Most demands for packages that are open at once: each brings up to a megabyte into a block.
pub const MAX_PACKAGE_DEMANDS: u32 = 32;
/// Most demands for requests and transcripts that are open at once.
pub const MAX_OTHER_DEMANDS: u32 = 256;

#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::boxed::Box;
	use frame_support::{pallet_prelude::*, traits::fungible};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		challenge::{CaseId, Evidence, OffenceKind, Shown, Wanted},
		execution::MAX_PACKAGE_BYTES,
		peer::{PeerId, PeerSignature},
		traits::{DealClients, EpochClock, PeerRegistry, Replayer, StakeSlasher, WorkInspector},
		views::ReportRecord,
		Balance, BlockNumber, EpochIndex, H256,
	};

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// FLT: bonds are held in it.
		type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reason for a hold.
		type RuntimeHoldReason: From<HoldReason>;

		/// Epochs and their seeds.
		type Clock: EpochClock;

		/// Keys of peers.
		type Peers: PeerRegistry<Self::AccountId>;

		/// Knows who works for which deal on which terms.
		type Work: WorkInspector;

		/// Knows whose business the calls of a deal are.
		type Clients: DealClients<Self::AccountId>;

		/// Takes stake for what is proven.
		type Slasher: StakeSlasher<Self::AccountId>;

		/// Runs calls again.
		type Replayer: Replayer;

		/// What computation costs: false challenges pay for theirs.
		type WeightToFee: frame_support::weights::WeightToFee<Balance = Balance>;

		/// What a byte in a block costs: demands pay for what is posted.
		type ByteFee: Get<Balance>;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets the scene for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper;
	}

	/// Why this pallet holds FLT.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Bonds of commitments, and of claims that wait for an answer.
		Challenge,
		/// Bonds of demands, and the price of what they ask for.
		Demand,
	}

	/// Parameters for what is committed, claimed and demanded from now on. Set by governance.
	#[pallet::storage]
	pub type Params<T: Config> = StorageValue<_, ReceiptsParams, ValueQuery>;

	/// Blocks so far that migrations took: windows do not count them.
	#[pallet::storage]
	pub type Uncounted<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

	/// Hash of each peer's report of an epoch, by epoch modulo [`RING`]. Paid for by the deposit of
	/// the peer, and gone with it. Names of peers are hashes already, so they are not hashed again.
	#[pallet::storage]
	pub type Ring<T: Config> =
		StorageDoubleMap<_, Identity, PeerId, Twox64Concat, u32, ReportRecord, OptionQuery>;

	/// Receipts that each peer opened in its audit of an epoch, by epoch modulo [`RING`]. Paid for by
	/// the deposit of the peer, and gone with it.
	#[pallet::storage]
	pub type Opened<T: Config> =
		StorageDoubleMap<_, Identity, PeerId, Twox64Concat, u32, Opening, OptionQuery>;

	/// Who alone may demand data of the receipts that a peer opened, for those of them that are of
	/// deals which are not open; kept and gone with [`Opened`]. What the deal said when the receipt was
	/// opened counts, for then it was certain to stand.
	#[pallet::storage]
	pub type Clients<T: Config> = StorageDoubleMap<
		_,
		Identity,
		PeerId,
		Twox64Concat,
		u32,
		OpeningClients<T::AccountId>,
		OptionQuery,
	>;

	/// Challenges that are not revealed yet, by account and commitment. Paid for by their bonds.
	#[pallet::storage]
	pub type Commits<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, H256, Commit, OptionQuery>;

	/// How many of them each account has, at most [`MAX_COMMITS`]. Paid for by the same bonds.
	#[pallet::storage]
	pub type CommitsOf<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// The case of each peer, epoch (modulo [`RING`]) and kind that is proven: a peer pays once for
	/// each. Paid for by the deposit of the peer, and gone with it.
	#[pallet::storage]
	pub type Cases<T: Config> = StorageDoubleMap<
		_,
		Identity,
		PeerId,
		Twox64Concat,
		(u32, OffenceKind),
		Case<T::AccountId>,
		OptionQuery,
	>;

	/// Claims of omission that wait for a leaf, by peer and hash of the receipt. Paid for by their
	/// bonds.
	#[pallet::storage]
	pub type Shows<T: Config> =
		StorageDoubleMap<_, Identity, PeerId, Identity, H256, Show<T::AccountId>, OptionQuery>;

	/// How many of them each peer has, at most [`MAX_SHOWS`]. Paid for by the same bonds.
	#[pallet::storage]
	pub type ShowsOf<T: Config> = StorageMap<_, Identity, PeerId, u32, ValueQuery>;

	/// Demands for data of opened receipts: by peer, epoch and number of the receipt, and what is
	/// wanted. Paid for by their bonds.
	#[pallet::storage]
	pub type Demands<T: Config> = StorageDoubleMap<
		_,
		Identity,
		PeerId,
		Twox64Concat,
		(EpochIndex, u32, Wanted),
		Demand<T::AccountId>,
		OptionQuery,
	>;

	/// How many of them there are, at most [`MAX_PACKAGE_DEMANDS`] and [`MAX_OTHER_DEMANDS`].
	#[pallet::storage]
	pub type OpenDemands<T: Config> = StorageValue<_, OpenDemandCount, ValueQuery>;

	/// What became of the demands for an audit's data, by epoch modulo [`RING`]: nothing is demanded
	/// twice. Paid for by the deposit of the peer, and gone with it.
	#[pallet::storage]
	pub type Answered<T: Config> =
		StorageDoubleMap<_, Identity, PeerId, Twox64Concat, u32, Answers, OptionQuery>;

	/// The block in which each package was posted, for ever. Paid for by what the demand burns, which is
	/// [`POSTED_PRICE`] at least.
	#[pallet::storage]
	pub type Posted<T: Config> = StorageMap<_, Identity, H256, BlockNumber, OptionQuery>;

	/// The block in which a call was last run again.
	#[pallet::storage]
	pub type ReplayedAt<T: Config> = StorageValue<_, BlockNumber, OptionQuery>;

	/// How many cases that are not concluded, claims and demands stand against each peer. While there
	/// are any, its stake stays. Paid for by their bonds.
	#[pallet::storage]
	pub type OpenCases<T: Config> = StorageMap<_, Identity, PeerId, u32, ValueQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters that the chain begins with.
		pub params: ReceiptsParams,
		/// Binds the configuration to its runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.params.is_valid(),
				"parameters of receipts contradict each other"
			);
			Params::<T>::put(self.params);
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::count_block()
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
		/// Commits to a challenge, of which nobody learns anything: see
		/// [`millrace_primitives::challenge::commitment`]. The earliest commitment to a case that is
		/// proven gets the bounty.
		///
		/// ## Dispatch origin
		/// Signed by the challenger, whose bond is held until the outcome.
		/// ## Errors
		/// [`Error::AlreadyCommitted`], [`Error::TooManyCommits`]; an error of the currency when the
		/// balance is too small.
		/// ## Events
		/// [`Event::ChallengeCommitted`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::commit())]
		pub fn commit(origin: OriginFor<T>, commitment: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_commit(who, commitment)
		}

		/// Reveals a challenge with its evidence; of a case that another has proven no evidence is
		/// needed. A call is run again at once, and no further than its receipt claims.
		///
		/// ## Dispatch origin
		/// Signed by the challenger.
		/// ## Errors
		/// [`Error::NoCommit`], [`Error::TooEarly`], [`Error::TooLate`], [`Error::OtherCase`],
		/// [`Error::NoEvidence`], [`Error::BadEvidence`], [`Error::NotFalse`],
		/// [`Error::PeriodOver`], [`Error::NoReport`], [`Error::OtherReport`],
		/// [`Error::NotReplayable`], [`Error::BlockTaken`], [`Error::TooManyShows`],
		/// [`Error::OlderCaseOpen`]. None of them costs the bond: the commitment stands, and can be
		/// revealed rightly.
		/// ## Events
		/// [`Event::ChallengeProven`], [`Event::LeafAsked`], [`Event::ChallengeJoined`],
		/// [`Event::ChallengeMoot`], [`Event::ChallengeRefuted`] or
		/// [`Event::ChallengeInconclusive`].
		#[pallet::call_index(1)]
		#[pallet::weight(Pallet::<T>::reveal_weight(evidence.as_deref()))]
		pub fn reveal(
			origin: OriginFor<T>,
			case: CaseId,
			salt: H256,
			evidence: Option<Box<Evidence>>,
		) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Self::do_reveal(who, case, salt, evidence.as_deref())
		}

		/// Charges a peer's stake for a case that is proven, once its contest is over. What is taken
		/// waits in the capacity pallet, where governance can still send it back.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NoCase`], [`Error::ContestOpen`].
		/// ## Events
		/// [`Event::CaseConcluded`], and those of the capacity pallet.
		#[pallet::call_index(2)]
		#[pallet::weight(Pallet::<T>::conclude_weight())]
		pub fn conclude(
			origin: OriginFor<T>,
			peer: PeerId,
			epoch: EpochIndex,
			kind: OffenceKind,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_conclude(peer, epoch, kind)
		}

		/// Removes a commitment that was not revealed in time. Part of its bond burns, the rest is
		/// free again.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NoCommit`], [`Error::StillRevealable`].
		/// ## Events
		/// [`Event::CommitForfeited`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::forget_commit())]
		pub fn forget_commit(
			origin: OriginFor<T>,
			who: T::AccountId,
			commitment: H256,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_forget_commit(who, commitment)
		}

		/// A peer's duty: shows that its report holds a receipt that it is said to have left out.
		///
		/// ## Dispatch origin
		/// Authorised by the signature of the peer's key over
		/// [`millrace_primitives::challenge::shown_hash`], and by the path, so that no false one
		/// takes room in a block. Refused with a code of [`crate::refusal`].
		/// ## Errors
		/// [`Error::NoShow`], which authorisation rules out.
		/// ## Events
		/// [`Event::ChallengeRefuted`].
		#[pallet::call_index(4)]
		#[pallet::weight((T::WeightInfo::show(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_show)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_show())]
		pub fn show(
			origin: OriginFor<T>,
			peer: PeerId,
			case: CaseId,
			_shown: Shown,
			_signature: PeerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_show(peer, case)
		}

		/// Ends a claim of omission that the peer has not refuted in time: it is proven.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NoShow`], [`Error::StillOpen`], [`Error::OlderCaseOpen`].
		/// ## Events
		/// [`Event::ChallengeProven`], or [`Event::ChallengeMoot`] where the peer pays for another
		/// omission of the epoch.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::close_show())]
		pub fn close_show(origin: OriginFor<T>, peer: PeerId, subject: H256) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_close_show(peer, subject)
		}

		/// Demands data of a receipt that a peer opened in an audit: whoever cannot get them cannot
		/// tell whether it is true. Each datum can be demanded once; it will stand in a block.
		///
		/// ## Dispatch origin
		/// Signed by who demands. A bond and the price of all bytes that there can be are held; what
		/// is posted burns its price, of a package [`POSTED_PRICE`] at least; the rest is free again.
		/// ## Errors
		/// [`Error::NotOpened`], [`Error::Unverified`], [`Error::PeriodOver`],
		/// [`Error::NoTranscript`], [`Error::AlreadyPosted`], [`Error::AlreadyDemanded`],
		/// [`Error::AlreadyAnswered`], [`Error::TooManyDemands`]; an error of the currency when the
		/// balance is too small.
		/// ## Events
		/// [`Event::DataDemanded`].
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::demand())]
		pub fn demand(
			origin: OriginFor<T>,
			peer: PeerId,
			epoch: EpochIndex,
			seq: u32,
			wanted: Wanted,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_demand(who, peer, epoch, seq, wanted)
		}

		/// A peer's duty: posts what is demanded. The chain keeps no more of it than that it stands in
		/// this block.
		///
		/// ## Dispatch origin
		/// Authorised by the signature of the peer's key over
		/// [`millrace_primitives::challenge::posted_hash`], and by the hash of the data, so that no
		/// wrong megabyte takes room in a block. Refused with a code of [`crate::refusal`].
		/// ## Errors
		/// [`Error::NoDemand`], which authorisation rules out.
		/// ## Events
		/// [`Event::DataPosted`].
		#[pallet::call_index(7)]
		#[pallet::weight((
			T::WeightInfo::post().saturating_add(Pallet::<T>::reading_weight(data.len())),
			DispatchClass::Operational
		))]
		#[pallet::authorize(Self::authorize_post)]
		#[pallet::weight_of_authorize(
			T::WeightInfo::authorize_post().saturating_add(Pallet::<T>::reading_weight(data.len()))
		)]
		pub fn post(
			origin: OriginFor<T>,
			peer: PeerId,
			epoch: EpochIndex,
			seq: u32,
			wanted: Wanted,
			data: BoundedVec<u8, ConstU32<MAX_PACKAGE_BYTES>>,
			_signature: PeerSignature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_post(peer, epoch, seq, wanted, data.len())
		}

		/// Ends a demand that was not answered in time: the receipt is void, and the peer's stake is
		/// charged. What the demand held is free again. Ends a demand for a package before its time,
		/// at no cost to anybody, if another peer has posted the package.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NoDemand`], [`Error::StillOpen`].
		/// ## Events
		/// [`Event::DataWithheld`] and those of the capacity pallet, or [`Event::DemandMoot`].
		#[pallet::call_index(8)]
		#[pallet::weight(Pallet::<T>::expire_weight())]
		pub fn expire_demand(
			origin: OriginFor<T>,
			peer: PeerId,
			epoch: EpochIndex,
			seq: u32,
			wanted: Wanted,
		) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_expire_demand(peer, epoch, seq, wanted)
		}
	}
}

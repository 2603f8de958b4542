//! # Anchor
//!
//! Messages between the chain and the contracts of its anchor, and the FLT that goes with them: what
//! stands locked here is what can be minted there. The README tells both directions; the contracts'
//! README has the bytes.
//!
//! ## Safety
//!
//! - Nothing is unlocked but for a message that two thirds of the validators have attested, once for
//!   each number, never more than is locked, and never more in an epoch than parameters say.
//! - A withdrawal is sent only for FLT that is locked.
//! - Neither direction asks anybody outside of the chain while a block is made.
//!
//! ## Liveness
//!
//! - Whoever has the bytes can deliver what is attested, without an account. No message, however odd,
//!   stops those behind it.
//! - A deposit that cannot be paid at once waits under its number, and anybody can have it paid later.
//! - A pause ends by itself.
//!
//! ## Bounds
//!
//! - [`MAX_OUTGOING_PER_BLOCK`] messages go out in a block, [`MAX_BATCH`] come in at once. Votes are kept
//!   for at most as many places, from at most [`MAX_VOTERS`] voters each.
//! - At most [`MAX_FORCED`] forced messages wait. Their turn takes at most a tenth of a block each, and
//!   [`FORCED_PER_BLOCK`] have it in one block. Their calls are at most [`MAX_FORCED_DEPTH`] deep.

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
mod brake_impls;
mod errors;
mod events;
mod forced_impls;
mod inbox_impls;
mod leaf;
#[cfg(test)]
mod mock;
mod money_impls;
mod outbox_impls;
mod params;
pub mod refusal;
pub mod runtime_api;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
mod view_impls;
mod vote_impls;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use leaf::LeafExtra;
pub use millrace_primitives::anchor::{MAX_BATCH, MAX_OUTGOING_PER_BLOCK};
pub use pallet::*;
pub use params::AnchorParams;
pub use types::*;
pub use weights::WeightInfo;

/// Most validators whose votes count: no fewer than there may be seats.
pub const MAX_VOTERS: u32 = 100;
/// Most forced messages that wait for their turn: twice what comes in at once, so that a full queue
/// keeps no batch away for longer than it takes to work through a part of it.
pub const MAX_FORCED: u32 = 64;
/// Most forced messages that have their turn in one block.
pub const FORCED_PER_BLOCK: u32 = 4;
/// One of so many parts of a block is the most that a forced call may take.
pub const FORCED_BLOCK_PART: u64 = 10;
/// How deep calls and lists may stand in each other in a forced call. Transactions may go on to 256, where
/// whatever runs out of stack takes nothing but itself along. Here it would take the block, and every
/// later one.
pub const MAX_FORCED_DEPTH: u32 = 16;

#[import_section(events::events)]
#[import_section(errors::errors)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible, weights::WeightMeter, PalletId};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		anchor::{
			messages::{MessageData, Unreadable},
			AnchorId, Attestation, InboxMark, SignedVote, Vote, VoterKey, VoterSignature, H160,
		},
		traits::EpochClock,
		Balance, BlockNumber, H256,
	};

	/// Messages to the anchor and from it.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// FLT.
		type Currency: fungible::Mutate<Self::AccountId, Balance = Balance>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reason for a hold.
		type RuntimeHoldReason: From<HoldReason>;

		/// Names the pot that locked FLT stands in.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// Epochs, by which flows are limited, and the hash of block 0.
		type Clock: EpochClock;

		/// Time in milliseconds: of the block before, until the block's own is set.
		type Time: Get<u64>;

		/// Validators, who vote with their session keys.
		type Voters: Voters<Self::AccountId>;

		/// Who can pause the pallet and end a pause.
		type PauseOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// What computation costs: forced messages pay for theirs.
		type WeightToFee: frame_support::weights::WeightToFee<Balance = Balance>;

		/// What a byte in a block costs.
		type ByteFee: Get<Balance>;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;

		/// Sets the scene for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<<Self::Voters as Voters<Self::AccountId>>::Proof>;
	}

	/// Why this pallet holds FLT.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// FLT in the pot that is at the anchor, or on its way there or back.
		Locked,
	}

	/// Parameters. Set by governance.
	#[pallet::storage]
	pub type Params<T: Config> = StorageValue<_, AnchorParams, ValueQuery>;

	/// The contract. Fixed as soon as anything went through it.
	#[pallet::storage]
	pub type Anchor<T: Config> = StorageValue<_, AnchorId, OptionQuery>;

	/// Last block of the pause.
	#[pallet::storage]
	pub type PausedUntil<T: Config> = StorageValue<_, BlockNumber, OptionQuery>;

	/// What is locked, by where it is.
	#[pallet::storage]
	pub type Ledger<T: Config> = StorageValue<_, Locked, ValueQuery>;

	/// What has gone each way in an epoch.
	#[pallet::storage]
	pub type Flows<T: Config> = StorageValue<_, Flow, ValueQuery>;

	/// Number of the next message to the anchor.
	#[pallet::storage]
	pub type NextNonce<T: Config> = StorageValue<_, u64, ValueQuery>;

	/// Messages to the anchor, for ever, since nobody here knows when they are no longer needed. Paid
	/// for by what is burnt for each.
	#[pallet::storage]
	pub type Sent<T: Config> = StorageMap<_, Twox64Concat, u64, SentMessage, OptionQuery>;

	/// Ids of the messages of this block. Empty between blocks.
	#[pallet::storage]
	pub type Pending<T: Config> =
		StorageValue<_, BoundedVec<H256, ConstU32<MAX_OUTGOING_PER_BLOCK>>, ValueQuery>;

	/// Root over the messages of the last block, for the leaf of the next one.
	#[pallet::storage]
	pub type OutboxRoot<T: Config> = StorageValue<_, H256, ValueQuery>;

	/// How often governance has set the inbox anew.
	#[pallet::storage]
	pub type Round<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Messages from the anchor that were delivered.
	#[pallet::storage]
	pub type Taken<T: Config> = StorageValue<_, InboxMark, ValueQuery>;

	/// Places beyond that a quorum has attested, the nearest first.
	#[pallet::storage]
	pub type Attested<T: Config> =
		StorageValue<_, BoundedVec<Attestation, ConstU32<MAX_BATCH>>, ValueQuery>;

	/// Votes on places beyond the last that is attested, by number of messages: at most [`MAX_BATCH`]
	/// rows.
	#[pallet::storage]
	pub type Votes<T: Config> = StorageMap<_, Twox64Concat, u64, Tally, OptionQuery>;

	/// Since when attested messages are late.
	#[pallet::storage]
	pub type OverdueSince<T: Config> = StorageValue<_, BlockNumber, OptionQuery>;

	/// Numbers of messages from the anchor that have counted, a bit each, 256 in a row: whatever is
	/// delivered again, because the inbox was set back, counts for nothing.
	#[pallet::storage]
	pub type Counted<T: Config> = StorageMap<_, Twox64Concat, u64, [u8; 32], ValueQuery>;

	/// Deposits that wait to be paid, by number of their message. Paid for on the anchor.
	#[pallet::storage]
	pub type Parked<T: Config> =
		StorageMap<_, Twox64Concat, u64, Deposit<T::AccountId>, OptionQuery>;

	/// Forced messages that wait for their turn, in order.
	#[pallet::storage]
	pub type ForcedQueue<T: Config> =
		StorageValue<_, BoundedVec<u64, ConstU32<MAX_FORCED>>, ValueQuery>;

	/// What they are, by number.
	#[pallet::storage]
	pub type Forced<T: Config> = StorageMap<_, Twox64Concat, u64, ForcedMessage, OptionQuery>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound, frame_support::DebugNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Parameters that the chain begins with.
		pub params: AnchorParams,
		/// The contract, where its address is known before the chain is: development anchors give
		/// the first contract of an account always the same.
		pub anchor: Option<AnchorId>,
		/// Binds the configuration to its runtime.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			Pallet::<T>::check_genesis(&self.params);
			Params::<T>::put(self.params);
			Anchor::<T>::set(self.anchor);
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::note_overdue();
			T::WeightInfo::on_initialize()
		}

		fn on_poll(_: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::run_forced(weight);
		}

		fn on_finalize(_: BlockNumberFor<T>) {
			Self::close_outbox();
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
		/// Locks FLT here and sends a message by which as much can be minted on the anchor, once a
		/// checkpoint covers this block. What it costs besides is burnt.
		///
		/// ## Dispatch origin
		/// Signed by the owner of the FLT.
		/// ## Errors
		/// [`Error::Paused`], [`Error::NoAnchor`], [`Error::ZeroAddress`], [`Error::TooLittle`],
		/// [`Error::OutflowLimit`], [`Error::OutboxFull`]; an error of the currency when the balance
		/// is too small.
		/// ## Events
		/// [`Event::WithdrawalSent`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(
			origin: OriginFor<T>,
			recipient: H160,
			#[pallet::compact] amount: Balance,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who, recipient, amount)
		}

		/// Sends bytes to a contract on the anchor, which can verify that this account sent them.
		/// What it costs is burnt.
		///
		/// ## Dispatch origin
		/// Signed by the sender.
		/// ## Errors
		/// [`Error::Paused`], [`Error::NoAnchor`], [`Error::ZeroAddress`], [`Error::OutboxFull`]; an
		/// error of the currency when the balance is too small.
		/// ## Events
		/// [`Event::MessageSent`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::send())]
		pub fn send(origin: OriginFor<T>, target: H160, data: MessageData) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_send(who, target, data)
		}

		/// A validator's duty: says how many messages are in the contract's inbox and what their
		/// accumulator is, as the anchor's finalised state has it. A second accumulator for one number
		/// is an offence.
		///
		/// ## Dispatch origin
		/// Authorised by the signature of the voter's BEEFY key of this session over
		/// [`millrace_primitives::anchor::Vote::hash`]. Refused with a code of [`crate::refusal`].
		/// ## Errors
		/// [`Error::NoVoter`], [`Error::AlreadyVoted`], which authorisation rules out.
		/// ## Events
		/// [`Event::Voted`]; [`Event::InboxAttested`] where it decides;
		/// [`Event::VotesConflicted`] where it contradicts an earlier one.
		#[pallet::call_index(2)]
		#[pallet::weight((Pallet::<T>::vote_weight(), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_vote)]
		#[pallet::weight_of_authorize(Pallet::<T>::authorize_vote_weight())]
		pub fn vote(
			origin: OriginFor<T>,
			voter: u32,
			vote: Vote,
			_signature: VoterSignature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			Self::do_vote(voter, vote)
		}

		/// Delivers messages from the anchor, from the first that is not taken to one of the attested
		/// places. Deposits are paid, or wait to be; forced messages take their place in the queue.
		///
		/// ## Dispatch origin
		/// Authorised by its content: the messages lead from the chain's own accumulator to an
		/// attested one. Refused with a code of [`crate::refusal`].
		/// ## Errors
		/// [`Error::NotAttested`], [`Error::NoAnchor`], [`Error::ForcedQueueFull`], which
		/// authorisation rules out.
		/// ## Events
		/// [`Event::Delivered`] and for each message [`Event::DepositReleased`],
		/// [`Event::DepositParked`], [`Event::ForcedQueued`], [`Event::Unbacked`] or
		/// [`Event::MessageSkipped`].
		#[pallet::call_index(3)]
		#[pallet::weight((Pallet::<T>::deliver_weight(messages), DispatchClass::Operational))]
		#[pallet::authorize(Self::authorize_deliver)]
		#[pallet::weight_of_authorize(Pallet::<T>::authorize_deliver_weight(messages))]
		pub fn deliver(origin: OriginFor<T>, messages: Batch) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_deliver(messages)
		}

		/// Pays a deposit that waits, as far as the limit of this epoch and the recipient's account
		/// admit it.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::Paused`], [`Error::NotParked`], [`Error::InflowLimit`],
		/// [`Error::CannotReceive`].
		/// ## Events
		/// [`Event::DepositReleased`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::release())]
		pub fn release(origin: OriginFor<T>, nonce: u64) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_release(nonce)
		}

		/// Reports a validator that has signed two accumulators for one number of messages. Free of
		/// charge if it is true and new.
		///
		/// ## Dispatch origin
		/// Signed by anybody.
		/// ## Errors
		/// [`Error::NoAnchor`], [`Error::NoConflict`], [`Error::BadSignature`],
		/// [`Error::NoVoter`], [`Error::KnownConflict`].
		/// ## Events
		/// [`Event::VotesConflicted`].
		#[pallet::call_index(5)]
		#[pallet::weight((Pallet::<T>::report_weight(), DispatchClass::Operational))]
		pub fn report_conflict(
			origin: OriginFor<T>,
			key: VoterKey,
			first: SignedVote,
			second: SignedVote,
			proof: <T::Voters as Voters<T::AccountId>>::Proof,
		) -> DispatchResultWithPostInfo {
			let reporter = ensure_signed(origin)?;
			Self::do_report_conflict(reporter, key, first, second, proof)
		}

		/// Stops both directions for so many blocks from now on, instead of what is left of an earlier
		/// pause. Conflicting votes can be reported all the while.
		///
		/// ## Dispatch origin
		/// [`Config::PauseOrigin`].
		/// ## Errors
		/// [`Error::PauseTooLong`].
		/// ## Events
		/// [`Event::PausedUntil`].
		#[pallet::call_index(6)]
		#[pallet::weight((T::WeightInfo::pause(), DispatchClass::Operational))]
		pub fn pause(origin: OriginFor<T>, blocks: BlockNumber) -> DispatchResult {
			T::PauseOrigin::ensure_origin(origin)?;
			Self::do_pause(blocks)
		}

		/// Ends a pause.
		///
		/// ## Dispatch origin
		/// [`Config::PauseOrigin`].
		/// ## Errors
		/// [`Error::NotPaused`].
		/// ## Events
		/// [`Event::Resumed`].
		#[pallet::call_index(7)]
		#[pallet::weight((T::WeightInfo::pause(), DispatchClass::Operational))]
		pub fn resume(origin: OriginFor<T>) -> DispatchResult {
			T::PauseOrigin::ensure_origin(origin)?;
			Self::do_resume()
		}

		/// Names the contract, as long as nothing has gone through one. Whoever votes for this
		/// compares the contract's settings with the chain; its README tells which.
		///
		/// ## Dispatch origin
		/// Root.
		/// ## Errors
		/// [`Error::AnchorInUse`], [`Error::ZeroAddress`].
		/// ## Events
		/// [`Event::AnchorSet`].
		#[pallet::call_index(8)]
		#[pallet::weight((T::WeightInfo::set_anchor(), DispatchClass::Operational))]
		pub fn set_anchor(origin: OriginFor<T>, anchor: AnchorId) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_anchor(anchor)
		}

		/// Sets the inbox to another place, where the anchor has taken back what was final: what is
		/// attested and not delivered is forgotten, and validators vote anew. Numbers that have
		/// counted do not count again.
		///
		/// ## Dispatch origin
		/// Root.
		/// ## Errors
		/// [`Error::NoAnchor`].
		/// ## Events
		/// [`Event::InboxSet`].
		#[pallet::call_index(9)]
		#[pallet::weight((T::WeightInfo::set_inbox(), DispatchClass::Operational))]
		pub fn set_inbox(origin: OriginFor<T>, mark: InboxMark) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_inbox(mark)
		}
	}
}

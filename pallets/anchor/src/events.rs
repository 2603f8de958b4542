//! What the pallet tells of: the part of its module that lists events.

use frame_support::pallet_macros::pallet_section;

/// The events. [`crate::pallet`] imports them.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// FLT was locked here to be minted on the anchor.
		WithdrawalSent {
			/// Number of the message.
			nonce: u64,
			/// Whose FLT it was.
			who: T::AccountId,
			/// Whom it is minted for.
			recipient: H160,
			/// How much.
			amount: Balance,
			/// What was burnt for the message.
			fee: Balance,
		},
		/// Bytes were sent to a contract on the anchor.
		MessageSent {
			/// Number of the message.
			nonce: u64,
			/// Who sent it.
			who: T::AccountId,
			/// The contract.
			target: H160,
			/// What was burnt for the message.
			fee: Balance,
		},
		/// A validator voted on what the inbox holds.
		Voted {
			/// The validator.
			who: T::AccountId,
			/// Number of messages.
			nonce: u64,
			/// Accumulator over them.
			acc: H256,
		},
		/// Two thirds of the validators have seen so many messages.
		InboxAttested {
			/// Number of messages.
			nonce: u64,
			/// Accumulator over them.
			acc: H256,
			/// A finalised block of the anchor in which they stand.
			epoch: u64,
		},
		/// A validator signed two accumulators for one number.
		VotesConflicted {
			/// The validator.
			who: T::AccountId,
			/// Number of messages.
			nonce: u64,
		},
		/// Messages were delivered.
		Delivered {
			/// Number of the first one.
			first: u64,
			/// How many.
			count: u32,
		},
		/// FLT was unlocked for a deposit, or for what a forced message did not need of its fee.
		DepositReleased {
			/// Number of the message.
			nonce: u64,
			/// Who received it.
			recipient: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// FLT could not be unlocked yet. Anybody can release it later.
		DepositParked {
			/// Number of the message.
			nonce: u64,
			/// Whom it is for.
			recipient: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// A forced message waits for its turn.
		ForcedQueued {
			/// Number of the message.
			nonce: u64,
			/// Address that sent it.
			sender: H160,
		},
		/// A forced call was made.
		ForcedCalled {
			/// Number of the message.
			nonce: u64,
			/// Account that it was made for.
			who: T::AccountId,
			/// What was burnt of the fee.
			burnt: Balance,
			/// What became of it.
			result: DispatchResult,
		},
		/// A forced call was not made.
		ForcedRefused {
			/// Number of the message.
			nonce: u64,
			/// What was burnt of the fee.
			burnt: Balance,
			/// Why.
			reason: ForcedRefusal,
		},
		/// A message says that more was burnt on the anchor than can be there. Nothing was unlocked for
		/// it, and the pallet has paused itself.
		Unbacked {
			/// Number of the message.
			nonce: u64,
			/// How much it says.
			amount: Balance,
			/// How much can be there.
			there: Balance,
		},
		/// A message says nothing to the chain.
		MessageSkipped {
			/// Number of the message.
			nonce: u64,
			/// Why; `None`: its number has counted before.
			reason: Option<Unreadable>,
		},
		/// Attested messages are late: nobody has delivered them in time.
		InboxOverdue {
			/// Messages up to the first place that is late.
			nonce: u64,
		},
		/// Late messages were delivered.
		InboxCaughtUp {
			/// Block since which they were late.
			since: BlockNumber,
		},
		/// Both directions are stopped.
		PausedUntil {
			/// Last block of the pause.
			block: BlockNumber,
		},
		/// The pause was ended.
		Resumed,
		/// Governance named the contract.
		AnchorSet {
			/// The contract.
			anchor: AnchorId,
		},
		/// Governance set the inbox to another place.
		InboxSet {
			/// The place.
			mark: InboxMark,
			/// Round in which validators vote from now on.
			round: u32,
		},
		/// Governance set other parameters.
		ParamsSet {
			/// What they are.
			params: AnchorParams,
		},
	}
}

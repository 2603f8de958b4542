//! # Providers
//!
//! Who provides, with which machines, and which key signs for a machine at which block.
//!
//! A *provider* is an account. A *peer* is one machine of it, named for ever by the hash of its
//! first key. Its ed25519 key signs reports and receipts and can move no stake: whoever steals it
//! can make the provider lose stake, never take it.
//!
//! ## Keys
//!
//! Nobody registers a key that is not theirs: the key signs (genesis, provider). A key counts from
//! the block after the one in which it is registered, up to and with the block in which another
//! one replaces it, so that each block has one key and a signature counts only inside its key's
//! interval. Intervals are remembered as long as something signed in them can be challenged, and
//! dropped at the first rotation after that; until then the key belongs to its peer and can serve
//! no other.
//!
//! ## Deposits
//!
//! Provider and peers are paid for by deposits on hold, which come back to the unit: each record
//! keeps the amount that was held for it.

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
#[cfg(test)]
mod mock;
mod registry_impls;
pub mod runtime_api;
#[cfg(test)]
mod tests;
mod types;
pub mod weights;

use frame_support::traits::fungible;
use millrace_primitives::{
	peer::{Endpoint, PeerId, PeerKey, PeerSignature, MAX_KEYS, MAX_PEERS},
	traits::{EpochClock, PeerUse},
	Balance, BlockNumber,
};

pub use pallet::*;
pub use types::{KeyInterval, Name, PeerRecord, ProviderRecord, MAX_NAME};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;

	/// The registry of providers and peers.
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	/// What the registry needs of the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Where deposits are held.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::Mutate<Self::AccountId>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's reasons for holds.
		type RuntimeHoldReason: From<HoldReason>;

		/// Names the chain that a key proof is for.
		type Clock: EpochClock;

		/// What other pallets keep of a peer: whether something still stands on it, and what goes
		/// with it.
		type PeerUse: PeerUse;

		/// Held for a provider.
		#[pallet::constant]
		type ProviderDeposit: Get<Balance>;

		/// Held for a peer. Covers its keys too, whose number is bounded, and what other pallets keep
		/// of it.
		#[pallet::constant]
		type PeerDeposit: Get<Balance>;

		/// First block for whose signatures anybody may still have to answer: a key that was
		/// replaced before it can be forgotten. Never moves back.
		type AnswerableSince: Get<BlockNumber>;

		/// Weights of this pallet.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposit of a provider, released when it leaves.
		ProviderDeposit,
		/// Deposit of a peer, released when it is removed.
		PeerDeposit,
	}

	/// Providers. Each row is paid for by its provider deposit.
	#[pallet::storage]
	pub type Providers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, ProviderRecord>;

	/// Peers. Each row is paid for by its provider's peer deposit.
	#[pallet::storage]
	pub type Peers<T: Config> = StorageMap<_, Identity, PeerId, PeerRecord<T::AccountId>>;

	/// Peers of each provider, in the order of their registration; paid for by the peer deposits.
	/// A provider without peers has no row.
	#[pallet::storage]
	pub type PeersOf<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<PeerId, ConstU32<MAX_PEERS>>,
		ValueQuery,
	>;

	/// Remembered key intervals of each peer, oldest first; the last one is the present key's.
	/// Paid for by the peer deposit.
	#[pallet::storage]
	pub type Keys<T: Config> =
		StorageMap<_, Identity, PeerId, BoundedVec<KeyInterval, ConstU32<MAX_KEYS>>, ValueQuery>;

	/// The peer that a remembered key belongs to. Paid for by the peer deposit.
	#[pallet::storage]
	pub type KeyOwners<T: Config> = StorageMap<_, Blake2_128Concat, PeerKey, PeerId>;

	/// What the registry reports.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account became a provider.
		ProviderRegistered {
			/// The account.
			provider: T::AccountId,
		},
		/// A provider left.
		ProviderRemoved {
			/// Its account.
			provider: T::AccountId,
		},
		/// A peer was registered.
		PeerRegistered {
			/// The peer.
			peer: PeerId,
			/// Its owner.
			provider: T::AccountId,
			/// Its first key.
			key: PeerKey,
			/// First block at which the key counts.
			since: BlockNumber,
		},
		/// A peer's endpoint was changed.
		EndpointSet {
			/// The peer.
			peer: PeerId,
			/// Where it serves from now on.
			endpoint: Endpoint,
		},
		/// A peer's key was replaced.
		KeyRotated {
			/// The peer.
			peer: PeerId,
			/// Its new key.
			key: PeerKey,
			/// First block at which the new key counts.
			since: BlockNumber,
		},
		/// A peer was removed.
		PeerRemoved {
			/// The peer.
			peer: PeerId,
			/// Who owned it.
			provider: T::AccountId,
		},
	}

	/// Why a call of the registry was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The account is a provider already.
		AlreadyProvider,
		/// The account is no provider. Register it first.
		NotProvider,
		/// The name is not UTF-8. Encode it so.
		BadName,
		/// The provider still has peers. Remove them first.
		HasPeers,
		/// A peer of this name is registered already. Every peer needs a first key of its own.
		PeerExists,
		/// No such peer is registered. Check its name.
		UnknownPeer,
		/// The peer belongs to another provider. Only its owner can change it.
		NotOwner,
		/// The proof is not the key's signature over this chain's genesis hash and the calling
		/// account. Sign it with the key that is registered, for this chain and account.
		BadKeyProof,
		/// The key serves a peer, or did so too recently. Take a fresh one.
		KeyInUse,
		/// The present key does not count yet. Rotate again in a later block.
		KeyNotYetInForce,
		/// As many keys are remembered as may be. Wait until the oldest one has left the
		/// challenge period.
		TooManyKeys,
		/// The provider owns as many peers as it may. Remove one, or use another account.
		TooManyPeers,
		/// A commitment, an offer, a worker or an open case stands on the peer. End it first.
		PeerInUse,
		/// The endpoint is no `http://` or `https://` URL in visible ASCII, or it has a user, a
		/// query or a fragment (`@`, `?`, `#`), behind which no path could be put.
		BadEndpoint,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Makes the calling account a provider and holds its deposit.
		///
		/// ## Dispatch origin
		///
		/// Signed.
		///
		/// ## Errors
		///
		/// - [`Error::AlreadyProvider`]: the account is registered.
		/// - [`Error::BadName`]: the name is not UTF-8.
		///
		/// ## Events
		///
		/// - [`Event::ProviderRegistered`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_provider())]
		pub fn register_provider(origin: OriginFor<T>, name: Name) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register_provider(who, name)
		}

		/// Ends the calling account's being a provider and releases its deposit.
		///
		/// ## Dispatch origin
		///
		/// Signed by a provider without peers.
		///
		/// ## Errors
		///
		/// - [`Error::NotProvider`]: the account is not registered.
		/// - [`Error::HasPeers`]: peers of it are registered.
		///
		/// ## Events
		///
		/// - [`Event::ProviderRemoved`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::remove_provider())]
		pub fn remove_provider(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove_provider(who)
		}

		/// Registers a peer under the hash of its first key, which counts from the next block on,
		/// and holds its deposit.
		///
		/// `proof` is the key's signature over the hash of (genesis, provider). A name that its
		/// provider has removed is open again to whoever proves the key.
		///
		/// ## Dispatch origin
		///
		/// Signed by a provider.
		///
		/// ## Errors
		///
		/// - [`Error::NotProvider`], [`Error::BadEndpoint`], [`Error::BadKeyProof`].
		/// - [`Error::PeerExists`]: the name is taken.
		/// - [`Error::KeyInUse`]: the key belongs to a peer.
		/// - [`Error::TooManyPeers`]: the provider is full.
		///
		/// ## Events
		///
		/// - [`Event::PeerRegistered`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::register_peer())]
		pub fn register_peer(
			origin: OriginFor<T>,
			key: PeerKey,
			proof: PeerSignature,
			endpoint: Endpoint,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register_peer(who, key, proof, endpoint)
		}

		/// Changes where a peer serves.
		///
		/// ## Dispatch origin
		///
		/// Signed by the peer's provider.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownPeer`], [`Error::NotOwner`], [`Error::BadEndpoint`].
		///
		/// ## Events
		///
		/// - [`Event::EndpointSet`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::set_endpoint())]
		pub fn set_endpoint(
			origin: OriginFor<T>,
			peer: PeerId,
			endpoint: Endpoint,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_endpoint(who, peer, endpoint)
		}

		/// Replaces a peer's key: the old one counts up to and with this block, the new one from
		/// the next block on. The peer keeps its name.
		///
		/// ## Dispatch origin
		///
		/// Signed by the peer's provider.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownPeer`], [`Error::NotOwner`], [`Error::BadKeyProof`].
		/// - [`Error::KeyInUse`]: the new key belongs to a peer, be it this one.
		/// - [`Error::KeyNotYetInForce`]: the present key is of this block.
		/// - [`Error::TooManyKeys`]: too many rotations within the challenge period.
		///
		/// ## Events
		///
		/// - [`Event::KeyRotated`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::rotate_key())]
		pub fn rotate_key(
			origin: OriginFor<T>,
			peer: PeerId,
			new_key: PeerKey,
			proof: PeerSignature,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_rotate_key(who, peer, new_key, proof)
		}

		/// Removes a peer on which nothing stands, with its keys and what other pallets remember
		/// of it, and releases its deposit.
		///
		/// ## Dispatch origin
		///
		/// Signed by the peer's provider.
		///
		/// ## Errors
		///
		/// - [`Error::UnknownPeer`], [`Error::NotOwner`].
		/// - [`Error::PeerInUse`]: a commitment, an offer, a worker or a case stands on it.
		///
		/// ## Events
		///
		/// - [`Event::PeerRemoved`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::remove_peer().saturating_add(T::PeerUse::weight()))]
		pub fn remove_peer(origin: OriginFor<T>, peer: PeerId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove_peer(who, peer)
		}
	}
}

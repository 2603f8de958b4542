//! Weights of the registry: execution times stated for the reference machine, database accesses
//! at the runtime's price.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Checking one ed25519 signature.
const VERIFY_PICOSECONDS: u64 = 60_000_000;

/// Weights of the calls, by their names.
pub trait WeightInfo {
	/// `register_provider`
	fn register_provider() -> Weight;
	/// `remove_provider`
	fn remove_provider() -> Weight;
	/// `register_peer`, of a provider with as many peers as it may have but one.
	fn register_peer() -> Weight;
	/// `set_endpoint`
	fn set_endpoint() -> Weight;
	/// `rotate_key`, of a peer with as many keys as it may have, all but one forgotten.
	fn rotate_key() -> Weight;
	/// `remove_peer`, of a provider with as many peers, and a peer with as many keys, as may be;
	/// without what other pallets keep of the peer.
	fn remove_peer() -> Weight;
}

/// Weights at the database prices of the runtime.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register_provider() -> Weight {
		register_provider(T::DbWeight::get())
	}
	fn remove_provider() -> Weight {
		remove_provider(T::DbWeight::get())
	}
	fn register_peer() -> Weight {
		register_peer(T::DbWeight::get())
	}
	fn set_endpoint() -> Weight {
		set_endpoint(T::DbWeight::get())
	}
	fn rotate_key() -> Weight {
		rotate_key(T::DbWeight::get())
	}
	fn remove_peer() -> Weight {
		remove_peer(T::DbWeight::get())
	}
}

impl WeightInfo for () {
	fn register_provider() -> Weight {
		register_provider(ParityDbWeight::get())
	}
	fn remove_provider() -> Weight {
		remove_provider(ParityDbWeight::get())
	}
	fn register_peer() -> Weight {
		register_peer(ParityDbWeight::get())
	}
	fn set_endpoint() -> Weight {
		set_endpoint(ParityDbWeight::get())
	}
	fn rotate_key() -> Weight {
		rotate_key(ParityDbWeight::get())
	}
	fn remove_peer() -> Weight {
		remove_peer(ParityDbWeight::get())
	}
}

/// Reads and writes the account, its holds and `Providers`.
fn register_provider(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(40_000_000, 0).saturating_add(db.reads_writes(3, 3))
}

/// Besides, reads `PeersOf`.
fn remove_provider(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(40_000_000, 0).saturating_add(db.reads_writes(4, 3))
}

/// Reads `Providers`, `Peers`, `KeyOwners`, the genesis hash, `PeersOf`, `Keys`, the account and
/// its holds; writes all of these but the first and the genesis hash.
fn register_peer(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(60_000_000, 0)
		.saturating_add(Weight::from_parts(VERIFY_PICOSECONDS, 0))
		.saturating_add(db.reads_writes(8, 6))
}

/// Reads and writes `Peers`.
fn set_endpoint(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(20_000_000, 0).saturating_add(db.reads_writes(1, 1))
}

/// Reads `Peers`, `KeyOwners`, the genesis hash, what says which blocks are answered for and `Keys`;
/// writes `Keys` and up to eight rows of `KeyOwners`.
fn rotate_key(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(40_000_000, 0)
		.saturating_add(Weight::from_parts(VERIFY_PICOSECONDS, 0))
		.saturating_add(db.reads_writes(6, 9))
}

/// Reads `Peers`, `Keys`, `PeersOf`, the account and its holds; writes these and up to eight rows
/// of `KeyOwners`.
fn remove_peer(db: RuntimeDbWeight) -> Weight {
	Weight::from_parts(60_000_000, 0).saturating_add(db.reads_writes(5, 13))
}

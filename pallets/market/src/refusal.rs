//! Why the pool refuses the duties of this pallet: the codes of `InvalidTransaction::Custom`.

/// The peer is not registered, so it has no key.
pub const UNKNOWN_PEER: u8 = 10;
/// The signature is not of the key that the peer has at this block.
pub const BAD_SIGNATURE: u8 = 11;
/// The peer is not a worker of the deal, or the deal is ending.
pub const NOT_ASSIGNED: u8 = 12;
/// The epoch in which the worker had to go live is over.
pub const DEADLINE_PASSED: u8 = 13;
/// The worker is live already.
pub const ALREADY_LIVE: u8 = 14;
/// The provider's unlocked balance is below the deal's worker bond. Bring the bond in time.
pub const BOND_UNAVAILABLE: u8 = 15;
/// The worker is not live yet, so it has no notice to give. Let its time to go live pass instead.
pub const NOT_LIVE: u8 = 16;
/// The worker has given or been given notice already.
pub const ALREADY_DRAINING: u8 = 17;

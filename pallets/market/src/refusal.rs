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
/// The deal is not billed by gas.
pub const NOT_BILLED_BY_GAS: u8 = 30;
/// A voucher of the worker was redeemed in this epoch already. Redeem the next one in the next epoch.
pub const REDEEMED_ALREADY: u8 = 31;
/// The voucher is for no more gas than one that was redeemed before.
pub const NO_MORE_GAS: u8 = 32;
/// The voucher is not signed by the deal's voucher key, for this worker since it went live.
pub const BAD_VOUCHER: u8 = 33;
/// No probe of the worker is open.
pub const NOT_PROBED: u8 = 40;
/// The time to answer the probe is over.
pub const PROBE_OVER: u8 = 41;
/// The receipt is not of the call that the probe asks for, or of one before it.
pub const OTHER_RECEIPT: u8 = 42;
/// The receipt is seen to be false: it does not keep to the deal's terms.
pub const RECEIPT_IS_FALSE: u8 = 43;

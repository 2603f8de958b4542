//! Weights of Millrace's pallets, as the runtime charges them.
//!
//! `scripts/bench.sh weights` measures them and writes a file for each pallet beside this one, which
//! takes the place of the pallet's own estimate here.

#![warn(missing_docs, unreachable_pub)]

/// Weights of the epoch clock.
pub mod pallet_epochs {
	pub use pallet_epochs::weights::SubstrateWeight as WeightInfo;
}

/// Weights of the registry.
pub mod pallet_providers {
	pub use pallet_providers::weights::SubstrateWeight as WeightInfo;
}

/// Weights of commitments.
pub mod pallet_capacity {
	pub use pallet_capacity::weights::SubstrateWeight as WeightInfo;
}

/// Weights of the market.
pub mod pallet_market {
	pub use pallet_market::weights::SubstrateWeight as WeightInfo;
}

/// Weights of receipts.
pub mod pallet_receipts {
	pub use pallet_receipts::weights::SubstrateWeight as WeightInfo;
}

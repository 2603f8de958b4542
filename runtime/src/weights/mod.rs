//! Weights of Millrace's pallets, as the runtime charges them.
//!
//! `scripts/bench.sh weights` measures them and writes a file for each pallet beside this one. A pallet
//! without a file was not measured yet, and is charged by its own estimates, which are else for its
//! tests alone.

#![warn(missing_docs, unreachable_pub)]

/// Weights of the epoch clock.
pub mod pallet_epochs;

/// Weights of the registry.
pub mod pallet_providers;

/// Weights of commitments.
pub mod pallet_capacity;

/// Weights of the market.
pub mod pallet_market;

/// Weights of receipts.
pub mod pallet_receipts {
	pub use pallet_receipts::weights::SubstrateWeight as WeightInfo;
}

/// Weights of the reserve.
pub mod pallet_emission {
	pub use pallet_emission::weights::SubstrateWeight as WeightInfo;
}

/// Weights of developer rewards.
pub mod pallet_developer_rewards {
	pub use pallet_developer_rewards::weights::SubstrateWeight as WeightInfo;
}

/// Weights of parameters that are voted on.
pub mod pallet_governed {
	pub use pallet_governed::weights::SubstrateWeight as WeightInfo;
}

/// Weights of seats.
pub mod pallet_validators;

/// Weights of messages to the anchor and from it.
pub mod pallet_anchor {
	pub use pallet_anchor::weights::SubstrateWeight as WeightInfo;
}

/// Weights of voting.
pub mod voting;

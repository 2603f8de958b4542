//! Weights of Millrace's pallets, as the runtime charges them.
//!
//! `scripts/bench.sh weights` measures them and writes a file for each pallet beside this one.

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
pub mod pallet_receipts;

/// Weights of the reserve.
pub mod pallet_emission;

/// Weights of developer rewards.
pub mod pallet_developer_rewards;

/// Weights of parameters that are voted on.
pub mod pallet_governed;

/// Weights of seats.
pub mod pallet_validators;

/// Weights of messages to the anchor and from it.
pub mod pallet_anchor;

/// Weights of voting.
pub mod voting;

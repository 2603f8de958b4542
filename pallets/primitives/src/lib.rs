//! # Millrace primitives
//!
//! What chain, host functions and daemons must agree on, to the byte: identifiers, records, signed
//! payloads, Merkle trees, audit draws and the arithmetic of epochs. Nothing here reads storage or
//! does I/O, so that every rule can be tested alone and used unchanged on both sides.
//!
//! Every signed or hashed payload begins with a domain tag and the genesis hash (see [`hash`]), so
//! that nothing signed for one purpose, chain or fork counts for another.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod access;
pub mod anchor;
pub mod audit;
pub mod billing;
pub mod capacity;
pub mod challenge;
pub mod checkpoint;
pub mod commitment;
pub mod effects;
pub mod epoch;
pub mod execution;
pub mod governance;
pub mod hash;
pub mod market;
pub mod merkle;
pub mod packages;
pub mod peer;
pub mod probe;
pub mod referenda;
pub mod replay;
pub mod report;
pub mod rewards;
pub mod traits;
pub mod validators;
pub mod views;

#[cfg(feature = "serde")]
pub mod decimal;
#[cfg(feature = "serde")]
pub mod hex_bytes;
#[cfg(feature = "serde")]
pub mod hex_text;
#[cfg(feature = "serde")]
pub mod text;

pub use primitive_types::{H256, U256};

/// Amount of FLT in its smallest unit: 1 FLT = 10^18.
pub type Balance = u128;
/// Height of a block.
pub type BlockNumber = u32;
/// Index of an epoch, counted from 0 at genesis.
pub type EpochIndex = u32;
/// Index of a deal, never used twice.
pub type DealId = u64;
/// Index of an offer, never used twice; the lower, the older.
pub type OfferId = u64;
/// Execution cost in units of the engine profile's cost table.
pub type Gas = u64;

/// One FLT in its smallest unit.
pub const FLT: Balance = 1_000_000_000_000_000_000;

/// The only resource class at present: 1 physical core, 4 GiB RAM, 16 GiB disk per unit.
pub const CPU_V1: market::ResourceClass = 1;

//! # Embedded anchor
//!
//! An anchor for development, in one process: an EVM that behaves like Filecoin's as far as a relayer can
//! tell. It runs the very contracts that other anchors run, and answers the same JSON-RPC.
//!
//! **It adds no security.** Whoever runs it decides what is in it. It is there to try things out.
//!
//! - A tipset comes every so many seconds, and some rounds have none: their numbers are missing.
//! - What a tipset holds is executed with the next one. So its receipts are there one tipset later, and the
//!   newest state is that of the tipset before the last.
//! - Final is what lies a number of rounds deep.
//! - The ten well-known keys of development have coins at the start.
//!
//! What is on disk are the tipsets with their messages. The state is computed from them at the start, which
//! is the same each time: time and rounds are part of what is kept.

mod chain;
mod decode;
mod evm;
mod rpc;
#[cfg(test)]
mod solidity;
mod store;

pub use chain::{Chain, Settings};
pub use rpc::router;
pub use store::{Store, StoreError};

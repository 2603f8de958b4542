//! Configuration of every pallet, a file per group.

#![warn(missing_docs, unreachable_pub)]

pub mod anchor;
pub mod checkpoints;
pub mod consensus;
pub mod governance;
pub mod millrace;
pub mod money;
pub mod parameters;
pub mod rewards;
pub mod supply;
pub mod system;

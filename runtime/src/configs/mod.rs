//! Configuration of every pallet, a file per group.

pub mod consensus;
pub mod governance;
pub mod millrace;
pub mod money;
pub mod system;

//! Tests of the registry, a file per feature.

mod deposits;
mod keys;
mod peers;
mod proofs;
mod providers;
mod stateful;

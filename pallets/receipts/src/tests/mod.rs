//! Tests, a file for each feature. The builder checks the pallet's invariants at the end of each.

mod opening;
mod removal;
mod ring;
mod stateful;

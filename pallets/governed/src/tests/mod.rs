//! Tests of the pallet, over parameters of their own.

mod epochs;
mod set;
mod stateful;
mod try_state;

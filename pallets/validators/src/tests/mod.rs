//! Tests of the pallet, a file for each feature.

mod candidates;
mod churn;
mod genesis;
mod liveness;
mod offences;
mod seats;
mod stateful;
mod try_state;
mod views;

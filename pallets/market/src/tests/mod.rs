//! Tests of the market, a file a feature.

mod closing;
mod commitment;
mod deals;
mod expiry;
mod matching;
mod offers;
mod payments;
mod pot;
mod resumption;
mod sleep;
mod stateful;
mod views;
mod workers;

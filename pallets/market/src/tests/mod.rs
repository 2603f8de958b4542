//! Tests of the market, a file a feature.

mod closing;
mod commitment;
mod conservation;
mod deals;
mod drain;
mod expiry;
mod grace;
mod lost;
mod matching;
mod offers;
mod owners;
mod patrol;
mod payments;
mod pot;
mod reference;
mod resize;
mod resumption;
mod sleep;
mod stateful;
mod updates;
mod views;
mod why_not;
mod workers;

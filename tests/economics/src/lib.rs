//! # What cheating on capacity and on the market gains and loses
//!
//! A simulation that drives the real pallets in a runtime of their own: every report, audit, slash and
//! reward is the chain's. Played are RandomX (a nonce says whether it was worked for), the VRF
//! outputs, time, and the bulk of a large network, which stands in the chain's lists and totals without
//! being simulated peer by peer.
//!
//! Each way to cheat is tried over a grid of its own parameters, network sizes and costs of hashing, and
//! compared with the same peers at honest work under the same luck. Ways to cheat on the market are held
//! against their formulas, block by block. The README tells how to run it; docs/ECONOMICS.md is where
//! its results stand.

pub mod agents;
pub mod background;
pub mod chain;
pub mod fraud;
pub mod grid;
pub mod market;
pub mod memory;
pub mod rows;
pub mod run;
mod runtime;
pub mod strategies;
pub mod table;
pub mod work;

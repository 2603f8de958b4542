//! Tests that need the runtime but no node: what the client and the chain must agree on, and what
//! the chain refuses.

mod bad_input;
mod blocks;
mod calls;
mod checkpoints;
mod errors;
mod governance;
mod known_flaws;
mod leftovers;
mod locked_funds;
mod market_ops;
mod migration;
mod owners;
mod parameters;
mod presets;
mod referenda;
mod report_cost;
mod report_fit;
mod samples;
mod stateful;
mod threats;
mod tokenomics;
mod validators;
mod views;

//! Tests that need the runtime but no node: what the client and the chain must agree on, and what
//! the chain refuses.

mod bad_input;
mod calls;
mod errors;
mod known_flaws;
mod leftovers;
mod locked_funds;
mod market_ops;
mod presets;
mod report_cost;
mod report_fit;
mod samples;
mod threats;
mod validators;
mod views;

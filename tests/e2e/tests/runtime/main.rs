//! Tests that need the runtime but no node: what the client and the chain must agree on.

mod calls;
mod presets;
mod samples;
mod views;

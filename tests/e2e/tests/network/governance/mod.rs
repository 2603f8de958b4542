//! Votes over a chain that runs: what they change and what they leave alone, an upgrade of the runtime
//! while a deal is served, rewards of developers, and a chain that has nothing but votes.

mod parameters;
mod rewards;
mod testnet;
mod upgrade;
mod vote;

//! Tests over real processes. One program, so that two of them can run at a time and all of them
//! are linked once.

mod adversaries;
mod anchor;
mod anchor_bars;
mod anchor_verify;
mod anchored;
mod bad_input;
mod billed;
mod checkpoints;
mod clients;
mod congestion;
mod contracts;
mod demo;
mod embedded_anchor;
mod equivocation;
mod failover;
mod governance;
mod javascript;
mod market_bars;
mod measurements;
mod metadata_js;
mod node_killed;
mod one_worker;
mod private_deal;
mod probed;
mod randomx;
mod rpc;
mod stakers;
mod taken_back;
mod updated;
mod validator_seats;
mod validators;
mod worker_killed;

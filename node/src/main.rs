//! # Millrace node
//!
//! A node of the Millrace chain: BABE authoring, GRANDPA finality, ParityDB, and the RPC methods
//! that clients of the market and providers need. See README.md for how it is run.

mod chain_spec;
mod cli;
mod command;
mod executor;
mod randomx;
mod relayer;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
	command::run()
}

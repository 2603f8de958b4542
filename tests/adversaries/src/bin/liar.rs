//! A worker that lies: see [`millrace_adversaries::liar`].

use clap::Parser;
use millrace_adversaries::liar::{self, Options};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
	millrace_adversaries::log();
	liar::run(Options::parse()).await
}

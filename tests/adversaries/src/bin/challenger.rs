//! A challenger that cheats: see [`millrace_adversaries::challenger`].

use clap::Parser;
use millrace_adversaries::challenger::{self, Options};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
	millrace_adversaries::log();
	println!("{}", challenger::run(Options::parse()).await?);
	Ok(())
}

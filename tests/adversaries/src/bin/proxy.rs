//! What stands before an honest worker: see [`millrace_adversaries::proxy`].

use clap::Parser;
use millrace_adversaries::proxy::{self, Options};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
	millrace_adversaries::log();
	proxy::run(Options::parse()).await
}

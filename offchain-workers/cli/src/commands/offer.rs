//! `millrace offer`: what a peer asks for its units.

use crate::{arguments, context::Context, errors::Result};
use clap::Subcommand;
use millrace_client::calls;
use millrace_primitives::{market::OfferTerms, peer::PeerId, Balance, CPU_V1};
use serde_json::json;

/// What a peer asks for its units.
#[derive(Debug, Subcommand)]
pub(crate) enum OfferCommand {
	/// Post a peer's offer; holds a deposit.
	Post {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
		/// Price of one unit for one epoch, such as "0.02 FLT".
		#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
		ask: Balance,
		/// Highest bond per worker that you accept.
		#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT", default_value = "0 FLT")]
		max_bond: Balance,
		/// Region code from 1 to 63; 0 states none.
		#[arg(long, default_value_t = 0)]
		region: u16,
		/// Capability bits.
		#[arg(long, default_value_t = 0)]
		capabilities: u64,
		/// Resource class of the units.
		#[arg(long, default_value_t = CPU_V1)]
		class: u16,
	},
	/// Take a peer's offer off the book; its workers work on.
	Withdraw {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
}

/// Does it.
pub(crate) async fn run(context: &Context, command: OfferCommand) -> Result<()> {
	let (peer, call, done) = match command {
		OfferCommand::Post {
			peer,
			ask,
			max_bond,
			region,
			capabilities,
			class,
		} => {
			let terms = OfferTerms {
				class,
				region,
				ask,
				capabilities,
				max_worker_bond: max_bond,
			};
			(peer, calls::market::post_offer(peer, terms), "offer posted")
		}
		OfferCommand::Withdraw { peer } => {
			(peer, calls::market::withdraw_offer(peer), "offer withdrawn")
		}
	};
	let chain = context.chain().await?;
	let included = context.submit(&chain, call).await?;
	let value = json!({ "peer": peer, "block": included.block });
	context.emit(&value, || format!("{done}: {peer}"))
}

//! `millrace offer`: what a peer asks for its units, and how it leaves deals.

mod drain;

use crate::{
	arguments,
	commands::{deal::Draining, gov::params},
	context::Context,
	errors::{CliError, Result},
	ui,
};
use clap::{Args, Subcommand};
use drain::DrainArgs;
use millrace_client::{amounts, calls, Call, View};
use millrace_primitives::{market::OfferTerms, peer::PeerId, views::OfferView, Balance, CPU_V1};
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
	/// Change a peer's offer, which keeps its age; what is not named stays. Workers keep their price,
	/// but a higher ask gives notice to all that are live at a lower one.
	Update(UpdateArgs),
	/// Show a peer's offer.
	Show {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Leave deals with notice: the peer serves and is paid for this epoch and the next one, and keeps
	/// its bonds. The deals do not take it again for a while. Signed by the peer's key; no account and no
	/// fee.
	Drain(DrainArgs),
	/// Take a peer's offer off the book; its workers work on.
	Withdraw {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
}

/// Options of `offer update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
	/// Price of one unit for one epoch, such as "0.02 FLT".
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	ask: Option<Balance>,
	/// Highest bond per worker that you accept.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	max_bond: Option<Balance>,
	/// Region code from 1 to 63; 0 states none.
	#[arg(long)]
	region: Option<u16>,
	/// Capability bits.
	#[arg(long)]
	capabilities: Option<u64>,
}

impl UpdateArgs {
	/// The terms that an offer has afterwards.
	fn applied_to(&self, terms: OfferTerms) -> OfferTerms {
		OfferTerms {
			ask: self.ask.unwrap_or(terms.ask),
			max_worker_bond: self.max_bond.unwrap_or(terms.max_worker_bond),
			region: self.region.unwrap_or(terms.region),
			capabilities: self.capabilities.unwrap_or(terms.capabilities),
			..terms
		}
	}
}

/// Does it.
pub(crate) async fn run(context: &Context, command: OfferCommand) -> Result<()> {
	match command {
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
			check_tick(&context.chain().await?.latest().await?, ask).await?;
			let call = calls::market::post_offer(peer, terms);
			submit(context, peer, call, "offer posted").await
		}
		OfferCommand::Update(args) => update(context, &args).await,
		OfferCommand::Show { peer } => {
			let view = context.chain().await?.latest().await?;
			show(context, &get(&view, peer).await?)
		}
		OfferCommand::Drain(args) => drain::run(context, args).await,
		OfferCommand::Withdraw { peer } => {
			let call = calls::market::withdraw_offer(peer);
			submit(context, peer, call, "offer withdrawn").await
		}
	}
}

async fn submit(context: &Context, peer: PeerId, call: Call, done: &str) -> Result<()> {
	let chain = context.chain().await?;
	let included = context.submit(&chain, call).await?;
	let value = json!({ "peer": peer, "block": included.block });
	context.emit(&value, || format!("{done}: {peer}"))
}

async fn update(context: &Context, args: &UpdateArgs) -> Result<()> {
	let peer = args.peer;
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let present = get(&view, peer).await?.terms;
	let terms = args.applied_to(present);
	if terms == present {
		let message = format!("nothing of the offer of {peer} would change");
		return Err(CliError::usage("nothing_to_change", message)
			.hint("give --ask, --max-bond, --region or --capabilities another value"));
	}
	if terms.ask != present.ask {
		check_tick(&view, terms.ask).await?;
	}
	let call = calls::market::update_offer(peer, terms);
	let included = context.submit(&chain, call).await?;
	let draining: Vec<Draining> = included.all("Market", "WorkerDraining");
	let value = json!({
		"peer": peer,
		"block": included.block,
		"terms": terms,
		"draining": of_draining(&draining),
	});
	context.emit(&value, || {
		let mut text = format!("offer updated: {peer}");
		if !draining.is_empty() {
			text = format!("{text}\n\n{}", draining_table(&draining));
		}
		text
	})
}

/// Fails where the chain would refuse a new ask, with those next to it.
async fn check_tick(view: &View, ask: Balance) -> Result<()> {
	let tick = params::get(view, "market.ask_tick").await?.in_force;
	let tick = Balance::try_from(tick).unwrap_or(Balance::MAX);
	on_grid(ask, tick)
}

fn on_grid(ask: Balance, tick: Balance) -> Result<()> {
	let over = ask.checked_rem(tick).unwrap_or_default();
	if over == 0 {
		return Ok(());
	}
	let below = ask.saturating_sub(over);
	let above = amounts::format(below.saturating_add(tick));
	let near = match below {
		0 => above,
		_ => format!("{} or {above}", amounts::format(below)),
	};
	let message = format!(
		"an ask is a multiple of {}, and {} is none",
		amounts::format(tick),
		amounts::format(ask)
	);
	Err(CliError::usage("ask_off_tick", message).hint(format!("ask {near}")))
}

/// The offer of a peer, or an error that says that there is none.
async fn get(view: &View, peer: PeerId) -> Result<OfferView> {
	view.offer(peer).await?.ok_or_else(|| {
		CliError::not_found("offer_unknown", format!("peer {peer} has no offer")).hint(
			"`millrace offer post` posts one; after three lapses in a row the chain closes it",
		)
	})
}

fn show(context: &Context, offer: &OfferView) -> Result<()> {
	context.emit(offer, || {
		let terms = &offer.terms;
		ui::pairs([
			("offer", offer.offer.to_string()),
			("peer", offer.peer.to_string()),
			("ask", amounts::format(terms.ask)),
			(
				"highest worker bond",
				amounts::format(terms.max_worker_bond),
			),
			("region", terms.region.to_string()),
			("capabilities", terms.capabilities.to_string()),
			("class", terms.class.to_string()),
			("free units", offer.free_units.to_string()),
		])
	})
}

/// Workers with notice, as JSON.
fn of_draining(draining: &[Draining]) -> serde_json::Value {
	draining
		.iter()
		.map(|(deal, _, last)| json!({ "deal": deal, "last": last }))
		.collect()
}

/// Workers with notice, in words.
fn draining_table(draining: &[Draining]) -> String {
	let rows = draining
		.iter()
		.map(|(deal, _, last)| vec![deal.to_string(), format!("epoch {last}")]);
	ui::table(["leaves deal", "last paid"], rows)
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Parser)]
	struct Updated {
		#[command(flatten)]
		update: UpdateArgs,
	}

	#[test]
	fn an_ask_between_two_steps_is_refused_with_both() {
		let tick = 1_000_000_000_000;
		assert!(on_grid(20 * tick, tick).is_ok());
		let hint = |ask| on_grid(ask, tick).expect_err("it is between").hint;
		let both = "ask 0.000007 FLT or 0.000008 FLT";
		assert_eq!(hint(7 * tick + 1).as_deref(), Some(both));
		assert_eq!(hint(tick - 1).as_deref(), Some("ask 0.000001 FLT"));
	}

	#[test]
	fn what_is_not_named_stays_as_it_is() {
		let terms = OfferTerms {
			class: CPU_V1,
			region: 3,
			ask: 5,
			capabilities: 1,
			max_worker_bond: 7,
		};
		let applied = |more: &[&str]| {
			let peer = "11".repeat(32);
			let line = [&["test", &peer][..], more].concat();
			let updated = Updated::try_parse_from(line).expect("every option is known");
			updated.update.applied_to(terms)
		};
		assert_eq!(applied(&[]), terms);
		let dearer = OfferTerms { ask: 6, ..terms };
		assert_eq!(applied(&["--ask", "6 unit"]), dearer);
		let moved = OfferTerms {
			region: 0,
			capabilities: 0,
			..terms
		};
		assert_eq!(applied(&["--region", "0", "--capabilities", "0"]), moved);
		let bonded = OfferTerms {
			max_worker_bond: 0,
			..terms
		};
		assert_eq!(applied(&["--max-bond", "0 unit"]), bonded);
	}
}

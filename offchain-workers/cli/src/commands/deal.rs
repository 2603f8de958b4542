//! `millrace deal`: orders, from quote to refund.

mod asking;
mod changes;
mod probe;
mod show;
mod update;
mod watch;

use crate::{
	arguments,
	commands::{
		package,
		spec::{is_out_of_reach, set_links, SpecArgs},
	},
	context::{parse_account, Context},
	errors::{CliError, Kind, Result},
	ui,
};
use asking::{EscrowArgs, QuoteArgs, WhyNotArgs};
use changes::{submit_and_show, Change};
use clap::{Args, Subcommand};
use millrace_client::{amounts, calls, AccountId, View};
use millrace_primitives::{
	execution::{arbitration_gas, CallTerms},
	views::DealView,
	Balance, DealId,
};
use serde_json::json;
use show::{live, of_deal, show};
use watch::WatchArgs;

pub(crate) use changes::Draining;

/// Orders, from quote to refund.
#[derive(Debug, Subcommand)]
pub(crate) enum DealCommand {
	/// Show who would be taken now, at what price, and for how long an escrow pays them.
	Quote(Box<QuoteArgs>),
	/// Say why offers are not taken for a deal, or for an order that is only asked about.
	WhyNot(Box<WhyNotArgs>),
	/// Order workers and prepay them.
	Create(Box<CreateArgs>),
	/// List deals.
	List {
		/// Only those of this account.
		#[arg(long, value_parser = parse_account)]
		owner: Option<AccountId>,
		/// Only those of the signing account.
		#[arg(long, conflicts_with = "owner")]
		mine: bool,
		/// Begin at this deal.
		#[arg(long, default_value_t = 0)]
		from: DealId,
		/// At most so many.
		#[arg(long, default_value_t = 100)]
		limit: u32,
	},
	/// Show a deal and its workers.
	Show {
		/// The deal.
		deal: DealId,
	},
	/// Show a deal as it changes, until all wanted workers serve. With --json, one object a line.
	Watch(WatchArgs),
	/// Add to a deal's escrow; any account may.
	TopUp {
		/// The deal.
		deal: DealId,
		/// How much, such as "5 FLT".
		#[arg(value_parser = arguments::amount)]
		amount: Balance,
	},
	#[command(flatten)]
	Change(Change),
	/// End a deal with the present epoch.
	Stop {
		/// The deal.
		deal: DealId,
	},
	/// Pay out and remove a deal whose last epoch is settled; any account may.
	Close {
		/// The deal.
		deal: DealId,
	},
}

/// Options of `deal create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
	/// What is ordered.
	#[command(flatten)]
	spec: SpecArgs,
	/// What is prepaid.
	#[command(flatten)]
	escrow: EscrowArgs,
	/// Store the module at the gateway first.
	#[arg(long, requires = "package")]
	upload: bool,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: DealCommand) -> Result<()> {
	match command {
		DealCommand::Quote(args) => asking::quote(context, &args).await,
		DealCommand::WhyNot(args) => asking::why_not(context, &args).await,
		DealCommand::Create(args) => create(context, *args).await,
		DealCommand::List {
			owner,
			mine,
			from,
			limit,
		} => {
			let owner = if mine {
				Some(context.signer()?.account())
			} else {
				owner
			};
			list(context, owner, from, limit).await
		}
		DealCommand::Show { deal } => {
			let view = context.chain().await?.latest().await?;
			show(context, &get(&view, deal).await?)
		}
		DealCommand::Watch(args) => watch::run(context, &args).await,
		DealCommand::TopUp { deal, amount } => {
			submit_and_show(context, deal, calls::market::top_up(deal, amount)).await
		}
		DealCommand::Change(change) => changes::run(context, change).await,
		DealCommand::Stop { deal } => {
			submit_and_show(context, deal, calls::market::stop(deal)).await
		}
		DealCommand::Close { deal } => close(context, deal).await,
	}
}

async fn create(context: &Context, args: CreateArgs) -> Result<()> {
	let mut spec = args.spec.spec(context)?;
	let escrow = args.escrow.amount(&spec)?;
	if args.upload {
		if let Some(module) = args.spec.module()? {
			let (_, url) = package::upload(&context.settings.gateway, module).await?;
			set_links(&mut spec.package, args.spec.links_with(url))?;
		}
	}
	let terms = CallTerms::new(0, &spec.package, spec.limits, spec.hosts.clone());
	if !terms.is_verifiable() {
		eprintln!("warning: receipts of this deal cannot be challenged by running its calls again");
		let most = arbitration_gas(spec.package.size);
		eprintln!("  hint: calls of at most {most} gas of this package can be; see --gas");
	}
	let chain = context.chain().await?;
	// On a network of one machine such links are the right ones. A chain of unknown type is public.
	if is_out_of_reach(&spec.package) && !chain.is_for_development().await.unwrap_or(false) {
		eprintln!("warning: every link to the package leads to this machine or its network");
		eprintln!("  hint: workers elsewhere fetch it from a public --link or --gateway only");
	}
	let included = context
		.submit(&chain, calls::market::create_deal(&spec, escrow))
		.await?;
	let (deal, _): (DealId, AccountId) = included
		.find("Market", "DealCreated")
		.ok_or_else(|| missing_event("DealCreated"))?;
	let value = json!({
		"deal": deal,
		"block": included.block,
		"escrow": escrow.to_string(),
		"package": spec.package.hash,
	});
	context.emit(&value, || deal.to_string())
}

async fn list(context: &Context, owner: Option<AccountId>, from: DealId, limit: u32) -> Result<()> {
	let view = context.chain().await?.latest().await?;
	let deals = view.deals(owner.as_ref(), from, limit).await?;
	context.emit(&json!({ "deals": deals }), || {
		let rows = deals.iter().map(|deal| {
			vec![
				deal.deal.to_string(),
				deal.owner.to_string(),
				format!("{} of {}", live(deal), deal.spec.target_workers),
				amounts::format(deal.escrow),
				amounts::format(deal.paid),
				of_deal(&deal.status, deal.grace, &deal.terms),
			]
		});
		ui::table(["deal", "owner", "live", "escrow", "paid", "status"], rows)
	})
}

async fn close(context: &Context, deal: DealId) -> Result<()> {
	let chain = context.chain().await?;
	let included = context.submit(&chain, calls::market::close(deal)).await?;
	let closed: Closed = included
		.find("Market", "DealClosed")
		.ok_or_else(|| missing_event("DealClosed"))?;
	let (_, paid, burnt, refunded) = closed;
	let value = json!({
		"deal": deal,
		"paid": paid.to_string(),
		"burnt": burnt.to_string(),
		"refunded": refunded.to_string(),
	});
	context.emit(&value, || {
		ui::pairs([
			("paid", amounts::format(paid)),
			("burnt", amounts::format(burnt)),
			("refunded", amounts::format(refunded)),
		])
	})
}

/// Fields of `DealClosed`: deal, paid, burnt, refunded.
pub(crate) type Closed = (DealId, Balance, Balance, Balance);

/// The deal, or an error that says that there is none.
pub(crate) async fn get(view: &View, deal: DealId) -> Result<DealView<AccountId>> {
	view.deal(deal)
		.await?
		.ok_or_else(|| CliError::not_found("deal_unknown", format!("there is no deal {deal}")))
}

/// A transaction succeeded without the event that the protocol promises.
pub(crate) fn missing_event(name: &str) -> CliError {
	CliError::new(
		Kind::Failure,
		"event_missing",
		format!("the transaction gave no event {name}"),
	)
	.hint("node and this tool are of different versions")
}

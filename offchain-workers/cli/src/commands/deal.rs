//! `millrace deal`: orders, from quote to refund.

use crate::{
	arguments,
	commands::{
		package,
		spec::{is_out_of_reach, set_links, SpecArgs},
		wait::{self, Progress},
	},
	context::{parse_account, Context},
	errors::{CliError, Kind, Result},
	ui,
};
use clap::{Args, Subcommand};
use millrace_client::{amounts, calls, AccountId, View};
use millrace_primitives::{
	execution::{arbitration_gas, CallTerms},
	market::{DealStatus, WorkerStatus},
	views::{DealView, WorkerView},
	Balance, DealId,
};
use serde_json::json;

/// Orders, from quote to refund.
#[derive(Debug, Subcommand)]
pub(crate) enum DealCommand {
	/// Show who would be taken now, and at what price.
	Quote(Box<SpecArgs>),
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
	/// Wait until all wanted workers are live.
	Watch {
		/// The deal.
		deal: DealId,
		/// Give up after so many seconds.
		#[arg(long, value_name = "SECONDS", default_value_t = 600)]
		timeout: u64,
	},
	/// Add to a deal's escrow; any account may.
	TopUp {
		/// The deal.
		deal: DealId,
		/// How much, such as "5 FLT".
		#[arg(value_parser = arguments::amount)]
		amount: Balance,
	},
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
	/// Amount that is prepaid.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	escrow: Option<Balance>,
	/// Prepay so many epochs at the highest price instead.
	#[arg(
		long,
		value_name = "EPOCHS",
		default_value_t = 24,
		conflicts_with = "escrow"
	)]
	epochs_of_escrow: u32,
	/// Store the module at the gateway first.
	#[arg(long, requires = "package")]
	upload: bool,
}

/// Does it.
pub(crate) async fn run(context: &Context, command: DealCommand) -> Result<()> {
	match command {
		DealCommand::Quote(spec) => quote(context, &spec).await,
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
		DealCommand::Watch { deal, timeout } => watch(context, deal, timeout).await,
		DealCommand::TopUp { deal, amount } => {
			let chain = context.chain().await?;
			context
				.submit(&chain, calls::market::top_up(deal, amount))
				.await?;
			show(context, &get(&chain.latest().await?, deal).await?)
		}
		DealCommand::Stop { deal } => {
			let chain = context.chain().await?;
			context.submit(&chain, calls::market::stop(deal)).await?;
			show(context, &get(&chain.latest().await?, deal).await?)
		}
		DealCommand::Close { deal } => close(context, deal).await,
	}
}

async fn quote(context: &Context, spec: &SpecArgs) -> Result<()> {
	let spec = spec.spec(context)?;
	let quote = context.chain().await?.latest().await?.quote(&spec).await?;
	context.emit(&quote, || {
		let offers = quote.workers.iter().map(|offer| {
			vec![
				offer.offer.to_string(),
				offer.peer.to_string(),
				amounts::format(offer.terms.ask),
				offer.free_units.to_string(),
			]
		});
		let offers = ui::table(["offer", "peer", "ask", "free units"], offers);
		let stopped = if quote.truncated {
			", then stopped"
		} else {
			""
		};
		let sums = ui::pairs([
			(
				"workers",
				format!("{} of {}", quote.workers.len(), spec.target_workers),
			),
			("price of an epoch", amounts::format(quote.epoch_price)),
			("smallest escrow", amounts::format(quote.min_escrow)),
			("closing deposit", amounts::format(quote.closing_deposit)),
			("offers looked at", format!("{}{stopped}", quote.looked_at)),
			(
				"verifiable",
				match quote.verifiable {
					true => "yes".into(),
					false => "no: a call may take more than the chain runs again".into(),
				},
			),
		]);
		format!("{offers}\n\n{sums}")
	})
}

async fn create(context: &Context, args: CreateArgs) -> Result<()> {
	let mut spec = args.spec.spec(context)?;
	let escrow = match args.escrow {
		Some(escrow) => escrow,
		None => spec
			.epoch_price_ceiling()
			.and_then(|price| price.checked_mul(Balance::from(args.epochs_of_escrow)))
			.ok_or_else(|| CliError::usage("bad_amount", "the escrow is over every balance"))?,
	};
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
				describe(&deal.status),
			]
		});
		ui::table(["deal", "owner", "live", "escrow", "paid", "status"], rows)
	})
}

fn show(context: &Context, deal: &DealView<AccountId>) -> Result<()> {
	context.emit(deal, || {
		let head = ui::pairs([
			("deal", deal.deal.to_string()),
			("owner", deal.owner.to_string()),
			("status", describe(&deal.status)),
			("package", format!("{:?}", deal.spec.package.hash)),
			(
				"workers",
				format!("{} live of {}", live(deal), deal.spec.target_workers),
			),
			("price ceiling", amounts::format(deal.spec.price_ceiling)),
			("escrow", amounts::format(deal.escrow)),
			("closing deposit", amounts::format(deal.closing_deposit)),
			("paid", amounts::format(deal.paid)),
			("burnt", amounts::format(deal.burnt)),
			("paid until", format!("epoch {}", deal.paid_until)),
		]);
		let rows = deal.workers.iter().map(|view| {
			let status = match view.worker.status {
				WorkerStatus::Assigned { deadline } => format!("goes live by epoch {deadline}"),
				WorkerStatus::Live { since } => format!("live, paid from epoch {since}"),
			};
			vec![
				view.worker.peer.to_string(),
				String::from_utf8_lossy(&view.endpoint).into_owned(),
				view.worker.units.to_string(),
				amounts::format(view.worker.epoch_price()),
				status,
			]
		});
		let workers = ui::table(["peer", "endpoint", "units", "epoch price", "status"], rows);
		format!("{head}\n\n{workers}")
	})
}

async fn watch(context: &Context, deal: DealId, seconds: u64) -> Result<()> {
	let chain = context.chain().await?;
	let what = format!("deal {deal}");
	let waited = wait::until(&chain, &what, seconds, async |view: &View| {
		let (found, epoch) = (get(view, deal).await?, view.epoch().await?.info.index);
		if let DealStatus::Ending { last } = found.status {
			let message = format!("deal {deal} ends with epoch {last}");
			return Err(CliError::new(Kind::Failure, "deal_ending", message));
		}
		// A worker that has gone live serves from the next epoch on.
		let serves = |worker: &&WorkerView| worker.worker.is_due(epoch);
		let live = found.workers.iter().filter(serves).count();
		let wanted = found.spec.target_workers as usize;
		Ok(match live >= wanted {
			true => Progress::Done(found),
			false => Progress::Waiting(format!("{live} of {wanted} workers serve")),
		})
	});
	let found = waited.await?.map_err(|last| {
		let message = format!("deal {deal} has not all its workers after {seconds} s: {last}");
		CliError::new(Kind::Failure, "deal_underfilled", message)
			.hint("`millrace deal quote` shows whether there are offers at this price")
	})?;
	show(context, &found)
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

/// Number of live workers.
pub(crate) fn live(deal: &DealView<AccountId>) -> usize {
	deal.workers
		.iter()
		.filter(|view| matches!(view.worker.status, WorkerStatus::Live { .. }))
		.count()
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

fn describe(status: &DealStatus) -> String {
	match status {
		DealStatus::Active => "active".into(),
		DealStatus::Ending { last } => format!("ends with epoch {last}"),
	}
}

//! `millrace deal watch`: a deal as it changes.

use super::{
	get,
	show::{of_deal, show, table_of_workers},
};
use crate::{
	commands::wait::passes,
	context::{write_line, Context},
	errors::{CliError, Kind, Result},
	ui::Spinner,
};
use clap::Args;
use futures::StreamExt;
use millrace_client::{amounts, AccountId, Block, Chain};
use millrace_primitives::{
	market::{DealStatus, WorkerStatus},
	views::{DealView, WorkerView},
	DealId, EpochIndex,
};
use serde_json::{json, Value};
use std::{io::IsTerminal, time::Duration};
use tokio::time::timeout;

/// How long it is waited for workers where nobody says otherwise.
const PATIENCE_SECONDS: u64 = 600;

/// Options of `deal watch`.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WatchArgs {
	/// The deal.
	deal: DealId,
	/// Go on when all workers serve, until the deal is closed.
	#[arg(long)]
	follow: bool,
	/// Give up after so many seconds; with --follow, stop [default: 600, or never with --follow].
	#[arg(long, value_name = "SECONDS")]
	timeout: Option<u64>,
}

impl WatchArgs {
	/// The end of all waiting, if there is one.
	fn limit(&self) -> Option<Duration> {
		let unasked = (!self.follow).then_some(PATIENCE_SECONDS);
		let seconds = self.timeout.or(unasked)?;
		// Longer than anybody waits, and no overflow.
		Some(Duration::from_secs(seconds.min(u64::from(u32::MAX))))
	}
}

/// Watches it.
pub(super) async fn run(context: &Context, args: &WatchArgs) -> Result<()> {
	let chain = context.chain().await?;
	// Whoever watches what is not there learns it at once.
	get(&chain.latest().await?, args.deal).await?;
	let mut screen = Screen::open(args.deal, context.json());
	let watching = watch(&chain, args, &mut screen);
	let outcome = match args.limit() {
		Some(limit) => timeout(limit, watching).await,
		None => Ok(watching.await),
	};
	let last = std::mem::take(&mut screen.last);
	drop(screen);
	match outcome {
		Ok(Ok(Some(found))) if !context.json() => show(context, &found),
		Ok(Ok(None)) if !context.json() => {
			write_line(&format!("deal {} is closed", args.deal));
			Ok(())
		}
		Ok(outcome) => outcome.map(|_| ()),
		Err(_) if args.follow => Ok(()),
		Err(_) => Err(not_in_time(args, &last)),
	}
}

/// Shows what comes until the end of it: the deal with all its workers, or nothing if it was closed.
async fn watch(
	chain: &Chain,
	args: &WatchArgs,
	screen: &mut Screen,
) -> Result<Option<DealView<AccountId>>> {
	let mut changes = chain.deal_changes(args.deal);
	let mut blocks = chain.finalized();
	let (mut deal, mut clock) = (None, None);
	loop {
		tokio::select! {
			Some(change) = changes.next() => deal = Some(change?),
			Some(block) = blocks.next() => match epoch_at(chain, block).await {
				Ok(epoch) => clock = Some((block, epoch)),
				Err(error) if passes(&error) => continue,
				Err(error) => return Err(error),
			},
			else => {
				let message = "the node tells of no more blocks";
				return Err(CliError::new(Kind::Network, "connection_lost", message));
			}
		}
		let (Some(deal), Some((block, epoch))) = (&deal, clock) else {
			continue;
		};
		screen.show(deal.as_ref(), block, epoch);
		match deal {
			None if args.follow => return Ok(None),
			None => return Err(gone(args.deal)),
			Some(_) if args.follow => {}
			Some(deal) if is_filled(deal, epoch)? => return Ok(Some(deal.clone())),
			Some(_) => {}
		}
	}
}

async fn epoch_at(chain: &Chain, block: Block) -> Result<EpochIndex> {
	let view = chain.at(block.hash).await?;
	Ok(view.epoch().await?.info.index)
}

/// Workers that serve and stay: one that has gone live serves at once, and one with notice leaves.
fn serving(deal: &DealView<AccountId>, epoch: EpochIndex) -> usize {
	let serves = |view: &&WorkerView| match view.worker.status {
		WorkerStatus::Live { .. } => view.worker.serves(epoch),
		WorkerStatus::Assigned { .. } | WorkerStatus::Draining { .. } => false,
	};
	deal.workers.iter().filter(serves).count()
}

/// Whether all wanted workers serve; an error where they never will.
fn is_filled(deal: &DealView<AccountId>, epoch: EpochIndex) -> Result<bool> {
	if let DealStatus::Ending { last } = deal.status {
		let message = format!("deal {} ends with epoch {last}", deal.deal);
		return Err(CliError::new(Kind::Failure, "deal_ending", message));
	}
	if serving(deal, epoch) >= deal.spec.target_workers as usize {
		return Ok(true);
	}
	if deal.status == DealStatus::Grace {
		let message = format!("deal {} is in grace and looks for no workers", deal.deal);
		return Err(CliError::new(Kind::Failure, "deal_in_grace", message)
			.hint("`millrace deal top-up` lets it go on"));
	}
	Ok(false)
}

/// How it stands, on one line.
fn in_short(deal: &DealView<AccountId>, epoch: EpochIndex) -> String {
	format!(
		"epoch {epoch}: {} of {} workers serve; {}; {} in escrow, paid until epoch {}",
		serving(deal, epoch),
		deal.spec.target_workers,
		of_deal(&deal.status, deal.grace, &deal.terms),
		amounts::format(deal.escrow),
		deal.paid_until,
	)
}

/// The same for programs. Without a deal, it is closed.
fn object(id: DealId, deal: Option<&DealView<AccountId>>, epoch: EpochIndex) -> Value {
	json!({
		"id": id,
		"epoch": epoch,
		"serving": deal.map(|deal| serving(deal, epoch)),
		"wanted": deal.map(|deal| deal.spec.target_workers),
		"deal": deal,
	})
}

fn gone(deal: DealId) -> CliError {
	CliError::not_found("deal_unknown", format!("deal {deal} was closed"))
}

fn not_in_time(args: &WatchArgs, last: &str) -> CliError {
	let seconds = args.limit().unwrap_or_default().as_secs();
	let deal = args.deal;
	let message = format!("deal {deal} has not all its workers after {seconds} s: {last}");
	CliError::new(Kind::Failure, "deal_underfilled", message).hint(format!(
		"`millrace deal why-not {deal}` says what stands against the offers"
	))
}

/// Where a deal is watched: on a terminal as a table that is drawn anew at every block, in a log by a
/// line for each change, both on standard error; for programs by a line of JSON for each change, on
/// standard output.
struct Screen {
	deal: DealId,
	json: bool,
	on_terminal: bool,
	spinner: Spinner,
	/// What was shown last: the deal and the epoch.
	shown: Option<(Option<DealView<AccountId>>, EpochIndex)>,
	/// The same on one line.
	last: String,
}

impl Screen {
	fn open(deal: DealId, json: bool) -> Self {
		Self {
			deal,
			json,
			on_terminal: std::io::stderr().is_terminal(),
			spinner: Spinner::start(format!("deal {deal}: waiting for a block")),
			shown: None,
			last: "no block was finalised".into(),
		}
	}

	fn show(&mut self, deal: Option<&DealView<AccountId>>, block: Block, epoch: EpochIndex) {
		let is_known = self
			.shown
			.as_ref()
			.is_some_and(|(known, at)| known.as_ref() == deal && *at == epoch);
		self.last = match deal {
			Some(deal) => in_short(deal, epoch),
			None => format!("epoch {epoch}: it is closed"),
		};
		let head = format!("deal {}: {} (block {})", self.deal, self.last, block.number);
		self.spinner.say(match deal {
			Some(deal) if self.on_terminal && !self.json => {
				format!("{head}\n\n{}", table_of_workers(deal))
			}
			_ => head,
		});
		if is_known {
			return;
		}
		if self.json {
			let line = object(self.deal, deal, epoch).to_string();
			self.spinner.above(|| write_line(&line));
		} else if !self.on_terminal {
			self.spinner
				.line(&format!("deal {}: {}", self.deal, self.last));
		}
		self.shown = Some((deal.cloned(), epoch));
	}
}

#[cfg(test)]
mod tests;

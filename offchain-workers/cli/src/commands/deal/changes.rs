//! What changes a deal or its workers, besides creating and ending it.

use super::{
	get,
	probe::{self, FailProbeArgs, ProbeArgs},
	show,
	update::{self, UpdateArgs},
};
use crate::{
	arguments,
	commands::access::AccessChange,
	context::{parse_account, Context},
	errors::Result,
	ui,
};
use clap::{Args, Subcommand};
use millrace_client::{amounts, calls, AccountId, Call};
use millrace_primitives::{peer::PeerId, Balance, DealId, EpochIndex};
use serde_json::json;

/// Changes of a deal that stands.
#[derive(Debug, Subcommand)]
pub(crate) enum Change {
	/// Look for another number of workers. More raise the closing deposit; of fewer, the dearest get
	/// notice and are paid for this epoch and the next one.
	Resize(ResizeArgs),
	/// Run another package from now on, or fetch it from elsewhere. Workers serve the one before until they
	/// have the new one, and until the end of the next epoch at most.
	Update(UpdateArgs),
	/// Give one worker notice: it serves and is paid for this epoch and the next one, while another is
	/// looked for. One that is not live yet leaves at once. Its peer is not taken again for a while.
	EndWorker {
		/// The deal.
		deal: DealId,
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Offer a deal to another account, which takes it with `deal take`; until then it is yours.
	Give {
		/// The deal.
		deal: DealId,
		/// Who may take it.
		#[arg(
			value_parser = parse_account,
			required_unless_present = "nobody",
			conflicts_with = "nobody"
		)]
		account: Option<AccountId>,
		/// Take the offer back.
		#[arg(long)]
		nobody: bool,
	},
	/// Take over a deal that its owner has offered to the signing account; holds the deal deposit.
	Take {
		/// The deal.
		deal: DealId,
	},
	/// Take out a worker that did not report the last epoch, for a bounty from its bond; any account
	/// may, once reports are closed. The chain does it by itself a little later.
	Replace {
		/// The deal.
		deal: DealId,
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
	},
	/// Ask a call of a worker over the chain. If it does not answer in time it is not paid and another
	/// takes its place; if it does, your bond is lost.
	Probe(ProbeArgs),
	/// Decide a probe that was not answered in time; any account may. The chain does it by itself, too.
	FailProbe(FailProbeArgs),
	/// Change who may call a deal, and how often. What is not named stays as it is.
	Access(AccessChange),
	/// Put a deal into grace whose escrow cannot pay the next epoch; any account may. The chain does it
	/// by itself, too.
	BeginGrace {
		/// The deal.
		deal: DealId,
	},
}

/// Options of `deal resize`.
#[derive(Debug, Args)]
pub(crate) struct ResizeArgs {
	/// The deal.
	deal: DealId,
	/// Workers wanted.
	#[arg(long)]
	workers: u32,
	/// Workers below which the deal counts as underfilled [default: what it is, or as many as wanted
	/// if these are fewer].
	#[arg(long)]
	min_workers: Option<u32>,
}

/// Fields of `WorkerDraining` that are told: deal, peer, last paid epoch.
pub(crate) type Draining = (DealId, PeerId, EpochIndex);

/// Fields of `BondForfeited`: deal, peer, bounty, to the escrow, burnt.
type Forfeited = (DealId, PeerId, Balance, Balance, Balance);

/// Does it.
pub(super) async fn run(context: &Context, change: Change) -> Result<()> {
	match change {
		Change::Resize(args) => resize(context, args).await,
		Change::Update(args) => update::run(context, args).await,
		Change::EndWorker { deal, peer } => end_worker(context, deal, peer).await,
		Change::Give { deal, account, .. } => {
			let call = calls::market::name_heir(deal, account.as_ref());
			submit_and_show(context, deal, call).await
		}
		Change::Take { deal } => {
			submit_and_show(context, deal, calls::market::take_deal(deal)).await
		}
		Change::Replace { deal, peer } => replace(context, deal, peer).await,
		Change::Probe(args) => probe::probe(context, args).await,
		Change::FailProbe(args) => probe::fail_probe(context, args).await,
		Change::Access(change) => access(context, &change).await,
		Change::BeginGrace { deal } => {
			submit_and_show(context, deal, calls::market::begin_grace(deal)).await
		}
	}
}

/// Submits a call and shows the deal as it is then.
pub(super) async fn submit_and_show(context: &Context, deal: DealId, call: Call) -> Result<()> {
	let chain = context.chain().await?;
	let included = context.submit(&chain, call).await?;
	let view = chain.at(included.block).await?;
	show(context, &get(&view, deal).await?)
}

async fn resize(context: &Context, args: ResizeArgs) -> Result<()> {
	let chain = context.chain().await?;
	let found = get(&chain.latest().await?, args.deal).await?;
	let least = least(args.min_workers, found.spec.min_workers, args.workers);
	let call = calls::market::resize(args.deal, least, args.workers);
	submit_and_show(context, args.deal, call).await
}

/// Workers below which a deal of this size counts as underfilled.
fn least(wished: Option<u32>, present: u32, target: u32) -> u32 {
	wished.unwrap_or(present.min(target))
}

async fn access(context: &Context, change: &AccessChange) -> Result<()> {
	let chain = context.chain().await?;
	let spec = get(&chain.latest().await?, change.deal).await?.spec;
	let (access, rate) = change.applied(spec.access, spec.rate)?;
	let call = calls::market::set_access(change.deal, &access, rate);
	submit_and_show(context, change.deal, call).await
}

async fn end_worker(context: &Context, deal: DealId, peer: PeerId) -> Result<()> {
	let chain = context.chain().await?;
	let call = calls::market::end_worker(deal, peer);
	let included = context.submit(&chain, call).await?;
	let given: Option<Draining> = included.find("Market", "WorkerDraining");
	let last = given.map(|(_, _, last)| last);
	let value = json!({ "deal": deal, "peer": peer, "last": last, "block": included.block });
	context.emit(&value, || match last {
		Some(last) => {
			format!("{peer} leaves deal {deal}; epoch {last} is the last that it is paid for")
		}
		None => format!("{peer} has left deal {deal}; it was not live yet"),
	})
}

async fn replace(context: &Context, deal: DealId, peer: PeerId) -> Result<()> {
	let chain = context.chain().await?;
	let call = calls::market::replace(deal, peer);
	let included = context.submit(&chain, call).await?;
	// The settlement of the peer may have ended other workers of it, too.
	let forfeited: Vec<Forfeited> = included.all("Market", "BondForfeited");
	let (_, _, bounty, to_escrow, burnt) = forfeited
		.into_iter()
		.find(|(of, who, ..)| (*of, *who) == (deal, peer))
		.unwrap_or((deal, peer, 0, 0, 0));
	let value = json!({
		"deal": deal,
		"peer": peer,
		"block": included.block,
		"bounty": bounty.to_string(),
		"to_escrow": to_escrow.to_string(),
		"burnt": burnt.to_string(),
	});
	context.emit(&value, || {
		ui::pairs([
			("lost", format!("{peer} in deal {deal}")),
			("bounty", amounts::format(bounty)),
			("to the escrow", amounts::format(to_escrow)),
			("burnt", amounts::format(burnt)),
		])
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Debug, Parser)]
	struct Changed {
		#[command(subcommand)]
		change: Change,
	}

	#[test]
	fn a_smaller_deal_is_not_underfilled_with_all_that_it_wants() {
		assert_eq!(least(None, 2, 5), 2);
		assert_eq!(least(None, 5, 2), 2);
		assert_eq!(least(Some(1), 5, 2), 1);
	}

	#[test]
	fn a_deal_is_given_to_somebody_or_expressly_to_nobody() {
		let given = |line: &[&str]| {
			let changed = Changed::try_parse_from([&["test", "give", "7"][..], line].concat());
			changed.map(|changed| match changed.change {
				Change::Give { account, .. } => account.is_some(),
				other => panic!("{other:?}"),
			})
		};
		assert!(given(&["//Bob"]).expect("that is an account"));
		assert!(!given(&["--nobody"]).expect("that is nobody"));
		assert!(given(&[]).is_err());
		assert!(given(&["//Bob", "--nobody"]).is_err());
	}
}

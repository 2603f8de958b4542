//! Deploys the contracts for a chain.

use super::{Servers, PATIENCE_SECONDS};
use crate::{
	arguments,
	context::Context,
	errors::{CliError, Kind, Result},
	ui,
};
use clap::Args;
use millrace_anchor::{
	commitment::authority_set,
	contract::Settings,
	evm::{Address, AnchorKey},
	max_transaction_bytes, ours, Contract, RelayError, SendRules, Sender,
};
use millrace_client::{amounts, calls, Call, Chain};
use millrace_primitives::{
	anchor::{AnchorId, H160},
	Balance,
};
use serde_json::json;
use std::time::Duration;

/// Time after which a deployment that is in no block is paid better.
const BUMP: Duration = Duration::from_secs(60);

/// What the contracts are deployed with. Nothing of it can be changed afterwards.
#[derive(Debug, Args)]
pub(crate) struct DeployArgs {
	/// Who can agree on other sets once the client cannot go on; several may be given.
	#[arg(long, value_name = "ADDRESS")]
	guardian: Vec<Address>,
	/// How many of them must [default: more than half].
	#[arg(long, value_name = "NUMBER")]
	threshold: Option<u32>,
	/// Most FLT that is minted at once; as much comes back in a day [default: 1000000 FLT].
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	outflow_cap: Option<Balance>,
	/// Least FLT of a deposit [default: 0.01 FLT].
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	min_deposit: Option<Balance>,
	/// FLT that a forced message costs, more than nothing [default: 1 FLT].
	#[arg(long, value_name = "AMOUNT", value_parser = arguments::amount)]
	force_fee: Option<Balance>,
	/// Name the contract on the chain too, by the signing account as root of a development chain.
	#[arg(long)]
	name: bool,
	/// Show the settings and deploy nothing.
	#[arg(long)]
	dry_run: bool,
	#[command(flatten)]
	servers: Servers,
}

/// Does it.
pub(super) async fn deploy(context: &Context, args: DeployArgs) -> Result<()> {
	let chain = context.chain().await?;
	let settings = settings(&chain, &args).await?;
	let config = args.servers.config()?;
	let reads = config.reads().map_err(RelayError::from)?;
	let chain_id = reads.chain_id().await?;
	if args.dry_run {
		let value = json!({ "chain_id": chain_id, "settings": settings });
		return context.emit(&value, || shown(&settings));
	}
	let key = config.key.as_deref().ok_or_else(|| {
		CliError::usage(
			"no_anchor_key",
			"a deployment is paid for, and no key is given",
		)
		.hint("use --anchor-key FILE or MILLRACE_ANCHOR_KEY; dev:0 on a development anchor")
	})?;
	let key = AnchorKey::from_name_or_file(key).map_err(RelayError::from)?;
	let rules = SendRules {
		chain_id,
		limits: config.fee_limits(),
		bump_after: BUMP,
		max_bytes: max_transaction_bytes(chain_id),
	};
	let nobody = Contract::new(reads, Address::default());
	let mut sender = Sender::new(nobody, key, rules);
	let receipt = {
		let _spinner = ui::Spinner::start("deploying");
		let patience = Duration::from_secs(PATIENCE_SECONDS);
		sender.deploy(settings.deployment(), patience).await?
	};
	let address = receipt.created.ok_or_else(|| {
		let message = "the anchor does not say where the contract is";
		CliError::new(Kind::Network, "answer_undecodable", message)
	})?;
	if args.name {
		let id = AnchorId {
			chain_id,
			contract: H160(address.0),
		};
		let call = Call::new("Anchor", "set_anchor", id);
		context.submit(&chain, calls::sudo::sudo(call)).await?;
	}
	let value = json!({
		"contract": address,
		"chain_id": chain_id,
		"epoch": receipt.block,
		"gas": receipt.gas,
		"settings": settings,
	});
	context.emit(&value, || {
		format!(
			"contract {address} on chain {chain_id}, {} gas\n\n{}",
			receipt.gas,
			shown(&settings)
		)
	})
}

/// What the options say, and where the contract begins.
async fn settings(chain: &Chain, args: &DeployArgs) -> Result<Settings> {
	let guardians = args.guardian.len();
	let majority = u32::try_from(guardians / 2 + 1).unwrap_or(u32::MAX);
	let threshold = match (guardians, args.threshold) {
		(0, None) => 0,
		(_, Some(threshold)) => threshold,
		(_, None) => majority,
	};
	if threshold as usize > guardians || (threshold == 0) != (guardians == 0) {
		let message = format!("{threshold} of {guardians} guardians cannot agree");
		return Err(CliError::usage("bad_guardians", message));
	}
	if args.force_fee == Some(0) {
		let message = "a forced message must cost something, since the chain must take it";
		return Err(CliError::usage("bad_force_fee", message));
	}
	let start = beginning(chain).await?;
	Ok(Settings {
		guardians: args.guardian.clone(),
		guardian_threshold: threshold,
		outflow_cap: args.outflow_cap.unwrap_or(start.outflow_cap),
		min_deposit: args.min_deposit.unwrap_or(start.min_deposit),
		force_fee: args.force_fee.unwrap_or(start.force_fee),
		..start
	})
}

/// The mainnet's settings, beginning at the last block that validators signed.
pub(crate) async fn beginning(chain: &Chain) -> Result<Settings> {
	let newest = ours::newest(chain).await?.ok_or_else(|| {
		let message = "the validators have signed no block yet";
		CliError::not_found("nothing_signed", message).hint("wait for the chain's first checkpoint")
	})?;
	let set = ours::signers_of(chain, &newest).await?;
	let first = ours::first_block_of(chain, set.id, 0, newest.number).await?;
	// A leaf has the time of the block before its own, and block 0 has none: a set that had begun at zero
	// would be stale at once.
	let timed = first.max(2);
	let (began, _) = ours::leaf(chain, timed, newest.number.max(timed)).await?;
	let (last, _) = ours::leaf(chain, newest.number, newest.number).await?;
	let current = authority_set(set.id, &set.addresses);
	Ok(Settings::beginning(
		chain.genesis(),
		newest.number,
		[current, last.next],
		began.time_ms / 1_000,
	))
}

fn shown(settings: &Settings) -> String {
	ui::pairs([
		("chain", format!("{:?}", settings.genesis_hash)),
		("begins behind block", settings.block_number.to_string()),
		(
			"set",
			format!(
				"{}, {} members, {:?}",
				settings.current.id, settings.current.len, settings.current.root
			),
		),
		(
			"next set",
			format!(
				"{}, {} members, {:?}",
				settings.next.id, settings.next.len, settings.next.root
			),
		),
		("stale after", format!("{} s", settings.stale_after)),
		(
			"minted at most",
			format!(
				"{} in {} s",
				amounts::format(settings.outflow_cap),
				settings.outflow_period
			),
		),
		("least deposit", amounts::format(settings.min_deposit)),
		("forced message", amounts::format(settings.force_fee)),
		(
			"guardians",
			format!(
				"{} of {}",
				settings.guardian_threshold,
				settings.guardians.len()
			),
		),
	])
}

//! `millrace rewards tree`: from a list to what a programme is begun with.

use super::{
	list::List,
	proofs::{count, Proofs},
};
use crate::{
	context::Context,
	errors::{CliError, Kind, Result},
	files, ui,
};
use clap::Args;
use millrace_client::{amounts, calls};
use millrace_primitives::BlockNumber;
use serde_json::json;
use std::path::PathBuf;

/// From a list to what a programme is begun with.
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
	/// CSV file: a line is an account and an amount with its unit; `-` for standard input.
	list: PathBuf,
	/// Write root, sum and the proof of every reward into this file, as JSON.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Also show the call that begins a programme with this last block, for `millrace gov propose raw`.
	/// Asks a node how its chain encodes it.
	#[arg(long, value_name = "BLOCK")]
	ends: Option<BlockNumber>,
}

/// Does it.
pub(super) async fn run(context: &Context, args: &TreeArgs) -> Result<()> {
	let name = args.list.display().to_string();
	let text = String::from_utf8(files::read(&args.list)?)
		.map_err(|_| CliError::usage("bad_list", format!("{name} is no text")))?;
	let list = List::parse(&name, &text)?;
	let (root, rewards, total) = (list.tree.root(), count(&list), list.total);
	let call = match args.ends {
		None => None,
		Some(ends) => {
			let call = calls::rewards::start(root, rewards, total, ends);
			let bytes = context.chain().await?.encode_call(&call).await?;
			Some(format!("0x{}", hex::encode(bytes)))
		}
	};
	if let Some(out) = &args.out {
		let proofs = serde_json::to_vec(&Proofs::of(&list))
			.map_err(|error| CliError::new(Kind::Failure, "not_serialised", error.to_string()))?;
		context.keep(out, &proofs)?;
	}
	let out = args.out.as_ref().map(|out| out.display().to_string());
	let value = json!({
		"root": root,
		"rewards": rewards,
		"total": total.to_string(),
		"out": out,
		"call": call,
	});
	context.emit(&value, || {
		let mut rows = vec![
			("root", format!("{root:?}")),
			("rewards", rewards.to_string()),
			("total", amounts::format(total)),
		];
		rows.extend(out.map(|out| ("proofs", out)));
		rows.extend(call.map(|call| ("call", call)));
		ui::pairs(rows)
	})
}

//! `millrace gov propose`: referenda, from the words to the deposit.

use super::{get, params, status, tracks, value};
use crate::{
	arguments,
	commands::deal::missing_event,
	context::{parse_account, Context},
	errors::{CliError, Result},
	files, ui,
};
use clap::{Args, Subcommand, ValueEnum};
use millrace_client::{
	amounts,
	calls::{self, governance::Proposal, CallError},
	AccountId, Call, Chain, SubmitError,
};
use millrace_primitives::{
	commitment::SlashId,
	hash::blake2_256,
	peer::PeerId,
	referenda::{Enactment, ReferendumIndex, TrackId, TrackView, VotingRules},
	Balance, BlockNumber, H256,
};
use serde_json::{json, Map};
use std::path::PathBuf;

/// Longest call that the chain keeps for a referendum.
const MAX_CALL_BYTES: usize = 4 * 1024 * 1024;
/// How a runtime begins: plain, and compressed.
const WASM: &[u8] = b"\0asm";
const COMPRESSED: &[u8] = &[82, 188, 83, 118, 70, 219, 142, 5];

/// What can be proposed.
#[derive(Debug, Subcommand)]
pub(crate) enum ProposeCommand {
	/// Set a parameter, on the parameter's own track. It takes effect with the epoch after the
	/// enactment, and leaves what stands as it is.
	Set {
		/// Its name, such as market.min_price; see `millrace gov params`.
		parameter: String,
		/// Its value with its unit, such as "0.001 FLT", 2% or "40 blocks".
		value: String,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Put another runtime in place, on the track root. Holds a deposit for its bytes.
	Upgrade {
		/// The runtime, plain or compressed.
		wasm: PathBuf,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Pay somebody from the treasury, on the track treasurer.
	Spend {
		/// Whom.
		#[arg(value_parser = parse_account)]
		to: AccountId,
		/// How much, such as "500 FLT".
		#[arg(value_parser = arguments::amount)]
		amount: Balance,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Give a slash that waits back to those who pay for it, on the track emergency.
	CancelSlash {
		/// Peer id or key file.
		#[arg(value_parser = arguments::peer)]
		peer: PeerId,
		/// Number of the slash; see `millrace peer slashes`.
		slash: SlashId,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Let nobody make a call until it is resumed, on the track emergency. What the chain must not stop
	/// cannot be paused.
	Pause {
		/// Pallet and call, such as Market.create_deal.
		#[arg(value_name = "PALLET.CALL", value_parser = call_name)]
		call: CallName,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// End a pause, on the track emergency.
	Resume {
		/// Pallet and call, such as Market.create_deal.
		#[arg(value_name = "PALLET.CALL", value_parser = call_name)]
		call: CallName,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Enter safe mode, in which only what must go on goes on, make it longer, or leave it, on the track
	/// emergency.
	SafeMode {
		/// Which.
		#[arg(value_enum)]
		action: SafeMode,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Cancel a referendum, on the track emergency; its deposits come back.
	Cancel {
		/// The referendum.
		referendum: ReferendumIndex,
		/// How it is proposed.
		#[command(flatten)]
		how: How,
	},
	/// Propose any call. Nothing about it is checked but that the runtime can read it.
	Raw {
		/// The encoded call in hexadecimal.
		#[arg(value_name = "HEX", value_parser = bytes)]
		call: Bytes,
		/// How it is proposed; its track must be named.
		#[command(flatten)]
		how: How,
	},
}

/// How something is proposed.
#[derive(Debug, Args)]
pub(crate) struct How {
	/// Another track than the usual one: root may do anything.
	#[arg(long, value_name = "NAME")]
	track: Option<String>,
	/// Blocks from the approval to the enactment; never less than the track's.
	#[arg(long, value_name = "BLOCKS", default_value_t = 0)]
	after: BlockNumber,
	/// Leave the deposit for the decision to somebody else; see `millrace gov deposit`.
	#[arg(long)]
	no_deposit: bool,
	/// Say what would be proposed, and do nothing. Needs no key.
	#[arg(long)]
	dry_run: bool,
}

/// What is proposed about safe mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SafeMode {
	/// Enter it.
	Enter,
	/// Make it longer.
	Extend,
	/// Leave it.
	Exit,
}

/// Pallet and name of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallName {
	pallet: String,
	call: String,
}

/// Bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(Vec<u8>);

fn call_name(text: &str) -> std::result::Result<CallName, String> {
	match text.split_once('.') {
		Some((pallet, call)) if !pallet.is_empty() && !call.is_empty() => Ok(CallName {
			pallet: pallet.into(),
			call: call.into(),
		}),
		_ => Err(format!(
			"\"{text}\" is no pallet and call with a dot between"
		)),
	}
}

fn bytes(text: &str) -> std::result::Result<Bytes, String> {
	hex::decode(text.strip_prefix("0x").unwrap_or(text))
		.map(Bytes)
		.map_err(|error| format!("no hexadecimal: {error}"))
}

/// What is proposed, in which words, and on which track if nobody says otherwise.
struct Plan {
	call: Vec<u8>,
	words: String,
	track: Option<String>,
}

impl Plan {
	async fn of(chain: &Chain, call: &Call, words: String, track: &str) -> Result<Self> {
		Ok(Self {
			call: chain.encode_call(call).await?,
			words,
			track: Some(track.into()),
		})
	}
}

/// Does it.
pub(super) async fn run(context: &Context, command: ProposeCommand) -> Result<()> {
	use calls::governance as gov;
	let chain = context.chain().await?;
	let (plan, how) = match command {
		ProposeCommand::Set {
			parameter,
			value,
			how,
		} => (set(&chain, &parameter, &value).await?, how),
		ProposeCommand::Upgrade { wasm, how } => {
			let code = files::read(&wasm)?;
			check_runtime(&code)?;
			let words = format!("a runtime of {} bytes", code.len());
			(
				Plan::of(&chain, &gov::set_code(&code), words, "root").await?,
				how,
			)
		}
		ProposeCommand::Spend { to, amount, how } => {
			let words = format!("{} of the treasury to {to}", amounts::format(amount));
			let call = gov::spend(&to, amount);
			(Plan::of(&chain, &call, words, "treasurer").await?, how)
		}
		ProposeCommand::CancelSlash { peer, slash, how } => {
			let words = format!("slash {slash} of {peer} is given back");
			let call = gov::cancel_slash(peer, slash);
			(Plan::of(&chain, &call, words, "emergency").await?, how)
		}
		ProposeCommand::Pause { call: named, how } => {
			exists(&chain, &named).await?;
			let words = format!("{}.{} is paused", named.pallet, named.call);
			let call = gov::pause(&named.pallet, &named.call);
			(Plan::of(&chain, &call, words, "emergency").await?, how)
		}
		ProposeCommand::Resume { call: named, how } => {
			let words = format!("{}.{} is resumed", named.pallet, named.call);
			let call = gov::resume(&named.pallet, &named.call);
			(Plan::of(&chain, &call, words, "emergency").await?, how)
		}
		ProposeCommand::SafeMode { action, how } => {
			let (call, words) = match action {
				SafeMode::Enter => (gov::enter_safe_mode(), "safe mode is entered"),
				SafeMode::Extend => (gov::extend_safe_mode(), "safe mode is made longer"),
				SafeMode::Exit => (gov::exit_safe_mode(), "safe mode is left"),
			};
			(
				Plan::of(&chain, &call, words.into(), "emergency").await?,
				how,
			)
		}
		ProposeCommand::Cancel { referendum, how } => {
			let words = format!("referendum {referendum} is cancelled");
			let call = gov::cancel_referendum(referendum);
			(Plan::of(&chain, &call, words, "emergency").await?, how)
		}
		ProposeCommand::Raw { call, how } => (raw(&chain, call.0).await?, how),
	};
	propose(context, &chain, plan, &how).await
}

/// A parameter's new value, if the chain would take it.
async fn set(chain: &Chain, name: &str, text: &str) -> Result<Plan> {
	let info = params::get(&chain.latest().await?, name).await?;
	let wanted = value::parse(&info, text)?;
	value::check(&info, wanted)?;
	let shown = value::format(&info, wanted);
	if wanted == info.value {
		let message = format!("{name} is {shown} already");
		return Err(CliError::usage("nothing_to_change", message));
	}
	let argument = info.parameter(wanted).ok_or_else(|| {
		CliError::usage("bad_value", format!("{shown} is more than {name} can hold"))
	})?;
	let call = calls::governance::set_parameter(&argument);
	Plan::of(chain, &call, format!("{name} = {shown}"), &info.track).await
}

/// Any call that the runtime can read.
async fn raw(chain: &Chain, call: Vec<u8>) -> Result<Plan> {
	let text = chain.describe_call(&call).await?.ok_or_else(|| {
		CliError::usage(
			"call_unknown",
			"the runtime has no call that begins like that",
		)
	})?;
	Ok(Plan {
		call,
		words: text.to_string(),
		track: None,
	})
}

/// Whether the runtime has a call of that name. Its arguments are not asked for: that they do not fit
/// says that it is there.
async fn exists(chain: &Chain, named: &CallName) -> Result<()> {
	let call = Call::new(&named.pallet, &named.call, ());
	match chain.encode_call(&call).await {
		Err(SubmitError::Call(
			error @ (CallError::UnknownPallet { .. } | CallError::UnknownCall { .. }),
		)) => Err(CliError::not_found("call_unknown", error.to_string())),
		Ok(_) | Err(SubmitError::Call(_)) => Ok(()),
		Err(error) => Err(error.into()),
	}
}

fn check_runtime(code: &[u8]) -> Result<()> {
	if code.starts_with(WASM) || code.starts_with(COMPRESSED) {
		return Ok(());
	}
	Err(CliError::usage(
		"not_a_runtime",
		"the file is no WebAssembly, plain or compressed",
	)
	.hint("the build writes it as millrace_runtime.compact.compressed.wasm"))
}

/// Submits it, and places the deposit for the decision.
async fn propose(context: &Context, chain: &Chain, plan: Plan, how: &How) -> Result<()> {
	let view = chain.latest().await?;
	let rules = view.voting_rules().await?;
	let name = how.track.as_deref().or(plan.track.as_deref());
	let name = name.ok_or_else(|| {
		CliError::usage(
			"no_track",
			"a raw call can be proposed on any track; name one with --track",
		)
		.hint("see `millrace gov tracks`")
	})?;
	let track = tracks::find(&rules, name)?;
	if plan.call.len() > MAX_CALL_BYTES {
		let message = format!(
			"the call has {} bytes, and the chain keeps {MAX_CALL_BYTES}",
			plan.call.len()
		);
		return Err(CliError::usage("call_too_large", message));
	}
	let proposal = Proposal::of(&plan.call);
	let hash = blake2_256(&plan.call);
	let notes = proposal.needs_preimage() && !view.has_preimage(hash).await?;
	let mut told = told(&plan, track, &rules, hash);
	if how.dry_run {
		told.insert("submitted".into(), false.into());
		return context.emit(&told, || {
			in_words(&plan, track, &rules, "not submitted".into())
		});
	}
	let enactment = Enactment::After(how.after);
	let submit = calls::governance::submit(&track.origin, &proposal, enactment);
	let call = if notes {
		let note = calls::governance::note_preimage(&plan.call);
		calls::utility::batch_all(vec![note, submit])
	} else {
		submit
	};
	let included = context.submit(chain, call).await?;
	let (referendum, _): (ReferendumIndex, TrackId) = included
		.find("Referenda", "Submitted")
		.ok_or_else(|| missing_event("Submitted"))?;
	told.insert("submitted".into(), true.into());
	told.insert("referendum".into(), referendum.into());
	told.insert("block".into(), json!(included.block));
	let mut last = included.block;
	if !how.no_deposit {
		let deposit = calls::governance::place_decision_deposit(referendum);
		// Whatever happens to it, the referendum is there.
		match context.submit(chain, deposit).await {
			Ok(included) => last = included.block,
			Err(error) => return Err(without_deposit(error, referendum, told)),
		}
	}
	told.insert("deposit_placed".into(), (!how.no_deposit).into());
	let view = chain.at(last).await?;
	let next = status::next(&get(&view, referendum).await?, view.block().number);
	told.insert("next".into(), next.clone().into());
	context.emit(&told, || {
		let mut text = format!("referendum {referendum}\n");
		text.push_str(&in_words(&plan, track, &rules, next));
		if notes {
			text.push_str(&format!(
				"\n\nits call was given to the chain, which holds a deposit for it; when it is over, \
				 `millrace gov refund {referendum} --preimage {hash:?}` takes both back"
			));
		}
		format!("{text}\n\nvote: `millrace gov vote {referendum} aye --amount AMOUNT`")
	})
}

/// What is proposed, as JSON.
fn told(
	plan: &Plan,
	track: &TrackView,
	rules: &VotingRules,
	hash: H256,
) -> Map<String, serde_json::Value> {
	Map::from_iter([
		("proposal".to_string(), json!(plan.words)),
		("track".to_string(), json!(track.name)),
		("hash".to_string(), json!(hash)),
		("bytes".to_string(), json!(plan.call.len())),
		(
			"submission_deposit".to_string(),
			json!(rules.submission_deposit.to_string()),
		),
		(
			"decision_deposit".to_string(),
			json!(track.decision_deposit.to_string()),
		),
	])
}

/// What is proposed, in words.
fn in_words(plan: &Plan, track: &TrackView, rules: &VotingRules, next: String) -> String {
	ui::pairs([
		("proposal", plan.words.clone()),
		("track", track.name.clone()),
		(
			"held for the submission",
			amounts::format(rules.submission_deposit),
		),
		(
			"held for the decision",
			amounts::format(track.decision_deposit),
		),
		("next", next),
	])
}

/// A referendum that was submitted, and whose deposit failed.
fn without_deposit(
	error: CliError,
	referendum: ReferendumIndex,
	told: Map<String, serde_json::Value>,
) -> CliError {
	let hint = format!(
		"referendum {referendum} is there; any account places the deposit by `millrace gov deposit \
		 {referendum}`"
	);
	CliError {
		message: format!(
			"the deposit for the decision was not placed: {}",
			error.message
		),
		..error
	}
	.hint(hint)
	.details(told)
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;

	#[derive(Debug, Parser)]
	struct Line {
		#[command(subcommand)]
		command: ProposeCommand,
	}

	fn parsed(line: &[&str]) -> std::result::Result<ProposeCommand, clap::Error> {
		Line::try_parse_from([&["test"][..], line].concat()).map(|line| line.command)
	}

	#[test]
	fn what_is_named_is_read_or_refused_before_anything_is_sent() {
		let peer = "11".repeat(32);
		let fine: [&[&str]; 9] = [
			&["set", "market.min_price", "0.001FLT"],
			&[
				"set",
				"market.min_price",
				"0.001 FLT",
				"--track",
				"root",
				"--after",
				"7",
			],
			&["upgrade", "runtime.wasm", "--no-deposit"],
			&["spend", "//Bob", "5 FLT", "--dry-run"],
			&["cancel-slash", peer.as_str(), "3"],
			&["pause", "Market.create_deal"],
			&["safe-mode", "extend"],
			&["cancel", "4"],
			&["raw", "0x0001", "--track", "root"],
		];
		for line in fine {
			assert!(parsed(line).is_ok(), "{line:?}");
		}
		let refused: [&[&str]; 6] = [
			&["spend", "//Bob", "5"],
			&["pause", "create_deal"],
			&["pause", ".create_deal"],
			&["safe-mode", "sleep"],
			&["raw", "0x000"],
			&["cancel", "-1"],
		];
		for line in refused {
			assert!(parsed(line).is_err(), "{line:?}");
		}
	}

	#[test]
	fn a_runtime_is_known_by_its_beginning() {
		assert!(check_runtime(b"\0asm\x01\0\0\0").is_ok());
		assert!(check_runtime(&[COMPRESSED, &[1, 2]].concat()).is_ok());
		let error = check_runtime(b"\x7fELF").expect_err("that is a program");
		assert_eq!(error.code, "not_a_runtime");
	}

	#[test]
	fn whoever_lacks_the_deposit_is_told_of_the_referendum_all_the_same() {
		let failed = CliError::new(
			crate::errors::Kind::Refused,
			"InsufficientBalance",
			"too little",
		);
		let told = Map::from_iter([("referendum".to_string(), json!(7))]);
		let error = without_deposit(failed, 7, told);
		assert_eq!(error.code, "InsufficientBalance");
		assert_eq!(error.details["referendum"], 7);
		assert!(error
			.hint
			.is_some_and(|hint| hint.contains("gov deposit 7")));
	}

	#[test]
	fn a_proposal_is_told_with_what_it_holds() {
		let rules = tracks::sample();
		let track = tracks::find(&rules, "market").expect("it is there");
		let plan = Plan {
			call: vec![1, 2, 3],
			words: "market.min_price = 0.02 FLT".into(),
			track: None,
		};
		let told = told(&plan, track, &rules, H256::repeat_byte(1));
		assert_eq!(told["track"], "market");
		assert_eq!(told["bytes"], 3);
		assert_eq!(told["decision_deposit"], "2000000000000000000000");
		let words = in_words(&plan, track, &rules, "later".into());
		assert!(
			words.contains("2000 FLT") && words.contains("later"),
			"{words}"
		);
	}
}

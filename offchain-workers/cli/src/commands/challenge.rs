//! `millrace receipt challenge`: a charge against a peer, from the suspicion to the bounty.

use crate::{
	commands::{
		receipt,
		wait::{self, Progress},
	},
	context::Context,
	errors::{CliError, Kind, Result},
	ui,
};
use clap::Args;
use millrace_client::{amounts, calls, web::Reach, Chain, Included, SubmitError, View};
use millrace_primitives::{
	challenge::{commitment, CaseId, CaseView, Evidence},
	execution::{SignedReceipt, ARBITRATION_GAS},
	BlockNumber, H256,
};
use millrace_watcher::{
	case_of, charge_code, falsehood, is_authentic, look_in_report, Material, Reported, Rules,
	Sources, Verdict, Web,
};
use serde_json::json;
use std::path::PathBuf;

/// Longest wait for the blocks between a commitment and its reveal.
const REVEAL_SECONDS: u64 = 600;
/// Reveals that are tried: a block runs one call again, and others may have taken its turn.
const REVEALS: usize = 20;

/// Options of `receipt challenge`.
#[derive(Debug, Args)]
pub(crate) struct ChallengeArgs {
	/// A receipt that `millrace invoke --receipt` kept, or a whole proof.
	file: PathBuf,
	/// Another receipt of the same peer, epoch and number: two of them are an offence.
	#[arg(long, value_name = "FILE")]
	other: Option<PathBuf>,
	/// Claim that the report leaves the receipt out although nobody proves it. The bond is lost if
	/// the peer shows it in time.
	#[arg(long)]
	claim: bool,
	/// Say what is false, and do nothing.
	#[arg(long)]
	dry_run: bool,
	/// Wait for the end of the case and conclude it, at most so many seconds.
	#[arg(long, value_name = "SECONDS")]
	wait: Option<u64>,
}

/// Does it.
pub(crate) async fn run(context: &Context, args: ChallengeArgs) -> Result<()> {
	let signed = receipt::read(&args.file)?.receipt();
	let other = match &args.other {
		Some(file) => Some(receipt::read(file)?.receipt()),
		None => None,
	};
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	for signed in [Some(&signed), other.as_ref()].into_iter().flatten() {
		if !is_authentic(&view, signed).await? {
			let message = "the peer's key did not sign that receipt on this chain and fork";
			return Err(CliError::new(Kind::Verification, "not_authentic", message));
		}
	}
	let spinner = ui::Spinner::start("looking for what is false");
	let found = find(&chain, &view, signed, other, args.claim).await;
	drop(spinner);
	let (evidence, why) = found?;
	let case = case_of(&evidence);
	eprintln!("{}: {why}", charge_code(case.charge));
	if args.dry_run {
		let value = json!({ "case": case, "why": why, "challenged": false });
		return context.emit(&value, || "not challenged".into());
	}
	let standing = press(context, &chain, &case, &evidence).await?;
	let standing = match (args.wait, standing) {
		(Some(seconds), Some(_)) => conclude(context, &chain, &case, seconds).await?,
		(_, standing) => standing,
	};
	let value = json!({
		"case": case,
		"why": why,
		"challenged": true,
		"proven": standing.as_ref().map(|standing| standing.proven),
		"concluded": standing.as_ref().map(|standing| standing.concluded),
		"concludes": standing.as_ref().map(|standing| standing.concludes),
		"leader": standing.as_ref().map(|standing| standing.leader.to_string()),
	});
	context.emit(&value, || match &standing {
		Some(standing) => ui::pairs([
			("charge", charge_code(case.charge).into()),
			("proven", yes(standing.proven)),
			("leader", standing.leader.to_string()),
			("concluded", yes(standing.concluded)),
			("concludes", format!("block {}", standing.concludes)),
		]),
		None => "the peer is charged already for that epoch; the bond came back".into(),
	})
}

/// What is false about a receipt, with words for it.
async fn find(
	chain: &Chain,
	view: &View,
	signed: SignedReceipt,
	other: Option<SignedReceipt>,
	claim: bool,
) -> Result<(Evidence, String)> {
	if let Some(other) = other {
		return double(signed, other);
	}
	if let Some(why) = falsehood(view, &signed).await? {
		let evidence = Evidence::Inspection {
			receipt: signed,
			leaf: None,
		};
		return Ok((evidence, why.into()));
	}
	// Whoever runs this tool may reach whatever the machine reaches.
	let sources = Sources::new(chain.clone(), Web::new(Reach::Anywhere));
	let verdict = match material(view, &sources, &signed).await? {
		Ok(material) => match (material.judge().await, material.evidence()) {
			(Verdict::False(outcome), Some(evidence)) => {
				return Ok((evidence, format!("the judge says {outcome:?}")));
			}
			(verdict, _) => verdict.to_string(),
		},
		Err(missing) => format!("it cannot be run again: {missing}"),
	};
	let found = look_in_report(view, &sources, &signed).await?;
	let told = match found {
		Reported::LeftOut(evidence) => {
			return Ok((*evidence, "its report leaves it out".into()));
		}
		Reported::Unproven(report) if claim => {
			let evidence = Evidence::Omitted {
				receipt: signed,
				report: *report,
			};
			return Ok((evidence, "nobody proves that its report holds it".into()));
		}
		Reported::Unproven(_) => "nobody proves that its report holds it; see --claim",
		Reported::Stands => "its report holds it",
		Reported::NoReport => "its epoch is not reported",
		Reported::Unknown => "its report is not to be had",
	};
	let message = format!("nothing is false about the receipt: {verdict}; {told}");
	Err(CliError::new(Kind::Failure, "nothing_false", message))
}

/// Two receipts under one number.
fn double(first: SignedReceipt, second: SignedReceipt) -> Result<(Evidence, String)> {
	let number = |signed: &SignedReceipt| {
		let receipt = &signed.receipt;
		(receipt.peer, receipt.epoch, receipt.seq)
	};
	if number(&first) != number(&second) || first.receipt == second.receipt {
		let message = "the two are not different receipts of one peer, epoch and number";
		return Err(CliError::new(Kind::Failure, "nothing_false", message));
	}
	let why = "the peer signed two receipts under one number".into();
	Ok((Evidence::DoubleSeq { first, second }, why))
}

/// Everything that a receipt's call depends on, or what is missing.
async fn material(
	view: &View,
	sources: &Sources,
	signed: &SignedReceipt,
) -> Result<std::result::Result<Material, &'static str>> {
	let receipt = &signed.receipt;
	if receipt.gas > ARBITRATION_GAS {
		return Ok(Err("it bills more gas than the chain replays"));
	}
	let Some(info) = view.past_epoch(receipt.epoch).await? else {
		return Ok(Err("the chain does not remember its epoch"));
	};
	let Some((request, transcript, terms)) = sources.call_data(view, signed).await? else {
		return Ok(Err("the worker does not give its request"));
	};
	let package = sources
		.package(view, receipt.peer, receipt.deal, receipt.package)
		.await?;
	Ok(package
		.map(|package| Material {
			receipt: signed.clone(),
			terms,
			package,
			request,
			transcript,
			clock_ms: info.clock_ms(receipt.block),
		})
		.ok_or("the package is not to be had"))
}

/// Commits and reveals. The case as it stands then; `None` where the peer is charged already.
async fn press(
	context: &Context,
	chain: &Chain,
	case: &CaseId,
	evidence: &Evidence,
) -> Result<Option<CaseView<millrace_client::AccountId>>> {
	let who = context.signer()?.account();
	let rules = Rules::read(&chain.latest().await?).await?;
	eprintln!("a bond of {} is held", amounts::format(rules.bond));
	let salt = salt()?;
	let hash = commitment(chain.genesis(), &who, case, salt);
	// Whoever has this can get the bond back, and nobody else can use it.
	eprintln!("salt {salt:?}");
	let committed = context
		.submit(chain, calls::receipts::commit(hash))
		.await?
		.number;
	let opens = committed.saturating_add(rules.reveal_after_blocks);
	until(chain, "the time to reveal", opens, REVEAL_SECONDS).await?;
	let included = reveal(context, chain, case, salt, evidence).await?;
	let said = |name: &str| {
		let mut events = included.events.iter();
		events.any(|event| event.pallet == "Receipts" && event.name == name)
	};
	if said("ChallengeRefuted") {
		let message = "the chain finds the receipt right, and the bond is lost";
		return Err(CliError::new(Kind::Refused, "challenge_refuted", message));
	}
	if said("ChallengeInconclusive") {
		let message = "the chain could not decide; the bond came back";
		return Err(CliError::new(Kind::Failure, "inconclusive", message));
	}
	if said("ChallengeMoot") {
		return Ok(None);
	}
	standing(&chain.latest().await?, case).await
}

/// Reveals, in a block whose turn to run a call again is free.
async fn reveal(
	context: &Context,
	chain: &Chain,
	case: &CaseId,
	salt: H256,
	evidence: &Evidence,
) -> Result<Included> {
	let signer = context.signer()?;
	for _ in 0..REVEALS {
		let call = calls::receipts::reveal(case, salt, Some(evidence));
		let spinner = ui::Spinner::start(format!("{call}: waiting for finality"));
		let outcome = chain.submit(&signer, call).await;
		drop(spinner);
		match outcome {
			Err(SubmitError::Dispatch { error, .. })
				if error == "BlockTaken" || error == "TooEarly" => {}
			outcome => return Ok(outcome?),
		}
	}
	let message = "no block had a turn left to run the call again";
	Err(CliError::new(Kind::Failure, "block_taken", message).hint("try again"))
}

/// Waits for the end of a case and concludes it.
async fn conclude(
	context: &Context,
	chain: &Chain,
	case: &CaseId,
	seconds: u64,
) -> Result<Option<CaseView<millrace_client::AccountId>>> {
	loop {
		let Some(found) = standing(&chain.latest().await?, case).await? else {
			let message = "the peer showed that its report holds the receipt; the bond is lost";
			return Err(CliError::new(Kind::Refused, "challenge_refuted", message));
		};
		if found.concluded {
			return Ok(Some(found));
		}
		until(chain, "the end of the case", found.concludes, seconds).await?;
		let call = match found.proven {
			true => calls::receipts::conclude(case.peer, case.epoch, case.charge.kind()),
			false => calls::receipts::close_show(case.peer, case.subject),
		};
		match context.submit(chain, call).await {
			Ok(_) => {}
			// Anybody may do it, and somebody has; or migrations took blocks.
			Err(error) if error.kind == Kind::Refused => {
				let next = chain.latest().await?.block().number.saturating_add(1);
				until(chain, "the end of the case", next, seconds).await?;
			}
			Err(error) => return Err(error),
		}
	}
}

/// The case as it stands; of an omission also where it is a claim yet.
async fn standing(
	view: &View,
	case: &CaseId,
) -> Result<Option<CaseView<millrace_client::AccountId>>> {
	let cases = view.cases(case.peer).await?;
	Ok(cases.into_iter().find(|found| {
		found.case.epoch == case.epoch
			&& found.case.charge.kind() == case.charge.kind()
			&& found.case.subject == case.subject
	}))
}

/// Waits until a block is final.
async fn until(chain: &Chain, what: &str, block: BlockNumber, seconds: u64) -> Result<()> {
	let waited = wait::until(chain, what, seconds, async |view: &View| {
		let now = view.block().number;
		Ok(match now >= block {
			true => Progress::Done(()),
			false => Progress::Waiting(format!("{} blocks left", block.saturating_sub(now))),
		})
	});
	waited.await?.map_err(|last| {
		let message = format!("{what} has not come after {seconds} s: {last}");
		CliError::new(Kind::Failure, "not_concluded", message)
			.hint("anybody can conclude a proven case; `millrace watch` does it by itself")
	})
}

fn salt() -> Result<H256> {
	let mut salt = H256::zero();
	getrandom::fill(&mut salt.0)
		.map_err(|error| CliError::new(Kind::Failure, "no_randomness", error.to_string()))?;
	Ok(salt)
}

fn yes(is: bool) -> String {
	match is {
		true => "yes".into(),
		false => "no".into(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		challenge::Charge,
		execution::{CallStatus, Receipt, PROFILE_V1},
		peer::PeerId,
	};

	fn signed(seq: u32, gas: u64) -> SignedReceipt {
		SignedReceipt {
			receipt: Receipt {
				genesis: H256::zero(),
				seed: H256::zero(),
				deal: 1,
				peer: PeerId::default(),
				epoch: 4,
				seq,
				package: H256::zero(),
				profile: PROFILE_V1,
				terms: H256::zero(),
				request: H256::zero(),
				response: H256::zero(),
				transcript: H256::zero(),
				status: CallStatus::Exited(0),
				gas,
				block: 90,
			},
			signature: [0; 64],
		}
	}

	#[test]
	fn two_receipts_of_one_number_are_an_offence_and_others_are_not() {
		let found = double(signed(0, 1), signed(0, 2)).expect("they share a number");
		assert_eq!(case_of(&found.0).charge, Charge::DoubleSeq);
		for (first, second) in [(signed(0, 1), signed(0, 1)), (signed(0, 1), signed(1, 1))] {
			let refused = double(first, second).expect_err("nothing is wrong");
			assert_eq!(refused.code, "nothing_false");
		}
	}
}

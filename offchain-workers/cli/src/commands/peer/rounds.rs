//! Rounds of stake: `millrace peer commit`, `stake`, `grow` and `extend`.
//!
//! Whoever stakes signs the very terms that stand in the call, and the chain refuses the call if the
//! round asks for others. So the terms are read at a block, shown where somebody has to agree to
//! them, and signed as they were shown.

use super::{epoch, no_commitment};
use crate::{
	arguments,
	context::{parse_account, Context},
	errors::{CliError, Result},
	ui,
};
use clap::Args;
use millrace_client::{amounts, calls, AccountId, Call, Chain, Included, View};
use millrace_primitives::{
	commitment::{Invited, RoundKind, RoundView, StakeOffer, StakerTerms, MAX_DELEGATORS},
	peer::PeerId,
	Balance,
};
use serde_json::{json, Map};
use sp_arithmetic::Perbill;
use std::io::{BufRead, IsTerminal, Read};

/// Longest answer that is read to a question.
const MAX_ANSWER_BYTES: u64 = 16;

/// Options of `peer commit`.
#[derive(Debug, Args)]
pub(crate) struct CommitArgs {
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
	/// Units: one physical core, 4 GiB of memory, 16 GiB of disk each.
	#[arg(long)]
	units: u32,
	/// Epochs that the commitment lasts.
	#[arg(long)]
	epochs: u32,
	/// Part of the stake that you bring yourself, at least; it is slashed first.
	#[arg(long, value_parser = arguments::percent, value_name = "PERCENT", default_value = "100%")]
	own_part: Perbill,
	/// Part of the delegators' rewards that is yours.
	#[arg(long, value_parser = arguments::percent, value_name = "PERCENT", default_value = "0%")]
	commission: Perbill,
	/// Stake that you bring yourself now [default: all of it]. With 0 FLT you sign later, by
	/// `millrace peer stake`.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	stake: Option<Balance>,
	/// An account that may stake with you, up to seven times; without it any account may.
	#[arg(long, value_parser = parse_account, value_name = "ACCOUNT")]
	invite: Vec<AccountId>,
}

/// Options of `peer stake`.
#[derive(Debug, Args)]
pub(crate) struct StakeArgs {
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
	/// Stake that is added.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	amount: Balance,
	/// Of your stake behind the commitment, what stays when it is extended.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT", default_value = "0 FLT")]
	keep: Balance,
	/// Sign the terms without being asked.
	#[arg(long)]
	yes: bool,
}

/// Options of `peer grow`.
#[derive(Debug, Args)]
pub(crate) struct GrowArgs {
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
	/// Units that are added.
	#[arg(long)]
	units: u32,
	/// Stake that you bring yourself for them now [default: all of it].
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	stake: Option<Balance>,
	/// An account that may stake with you, up to seven times; without it any account may.
	#[arg(long, value_parser = parse_account, value_name = "ACCOUNT")]
	invite: Vec<AccountId>,
}

/// Options of `peer extend`.
#[derive(Debug, Args)]
pub(crate) struct ExtendArgs {
	/// Peer id or key file.
	#[arg(value_parser = arguments::peer)]
	peer: PeerId,
	/// Epochs that are added.
	#[arg(long)]
	epochs: u32,
	/// Part of the stake that you bring yourself, at least [default: as it is].
	#[arg(long, value_parser = arguments::percent, value_name = "PERCENT")]
	own_part: Option<Perbill>,
	/// Part of the delegators' rewards that is yours [default: as it is]. A rise needs notice.
	#[arg(long, value_parser = arguments::percent, value_name = "PERCENT")]
	commission: Option<Perbill>,
	/// Stake of your own from then on [default: all of it, so that no delegator can stay]. What is
	/// left of the present one is kept, and the rest added.
	#[arg(long, value_parser = arguments::amount, value_name = "AMOUNT")]
	stake: Option<Balance>,
	/// An account that may stake with you, up to seven times; without it any account may.
	#[arg(long, value_parser = parse_account, value_name = "ACCOUNT")]
	invite: Vec<AccountId>,
}

/// Commits a machine and stakes for it.
pub(super) async fn commit(context: &Context, args: CommitArgs) -> Result<()> {
	let offer = offer(args.own_part, args.commission, args.invite)?;
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let terms = view
		.start_terms(args.units, args.epochs, args.own_part, args.commission)
		.await?;
	let whole = stake_of(&terms, args.units)?;
	let open = calls::capacity::create(args.peer, args.units, args.epochs, &offer);
	let call = and_sign(open, args.peer, &terms, 0, args.stake.unwrap_or(whole));
	let included = context.submit(&chain, call).await?;
	tell(context, &chain, args.peer, &included, "committed").await
}

/// Commits more units and stakes for them.
pub(super) async fn grow(context: &Context, args: GrowArgs) -> Result<()> {
	let invited = invited(args.invite)?;
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let terms = view
		.growth_terms(args.peer, args.units)
		.await?
		.ok_or_else(|| no_commitment(args.peer))?;
	let whole = stake_of(&terms, args.units)?;
	let open = calls::capacity::grow(args.peer, args.units, &invited);
	let call = and_sign(open, args.peer, &terms, 0, args.stake.unwrap_or(whole));
	let included = context.submit(&chain, call).await?;
	tell(context, &chain, args.peer, &included, "growing").await
}

/// Commits for longer, under the stake that is left and what is missing of it.
pub(super) async fn extend(context: &Context, args: ExtendArgs) -> Result<()> {
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let commitment = view
		.commitment(args.peer)
		.await?
		.ok_or_else(|| no_commitment(args.peer))?;
	let own_part = args.own_part.unwrap_or(commitment.terms.own_part);
	let commission = args.commission.unwrap_or(commitment.terms.commission);
	let offer = offer(own_part, commission, args.invite)?;
	let terms = view
		.renewal_terms(args.peer, args.epochs, own_part, commission)
		.await?
		.ok_or_else(|| no_commitment(args.peer))?;
	let own = args.stake.unwrap_or(stake_of(&terms, terms.units)?);
	let (keep, add) = kept_and_added(own, commitment.own);
	let open = calls::capacity::extend(args.peer, args.epochs, &offer);
	let call = and_sign(open, args.peer, &terms, keep, add);
	let included = context.submit(&chain, call).await?;
	tell(context, &chain, args.peer, &included, "extended").await
}

/// Signs an open round as it stands.
pub(super) async fn stake(context: &Context, args: StakeArgs) -> Result<()> {
	let signer = context.signer()?.account();
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let round = view.round(args.peer).await?.ok_or_else(|| {
		let message = format!("no round of peer {} is open", args.peer);
		CliError::not_found("round_unknown", message)
			.hint("its provider opens one by `millrace peer commit`, `grow` or `extend`")
	})?;
	show(&view, args.peer, &round, &signer).await?;
	if !args.yes {
		confirm(context, &args, &round)?;
	}
	let call = calls::capacity::stake(args.peer, &round.terms, args.keep, args.amount);
	let included = context.submit(&chain, call).await?;
	tell(context, &chain, args.peer, &included, "staked").await
}

fn offer(
	own_part: Perbill,
	commission: Perbill,
	invite: Vec<AccountId>,
) -> Result<StakeOffer<AccountId>> {
	Ok(StakeOffer {
		own_part,
		commission,
		invited: invited(invite)?,
	})
}

fn invited(invite: Vec<AccountId>) -> Result<Invited<AccountId>> {
	invite.try_into().map_err(|_| {
		let message = format!("at most {MAX_DELEGATORS} accounts can be invited");
		CliError::usage("too_many_invited", message)
	})
}

/// Stake of so many units under some terms.
fn stake_of(terms: &StakerTerms, units: u32) -> Result<Balance> {
	terms
		.terms
		.stake_per_unit
		.checked_mul(Balance::from(units))
		.ok_or_else(|| CliError::usage("bad_amount", "the stake is over every balance"))
}

/// Of an own stake, what is kept of the one that is left, and what is added.
fn kept_and_added(own: Balance, left: Balance) -> (Balance, Balance) {
	let keep = own.min(left);
	(keep, own - keep)
}

/// Opens a round and signs it in one transaction. Whoever brings nothing only opens it.
fn and_sign(open: Call, peer: PeerId, terms: &StakerTerms, keep: Balance, add: Balance) -> Call {
	if keep == 0 && add == 0 {
		return open;
	}
	let sign = calls::capacity::stake(peer, terms, keep, add);
	calls::utility::batch_all(vec![open, sign])
}

/// Says what became of a round in the block in which it was signed.
async fn tell(
	context: &Context,
	chain: &Chain,
	peer: PeerId,
	included: &Included,
	done: &str,
) -> Result<()> {
	let view = chain.at(included.block).await?;
	let open = view.round(peer).await?.filter(|round| !round.agreed);
	let missing = open
		.as_ref()
		.map_or(0, |round| round.needed.saturating_sub(round.pledged));
	let deadline = open.as_ref().map(|round| round.deadline);
	let value = json!({
		"peer": peer,
		"block": included.block,
		"missing": missing.to_string(),
		"deadline": deadline,
	});
	context.emit(&value, || match deadline {
		None => format!("{done}: {peer}"),
		Some(deadline) => format!(
			"waits for {} more until the end of {}: {peer}",
			amounts::format(missing),
			epoch(deadline)
		),
	})
}

/// Shows what a round asks for, on standard error: the result is what comes of it.
async fn show(
	view: &View,
	peer: PeerId,
	round: &RoundView<AccountId>,
	signer: &AccountId,
) -> Result<()> {
	let commitment = view.commitment(peer).await?;
	let left = commitment.map_or(0, |commitment| match commitment.provider == *signer {
		true => commitment.own,
		false => commitment
			.delegators
			.iter()
			.find(|row| row.staker == *signer)
			.map_or(0, |row| row.left),
	});
	eprintln!("{}", describe(peer, round, left));
	Ok(())
}

/// A round in words, for somebody who has so much stake behind the commitment.
fn describe(peer: PeerId, round: &RoundView<AccountId>, left: Balance) -> String {
	let (signed, terms) = (&round.terms, &round.terms.terms);
	let what = match signed.kind {
		RoundKind::Start => format!("a new commitment for {} epochs", signed.duration_epochs),
		RoundKind::Growth => format!("more units up to {}", epoch(signed.end)),
		RoundKind::Renewal => {
			format!(
				"{} epochs from {} on",
				signed.duration_epochs,
				epoch(signed.end)
			)
		}
	};
	let missing = round.needed.saturating_sub(round.pledged);
	let mut rows = vec![
		("peer", peer.to_string()),
		("round", what),
		("units", signed.units.to_string()),
		("stake of a unit", amounts::format(terms.stake_per_unit)),
		(
			"a missed epoch costs",
			format!("{:?} of that", terms.slash_rate),
		),
		(
			"provider's own part",
			format!("{:?} at least", terms.own_part),
		),
		(
			"fails below an own part of",
			format!("{:?}", terms.own_floor),
		),
		(
			"fails at a whole stake of",
			format!("{:?}", terms.stake_floor),
		),
		(
			"an audit that fails costs",
			format!("{:?} of it at least", terms.least_audit_slash),
		),
		(
			"commission",
			format!("{:?} of your rewards", terms.commission),
		),
		("rewards vest over", epochs(terms.vesting_epochs)),
		("stake returns after", epochs(terms.unbonding_epochs)),
		("reports are open for", epochs(terms.challenge_epochs)),
		("large slashes wait", epochs(terms.slash_delay_epochs)),
		(
			"missing",
			format!(
				"{} until the end of {}",
				amounts::format(missing),
				epoch(round.deadline)
			),
		),
		("room for delegators", amounts::format(round.room)),
	];
	if round.kept > 0 {
		let kept = amounts::format(round.kept);
		let until = epoch(round.deadline);
		rows.push((
			"of that, for those who stay",
			format!("{kept} until the start of {until}"),
		));
	}
	rows.push((
		"least of a new one",
		round
			.least
			.map_or("no place is free".into(), amounts::format),
	));
	if left > 0 {
		rows.push(("your stake behind it", amounts::format(left)));
	}
	for account in &round.invited {
		rows.push(("invited", account.to_string()));
	}
	for pledge in &round.pledges {
		let amount = amounts::format(pledge.share);
		rows.push(("pledged", format!("{amount} by {}", pledge.staker)));
	}
	ui::pairs(rows)
}

fn epochs(count: u32) -> String {
	format!("{count} epochs")
}

/// Asks whether the terms are signed; where nobody can be asked, `--yes` must say so.
fn confirm(context: &Context, args: &StakeArgs, round: &RoundView<AccountId>) -> Result<()> {
	let input = std::io::stdin();
	let refused = |message: &str| {
		let details = Map::from_iter([("round".to_string(), json!(round))]);
		CliError::usage("not_confirmed", message)
			.hint("--yes signs the terms as they are shown")
			.details(details)
	};
	if context.json() || !input.is_terminal() {
		return Err(refused(
			"these terms were not agreed to, and nothing was signed",
		));
	}
	eprint!(
		"Sign these terms, add {} and keep {}? [y/N] ",
		amounts::format(args.amount),
		amounts::format(args.keep)
	);
	let mut answer = String::new();
	input
		.lock()
		.take(MAX_ANSWER_BYTES)
		.read_line(&mut answer)
		.map_err(|error| refused(&format!("no answer was read: {error}")))?;
	match answer.trim().to_lowercase().as_str() {
		"y" | "yes" => Ok(()),
		_ => Err(refused("the terms were declined, and nothing was signed")),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		commitment::{CommitmentTerms, StakeView},
		FLT, H256,
	};

	fn round() -> RoundView<AccountId> {
		let terms = CommitmentTerms {
			stake_per_unit: 100 * FLT,
			slash_rate: Perbill::from_parts(1_000_000),
			own_part: Perbill::from_percent(20),
			own_floor: Perbill::from_percent(10),
			commission: Perbill::from_parts(125_000_000),
			unbonding_epochs: 504,
			challenge_epochs: 24,
			slash_delay_epochs: 23,
			vesting_epochs: 2_160,
			stake_floor: Perbill::from_percent(50),
			least_audit_slash: Perbill::from_percent(5),
		};
		RoundView {
			terms: StakerTerms {
				kind: RoundKind::Renewal,
				units: 3,
				duration_epochs: 720,
				end: 911,
				terms,
			},
			deadline: 901,
			needed: 300 * FLT,
			pledged: 61 * FLT,
			reserved: 60 * FLT,
			agreed: false,
			least: None,
			room: 239 * FLT,
			kept: 200 * FLT,
			invited: vec![AccountId::from([7; 32])],
			pledges: vec![StakeView {
				staker: AccountId::from([8; 32]),
				left: 61 * FLT,
				share: 61 * FLT,
			}],
		}
	}

	#[test]
	fn everything_that_is_signed_is_shown() {
		let text = describe(PeerId(H256::zero()), &round(), 5 * FLT);
		for part in [
			"720 epochs from epoch 911 on",
			"100 FLT",
			"0.1% of that",
			"20% at least",
			"10%",
			"12.5% of your rewards",
			"2160 epochs",
			"504 epochs",
			"24 epochs",
			"23 epochs",
			"239 FLT until the end of epoch 901",
			"no place is free",
			"200 FLT until the start of epoch 901",
			"5 FLT",
			"61 FLT by ",
			&AccountId::from([7; 32]).to_string(),
		] {
			assert!(text.contains(part), "{part} is missing in\n{text}");
		}
		// "Of that" is of the room.
		let line = |name: &str| text.lines().position(|line| line.starts_with(name));
		let room = line("room for delegators").expect("it is shown");
		assert_eq!(line("of that, for those who stay"), Some(room + 1));
	}

	#[test]
	fn an_own_stake_is_kept_as_far_as_it_is_left() {
		assert_eq!(kept_and_added(300, 250), (250, 50));
		assert_eq!(kept_and_added(200, 250), (200, 0));
		assert_eq!(kept_and_added(200, 0), (0, 200));
	}

	#[test]
	fn who_brings_nothing_signs_nothing() {
		let (peer, signed) = (PeerId(H256::zero()), round().terms);
		let open = calls::capacity::settle(peer);
		assert_eq!(and_sign(open.clone(), peer, &signed, 0, 0), open);
		let both = and_sign(open.clone(), peer, &signed, 0, 1);
		let sign = calls::capacity::stake(peer, &signed, 0, 1);
		assert_eq!(both, calls::utility::batch_all(vec![open, sign]));
	}

	#[test]
	fn at_most_seven_can_be_invited() {
		let accounts = |count: usize| vec![AccountId::from([1; 32]); count];
		assert!(invited(accounts(7)).is_ok());
		let error = invited(accounts(8)).expect_err("there are seven places");
		assert_eq!(error.code, "too_many_invited");
	}
}

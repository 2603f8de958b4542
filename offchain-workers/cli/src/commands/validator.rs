//! `millrace validator`: session keys, a seat, and the way back.

use crate::{
	context::{parse_account, Context},
	errors::{CliError, Kind, Result},
	ui,
};
use clap::Subcommand;
use millrace_client::{amounts, calls, AccountId, ReadError};
use millrace_primitives::validators::{SessionIndex, ValidatorView, ValidatorsView};
use serde_json::json;

/// Validate: keys, where you stand, and how to stop.
#[derive(Debug, Subcommand)]
pub(crate) enum ValidatorCommand {
	/// Have the node make new session keys for the signing account, set them on the chain, and stand
	/// as a candidate. Run it on the validator's own machine.
	Keys {
		/// Set the keys alone: to stand later, or in place of older ones. A candidate stays one.
		#[arg(long)]
		only: bool,
	},
	/// Show who has a seat, what one takes, and where an account stands.
	Status {
		/// The account; the signing account without it.
		#[arg(value_parser = parse_account)]
		account: Option<AccountId>,
	},
	/// Stand no longer. Leave the node running for as long as the account has a seat.
	Chill {
		/// Also take the deposit for the session keys back, if the account has no seat.
		#[arg(long)]
		purge: bool,
	},
}

/// Does it.
pub(crate) async fn run(context: &Context, command: ValidatorCommand) -> Result<()> {
	match command {
		ValidatorCommand::Keys { only } => keys(context, only).await,
		ValidatorCommand::Status { account } => {
			status(context, context.account_or_signer(account)?).await
		}
		ValidatorCommand::Chill { purge } => chill(context, purge).await,
	}
}

async fn keys(context: &Context, only: bool) -> Result<()> {
	let account = context.signer()?.account();
	let chain = context.chain().await?;
	let stands = chain
		.latest()
		.await?
		.validator(&account)
		.await?
		.rank
		.is_some();
	let made = chain.rotate_keys(&account).await.map_err(of_keystore)?;
	let set = calls::session::set_keys(&made.keys, &made.proof);
	let enters = !only && !stands;
	let call = if enters {
		calls::utility::batch_all(vec![set, calls::validators::validate()])
	} else {
		set
	};
	let included = context.submit(&chain, call).await?;
	let keys = format!("0x{}", hex::encode(&made.keys));
	let candidate = enters || stands;
	let value = json!({
		"account": account,
		"keys": keys,
		"candidate": candidate,
		"block": included.block,
	});
	context.emit(&value, || {
		let stands = if candidate { "yes" } else { "no" };
		ui::pairs([
			("account", account.to_string()),
			("keys", keys),
			("candidate", stands.into()),
		])
	})
}

async fn status(context: &Context, account: AccountId) -> Result<()> {
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let all = view.validators().await?;
	let own = view.validator(&account).await?;
	let node_has_keys = match &own.keys {
		None => None,
		Some(keys) => match chain.has_keys(keys).await {
			Ok(has) => Some(has),
			// A stranger's node says nothing of its keystore.
			Err(error) if error.is_unsafe_rpc() => None,
			Err(error) => return Err(error.into()),
		},
	};
	let value = json!({ "chain": all, "account": own, "node_has_keys": node_has_keys });
	context.emit(&value, || {
		[
			ui::pairs(of_chain(&all)),
			ui::pairs(of_account(&account, &all, &own, node_has_keys)),
			seats(&all),
		]
		.join("\n\n")
	})
}

async fn chill(context: &Context, purge: bool) -> Result<()> {
	let account = context.signer()?.account();
	let chain = context.chain().await?;
	let view = chain.latest().await?;
	let before = view.validator(&account).await?;
	let stands = before.rank.is_some();
	let sits = before.seated || before.planned;
	// Without a candidacy there is the deposit alone to ask for; whatever stands in the way of either,
	// the chain names it.
	let (call, purged) = match (stands, purge) {
		(false, true) => (calls::validators::purge_keys(), true),
		(true, true) if !sits && before.keys.is_some() => {
			let both = vec![calls::validators::chill(), calls::validators::purge_keys()];
			(calls::utility::batch_all(both), true)
		}
		_ => (calls::validators::chill(), false),
	};
	let included = context.submit(&chain, call).await?;
	let after = chain.at(included.block).await?;
	let until = sits_until(
		&after.validators().await?,
		&after.validator(&account).await?,
	);
	let value = json!({
		"account": account,
		"left": stands,
		"seated_until_session": until,
		"purged": purged,
		"block": included.block,
	});
	context.emit(&value, || {
		let mut lines = vec![match stands {
			true => format!("{account} stands no longer"),
			false => format!("{account} did not stand"),
		}];
		lines.extend(until.map(|session| {
			format!(
				"it has a seat until session {session} at least: leave its node running, and see \
				 `millrace validator status`"
			)
		}));
		if purged {
			lines.push("its session keys are forgotten, and their deposit is free".into());
		} else if purge {
			lines
				.push("its session keys stay until it has no seat; then give --purge again".into());
		}
		lines.join("\n")
	})
}

/// A refusal to touch the node's keystore, with what to do about it.
fn of_keystore(error: ReadError) -> CliError {
	if !error.is_unsafe_rpc() {
		return error.into();
	}
	let message = "this node makes session keys for its own machine alone";
	CliError::new(Kind::Network, "unsafe_rpc_refused", message).hint(
		"use the node that will validate, on its own machine (--node ws://127.0.0.1:9944), with its RPC \
		 closed to others or with --rpc-methods unsafe",
	)
}

/// Last session in which an account is known to have a seat.
fn sits_until(all: &ValidatorsView<AccountId>, own: &ValidatorView) -> Option<SessionIndex> {
	match (own.planned, own.seated) {
		(true, _) => Some(all.session.saturating_add(1)),
		(false, true) => Some(all.session),
		(false, false) => None,
	}
}

fn of_chain(all: &ValidatorsView<AccountId>) -> Vec<(&'static str, String)> {
	let by = match all.bootstrapped {
		true => "by stake".to_string(),
		false => format!(
			"those of genesis, until {} of candidates stand",
			amounts::format(all.bootstrap_stake)
		),
	};
	vec![
		("session", all.session.to_string()),
		(
			"seats",
			format!("{} of {}", all.seats.len(), all.max_validators),
		),
		("given", by),
		("candidates", all.candidates.to_string()),
		("their stake", amounts::format(all.standing_stake)),
		("stake of all", amounts::format(all.total_stake)),
		("a seat takes", amounts::format(all.needed)),
	]
}

fn of_account(
	account: &AccountId,
	all: &ValidatorsView<AccountId>,
	own: &ValidatorView,
	node_has_keys: Option<bool>,
) -> Vec<(&'static str, String)> {
	let rank = own.rank.map_or_else(
		|| "no candidate".into(),
		|rank| format!("{} of {}", rank.saturating_add(1), all.candidates),
	);
	let seat = match (own.seated, own.planned) {
		(true, true) => "yes",
		(true, false) => "until this session ends",
		(false, true) => "from the next session on",
		(false, false) => "no",
	};
	let seat = match own.disabled {
		true => format!("{seat}; disabled until this session ends"),
		false => seat.into(),
	};
	let keys = match (&own.keys, node_has_keys) {
		(None, _) => "none set",
		(Some(_), None) => "set; this node does not say whether it has them",
		(Some(_), Some(true)) => "set, and in this node's keystore",
		(Some(_), Some(false)) => "set, and NOT in this node's keystore",
	};
	let mut rows = vec![
		("account", account.to_string()),
		("active stake", amounts::format(own.active_stake)),
		("candidate", rank),
		("seat", seat),
		("session keys", keys.into()),
	];
	if own.seated {
		rows.push((
			"blocks",
			format!("{} of {} expected so far", own.authored, own.expected),
		));
	}
	if own.silent_sessions > 0 {
		rows.push((
			"silent",
			format!("{} sessions in a row: sits out", own.silent_sessions),
		));
	}
	if let Some(session) = own.banned_until {
		rows.push(("banned", format!("may stand again in session {session}")));
	}
	for entry in &own.equivocations {
		rows.push((
			"equivocated",
			format!(
				"in session {}: {:?} of the stake of epoch {}",
				entry.session, entry.part, entry.epoch
			),
		));
	}
	rows
}

fn seats(all: &ValidatorsView<AccountId>) -> String {
	let rows = all.seats.iter().map(|seat| {
		let next = match (seat.disabled, all.planned.contains(&seat.who)) {
			(true, _) => "disabled",
			(false, true) => "stays",
			(false, false) => "leaves",
		};
		vec![
			seat.who.to_string(),
			amounts::format(seat.stake),
			format!("{}/{}", seat.authored, all.expected),
			next.to_string(),
		]
	});
	ui::table(["seat", "stake", "blocks", "next session"], rows)
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		validators::{EquivocationView, SeatView},
		FLT,
	};
	use sp_arithmetic::Perbill;

	fn who(byte: u8) -> AccountId {
		AccountId::from([byte; 32])
	}

	fn all() -> ValidatorsView<AccountId> {
		let seat = |byte, authored, disabled| SeatView {
			who: who(byte),
			stake: 400 * FLT,
			authored,
			disabled,
		};
		ValidatorsView {
			session: 7,
			bootstrapped: true,
			total_stake: 1_000 * FLT,
			standing_stake: 800 * FLT,
			bootstrap_stake: 400 * FLT,
			needed: 200 * FLT,
			max_validators: 100,
			candidates: 3,
			expected: 12,
			seats: vec![seat(1, 11, false), seat(2, 0, true), seat(3, 12, false)],
			planned: vec![who(1), who(2)],
		}
	}

	fn own() -> ValidatorView {
		ValidatorView {
			active_stake: 400 * FLT,
			rank: Some(1),
			keys: Some(vec![1]),
			seated: true,
			planned: true,
			disabled: false,
			silent_sessions: 0,
			banned_until: None,
			authored: 11,
			expected: 12,
			equivocations: Vec::new(),
		}
	}

	/// Values of the rows of an account, without its address.
	fn rows(own: &ValidatorView, node_has_keys: Option<bool>) -> Vec<String> {
		let rows = of_account(&who(1), &all(), own, node_has_keys);
		rows.into_iter().skip(1).map(|(_, value)| value).collect()
	}

	#[test]
	fn a_seat_lasts_as_long_as_a_set_is_made() {
		let sits = |seated, planned| {
			let own = ValidatorView {
				seated,
				planned,
				..own()
			};
			sits_until(&all(), &own)
		};
		assert_eq!(sits(true, true), Some(8));
		assert_eq!(sits(false, true), Some(8));
		assert_eq!(sits(true, false), Some(7));
		assert_eq!(sits(false, false), None);
	}

	#[test]
	fn an_account_in_order_has_nothing_to_be_told() {
		let expected = [
			"400 FLT",
			"2 of 3",
			"yes",
			"set, and in this node's keystore",
			"11 of 12 expected so far",
		];
		assert_eq!(rows(&own(), Some(true)), expected);
	}

	#[test]
	fn trouble_is_told() {
		let own = ValidatorView {
			rank: None,
			planned: false,
			disabled: true,
			silent_sessions: 2,
			banned_until: Some(31),
			equivocations: vec![EquivocationView {
				session: 7,
				epoch: 5,
				part: Perbill::from_parts(562_500_000),
			}],
			..own()
		};
		let expected = [
			"400 FLT",
			"no candidate",
			"until this session ends; disabled until this session ends",
			"set, and NOT in this node's keystore",
			"11 of 12 expected so far",
			"2 sessions in a row: sits out",
			"may stand again in session 31",
			"in session 7: 56.25% of the stake of epoch 5",
		];
		assert_eq!(rows(&own, Some(false)), expected);
	}

	#[test]
	fn the_table_says_who_stays() {
		let table = seats(&all());
		let line = |byte| {
			let name = who(byte).to_string();
			table
				.lines()
				.find(|line| line.contains(&name))
				.map(str::to_string)
				.expect("every seat has a line")
		};
		assert!(line(1).contains("11/12") && line(1).contains("stays"));
		assert!(line(2).contains("0/12") && line(2).contains("disabled"));
		assert!(line(3).contains("leaves"));
	}

	#[test]
	fn a_safe_node_is_told_from_a_broken_one() {
		let refused = |reason: &str| ReadError::Refused {
			what: "new session keys".into(),
			reason: reason.into(),
		};
		let error = of_keystore(refused("RPC call is unsafe to be called externally"));
		assert_eq!(error.code, "unsafe_rpc_refused");
		assert_eq!(error.kind, Kind::Network);
		assert!(error.hint.is_some());
		assert_eq!(of_keystore(refused("no")).code, "read_refused");
	}
}

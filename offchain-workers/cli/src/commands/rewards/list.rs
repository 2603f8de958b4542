//! A list of rewards as people write it: a CSV file of accounts and amounts.

use crate::{
	context::parse_account,
	errors::{CliError, Result},
};
use millrace_client::{amounts, AccountId};
use millrace_primitives::{
	merkle::Tree,
	rewards::{leaf, MAX_REWARDS},
	Balance, FLT,
};
use std::collections::BTreeMap;

/// Faults that are told at once: whoever has more has another file in hand.
const MOST_FAULTS: usize = 20;
/// Least reward: what an account needs to exist.
const LEAST: Balance = FLT / 1_000;

/// A list with its tree.
#[derive(Debug)]
pub(super) struct List {
	/// Whose each reward is and how much, in the order of the tree.
	pub(super) rewards: Vec<(AccountId, Balance)>,
	/// Their sum.
	pub(super) total: Balance,
	/// The tree over them.
	pub(super) tree: Tree,
}

impl List {
	/// Reads a file that is called so in errors.
	pub(super) fn parse(name: &str, text: &str) -> Result<Self> {
		let rewards = rewards(text).map_err(|faults| bad_list(name, &faults))?;
		let total = rewards
			.iter()
			.try_fold(0, |sum: Balance, (_, amount)| sum.checked_add(*amount))
			.ok_or_else(|| CliError::usage("bad_list", "the sum is more than any balance"))?;
		let leaves = (0u32..)
			.zip(&rewards)
			.map(|(index, (account, amount))| leaf(index, account, *amount));
		let tree = Tree::new(leaves);
		Ok(Self {
			rewards,
			total,
			tree,
		})
	}

	/// The place of an account's reward.
	pub(super) fn index_of(&self, account: &AccountId) -> Option<u32> {
		let place = self.rewards.iter().position(|(who, _)| who == account)?;
		u32::try_from(place).ok()
	}
}

/// What is wrong, and in which line. A line of zero is the file as a whole.
type Fault = (usize, String);

fn bad_list(name: &str, faults: &[Fault]) -> CliError {
	let mut lines: Vec<String> = faults
		.iter()
		.take(MOST_FAULTS)
		.map(|(line, fault)| match line {
			0 => format!("{name}: {fault}"),
			line => format!("{name}:{line}: {fault}"),
		})
		.collect();
	if faults.len() > MOST_FAULTS {
		lines.push(format!("and {} more", faults.len() - MOST_FAULTS));
	}
	CliError::usage("bad_list", lines.join("\n"))
		.hint("a line is an account and an amount with its unit: 5GrwvaEF…,1.5 FLT")
}

/// The rewards of a list, or all that is wrong with it.
fn rewards(text: &str) -> std::result::Result<Vec<(AccountId, Balance)>, Vec<Fault>> {
	let (mut rewards, mut faults) = (Vec::new(), Vec::new());
	let mut lines: BTreeMap<[u8; 32], usize> = BTreeMap::new();
	// Spreadsheets write a mark of the encoding.
	let text = text.trim_start_matches('\u{feff}');
	let mut may_be_header = true;
	for (number, line) in (1..).zip(text.lines()) {
		let line = line.trim();
		if line.is_empty() || line.starts_with('#') {
			continue;
		}
		if std::mem::take(&mut may_be_header) && is_header(line) {
			continue;
		}
		match reward(line) {
			Err(fault) => faults.push((number, fault)),
			Ok((account, amount)) => {
				if let Some(before) = lines.insert(account.0, number) {
					let fault = format!("{account} is in line {before} already; add both amounts");
					faults.push((number, fault));
				}
				rewards.push((account, amount));
			}
		}
	}
	if rewards.is_empty() && faults.is_empty() {
		faults.push((0, "no reward is in it".into()));
	}
	if rewards.len() as u64 > u64::from(MAX_REWARDS) {
		let fault = format!("{} rewards; there may be {MAX_REWARDS}", rewards.len());
		faults.push((0, fault));
	}
	if faults.is_empty() {
		Ok(rewards)
	} else {
		Err(faults)
	}
}

/// Whether a line names the columns.
fn is_header(line: &str) -> bool {
	let names: Vec<String> = line.split(',').map(|cell| unquoted(cell).into()).collect();
	matches!(&names[..], [account, amount]
		if account.eq_ignore_ascii_case("account") && amount.eq_ignore_ascii_case("amount"))
}

/// A cell without the quotes that spreadsheets put around it.
fn unquoted(cell: &str) -> &str {
	let cell = cell.trim();
	cell.strip_prefix('"')
		.and_then(|cell| cell.strip_suffix('"'))
		.unwrap_or(cell)
		.trim()
}

/// A line's account and amount.
fn reward(line: &str) -> std::result::Result<(AccountId, Balance), String> {
	let cells: Vec<&str> = line.split(',').map(unquoted).collect();
	let [account, amount] = cells[..] else {
		return Err(format!(
			"{} cells, not an account and an amount",
			cells.len()
		));
	};
	let account = parse_account(account)?;
	let amount = amounts::parse(amount).map_err(|error| error.to_string())?;
	if amount < LEAST {
		let least = amounts::format(LEAST);
		return Err(format!(
			"less than {least}, which an account needs to exist"
		));
	}
	Ok((account, amount))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn faults(text: &str) -> Vec<Fault> {
		rewards(text).expect_err("something is wrong with it")
	}

	fn lines(text: &str) -> Vec<usize> {
		faults(text).into_iter().map(|(line, _)| line).collect()
	}

	#[test]
	fn a_list_is_read_as_spreadsheets_and_people_write_it() {
		let text = "\u{feff}\"Account\", \"Amount\"\r\n\
			# the first round\r\n\
			\r\n\
			//Alice,1.5 FLT\r\n\
			\"//Bob\" , \"1500000000000000000 unit\"\r\n";
		let list = List::parse("list.csv", text).expect("it is right");
		let expected = [("//Alice", 3 * FLT / 2), ("//Bob", 3 * FLT / 2)]
			.map(|(name, amount)| (parse_account(name).expect("it is an account"), amount));
		assert_eq!(list.rewards, expected);
		assert_eq!(list.total, 3 * FLT);
		assert_eq!(list.tree.count(), 2);
		assert_eq!(list.index_of(&expected[1].0), Some(1));
		assert_eq!(list.index_of(&AccountId::from([0; 32])), None);
	}

	#[test]
	fn every_fault_is_told_with_its_line() {
		let text = "account,amount\n\
			//Alice,1\n\
			//Alice\n\
			nobody,1 FLT\n\
			//Bob,1 FLT,2\n\
			//Bob,0.0009 FLT\n\
			//Bob,1 FLT\n\
			//Bob,2 FLT\n\
			account,amount\n";
		assert_eq!(lines(text), [2, 3, 4, 5, 6, 8, 9]);
		let error = List::parse("list.csv", text).expect_err("it is wrong");
		assert!(error.message.contains("list.csv:2: "), "{error}");
		assert!(error.message.contains("line 7 already"), "{error}");
	}

	#[test]
	fn a_list_without_rewards_is_none() {
		for text in ["", "\n# nothing\n", "account,amount\n"] {
			assert_eq!(lines(text), [0], "{text:?}");
		}
	}

	#[test]
	fn faults_are_told_up_to_a_number() {
		let error = List::parse("x", &"a,b\n".repeat(30)).expect_err("it is wrong");
		assert_eq!(error.message.lines().count(), MOST_FAULTS + 1);
		assert!(error.message.ends_with("and 10 more"), "{error}");
	}
}

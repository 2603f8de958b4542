//! Proofs of rewards: what `rewards tree` writes, and what a claim is made from.

use super::list::List;
use crate::{
	errors::{CliError, Kind, Result},
	files,
};
use millrace_client::AccountId;
use millrace_primitives::{merkle, rewards::leaf, Balance, H256};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// All rewards of a programme with their paths.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proofs {
	/// Root of the tree.
	pub(super) root: H256,
	/// Rewards in it.
	pub(super) rewards: u32,
	/// Their sum.
	#[serde(with = "millrace_primitives::decimal")]
	pub(super) total: Balance,
	/// Each of them.
	pub(super) claims: Vec<Proof>,
}

/// A reward with its path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
	/// Its place in the tree.
	pub(super) index: u32,
	/// Whose it is.
	pub(super) account: AccountId,
	/// How much, in smallest units.
	#[serde(with = "millrace_primitives::decimal")]
	pub(super) amount: Balance,
	/// Siblings from its leaf up to the root.
	pub(super) path: Vec<H256>,
}

impl Proofs {
	/// Those of a whole list.
	pub(super) fn of(list: &List) -> Self {
		let claims = (0u32..)
			.zip(&list.rewards)
			.filter_map(|(index, _)| proof_of(list, index))
			.collect();
		Self {
			root: list.tree.root(),
			rewards: count(list),
			total: list.total,
			claims,
		}
	}
}

/// Rewards of a list. There are no more than fit.
pub(super) fn count(list: &List) -> u32 {
	u32::try_from(list.rewards.len()).unwrap_or(u32::MAX)
}

fn proof_of(list: &List, index: u32) -> Option<Proof> {
	let place = usize::try_from(index).ok()?;
	let (account, amount) = list.rewards.get(place)?;
	Some(Proof {
		index,
		account: *account,
		amount: *amount,
		path: list.tree.path(index.into())?.into_inner(),
	})
}

/// Reads a list or a file of proofs: the root, and what an account gets, if it does.
pub(super) fn find(path: &Path, account: &AccountId) -> Result<(H256, Option<Proof>)> {
	let bytes = files::read(path)?;
	let name = path.display().to_string();
	let text = String::from_utf8(bytes)
		.map_err(|_| CliError::usage("bad_list", format!("{name} is no text")))?;
	if !text.trim_start().starts_with('{') {
		let list = List::parse(&name, &text)?;
		let proof = list
			.index_of(account)
			.and_then(|index| proof_of(&list, index));
		return Ok((list.tree.root(), proof));
	}
	let proofs: Proofs = serde_json::from_str(&text).map_err(|error| {
		CliError::usage("bad_proofs", format!("{name} has no proofs: {error}"))
			.hint("`millrace rewards tree --out` writes them")
	})?;
	let (root, count) = (proofs.root, proofs.rewards);
	let proof = proofs
		.claims
		.into_iter()
		.find(|proof| proof.account == *account);
	if let Some(proof) = &proof {
		let leaf = leaf(proof.index, &proof.account, proof.amount);
		if !merkle::verify(root, count.into(), proof.index.into(), &leaf, &proof.path) {
			let message = format!("{name}: the path of {account} does not lead to its root");
			return Err(CliError::new(Kind::Verification, "bad_proof", message)
				.hint("the file was changed; take the list itself, or another copy"));
		}
	}
	Ok((root, proof))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::context::parse_account;

	fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("file");
		std::fs::write(&path, text).expect("it is written");
		(folder, path)
	}

	#[test]
	fn a_list_and_its_proofs_say_the_same() {
		let names = ["//Alice", "//Bob", "//Charlie", "//Dave", "//Eve"];
		let text: String = names.iter().map(|name| format!("{name},2 FLT\n")).collect();
		let list = List::parse("list", &text).expect("it is right");
		let proofs = Proofs::of(&list);
		assert_eq!(proofs.claims.len(), 5);
		let json = serde_json::to_string(&proofs).expect("it is plain data");
		let (_list_folder, list_path) = written(&text);
		let (_proofs_folder, proofs_path) = written(&json);
		for name in names {
			let account = parse_account(name).expect("it is an account");
			let found = find(&proofs_path, &account).expect("it is right");
			assert_eq!(found, find(&list_path, &account).expect("it is right"));
			let (root, proof) = found;
			let proof = proof.expect("the account is rewarded");
			let leaf = leaf(proof.index, &account, proof.amount);
			assert!(merkle::verify(
				root,
				5,
				proof.index.into(),
				&leaf,
				&proof.path
			));
		}
		let stranger = parse_account("//Ferdie").expect("it is an account");
		for path in [&list_path, &proofs_path] {
			assert_eq!(find(path, &stranger).expect("it is right").1, None);
		}
	}

	#[test]
	fn a_proof_that_was_changed_is_noticed() {
		let list = List::parse("list", "//Alice,2 FLT\n//Bob,3 FLT\n").expect("it is right");
		let mut proofs = Proofs::of(&list);
		proofs.claims[0].amount += 1;
		let json = serde_json::to_string(&proofs).expect("it is plain data");
		let (_folder, path) = written(&json);
		let alice = parse_account("//Alice").expect("it is an account");
		let error = find(&path, &alice).expect_err("it was changed");
		assert_eq!(error.code, "bad_proof");
		let (_folder, path) = written("{\"root\":1}");
		let error = find(&path, &alice).expect_err("it has no proofs");
		assert_eq!(error.code, "bad_proofs");
	}
}

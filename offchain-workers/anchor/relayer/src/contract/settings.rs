//! What is fixed when the contract is deployed.

use super::{artefact::ANCHOR, types::AuthoritySet};
use crate::evm::{
	abi::{encode, Value},
	Address,
};
use millrace_primitives::{anchor::MAX_FORCED_BYTES, Balance, FLT, H256};
use serde::{Deserialize, Serialize};

const DAY_SECONDS: u64 = 86_400;

/// Arguments of the constructor. See the contracts' README for what each is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
	/// Hash of the chain's first block.
	pub genesis_hash: H256,
	/// Finalised block to begin at; later ones only are accepted.
	pub block_number: u32,
	/// The set of that block.
	pub current: AuthoritySet,
	/// The set that follows it.
	pub next: AuthoritySet,
	/// When the current set took over, in seconds.
	pub current_since: u64,
	/// Seconds after which a set is believed no more.
	pub stale_after: u64,
	/// Seconds between the guardians' agreement and its effect; at most half of `stale_after`, if there are any.
	pub recovery_delay: u64,
	/// Most FLT that is minted at once, in the smallest unit. As much comes back within a period.
	#[serde(with = "millrace_primitives::decimal")]
	pub outflow_cap: Balance,
	/// Seconds of that period.
	pub outflow_period: u64,
	/// Least FLT of a deposit.
	#[serde(with = "millrace_primitives::decimal")]
	pub min_deposit: Balance,
	/// FLT that a forced message costs; not zero.
	#[serde(with = "millrace_primitives::decimal")]
	pub force_fee: Balance,
	/// Most bytes of a forced message; not more than the chain takes.
	pub max_forced_bytes: u32,
	/// Who can agree on other sets once the client cannot go on.
	pub guardians: Vec<Address>,
	/// How many of them must.
	pub guardian_threshold: u32,
}

impl Settings {
	/// The settings of mainnet, without guardians, beginning where the arguments say.
	pub fn beginning(
		genesis_hash: H256,
		block_number: u32,
		[current, next]: [AuthoritySet; 2],
		current_since: u64,
	) -> Self {
		Self {
			genesis_hash,
			block_number,
			current,
			next,
			current_since,
			stale_after: 14 * DAY_SECONDS,
			recovery_delay: 7 * DAY_SECONDS,
			outflow_cap: 1_000_000 * FLT,
			outflow_period: DAY_SECONDS,
			min_deposit: FLT / 100,
			force_fee: FLT,
			max_forced_bytes: MAX_FORCED_BYTES,
			guardians: Vec::new(),
			guardian_threshold: 0,
		}
	}

	/// The transaction's data that deploys the contract.
	pub fn deployment(&self) -> Vec<u8> {
		let guardians = self.guardians.iter().copied().map(Value::address);
		let settings = Value::Tuple(vec![
			Value::hash(self.genesis_hash),
			Value::number(self.block_number),
			self.current.value(),
			self.next.value(),
			Value::number(self.current_since),
			Value::number(self.stale_after),
			Value::number(self.recovery_delay),
			Value::number(self.outflow_cap),
			Value::number(self.outflow_period),
			Value::number(self.min_deposit),
			Value::number(self.force_fee),
			Value::number(self.max_forced_bytes),
			Value::list(guardians),
			Value::number(self.guardian_threshold),
		]);
		[&ANCHOR.bytecode[..], &encode(&[settings])].concat()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_arguments_stand_behind_the_code() {
		let set = AuthoritySet::default();
		let mut settings = Settings::beginning(H256::repeat_byte(1), 0, [set, set], 0);
		let plain = settings.deployment();
		let arguments = plain.get(ANCHOR.bytecode.len()..).expect("they are there");
		// An offset to the structure: 18 words, the list of guardians among them by its offset, and its
		// length behind.
		assert_eq!(arguments.len(), 32 * (1 + 18 + 1));
		assert_eq!(arguments[31], 32);
		assert_eq!(arguments[32..64], [1; 32]);
		settings.guardians = vec![Address([2; 20])];
		assert_eq!(settings.deployment().len(), plain.len() + 32);
	}
}

//! Programmes of developer rewards, one after the other, and who claims them.

use super::{
	chain::{key, send, send_duty},
	votes::by_root,
	world::{World, ALL},
};
use crate::errors::scene::{account, genesis_hash};
use millrace_client::calls;
use millrace_primitives::{
	merkle::Tree,
	rewards::{claim_hash, leaf},
	Balance, BlockNumber, FLT,
};
use millrace_runtime::{DeveloperRewards, Runtime, RuntimeCall, System};
use pallet_developer_rewards::{Call, NewProgramme, NextNumber, Programme, Standing};
use sp_core::Pair;

/// Blocks in which rewards can be claimed.
const BLOCKS: BlockNumber = 60;
/// What a programme promises beyond its list, and nobody can claim.
const BEYOND: Balance = 3;

/// Who is rewarded by a programme, and with how much.
fn list(number: u32) -> Vec<(&'static str, Balance)> {
	ALL.into_iter()
		.zip(1u32..)
		.map(|(name, place)| (name, Balance::from(10 * number + place) * FLT / 7))
		.collect()
}

fn tree(list: &[(&'static str, Balance)]) -> Tree {
	Tree::new(
		(0u32..)
			.zip(list)
			.map(|(index, (name, amount))| leaf(index, &account(name), *amount)),
	)
}

impl World {
	/// What happens next of the programme that stands, or of the next one.
	pub(super) fn reward_developers(&mut self) -> (&'static str, bool) {
		let who = self.passer();
		match Standing::<Runtime>::get() {
			None => ("start_programme", start()),
			Some(programme) if System::block_number() > programme.terms.ends => {
				("end_programme", send(who, Call::<Runtime>::end {}))
			}
			Some(programme) => ("claim_reward", self.claim_reward(&programme)),
		}
	}

	/// One of the list claims its reward and pays for that, or somebody hands in what it has signed.
	fn claim_reward(&mut self, programme: &Programme) -> bool {
		let list = list(programme.number);
		let open: Vec<u32> = (0..programme.terms.rewards)
			.filter(|index| !DeveloperRewards::is_claimed(*index))
			.collect();
		let Some(index) = self.rare.pick(&open) else {
			return false;
		};
		let (name, amount) = list[index as usize];
		let path = tree(&list).path(index.into()).expect("it is in the list");
		if self.rare.one_in(2) {
			let claim = Call::<Runtime>::claim {
				index,
				amount,
				path,
			};
			return send(name, claim);
		}
		let (who, root) = (account(name), programme.terms.root);
		let hash = claim_hash(genesis_hash(), programme.number, root, index, &who, amount);
		let signature = key(name).sign(hash.as_bytes()).0;
		let who: [u8; 32] = who.into();
		send_duty(&calls::rewards::claim_for(
			&who.into(),
			index,
			amount,
			&path,
			signature,
		))
	}
}

/// Root begins the next programme.
fn start() -> bool {
	let list = list(NextNumber::<Runtime>::get());
	let sum: Balance = list.iter().map(|(_, amount)| amount).sum();
	let terms = NewProgramme {
		root: tree(&list).root(),
		rewards: list.len() as u32,
		total: sum + BEYOND,
		ends: System::block_number() + BLOCKS,
	};
	by_root(RuntimeCall::DeveloperRewards(Call::start { terms }))
}

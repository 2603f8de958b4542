//! FLT goes to the anchor and comes back, and an address there has calls made here. The only validator
//! says what it sees there.

use super::{
	chain::{send, send_duty},
	dice::Dice,
	votes::by_root,
	world::{World, ALL},
};
use crate::errors::scene::{account, ALICE};
use codec::Encode;
use millrace_client::calls;
use millrace_primitives::{
	anchor::{
		accumulate,
		messages::{ForcedData, Incoming, MessageData},
		AnchorId, Vote, H160,
	},
	Balance, FLT, H256,
};
use millrace_runtime::{
	parameters::{dynamic_params::anchor, RuntimeParameters},
	Anchor, Runtime, RuntimeCall,
};
use pallet_anchor::{Call, Parked};
use sp_core::{ecdsa, Pair};
use sp_runtime::MultiAddress;
use std::sync::LazyLock;

/// Somebody on the anchor.
const ADDRESS: H160 = H160([7; 20]);
/// Sets this chance apart from that of all others.
const OTHER: u64 = 1 << 32;

/// The key that the only validator votes with.
static VOTER: LazyLock<ecdsa::Pair> =
	LazyLock::new(|| ecdsa::Pair::from_string(ALICE, None).expect("that is a development name"));

/// The other side, with books of its own.
#[derive(Debug)]
pub(crate) struct There {
	/// Of its own, so that everybody else does what they did without it.
	dice: Dice,
	/// FLT that was sent, and not burnt since.
	supply: Balance,
	/// Messages of the contract, in their order.
	inbox: Vec<Vec<u8>>,
	/// What was burnt for each of them.
	burnt: Vec<Balance>,
}

impl There {
	pub(super) fn new(seed: u64) -> Self {
		Self {
			dice: Dice::new(seed ^ OTHER),
			supply: 0,
			inbox: Vec::new(),
			burnt: Vec::new(),
		}
	}

	/// What is locked for this side is here, or on its way.
	pub(super) fn check(&self) {
		let status = Anchor::status();
		let taken = usize::try_from(status.taken.nonce).expect("messages are few");
		let on_the_way: Balance = self.burnt[taken..].iter().sum();
		assert_eq!(status.there, self.supply + on_the_way);
	}

	/// Somebody burns FLT for an account of the chain, or to have a call made there.
	fn burn(&mut self, genesis: H256, contract: &AnchorId) {
		let to = account(self.anybody());
		let forces = self.dice.one_in(3);
		let wanted = match forces {
			true => FLT / 2,
			false => Balance::from(self.dice.from_to(20, 400)) * FLT,
		};
		let amount = wanted.min(self.supply);
		if amount == 0 {
			return;
		}
		let message = match forces {
			true => Incoming::Forced {
				sender: ADDRESS,
				fee: amount,
				data: self.forced(MultiAddress::Id(to)),
			},
			false => Incoming::Deposit {
				sender: ADDRESS,
				recipient: to.into(),
				amount,
			},
		};
		let nonce = self.inbox.len() as u64;
		self.supply -= amount;
		self.burnt.push(amount);
		self.inbox.push(message.bytes(genesis, contract, nonce));
	}

	/// A transfer, or bytes that are no call.
	fn forced(&mut self, dest: millrace_runtime::Address) -> ForcedData {
		let value = FLT / 10;
		let transfer = pallet_balances::Call::<Runtime>::transfer_keep_alive { dest, value };
		let bytes = match self.dice.one_in(4) {
			true => vec![0xff; 9],
			false => RuntimeCall::Balances(transfer).encode(),
		};
		ForcedData::truncate_from(bytes)
	}

	/// The contract's accumulator over so many messages.
	fn acc(&self, nonce: u64) -> H256 {
		let messages = self.inbox.iter().take(nonce as usize);
		messages.fold(H256::zero(), |acc, message| accumulate(acc, message))
	}

	/// Somebody of the chain by chance.
	fn anybody(&mut self) -> &'static str {
		self.dice.pick(&ALL).expect("there are some")
	}
}

impl World {
	/// What happens between the two sides in a block, if anything does.
	pub(super) fn cross(&mut self) -> Option<(&'static str, bool)> {
		Some(match self.there.dice.below(48) {
			0..=3 => ("anchor_withdraw", self.send_flt()),
			4 => ("anchor_send", self.send_bytes()),
			5..=8 => ("anchor_vote", self.say_what_is_there()),
			9..=12 => ("anchor_deliver", self.deliver()),
			13..=14 => ("anchor_release", self.release()),
			15 => ("anchor_limit", self.limit()),
			16 => ("anchor_pause", self.pause()),
			_ => return None,
		})
	}

	fn send_flt(&mut self) -> bool {
		let who = self.there.anybody();
		let amount = Balance::from(self.there.dice.from_to(50, 500)) * FLT;
		let recipient = ADDRESS;
		let sent = send(who, Call::<Runtime>::withdraw { recipient, amount });
		if sent {
			self.there.supply += amount;
		}
		sent
	}

	fn send_bytes(&mut self) -> bool {
		let who = self.there.anybody();
		let target = ADDRESS;
		let data = MessageData::truncate_from(vec![1; 100]);
		send(who, Call::<Runtime>::send { target, data })
	}

	/// Somebody there burns FLT, and the validator says what the contract holds.
	fn say_what_is_there(&mut self) -> bool {
		let status = Anchor::status();
		let contract = status.anchor.expect("the preset names it");
		for _ in 0..self.there.dice.from_to(1, 2) {
			self.there.burn(status.genesis, &contract);
		}
		let nonce = status.votable.min(self.there.inbox.len() as u64);
		let vote = Vote {
			round: status.round,
			session: status.session,
			nonce,
			acc: self.there.acc(nonce),
			epoch: 1,
		};
		let hash = vote.hash(status.genesis, &contract);
		let signature = VOTER.sign(hash.as_bytes()).0;
		send_duty(&calls::anchor::vote(0, &vote, &signature))
	}

	/// Whoever has the messages brings them, up to where the validator has seen them.
	fn deliver(&mut self) -> bool {
		let status = Anchor::status();
		let Some(last) = status.attested.last() else {
			return false;
		};
		let places = status.taken.nonce as usize..last.mark.nonce as usize;
		send_duty(&calls::anchor::deliver(&self.there.inbox[places]))
	}

	/// Somebody has a deposit paid that waits.
	fn release(&mut self) -> bool {
		let who = self.there.anybody();
		let waiting: Vec<u64> = Parked::<Runtime>::iter_keys().collect();
		self.there
			.dice
			.pick(&waiting)
			.is_some_and(|nonce| send(who, Call::<Runtime>::release { nonce }))
	}

	/// Root changes how much comes back in an epoch, so that deposits are paid in parts.
	fn limit(&mut self) -> bool {
		let most = Balance::from(self.there.dice.from_to(100, 300)) * FLT;
		let value = anchor::Parameters::ReleasePerEpoch(anchor::ReleasePerEpoch, Some(most));
		let parameter = RuntimeParameters::Anchor(value);
		by_root(RuntimeCall::Governed(pallet_governed::Call::set {
			parameter,
		}))
	}

	/// Root stops both directions for some blocks.
	fn pause(&mut self) -> bool {
		let blocks = self.there.dice.from_to(1, 5);
		by_root(RuntimeCall::Anchor(Call::pause { blocks }))
	}
}

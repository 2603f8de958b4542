//! The contracts as they are committed, in this EVM: they read and prove what the chain's own code makes,
//! refuse what is forged, and keep their bars of gas.

mod client;
mod file;
mod forgeries;
mod range;
mod ring;
mod vectors;

use crate::{
	decode::Message,
	evm::{self, Outcome, Place, Query, State},
};
use millrace_anchor::{
	contract::Refusal,
	evm::{Address, AnchorKey},
};
use millrace_primitives::H256;

/// Chain id.
const CHAIN_ID: u64 = 31_337;
/// Time at which chain and anchor begin, in seconds.
const BEGINNING: u64 = 1_700_000_000;
/// Most gas of a transaction.
const GAS: u64 = 30_000_000;

/// An EVM with one account that sends all transactions, each in a block of its own.
struct Machine {
	state: State,
	sender: Address,
	sent: u64,
}

impl Machine {
	fn new() -> Self {
		let key = AnchorKey::development(0).expect("there is one");
		Self {
			state: evm::genesis(),
			sender: key.address(),
			sent: 0,
		}
	}

	fn place(&self) -> Place {
		Place {
			chain_id: CHAIN_ID,
			number: self.sent,
			time: BEGINNING + self.sent,
		}
	}

	/// Sends a transaction, which must succeed.
	fn send(&mut self, to: Option<Address>, data: Vec<u8>) -> Outcome {
		let place = self.place();
		let message = Message {
			hash: H256::zero(),
			raw: Vec::new(),
			from: self.sender,
			to,
			nonce: self.sent,
			gas: GAS,
			max_fee: u128::from(evm::BASE_FEE),
			priority: 0,
			data,
		};
		let outcome = evm::execute(&mut self.state, place, &message);
		assert!(outcome.ok, "{}", Refusal::read(&outcome.output));
		self.sent += 1;
		outcome
	}

	/// Deploys a contract.
	fn deploy(&mut self, code: Vec<u8>) -> Address {
		self.send(None, code).created.expect("it is a contract")
	}

	/// What a call answers, or is refused with. Nothing comes of it.
	fn ask(&self, to: Address, data: Vec<u8>) -> Result<Vec<u8>, Refusal> {
		let query = Query {
			from: self.sender,
			to: Some(to),
			data,
		};
		let outcome = evm::query(&self.state, self.place(), &query);
		match outcome.ok {
			true => Ok(outcome.output),
			false => Err(Refusal::read(&outcome.output)),
		}
	}
}

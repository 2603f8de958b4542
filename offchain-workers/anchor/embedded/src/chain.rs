//! Tipsets: rounds that have one and rounds that have none, messages that are executed one tipset later,
//! and what is final.

use crate::{
	decode::{self, Message},
	evm::{self, Outcome, Place, Query, State},
	store::{Kept, Store, StoreError},
};
use millrace_anchor::evm::{keccak, Address};
use millrace_primitives::H256;
use std::{
	collections::{BTreeMap, HashMap},
	sync::Arc,
};

/// Rounds below the last final one of which states are kept.
const STATES: u64 = 200;
/// Messages that wait for a tipset.
const POOL: usize = 4_096;
/// Messages in a tipset.
const PER_TIPSET: usize = 256;
/// Messages of one sender that may be ahead of its nonce.
const AHEAD: u64 = 64;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
	/// Chain id.
	pub chain_id: u64,
	/// Of a hundred rounds, so many have no tipset.
	pub null_percent: u8,
	/// Rounds below the newest executed tipset from which on tipsets are final.
	pub finality: u64,
}

impl Default for Settings {
	fn default() -> Self {
		Self {
			chain_id: 31_337,
			null_percent: 5,
			finality: 10,
		}
	}
}

/// A tipset that was executed.
#[derive(Clone, Debug)]
pub(crate) struct Tipset {
	pub(crate) number: u64,
	pub(crate) hash: H256,
	pub(crate) parent: H256,
	pub(crate) time: u64,
	pub(crate) messages: Vec<(Message, Outcome)>,
	/// At its end; gone where it is old.
	state: Option<Arc<State>>,
}

/// The chain.
#[derive(Debug)]
pub struct Chain {
	settings: Settings,
	store: Store,
	/// Executed, in their order. The first is there from the start, and has no messages.
	tipsets: BTreeMap<u64, Tipset>,
	/// The newest, which the next one will execute.
	head: Option<(u64, u64, Vec<Message>)>,
	pool: Vec<Message>,
	/// Number of the tipset of each message.
	found: HashMap<H256, u64>,
	round: u64,
}

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PoolError {
	#[error(transparent)]
	Decode(#[from] decode::DecodeError),
	#[error("already known")]
	Known,
	#[error("nonce too low: next nonce {next}, message nonce {given}")]
	Stale { next: u64, given: u64 },
	#[error("nonce too high: next nonce {next}, message nonce {given}")]
	Ahead { next: u64, given: u64 },
	#[error("replacement transaction underpriced: {needed} is needed")]
	Underpriced { needed: u128 },
	#[error("fee cap below the base fee of {}", evm::BASE_FEE)]
	Fee,
	#[error("insufficient funds for gas")]
	Funds,
	#[error("the pool is full")]
	Full,
}

impl Chain {
	/// Begins, or goes on from what is on disk.
	pub fn open(settings: Settings, store: Store, now: u64) -> Result<Self, StoreError> {
		let kept = store.tipsets()?;
		let start = kept.first().map_or(now, |(_, first)| first.time);
		let mut chain = Self {
			settings,
			store,
			tipsets: BTreeMap::new(),
			head: None,
			pool: Vec::new(),
			found: HashMap::new(),
			round: 0,
		};
		let first = Tipset {
			number: 0,
			hash: keccak(b"millrace/embedded-anchor"),
			parent: H256::zero(),
			time: start,
			messages: Vec::new(),
			state: Some(Arc::new(evm::genesis())),
		};
		chain.tipsets.insert(0, first);
		for (number, tipset) in kept {
			let read = |raw: &Vec<u8>| decode::read(raw, settings.chain_id).ok();
			let messages = tipset.messages.iter().filter_map(read).collect();
			chain.execute_head();
			chain.head = Some((number, tipset.time, messages));
			chain.round = number;
		}
		Ok(chain)
	}

	/// How it behaves.
	pub fn settings(&self) -> Settings {
		self.settings
	}

	/// A round is over: it had a tipset, or none.
	pub fn tick(&mut self, now: u64) -> Result<(), StoreError> {
		self.round = self.round.saturating_add(1);
		if self.is_null(self.round) {
			return Ok(());
		}
		self.execute_head();
		// Times grow, whatever the clock does.
		let time = now.max(self.latest().time.saturating_add(1));
		let messages = self.choose();
		let kept = Kept {
			time,
			messages: messages.iter().map(|message| message.raw.clone()).collect(),
		};
		self.store.keep(self.round, &kept)?;
		self.head = Some((self.round, time, messages));
		Ok(())
	}

	fn is_null(&self, round: u64) -> bool {
		let lot = keccak(&round.to_be_bytes()).0[0];
		u16::from(lot) * 100 < u16::from(self.settings.null_percent) * 256
	}

	fn execute_head(&mut self) {
		let Some((number, time, messages)) = self.head.take() else {
			return;
		};
		let before = self.latest();
		// The newest state is never gone.
		let (parent, before) = (before.hash, before.state.clone().unwrap_or_default());
		let place = self.place(number, time);
		let mut executed = Vec::with_capacity(messages.len());
		let state = match messages.is_empty() {
			true => before,
			false => {
				let mut state = State::clone(&before);
				for message in messages {
					let outcome = evm::execute(&mut state, place, &message);
					self.found.insert(message.hash, number);
					executed.push((message, outcome));
				}
				Arc::new(state)
			}
		};
		let content: Vec<u8> = executed
			.iter()
			.flat_map(|(message, _)| message.hash.0)
			.collect();
		let name = [
			&parent.0[..],
			&number.to_be_bytes(),
			&time.to_be_bytes(),
			&content,
		]
		.concat();
		let tipset = Tipset {
			number,
			hash: keccak(&name),
			parent,
			time,
			messages: executed,
			state: Some(state),
		};
		self.tipsets.insert(number, tipset);
		let old = number.saturating_sub(self.settings.finality.saturating_add(STATES));
		for (_, tipset) in self.tipsets.range_mut(..old).rev() {
			if tipset.state.take().is_none() {
				break;
			}
		}
	}

	/// Messages for a tipset: each sender's in the order of its nonces.
	fn choose(&mut self) -> Vec<Message> {
		let mut next: HashMap<Address, u64> = HashMap::new();
		self.pool
			.sort_by_key(|message| (message.from, message.nonce));
		let mut chosen = Vec::new();
		let mut rest = Vec::new();
		for message in std::mem::take(&mut self.pool) {
			let known = self.nonce(message.from);
			let due = *next.entry(message.from).or_insert(known);
			if message.nonce == due && chosen.len() < PER_TIPSET {
				next.insert(message.from, due.saturating_add(1));
				chosen.push(message);
			} else if message.nonce >= due {
				rest.push(message);
			}
		}
		self.pool = rest;
		chosen
	}

	/// Takes a message.
	pub(crate) fn send(&mut self, raw: &[u8]) -> Result<H256, PoolError> {
		let message = decode::read(raw, self.settings.chain_id)?;
		let hash = message.hash;
		let waits = self.head.iter().flat_map(|(_, _, messages)| messages);
		if self.found.contains_key(&hash) || waits.chain(&self.pool).any(|known| known.hash == hash)
		{
			return Err(PoolError::Known);
		}
		let next = self.pending_nonce(message.from);
		let given = message.nonce;
		if given < next {
			return Err(PoolError::Stale { next, given });
		}
		if given > next.saturating_add(AHEAD) {
			return Err(PoolError::Ahead { next, given });
		}
		if message.max_fee < u128::from(evm::BASE_FEE) {
			return Err(PoolError::Fee);
		}
		let coins = self
			.balance(self.latest(), message.from)
			.unwrap_or_default();
		let needed = millrace_primitives::U256::from(message.max_fee) * message.gas;
		if coins < needed {
			return Err(PoolError::Funds);
		}
		let same = |known: &Message| known.from == message.from && known.nonce == given;
		if let Some(place) = self.pool.iter().position(same) {
			let present = self.pool[place].max_fee;
			// A quarter more, as Filecoin's pools have it.
			let needed = present.saturating_add(present / 4).saturating_add(1);
			if message.max_fee < needed {
				return Err(PoolError::Underpriced { needed });
			}
			self.pool[place] = message;
			return Ok(hash);
		}
		if self.pool.len() >= POOL {
			return Err(PoolError::Full);
		}
		self.pool.push(message);
		Ok(hash)
	}

	/// The newest tipset that was executed.
	pub(crate) fn latest(&self) -> &Tipset {
		// The first one is there from the start.
		let (_, tipset) = self
			.tipsets
			.last_key_value()
			.expect("there is one from the start");
		tipset
	}

	/// The last tipset that is final.
	pub(crate) fn finalized(&self) -> &Tipset {
		let last = self.latest().number.saturating_sub(self.settings.finality);
		let below = self.tipsets.range(..=last).next_back();
		below.map_or_else(|| self.latest(), |(_, tipset)| tipset)
	}

	/// The tipset of a round; none if the round had none, or is not executed yet.
	pub(crate) fn tipset(&self, number: u64) -> Option<&Tipset> {
		self.tipsets.get(&number)
	}

	/// Tipsets of a range of rounds.
	pub(crate) fn range(&self, from: u64, to: u64) -> impl Iterator<Item = &Tipset> {
		let end = to.max(from);
		self.tipsets.range(from..=end).map(|(_, tipset)| tipset)
	}

	/// The tipset of a message, and its place in it.
	pub(crate) fn message(&self, hash: H256) -> Option<(&Tipset, usize)> {
		let tipset = self.tipset(*self.found.get(&hash)?)?;
		let place = tipset
			.messages
			.iter()
			.position(|(message, _)| message.hash == hash)?;
		Some((tipset, place))
	}

	/// Makes a call at the end of a tipset; nothing where its state is gone.
	pub(crate) fn query(&self, tipset: &Tipset, query: &Query) -> Option<Outcome> {
		let place = self.place(tipset.number, tipset.time);
		Some(evm::query(tipset.state.as_deref()?, place, query))
	}

	/// Coins of an account at the end of a tipset.
	pub(crate) fn balance(
		&self,
		tipset: &Tipset,
		address: Address,
	) -> Option<millrace_primitives::U256> {
		Some(evm::account(tipset.state.as_deref()?, address).0)
	}

	/// Code of a contract at the end of a tipset.
	pub(crate) fn code(&self, tipset: &Tipset, address: Address) -> Option<Vec<u8>> {
		Some(evm::code(tipset.state.as_deref()?, address))
	}

	/// Messages of an account that were executed.
	pub(crate) fn executed_nonce(&self, address: Address) -> u64 {
		let state = self.latest().state.as_deref();
		state.map_or(0, |state| evm::account(state, address).1)
	}

	/// Messages of an account that were executed or are in the newest tipset.
	fn nonce(&self, address: Address) -> u64 {
		let waiting = self.head.iter().flat_map(|(_, _, messages)| messages);
		let waiting = waiting.filter(|message| message.from == address).count();
		self.executed_nonce(address).saturating_add(waiting as u64)
	}

	/// The nonce below which nothing can be sent any more.
	pub(crate) fn pending_nonce(&self, address: Address) -> u64 {
		self.nonce(address)
	}

	fn place(&self, number: u64, time: u64) -> Place {
		Place {
			chain_id: self.settings.chain_id,
			number,
			time,
		}
	}
}

#[cfg(test)]
mod tests;

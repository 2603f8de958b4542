//! The EVM, by the rules of Prague.

use crate::decode::Message;
use millrace_anchor::evm::{Address, AnchorKey};
use revm::{
	context::{
		result::{ExecutionResult, Output},
		TxEnv,
	},
	database::{CacheDB, DatabaseRef, EmptyDB},
	primitives::{self, hardfork::SpecId, Bytes, TxKind, U256},
	state::AccountInfo,
	Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext,
};

/// Gas that all messages of a tipset may take, and a call that changes nothing.
pub(crate) const GAS_LIMIT: u64 = 10_000_000_000;
/// Price of a unit of gas below which none is taken, in the smallest coin.
pub(crate) const BASE_FEE: u64 = 100;
/// Coins of each of the well-known keys.
const COINS: u64 = 10_000;

/// All accounts.
pub(crate) type State = CacheDB<EmptyDB>;

/// Where something is executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
	/// Chain id.
	pub(crate) chain_id: u64,
	/// Number of the tipset.
	pub(crate) number: u64,
	/// Its time, in seconds.
	pub(crate) time: u64,
}

/// What came of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
	pub(crate) ok: bool,
	pub(crate) gas: u64,
	/// What was answered, or what the contract refused with.
	pub(crate) output: Vec<u8>,
	pub(crate) created: Option<Address>,
	pub(crate) logs: Vec<LogEntry>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
	pub(crate) address: Address,
	pub(crate) topics: Vec<[u8; 32]>,
	pub(crate) data: Vec<u8>,
}

/// A call that changes nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
	pub(crate) from: Address,
	pub(crate) to: Option<Address>,
	pub(crate) data: Vec<u8>,
}

/// The state before the first tipset.
pub(crate) fn genesis() -> State {
	let mut state = State::default();
	let coins = U256::from(COINS).saturating_mul(U256::from(10u64).pow(U256::from(18u64)));
	for address in AnchorKey::development_addresses() {
		state.insert_account_info(to_revm(address), AccountInfo::from_balance(coins));
	}
	state
}

/// Executes a message. Nothing comes of one that cannot begin.
pub(crate) fn execute(state: &mut State, place: Place, message: &Message) -> Outcome {
	let transaction = TxEnv::builder()
		.caller(to_revm(message.from))
		.kind(kind(message.to))
		.data(Bytes::from(message.data.clone()))
		.gas_limit(message.gas)
		.max_fee_per_gas(message.max_fee)
		.gas_priority_fee(Some(message.priority))
		.nonce(message.nonce)
		.chain_id(Some(place.chain_id))
		.build_fill();
	run(state, place, transaction, false)
}

/// Makes a call of which nothing comes.
pub(crate) fn query(state: &State, place: Place, query: &Query) -> Outcome {
	let transaction = TxEnv::builder()
		.caller(to_revm(query.from))
		.kind(kind(query.to))
		.data(Bytes::from(query.data.clone()))
		.gas_limit(GAS_LIMIT)
		.gas_price(0)
		.chain_id(Some(place.chain_id))
		.build_fill();
	run(&mut state.clone(), place, transaction, true)
}

fn run(state: &mut State, place: Place, transaction: TxEnv, is_query: bool) -> Outcome {
	let executed = {
		let mut evm = Context::mainnet()
			.with_db(&mut *state)
			.modify_cfg_chained(|cfg| {
				cfg.set_spec_and_mainnet_gas_params(SpecId::PRAGUE);
				cfg.chain_id = place.chain_id;
				cfg.tx_gas_limit_cap = Some(u64::MAX);
				cfg.disable_nonce_check = is_query;
			})
			.modify_block_chained(|block| {
				block.number = U256::from(place.number);
				block.timestamp = U256::from(place.time);
				block.gas_limit = GAS_LIMIT;
				block.basefee = if is_query { 0 } else { BASE_FEE };
			})
			.build_mainnet();
		evm.transact(transaction)
	};
	match executed {
		Ok(executed) => {
			state.commit(executed.state);
			outcome(executed.result)
		}
		Err(error) => {
			tracing::debug!(?error, "a message could not begin");
			Outcome::default()
		}
	}
}

fn outcome(result: ExecutionResult) -> Outcome {
	let gas = result.tx_gas_used();
	match result {
		ExecutionResult::Success { logs, output, .. } => {
			let created = match &output {
				Output::Create(_, Some(address)) => Some(from_revm(*address)),
				_ => None,
			};
			let entry = |log: &primitives::Log| LogEntry {
				address: from_revm(log.address),
				topics: log.topics().iter().map(|topic| topic.0).collect(),
				data: log.data.data.to_vec(),
			};
			Outcome {
				ok: true,
				gas,
				output: output.into_data().to_vec(),
				created,
				logs: logs.iter().map(entry).collect(),
			}
		}
		ExecutionResult::Revert { output, .. } => Outcome {
			gas,
			output: output.to_vec(),
			..Outcome::default()
		},
		ExecutionResult::Halt { .. } => Outcome {
			gas,
			..Outcome::default()
		},
	}
}

/// Coins and nonce of an account.
pub(crate) fn account(state: &State, address: Address) -> (millrace_primitives::U256, u64) {
	let info = state
		.basic_ref(to_revm(address))
		.ok()
		.flatten()
		.unwrap_or_default();
	let balance = millrace_primitives::U256::from_big_endian(&info.balance.to_be_bytes::<32>());
	(balance, info.nonce)
}

/// Code of a contract; nothing if there is none.
pub(crate) fn code(state: &State, address: Address) -> Vec<u8> {
	let info = state
		.basic_ref(to_revm(address))
		.ok()
		.flatten()
		.unwrap_or_default();
	let code = match info.code {
		Some(code) => Some(code),
		None => state.code_by_hash_ref(info.code_hash).ok(),
	};
	code.map(|code| code.original_byte_slice().to_vec())
		.unwrap_or_default()
}

fn kind(to: Option<Address>) -> TxKind {
	to.map_or(TxKind::Create, |to| TxKind::Call(to_revm(to)))
}

fn to_revm(address: Address) -> primitives::Address {
	primitives::Address::from(address.0)
}

fn from_revm(address: primitives::Address) -> Address {
	Address(address.into_array())
}

//! Real blocks without a node: the runtime's own executive, signed transactions and duties.

use crate::{
	blocks::begin_on,
	errors::scene::{account, METADATA},
};
use codec::{DecodeAll, Encode};
use frame_metadata_hash_extension::CheckMetadataHash;
use frame_support::storage::with_transaction_unchecked;
use frame_system as system;
use millrace_client::calls::Call;
use millrace_e2e::rpc;
use millrace_primitives::H256;
use millrace_runtime::{Executive, Runtime, RuntimeCall, System, TxExtension, UncheckedExtrinsic};
use pallet_transaction_payment::ChargeTransactionPayment;
use sp_core::{sr25519, Pair};
use sp_runtime::{
	generic::{Era, SignedPayload},
	TransactionOutcome,
};
use std::{
	collections::BTreeMap,
	sync::{LazyLock, Mutex},
};

/// Slot before the first block's.
const GENESIS_SLOT: u64 = 1_000_000;

/// Keys by name: a secret is stretched on purpose, which takes its time.
static KEYS: LazyLock<Mutex<BTreeMap<String, sr25519::Pair>>> = LazyLock::new(Mutex::default);

/// Where the chain ends.
#[derive(Debug)]
pub(crate) struct Chain {
	slot: u64,
	parent: H256,
}

impl Chain {
	pub(super) fn new() -> Self {
		Self {
			slot: GENESIS_SLOT,
			parent: H256::repeat_byte(1),
		}
	}

	/// Begins a block of the only validator, up to where transactions come.
	pub(super) fn begin_block(&mut self) {
		self.slot += 1;
		begin_on(self.parent, self.slot);
	}

	/// Ends the block, with all that hooks do then.
	pub(super) fn end_block(&mut self) {
		self.parent = Executive::finalize_block().hash();
	}
}

/// Sends a signed transaction; whether its call succeeded. Refused or failed, it costs its fee if it
/// came into the block.
pub(super) fn send(name: &str, call: impl Into<RuntimeCall>) -> bool {
	apply(signed(name, call.into()))
}

/// Sends a duty; whether it was taken and succeeded.
pub(super) fn send_duty(call: &Call) -> bool {
	let bytes = rpc::duty(&METADATA, call, 0);
	apply(UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is a transaction"))
}

/// Puts a transaction into the block, or leaves it out without a trace, as authors do.
fn apply(transaction: UncheckedExtrinsic) -> bool {
	let outcome = with_transaction_unchecked(|| match Executive::apply_extrinsic(transaction) {
		Ok(outcome) => TransactionOutcome::Commit(Some(outcome)),
		Err(_) => TransactionOutcome::Rollback(None),
	});
	outcome == Some(Ok(()))
}

fn signed(name: &str, call: RuntimeCall) -> UncheckedExtrinsic {
	let who = account(name);
	let extension: TxExtension = (
		system::AuthorizeCall::<Runtime>::new(),
		system::CheckNonZeroSender::<Runtime>::new(),
		system::CheckSpecVersion::<Runtime>::new(),
		system::CheckTxVersion::<Runtime>::new(),
		system::CheckGenesis::<Runtime>::new(),
		system::CheckEra::<Runtime>::from(Era::Immortal),
		system::CheckNonce::<Runtime>::from(System::account_nonce(&who)),
		system::CheckWeight::<Runtime>::new(),
		ChargeTransactionPayment::<Runtime>::from(0),
		CheckMetadataHash::<Runtime>::new(false),
		system::WeightReclaim::<Runtime>::new(),
	);
	let payload: SignedPayload<RuntimeCall, TxExtension> =
		SignedPayload::new(call, extension).expect("the chain is there");
	let signature = payload.using_encoded(|bytes| key(name).sign(bytes));
	let (call, extension, _) = payload.deconstruct();
	UncheckedExtrinsic::new_signed(call, who.into(), signature.into(), extension)
}

/// The key pair of an account.
pub(super) fn key(name: &str) -> sr25519::Pair {
	let mut known = KEYS.lock().expect("no test panics while it looks");
	let new = || sr25519::Pair::from_string(name, None).expect("that is a development name");
	known.entry(name.into()).or_insert_with(new).clone()
}

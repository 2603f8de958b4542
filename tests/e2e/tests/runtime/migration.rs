//! The migration that upgrades are rehearsed with, over the exported state of a chain that has lived for
//! a while: natively with its checks, and by the next runtime's own Wasm.

use crate::{errors::scene::state_root, stateful};
use codec::{Decode, Encode};
use frame_support::traits::OnRuntimeUpgrade;
use frame_system::LastRuntimeUpgrade;
use millrace_e2e::binaries;
use millrace_primitives::validators::SessionIndex;
use millrace_runtime::{
	migrations::{name_session, NameSession},
	Babe, Header, Runtime, Session, System, VERSION,
};
use sc_executor::WasmExecutor;
use sp_core::{
	sr25519,
	storage::Storage,
	traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
	Pair, H256,
};
use sp_crypto_hashing::twox_128;
use sp_io::TestExternalities;
use sp_runtime::traits::Header as _;
use std::collections::BTreeMap;

/// Steps of the life of the chain that is exported: more blocks than a session has.
const STEPS: u32 = 500;

/// What a node offers to the runtime.
type HostFunctions = (sp_io::SubstrateHostFunctions, millrace_host::HostFunctions);

/// A chain whose state is that of another one, key by key.
fn imported() -> TestExternalities {
	let top = stateful::live(STEPS, 2, |_| {
		let (mut top, mut key) = (BTreeMap::new(), Vec::new());
		while let Some(next) = sp_io::storage::next_key(&key) {
			let value = sp_io::storage::get(&next).expect("the key is there");
			top.insert(next.clone(), value.to_vec());
			key = next;
		}
		top
	});
	TestExternalities::new(Storage {
		top,
		children_default: Default::default(),
	})
}

/// Where the keys of seats stand.
fn seated_keys() -> Vec<u8> {
	[twox_128(b"Validators"), twox_128(b"SeatedKeys")].concat()
}

#[test]
fn the_migration_runs_once_and_keeps_the_keys_of_all_seats() {
	imported().execute_with(|| {
		let before = name_session::before().expect("the state is of version 0");
		assert!(name_session::after(&before).is_err(), "nothing has run");
		NameSession::on_runtime_upgrade();
		name_session::after(&before).expect("it did what it should");
		assert!(name_session::before().is_err(), "it has run");

		let root = state_root();
		NameSession::on_runtime_upgrade();
		assert_eq!(state_root(), root, "it runs once");

		// One byte besides, and the check sees it.
		let mut value = sp_io::storage::get(&seated_keys())
			.expect("they stand")
			.to_vec();
		value.push(0);
		sp_io::storage::set(&seated_keys(), &value);
		assert!(name_session::after(&before).is_err());
	});
}

#[test]
fn the_migration_is_not_for_a_state_that_is_wrong_before() {
	imported().execute_with(|| {
		// No keys, while somebody sits.
		let nobody = Vec::<u8>::new().encode();
		sp_io::storage::set(&seated_keys(), &nobody);
		assert!(name_session::before().is_err());
		sp_io::storage::clear(&seated_keys());
		assert!(name_session::before().is_err());
	});
}

/// Calls a runtime as a node does that imports a block.
fn call<R: Decode>(
	chain: &mut TestExternalities,
	wasm: &[u8],
	method: &str,
	arguments: impl Encode,
) -> R {
	let executor = WasmExecutor::<HostFunctions>::builder().build();
	let fetcher = WrappedRuntimeCode(wasm.into());
	let code = RuntimeCode {
		code_fetcher: &fetcher,
		heap_pages: None,
		hash: vec![1],
	};
	let context = CallContext::Onchain { import: true };
	let mut ext = chain.ext();
	let (outcome, _) = executor.call(&mut ext, &code, method, &arguments.encode(), context);
	let bytes = outcome.unwrap_or_else(|error| panic!("{method}: {error}"));
	R::decode(&mut &bytes[..]).unwrap_or_else(|error| panic!("{method}: {error}"))
}

#[test]
fn the_next_runtime_migrates_in_its_first_block_and_knows_the_seats_by_the_new_rows() {
	let wasm = std::fs::read(binaries::next_runtime()).expect("it can be read");
	let mut chain = imported();
	let (before, header, slot, session) = chain.execute_with(|| {
		let before = name_session::before().expect("the state is of version 0");
		let number = System::block_number() + 1;
		let header = Header::new(
			number,
			Default::default(),
			Default::default(),
			H256::repeat_byte(2),
			Default::default(),
		);
		let slot = *Babe::current_epoch_start();
		(before, header, slot, Session::current_index())
	});

	// No digest: the block claims no slot, so that the session stays.
	let mode: u8 = call(&mut chain, &wasm, "Core_initialize_block", &header);
	assert_eq!(mode, 0, "all transactions may come");
	chain.execute_with(|| {
		name_session::after(&before).expect("it did what it should");
		let last = LastRuntimeUpgrade::<Runtime>::get().expect("it was upgraded");
		assert_eq!(last.spec_version.0, VERSION.spec_version + 1);
	});

	// What the rows are for: whose key it was.
	let alice = sr25519::Pair::from_string("//Alice", None).expect("that is a name");
	let method = "BabeApi_generate_key_ownership_proof";
	let proof: Option<Vec<u8>> = call(&mut chain, &wasm, method, (slot, alice.public()));
	let proof = proof.expect("the seat is found");
	// Its session comes first, as in the proof that sessions know.
	let of = SessionIndex::decode(&mut &proof[..]).expect("it begins with its session");
	assert_eq!(of, session);
}

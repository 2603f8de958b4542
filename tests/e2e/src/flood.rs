//! Blocks full of transactions that pay well.
//!
//! Each transaction is a batch of transfers: it weighs as much as they do and is sent as one, so that
//! blocks fill faster than a client could send transfers one by one.
//!
//! The transactions are put together here byte by byte, as the documentation of the SDK describes
//! them, and not by the client that is tested.

use crate::{Fault, Network, Rpc};
use codec::{Compact, Encode};
use millrace_client::{calls, AccountId};
use millrace_primitives::{hash::blake2_256, Balance, FLT, H256};
use serde_json::json;
use subxt_signer::sr25519::{dev, Keypair};
use tokio::task::JoinHandle;

/// Longest payload that is signed as it is; of a longer one the hash is.
const SIGNED_AS_IT_IS: usize = 256;

/// What every signed transaction of a chain is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// Version of the runtime.
	pub spec_version: u32,
	/// Version of its transactions.
	pub transaction_version: u32,
}

/// Transfers of one transaction: some fifteen such transactions fill a block.
const TRANSFERS_PER_BATCH: usize = 200;

/// A signed transaction of format 4 that never expires.
pub fn signed(
	binding: &Binding,
	signer: &Keypair,
	call: &[u8],
	nonce: u32,
	tip: Balance,
) -> Vec<u8> {
	// Era, nonce, tip, and the mode in which no metadata hash is checked.
	let mut extensions = vec![0u8];
	Compact(nonce).encode_to(&mut extensions);
	Compact(tip).encode_to(&mut extensions);
	extensions.push(0);
	let Binding {
		genesis,
		spec_version,
		transaction_version,
	} = binding;
	// The block that the era counts from is the first one; the last byte says "no metadata hash".
	let implicit = (spec_version, transaction_version, genesis, genesis, 0u8).encode();
	let payload = [call, &extensions, &implicit].concat();
	let signature = match payload.len() > SIGNED_AS_IT_IS {
		true => signer.sign(blake2_256(&payload).as_bytes()),
		false => signer.sign(&payload),
	};
	// Signed, format 4; an address that is an account; a signature of sr25519.
	let mut body = vec![0x84, 0];
	body.extend(signer.public_key().0);
	body.push(1);
	body.extend(signature.0);
	body.extend(extensions);
	body.extend(call);
	body.encode()
}

/// Tipped batches of transfers of Eve and Ferdie to each other, signed and ready to be sent.
#[derive(Debug)]
pub struct Flood {
	transactions: [Vec<Vec<u8>>; 2],
	rpc: Rpc,
}

/// A flood on its way.
#[derive(Debug)]
pub struct Flowing {
	tasks: [JoinHandle<Result<usize, Fault>>; 2],
}

impl Flood {
	/// Signs so many batches of each.
	pub async fn prepare(network: &Network, each: u32) -> Self {
		let version = network
			.rpc
			.result("state_getRuntimeVersion", json!([]))
			.await;
		let number = |name: &str| {
			let number = version[name]
				.as_u64()
				.and_then(|number| u32::try_from(number).ok());
			number.unwrap_or_else(|| panic!("the runtime has no {name}: {version}"))
		};
		let binding = Binding {
			genesis: network.chain.genesis(),
			spec_version: number("specVersion"),
			transaction_version: number("transactionVersion"),
		};
		let metadata = network.rpc.metadata().await;
		let transfers = |from: Keypair, to: AccountId| -> Vec<Vec<u8>> {
			let transfer = calls::balances::transfer(&to, FLT / 1_000);
			let call = calls::utility::batch_all(vec![transfer; TRANSFERS_PER_BATCH])
				.encode(&metadata)
				.expect("the runtime has batches of transfers");
			let sign = |nonce| signed(&binding, &from, &call, nonce, FLT);
			(0..each).map(sign).collect()
		};
		let (eve, ferdie) = (dev::eve(), dev::ferdie());
		let accounts = (
			eve.public_key().to_account_id(),
			ferdie.public_key().to_account_id(),
		);
		Self {
			transactions: [transfers(eve, accounts.1), transfers(ferdie, accounts.0)],
			rpc: network.rpc.clone(),
		}
	}

	/// Sends them, each account's in their order.
	pub fn start(self) -> Flowing {
		let rpc = self.rpc;
		let tasks = self.transactions.map(|transactions| {
			let rpc = rpc.clone();
			tokio::spawn(async move {
				for transaction in &transactions {
					rpc.submit(transaction).await?;
				}
				Ok::<_, Fault>(transactions.len())
			})
		});
		Flowing { tasks }
	}
}

impl Flowing {
	/// Waits until all are sent; each must have been taken by the pool. Returns their number.
	pub async fn finish(self) -> usize {
		let mut sent = 0;
		for task in self.tasks {
			let outcome = task.await.expect("sending does not panic");
			sent += outcome.unwrap_or_else(|fault| panic!("a batch was refused: {fault:?}"));
		}
		sent
	}
}

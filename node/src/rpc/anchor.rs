//! `anchor_*`: what the relayer beside a validator asks of its node.
//!
//! The keys of validators stay here. The node signs no second accumulator for one number of messages,
//! whoever asks and however often it was started in between: that would be an offence.

use super::{chain::Chain, error::Error};
use codec::Encode;
use jsonrpsee::{proc_macros::rpc, Extensions};
use millrace_primitives::anchor::{AnchorId, Vote, VoterKey};
use millrace_runtime::{AccountId, Hash};
use pallet_anchor::runtime_api::AnchorApi;
use sc_client_api::AuxStore;
use sc_rpc::DenyUnsafe;
use serde::{Deserialize, Serialize};
use sp_api::ProvideRuntimeApi;
use sp_consensus_beefy::KEY_TYPE;
use sp_core::{ecdsa, Bytes};
use sp_keystore::KeystorePtr;
use std::sync::{Mutex, PoisonError};

/// Begins the names under which it is kept what was signed.
const SIGNED: &[u8] = b"millrace/anchor-vote/signed";

/// A vote that the node has signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedByNode {
	/// Number of the validator in the present session.
	voter: u32,
	/// The vote, SCALE-encoded.
	vote: Bytes,
	/// Its signature.
	signature: Bytes,
}

/// The validators of this node, as far as the anchor is concerned.
#[rpc(server, namespace = "anchor")]
pub(crate) trait AnchorRpc {
	/// Keys of checkpoints in the keystore. Only for whoever sits at the node's machine.
	#[method(name = "voterKeys", blocking, with_extensions)]
	fn voter_keys(&self) -> Result<Vec<Bytes>, Error>;

	/// Signs that so many messages are in the contract's inbox, with this accumulator, as of a final
	/// block of the anchor, by each validator of this node. Only for whoever sits at its machine.
	#[method(name = "signVote", blocking, with_extensions)]
	fn sign_vote(&self, nonce: u64, acc: Hash, epoch: u64) -> Result<Vec<SignedByNode>, Error>;
}

/// Answers `anchor_*`.
pub(crate) struct Anchor {
	chain: Chain,
	signer: Signer,
	/// One at a time: what was signed is looked up before it is signed.
	signing: Mutex<()>,
}

impl Anchor {
	pub(crate) fn new(chain: Chain, keystore: KeystorePtr) -> Self {
		Self {
			chain,
			signer: Signer { keystore },
			signing: Mutex::new(()),
		}
	}
}

/// Signs with the keys of this node. What was signed is on disk alone, so that a start in between changes
/// nothing.
struct Signer {
	keystore: KeystorePtr,
}

impl Signer {
	fn keys(&self) -> Vec<ecdsa::Public> {
		self.keystore.ecdsa_public_keys(KEY_TYPE)
	}

	/// Signs with one key, unless it has signed something else.
	fn sign(
		&self,
		store: &impl AuxStore,
		key: &ecdsa::Public,
		genesis: Hash,
		anchor: &AnchorId,
		vote: &Vote,
	) -> Result<Option<ecdsa::Signature>, Error> {
		let name = (SIGNED, anchor, key.0, vote.round, vote.nonce).encode();
		let failed = |error: sp_blockchain::Error| Error::Node(error.to_string());
		match store.get_aux(&name).map_err(failed)? {
			Some(acc) if acc != vote.acc.as_bytes() => return Err(Error::OtherVote(vote.nonce)),
			Some(_) => {}
			// On disk before the signature is anywhere.
			None => store
				.insert_aux(&[(name.as_slice(), vote.acc.as_bytes())], &[])
				.map_err(failed)?,
		}
		let hash = vote.hash(genesis, anchor);
		self.keystore
			.ecdsa_sign(KEY_TYPE, key, hash.as_bytes())
			.map_err(|error| Error::Node(error.to_string()))
	}
}

/// Lets only those pass who may do everything.
fn allowed(extensions: &Extensions) -> Result<(), Error> {
	match extensions.get::<DenyUnsafe>() {
		Some(DenyUnsafe::No) => Ok(()),
		_ => Err(Error::Unsafe),
	}
}

impl AnchorRpcServer for Anchor {
	fn voter_keys(&self, extensions: &Extensions) -> Result<Vec<Bytes>, Error> {
		allowed(extensions)?;
		Ok(self
			.signer
			.keys()
			.iter()
			.map(|key| Bytes(key.0.to_vec()))
			.collect())
	}

	fn sign_vote(
		&self,
		extensions: &Extensions,
		nonce: u64,
		acc: Hash,
		epoch: u64,
	) -> Result<Vec<SignedByNode>, Error> {
		allowed(extensions)?;
		let _signing = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
		self.chain.read(None, |client, at| {
			let api = client.runtime_api();
			let status = AnchorApi::<_, AccountId>::status(&*api, at)?;
			let Some(anchor) = status.anchor else {
				return Ok(Vec::new());
			};
			let vote = Vote {
				round: status.round,
				session: status.session,
				nonce,
				acc,
				epoch,
			};
			let mut signed = Vec::new();
			for key in self.signer.keys() {
				let name: VoterKey = key.0;
				let Some(voter) = AnchorApi::<_, AccountId>::voter(&*api, at, name)? else {
					continue;
				};
				let signature = self
					.signer
					.sign(client, &key, status.genesis, &anchor, &vote)?;
				signed.extend(signature.map(|signature| SignedByNode {
					voter,
					vote: Bytes(vote.encode()),
					signature: Bytes(signature.0.to_vec()),
				}));
			}
			Ok(signed)
		})
	}
}

#[cfg(test)]
mod tests;

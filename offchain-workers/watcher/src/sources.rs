//! Where the data of a call are to be had: at the peer's door, at the deal's links, and in the bodies
//! of blocks. Whoever gives them is believed nothing; every datum is known by its hash.

use crate::{
	bodies,
	web::{below, Web},
};
use bytes::Bytes;
use codec::DecodeAll;
use millrace_client::{Chain, ReadError, ReceiptProof, View};
use millrace_primitives::{
	challenge::Wanted,
	effects::{Transcript, MAX_TRANSCRIPT_BYTES},
	execution::{
		package_hash, CallTerms, Request, SignedReceipt, MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD,
	},
	peer::PeerId,
	report::Report,
	BlockNumber, DealId, EpochIndex, H256,
};
use std::{
	collections::VecDeque,
	sync::{Arc, Mutex, PoisonError},
};

/// Packages that are kept in memory: receipts of one deal are many.
const KEPT_PACKAGES: usize = 16;
/// What stands around request and transcript in an answer: receipt, terms, lengths.
const ROOM: u32 = 8 * 1024;
/// Largest proof in JSON: a report with all its deals, and a path, in hexadecimal.
const MAX_PROOF_BYTES: usize = 64 * 1024;

/// What a peer's door tells of a call.
pub type CallData = (Request, Transcript, CallTerms);

/// Where the data of calls are to be had.
#[derive(Clone, Debug)]
pub struct Sources {
	chain: Chain,
	web: Web,
	packages: Arc<Mutex<VecDeque<(H256, Bytes)>>>,
}

impl Sources {
	/// What is to be had by this chain and client.
	pub fn new(chain: Chain, web: Web) -> Self {
		Self {
			chain,
			web,
			packages: Arc::default(),
		}
	}

	/// Request, transcript and terms of a receipt, from its peer's door.
	pub async fn call_data(
		&self,
		view: &View,
		signed: &SignedReceipt,
	) -> Result<Option<CallData>, ReadError> {
		let receipt = &signed.receipt;
		let Some(peer) = view.peer(receipt.peer).await? else {
			return Ok(None);
		};
		let path = format!(
			"/receipts/{}/{}/evidence?receipt={:?}",
			receipt.epoch,
			receipt.seq,
			receipt.hash()
		);
		let limit = MAX_REQUEST_RECORD
			.saturating_add(MAX_TRANSCRIPT_BYTES)
			.saturating_add(ROOM);
		let answer = match self
			.web
			.get(&below(&peer.endpoint, &path), limit as usize)
			.await
		{
			Ok(answer) => answer,
			Err(error) => {
				tracing::debug!(peer = %receipt.peer, %error, "a peer does not tell of a call");
				return Ok(None);
			}
		};
		Ok(call_data_of(signed, &answer))
	}

	/// A package: kept here, at the links of its deal, at its peer's door, or where it was posted.
	pub async fn package(
		&self,
		view: &View,
		peer: PeerId,
		deal: DealId,
		package: H256,
	) -> Result<Option<Bytes>, ReadError> {
		if let Some(kept) = self.kept(package) {
			return Ok(Some(kept));
		}
		let mut urls = Vec::new();
		if let Some(deal) = view.deal(deal).await? {
			if deal.spec.package.hash == package {
				let links = deal.spec.package.links.iter();
				urls.extend(links.map(|link| String::from_utf8_lossy(link).into_owned()));
			}
		}
		if let Some(peer) = view.peer(peer).await? {
			urls.push(below(&peer.endpoint, &format!("/packages/{package:?}")));
		}
		for url in urls {
			match self.web.get(&url, MAX_PACKAGE_BYTES as usize).await {
				Ok(module) if package_hash(&module) == package => {
					self.keep(package, module.clone());
					return Ok(Some(module));
				}
				Ok(_) => tracing::debug!(%url, "that is another package"),
				Err(error) => tracing::debug!(%error, "a package did not come"),
			}
		}
		let Some(number) = view.posted(package).await? else {
			return Ok(None);
		};
		let body = self.chain.block_body(number).await?;
		let found = body
			.iter()
			.find_map(|transaction| bodies::posted_package(transaction, package));
		Ok(found.map(|module| {
			let module = Bytes::from(module);
			self.keep(package, module.clone());
			module
		}))
	}

	/// Data that the peer posted in a block for a receipt; whether they are right is to be seen.
	pub async fn posted(
		&self,
		number: BlockNumber,
		signed: &SignedReceipt,
		wanted: Wanted,
	) -> Result<Option<Vec<u8>>, ReadError> {
		let receipt = &signed.receipt;
		let body = self.chain.block_body(number).await?;
		Ok(body.iter().find_map(|transaction| {
			bodies::posted(
				transaction,
				receipt.peer,
				receipt.epoch,
				receipt.seq,
				wanted,
			)
		}))
	}

	/// The report of which the chain keeps this hash, if a block holds it.
	pub async fn report(
		&self,
		number: BlockNumber,
		peer: PeerId,
		hash: H256,
	) -> Result<Option<Report>, ReadError> {
		let genesis = self.chain.genesis();
		let body = self.chain.block_body(number).await?;
		Ok(body
			.iter()
			.find_map(|transaction| bodies::report(transaction, genesis, peer, hash)))
	}

	/// What a peer's door shows under a number, with the report that it stands in.
	pub async fn proof(
		&self,
		view: &View,
		peer: PeerId,
		epoch: EpochIndex,
		seq: u32,
	) -> Result<Option<ReceiptProof>, ReadError> {
		let Some(found) = view.peer(peer).await? else {
			return Ok(None);
		};
		let url = below(&found.endpoint, &format!("/receipts/{epoch}/{seq}"));
		Ok(match self.web.get(&url, MAX_PROOF_BYTES).await {
			Ok(answer) => serde_json::from_slice(&answer).ok(),
			Err(error) => {
				tracing::debug!(%peer, %error, "a peer does not prove a receipt");
				None
			}
		})
	}

	/// Keeps a package, whose hash is known to be right, so that nobody need be asked for it.
	pub fn keep(&self, package: H256, module: Bytes) {
		let mut packages = self.lock();
		if packages.iter().any(|(kept, _)| *kept == package) {
			return;
		}
		if packages.len() >= KEPT_PACKAGES {
			packages.pop_front();
		}
		packages.push_back((package, module));
	}

	fn kept(&self, package: H256) -> Option<Bytes> {
		let packages = self.lock();
		let found = packages.iter().find(|(kept, _)| *kept == package);
		found.map(|(_, module)| module.clone())
	}

	fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(H256, Bytes)>> {
		self.packages.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// What an answer tells of a receipt's call, if it is that which the receipt names.
fn call_data_of(signed: &SignedReceipt, answer: &[u8]) -> Option<CallData> {
	type Answer = (SignedReceipt, Request, Transcript, CallTerms);
	let (other, request, transcript, terms) = Answer::decode_all(&mut &answer[..]).ok()?;
	let receipt = &signed.receipt;
	let fits = other.receipt == *receipt
		&& request.hash() == receipt.request
		&& transcript.hash() == receipt.transcript
		&& terms.hash(receipt.genesis) == receipt.terms;
	fits.then_some((request, transcript, terms))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::records::tests::signed;
	use codec::Encode;
	use millrace_primitives::market::{Abi, CallLimits, Hosts, Package};

	#[test]
	fn a_door_is_believed_nothing() {
		let package = Package {
			hash: H256::zero(),
			size: 8,
			links: Default::default(),
			abi: Abi::default(),
		};
		let limits = CallLimits {
			gas: 10,
			memory_bytes: 65_536,
			request_bytes: 16,
			response_bytes: 16,
		};
		let terms = CallTerms::new(3, &package, limits, Hosts::default());
		let request = Request {
			path: "/".into(),
			..Default::default()
		};
		let mut receipt = signed(PeerId::default(), 4, 5, b"a");
		receipt.receipt.request = request.hash();
		receipt.receipt.terms = terms.hash(receipt.receipt.genesis);
		let transcript = Transcript::default();
		let told = |answer: &(SignedReceipt, Request, Transcript, CallTerms)| {
			call_data_of(&receipt, &answer.encode())
		};
		let honest = (receipt.clone(), request, transcript, terms);
		let data = (honest.1.clone(), honest.2.clone(), honest.3.clone());
		assert_eq!(told(&honest), Some(data));
		let mut other = honest.clone();
		other.0.receipt.gas += 1;
		assert_eq!(told(&other), None);
		let mut other = honest.clone();
		other.1.path = "/other".into();
		assert_eq!(told(&other), None);
		let mut other = honest.clone();
		other.3.limits.gas += 1;
		assert_eq!(told(&other), None);
		let mut longer = honest.encode();
		longer.push(0);
		assert_eq!(call_data_of(&receipt, &longer), None);
	}
}

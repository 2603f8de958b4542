//! Looks for validators that signed two accumulators for one number of messages, and reports them.
//!
//! Within a session the chain sees that itself: its tally knows who has voted. Tallies end with their
//! session, so what somebody signs in one session and in a later one stands in two blocks, and nobody on the
//! chain compares them. Whoever has read both shows an offence by them.
//!
//! Every relayer with an account reports. The first one pays nothing; whoever is slower pays the fee of a
//! call that says so.

use crate::{commitment::key_of, metrics::Metrics, RelayError};
use codec::{Compact, Decode, DecodeAll};
use millrace_client::{
	calls::{self, Call},
	AccountKey, Chain, ReadError, SubmitError,
};
use millrace_primitives::{
	anchor::{AnchorId, AnchorStatus, SignedVote, Vote, VoterKey, VoterSignature},
	hash::blake2_256,
	BlockNumber,
};
use std::collections::{BTreeMap, VecDeque};

/// Blocks below the last finalised one from which a new relayer begins: two sessions.
const BEGIN_BEHIND: BlockNumber = 2_400;
/// Blocks that are read at one look.
const BLOCKS_PER_TICK: BlockNumber = 50;
/// Votes that are remembered: more than the seats have on all numbers that can be voted on at a time.
const REMEMBERED: usize = 8_192;
/// Offences that wait to be reported.
const WAITING: usize = 1_024;
/// Begins a transaction that has no signer of its own, behind its length.
const GENERAL: u8 = 0x45;
/// Bytes of a vote as it ends a transaction: the voter's number, the vote, and its signature.
const VOTE: usize = 4 + (4 + 4 + 8 + 32 + 8) + 65;
/// The chain's answer to an offence that was reported already.
const KNOWN: &str = "KnownConflict";

/// What is asked of the chain.
pub(crate) trait Court {
	/// Transactions of a finalised block; nothing where the node has dropped them.
	async fn body(&self, block: BlockNumber) -> Result<Option<Vec<Vec<u8>>>, ReadError>;

	/// Shows whose key it was in the session of a block; nothing where that cannot be shown any more.
	async fn owner(&self, block: BlockNumber, key: VoterKey) -> Result<Option<Vec<u8>>, ReadError>;

	/// Whether there is an account that reports.
	fn can_report(&self) -> bool;

	/// Submits a report, and waits until it is final.
	async fn report(&self, call: Call) -> Result<(), SubmitError>;
}

/// The chain, and who reports to it.
#[derive(Clone, Copy)]
pub(crate) struct OnChain<'a> {
	/// The chain.
	pub(crate) chain: &'a Chain,
	/// The account.
	pub(crate) account: Option<&'a AccountKey>,
}

impl Court for OnChain<'_> {
	async fn body(&self, block: BlockNumber) -> Result<Option<Vec<Vec<u8>>>, ReadError> {
		match self.chain.block_body(block).await {
			Ok(body) => Ok(Some(body)),
			Err(ReadError::UnknownBlock(_)) => Ok(None),
			Err(error) => Err(error),
		}
	}

	async fn owner(&self, block: BlockNumber, key: VoterKey) -> Result<Option<Vec<u8>>, ReadError> {
		let hash = self.chain.hash_of(block).await?;
		let view = self.chain.at(hash).await?;
		// The runtime goes by the session of the block, whatever the set is said to be.
		match view.checkpoint_key_owner(0, key).await {
			Err(ReadError::Refused { .. }) => Ok(None),
			outcome => outcome,
		}
	}

	fn can_report(&self) -> bool {
		self.account.is_some()
	}

	async fn report(&self, call: Call) -> Result<(), SubmitError> {
		if let Some(account) = self.account {
			self.chain.submit(account, call).await?;
		}
		Ok(())
	}
}

/// What a validator said first of a number.
#[derive(Clone, Copy, Debug)]
struct Said {
	signed: SignedVote,
	/// Whether it was found to have said something else.
	is_found: bool,
}

/// Two votes that nobody can cast and be honest.
#[derive(Clone, Copy, Debug)]
struct Offence {
	key: VoterKey,
	first: SignedVote,
	second: SignedVote,
	/// Block of the second one, whose session the offence is of.
	block: BlockNumber,
}

/// Follows the votes.
#[derive(Debug, Default)]
pub(crate) struct Conflicts {
	/// Block that is read next.
	next: Option<BlockNumber>,
	/// By number, round and key.
	said: BTreeMap<(u64, u32, VoterKey), Said>,
	/// Those that are to be reported.
	found: VecDeque<Offence>,
}

impl Conflicts {
	/// Reads what was finalised since the last look, up to block `last`, and reports one offence.
	pub(crate) async fn tick(
		&mut self,
		court: &impl Court,
		last: BlockNumber,
		ours: &AnchorStatus,
		anchor: &AnchorId,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let read = self.read(court, last, ours, anchor).await;
		let reported = self.report(court, metrics).await;
		read.and(reported)
	}

	async fn read(
		&mut self,
		court: &impl Court,
		last: BlockNumber,
		ours: &AnchorStatus,
		anchor: &AnchorId,
	) -> Result<(), RelayError> {
		let begin = last.saturating_sub(BEGIN_BEHIND).max(1);
		let from = self.next.unwrap_or(begin);
		let to = last.min(from.saturating_add(BLOCKS_PER_TICK).saturating_sub(1));
		for block in from..=to {
			let body = court.body(block).await?.unwrap_or_default();
			for signed in body.iter().filter_map(|transaction| vote_in(transaction)) {
				// Other transactions end in bytes that can be read as votes, too: of any round, on any number.
				if signed.vote.round > ours.round || signed.vote.nonce > ours.votable {
					continue;
				}
				let hash = signed.vote.hash(ours.genesis, anchor);
				if let Some(key) = key_of(blake2_256(hash.as_bytes()), &signed.signature) {
					self.note(key, signed, block);
				}
			}
			self.next = Some(block.saturating_add(1));
		}
		// What is delivered by now may not have been in blocks that are still to be read.
		if to == last {
			let (taken, round) = (ours.taken.nonce, ours.round);
			self.said
				.retain(|(nonce, of, _), _| *nonce > taken && *of == round);
		}
		Ok(())
	}

	/// Remembers what a key has signed, and compares it with what it had signed.
	fn note(&mut self, key: VoterKey, signed: SignedVote, block: BlockNumber) {
		let vote = &signed.vote;
		let place = (vote.nonce, vote.round, key);
		let Some(said) = self.said.get_mut(&place) else {
			let said = Said {
				signed,
				is_found: false,
			};
			self.said.insert(place, said);
			// The lowest number is delivered first.
			if self.said.len() > REMEMBERED {
				self.said.pop_first();
			}
			return;
		};
		let first = said.signed;
		// Of one session, the chain has punished it when it took the second one.
		let is_news = !said.is_found && first.vote.session != vote.session;
		if !is_news || !first.vote.conflicts_with(vote) {
			return;
		}
		said.is_found = true;
		tracing::error!(
			key = %hex::encode(key),
			nonce = vote.nonce,
			"a validator has signed two accumulators for one number of messages"
		);
		if self.found.len() >= WAITING {
			tracing::warn!("there are more conflicting votes than are reported");
			return;
		}
		self.found.push_back(Offence {
			key,
			first,
			second: signed,
			block,
		});
	}

	async fn report(&mut self, court: &impl Court, metrics: &Metrics) -> Result<(), RelayError> {
		let Some(offence) = self.found.front().copied() else {
			return Ok(());
		};
		let outcome = report(court, &offence, metrics).await;
		self.found.pop_front();
		if !matches!(outcome, Ok(true)) {
			// What cannot be reported now must not keep the others back.
			self.found.push_back(offence);
		}
		outcome.map(|_| ())
	}
}

/// Reports an offence. Whether nothing more can be done about it.
async fn report(
	court: &impl Court,
	offence: &Offence,
	metrics: &Metrics,
) -> Result<bool, RelayError> {
	let Offence {
		key,
		first,
		second,
		block,
	} = offence;
	if !court.can_report() {
		tracing::warn!("no account is configured that could report the offence");
		return Ok(true);
	}
	let Some(owner) = court.owner(*block, *key).await? else {
		tracing::warn!(
			block,
			"nobody can be shown to have had a key that voted: the state of that block is gone here, and a \
			 relayer at an archive node has to report it"
		);
		return Ok(true);
	};
	let call = calls::anchor::report_conflict(*key, first, second, &owner);
	match court.report(call).await {
		Ok(()) => {
			metrics.reports.with_label_values(&["chain"]).inc();
			tracing::info!(nonce = first.vote.nonce, "conflicting votes are reported");
			Ok(true)
		}
		Err(SubmitError::Dispatch { error, .. }) if error == KNOWN => {
			tracing::info!(
				nonce = first.vote.nonce,
				"somebody else has reported the votes"
			);
			Ok(true)
		}
		Err(
			error @ (SubmitError::Dispatch { .. }
			| SubmitError::Call(_)
			| SubmitError::Extension(_)
			| SubmitError::Build(_)),
		) => {
			tracing::warn!(%error, "the chain does not take a report");
			Ok(true)
		}
		Err(error) => {
			tracing::warn!(%error, "a report is sent again");
			Ok(false)
		}
	}
}

/// The vote that a transaction carries, if it is one that does. Whether there is such a validator its
/// signature says.
fn vote_in(transaction: &[u8]) -> Option<SignedVote> {
	let mut body = transaction;
	let length = Compact::<u32>::decode(&mut body).ok()?.0;
	if usize::try_from(length).ok()? != body.len() || body.first() != Some(&GENERAL) {
		return None;
	}
	let mut end = body.get(body.len().checked_sub(VOTE)?..)?;
	let (_, vote, signature) = <(u32, Vote, VoterSignature)>::decode_all(&mut end).ok()?;
	Some(SignedVote { vote, signature })
}

#[cfg(test)]
mod tests;

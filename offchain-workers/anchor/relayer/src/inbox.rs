//! Messages from the anchor: what this node's validators have seen of them, and their delivery.
//!
//! The chain believes a number of messages and the accumulator over them once two thirds of its validators
//! have signed the same. So nothing is signed that only one server says, unless the anchor is on this machine
//! and nothing is at stake; nothing that is not final; and nothing at all while servers contradict each other.

use crate::{
	contract::{Contract, Status},
	evm::{Address, AnchorBlock},
	metrics::{Alarm, Metrics},
	preimages::{self, Inbox, Seen},
	turns::{rank, Turn},
	RelayConfig, RelayError,
};
use codec::DecodeAll;
use millrace_client::{calls, ReadError, View};
use millrace_primitives::anchor::{
	AnchorId, AnchorStatus, InboxMark, TallyView, Vote, VoterKey, VoterSignature, MAX_BATCH,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

/// Votes that are cast for places that others have named, at one look.
const MAX_VOTES: usize = 8;

/// What a node's keystore signed.
#[derive(Deserialize)]
struct NodeVote {
	voter: u32,
	vote: String,
	signature: String,
}

/// Follows the inbox.
#[derive(Debug, Default)]
pub(crate) struct InboxRelay {
	turn: Turn,
	/// The last final block that something was believed of.
	last_final: Option<AnchorBlock>,
	/// Since when the servers have not seen what the chain has taken.
	behind_since: Option<Instant>,
	/// Round of votes that this is of: governance begins another one where it sets the inbox.
	round: u32,
	/// Places that this node has sent votes for, until the chain's state shows them.
	voted: Vec<(u32, u32, u64)>,
}

/// Who asks, and where.
pub(crate) struct Scene<'a> {
	/// The chain at a finalised block.
	pub(crate) view: &'a View,
	/// The contract.
	pub(crate) contract: &'a Contract,
	/// Its name on the chain.
	pub(crate) anchor: AnchorId,
	/// Where the chain stands with it.
	pub(crate) ours: &'a AnchorStatus,
	/// Keys of this node's validators.
	pub(crate) keys: &'a [VoterKey],
	/// Addresses of all validators.
	pub(crate) all: &'a [Address],
	/// Transactions that were seen.
	pub(crate) seen: &'a Seen,
	/// The configuration.
	pub(crate) config: &'a RelayConfig,
	/// The figures.
	pub(crate) metrics: &'a Metrics,
}

impl InboxRelay {
	/// Does what is to be done at a finalised block.
	pub(crate) async fn tick(&mut self, scene: &Scene<'_>) -> Result<(), RelayError> {
		let Scene { ours, metrics, .. } = scene;
		let votes =
			!scene.keys.is_empty() && may_vote(scene.config, scene.anchor.chain_id, metrics);
		let looked = self.look(scene.contract, ours, scene.config, metrics);
		let Some((theirs, block)) = looked.await? else {
			return Ok(());
		};
		let waiting = theirs.nonce.saturating_sub(ours.taken.nonce);
		metrics
			.inbox_waiting
			.set(i64::try_from(waiting).unwrap_or(i64::MAX));
		if ours.paused_until.is_some() {
			return Ok(());
		}
		let voted = match votes {
			true => self.vote(scene, &theirs, block).await,
			false => Ok(()),
		};
		// What others have attested is delivered also where this node cannot vote.
		let delivered = self.deliver(scene, block).await;
		voted.and(delivered)
	}

	/// The contract's inbox at a final block; nothing where the anchor contradicts what was final there, or
	/// what the chain has taken.
	async fn look(
		&mut self,
		contract: &Contract,
		ours: &AnchorStatus,
		config: &RelayConfig,
		metrics: &Metrics,
	) -> Result<Option<(Status, AnchorBlock)>, RelayError> {
		if self.round != ours.round {
			// What was final before has been judged by others.
			self.round = ours.round;
			self.last_final = None;
			self.behind_since = None;
		}
		let block = contract.reads().finalized().await?;
		let goes_on = self.goes_on(contract, block).await?;
		if !goes_on {
			metrics.set_alarm(Alarm::Regressed, true);
			tracing::error!(
				epoch = block.number,
				"the anchor has taken back what it had called final; nothing is attested"
			);
			return Ok(None);
		}
		let theirs = contract.status_at(block.number).await?;
		let agrees = self
			.agrees(contract, ours.taken, config, &theirs, block)
			.await?;
		if !agrees {
			metrics.set_alarm(Alarm::Regressed, true);
			tracing::error!(
				nonce = ours.taken.nonce,
				"the anchor's inbox is not the one that the chain has taken messages of; \
				 governance has to pause and to set the inbox"
			);
			return Ok(None);
		}
		metrics.set_alarm(Alarm::Regressed, false);
		// Another server may have answered this time, one that is behind.
		if self
			.last_final
			.is_none_or(|last| last.number < block.number)
		{
			self.last_final = Some(block);
		}
		Ok(Some((theirs, block)))
	}

	/// Whether final blocks are still those that were final before.
	async fn goes_on(&self, contract: &Contract, block: AnchorBlock) -> Result<bool, RelayError> {
		match self.last_final {
			// Another server answers this time, one that is behind.
			Some(last) if block.number < last.number => {
				let known = contract.reads().block(last.number).await;
				Ok(known.map_or(true, |known| known.hash == last.hash))
			}
			Some(last) if block.number == last.number => Ok(block.hash == last.hash),
			Some(last) => {
				let known = contract.reads().block(last.number).await?;
				Ok(known.hash == last.hash)
			}
			None => Ok(true),
		}
	}

	/// Whether the contract's inbox goes on from where the chain stands.
	async fn agrees(
		&mut self,
		contract: &Contract,
		taken: InboxMark,
		config: &RelayConfig,
		theirs: &Status,
		block: AnchorBlock,
	) -> Result<bool, RelayError> {
		if taken.nonce == 0 {
			return Ok(taken.acc.is_zero());
		}
		// Servers that are behind those of other validators do not know yet what the chain has taken.
		if taken.nonce > theirs.nonce {
			let since = *self.behind_since.get_or_insert_with(Instant::now);
			return Ok(since.elapsed() < config.alarm());
		}
		self.behind_since = None;
		if taken.nonce == theirs.nonce {
			return Ok(taken.acc == theirs.acc);
		}
		let acc = contract.accumulator_at(taken.nonce, block.number).await?;
		Ok(acc == taken.acc)
	}

	/// Votes on the newest place that can be voted on, and on those which others have named.
	async fn vote(
		&mut self,
		scene: &Scene<'_>,
		theirs: &Status,
		block: AnchorBlock,
	) -> Result<(), RelayError> {
		let ours = scene.ours;
		let chain = scene.view.chain();
		let tallies = scene.view.anchor_tallies().await?;
		self.voted
			.retain(|(round, session, _)| (*round, *session) == (ours.round, ours.session));
		for nonce in places(ours, theirs.nonce, &tallies) {
			let mut voters = Vec::new();
			for key in scene.keys {
				voters.extend(scene.view.anchor_voter(*key).await?);
			}
			let cast = tallies.iter().find(|tally| tally.nonce == nonce);
			let has_voted = |voter: &u32| {
				cast.is_some_and(|tally| tally.votes.iter().any(|vote| vote.voter == *voter))
			};
			if voters.iter().all(has_voted) {
				continue;
			}
			let acc = match nonce == theirs.nonce {
				true => theirs.acc,
				false => scene.contract.accumulator_at(nonce, block.number).await?,
			};
			let params = [
				serde_json::to_value(nonce),
				serde_json::to_value(acc),
				serde_json::to_value(block.number),
			];
			let params = params
				.into_iter()
				.map(Result::unwrap_or_default)
				.collect::<Vec<Value>>();
			let signed: Vec<NodeVote> = chain.ask("anchor_signVote", params).await?;
			for vote in &signed {
				let Some((voter, vote, signature)) = read_vote(vote) else {
					return Err(undecodable("anchor_signVote").into());
				};
				let outcome = chain
					.submit_duty(calls::anchor::vote(voter, &vote, &signature))
					.await;
				count(scene.metrics, "vote", outcome.is_ok());
				match outcome {
					Ok(_) if !self.voted.contains(&(vote.round, vote.session, nonce)) => {
						self.voted.push((vote.round, vote.session, nonce));
						tracing::info!(nonce, epoch = block.number, "voted on the anchor's inbox");
					}
					Ok(_) => {}
					Err(error) => tracing::debug!(%error, nonce, "a vote was not taken"),
				}
			}
		}
		Ok(())
	}

	/// Delivers what is attested, when it is this relayer's turn.
	async fn deliver(&mut self, scene: &Scene<'_>, block: AnchorBlock) -> Result<(), RelayError> {
		let ours = scene.ours;
		let most = ours.taken.nonce.saturating_add(MAX_BATCH.into());
		let reachable = ours
			.attested
			.iter()
			.filter(|attested| attested.mark.nonce <= most);
		let Some(target) = reachable
			.map(|attested| attested.mark)
			.max_by_key(|mark| mark.nonce)
		else {
			self.turn.rest();
			return Ok(());
		};
		let need = [&target.acc.0[..], &target.nonce.to_le_bytes()].concat();
		let own: Vec<Address> = scene
			.keys
			.iter()
			.map(crate::commitment::address_of)
			.collect();
		let place = rank(&need, &own, scene.all);
		// Delivering costs nobody anything, so the others wait for a block or two alone.
		let pause = scene.config.poll();
		if !self.turn.has_come(&need, place, pause, Instant::now()) {
			return Ok(());
		}
		let messages = gather(scene, target, block).await?;
		let outcome = scene
			.view
			.chain()
			.submit_duty(calls::anchor::deliver(&messages))
			.await;
		count(scene.metrics, "deliver", outcome.is_ok());
		match outcome {
			Ok(_) => tracing::info!(
				from = ours.taken.nonce,
				to = target.nonce,
				"messages of the anchor are delivered"
			),
			Err(error) => tracing::debug!(%error, "a delivery was not taken"),
		}
		Ok(())
	}
}

/// Whether what the servers say may be signed. Where it may not, whoever runs them is told what to do;
/// everything else goes on.
fn may_vote(config: &RelayConfig, chain_id: u64, metrics: &Metrics) -> bool {
	let refused = config.may_vote(chain_id).err();
	if let Some(error) = &refused {
		// Told once: it stays so until the relayer is started again.
		if !metrics.is_raised(Alarm::FewServers) {
			tracing::error!(%error, "this node's validators do not vote on the anchor's inbox");
		}
	}
	metrics.set_alarm(Alarm::FewServers, refused.is_some());
	refused.is_none()
}

/// The messages up to an attested place.
async fn gather(
	scene: &Scene<'_>,
	target: InboxMark,
	block: AnchorBlock,
) -> Result<Vec<Vec<u8>>, RelayError> {
	let taken = scene.ours.taken;
	let mut accumulators = Vec::new();
	for nonce in taken.nonce.saturating_add(1)..target.nonce {
		accumulators.push(scene.contract.accumulator_at(nonce, block.number).await?);
	}
	accumulators.push(target.acc);
	let inbox = Inbox {
		genesis: scene.ours.genesis,
		anchor: scene.anchor,
		deployed_at: scene.config.deployed_at,
	};
	let force_fee = scene.contract.number("forceFee").await?;
	let reads = scene.contract.reads();
	let messages = preimages::between(
		reads,
		&inbox,
		taken,
		&accumulators,
		block.number,
		scene.seen,
		force_fee,
	);
	Ok(messages.await?)
}

/// Numbers of messages to vote on: the newest that can be, and those that others have named, of which this
/// node sees as many. Where validators see different numbers, all of them come to agree on each.
fn places(ours: &AnchorStatus, theirs: u64, tallies: &[TallyView]) -> Vec<u64> {
	let attested = ours.attested.iter().map(|attested| attested.mark.nonce);
	let last = attested
		.max()
		.unwrap_or(ours.taken.nonce)
		.max(ours.taken.nonce);
	let can_be = |nonce: &u64| *nonce > last && *nonce <= theirs && *nonce <= ours.votable;
	let newest = theirs.min(ours.votable);
	let mut places: Vec<u64> = tallies.iter().map(|tally| tally.nonce).collect();
	places.push(newest);
	places.retain(can_be);
	places.sort_unstable_by(|a, b| b.cmp(a));
	places.dedup();
	places.truncate(MAX_VOTES);
	places
}

fn read_vote(signed: &NodeVote) -> Option<(u32, Vote, VoterSignature)> {
	let bytes = |text: &str| hex::decode(text.strip_prefix("0x")?).ok();
	let vote = Vote::decode_all(&mut &bytes(&signed.vote)?[..]).ok()?;
	let signature = bytes(&signed.signature)?.try_into().ok()?;
	Some((signed.voter, vote, signature))
}

fn undecodable(what: &str) -> ReadError {
	ReadError::Undecodable {
		what: what.into(),
		reason: "that is no vote".into(),
	}
}

fn count(metrics: &Metrics, kind: &str, is_ok: bool) {
	let outcome = if is_ok { "sent" } else { "refused" };
	metrics.duties.with_label_values(&[kind, outcome]).inc();
}

/// Keys of validators that the node has, if it tells whoever sits at its machine.
pub(crate) async fn keys_of_node(view: &View) -> Result<Vec<VoterKey>, ReadError> {
	let keys: Vec<String> = match view.chain().ask("anchor_voterKeys", Vec::new()).await {
		Ok(keys) => keys,
		// A stranger's node, or an older one.
		Err(ReadError::Refused { .. }) => return Ok(Vec::new()),
		Err(error) => return Err(error),
	};
	let read = |text: &String| -> Option<VoterKey> {
		hex::decode(text.strip_prefix("0x")?).ok()?.try_into().ok()
	};
	Ok(keys.iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests;

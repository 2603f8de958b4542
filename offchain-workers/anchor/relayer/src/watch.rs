//! Looks for blocks that validators signed and that are not of this chain's finalised ones, and reports them
//! to the chain, and those of a quorum to the contract, which freezes.
//!
//! Whoever wants to deceive an anchor has to show it signatures. So every transaction to the contract is
//! looked at, those that failed among them, and every event in which the contract tells what it has found to
//! be signed, by whatever contract that came to it. Both from the newest blocks on: nothing has to be final
//! for a signature to be one.

use crate::{
	commitment::{Commitment, Signed},
	contract::{read_report, read_submission, Call, Contract},
	evidence::Evidence,
	evm::{hex_bytes, hex_hash, keccak, Address, ReadsError},
	metrics::{Alarm, Metrics},
	ours::{self, Authorities, OursError},
	preimages::Seen,
	sender::{Progress, Sender},
	RelayError,
};
use millrace_client::{
	calls::{self, anchor::CheckpointVote},
	AccountKey, Chain, ReadError, SubmitError, View,
};
use millrace_primitives::{BlockNumber, H256};
use serde_json::{json, Value};
use std::collections::VecDeque;

/// Blocks of the anchor that are looked through at one tick.
const BLOCKS_PER_TICK: u64 = 50;
/// Blocks behind the head from which a new watcher begins.
const BEGIN_BEHIND: u64 = 120;
/// Blocks below the head in which one that is not there is asked for again.
const SETTLED: u64 = 5;
/// Blocks that are looked through again where the anchor has taken some back.
const REWIND: u64 = 20;
/// Blocks that others may be ahead of this node.
pub(crate) const SOON: BlockNumber = 256;
/// Commitments of such blocks that are kept until it has come so far, of those that came one way: a server
/// that makes some up keeps back nothing of what others show.
const EARLY: usize = 64;
/// Commitments of one server's answer that are judged, of those that are not of this chain.
const JUDGED: usize = 128;
/// Forks that are remembered, so that none is reported twice.
const FOUND: usize = 1_024;
/// Forks that wait to be reported: whoever has one key can sign as many as he likes.
const FORKS: usize = 64;
/// Signers that are reported at one tick: each report waits for finality, and so does all else.
const REPORTS_PER_TICK: usize = 4;
/// The call that reports a fork.
const REPORT: &str = "reportDoubleSign";

/// Signatures for a block that is not this chain's.
#[derive(Clone, Debug)]
struct Fork {
	/// Those of the set alone, each at its place.
	signed: Signed,
	set: Authorities,
	/// Places of those who signed.
	signers: Vec<usize>,
	/// How many of them the chain has been told of.
	told_here: usize,
	/// Whether nothing more can be done at the contract.
	is_told_there: bool,
}

/// Something signed, and the way that it came.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
	signed: Signed,
	by: Way,
}

/// A way on which signatures come to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
	/// In a transaction to the contract.
	Transaction,
	/// In an event that a server tells of, by its place among the servers.
	Event(usize),
}

impl Fork {
	/// What it is known by: the same commitment may come again with the signatures of others.
	fn name(&self) -> H256 {
		let signatures = self.signed.signatures.iter().flatten().flatten();
		let mut bytes = self.signed.commitment.encode();
		bytes.extend(signatures);
		keccak(&bytes)
	}
}

/// The watcher.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
	next: Option<u64>,
	/// Hash of the block that was looked through last.
	last: Option<H256>,
	/// Parent of the block at which it went back, so that it does so once.
	rewound: Option<H256>,
	evidence: Evidence,
	/// Names of the forks that were found.
	found: VecDeque<H256>,
	/// Signed for blocks that this node does not know yet: others may be ahead of it.
	early: VecDeque<Shown>,
	/// The first one is being reported.
	forks: VecDeque<Fork>,
}

impl Watcher {
	/// Has the events of a block of the anchor looked at with the next ones, however old it is.
	pub(crate) fn look_at(&mut self, block: u64) {
		self.evidence.look_at(block);
	}

	/// Looks through new blocks of the anchor, and through new events of the contract.
	pub(crate) async fn scan(
		&mut self,
		chain: &Chain,
		contract: &Contract,
		seen: &mut Seen,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let last = chain.latest().await?.block().number;
		let mut early = std::mem::take(&mut self.early);
		while let Some(shown) = early.pop_front() {
			if let Err(error) = self.judge(chain, shown.clone(), last, metrics).await {
				self.early.push_back(shown);
				self.early.extend(early);
				return Err(error);
			}
		}
		// What one way fails to show, the other may.
		let events = self.scan_events(chain, contract, last, metrics).await;
		let blocks = self.scan_blocks(chain, contract, last, seen, metrics).await;
		events.and(blocks)
	}

	/// Looks through what servers tell of the contract's events.
	async fn scan_events(
		&mut self,
		chain: &Chain,
		contract: &Contract,
		last: BlockNumber,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		for mut answer in self.evidence.ask(contract, chain.genesis()).await? {
			let by = Way::Event(answer.server);
			let mut judged = 0;
			for told in std::mem::take(&mut answer.told) {
				// What is of this chain takes nobody's place: with one key of a set, all that the set has
				// signed can be shown to the contract again.
				match is_ours(chain, &told.commitment, last).await {
					Ok(true) => continue,
					Err(error) if error.is_transient() => return Err(error.into()),
					_ => {}
				}
				if judged >= JUDGED {
					tracing::warn!("a server tells of more commitments than are judged");
					break;
				}
				judged = judged.saturating_add(1);
				if let Some(signed) = told.signed() {
					let shown = Shown { signed, by };
					self.judge(chain, shown, last, metrics).await?;
				}
			}
			self.evidence.settle(&answer);
		}
		Ok(())
	}

	/// Looks through the transactions of new blocks.
	async fn scan_blocks(
		&mut self,
		chain: &Chain,
		contract: &Contract,
		last: BlockNumber,
		seen: &mut Seen,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let head = contract.reads().head().await?;
		let from = self
			.next
			.unwrap_or_else(|| head.saturating_sub(BEGIN_BEHIND));
		let to = head.min(from.saturating_add(BLOCKS_PER_TICK));
		for number in from..=to {
			let params = json!([format!("{number:#x}"), true]);
			let block = contract.reads().any("eth_getBlockByNumber", params).await;
			let block = match block {
				Ok(block) if block.is_object() => block,
				// A server that does not have it yet says so in the same way as of one that there is not.
				Ok(_) if number.saturating_add(SETTLED) > head => return Ok(()),
				Ok(_) => Value::Null,
				Err(ReadsError::Rpc(error)) if error.is_null_round() => Value::Null,
				// None is left out because it could not be asked for.
				Err(error) => return Err(error.into()),
			};
			if self.is_taken_back(&block) {
				self.next = Some(number.saturating_sub(REWIND));
				return Ok(());
			}
			let transactions = block.get("transactions").and_then(Value::as_array);
			for transaction in transactions.into_iter().flatten() {
				let Some((sender, data)) = sent_to(transaction, contract.address()) else {
					continue;
				};
				seen.note(sender, &data);
				for signed in signed_in(&data) {
					let by = Way::Transaction;
					self.judge(chain, Shown { signed, by }, last, metrics)
						.await?;
				}
			}
			self.next = Some(number.saturating_add(1));
			self.last = block.get("hash").and_then(hex_hash).or(self.last);
		}
		Ok(())
	}

	/// Whether a block does not stand on the one that was looked through before: what came in its place
	/// was not looked at.
	fn is_taken_back(&mut self, block: &Value) -> bool {
		let parent = block.get("parentHash").and_then(hex_hash);
		let (Some(parent), Some(last)) = (parent, self.last) else {
			return false;
		};
		if parent == last || self.rewound == Some(parent) {
			return false;
		}
		self.rewound = Some(parent);
		self.last = None;
		true
	}

	/// Compares what was signed with this chain.
	async fn judge(
		&mut self,
		chain: &Chain,
		shown: Shown,
		last: BlockNumber,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let commitment = shown.signed.commitment;
		if commitment.genesis != chain.genesis() {
			return Ok(());
		}
		if commitment.block > last && commitment.block <= last.saturating_add(SOON) {
			self.wait_for(shown);
			return Ok(());
		}
		let fork = match fork(chain, shown.signed, last).await {
			Ok(fork) => fork,
			Err(error) if is_transient(&error) => return Err(error),
			// Whoever writes nonsense must not stop the watch.
			Err(error) => {
				tracing::warn!(%error, block = commitment.block, "signatures cannot be judged");
				None
			}
		};
		let Some(fork) = fork else {
			return Ok(());
		};
		let name = fork.name();
		if self.found.contains(&name) {
			return Ok(());
		}
		if self.found.len() >= FOUND {
			self.found.pop_front();
		}
		self.found.push_back(name);
		metrics.set_alarm(Alarm::Fork, true);
		tracing::error!(
			block = fork.signed.commitment.block,
			set = fork.set.id,
			signers = fork.signers.len(),
			"validators have signed a block that is not of this chain"
		);
		self.keep(fork);
		Ok(())
	}

	/// Keeps something until this node has come so far. Of too many those with the fewest signatures go.
	fn wait_for(&mut self, shown: Shown) {
		if self.early.contains(&shown) {
			return;
		}
		let alike = self.early.iter().enumerate();
		let alike = alike.filter(|(_, known)| known.by == shown.by);
		let alike: Vec<(usize, usize)> = alike
			.map(|(place, known)| (known.signed.count(), place))
			.collect();
		if alike.len() >= EARLY {
			match alike.into_iter().min() {
				Some((fewest, place)) if fewest <= shown.signed.count() => {
					self.early.remove(place);
				}
				_ => return,
			}
		}
		self.early.push_back(shown);
	}

	/// Keeps a fork to be reported: those with a quorum, which can do harm, right behind the one that is
	/// being reported.
	fn keep(&mut self, fork: Fork) {
		let place = match fork.signed.has_quorum(&fork.set.addresses) {
			true => self.forks.len().min(1),
			false => self.forks.len(),
		};
		self.forks.insert(place, fork);
		if self.forks.len() > FORKS {
			tracing::warn!("there are more forks than are reported");
			self.forks.truncate(FORKS);
		}
	}

	/// Reports what was found, on both sides. What fails is reported again.
	pub(crate) async fn report(
		&mut self,
		view: &View,
		mut sender: Option<&mut Sender>,
		account: Option<&AccountKey>,
		metrics: &Metrics,
	) -> Result<(), RelayError> {
		let Some(fork) = self.forks.front_mut() else {
			return Ok(());
		};
		// The contract first: it pays as long as it is not frozen.
		let there = match sender.as_deref_mut() {
			Some(sender) if !fork.is_told_there => report_there(view, sender, fork, metrics).await,
			_ => Ok(true),
		};
		fork.is_told_there = matches!(there, Ok(true));
		let here = match account {
			Some(account) => report_here(view, account, fork, metrics).await,
			None => {
				if fork.told_here == 0 {
					tracing::warn!("no account is configured that could report the offence");
				}
				fork.told_here = fork.signers.len();
				Ok(())
			}
		};
		let is_told = fork.is_told_there && fork.told_here >= fork.signers.len();
		if is_told {
			self.forks.pop_front();
		} else if sender.is_none_or(|sender| !sender.is_sending(REPORT)) {
			// What cannot be reported now must not keep the others back.
			self.forks.rotate_left(1);
		}
		there.and(here)
	}
}

/// Whether the same may be known later.
fn is_transient(error: &RelayError) -> bool {
	matches!(error, RelayError::Ours(error) if error.is_transient())
}

/// What a transaction to the contract says, and who sent it.
fn sent_to(transaction: &Value, contract: Address) -> Option<(Address, Vec<u8>)> {
	let address = |name: &str| -> Option<Address> {
		let text = transaction.get(name)?.as_str()?;
		text.to_lowercase().parse().ok()
	};
	if address("to")? != contract {
		return None;
	}
	Some((address("from")?, hex_bytes(transaction.get("input")?)?))
}

/// What somebody has signed of the set that the same transaction names: nonsense is not asked the chain for.
fn signed_in(data: &[u8]) -> Vec<Signed> {
	let submissions = match read_report(data) {
		Some(both) => Vec::from(both),
		None => read_submission(data).into_iter().collect(),
	};
	submissions
		.iter()
		.filter_map(|submission| {
			let signed = submission.signed.signed(submission.authorities.len())?;
			let is_signed = !signed.signers(&submission.authorities).is_empty();
			is_signed.then_some(signed)
		})
		.collect()
}

/// Whether this chain has a block with such a root.
async fn is_ours(
	chain: &Chain,
	commitment: &Commitment,
	last: BlockNumber,
) -> Result<bool, OursError> {
	let is_past = commitment.block <= last;
	Ok(is_past && ours::root(chain, commitment.block).await? == commitment.root)
}

/// Who has signed a block that is not of this chain; `None` if nobody of ours has.
async fn fork(
	chain: &Chain,
	signed: Signed,
	last: BlockNumber,
) -> Result<Option<Fork>, RelayError> {
	let commitment = signed.commitment;
	if is_ours(chain, &commitment, last).await? {
		return Ok(None);
	}
	let first = ours::first_block_of(chain, commitment.set, 0, last).await?;
	let set = match ours::authorities(chain, commitment.set, first).await {
		Ok(set) => set,
		// Nobody of ours: a set that there has never been.
		Err(OursError::NoSet(_)) => return Ok(None),
		Err(error) => return Err(error.into()),
	};
	let signed = signed.right(&set.addresses);
	let places = signed.signatures.iter().enumerate();
	let signers: Vec<usize> = places
		.filter(|(_, signature)| signature.is_some())
		.map(|(index, _)| index)
		.collect();
	Ok((!signers.is_empty()).then_some(Fork {
		signed,
		set,
		signers,
		told_here: 0,
		is_told_there: false,
	}))
}

/// Reports some signers to the chain, one after the other.
async fn report_here(
	view: &View,
	account: &AccountKey,
	fork: &mut Fork,
	metrics: &Metrics,
) -> Result<(), RelayError> {
	for _ in 0..REPORTS_PER_TICK {
		let Some(index) = fork.signers.get(fork.told_here).copied() else {
			return Ok(());
		};
		if !report_signer(view, account, fork, index, metrics).await? {
			return Ok(());
		}
		fork.told_here = fork.told_here.saturating_add(1);
	}
	Ok(())
}

/// Reports one signer. Whether nothing more can be done about it.
async fn report_signer(
	view: &View,
	account: &AccountKey,
	fork: &Fork,
	index: usize,
	metrics: &Metrics,
) -> Result<bool, RelayError> {
	let chain = view.chain();
	let (Some(key), Some(Some(signature))) =
		(fork.set.keys.get(index), fork.signed.signatures.get(index))
	else {
		return Ok(true);
	};
	let vote = CheckpointVote {
		commitment: fork.signed.commitment.encode(),
		key: *key,
		signature: *signature,
	};
	let Some(owner) = owner(view, fork, *key).await? else {
		tracing::warn!(
			set = fork.set.id,
			"nobody can be shown to have had a key that signed: the state of its session is gone here, and \
			 a relayer at an archive node has to report it"
		);
		return Ok(true);
	};
	let (signed, last) = (fork.signed.commitment.block, view.block());
	let call = if signed < last.number {
		let ancestry = chain.ancestry_proof(signed, last.number).await?;
		let header = chain.header_bytes(last.hash).await?;
		calls::anchor::report_fork_voting(&vote, &ancestry, &header, &owner)
	} else if signed > last.number.saturating_add(SOON) {
		calls::anchor::report_future_block_voting(&vote, &owner)
	} else {
		// Soon there is a block of this height, by which the vote is proven to be false.
		return Ok(false);
	};
	match chain.submit(account, call).await {
		Ok(included) => {
			metrics.reports.with_label_values(&["chain"]).inc();
			tracing::info!(block = included.number, "an offence is reported");
			Ok(true)
		}
		// Somebody else may have reported it.
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

/// Shows whose key it was, in the session of its set; nothing where its state is gone.
async fn owner(view: &View, fork: &Fork, key: [u8; 33]) -> Result<Option<Vec<u8>>, RelayError> {
	let set = fork.set.id;
	let current = view.checkpoint_set().await?.map(|current| current.id);
	if current == Some(set) {
		return Ok(view.checkpoint_key_owner(set, key).await?);
	}
	// States are pruned: that of the session's last block is the one that is kept longest.
	let chain = view.chain();
	let behind = ours::first_block_of(chain, set.saturating_add(1), 0, view.block().number).await?;
	let hash = chain.hash_of(behind.saturating_sub(1)).await?;
	match chain.at(hash).await?.checkpoint_key_owner(set, key).await {
		Ok(owner) => Ok(owner),
		Err(ReadError::Refused { .. }) => Ok(None),
		Err(error) => Err(error.into()),
	}
}

/// Shows the contract both commitments of the block. Whether nothing more can be done there.
async fn report_there(
	view: &View,
	sender: &mut Sender,
	fork: &Fork,
	metrics: &Metrics,
) -> Result<bool, RelayError> {
	let block: BlockNumber = fork.signed.commitment.block;
	// Without a quorum nothing follows from a report there, and whoever has one key could have every relayer
	// pay for as many as he likes.
	if block > view.block().number || !fork.signed.has_quorum(&fork.set.addresses) {
		return Ok(true);
	}
	if sender.is_busy() && !sender.is_sending(REPORT) {
		return Ok(false);
	}
	// Without a commitment of the same block there is nothing that it contradicts.
	let Some(true_one) = ours::signed(view.chain(), block).await? else {
		return Ok(true);
	};
	let call = Call::ReportDoubleSign {
		first: true_one.signed.right(&fork.set.addresses).form(),
		second: fork.signed.form(),
		authorities: fork.set.addresses.clone(),
	};
	match sender.send(&call).await? {
		Progress::Waiting => Ok(false),
		Progress::Done(_) => {
			metrics.reports.with_label_values(&["anchor"]).inc();
			tracing::info!(block, "the fork is reported to the anchor");
			Ok(true)
		}
		Progress::Refused(refusal) => {
			tracing::warn!(%refusal, "the anchor does not take a report");
			Ok(true)
		}
		Progress::Failed(_) | Progress::Replaced => Ok(false),
	}
}

#[cfg(test)]
mod tests;

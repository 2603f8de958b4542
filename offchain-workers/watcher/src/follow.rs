//! The loop: every finalised block, what it brings, and what is to be done at it.

use crate::{
	config::Mode,
	records::{Check, Key, Stage, StoreError},
	shared::{Fault, Shared, NEXT},
	Received, WatchError,
};
use codec::Decode;
use futures::StreamExt;
use millrace_client::{Block, ReadError, View};
use millrace_primitives::{
	challenge::{CaseId, Evidence},
	effects::Transcript,
	execution::empty_transcript,
	peer::PeerId,
	views::MAX_DEALS_PAGE,
	BlockNumber, EpochIndex,
};
use std::{
	collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
	sync::Arc,
};
use tokio::{
	sync::mpsc,
	task::{Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Received receipts that are stored in one go.
const BATCH: usize = 256;
/// Calls that wait to be made again; further ones that were received are left out.
const MAX_CHECKS: usize = 1_024;
/// Calls that are made again at once.
const LOOKS_AT_ONCE: usize = 2;
/// Reports that are compared at once.
const COMPARISONS_AT_ONCE: usize = 2;
/// Calls that wait above which, in the mode `all`, not every receipt that is received joins them.
const FEW: usize = 32;
/// One in so many does then.
const SAMPLED: u8 = 4;
/// Blocks whose events are still to be had from a node that drops old state.
const REMEMBERED: BlockNumber = 200;
/// Openings of past epochs that are looked for in one block.
const SWEPT_AT_ONCE: usize = 32;
/// Epochs before the present one in which an opening can still lead to a charge, and for which
/// records are kept.
const EPOCHS: EpochIndex = 26;
/// Blocks until a task that died is started again.
const PAUSE: BlockNumber = 8;

/// Something that is done beside the loop.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Work {
	Press(CaseKey),
	Look(Key),
	Compare(PeerId, EpochIndex),
	Slash(PeerId, EpochIndex),
}

/// A case as a key of maps.
type CaseKey = Vec<u8>;

type Ended = Result<Option<BlockNumber>, Fault>;

/// The loop's own memory. What must survive is in the records.
pub(crate) struct Watcher {
	shared: Arc<Shared>,
	running: JoinSet<Ended>,
	works: HashMap<Id, Work>,
	/// When to go on with what is waiting for a block.
	resume: HashMap<Work, BlockNumber>,
	looks: BTreeSet<Key>,
	groups: BTreeMap<(PeerId, EpochIndex), u32>,
	/// Openings of past epochs that are to be looked for.
	unswept: VecDeque<(PeerId, EpochIndex)>,
	/// The chain as it was seen last.
	view: Option<View>,
	/// Last block whose events were read.
	last: Option<BlockNumber>,
	epoch: Option<EpochIndex>,
}

impl Watcher {
	pub(crate) async fn new(shared: Arc<Shared>) -> Result<Self, StoreError> {
		let (checks, groups) = shared
			.store
			.with(|records| Ok((records.checks()?, records.held_groups()?)))
			.await?;
		Ok(Self {
			shared,
			running: JoinSet::new(),
			works: HashMap::new(),
			resume: HashMap::new(),
			looks: checks.into_iter().map(|(key, _)| key).collect(),
			groups: groups.into_iter().map(|group| (group, 0)).collect(),
			unswept: VecDeque::new(),
			view: None,
			last: None,
			epoch: None,
		})
	}

	/// Watches until it is cancelled or the disk fails.
	pub(crate) async fn follow(
		mut self,
		mut received: mpsc::Receiver<Received>,
		cancel: CancellationToken,
	) -> Result<(), WatchError> {
		let mut blocks = self.shared.chain.finalized();
		let mut batch = Vec::new();
		let mut is_open = true;
		loop {
			tokio::select! {
				() = cancel.cancelled() => break,
				Some(ended) = self.running.join_next_with_id() => {
					self.ended(ended)?;
					self.start_looks();
				}
				count = received.recv_many(&mut batch, BATCH), if is_open => {
					is_open = count > 0;
					self.receive(std::mem::take(&mut batch)).await?;
				}
				Some(block) = blocks.next() => {
					let seen = tokio::select! {
						() = cancel.cancelled() => break,
						seen = self.at(block) => seen,
					};
					match seen {
						Ok(()) => {}
						Err(Fault::Store(error)) => return Err(error.into()),
						Err(error) => tracing::warn!(%error, "the chain could not be looked at"),
					}
				}
			}
		}
		self.running.shutdown().await;
		Ok(())
	}

	/// Keeps what was received, and chooses what is made again.
	async fn receive(&mut self, batch: Vec<Received>) -> Result<(), StoreError> {
		let foreign = |received: &Received| {
			let peer = received.receipt.receipt.peer;
			!self.shared.own.contains(&peer)
		};
		let batch: Vec<Received> = batch.into_iter().filter(foreign).collect();
		let receipts: Vec<_> = batch
			.iter()
			.map(|received| received.receipt.clone())
			.collect();
		for signed in &receipts {
			let group = (signed.receipt.peer, signed.receipt.epoch);
			self.groups.entry(group).or_default();
		}
		let doubles = self
			.shared
			.store
			.with(move |records| records.hold(&receipts))
			.await?;
		for (first, second) in doubles {
			let evidence = Evidence::DoubleSeq { first, second };
			self.shared
				.suspect(evidence, "it has signed two receipts under one number")
				.await?;
		}
		let mut checks = Vec::new();
		for received in batch {
			let waiting = self.looks.len().saturating_add(checks.len());
			if !self.is_chosen(waiting)? {
				continue;
			}
			if waiting >= MAX_CHECKS {
				self.shared.metrics.dropped.inc();
				continue;
			}
			checks.push(check(received));
		}
		self.add(checks).await
	}

	/// Whether a received receipt is looked at: nobody can tell beforehand.
	fn is_chosen(&self, waiting: usize) -> Result<bool, StoreError> {
		if self.shared.mode == Mode::Own || waiting < FEW {
			return Ok(true);
		}
		let mut byte = [0];
		getrandom::fill(&mut byte).map_err(|error| StoreError::Thread(error.to_string()))?;
		Ok(byte[0] % SAMPLED == 0)
	}

	async fn add(&mut self, checks: Vec<Check>) -> Result<(), StoreError> {
		if checks.is_empty() {
			return Ok(());
		}
		let added = self
			.shared
			.store
			.with(move |records| records.add_checks(&checks))
			.await?;
		self.looks.extend(added);
		Ok(())
	}

	/// What a block brings, and what is to be done at it.
	async fn at(&mut self, block: Block) -> Result<(), Fault> {
		let view = self.shared.chain.at(block.hash).await?;
		let status = view.epoch().await?;
		let present = status.info.index;
		if self.epoch != Some(present) {
			let oldest = present.saturating_sub(EPOCHS);
			let pruned = self.shared.store.with(move |records| records.prune(oldest));
			pruned.await?;
			self.epoch = Some(present);
		}
		if self.shared.mode == Mode::All {
			self.openings(&view, block.number, present).await?;
		}
		self.schedule(&view, present).await
	}

	/// Receipts that audits opened: told by events, or found where those are gone.
	async fn openings(
		&mut self,
		view: &View,
		number: BlockNumber,
		present: EpochIndex,
	) -> Result<(), Fault> {
		let first = match self.last {
			Some(last) if number.saturating_sub(last) <= REMEMBERED => last.saturating_add(1),
			// Nobody has looked for long.
			_ => {
				self.unswept = past_openings(view, present).await?.into();
				number
			}
		};
		for block in first..=number {
			let mut opened = Vec::new();
			match self.shared.chain.events(block).await {
				Ok(events) => {
					for event in events {
						if event.pallet == "Receipts" && event.name == "ReceiptsOpened" {
							type Fields = (PeerId, EpochIndex, u32);
							opened.extend(Fields::decode(&mut &event.fields[..]).ok());
						}
					}
				}
				Err(error) if error.is_transient() => return Err(error.into()),
				Err(error) => tracing::warn!(block, %error, "the events of a block are gone"),
			}
			for (peer, epoch, _) in opened {
				self.opening(view, peer, epoch).await?;
			}
			self.last = Some(block);
		}
		for _ in 0..SWEPT_AT_ONCE {
			let Some((peer, epoch)) = self.unswept.pop_front() else {
				break;
			};
			self.opening(view, peer, epoch).await?;
		}
		Ok(())
	}

	async fn opening(&mut self, view: &View, peer: PeerId, epoch: EpochIndex) -> Result<(), Fault> {
		if self.shared.own.contains(&peer) {
			return Ok(());
		}
		let opened = view.opened(peer, epoch).await?;
		self.add(opened.into_iter().map(Check::opened).collect())
			.await?;
		Ok(())
	}

	/// Starts what is due at this block.
	async fn schedule(&mut self, view: &View, present: EpochIndex) -> Result<(), Fault> {
		let (challenges, slashes) = self
			.shared
			.store
			.with(|records| Ok((records.suspicions()?, records.slashes()?)))
			.await?;
		for challenge in challenges {
			if !matches!(challenge.stage, Stage::Over(_)) {
				let case = challenge.case;
				let shared = self.shared.clone();
				let view = view.clone();
				self.start(
					view.block().number,
					Work::Press(case_key(&case)),
					async move { shared.press(&view, case).await },
				);
			}
		}
		let now = view.block().number;
		for (peer, epoch, since) in slashes {
			// The view may be older than the block of the slash.
			if now < since {
				continue;
			}
			let (shared, view) = (self.shared.clone(), view.clone());
			self.start(view.block().number, Work::Slash(peer, epoch), async move {
				shared.apply_slashes(&view, peer, epoch).await
			});
		}
		self.view = Some(view.clone());
		self.start_looks();
		let over: Vec<_> = self
			.groups
			.iter()
			.filter(|((_, epoch), _)| *epoch < present)
			.map(|((peer, epoch), tries)| (*peer, *epoch, *tries))
			.collect();
		for (peer, epoch, tries) in over {
			if self.count(|work| matches!(work, Work::Compare(..))) >= COMPARISONS_AT_ONCE {
				break;
			}
			let (shared, view) = (self.shared.clone(), view.clone());
			self.start(
				view.block().number,
				Work::Compare(peer, epoch),
				async move { shared.compare(&view, peer, epoch, tries).await },
			);
		}
		Ok(())
	}

	/// Starts to look at receipts, as many as are looked at once.
	fn start_looks(&mut self) {
		let Some(view) = self.view.clone() else {
			return;
		};
		let due: Vec<Key> = self.looks.iter().cloned().collect();
		for key in due {
			if self.count(|work| matches!(work, Work::Look(_))) >= LOOKS_AT_ONCE {
				break;
			}
			let (shared, view) = (self.shared.clone(), view.clone());
			self.start(view.block().number, Work::Look(key.clone()), async move {
				shared.look(&view, key).await
			});
		}
	}

	/// Starts something, unless it runs or its block has not come.
	fn start(
		&mut self,
		now: BlockNumber,
		work: Work,
		task: impl std::future::Future<Output = Ended> + Send + 'static,
	) {
		let waits = self.resume.get(&work).is_some_and(|block| *block > now);
		if waits || self.count(|other| *other == work) > 0 {
			return;
		}
		let handle = self.running.spawn(task);
		self.works.insert(handle.id(), work);
	}

	fn count(&self, is_it: impl Fn(&Work) -> bool) -> usize {
		self.works.values().filter(|work| is_it(work)).count()
	}

	/// Something came to its end, or has to wait.
	fn ended(&mut self, outcome: Result<(Id, Ended), JoinError>) -> Result<(), StoreError> {
		let (id, ended) = match outcome {
			Ok(ended) => ended,
			Err(error) => {
				tracing::error!(%error, "a task of the watcher died");
				let again = self.last_known().saturating_add(PAUSE);
				(error.id(), Ok(Some(again)))
			}
		};
		let Some(work) = self.works.remove(&id) else {
			return Ok(());
		};
		let again = match ended {
			Ok(again) => again,
			Err(Fault::Store(error)) => return Err(error),
			Err(error) => {
				tracing::warn!(%error, ?work, "the watcher does not get on; it tries again");
				Some(after_failure(&work, self.last_known()))
			}
		};
		match again {
			Some(block) => {
				if let (Work::Compare(peer, epoch), true) = (&work, block != NEXT) {
					let tries = self.groups.entry((*peer, *epoch)).or_default();
					*tries = tries.saturating_add(1);
				}
				self.resume.insert(work, block);
			}
			None => {
				self.resume.remove(&work);
				match work {
					Work::Look(key) => {
						self.looks.remove(&key);
					}
					Work::Compare(peer, epoch) => {
						self.groups.remove(&(peer, epoch));
					}
					Work::Press(_) | Work::Slash(..) => {}
				}
			}
		}
		Ok(())
	}

	fn last_known(&self) -> BlockNumber {
		self.view.as_ref().map_or(0, |view| view.block().number)
	}
}

/// Block at which to go on with something that failed. Looks begin whenever there is room: at the same
/// block they would fail again at once, and again.
fn after_failure(work: &Work, now: BlockNumber) -> BlockNumber {
	match work {
		Work::Look(_) => now.saturating_add(1),
		Work::Press(_) | Work::Compare(..) | Work::Slash(..) => NEXT,
	}
}

/// What is to be made again of a received receipt.
fn check(received: Received) -> Check {
	let receipt = received.receipt;
	let transcript = match received.transcript {
		Some(transcript) => Some(transcript),
		None if receipt.receipt.transcript == empty_transcript() => Some(Transcript::default()),
		None => None,
	};
	Check {
		opened: false,
		request: Some(received.request),
		transcript,
		..Check::opened(receipt)
	}
}

/// Workers of all deals, with the epochs whose openings may still matter.
async fn past_openings(
	view: &View,
	present: EpochIndex,
) -> Result<Vec<(PeerId, EpochIndex)>, ReadError> {
	let mut peers = BTreeSet::new();
	let mut from = 0;
	loop {
		let deals = view.deals(None, from, MAX_DEALS_PAGE).await?;
		let Some(last) = deals.last() else { break };
		from = last.deal.saturating_add(1);
		for deal in &deals {
			peers.extend(deal.workers.iter().map(|worker| worker.worker.peer));
		}
	}
	let epochs = present.saturating_sub(EPOCHS)..present;
	let recent_first = epochs.rev();
	Ok(recent_first
		.flat_map(|epoch| peers.iter().map(move |peer| (*peer, epoch)))
		.collect())
}

fn case_key(case: &CaseId) -> CaseKey {
	codec::Encode::encode(case)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::records::tests::signed;
	use millrace_primitives::{execution::Request, H256};

	#[test]
	fn a_look_that_failed_waits_for_another_block() {
		let peer = PeerId::default();
		let look = Work::Look(Key::new(&signed(peer, 4, 0, b"a")));
		assert_eq!(after_failure(&look, 9), 10);
		// It is no attempt at a comparison that the node was away.
		assert_eq!(after_failure(&Work::Compare(peer, 4), 9), NEXT);
	}

	#[test]
	fn a_received_receipt_brings_its_data() {
		let receipt = signed(PeerId(H256::repeat_byte(7)), 4, 0, b"a");
		let received = |receipt, transcript| {
			check(Received {
				receipt,
				request: Request::default(),
				transcript,
			})
		};
		let plain = received(receipt.clone(), None);
		assert!(!plain.opened);
		assert_eq!(plain.request, Some(Request::default()));
		assert_eq!(plain.transcript, Some(Transcript::default()));
		// A call with effects whose transcript did not come along: the peer is asked for it.
		let mut with_effects = receipt;
		with_effects.receipt.transcript = H256::zero();
		assert_eq!(received(with_effects, None).transcript, None);
	}
}

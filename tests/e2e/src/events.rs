//! What the runtime said, block by block.

use crate::eventually;
use codec::Decode;
use futures::StreamExt;
use millrace_client::{Chain, ChainEvent};
use millrace_primitives::BlockNumber;
use std::{
	collections::BTreeMap,
	ops::RangeInclusive,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// Pause before a block that could not be read is read again.
const PAUSE: Duration = Duration::from_millis(200);
/// Longest wait for the events of a block that is final.
const PATIENCE: Duration = Duration::from_secs(60);

type Blocks = BTreeMap<BlockNumber, Vec<ChainEvent>>;

/// The events of all final blocks, from some block on. Nodes drop the state of old blocks, so they are
/// read as the blocks come.
#[derive(Debug)]
pub struct Events {
	blocks: Arc<Mutex<Blocks>>,
	task: JoinHandle<()>,
}

impl Events {
	/// Begins with a block.
	pub fn open(chain: &Chain, first: BlockNumber) -> Self {
		let blocks: Arc<Mutex<Blocks>> = Arc::default();
		let (chain, written) = (chain.clone(), Arc::clone(&blocks));
		let task = tokio::spawn(async move {
			let mut next = first;
			let mut finalized = chain.finalized();
			while let Some(block) = finalized.next().await {
				while next <= block.number {
					match chain.events(next).await {
						Ok(events) => {
							lock(&written).insert(next, events);
							next += 1;
						}
						Err(_) => sleep(PAUSE).await,
					}
				}
			}
		});
		Self { blocks, task }
	}

	/// What is read of the first event that `read` takes, as far as blocks are there, and its block.
	pub fn find<T>(&self, read: impl Fn(&ChainEvent) -> Option<T>) -> Option<(BlockNumber, T)> {
		let blocks = lock(&self.blocks);
		let mut all = blocks
			.iter()
			.flat_map(|(block, events)| events.iter().map(move |event| (*block, event)));
		all.find_map(|(block, event)| Some((block, read(event)?)))
	}

	/// Waits for such an event.
	pub async fn until<T>(
		&self,
		what: &str,
		limit: Duration,
		read: impl Fn(&ChainEvent) -> Option<T>,
	) -> (BlockNumber, T) {
		eventually(what, limit, async || {
			let found = self.find(&read);
			let last = lock(&self.blocks).keys().next_back().copied();
			found.ok_or_else(|| format!("the last block read was {last:?}"))
		})
		.await
	}

	/// What was said so far, in its order.
	pub fn so_far(&self) -> Vec<ChainEvent> {
		lock(&self.blocks).values().flatten().cloned().collect()
	}

	/// What was said in these blocks, in its order.
	pub async fn of(&self, range: RangeInclusive<BlockNumber>) -> Vec<ChainEvent> {
		eventually("the events are read", PATIENCE, async || {
			let blocks = lock(&self.blocks);
			match range.clone().find(|number| !blocks.contains_key(number)) {
				None => Ok(()),
				Some(number) => Err(format!("those of block {number} are missing")),
			}
		})
		.await;
		let blocks = lock(&self.blocks);
		blocks
			.range(range)
			.flat_map(|(_, events)| events.clone())
			.collect()
	}
}

impl Drop for Events {
	fn drop(&mut self) {
		self.task.abort();
	}
}

/// The fields of an event, as a tuple in their order, if it has this name.
pub fn fields<T: Decode>(event: &ChainEvent, pallet: &str, name: &str) -> Option<T> {
	if event.pallet != pallet || event.name != name {
		return None;
	}
	let mut rest = &event.fields[..];
	let read = T::decode(&mut rest)
		.unwrap_or_else(|error| panic!("{pallet}.{name} has other fields: {error}"));
	assert!(rest.is_empty(), "{pallet}.{name} has more fields");
	Some(read)
}

fn lock(blocks: &Mutex<Blocks>) -> MutexGuard<'_, Blocks> {
	blocks.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;

	#[test]
	fn fields_are_those_of_the_event_of_that_name() {
		let event = ChainEvent {
			pallet: "Market".into(),
			name: "DealStopped".into(),
			fields: (7u64, 3u32, true).encode(),
		};
		let read = |pallet, name| fields::<(u64, u32, bool)>(&event, pallet, name);
		assert_eq!(read("Market", "DealStopped"), Some((7, 3, true)));
		assert_eq!(read("Market", "DealClosed"), None);
		assert_eq!(read("Capacity", "DealStopped"), None);
	}

	#[test]
	#[should_panic(expected = "Market.DealStopped has more fields")]
	fn an_event_with_more_fields_is_not_read_in_part() {
		let event = ChainEvent {
			pallet: "Market".into(),
			name: "DealStopped".into(),
			fields: (7u64, 3u32).encode(),
		};
		fields::<u64>(&event, "Market", "DealStopped");
	}
}

//! What was: the events of a block, and epochs that are over.

use crate::{
	chain::{Chain, REQUEST_TIMEOUT},
	error::ReadError,
	submit::ChainEvent,
	view::View,
};
use codec::DecodeAll;
use millrace_primitives::{epoch::EpochInfo, BlockNumber, EpochIndex};
use sp_crypto_hashing::twox_128;
use subxt::ArcMetadata;
use tokio::time::timeout;

/// Slots of the ring in which the Epochs pallet keeps its epochs.
const RING_SLOTS: u32 = 64;

impl Chain {
	/// What the runtime said in the block of a height, all of it. Nodes drop the state that it is
	/// read from, of all but some hundred blocks: then they refuse.
	pub async fn events(&self, number: BlockNumber) -> Result<Vec<ChainEvent>, ReadError> {
		self.events_with_metadata(number)
			.await
			.map(|(events, _)| events)
	}

	/// The same, with the metadata of the runtime that said it.
	pub(crate) async fn events_with_metadata(
		&self,
		number: BlockNumber,
	) -> Result<(Vec<ChainEvent>, ArcMetadata), ReadError> {
		let hash = self.block_hash(number).await?;
		// A node that has dropped the state says so here; what fails behind it is the connection.
		self.request("a block's state", |methods| async move {
			methods.state_call("Core_version", None, Some(hash)).await
		})
		.await?;
		let link = self.link().await?;
		let reading = async {
			let at = link
				.client
				.at_block(hash)
				.await
				.map_err(|error| error.to_string())?;
			let events = at
				.events()
				.fetch()
				.await
				.map_err(|error| error.to_string())?;
			let mut all = Vec::new();
			for event in events.iter() {
				let event = event.map_err(|error| error.to_string())?;
				all.push(ChainEvent {
					pallet: event.pallet_name().into(),
					name: event.event_name().into(),
					fields: event.field_bytes().to_vec(),
				});
			}
			Ok::<_, String>((all, at.metadata()))
		};
		let reason = match timeout(REQUEST_TIMEOUT, reading).await {
			Ok(Ok(answer)) => return Ok(answer),
			Ok(Err(reason)) => reason,
			Err(_) => "no answer in time".into(),
		};
		link.give_up();
		Err(ReadError::Lost(reason))
	}
}

impl View {
	/// An epoch as it was frozen at its start, as long as the chain remembers it: 64 epochs.
	pub async fn past_epoch(&self, epoch: EpochIndex) -> Result<Option<EpochInfo>, ReadError> {
		let (key, hash) = (slot_of(epoch), self.block().hash);
		let key = &key[..];
		let bytes = self
			.chain()
			.request("storage", |methods| async move {
				methods.state_get_storage(key, Some(hash)).await
			})
			.await?;
		let Some(bytes) = bytes else {
			return Ok(None);
		};
		let info =
			EpochInfo::decode_all(&mut &bytes[..]).map_err(|error| ReadError::Undecodable {
				what: "an epoch".into(),
				reason: error.to_string(),
			})?;
		Ok((info.index == epoch).then_some(info))
	}
}

/// The slot that an epoch is kept in, under its plain number.
fn slot_of(epoch: EpochIndex) -> Vec<u8> {
	let mut key = [twox_128(b"Epochs"), twox_128(b"Infos")].concat();
	key.extend((epoch % RING_SLOTS).to_le_bytes());
	key
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn epochs_lie_in_a_ring() {
		assert_eq!(slot_of(3), slot_of(3 + RING_SLOTS));
		assert_ne!(slot_of(3), slot_of(4));
		assert!(slot_of(3).ends_with(&[3, 0, 0, 0]));
		assert_eq!(slot_of(3).len(), 36);
	}
}

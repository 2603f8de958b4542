//! Whole blocks of the runtime without a node: all hooks, the block's own inherent, and transactions
//! through the runtime's own door.

use crate::errors::scene::{now, METADATA};
use codec::DecodeAll;
use millrace_client::calls::Call;
use millrace_e2e::rpc;
use millrace_primitives::{EpochIndex, H256};
use millrace_runtime::{
	timing::SlotMs, Executive, Header, Runtime, RuntimeCall, RuntimeEvent, System,
	UncheckedExtrinsic,
};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_runtime::{traits::Header as _, Digest, DigestItem};

/// Slot of the block before the first one. Slots are counted from 1970 on.
const SLOTS_BEFORE: u64 = 1_000_000;

/// A block begins, up to where transactions come. The only validator is its author.
pub(crate) fn begin() {
	let slot = SLOTS_BEFORE + u64::from(System::block_number() + 1);
	// The genesis hash is that of the scene, in which no block before was a whole one.
	begin_on(H256::zero(), slot);
}

/// The same on a block of that hash, in that slot.
pub(crate) fn begin_on(parent: H256, slot: u64) {
	let author = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
		authority_index: 0,
		slot: slot.into(),
	});
	let digest = Digest {
		logs: vec![DigestItem::babe_pre_digest(author)],
	};
	let header = Header::new(
		System::block_number() + 1,
		Default::default(),
		Default::default(),
		parent,
		digest,
	);
	Executive::initialize_block(&header);
	let set = pallet_timestamp::Call::<Runtime>::set {
		now: slot * SlotMs::<Runtime>::get(),
	};
	included(UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(set)));
	Executive::inherents_applied();
}

/// The block ends, and the next one begins. What happened in the one that has ended.
pub(crate) fn next() -> Vec<RuntimeEvent> {
	Executive::finalize_block();
	let events = System::events();
	begin();
	events.into_iter().map(|record| record.event).collect()
}

/// On to a position of an epoch, block by block.
pub(crate) fn go_to(epoch: EpochIndex, position: u32) {
	while now() < (epoch, position) {
		next();
	}
}

/// A duty as the client sends it is included in the block, and done.
#[track_caller]
pub(crate) fn fulfil(duty: &Call) {
	let bytes = rpc::duty(&METADATA, duty, 0);
	included(UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is a transaction"));
}

#[track_caller]
fn included(transaction: UncheckedExtrinsic) {
	let outcome = Executive::apply_extrinsic(transaction).expect("it is valid");
	assert_eq!(outcome, Ok(()));
}

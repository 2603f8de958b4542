//! What the chain puts into the leaves that its checkpoints cover.

use crate::{Config, OutboxRoot};
use core::marker::PhantomData;
use frame_support::traits::Get;
use millrace_primitives::checkpoint;
use sp_consensus_beefy::mmr::BeefyDataProvider;

/// Of the block before: the root over its messages, which it fixed when it ended, and its time, as long as
/// the block's own is not set. A leaf is made before that.
#[derive(Debug)]
pub struct LeafExtra<T>(PhantomData<T>);

impl<T: Config> BeefyDataProvider<checkpoint::LeafExtra> for LeafExtra<T> {
	fn extra_data() -> checkpoint::LeafExtra {
		(OutboxRoot::<T>::get(), T::Time::get())
	}
}

//! What others ask: what a peer owes, and what stands against it.

use crate::{Cases, Config, Demands, Pallet, Params, Posted, ReceiptsParams, Shows};
use alloc::vec::Vec;
use millrace_primitives::{
	challenge::{CaseView, OwedEvidence, Wanted},
	peer::PeerId,
	BlockNumber, EpochIndex, H256,
};

/// Most leaves that a peer is told of at once: those whose time is over first.
const MOST_OWED: usize = 64;

impl<T: Config> Pallet<T> {
	/// What a peer owes to challengers at this block, the most urgent first.
	pub fn owed_evidence(peer: PeerId) -> OwedEvidence {
		let now = Self::now();
		let mut shows: Vec<_> = Shows::<T>::iter_prefix(peer)
			.filter(|(_, show)| now <= show.deadline)
			.map(|(subject, show)| (show.deadline, show.id(peer, subject)))
			.collect();
		shows.sort_unstable();
		let post = Demands::<T>::iter_prefix(peer)
			.filter(|((_, _, wanted), demand)| {
				let elsewhere = *wanted == Wanted::Package && Self::posted(demand.hash).is_some();
				now <= demand.deadline && !elsewhere
			})
			.min_by_key(|(key, demand)| (demand.deadline, *key))
			.map(|((epoch, seq, wanted), demand)| {
				(epoch, seq, wanted, demand.hash, demand.most_bytes)
			});
		OwedEvidence {
			show: shows
				.into_iter()
				.take(MOST_OWED)
				.map(|(_, case)| case)
				.collect(),
			post,
		}
	}

	/// Cases against a peer, by epoch, claims that it can still refute among them.
	pub fn cases(peer: PeerId) -> Vec<CaseView<T::AccountId>> {
		let after = |time: BlockNumber| Self::height_at(time.saturating_add(1));
		let mut views: Vec<_> = Cases::<T>::iter_prefix_values(peer)
			.map(|case| CaseView {
				case: case.id(peer),
				first_reveal: case.proven,
				concludes: after(case.contest_until),
				leader: case.leader,
				proven: true,
				concluded: case.concluded,
			})
			.collect();
		views.extend(
			Shows::<T>::iter_prefix(peer).map(|(subject, show)| CaseView {
				case: show.id(peer, subject),
				first_reveal: show.asked,
				concludes: after(show.deadline),
				leader: show.who,
				proven: false,
				concluded: false,
			}),
		);
		views.sort_unstable_by_key(|view| (view.case.epoch, view.case));
		views
	}

	/// Data that are demanded of a peer, with the last block in which they can be posted.
	pub fn demands(peer: PeerId) -> Vec<(EpochIndex, u32, Wanted, BlockNumber)> {
		let mut rows: Vec<_> = Demands::<T>::iter_prefix(peer)
			.map(|((epoch, seq, wanted), demand)| {
				(epoch, seq, wanted, Self::height_at(demand.deadline))
			})
			.collect();
		rows.sort_unstable();
		rows
	}

	/// The block in which a package was posted.
	pub fn posted(package: H256) -> Option<BlockNumber> {
		Posted::<T>::get(package)
	}

	/// Parameters for what is committed and demanded from now on.
	pub fn params() -> ReceiptsParams {
		Params::<T>::get()
	}
}

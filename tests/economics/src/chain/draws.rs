//! Draws of audits, and the choice among them that slots of validators buy.

use super::World;
use crate::runtime::{Capacity, Runtime};
use frame_support::{
	storage::{transactional::with_transaction_opaque_err, TransactionOutcome},
	traits::Hooks,
	weights::WeightMeter,
};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	peer::PeerId,
};
use pallet_capacity::{Audits, OngoingDraw};

/// Peers of one owner who holds some of the last slots of the window in which a draw is folded.
#[derive(Clone, Debug)]
pub struct Shielded {
	/// The peers.
	pub peers: Vec<PeerId>,
	/// The owner's slots.
	pub slots: u32,
}

impl World {
	/// Folds the draw, lets it take place, and goes to the middle of the answer window.
	///
	/// Whoever holds the last slots of the fold's window leaves those of them empty that make the draw
	/// hit the fewest of its peers, as if nobody else's block came in between. Each owner is simulated
	/// for itself: the others' peers meet the draw in which all blocks were written.
	pub fn draw(&mut self, shielded: &[Shielded]) {
		let end = self.lengths.report_window + self.lengths.fold_window;
		let most = shielded.iter().map(|owner| owner.slots).max().unwrap_or(0);
		let mut chosen = Vec::new();
		if most > 0 {
			self.go_to(end - most);
			chosen = self.choose(most, shielded);
			self.fold_with(most, 0);
		}
		self.go_to(self.lengths.close_position() - self.lengths.answer_window / 2);
		for (peer, drawn) in chosen {
			if drawn && !self.is_drawn(peer) {
				let (epoch, status) = (self.epoch() - 1, AuditStatus::Open);
				Audits::<Runtime>::insert(peer, Audit { epoch, status });
			} else if !drawn && self.is_drawn(peer) {
				Audits::<Runtime>::remove(peer);
			}
		}
	}

	/// Whether each of the peers is drawn, as its owner chooses.
	fn choose(&mut self, most: u32, shielded: &[Shielded]) -> Vec<(PeerId, bool)> {
		let mut best: Vec<Option<Vec<bool>>> = vec![None; shielded.len()];
		let count = |drawn: &[bool]| drawn.iter().filter(|drawn| **drawn).count();
		for empty in 0..1u32 << most {
			// An owner of t slots has the choice among 2^t folds.
			let open: Vec<usize> = (0..shielded.len())
				.filter(|at| empty >> shielded[*at].slots == 0)
				.filter(|at| best[*at].as_ref().is_none_or(|drawn| count(drawn) > 0))
				.collect();
			if open.is_empty() {
				break;
			}
			let owners: Vec<&Shielded> = open.iter().map(|at| &shielded[*at]).collect();
			let tried = self.tried(most, empty, &owners);
			for (at, drawn) in open.into_iter().zip(tried) {
				if best[at]
					.as_ref()
					.is_none_or(|least| count(&drawn) < count(least))
				{
					best[at] = Some(drawn);
				}
			}
		}
		let peers = shielded
			.iter()
			.flat_map(|owner| owner.peers.iter().copied());
		peers.zip(best.into_iter().flatten().flatten()).collect()
	}

	/// Which of the owners' peers would be drawn.
	fn tried(&mut self, last: u32, empty: u32, owners: &[&Shielded]) -> Vec<Vec<bool>> {
		let block = self.block;
		let drawn = with_transaction_opaque_err(|| -> TransactionOutcome<Result<_, ()>> {
			self.fold_with(last, empty);
			while OngoingDraw::<Runtime>::exists() {
				Capacity::on_poll(self.block, &mut WeightMeter::new());
			}
			let drawn: Vec<Vec<bool>> = owners
				.iter()
				.map(|owner| {
					owner
						.peers
						.iter()
						.map(|peer| self.is_drawn(*peer))
						.collect()
				})
				.collect();
			TransactionOutcome::Rollback(Ok(drawn))
		});
		self.block = block;
		drawn.expect("one layer is allowed").expect("nothing fails")
	}

	/// The window's last slots: of these, the lowest bit of `empty` is the very last one's.
	fn fold_with(&mut self, last: u32, empty: u32) {
		for slot in (0..last).rev() {
			let written = (empty >> slot) & 1 == 0;
			self.block_after(written.then(|| self.output()));
		}
	}
}

#[cfg(test)]
mod tests {
	use crate::{
		chain::{in_world, Setup},
		run::lengths,
		runtime::Epochs,
	};
	use millrace_primitives::traits::EpochClock;

	#[test]
	fn blocks_that_are_left_out_count() {
		for audited in [false, true] {
			let setup = Setup {
				seed: 1,
				accounts: 1,
				lengths: lengths(10),
				audited,
			};
			in_world(setup, |world| {
				for _ in 0..3 {
					world.next_epoch();
				}
				assert_eq!((world.epoch(), world.position()), (3, 0));
				assert!(Epochs::draw(1).is_some() && Epochs::draw(2).is_none());
				let close = world.lengths.close_position();
				world.go_to(close);
				assert_eq!(world.position(), close);
				assert_eq!(world.block, 1 + 3 * world.lengths.len + close);
				assert!(Epochs::draw(2).is_some());
			});
		}
	}
}

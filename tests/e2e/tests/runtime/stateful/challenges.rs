//! A challenger: it commits to cases that it has evidence of, and to such as there are none of.

use super::{
	chain::send,
	world::{World, FERDIE},
};
use crate::{
	errors::scene::{account, genesis_hash, now, peer, sign},
	samples,
};
use millrace_primitives::{
	challenge::{commitment, CaseId, Charge, Evidence},
	execution::{ProfileId, Receipt, SignedReceipt},
	traits::EpochClock,
	H256,
};
use millrace_runtime::{Epochs, Runtime};
use pallet_receipts::{Call, Commits};

/// Salt of all challenges here.
const SALT: H256 = H256::repeat_byte(3);
/// An engine profile that no deal has: a receipt of it is false on its face.
const FOREIGN_PROFILE: ProfileId = 77;

/// A receipt of the epoch before that a machine should not have signed.
fn false_receipt(n: u16) -> Option<SignedReceipt> {
	let epoch = now().0.checked_sub(1)?;
	let receipt = Receipt {
		genesis: genesis_hash(),
		seed: <Epochs as EpochClock>::seed(epoch)?,
		peer: peer(n),
		epoch,
		profile: FOREIGN_PROFILE,
		block: <Epochs as EpochClock>::info(epoch)?.start,
		..samples::receipt().receipt
	};
	let signature = sign(n, receipt.hash());
	Some(SignedReceipt { receipt, signature })
}

impl World {
	/// The challenger commits to a case, now and then to one that it has evidence of.
	pub(super) fn commit_challenge(&mut self) -> bool {
		let (n, _) = self.machine();
		if !self.dice.one_in(3) {
			let commitment = H256::from_low_u64_be(u64::from(self.steps));
			return send(FERDIE, Call::<Runtime>::commit { commitment });
		}
		let Some(receipt) = false_receipt(n) else {
			return false;
		};
		let case = CaseId {
			peer: peer(n),
			epoch: receipt.receipt.epoch,
			charge: Charge::Inspection,
			subject: receipt.receipt.hash(),
		};
		let commitment = commitment(genesis_hash(), &account(FERDIE), &case, SALT);
		let committed = send(FERDIE, Call::<Runtime>::commit { commitment });
		if committed {
			let leaf = None;
			let evidence = Evidence::Inspection { receipt, leaf };
			self.promised.push((case, evidence));
		}
		committed
	}

	/// The challenger shows what it has, or has a peer charged for what was shown.
	pub(super) fn reveal_challenge(&mut self) -> bool {
		if let Some(case) = self.proven.pop() {
			let who = self.anybody();
			let (peer, epoch, kind) = (case.peer, case.epoch, case.charge.kind());
			let concluded = send(who, Call::<Runtime>::conclude { peer, epoch, kind });
			// Others may contest it yet, or the peer pays for another already.
			if !concluded && !self.dice.one_in(4) {
				self.proven.push(case);
			}
			return concluded;
		}
		let Some((case, evidence)) = self.promised.pop() else {
			return false;
		};
		let revealed = send(
			FERDIE,
			Call::<Runtime>::reveal {
				case,
				salt: SALT,
				evidence: Some(Box::new(evidence.clone())),
			},
		);
		if revealed {
			self.proven.push(case);
		} else if !self.dice.one_in(4) {
			// Too early, perhaps.
			self.promised.push((case, evidence));
		}
		revealed
	}

	/// Somebody has a challenge forgotten that was not revealed in time.
	pub(super) fn forget_challenge(&mut self) -> bool {
		let pusher = self.anybody();
		let all: Vec<_> = Commits::<Runtime>::iter_keys().collect();
		self.dice.pick(&all).is_some_and(|(who, commitment)| {
			send(pusher, Call::<Runtime>::forget_commit { who, commitment })
		})
	}
}

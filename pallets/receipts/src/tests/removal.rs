//! What is remembered of a peer goes with it.

use crate::{
	mock::*, Answered, Answers, Case, Cases, Clients, OpenCases, Opened, Opening, OpeningClients,
	Ring, RING,
};
use millrace_primitives::{
	challenge::{Charge, Wanted},
	execution::{empty_transcript, CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	peer::PeerId,
	traits::{PeerUse, ReceiptLedger},
	EpochIndex, H256,
};

fn opening(peer: PeerId, epoch: EpochIndex) -> Opening {
	let receipt = Receipt {
		genesis: H256::zero(),
		seed: H256::zero(),
		deal: DEAL,
		peer,
		epoch,
		seq: 0,
		package: package(),
		profile: PROFILE_V1,
		terms: H256::zero(),
		request: H256::zero(),
		response: H256::zero(),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 0,
		block: 1,
	};
	let signed = SignedReceipt {
		receipt,
		signature: [0; 64],
	};
	Opening {
		epoch,
		receipts: vec![signed].try_into().expect("one fits"),
	}
}

/// Fills both rings of a peer.
fn fill(peer: PeerId) {
	CurrentEpoch::set(RING);
	for epoch in 0..RING {
		Receipts::on_report(peer, epoch, H256::zero());
		Opened::<Test>::insert(peer, epoch, opening(peer, epoch));
		let clients = OpeningClients {
			epoch,
			clients: vec![(0, ALICE)].try_into().expect("one fits"),
		};
		Clients::<Test>::insert(peer, epoch, clients);
		let answers = Answers {
			epoch,
			withheld: true,
			data: vec![(0, Wanted::Package)].try_into().expect("one fits"),
		};
		Answered::<Test>::insert(peer, epoch, answers);
		for charge in [Charge::Replay, Charge::Omitted] {
			let case = Case {
				epoch,
				charge,
				subject: H256::zero(),
				proven: 2,
				leader: ALICE,
				committed: 1,
				contest_until: 10,
				part: Default::default(),
				reward: Default::default(),
				concluded: true,
			};
			Cases::<Test>::insert(peer, (epoch, charge.kind()), case);
		}
	}
}

fn rows(peer: PeerId) -> [usize; 5] {
	[
		Ring::<Test>::iter_prefix(peer).count(),
		Opened::<Test>::iter_prefix(peer).count(),
		Clients::<Test>::iter_prefix(peer).count(),
		Answered::<Test>::iter_prefix(peer).count(),
		Cases::<Test>::iter_prefix(peer).count(),
	]
}

#[test]
fn a_removed_peer_leaves_nothing_behind_and_no_other_is_touched() {
	let ring = RING as usize;
	let full = [ring, ring, ring, ring, 2 * ring];
	let mut ext = new_test_ext();
	ext.execute_with(|| {
		fill(peer());
		fill(other());
		assert_eq!((rows(peer()), rows(other())), (full, full));
	});
	// Removal has a limit, which counts only rows that stand in the database.
	ext.commit_all().expect("nothing is open");
	ext.execute_with(|| {
		Receipts::forget(peer());
		assert_eq!((rows(peer()), rows(other())), ([0; 5], full));
		Receipts::do_try_state().expect("the invariants hold");
	});
}

#[test]
fn a_peers_past_does_not_keep_it() {
	build_and_execute(|| {
		fill(peer());
		assert!(!<Receipts as PeerUse>::in_use(peer()));
	});
}

#[test]
fn what_is_open_keeps_a_peer() {
	new_test_ext().execute_with(|| {
		OpenCases::<Test>::insert(peer(), 1);
		assert!(<Receipts as PeerUse>::in_use(peer()));
		assert!(Receipts::has_open_case(peer()));
		assert!(!<Receipts as PeerUse>::in_use(other()));
	});
}

#[test]
fn rows_of_unknown_peers_are_seen() {
	build_and_execute(|| {
		let unknown = PeerId(H256::repeat_byte(9));
		Receipts::on_report(unknown, 1, H256::zero());
		assert!(Receipts::do_try_state().is_err());
		Receipts::forget(unknown);
		Opened::<Test>::insert(unknown, 1, opening(unknown, 1));
		assert!(Receipts::do_try_state().is_err());
		Receipts::forget(unknown);
	});
}

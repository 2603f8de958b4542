//! Votes in blocks, and what is made of them.

use super::*;
use codec::Encode;
use millrace_client::extrinsic;
use millrace_primitives::{
	anchor::{AnchorAllowances, AnchorBounds, InboxMark, H160},
	H256, U256,
};
use sp_core::{ecdsa, Pair};
use std::sync::Mutex;

const GENESIS: H256 = H256::repeat_byte(7);
const ANCHOR: AnchorId = AnchorId {
	chain_id: 314,
	contract: H160::repeat_byte(1),
};

fn pair(byte: u8) -> ecdsa::Pair {
	ecdsa::Pair::from_seed(&[byte; 32])
}

fn key(byte: u8) -> VoterKey {
	pair(byte).public().0
}

/// A vote of a session, with an accumulator, by somebody.
fn vote(by: u8, session: u32, nonce: u64, acc: u8) -> SignedVote {
	let vote = Vote {
		round: 1,
		session,
		nonce,
		acc: H256::repeat_byte(acc),
		epoch: 90,
	};
	let hash = vote.hash(GENESIS, &ANCHOR);
	SignedVote {
		vote,
		signature: pair(by).sign(hash.as_bytes()).0,
	}
}

/// The transaction that carries it, as the client makes it.
fn transaction(signed: &SignedVote) -> Vec<u8> {
	let mut call = vec![40, 2];
	call.extend((3u32, signed.vote, signed.signature).encode());
	let extensions = ["CheckMortality", "CheckNonce", "ChargeTransactionPayment"];
	extrinsic::general(&call, extensions, 0).expect("all extensions are known")
}

fn status(taken: u64) -> AnchorStatus {
	AnchorStatus {
		anchor: Some(ANCHOR),
		genesis: GENESIS,
		next_nonce: 0,
		there: 0,
		parked: 0,
		taken: InboxMark {
			nonce: taken,
			acc: H256::zero(),
		},
		attested: Vec::new(),
		votable: taken + 32,
		round: 1,
		session: 9,
		voters: 4,
		quorum: 3,
		forced: 0,
		overdue_since: None,
		paused_until: None,
		allowances: AnchorAllowances {
			epoch: 0,
			withdrawn: 0,
			withdrawable: 0,
			released: 0,
			releasable: 0,
		},
		bounds: AnchorBounds {
			min_withdrawal: 0,
			message_fee: 0,
			byte_fee: 0,
			deliver_blocks: 0,
		},
	}
}

/// A chain of a test: blocks with their votes, and what it answers to reports.
#[derive(Default)]
struct Mock {
	blocks: BTreeMap<BlockNumber, Vec<SignedVote>>,
	/// The first block that the node has the state of.
	states_from: BlockNumber,
	has_no_account: bool,
	/// Why the next reports are not taken.
	refusals: Mutex<VecDeque<SubmitError>>,
	reported: Mutex<Vec<Call>>,
}

impl Mock {
	fn new(blocks: impl IntoIterator<Item = (BlockNumber, Vec<SignedVote>)>) -> Self {
		Self {
			blocks: blocks.into_iter().collect(),
			..Self::default()
		}
	}

	fn refusing(self, refusals: impl IntoIterator<Item = SubmitError>) -> Self {
		Self {
			refusals: Mutex::new(refusals.into_iter().collect()),
			..self
		}
	}

	fn reported(&self) -> Vec<Call> {
		self.reported.lock().expect("nobody panics with it").clone()
	}
}

/// What shows whose key it was in a block.
fn owner(block: BlockNumber, key: VoterKey) -> Vec<u8> {
	(block, key).encode()
}

impl Court for Mock {
	async fn body(&self, block: BlockNumber) -> Result<Option<Vec<Vec<u8>>>, ReadError> {
		let votes = self.blocks.get(&block);
		Ok(votes.map(|votes| votes.iter().map(transaction).collect()))
	}

	async fn owner(&self, block: BlockNumber, key: VoterKey) -> Result<Option<Vec<u8>>, ReadError> {
		Ok((block >= self.states_from).then(|| owner(block, key)))
	}

	fn can_report(&self) -> bool {
		!self.has_no_account
	}

	async fn report(&self, call: Call) -> Result<(), SubmitError> {
		let mut reported = self.reported.lock().expect("nobody panics with it");
		reported.push(call);
		let mut refusals = self.refusals.lock().expect("nobody panics with it");
		refusals.pop_front().map_or(Ok(()), Err)
	}
}

fn dispatch(error: &str) -> SubmitError {
	SubmitError::Dispatch {
		pallet: "Anchor".into(),
		error: error.into(),
		docs: String::new(),
	}
}

/// Looks so often, with blocks up to one finalised and so many messages taken.
async fn look(conflicts: &mut Conflicts, court: &Mock, last: BlockNumber, taken: u64) -> Metrics {
	let metrics = Metrics::new().expect("the names are distinct and valid");
	let ours = status(taken);
	let looked = conflicts.tick(court, last, &ours, &ANCHOR, &metrics);
	looked.await.expect("the chain answers");
	metrics
}

#[test]
fn a_vote_is_found_in_its_transaction_and_names_its_key() {
	let signed = vote(1, 3, 5, 1);
	let whole = transaction(&signed);
	assert_eq!(vote_in(&whole), Some(signed));
	let hash = signed.vote.hash(GENESIS, &ANCHOR);
	let digest = blake2_256(hash.as_bytes());
	assert_eq!(key_of(digest, &signed.signature), Some(key(1)));

	// The chain takes the twin of a signature as well: nobody hides by it.
	let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
	let order = U256::from_big_endian(&hex::decode(order).expect("it is hexadecimal"));
	let mut twin = signed.signature;
	let s = U256::from_big_endian(&twin[32..64]);
	twin[32..64].copy_from_slice(&(order - s).to_big_endian());
	twin[64] ^= 1;
	assert_eq!(key_of(digest, &twin), Some(key(1)));

	for length in 0..whole.len() {
		assert_eq!(vote_in(&whole[..length]), None, "{length}");
	}
	// One that is signed by an account carries none.
	let mut other = whole.clone();
	let preamble = other.iter_mut().find(|byte| **byte == GENERAL);
	*preamble.expect("it begins so") = 0x84;
	assert_eq!(vote_in(&other), None);
}

#[tokio::test]
async fn two_accumulators_in_two_sessions_are_reported_once_with_the_owner_of_the_later_one() {
	let (lie, truth) = (vote(1, 3, 5, 9), vote(1, 4, 5, 1));
	let court = Mock::new([
		(10, vec![lie, vote(2, 3, 5, 1)]),
		(12, vec![truth, vote(2, 4, 5, 1)]),
	]);
	let mut conflicts = Conflicts::default();
	look(&mut conflicts, &court, 11, 4).await;
	assert!(court.reported().is_empty(), "one vote is no offence");
	let metrics = look(&mut conflicts, &court, 12, 4).await;
	let proof = owner(12, key(1));
	let expected = calls::anchor::report_conflict(key(1), &lie, &truth, &proof);
	assert_eq!(court.reported(), [expected]);
	let reports = metrics.reports.with_label_values(&["chain"]);
	assert_eq!(reports.get(), 1);
	for last in [12, 13] {
		look(&mut conflicts, &court, last, 4).await;
	}
	assert_eq!(court.reported().len(), 1);
}

#[tokio::test]
async fn what_is_no_offence_or_is_punished_already_is_not_reported() {
	let other_round = |by, session| {
		let mut signed = vote(by, session, 5, 1);
		signed.vote.round = 0;
		let hash = signed.vote.hash(GENESIS, &ANCHOR);
		signed.signature = pair(by).sign(hash.as_bytes()).0;
		signed
	};
	let court = Mock::new([
		// The same in two sessions; two numbers; two rounds; two validators.
		(10, vec![vote(1, 3, 5, 1), vote(1, 4, 5, 1)]),
		(11, vec![vote(1, 4, 6, 2), other_round(2, 3)]),
		(
			12,
			vec![vote(2, 4, 5, 9), vote(3, 3, 7, 1), vote(4, 4, 7, 2)],
		),
		// In one session the chain sees it by itself.
		(13, vec![vote(5, 4, 5, 1), vote(5, 4, 5, 2)]),
		// Nobody can vote on this number.
		(14, vec![vote(6, 3, 99, 1), vote(6, 4, 99, 2)]),
	]);
	let mut conflicts = Conflicts::default();
	for _ in 0..3 {
		look(&mut conflicts, &court, 14, 4).await;
	}
	assert!(court.reported().is_empty());
}

#[tokio::test]
async fn who_reads_old_blocks_first_misses_nothing_and_forgets_what_is_delivered() {
	let last = 3 * BLOCKS_PER_TICK;
	let court = Mock::new([
		(1, vec![vote(1, 3, 5, 9)]),
		(last - 1, vec![vote(1, 4, 5, 1), vote(2, 4, 8, 1)]),
	]);
	let mut conflicts = Conflicts::default();
	// Seven messages are delivered by now, of which a relayer that has just started knows nothing.
	for _ in 0..3 {
		assert!(court.reported().is_empty());
		look(&mut conflicts, &court, last, 7).await;
	}
	assert_eq!(court.reported().len(), 1);
	let kept: Vec<u64> = conflicts.said.keys().map(|(nonce, ..)| *nonce).collect();
	assert_eq!(kept, [8]);
}

#[test]
fn no_more_votes_are_remembered_than_there_is_room_for() {
	let mut conflicts = Conflicts::default();
	let signed = vote(1, 3, 0, 1);
	for nonce in 0..REMEMBERED as u64 + 5 {
		let mut signed = signed;
		signed.vote.nonce = nonce;
		conflicts.note(key(1), signed, 1);
	}
	assert_eq!(conflicts.said.len(), REMEMBERED);
	let lowest = conflicts.said.keys().next().map(|(nonce, ..)| *nonce);
	assert_eq!(lowest, Some(5));
}

#[tokio::test]
async fn an_offence_that_is_known_is_no_error_and_one_that_cannot_be_sent_is_sent_again() {
	let blocks = || [(10, vec![vote(1, 3, 5, 9)]), (12, vec![vote(1, 4, 5, 1)])];
	for (refusals, attempts) in [
		(vec![dispatch(KNOWN)], 1),
		(vec![dispatch("NoVoter")], 1),
		(vec![SubmitError::Expired { last: 90 }; 2], 3),
	] {
		let told = format!("{refusals:?}");
		let court = Mock::new(blocks()).refusing(refusals);
		let mut conflicts = Conflicts::default();
		for _ in 0..5 {
			look(&mut conflicts, &court, 12, 4).await;
		}
		assert_eq!(court.reported().len(), attempts, "{told}");
		assert!(conflicts.found.is_empty(), "{told}");
	}
}

#[tokio::test]
async fn what_cannot_be_shown_or_paid_is_told_of_and_keeps_nothing_back() {
	let blocks = || {
		[
			(10, vec![vote(1, 3, 5, 9), vote(2, 3, 5, 9)]),
			(11, vec![vote(1, 4, 5, 1)]),
			(12, vec![vote(2, 4, 5, 1)]),
		]
	};
	// The state of block 11 is pruned.
	let court = Mock {
		states_from: 12,
		..Mock::new(blocks())
	};
	let mut conflicts = Conflicts::default();
	for _ in 0..3 {
		look(&mut conflicts, &court, 12, 4).await;
	}
	let expected = calls::anchor::report_conflict(
		key(2),
		&vote(2, 3, 5, 9),
		&vote(2, 4, 5, 1),
		&owner(12, key(2)),
	);
	assert_eq!(court.reported(), [expected]);

	let court = Mock {
		has_no_account: true,
		..Mock::new(blocks())
	};
	let mut conflicts = Conflicts::default();
	for _ in 0..3 {
		look(&mut conflicts, &court, 12, 4).await;
	}
	assert!(court.reported().is_empty() && conflicts.found.is_empty());
}

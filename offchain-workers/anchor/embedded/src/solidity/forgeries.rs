//! What is forged is refused, each with its own error, which says what was expected; and the honest one that it
//! was made of is accepted.

use super::{
	client::{
		addresses, alone, checkpoint, commitment, first, leaf, sign, signature, signed, validators,
		Client, GENESIS,
	},
	file::FILE,
	CHAIN_ID,
};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use millrace_anchor::{
	commitment::{authority_set, Commitment, Signed},
	contract::{Call, Submission},
	evm::{keccak, Address, AnchorKey},
	leaf::ProvenLeaf,
	tree::Path,
};
use millrace_primitives::{
	anchor::{messages::Outgoing, tree, AnchorId, H160},
	FLT, H256, U256,
};

/// The greatest `s` of a signature that is taken: half of the order of the curve.
const MAX_S: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

/// What the file's set 1, of seven, signed for block 10: five of them, from the third on.
fn honest() -> Submission {
	FILE.submission(&FILE.checkpoints[0], true)
}

/// The keys of that set.
fn members() -> &'static [AnchorKey] {
	let members = &validators()[10..17];
	assert_eq!(addresses(members), FILE.sets[1].addresses);
	members
}

/// The error that a forgery is refused with, by a client that takes what it is made of.
fn refusal(forge: impl FnOnce(&mut Submission)) -> String {
	let mut client = Client::of_file();
	let mut forged = honest();
	forge(&mut forged);
	let refusal = client.refusal(&Call::Submit(forged));
	client.send(&Call::Submit(honest()));
	refusal
}

#[test]
fn a_quorum_less_one_is_refused() {
	let refusal = refusal(|forged| {
		forged.signed.bitmap = vec![U256::from(0b11_1100u32)];
		forged.signed.signatures.truncate(4);
	});
	assert_eq!(refusal, "QuorumNotReached (required 5, given 4)");
}

#[test]
fn one_signer_does_not_count_for_two() {
	let refusal = refusal(|forged| forged.signed.signatures[4] = forged.signed.signatures[0]);
	let signer = members()[2].address();
	let expected = format!("DuplicateSigner (index 6, signer {signer}, first 2)");
	assert_eq!(refusal, expected);
}

/// What fails to recover gives the address zero, so a set with that address must not be signed for by
/// anybody.
#[test]
fn the_address_zero_signs_nothing() {
	let keys = &validators()[..3];
	let list = [vec![Address::default()], addresses(keys)].concat();
	let mut client = Client::new(GENESIS, [authority_set(0, &list), first(1, 1)]);
	let commitment = commitment(1, 0, keccak(b"root"));
	let submit = |nobody, last: Option<_>| {
		let [a, b] = [0, 1].map(|place| Some(sign(&keys[place], &commitment)));
		let signed = Signed {
			commitment,
			signatures: vec![nobody, a, b, last],
		};
		Call::Submit(Submission::new(&signed, list.clone(), None))
	};
	let forged = submit(Some(signature([0; 32], [1; 32], 0)), None);
	assert_eq!(client.refusal(&forged), "ZeroAuthority (index 0)");
	client.send(&submit(None, Some(sign(&keys[2], &commitment))));
}

/// With the least `s` that is refused there is room for the parity. Whose signature it is follows from it,
/// so it is wrong in nothing else.
#[test]
fn the_twin_of_a_signature_with_the_high_s_is_refused() {
	let commitment = commitment(1, 0, keccak(b"root"));
	let (r, _, _) = validators()[0].sign(H256::zero()).expect("it is signed");
	let low = U256::from_big_endian(&hex::decode(MAX_S).expect("hexadecimal"));
	let high = (low + U256::one()).to_big_endian();
	let low = low.to_big_endian();
	let signature_low = Signature::from_scalars(r, low).expect("both are below the order");
	let even = RecoveryId::from_byte(0).expect("it is one");
	let digest = commitment.digest();
	let key = VerifyingKey::recover_from_prehash(&digest.0, &signature_low, even)
		.expect("it is the signature of somebody");
	let list = vec![Address::of(&key)];

	let mut client = Client::new(GENESIS, [authority_set(0, &list), first(1, 1)]);
	let submit = |s, parity| {
		let signed = Signed {
			commitment,
			signatures: vec![Some(signature(r, s, parity))],
		};
		Call::Submit(Submission::new(&signed, list.clone(), None))
	};
	let given = hex::encode(high);
	assert_eq!(
		client.refusal(&submit(high, 1)),
		format!("HighS (index 0, max 0x{MAX_S}, given 0x{given})")
	);
	client.send(&submit(low, 0));
}

#[test]
fn a_stale_block_is_refused() {
	let mut client = Client::of_file();
	client.send(&Call::Submit(honest()));
	let again = client.refusal(&Call::Submit(honest()));
	assert_eq!(again, "StaleBlock (latest 10, given 10)");
	let earlier = Commitment {
		genesis: FILE.genesis,
		root: keccak(b"root"),
		block: 9,
		set: 1,
	};
	let signed = signed(earlier, members(), |_| true);
	let submission = Submission::new(&signed, addresses(members()), None);
	let earlier = client.refusal(&Call::Submit(submission));
	assert_eq!(earlier, "StaleBlock (latest 10, given 9)");
}

#[test]
fn the_commitment_of_another_chain_is_refused() {
	let refusal = refusal(|forged| {
		let known = &FILE.checkpoints[0];
		let foreign = Commitment {
			genesis: GENESIS,
			root: known.root,
			block: known.block,
			set: known.set,
		};
		forged.signed = signed(foreign, members(), |place| place >= 2).form();
	});
	let expected = FILE.genesis;
	assert_eq!(
		refusal,
		format!("WrongChain (expected {expected:?}, given {GENESIS:?})")
	);
}

#[test]
fn another_set_is_refused() {
	let strangers = &validators()[200..207];
	let list = addresses(strangers);
	let refusal = refusal(|forged| {
		let known = &FILE.checkpoints[0];
		let commitment = Commitment::read(&known.commitment.0).expect("it is one");
		forged.signed = signed(commitment, strangers, |_| true).form();
		forged.authorities = list.clone();
	});
	let expected = FILE.sets[1].set.root;
	let given = authority_set(1, &list).root;
	assert_eq!(
		refusal,
		format!("AuthorityRoot (expected {expected:?}, given {given:?})")
	);
}

#[test]
fn a_bitmap_that_is_cut_off_is_refused() {
	let refusal = refusal(|forged| forged.signed.bitmap.clear());
	assert_eq!(refusal, "BitmapLength (expectedWords 1, givenWords 0)");
}

#[test]
fn a_set_of_two_words_signs_with_the_whole_bitmap_alone() {
	let members = validators();
	let mut client = Client::new(GENESIS, [first(0, 300), first(1, 1)]);
	let submission = |block, from: usize, to: usize| {
		let commitment = commitment(block, 0, keccak(b"root"));
		let signed = signed(commitment, members, |place| (from..to).contains(&place));
		Submission::new(&signed, addresses(members), None)
	};
	let quorum = submission(1, 0, 201);
	let mut forged = quorum.clone();
	forged.signed.bitmap.pop();
	assert_eq!(
		client.refusal(&Call::Submit(forged)),
		"BitmapLength (expectedWords 2, givenWords 1)"
	);
	client.send(&Call::Submit(quorum));
	// The first word full, and a signer on either side of its end.
	client.send(&Call::Submit(submission(2, 0, 290)));
	client.send(&Call::Submit(submission(3, 90, 300)));
	let mut beyond = submission(4, 90, 300);
	beyond.signed.signatures[205] = beyond.signed.signatures[3];
	let signer = members[93].address();
	assert_eq!(
		client.refusal(&Call::Submit(beyond)),
		format!("DuplicateSigner (index 295, signer {signer}, first 93)")
	);
}

#[test]
fn a_handover_cannot_be_skipped() {
	let mut client = Client::of_file();
	let second = Call::Submit(FILE.submission(&FILE.checkpoints[1], true));
	assert_eq!(client.refusal(&second), "SkippedHandover (next 1, given 2)");
	client.send(&Call::Submit(honest()));
	client.send(&second);
}

#[test]
fn a_withdrawal_cannot_be_replayed() {
	let mut client = Client::new(GENESIS, [first(0, 4), first(1, 4)]);
	let recipient = client.sender();
	let anchor = AnchorId {
		chain_id: CHAIN_ID,
		contract: H160(client.address.0),
	};
	let sent = Outgoing::Withdrawal {
		recipient: H160(recipient.0),
		amount: FLT,
	};
	let ids = [0, 1, 2].map(|nonce| sent.id(GENESIS, &anchor, nonce));
	let raw = leaf(first(1, 4), tree::root(&ids));
	client.send(&checkpoint(commitment(1, 0, keccak(&raw)), 4, None));

	let withdraw = Call::Withdraw {
		nonce: 1,
		recipient,
		amount: FLT,
		path: Path {
			index: 1,
			count: 3,
			items: tree::path(&ids, 1).expect("it is one of three"),
		},
		leaf: ProvenLeaf {
			raw,
			proof: alone(),
		},
		root_block: 1,
	};
	let id = ids[1];
	let claim = Call::Claim {
		to: recipient,
		ids: vec![id],
	};
	client.send(&withdraw);
	let again = format!("AlreadyWithdrawn (id {id:?})");
	assert_eq!(client.refusal(&withdraw), again);
	client.send(&claim);
	assert_eq!(client.refusal(&withdraw), again);
	let nothing = format!("NothingToClaim (id {id:?})");
	assert_eq!(client.refusal(&claim), nothing);
}

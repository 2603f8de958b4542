//! What validators sign for an anchor, through the whole runtime: leaves and their proofs, sessions and
//! their sets, and votes that cost stake.

use crate::{
	errors::scene::{
		account, by, commit, done, genesis_hash, go_to, make, now, on_chain, peer, refuses, root,
		ALICE, BOB, EVE,
	},
	presets::genesis,
};
use codec::Encode;
use frame_support::{
	traits::{fungible::Inspect, Hooks, KeyOwnerProofSystem},
	weights::WeightToFee,
};
use millrace_primitives::{
	checkpoint::CHAIN_ENTRY, validators::EquivocationView, Balance, FLT, H256,
};
use millrace_runtime::{
	validators::KeyOwners, AccountId, Balances, Beefy, BeefyMmrLeaf, BlockNumber, Epochs, Header,
	Mmr, Runtime, RuntimeEvent, Session, System, Validators,
};
use pallet_beefy::Call;
use pallet_capacity::{Commitments, WaitingSlashes, WeightInfo};
use pallet_mmr::primitives::{AncestryProof, LeafDataProvider};
use sp_consensus_beefy::{
	ecdsa_crypto::{AuthorityId, Signature},
	known_payloads::MMR_ROOT_ID,
	mmr::BeefyAuthoritySet,
	test_utils::{signed_vote, Keyring},
	DoubleVotingProof, ForkVotingProof, FutureBlockVotingProof, Payload, ValidatorSetId, KEY_TYPE,
};
use sp_core::offchain::{testing::TestOffchainExt, OffchainDbExt};
use sp_crypto_hashing::{keccak_256, twox_128};
use sp_runtime::Perbill;

pub(crate) type Vote = sp_consensus_beefy::VoteMessage<BlockNumber, AuthorityId, Signature>;

/// Four validators, each with an equal voice.
const CHAIN: &str = "local_testnet";
/// Blocks of a short chain.
const BLOCKS: BlockNumber = 11;

/// A validator's vote for a block of this chain, with a root.
pub(crate) fn vote(
	who: &Keyring<AuthorityId>,
	set: ValidatorSetId,
	block: BlockNumber,
	root: H256,
) -> Vote {
	let payload = Payload::from_single_entry(MMR_ROOT_ID, root.encode())
		.push_raw(CHAIN_ENTRY, genesis_hash().encode());
	signed_vote(block, payload, set, who)
}

/// Proof of whose key it is, in the present session.
fn ownership(vote: &Vote) -> sp_session::MembershipProof {
	KeyOwners::prove((KEY_TYPE, vote.id.clone())).expect("the key has a seat")
}

fn two_votes(first: Vote, second: Vote) -> Call<Runtime> {
	let key_owner_proof = ownership(&first);
	Call::report_double_voting {
		equivocation_proof: Box::new(DoubleVotingProof { first, second }),
		key_owner_proof,
	}
}

/// The report of a vote for a block that is not there.
pub(crate) fn early_vote(vote: Vote) -> Call<Runtime> {
	let key_owner_proof = ownership(&vote);
	Call::report_future_block_voting {
		equivocation_proof: Box::new(FutureBlockVotingProof { vote }),
		key_owner_proof,
	}
}

fn fork_vote(vote: Vote, ancestry_proof: AncestryProof<H256>, header: Header) -> Call<Runtime> {
	let key_owner_proof = ownership(&vote);
	Call::report_fork_voting {
		equivocation_proof: Box::new(ForkVotingProof {
			vote,
			ancestry_proof,
			header,
		}),
		key_owner_proof,
	}
}

/// What a validator answers for.
fn offences(name: &str) -> Vec<EquivocationView> {
	Validators::validator(&account(name)).equivocations
}

/// The next session begins.
fn rotate() {
	// BABE has looked at the block's digest.
	let initialized = [twox_128(b"Babe"), twox_128(b"Initialized")].concat();
	sp_io::storage::set(&initialized, &[0]);
	Session::rotate_session();
}

/// Makes blocks, as far as the range knows of them, in each of which something may happen; their headers.
fn blocks(number: BlockNumber, happens: impl Fn(BlockNumber)) -> Vec<Header> {
	let mut parent = genesis_hash();
	(1..=number)
		.map(|number| {
			System::initialize(&number, &parent, &Default::default());
			Mmr::on_initialize(number);
			happens(number);
			let header = System::finalize();
			parent = header.hash();
			header
		})
		.collect()
}

/// Runs a test in the last of so many blocks, whose leaves can be read.
fn after_blocks(test: impl FnOnce(Vec<Header>)) {
	after(BLOCKS, |_| (), test);
}

/// The same of blocks in which something happens.
fn after(number: BlockNumber, happens: impl Fn(BlockNumber), test: impl FnOnce(Vec<Header>)) {
	let mut chain = sp_io::TestExternalities::new(genesis(CHAIN));
	let headers = chain.execute_with(|| blocks(number, happens));
	chain.persist_offchain_overlay();
	let (offchain, _) = TestOffchainExt::with_offchain_db(chain.offchain_db());
	chain.register_extension(OffchainDbExt::new(offchain));
	chain.execute_with(|| test(headers));
}

#[test]
fn two_votes_for_one_block_cost_stake_once() {
	on_chain(CHAIN, || {
		let [first, second] =
			[1, 2].map(|root| vote(&Keyring::Alice, 0, 1, H256::repeat_byte(root)));
		let report = two_votes(first.clone(), second.clone());
		done(by(EVE), report.clone());
		let known = offences("//Alice");
		assert_eq!(known.len(), 1);
		// (3 · 1 / 4)².
		assert_eq!(known[0].part, Perbill::from_parts(562_500_000));
		refuses!(Beefy::DuplicateOffenceReport, by(EVE), report);
		refuses!(
			Beefy::InvalidDoubleVotingProof,
			by(EVE),
			two_votes(
				vote(&Keyring::Bob, 0, 1, H256::repeat_byte(1)),
				vote(&Keyring::Bob, 0, 2, H256::repeat_byte(2)),
			)
		);
		// A signature of another's below Bob's name.
		let forged = Vote {
			id: Keyring::<AuthorityId>::Bob.public(),
			..second
		};
		let honest = vote(&Keyring::Bob, 0, 1, H256::repeat_byte(1));
		refuses!(
			Beefy::InvalidDoubleVotingProof,
			by(EVE),
			two_votes(honest, forged)
		);
		assert_eq!(offences("//Bob"), vec![]);
	});
}

#[test]
fn who_voted_is_known_by_the_set_of_the_vote_from_the_first_on() {
	on_chain(CHAIN, || {
		let two = |who: &Keyring<AuthorityId>, set: ValidatorSetId| {
			let [first, second] = [1, 2].map(|root| vote(who, set, 1, H256::repeat_byte(root)));
			two_votes(first, second)
		};
		let in_time = two(&Keyring::Alice, 0);
		rotate();
		let of_second = two(&Keyring::Bob, 1);
		rotate();
		assert_eq!(Beefy::validator_set().map(|set| set.id()), Some(2));
		refuses!(
			Beefy::InvalidEquivocationProofSession,
			by(EVE),
			two(&Keyring::Alice, 0)
		);
		done(by(EVE), in_time);
		done(by(EVE), of_second);
		assert_eq!(offences("//Alice")[0].session, 0);
		assert_eq!(offences("//Bob")[0].session, 1);
		refuses!(
			Beefy::InvalidEquivocationProofSessionMember,
			by(EVE),
			two(&Keyring::Charlie, 7)
		);
	});
}

#[test]
fn votes_for_another_chain_are_not_even_looked_at() {
	on_chain(CHAIN, || {
		let ours = vote(&Keyring::Alice, 0, 1, H256::repeat_byte(1));
		let payload = Payload::from_single_entry(MMR_ROOT_ID, H256::repeat_byte(2).encode())
			.push_raw(CHAIN_ENTRY, H256::repeat_byte(9).encode());
		let theirs: Vote = signed_vote(1, payload, 0, &Keyring::Alice);
		refuses!(
			System::CallFiltered,
			by(EVE),
			two_votes(ours, theirs.clone())
		);
		refuses!(System::CallFiltered, by(EVE), early_vote(theirs));
		assert_eq!(offences("//Alice"), vec![]);
	});
}

#[test]
fn a_vote_for_a_block_that_is_not_there_costs_half() {
	on_chain(CHAIN, || {
		let root = H256::repeat_byte(1);
		let next = System::block_number() + 1;
		done(by(EVE), early_vote(vote(&Keyring::Alice, 0, next, root)));
		assert_eq!(offences("//Alice")[0].part, Perbill::from_percent(50));
		let before = System::block_number() - 1;
		refuses!(
			Beefy::InvalidFutureBlockVotingProof,
			by(EVE),
			early_vote(vote(&Keyring::Bob, 0, before, root))
		);
	});
}

#[test]
fn a_vote_for_a_block_of_a_fork_costs_half() {
	const VOTED: BlockNumber = 5;
	const KNOWN: BlockNumber = 10;
	after_blocks(|headers| {
		let proof = Mmr::generate_ancestry_proof(VOTED, Some(KNOWN)).expect("the leaves are there");
		let header = headers[KNOWN as usize - 1].clone();
		let fork = vote(&Keyring::Alice, 0, VOTED, H256::repeat_byte(1));
		done(by(EVE), fork_vote(fork, proof.clone(), header.clone()));
		assert_eq!(offences("//Alice")[0].part, Perbill::from_percent(50));

		let canonical = &headers[VOTED as usize - 1];
		let root = root_of(canonical);
		let honest = vote(&Keyring::Bob, 0, VOTED, root);
		refuses!(
			Beefy::InvalidForkVotingProof,
			by(EVE),
			fork_vote(honest, proof.clone(), header)
		);
		// A header of a fork proves nothing.
		let mut elsewhere = headers[KNOWN as usize - 1].clone();
		elsewhere.state_root = H256::repeat_byte(3);
		let fork = vote(&Keyring::Bob, 0, VOTED, H256::repeat_byte(1));
		refuses!(
			Beefy::InvalidForkVotingProof,
			by(EVE),
			fork_vote(fork, proof, elsewhere)
		);
		assert_eq!(offences("//Bob"), vec![]);
	});
}

/// Alice has stake from the first epoch on, in which a session begins, and signs a fork in it. Half of her
/// stake waits from the next settlement on and burns in the end, but for what is due to who applies it;
/// who reported the fork has nothing of it.
#[test]
fn a_fork_burns_half_of_its_signers_stake_but_for_who_applies_the_slash() {
	const VOTED: BlockNumber = 25;
	const KNOWN: BlockNumber = 30;
	const UNITS: u32 = 4;
	let happens = |number: BlockNumber| {
		let before = now().0;
		Epochs::on_initialize(number);
		if number == 1 {
			commit(ALICE, 1, UNITS, 6);
		}
		if now().0 > before {
			rotate();
		}
	};
	after(KNOWN + 1, happens, |headers| {
		assert_eq!((now().0, Session::current_index()), (1, 1));
		let peer = peer(1);
		let has = |name: &str| <Balances as Inspect<AccountId>>::total_balance(&account(name));
		let all_have = || [has(ALICE), has(BOB), has(EVE), Balances::total_issuance()];
		let [alices, bobs, eves, supply] = all_have();
		let left = || Commitments::<Runtime>::get(peer).map(|commitment| commitment.left());
		let stake = 100 * FLT * Balance::from(UNITS);
		assert_eq!(left(), Some(stake));

		let proof = Mmr::generate_ancestry_proof(VOTED, Some(KNOWN)).expect("the leaves are there");
		let header = headers[KNOWN as usize - 1].clone();
		let fork = vote(&Keyring::Alice, 1, VOTED, H256::repeat_byte(1));
		done(by(EVE), fork_vote(fork, proof, header));
		let known = offences(ALICE);
		assert_eq!(
			(known[0].epoch, known[0].part),
			(1, Perbill::from_percent(50))
		);
		assert_eq!(
			left(),
			Some(stake),
			"what it costs is taken by the settlement"
		);

		done(by(EVE), pallet_capacity::Call::<Runtime>::settle { peer });
		let amount = stake / 2;
		assert_eq!(left(), Some(stake - amount));
		let waiting: Vec<_> = WaitingSlashes::<Runtime>::iter_prefix(peer).collect();
		let [(slash, row)] = &waiting[..] else {
			panic!("one slash waits: {waiting:?}");
		};
		assert_eq!(row.parts.to_vec(), [(account(ALICE), amount)]);
		assert_eq!((row.epoch, row.reporter.clone()), (1, None));
		assert_eq!(all_have(), [alices, bobs, eves, supply], "it waits");

		go_to(row.due, 0);
		let slash = *slash;
		done(
			by(BOB),
			pallet_capacity::Call::<Runtime>::apply_slash { peer, slash },
		);
		// So many fees of the call, and at most a part of what it moves.
		let params = pallet_capacity::Params::<Runtime>::get();
		let weight = <Runtime as pallet_capacity::Config>::WeightInfo::apply_slash(1);
		let fee = <Runtime as pallet_capacity::Config>::WeightToFee::weight_to_fee(&weight);
		let most = params.bounty_part.mul_floor(amount);
		let bounty = most.min(fee * Balance::from(params.bounty_fees));
		assert!(bounty > 0);
		let burnt = amount - bounty;
		let applied = pallet_capacity::Event::SlashApplied {
			peer,
			slash,
			burnt,
			reporter: 0,
			bounty,
		};
		System::assert_has_event(RuntimeEvent::Capacity(applied));
		assert_eq!(
			all_have(),
			[alices - amount, bobs + bounty, eves, supply - burnt]
		);
		assert_eq!(left(), Some(stake - amount));
	});
}

/// The root that a header states, which validators sign.
fn root_of(header: &Header) -> H256 {
	sp_consensus_beefy::mmr::find_mmr_root_digest::<millrace_runtime::Block>(header)
		.expect("each block states its root")
}

#[test]
fn a_leaf_is_proven_by_the_root_that_a_later_header_states() {
	after_blocks(|headers| {
		for block in 1..=BLOCKS {
			for known in block..=BLOCKS {
				let (leaves, proof) =
					Mmr::generate_proof(vec![block], Some(known)).expect("the leaves are there");
				let leaf = &leaves[0];
				let parent = match block {
					1 => genesis_hash(),
					_ => headers[block as usize - 2].hash(),
				};
				assert_eq!(leaf.parent_number_and_hash, (block - 1, parent));
				assert_eq!(
					(proof.leaf_indices.len(), proof.leaf_count),
					(1, known.into())
				);
				type Hashing = <Runtime as pallet_mmr::Config>::Hashing;
				let root = root_of(&headers[known as usize - 1]);
				if known == 1 {
					// The crate's own verification does not know the only leaf from its hash.
					assert_eq!(root, H256(keccak_256(&leaf.encode())));
					continue;
				}
				let nodes = vec![pallet_mmr::primitives::DataOrHash::Data(leaf.clone())];
				pallet_mmr::verify_leaves_proof::<Hashing, _>(root, nodes.clone(), proof.clone())
					.unwrap_or_else(|error| panic!("leaf of {block} at {known}: {error:?}"));
				let other = H256::repeat_byte(1);
				let refused = pallet_mmr::verify_leaves_proof::<Hashing, _>(other, nodes, proof);
				assert!(refused.is_err());
			}
		}
	});
}

#[test]
fn every_session_has_a_set_of_its_own_and_names_the_next() {
	on_chain(CHAIN, || {
		let named = || <BeefyMmrLeaf as LeafDataProvider>::leaf_data().beefy_next_authority_set;
		let first = named();
		assert_eq!((first.id, first.len), (1, 4));
		assert_eq!(first.keyset_commitment, root_of_addresses());
		for set in 1..=3 {
			rotate();
			assert_eq!(Beefy::validator_set().map(|set| set.id()), Some(set));
			let expected = BeefyAuthoritySet {
				id: set + 1,
				..first.clone()
			};
			assert_eq!(named(), expected);
			assert_eq!(BeefyMmrLeaf::authority_set_proof().id, set);
		}
	});
}

/// Root of the tree over the addresses of the four development validators, put together by hand.
fn root_of_addresses() -> H256 {
	let hash = |bytes: &[u8]| keccak_256(bytes);
	let node = |left: [u8; 32], right: [u8; 32]| hash(&[left, right].concat());
	// Ethereum's addresses of the development keys.
	let leaves = [
		"e04cc55ebee1cbce552f250e85c57b70b2e2625b",
		"25451a4de12dccc2d166922fa938e900fcc4ed24",
		"5630a480727cd7799073b36472d9b1a6031f840b",
		"4bb32a4263e369acbb6c020ffa89a41fd9722894",
	]
	.map(|address| hash(&hex::decode(address).expect("that is hexadecimal")));
	let [one, two, three, four] = leaves;
	node(node(one, two), node(three, four)).into()
}

#[test]
fn consensus_on_checkpoints_is_begun_anew_by_governance_alone() {
	on_chain(CHAIN, || {
		let call = Call::<Runtime>::set_new_genesis { delay_in_blocks: 1 };
		assert!(make(by(EVE), call.clone()).is_err());
		done(root(), call);
		let begun = pallet_beefy::GenesisBlock::<Runtime>::get();
		assert_eq!(begun, Some(System::block_number() + 1));
	});
}

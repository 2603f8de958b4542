//! Validators and their sets.

use crate::text;
use millrace_runtime::{BeefyMmrLeaf, Runtime};
use pallet_beefy_mmr::{BeefyAuthorities, BeefyEcdsaToEthereum};
use serde::Serialize;
use sp_consensus_beefy::{
	ecdsa_crypto::AuthorityId, mmr, OnNewValidatorSet, ValidatorSet, ValidatorSetId,
};
use sp_core::{ecdsa, Pair, H256};
use sp_crypto_hashing::keccak_256;
use sp_io::TestExternalities;
use sp_runtime::traits::Convert;

/// Validators that there are.
const VALIDATORS: usize = 300;
/// Sizes of the sets of the chain's sessions, by their ids.
const SIZES: [usize; 5] = [4, 7, 21, 100, 100];
/// Each set begins so many validators behind the one before.
const STEP: usize = 10;

/// A validator whose secret is the Keccak hash of its name, `vectors/0` and so on.
pub(crate) struct Validator {
	pair: ecdsa::Pair,
}

impl Validator {
	/// Signs bytes as the node's keystore does.
	pub(crate) fn sign(&self, bytes: &[u8]) -> ecdsa::Signature {
		self.pair.sign_prehashed(&keccak_256(bytes))
	}

	/// As BEEFY knows it.
	pub(crate) fn id(&self) -> AuthorityId {
		self.pair.public().into()
	}

	/// As the contracts know it.
	pub(crate) fn address(&self) -> String {
		text(BeefyEcdsaToEthereum::convert(self.id()))
	}
}

/// All of them.
pub(crate) fn validators() -> Vec<Validator> {
	(0..VALIDATORS)
		.map(|index| {
			let secret = keccak_256(format!("vectors/{index}").as_bytes());
			let pair = ecdsa::Pair::from_seed(&secret);
			Validator { pair }
		})
		.collect()
}

/// Members of the set with an id.
pub(crate) fn members(all: &[Validator], set: ValidatorSetId) -> &[Validator] {
	let index = usize::try_from(set).expect("ids are small");
	&all[index * STEP..][..SIZES[index]]
}

/// What the runtime makes of a set.
fn set_of(id: ValidatorSetId, members: &[Validator]) -> mmr::BeefyAuthoritySet<H256> {
	let set = |id, members: &[Validator]| {
		ValidatorSet::new(members.iter().map(Validator::id), id).expect("a set has members")
	};
	<BeefyMmrLeaf as OnNewValidatorSet<_>>::on_new_validator_set(
		&set(id, members),
		&set(id + 1, &members[..1]),
	);
	BeefyAuthorities::<Runtime>::get()
}

/// Validators, and the roots of the sets that the first of them make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorities {
	/// Addresses of the validators.
	pub addresses: Vec<String>,
	/// Root of the set of the first one, the first two, and so on.
	pub roots: Vec<String>,
}

impl Authorities {
	pub(crate) fn of(all: &[Validator]) -> Self {
		let roots = TestExternalities::default().execute_with(|| {
			(1..=all.len())
				.map(|number| text(set_of(0, &all[..number]).keyset_commitment))
				.collect()
		});
		Self {
			addresses: all.iter().map(Validator::address).collect(),
			roots,
		}
	}
}

/// An authority set, as a leaf has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthoritySet {
	/// Its id.
	pub id: ValidatorSetId,
	/// How many validators it has.
	pub len: u32,
	/// Root of the tree over their addresses.
	pub root: String,
	/// Their addresses, in the set's order.
	pub addresses: Vec<String>,
	/// The same, as the runtime has it.
	#[serde(skip)]
	pub(crate) known: mmr::BeefyAuthoritySet<H256>,
}

/// The sets of the chain's sessions.
pub(crate) fn sets(all: &[Validator]) -> Vec<AuthoritySet> {
	TestExternalities::default().execute_with(|| {
		(0..SIZES.len() as ValidatorSetId)
			.map(|id| {
				let members = members(all, id);
				let known = set_of(id, members);
				AuthoritySet {
					id: known.id,
					len: known.len,
					root: text(known.keyset_commitment),
					addresses: members.iter().map(Validator::address).collect(),
					known,
				}
			})
			.collect()
	})
}

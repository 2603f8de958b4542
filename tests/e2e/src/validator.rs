//! Validators: nodes that know each other, and providers that stake for a seat.

use crate::{network::account, provider::COMMITTED_EPOCHS, Node};
use millrace_client::{calls, AccountKey, Chain, Included, PeerKeypair};
use millrace_primitives::{
	commitment::StakeOffer,
	peer::{key_proof, PeerId},
	Balance,
};
use sp_arithmetic::Perbill;
use std::path::Path;

/// Nodes of a chain that come to know each other, one started after the other.
#[derive(Debug)]
pub struct Nodes<'a> {
	folder: &'a Path,
	chain: &'a str,
	addresses: Vec<String>,
}

impl<'a> Nodes<'a> {
	/// None yet, of a chain: a name or a file.
	pub fn of(folder: &'a Path, chain: &'a str) -> Self {
		Self {
			folder,
			chain,
			addresses: Vec::new(),
		}
	}

	/// Starts a node that validates, with some options of its own, and waits until it answers.
	pub async fn validator(&mut self, name: &str, options: &[&str]) -> Node {
		let number = u8::try_from(self.addresses.len() + 1).expect("there are few nodes");
		// A fixed key: the node is the same one to the others when it is started again.
		let node_key = hex::encode([[0; 31].as_slice(), &[number]].concat());
		let mut all = vec![
			"--chain",
			self.chain,
			"--validator",
			"--node-key",
			&node_key,
		];
		all.extend(options);
		if !self.addresses.is_empty() {
			all.push("--bootnodes");
			all.extend(self.addresses.iter().map(String::as_str));
		}
		let mut node = Node::start(self.folder, name, &all);
		node.until_up().await;
		self.addresses.push(node.address().await);
		node
	}
}

/// A provider that staked alone for one machine.
#[derive(Debug)]
pub struct Staked {
	/// Its account.
	pub account: AccountKey,
	/// The machine.
	pub peer: PeerId,
	/// The stake.
	pub stake: Balance,
	/// The transaction.
	pub included: Included,
}

/// Registers a provider with one machine, commits units of it and stakes for them; a provider that has
/// session keys may also stand for a seat at once.
pub async fn stake(chain: &Chain, name: &str, units: u32, stands: bool) -> Staked {
	let account = account(name);
	let key = PeerKeypair::generate().expect("there is randomness");
	let (peer, proof) = (key.id(), key_proof(chain.genesis(), &account.account()));
	let offer = StakeOffer {
		own_part: Perbill::one(),
		commission: Perbill::zero(),
		invited: Default::default(),
	};
	let view = chain.latest().await.expect("the node is up");
	let terms = view
		.start_terms(units, COMMITTED_EPOCHS, offer.own_part, offer.commission)
		.await
		.expect("terms can be read");
	let stake = terms.terms.stake_per_unit * Balance::from(units);
	let url = "http://127.0.0.1:1";
	let mut batch = vec![
		calls::providers::register_provider("Validator of a test"),
		calls::providers::register_peer(key.public(), key.sign_hash(proof), url),
		calls::capacity::create(peer, units, COMMITTED_EPOCHS, &offer),
		calls::capacity::stake(peer, &terms, 0, stake),
	];
	if stands {
		batch.push(calls::validators::validate());
	}
	let included = chain
		.submit(&account, calls::utility::batch_all(batch))
		.await
		.expect("the provider can register, commit and stake");
	Staked {
		account,
		peer,
		stake,
		included,
	}
}

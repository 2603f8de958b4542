//! Rounds, and what they do to messages.

use super::*;
use millrace_anchor::{
	contract::{AuthoritySet, Settings as Contract},
	evm::{AnchorKey, Fees, Transaction},
};

fn chain(path: &std::path::Path, settings: Settings) -> Chain {
	let store = Store::open(path).expect("it is opened");
	Chain::open(settings, store, 1_700_000_000).expect("it begins")
}

fn settings(null_percent: u8, finality: u64) -> Settings {
	Settings {
		null_percent,
		finality,
		..Settings::default()
	}
}

fn deployment() -> Vec<u8> {
	let set = |id| AuthoritySet {
		id,
		len: 1,
		root: H256::repeat_byte(1),
	};
	Contract::beginning(H256::repeat_byte(7), 0, [set(0), set(1)], 0).deployment()
}

fn raw(nonce: u64, max: u64, data: Vec<u8>, to: Option<Address>) -> (Vec<u8>, H256) {
	let transaction = Transaction {
		chain_id: 31_337,
		nonce,
		fees: Fees {
			priority: 1.into(),
			max: max.into(),
		},
		gas: 30_000_000,
		to,
		data,
	};
	let key = AnchorKey::development(0).expect("there is one");
	let signed = transaction.sign(&key).expect("it is signed");
	(signed.raw, signed.hash)
}

fn run(chain: &mut Chain, rounds: u64) {
	for _ in 0..rounds {
		let now = 1_700_000_000 + chain.round * 30;
		chain.tick(now).expect("the disk is well");
	}
}

#[test]
fn a_message_is_executed_with_the_tipset_after_its_own() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let mut chain = chain(&folder.path().join("a"), settings(0, 2));
	let (bytes, hash) = raw(0, 1_000, deployment(), None);
	assert_eq!(chain.send(&bytes), Ok(hash));
	run(&mut chain, 1);
	assert!(
		chain.message(hash).is_none(),
		"it is in a tipset, and not executed"
	);
	run(&mut chain, 1);
	let (tipset, place) = chain.message(hash).expect("it is executed");
	let (_, outcome) = &tipset.messages[place];
	assert!(outcome.ok, "{outcome:?}");
	let contract = outcome.created.expect("it deploys one");
	assert_eq!(
		contract.to_string(),
		"0x5FbDB2315678afecb367f032d93F642f64180aa3"
	);
	assert!(
		chain.finalized().number < tipset.number,
		"it is not final yet"
	);

	let query = Query {
		to: Some(contract),
		data: millrace_anchor::contract::Call::Getter("genesisHash").encode(),
		..Query::default()
	};
	let answer = chain
		.query(chain.latest(), &query)
		.expect("the state is there");
	assert_eq!((answer.ok, answer.output), (true, vec![7; 32]));
}

#[test]
fn rounds_without_a_tipset_have_no_number() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let mut chain = chain(&folder.path().join("a"), settings(50, 10));
	run(&mut chain, 100);
	let missing = (1..100)
		.filter(|round| chain.tipset(*round).is_none())
		.count();
	assert!((20..80).contains(&missing), "{missing}");
	let numbers: Vec<u64> = chain.range(0, 100).map(|tipset| tipset.number).collect();
	assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
	assert!(chain.finalized().number <= chain.latest().number - 10);
}

#[test]
fn old_states_are_gone_and_new_ones_are_not() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let mut chain = chain(&folder.path().join("a"), settings(0, 10));
	run(&mut chain, STATES + 50);
	let query = Query::default();
	let has_state = |tipset: &Tipset| chain.query(tipset, &query).is_some();
	assert!(has_state(chain.latest()) && has_state(chain.finalized()));
	assert!(!has_state(chain.tipset(1).expect("it is there still")));
}

#[test]
fn it_goes_on_where_it_was() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let path = folder.path().join("a");
	let (bytes, hash) = raw(0, 1_000, deployment(), None);
	let before = {
		let mut chain = chain(&path, settings(20, 10));
		chain.send(&bytes).expect("it is taken");
		run(&mut chain, 20);
		chain.latest().hash
	};
	let mut again = chain(&path, settings(20, 10));
	assert_eq!(again.latest().hash, before);
	assert!(again.message(hash).is_some());
	assert_eq!(again.send(&bytes), Err(PoolError::Known));
	run(&mut again, 5);
	assert!(again.latest().number > 15);
}

#[test]
fn a_message_is_replaced_by_one_that_pays_a_quarter_more() {
	let folder = tempfile::tempdir().expect("a temporary folder");
	let mut chain = chain(&folder.path().join("a"), settings(0, 2));
	let to = Some(Address([9; 20]));
	let (first, _) = raw(0, 1_000, Vec::new(), to);
	let (little, _) = raw(0, 1_200, Vec::new(), to);
	let (more, hash) = raw(0, 1_251, Vec::new(), to);
	let (ahead, _) = raw(70, 1_000, Vec::new(), to);
	chain.send(&first).expect("it is taken");
	assert_eq!(
		chain.send(&little),
		Err(PoolError::Underpriced { needed: 1_251 })
	);
	assert_eq!(chain.send(&more), Ok(hash));
	assert!(matches!(chain.send(&ahead), Err(PoolError::Ahead { .. })));
	run(&mut chain, 2);
	assert!(chain.message(hash).is_some());
	assert_eq!(
		chain.executed_nonce(AnchorKey::development_addresses()[0]),
		1
	);
	assert!(matches!(chain.send(&first), Err(PoolError::Stale { .. })));
}

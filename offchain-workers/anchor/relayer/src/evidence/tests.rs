//! Servers that show some events, or none.

use super::*;
use crate::{
	commitment::tests::{addresses, commitment, keys, signed},
	contract::signed_events,
	evm::{AnchorKey, Reads},
};
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex};

/// A server with a head and events, each in a block. It keeps what it was asked for.
#[derive(Debug, Default)]
struct Server {
	head: u64,
	events: Vec<(u64, Value)>,
	fails: bool,
	/// Most blocks of a question that it answers, if not all.
	most: Option<u64>,
	asked: Mutex<Vec<(u64, u64)>>,
}

impl Transport for Server {
	fn name(&self) -> &str {
		"server"
	}

	fn request<'a>(
		&'a self,
		method: &'a str,
		params: Value,
	) -> BoxFuture<'a, Result<Value, RpcError>> {
		let answer = match method {
			_ if self.fails => Err(malformed(self, method)),
			"eth_blockNumber" => Ok(json!(format!("{:#x}", self.head))),
			_ => {
				let bound = |name: &str| small_quantity(&params[0][name]).expect("a number");
				let (from, to) = (bound("fromBlock"), bound("toBlock"));
				self.asked.lock().unwrap().push((from, to));
				let events = self.events.iter();
				let found = events.filter(|(block, _)| (from..=to).contains(block));
				match self.most.is_some_and(|most| to - from >= most) {
					true => Err(malformed(self, method)),
					false => Ok(found.map(|(_, event)| event.clone()).collect()),
				}
			}
		};
		Box::pin(async { answer })
	}
}

fn contract(servers: &[Arc<Server>]) -> Contract {
	let servers = servers.iter().map(|server| {
		let server: Arc<dyn Transport> = server.clone();
		server
	});
	Contract::new(Reads::new(servers.collect(), 1), Address([2; 20]))
}

fn in_block(block: u64, events: Vec<Value>) -> Vec<(u64, Value)> {
	events.into_iter().map(|event| (block, event)).collect()
}

#[tokio::test]
async fn what_one_server_hides_another_shows() {
	let keys = keys(300);
	let who: Vec<usize> = (0..250).chain([299]).collect();
	let fork = signed(commitment(5, 1), &keys, &who);
	let servers = [
		Arc::new(Server {
			head: 100,
			..Server::default()
		}),
		Arc::new(Server {
			fails: true,
			..Server::default()
		}),
		Arc::new(Server {
			head: 110,
			events: in_block(105, signed_events(&fork, 112)),
			..Server::default()
		}),
	];
	let mut evidence = Evidence::default();
	let genesis = fork.commitment.genesis;
	let all = evidence.ask(&contract(&servers), genesis).await;
	let all = all.expect("two of them answer");
	let places: Vec<usize> = all.iter().map(|answer| answer.server).collect();
	assert_eq!(places, [0, 2]);
	assert!(all[0].told.is_empty());
	let told: Vec<Signed> = all[1].told.iter().filter_map(Told::signed).collect();
	assert_eq!(told[0].signers(&addresses(&keys)), who);
	assert_eq!(told, [fork]);
	let none = evidence.ask(&contract(&servers[1..2]), genesis).await;
	assert!(none.is_err());
}

#[tokio::test]
async fn each_server_is_asked_for_what_is_new_and_for_a_little_before() {
	let server = Arc::new(Server {
		head: 150,
		..Server::default()
	});
	let contract = contract(std::slice::from_ref(&server));
	let mut evidence = Evidence::default();
	for _ in 0..2 {
		// Until it is settled, the same is asked for.
		let all = evidence
			.ask(&contract, H256::zero())
			.await
			.expect("it answers");
		if server.asked.lock().unwrap().len() == 2 {
			evidence.settle(&all[0]);
		}
	}
	evidence.look_at(3);
	let all = evidence
		.ask(&contract, H256::zero())
		.await
		.expect("it answers");
	evidence.settle(&all[0]);
	evidence
		.ask(&contract, H256::zero())
		.await
		.expect("it answers");
	let asked = server.asked.lock().unwrap().clone();
	assert_eq!(asked, [(0, 150), (0, 150), (3, 3)]);
}

#[test]
fn questions_are_short_and_go_on_where_the_last_one_ended() {
	let all = |known, head| blocks(known, head, WINDOW);
	assert_eq!(all(None, 5), (0, 5));
	assert_eq!(all(None, 1_000), (0, 199));
	assert_eq!(all(None, 3_000), (220, 439), "23 hours");
	assert_eq!(all(Some(1_001), 1_003), (981, 1_003));
	assert_eq!(all(Some(1_001), 2_000), (981, 1_200));
	let (from, to) = all(Some(1_001), 1_000);
	assert!(from > to, "nothing is new");
	assert_eq!(all(Some(10), 100_000), (97_220, 97_439), "23 hours");
	assert_eq!(all(Some(5_000), 7), (0, 7), "it has begun anew");
	assert_eq!(blocks(Some(1_001), 2_000, 5), (997, 1_005));
	assert_eq!(blocks(Some(1_001), 2_000, 1), (1_001, 1_001));
}

#[tokio::test]
async fn a_server_that_refuses_many_blocks_is_asked_for_fewer() {
	let server = Arc::new(Server {
		head: 1_000,
		most: Some(30),
		..Server::default()
	});
	let contract = contract(std::slice::from_ref(&server));
	let mut evidence = Evidence {
		next: [(0, 901)].into(),
		..Evidence::default()
	};
	for _ in 0..40 {
		if let Ok(all) = evidence.ask(&contract, H256::zero()).await {
			evidence.settle(&all[0]);
		}
	}
	assert_eq!(evidence.next.get(&0), Some(&1_001));
	let asked = server.asked.lock().unwrap().clone();
	let answered = asked.iter().filter(|(from, to)| to - from < 30);
	let mut next = 901;
	for (from, to) in answered {
		assert!(*from <= next, "{from} leaves out {next}");
		next = to + 1;
	}
	assert_eq!(next, 1_001);
}

#[test]
fn parts_that_are_missing_leave_the_others_where_they_belong() {
	let keys = keys(9);
	let fork = signed(commitment(5, 1), &keys, &[0, 2, 3, 7, 8]);
	let genesis = fork.commitment.genesis;
	let events = signed_events(&fork, 2);
	let parts = |kept: &[usize]| {
		let read = |index: &usize| read_signed(&events[*index], genesis);
		let parts: Vec<SignedPart> = kept.iter().filter_map(read).collect();
		let told = together(parts.into_iter());
		told.iter()
			.filter_map(Told::signed)
			.collect::<Vec<Signed>>()
	};
	assert_eq!(parts(&[2, 0, 1]), [fork.clone()]);
	let partly = parts(&[1]);
	assert_eq!(partly.len(), 1);
	assert_eq!(partly[0].signers(&addresses(&keys)), [3, 7]);
	let mut lie = read_signed(&events[2], genesis).expect("it is one");
	lie.first = usize::MAX;
	assert_eq!(placed(&[lie]).expect("it has places").count(), 0);
	assert!(parts(&[]).is_empty());
}

/// A commitment of which everything is told in one part.
fn part(block: u32, keys: &[AnchorKey], who: &[usize]) -> SignedPart {
	let signed = signed(commitment(block, 1), keys, who);
	let event = &signed_events(&signed, 112)[0];
	read_signed(event, signed.commitment.genesis).expect("it is one")
}

#[test]
fn of_too_many_those_with_the_most_signatures_are_taken() {
	let keys = keys(4);
	let one = part(0, &keys, &[3]);
	let many = (0..1_100u32).map(|block| {
		let mut other = one.clone();
		other.commitment.block = block;
		other
	});
	let taken = together(many.chain([part(5_000, &keys, &[0, 1, 2])]));
	assert_eq!(taken.len(), COMMITMENTS);
	assert_eq!(taken[0].commitment.block, 5_000);
}

#[test]
fn what_is_told_again_and_again_takes_no_other_ones_place() {
	let keys = keys(4);
	let often = std::iter::repeat_n(part(7, &keys, &[3]), 10);
	let ways = [&[0, 3][..], &[1, 3], &[0, 1, 2, 3], &[2, 3]];
	let honest = ways.map(|who| part(8, &keys, who));
	let taken = together(often.chain(honest).chain([part(9, &keys, &[0, 1, 2])]));
	let blocks: Vec<u32> = taken.iter().map(|told| told.commitment.block).collect();
	assert_eq!(blocks, [8, 9, 7]);
	let signed = taken[0].signed().expect("it has signatures");
	assert_eq!(signed.signers(&addresses(&keys)), [0, 1, 2, 3]);
}

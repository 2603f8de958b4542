//! Servers that lag, lie or are away.

use super::*;
use futures::future::BoxFuture;

/// A server of a test: a head, what it calls final, and what it answers a call.
#[derive(Debug)]
struct Scripted {
	name: &'static str,
	finalized: Option<u64>,
	head: u64,
	hash: u8,
	call: Result<Value, RpcError>,
}

impl Scripted {
	fn new(name: &'static str, finalized: u64) -> Self {
		Self {
			name,
			finalized: Some(finalized),
			head: finalized + 10,
			hash: 1,
			call: Ok(json!("0x01")),
		}
	}

	fn block(&self, number: u64) -> Value {
		let hash = to_hex(&[self.hash; 32]);
		json!({ "number": format!("{number:#x}"), "hash": hash, "timestamp": "0x1" })
	}
}

fn busy(name: &str) -> RpcError {
	RpcError::Busy {
		server: name.into(),
		status: 429,
	}
}

fn refusal(revert: Option<Vec<u8>>) -> RpcError {
	RpcError::Refused {
		server: "s".into(),
		method: "eth_call".into(),
		code: 3,
		message: "no".into(),
		revert,
	}
}

impl Transport for Scripted {
	fn name(&self) -> &str {
		self.name
	}

	fn request<'a>(
		&'a self,
		method: &'a str,
		params: Value,
	) -> BoxFuture<'a, Result<Value, RpcError>> {
		let answer = match (method, params[0].as_str()) {
			("eth_blockNumber", _) => Ok(json!(format!("{:#x}", self.head))),
			("eth_getBlockByNumber", Some("finalized")) => match self.finalized {
				Some(number) => Ok(self.block(number)),
				None => Err(refusal(None)),
			},
			("eth_getBlockByNumber", _) => {
				let number = small_quantity(&params[0]).expect("a number is asked for");
				// Every seventh round is empty.
				match number.is_multiple_of(7) {
					true => Err(refusal(None)),
					false => Ok(self.block(number)),
				}
			}
			("eth_call", _) => self.call.clone(),
			other => panic!("nobody asks {other:?}"),
		};
		Box::pin(async { answer })
	}
}

fn reads(servers: Vec<Scripted>, agree: usize) -> Reads {
	let servers = servers
		.into_iter()
		.map(|server| Arc::new(server) as Arc<dyn Transport>);
	Reads::new(servers.collect(), agree)
}

#[tokio::test]
async fn a_server_that_is_behind_costs_time_and_one_ahead_gains_nothing() {
	let reads = reads(vec![Scripted::new("a", 20), Scripted::new("b", 24)], 2);
	let block = reads.finalized().await.expect("both know block 20");
	assert_eq!(block.number, 20);
}

#[tokio::test]
async fn a_final_block_with_two_hashes_is_none() {
	let fork = Scripted {
		hash: 2,
		..Scripted::new("b", 20)
	};
	let error = reads(vec![Scripted::new("a", 20), fork], 2)
		.finalized()
		.await;
	assert!(error.is_err_and(|error| error.is_divergence()));
}

#[tokio::test]
async fn without_the_tag_final_is_what_lies_900_deep_and_is_no_empty_round() {
	let server = Scripted {
		finalized: None,
		head: 907,
		..Scripted::new("a", 0)
	};
	// Round 7 is empty.
	let block = reads(vec![server], 1)
		.finalized()
		.await
		.expect("there is one");
	assert_eq!(block.number, 6);
	let young = Scripted {
		finalized: None,
		head: 899,
		..Scripted::new("a", 0)
	};
	assert!(reads(vec![young], 1).finalized().await.is_err());
}

#[tokio::test]
async fn one_server_alone_is_not_believed_where_two_must_agree() {
	let away = Scripted {
		call: Err(busy("b")),
		..Scripted::new("b", 1)
	};
	let reads = reads(vec![Scripted::new("a", 1), away], 2);
	let error = reads.call_at(Address::default(), &[], 1).await;
	let Err(ReadsError::TooFew {
		needed, answered, ..
	}) = error
	else {
		panic!("{error:?}");
	};
	assert_eq!((needed, answered), (2, 1));
	assert_eq!(
		reads
			.call(Address::default(), Address::default(), &[])
			.await,
		Ok(vec![1])
	);
}

#[tokio::test]
async fn of_three_servers_a_liar_is_enough_to_abstain() {
	let liar = Scripted {
		call: Ok(json!("0x02")),
		..Scripted::new("c", 1)
	};
	let honest = || Scripted::new("a", 1);
	let reads = reads(vec![honest(), honest(), liar], 2);
	let error = reads.call_at(Address::default(), &[], 1).await;
	assert!(error.is_err_and(|error| error.is_divergence()));
}

#[tokio::test]
async fn a_refusal_by_the_contract_is_an_answer() {
	let refusing = || Scripted {
		call: Err(refusal(Some(vec![7]))),
		..Scripted::new("a", 1)
	};
	let error = reads(vec![refusing(), refusing()], 2)
		.call_at(Address::default(), &[], 1)
		.await
		.expect_err("it refuses");
	assert_eq!(error.revert(), Some(&[7][..]));
	let error = reads(vec![refusing(), Scripted::new("b", 1)], 2)
		.call_at(Address::default(), &[], 1)
		.await;
	assert!(error.is_err_and(|error| error.is_divergence()));
}

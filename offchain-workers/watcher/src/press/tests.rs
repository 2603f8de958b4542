use super::*;
use codec::Encode;
use jsonrpsee::{
	server::{RpcModule, Server, ServerHandle},
	types::ErrorObjectOwned,
};
use millrace_client::Chain;
use millrace_primitives::{views::ReportRecord, H256};
use serde_json::{json, Value};

const CONCLUDES: BlockNumber = 20;

fn account(byte: u8) -> AccountId {
	AccountId::from([byte; 32])
}

fn case(charge: Charge, subject: u8) -> CaseId {
	CaseId {
		peer: PeerId(H256::repeat_byte(7)),
		epoch: 4,
		charge,
		subject: H256::repeat_byte(subject),
	}
}

fn view(case: CaseId, leader: u8, proven: bool, concluded: bool) -> CaseView<AccountId> {
	CaseView {
		case,
		first_reveal: 12,
		concludes: CONCLUDES,
		leader: account(leader),
		proven,
		concluded,
	}
}

#[test]
fn a_case_is_concluded_when_its_contest_is_over() {
	let case = case(Charge::Replay, 1);
	let cases = [view(case, 1, true, false)];
	let turn = |now| turn(&cases, &case, &account(1), now);
	let wait = Turn::Wait {
		until: CONCLUDES,
		bonded: false,
	};
	assert_eq!(turn(CONCLUDES - 1), wait);
	assert_eq!(turn(CONCLUDES), Turn::Conclude);
	let cases = [view(case, 1, true, true)];
	let over = super::turn(&cases, &case, &account(1), CONCLUDES);
	assert_eq!(over, Turn::Over(End::Won));
}

#[test]
fn a_case_that_another_leads_is_left() {
	let case = case(Charge::Replay, 1);
	for concluded in [false, true] {
		let cases = [view(case, 2, true, concluded)];
		let turn = turn(&cases, &case, &account(1), CONCLUDES);
		assert_eq!(turn, Turn::Over(End::Left));
	}
}

#[test]
fn one_receipt_makes_one_case_however_it_was_proven() {
	let mine = case(Charge::Replay, 1);
	let cases = [view(case(Charge::Inspection, 1), 1, true, false)];
	assert_eq!(turn(&cases, &mine, &account(1), CONCLUDES), Turn::Conclude);
	let cases = [view(case(Charge::Inspection, 2), 1, true, false)];
	assert_eq!(
		turn(&cases, &mine, &account(1), CONCLUDES),
		Turn::Over(End::Moot)
	);
}

#[test]
fn a_claim_holds_its_bond_until_the_peer_is_silent_for_long_enough() {
	let claim = case(Charge::Omitted, 1);
	let cases = [view(claim, 1, false, false)];
	let turn = |cases: &[_], now| turn(cases, &claim, &account(1), now);
	let wait = Turn::Wait {
		until: CONCLUDES,
		bonded: true,
	};
	assert_eq!(turn(&cases, CONCLUDES - 1), wait);
	assert_eq!(turn(&cases, CONCLUDES), Turn::CloseShow);
	// The leaf was shown.
	assert_eq!(turn(&[], CONCLUDES), Turn::Over(End::Lost));
	// Meanwhile another receipt of the epoch was proven to be missing.
	let other = view(case(Charge::DoubleSeq, 2), 2, true, false);
	assert_eq!(turn(&[other], CONCLUDES), Turn::Over(End::Moot));
}

#[test]
fn a_peer_is_charged_once_for_an_epoch_and_kind() {
	let proven = [view(case(Charge::Replay, 1), 2, true, true)];
	assert!(standing(&proven, &case(Charge::Inspection, 2)));
	assert!(!standing(&proven, &case(Charge::Omitted, 2)));
	let later = CaseId {
		epoch: 5,
		..case(Charge::Replay, 1)
	};
	assert!(!standing(&proven, &later));
	// A claim that the peer may refute is in the way of none but itself.
	let claim = [view(case(Charge::Omitted, 1), 2, false, false)];
	assert!(!standing(&claim, &case(Charge::Omitted, 2)));
	assert!(standing(&claim, &case(Charge::Omitted, 1)));
}

/// A chain that keeps this record in the place of every report. Its node runs as long as the handle is
/// kept.
async fn chain(record: Option<ReportRecord>) -> (View, ServerHandle) {
	fn answer(value: Value) -> Result<Value, ErrorObjectOwned> {
		Ok(value)
	}
	let mut module = RpcModule::new(());
	for name in ["chain_getFinalizedHead", "chain_getBlockHash"] {
		module
			.register_method(name, |_, _, _| answer(json!(H256::zero())))
			.expect("the name is free");
	}
	module
		.register_method("chain_getHeader", |_, _, _| {
			answer(json!({
				"parentHash": H256::zero(),
				"number": "0x9",
				"stateRoot": H256::zero(),
				"extrinsicsRoot": H256::zero(),
				"digest": { "logs": [] },
			}))
		})
		.expect("the name is free");
	module
		.register_method("state_call", move |params, _, _| {
			let params: Vec<Value> = params.parse()?;
			let bytes = match params.first().and_then(Value::as_str) {
				Some("ReceiptsApi_report") => record.encode(),
				// The version begins with the specification's name.
				_ => "millrace".encode(),
			};
			answer(json!(format!("0x{}", hex::encode(bytes))))
		})
		.expect("the name is free");
	let server = Server::builder()
		.build("127.0.0.1:0")
		.await
		.expect("there is a free port");
	let address = server.local_addr().expect("it is bound");
	let handle = server.start(module);
	let chain = Chain::connect(&format!("ws://{address}"))
		.await
		.expect("the node answers");
	(chain.latest().await.expect("the node answers"), handle)
}

#[tokio::test]
async fn nobody_commits_to_a_case_before_its_report() {
	let record = |epoch| {
		Some(ReportRecord {
			epoch,
			hash: H256::zero(),
		})
	};
	for (charge, reported, waits) in [
		(Charge::DoubleSeq, None, true),
		(Charge::DoubleSeq, record(3), true),
		(Charge::DoubleSeq, record(4), false),
		(Charge::Omitted, record(4), false),
		// What is false by itself needs no report.
		(Charge::Replay, None, false),
		(Charge::Inspection, None, false),
	] {
		let (view, _node) = chain(reported).await;
		let outcome = is_unreported(&view, &case(charge, 1)).await;
		assert_eq!(
			outcome.expect("the node answers"),
			waits,
			"{charge:?} {reported:?}"
		);
	}
}

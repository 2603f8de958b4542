//! Referenda by the command line, and what becomes of them.

use codec::Encode;
use millrace_client::ChainEvent;
use millrace_e2e::{command::millrace, events::fields, Events, Network, Ran};
use millrace_primitives::{hash::blake2_256, referenda::ReferendumIndex, Balance, BlockNumber};
use sp_runtime::DispatchError;
use std::time::Duration;

/// Longest run of the tool.
const MINUTE: Duration = Duration::from_secs(60);
/// Longest wait for what a referendum comes to, on a busy machine.
const DECIDED: Duration = Duration::from_secs(240);

/// What the call of a referendum came to.
pub(super) type Enacted = Result<(), DispatchError>;

/// Runs a command of `millrace` for an account.
pub(super) async fn run(network: &Network, key: &str, command: &str, arguments: &[&str]) -> Ran {
	let node = network.node.ws();
	let common = ["--json", "--node", &node, "--key", key, command];
	millrace(network.folder(), MINUTE, [&common[..], arguments].concat()).await
}

/// Runs `millrace gov` for an account.
pub(super) async fn tool(network: &Network, key: &str, arguments: &[&str]) -> Ran {
	run(network, key, "gov", arguments).await
}

/// Makes a proposal, with the deposit for its decision; the referendum.
pub(super) async fn propose(network: &Network, key: &str, proposal: &[&str]) -> ReferendumIndex {
	let arguments = [&["propose"][..], proposal].concat();
	let told = tool(network, key, &arguments).await.succeeded().json();
	let index = told["referendum"]
		.as_u64()
		.and_then(|index| index.try_into().ok());
	index.unwrap_or_else(|| panic!("there is no referendum: {told}"))
}

/// Votes in favour with so many whole FLT, once locked.
pub(super) async fn aye(network: &Network, key: &str, index: ReferendumIndex, flt: Balance) {
	let (index, amount) = (index.to_string(), format!("{flt} FLT"));
	let vote = [
		"vote",
		&index,
		"aye",
		"--amount",
		&amount,
		"--conviction",
		"1",
	];
	tool(network, key, &vote).await.succeeded();
}

/// Waits until a referendum has won; weighed votes in favour and against, and FLT behind it.
pub(super) async fn won(events: &Events, index: ReferendumIndex) -> (Balance, Balance, Balance) {
	let what = format!("referendum {index} is won");
	type Confirmed = (ReferendumIndex, (Balance, Balance, Balance));
	let read = |event: &ChainEvent| {
		let (of, tally) = fields::<Confirmed>(event, "Referenda", "Confirmed")?;
		(of == index).then_some(tally)
	};
	events.until(&what, DECIDED, read).await.1
}

/// Waits until the call of a referendum was made; the block, and what it came to.
pub(super) async fn enacted(events: &Events, index: ReferendumIndex) -> (BlockNumber, Enacted) {
	// As pallet-referenda names what it schedules.
	let name = blake2_256(&(*b"assembly", "enactment", index).encode());
	let what = format!("referendum {index} is enacted");
	type Dispatched = ((BlockNumber, u32), Option<[u8; 32]>, Enacted);
	let read = |event: &ChainEvent| {
		let (_, task, outcome) = fields::<Dispatched>(event, "Scheduler", "Dispatched")?;
		(task == Some(name.0)).then_some(outcome)
	};
	events.until(&what, DECIDED, read).await
}

/// Names of the pallet and the error that a call has failed with, as any client finds them.
pub(super) async fn named(network: &Network, outcome: Enacted) -> (String, String) {
	let Err(DispatchError::Module(error)) = outcome else {
		panic!("that is no error of a pallet: {outcome:?}");
	};
	let metadata = network.rpc.metadata().await;
	let pallet = metadata.pallet_by_error_index(error.index);
	let pallet = pallet.expect("the runtime has the pallet of its error");
	let variant = pallet.error_variant_by_index(error.error[0]);
	let variant = variant.expect("the pallet has its error");
	(pallet.name().into(), variant.name.clone())
}

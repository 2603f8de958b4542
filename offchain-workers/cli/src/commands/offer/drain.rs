//! `millrace offer drain`: a peer leaves deals with notice.
//!
//! A notice is a duty: it is sent at every finalised block until the chain shows it, so that a pool
//! that forgets and an epoch that ends on the way need no case of their own.

use super::{draining_table, of_draining};
use crate::{
	commands::{
		deal::Draining,
		wait::{self, Progress},
	},
	context::Context,
	errors::{CliError, Kind, Result},
};
use clap::Args;
use millrace_client::{calls, Chain, PeerKeypair, SubmitError, View};
use millrace_primitives::{
	market::{drain_hash, DealStatus, WorkerStatus},
	peer::PeerId,
	views::Assignment,
	DealId, EpochIndex,
};
use serde_json::json;
use std::path::PathBuf;

/// Options of `offer drain`.
#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
	/// The peer's key file.
	#[arg(value_name = "PEER_KEY")]
	peer_key: PathBuf,
	/// Deals that it leaves.
	#[arg(
		value_name = "DEAL",
		required_unless_present = "all",
		conflicts_with = "all"
	)]
	deals: Vec<DealId>,
	/// Leave all deals in which it is live.
	#[arg(long)]
	all: bool,
	/// Give up after so many seconds.
	#[arg(long, value_name = "SECONDS", default_value_t = 300)]
	timeout: u64,
}

/// Gives notice, and waits until the chain has it.
pub(super) async fn run(context: &Context, args: DrainArgs) -> Result<()> {
	let key = PeerKeypair::load(&args.peer_key)?;
	let (peer, chain) = (key.id(), context.chain().await?);
	let deals = match args.all {
		true => live_in(&chain.latest().await?.assignments(peer).await?),
		false => args.deals,
	};
	if deals.is_empty() {
		let message = format!("peer {peer} is live in no deal that goes on");
		return Err(CliError::not_found("nothing_to_drain", message)
			.hint("`millrace peer status` lists its deals"));
	}
	let what = format!("notice of {peer}");
	let waited = wait::until(&chain, &what, args.timeout, async |view: &View| {
		let assignments = view.assignments(peer).await?;
		let mut given: Vec<Draining> = Vec::new();
		let mut trouble = None;
		for deal in &deals {
			match standing(&assignments, peer, *deal)? {
				Standing::Leaves { last } => given.push((*deal, peer, last)),
				Standing::Serves { since } => {
					trouble = send(&chain, &key, *deal, since).await?.or(trouble);
				}
			}
		}
		let (left, wanted) = (deals.len().saturating_sub(given.len()), deals.len());
		Ok(match (left, trouble) {
			(0, _) => Progress::Done(given),
			(_, Some(trouble)) => Progress::Waiting(trouble),
			(_, None) => Progress::Waiting(format!("{left} of {wanted} are not given yet")),
		})
	});
	let given = waited.await?.map_err(|last| {
		let message = format!("not every notice is given after {} s: {last}", args.timeout);
		CliError::new(Kind::Failure, "not_drained", message)
			.hint("give it again; one that is given already does no harm")
	})?;
	let value = json!({ "peer": peer, "draining": of_draining(&given) });
	context.emit(&value, || draining_table(&given))
}

/// Where a worker stands that can be given notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
	/// It is live.
	Serves {
		/// Its first paid epoch.
		since: EpochIndex,
	},
	/// It has notice.
	Leaves {
		/// Its last paid epoch.
		last: EpochIndex,
	},
}

/// The deals in which a peer is live and that are not ending.
fn live_in(assignments: &[Assignment]) -> Vec<DealId> {
	let leaves = |assignment: &&Assignment| {
		matches!(assignment.worker.status, WorkerStatus::Live { .. })
			&& !matches!(assignment.status, DealStatus::Ending { .. })
	};
	let deals = assignments.iter().filter(leaves);
	deals.map(|assignment| assignment.deal).collect()
}

/// Where a peer stands in a deal, or why it has no notice to give.
fn standing(assignments: &[Assignment], peer: PeerId, deal: DealId) -> Result<Standing> {
	let assignment = assignments
		.iter()
		.find(|assignment| assignment.deal == deal)
		.ok_or_else(|| unknown_worker(peer, deal))?;
	if let DealStatus::Ending { last } = assignment.status {
		let message = format!("deal {deal} ends with epoch {last}, and its workers with it");
		return Err(CliError::new(Kind::Failure, "deal_ending", message));
	}
	match assignment.worker.status {
		WorkerStatus::Live { since } => Ok(Standing::Serves { since }),
		WorkerStatus::Draining { last, .. } => Ok(Standing::Leaves { last }),
		WorkerStatus::Assigned { deadline } => {
			let message = format!("peer {peer} is not live in deal {deal} yet");
			Err(
				CliError::new(Kind::Failure, "not_live", message).hint(format!(
				"give notice once it is; without going live it is given up after epoch {deadline}, \
				 which costs nothing but counts towards the closing of the offer"
			)),
			)
		}
	}
}

fn unknown_worker(peer: PeerId, deal: DealId) -> CliError {
	let message = format!("peer {peer} is not a worker of deal {deal}");
	CliError::not_found("worker_unknown", message)
		.hint("`millrace peer status` lists the deals of a peer")
}

/// Signs and sends a notice. What passes by itself is told; what does not is an error.
async fn send(
	chain: &Chain,
	key: &PeerKeypair,
	deal: DealId,
	since: EpochIndex,
) -> Result<Option<String>> {
	let peer = key.id();
	let signature = key.sign_hash(drain_hash(chain.genesis(), peer, deal, since));
	let call = calls::market::drain(peer, deal, signature);
	match chain.submit_duty(call).await {
		Ok(_) => Ok(None),
		Err(SubmitError::Refused {
			code: Some(code), ..
		}) if of_key(code) => {
			let message = format!("the chain does not take signatures from this key of {peer}");
			Err(CliError::new(Kind::Refused, "key_not_active", message)
				.hint("use the key file that `millrace peer status` shows the public key of"))
		}
		// The pool looks at a later block than the one that was read: the next one shows why.
		Err(error @ SubmitError::Refused { .. }) => Ok(Some(error.to_string())),
		Err(error) if error.is_transient() => Ok(Some(error.to_string())),
		Err(error) => Err(error.into()),
	}
}

/// Whether the pool refuses a duty of the market for its key: see the docs' table of refusals.
fn of_key(code: u8) -> bool {
	matches!(code, 10 | 11)
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::Parser;
	use millrace_primitives::{
		execution::PROFILE_V1,
		market::{Abi, CallLimits, Package, Worker},
		H256,
	};

	#[derive(Parser)]
	struct Drained {
		#[command(flatten)]
		drain: DrainArgs,
	}

	fn assignment(deal: DealId, worker: WorkerStatus, status: DealStatus) -> Assignment {
		Assignment {
			deal,
			worker: Worker {
				peer: PeerId::default(),
				offer: 0,
				ask: 1,
				units: 1,
				bond: 0,
				status: worker,
			},
			package: Package {
				hash: H256::zero(),
				size: 8,
				links: Default::default(),
				abi: Abi::default(),
			},
			limits: CallLimits {
				gas: 1,
				memory_bytes: 1,
				request_bytes: 1,
				response_bytes: 1,
			},
			status,
			paid_until: 9,
			hosts: Default::default(),
			profile: PROFILE_V1,
			packages: Default::default(),
			billing: Default::default(),
			redeemed: Default::default(),
			access: Default::default(),
			rate: None,
			probe: None,
		}
	}

	#[test]
	fn deals_are_named_or_all_are_meant() {
		let drained = |line: &[&str]| Drained::try_parse_from([&["test"][..], line].concat());
		let named = drained(&["peer.json", "7", "8"]).expect("those are deals");
		assert_eq!(named.drain.deals, [7, 8]);
		assert!(drained(&["peer.json", "--all"]).is_ok_and(|all| all.drain.all));
		assert!(drained(&["peer.json"]).is_err());
		assert!(drained(&["peer.json", "7", "--all"]).is_err());
	}

	#[test]
	fn only_a_live_worker_of_a_deal_that_goes_on_has_notice_to_give() {
		let live = WorkerStatus::Live { since: 3 };
		let assignments = [
			assignment(1, live, DealStatus::Active),
			assignment(2, live, DealStatus::Grace),
			assignment(3, live, DealStatus::Ending { last: 5 }),
			assignment(
				4,
				WorkerStatus::Assigned { deadline: 6 },
				DealStatus::Active,
			),
			assignment(
				5,
				WorkerStatus::Draining { since: 2, last: 6 },
				DealStatus::Active,
			),
		];
		assert_eq!(live_in(&assignments), [1, 2]);
		let stands =
			|deal| standing(&assignments, PeerId::default(), deal).map_err(|error| error.code);
		assert_eq!(stands(1), Ok(Standing::Serves { since: 3 }));
		assert_eq!(stands(2), Ok(Standing::Serves { since: 3 }));
		assert_eq!(stands(3), Err("deal_ending".into()));
		assert_eq!(stands(4), Err("not_live".into()));
		assert_eq!(stands(5), Ok(Standing::Leaves { last: 6 }));
		assert_eq!(stands(6), Err("worker_unknown".into()));
	}
}

//! The network on which everybody cheats: six peers that do, one that does not and one that charges
//! itself, a gateway that watches, a watcher, and challengers.

use super::book::Book;
use futures::future::join_all;
use millrace_client::{calls, AccountId, View};
use millrace_e2e::{
	binaries,
	command::{self, Ran},
	deal::{specification, LIMITS},
	guests,
	http::Answer,
	network::{account, little_work, Stored},
	provider::EPOCHS,
	until, Deal, Gateway, Network, Node, Peer, Process, Provider,
};
use millrace_primitives::{
	commitment::StakeOffer,
	execution::SignedReceipt,
	market::{CallLimits, ProviderFilter},
	peer::PeerId,
	Balance, EpochIndex, FLT,
};
use serde_json::json;
use sp_arithmetic::Perbill;
use std::{collections::BTreeMap, time::Duration};
use tokio::join;

/// Blocks of an epoch, of half a second each.
pub(super) const EPOCH_BLOCKS: u32 = 26;
/// Latest position of an epoch in which all calls are still of it. Solutions are found before it.
const EARLY: u32 = 14;
/// Prepaid epochs: more than the test takes.
const PREPAID: u32 = 40;
/// What each account that has nothing is given: stake, deposits and fees.
const GIVEN: Balance = 300 * FLT;
/// Stake of a peer: one unit's.
pub(super) const STAKE: Balance = 100 * FLT;
/// The part of it that the provider brings that has a delegator.
pub(super) const OWN: Balance = 20 * FLT;
/// Longest run of a challenger.
const CHALLENGE: Duration = Duration::from_secs(120);

/// Pays the bonds of the gateway's watcher.
pub(super) const GATEKEEPER: &str = "//Gatekeeper";
/// Pays the bonds of `millrace watch`.
pub(super) const WATCHER: &str = "//Watcher";
/// Challenges what is true.
pub(super) const SLANDERER: &str = "//Slanderer";
/// Challenges what others have found.
pub(super) const COPIER: &str = "//Copier";
/// The second account of a provider.
pub(super) const SECOND: &str = "//Second";
/// Stakes for somebody else's peer.
pub(super) const DELEGATOR: &str = "//Delegator";
/// Orders all deals.
pub(super) const CLIENT: &str = "//Charlie";

/// Accounts that have nothing at genesis, but for the providers.
const STRANGERS: [&str; 6] = [GATEKEEPER, WATCHER, SLANDERER, COPIER, SECOND, DELEGATOR];

/// Limits under which the chain can run every call again.
const SMALL: CallLimits = CallLimits {
	gas: 1_000_000,
	memory_bytes: 1024 * 1024,
	..LIMITS
};

/// What a peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
	/// Lies about the output of calls.
	Output,
	/// Bills more gas than calls take.
	Gas,
	/// Answers with another deal's package.
	Package,
	/// Hands out receipts that it does not report.
	Omit,
	/// Signs a number twice.
	Double,
	/// Withholds the data of calls.
	Withhold,
	/// Does what it should.
	Honest,
	/// Charges itself, by another account of its provider.
	Itself,
}

/// All of them.
pub(super) const ROLES: [Role; 8] = [
	Role::Output,
	Role::Gas,
	Role::Package,
	Role::Omit,
	Role::Double,
	Role::Withhold,
	Role::Honest,
	Role::Itself,
];

impl Role {
	/// Name of its provider's account.
	pub(super) fn account(self) -> &'static str {
		match self {
			Self::Output => "//Output",
			Self::Gas => "//Gas",
			Self::Package => "//Package",
			Self::Omit => "//Omit",
			Self::Double => "//Double",
			Self::Withhold => "//Withhold",
			Self::Honest => "//Honest",
			Self::Itself => "//Itself",
		}
	}

	/// Whether it is called. The one that charges itself needs no calls.
	pub(super) fn works(self) -> bool {
		self != Self::Itself
	}

	/// Calls that it is given, and whether they go through the gateway: what does not is found by
	/// audits alone.
	fn calls(self) -> (u32, bool) {
		match self {
			Self::Output | Self::Withhold => (4, false),
			Self::Omit | Self::Double => (6, true),
			Self::Gas | Self::Package | Self::Honest => (3, true),
			Self::Itself => (0, false),
		}
	}

	fn peer(self, network: &Network) -> Peer {
		let name = format!("worker{}", self.account().to_lowercase().replace('/', "-"));
		match self {
			Self::Omit | Self::Double => Peer::fronted(network, &name, &json!({})),
			// The worker itself would post what is demanded: it keeps nothing that it could post.
			Self::Withhold => {
				let nothing = json!({ "limits": { "stored_bytes": 1 } });
				Peer::fronted(network, &name, &nothing)
			}
			_ => Peer::new(network, &name),
		}
	}
}

/// A call that was answered.
#[derive(Clone, Debug)]
pub(super) struct Answered {
	/// What was asked.
	pub(super) text: String,
	/// The answer.
	pub(super) answer: Answer,
	/// Its receipt.
	pub(super) receipt: SignedReceipt,
}

/// Everybody, at work.
pub(super) struct Scene {
	_processes: Vec<Process>,
	gateway: Gateway,
	/// Takes in the blocks of the other node, with all that is run again in them.
	pub(super) follower: Node,
	/// Size of the package that the honest peer runs.
	pub(super) honest_package: Stored,
	pub(super) providers: BTreeMap<Role, Provider>,
	pub(super) deals: BTreeMap<Role, Deal>,
	pub(super) book: Book,
	/// The last field: what writes into its folder goes before it.
	pub(super) network: Network,
}

impl Scene {
	/// Starts everybody. Nothing is called yet; whoever charges itself waits for its first epoch.
	pub(super) async fn start() -> Self {
		let mut more = little_work();
		// Blocks are half as long as on the named chain: whoever has to act in time has as much.
		more["receipts"] = json!({ "params": { "reveal_within_blocks": 32, "show_blocks": 16 } });
		let (network, chain) = Network::quick_with(EPOCH_BLOCKS, &more).await;
		let book = Book::open(&network.chain, 1);
		give(&network).await;
		let registered = ROLES.map(|role| register(&network, role));
		let providers: BTreeMap<Role, Provider> =
			ROLES.into_iter().zip(join_all(registered).await).collect();
		delegate(&network, &providers[&Role::Output]).await;

		let address = network.node.address().await;
		let options = ["--chain", &chain, "--bootnodes", &address];
		let follower = Node::start(network.folder(), "follower", &options);
		let gateway = Gateway::watching(&network, GATEKEEPER).await;
		let (echo, other) = join!(
			gateway.upload(&network.http, guests::echo()),
			gateway.upload(&network.http, guests::other()),
		);
		let file = network.folder().join("other.wasm");
		std::fs::write(&file, guests::other()).expect("the folder is writable");

		let mut processes = Vec::new();
		for (role, provider) in &providers {
			let peer = &provider.peers[0];
			match role {
				Role::Output => processes.push(peer.start_liar("output", None)),
				Role::Gas => processes.push(peer.start_liar("gas", None)),
				Role::Package => processes.push(peer.start_liar("package", Some(&file))),
				Role::Omit => processes.extend([peer.start_worker(), peer.start_proxy("omit")]),
				Role::Double => processes.extend([peer.start_worker(), peer.start_proxy("double")]),
				Role::Withhold => {
					processes.extend([peer.start_worker(), peer.start_proxy("withhold")]);
				}
				Role::Honest => processes.push(peer.start_worker()),
				Role::Itself => {}
			}
		}
		let working = || ROLES.into_iter().filter(|role| role.works());
		let ordered = working().map(|role| {
			let package = if role == Role::Honest { &other } else { &echo };
			order(&network, &providers[&role], package)
		});
		let deals = working().zip(join_all(ordered).await).collect();
		processes.push(watcher(&network));
		Self {
			_processes: processes,
			gateway,
			follower,
			honest_package: other,
			providers,
			deals,
			book,
			network,
		}
	}

	/// The peer of a role.
	pub(super) fn peer(&self, role: Role) -> &Peer {
		&self.providers[&role].peers[0]
	}

	/// Its name.
	pub(super) fn id(&self, role: Role) -> PeerId {
		self.peer(role).id()
	}

	/// Starts a challenger beside the test.
	pub(super) fn challenger(&self, key: &str, how: &[&str]) -> Process {
		let name = format!("challenger{}", key.to_lowercase().replace('/', "-"));
		let program = binaries::adversary("challenger");
		let arguments = self.challenge(key, how);
		Process::start(self.network.folder(), &name, &program, arguments)
	}

	/// Runs a challenger to its end.
	pub(super) async fn challenged(&self, key: &str, how: &[&str]) -> Ran {
		let program = binaries::adversary("challenger");
		let arguments = self.challenge(key, how);
		command::run(&program, self.network.folder(), CHALLENGE, arguments).await
	}

	fn challenge(&self, key: &str, how: &[&str]) -> Vec<String> {
		let node = self.network.node.ws();
		let common = ["--node", &node, "--key", key];
		let all = common.iter().chain(how);
		all.map(|text| text.to_string()).collect()
	}

	/// Waits for an early part of an epoch in which every worker is paid, and audits see all that
	/// they shall; the epoch.
	pub(super) async fn until_all_work(&self) -> EpochIndex {
		let what = "every worker is paid";
		until(&self.network.chain, what, EPOCHS, async |view: &View| {
			let status = view.epoch().await?;
			if status.position > EARLY {
				return Ok(None);
			}
			let epoch = status.info.index;
			for deal in self.deals.values() {
				let Some(found) = view.deal(deal.id).await? else {
					return Ok(None);
				};
				if !found.workers.iter().any(|row| row.worker.is_due(epoch)) {
					return Ok(None);
				}
			}
			Ok(self.will_be_drawn(epoch).await.then_some(epoch))
		})
		.await
	}

	/// Whether those that only audits find out have proven their unit: who misses it pays for that,
	/// and is not drawn.
	async fn will_be_drawn(&self, epoch: EpochIndex) -> bool {
		let working = ROLES.into_iter().filter(|role| role.works());
		for role in working.filter(|role| !role.calls().1) {
			let health = self.peer(role).health(&self.network).await;
			let health = health.unwrap_or_default();
			let solutions = &health["prover"];
			if solutions["epoch"] != epoch || solutions["owed"] != 1 || solutions["found"] != 1 {
				return false;
			}
		}
		true
	}

	/// Calls everybody, all within one epoch.
	pub(super) async fn call_all(&self, epoch: EpochIndex) -> BTreeMap<Role, Vec<Answered>> {
		let working = ROLES.into_iter().filter(|role| role.works());
		let called = working.map(|role| async move {
			let (calls, by_gateway) = role.calls();
			let deal = self.deals[&role].id;
			let url = match by_gateway {
				true => self.gateway.deal(deal),
				false => format!("{}/deals/{deal}", self.peer(role).url),
			};
			let mut answered = Vec::new();
			for number in 0..calls {
				answered.push(self.call(&url, format!("call {number}")).await);
			}
			(role, answered)
		});
		let all: BTreeMap<Role, Vec<Answered>> = join_all(called).await.into_iter().collect();
		for (role, answered) in &all {
			for call in answered {
				let receipt = &call.receipt.receipt;
				assert_eq!(receipt.epoch, epoch, "a call of {role:?}");
				assert_eq!(receipt.peer, self.id(*role));
			}
		}
		all
	}

	async fn call(&self, url: &str, text: String) -> Answered {
		let answer = self.network.http.post(url, text.clone()).await;
		let answer = answer.unwrap_or_else(|error| panic!("{url}: {error}"));
		assert_eq!(answer.status, 200, "{url}: {:?}", answer.error());
		let receipt = answer.receipt().expect("there is a receipt");
		Answered {
			text,
			answer,
			receipt,
		}
	}
}

/// Gives everybody something who has nothing at genesis.
async fn give(network: &Network) {
	let roles = ROLES.into_iter().map(Role::account);
	let transfers = roles
		.chain(STRANGERS)
		.map(|name| calls::balances::transfer(&account(name).account(), GIVEN));
	let batch = calls::utility::batch_all(transfers.collect());
	network
		.chain
		.submit(&account("//Bob"), batch)
		.await
		.expect("Bob has plenty");
}

async fn register(network: &Network, role: Role) -> Provider {
	let peers = vec![role.peer(network)];
	let mut offer = StakeOffer {
		own_part: Perbill::one(),
		commission: Perbill::zero(),
		invited: Default::default(),
	};
	if role == Role::Output {
		let delegator = vec![account(DELEGATOR).account()];
		offer.own_part = Perbill::from_percent(20);
		offer.invited = delegator.try_into().expect("one fits");
	}
	Provider::with_peers(network, role.account(), peers, 1, &offer).await
}

/// The delegator brings what the provider's own part leaves.
async fn delegate(network: &Network, provider: &Provider) {
	let (chain, peer) = (&network.chain, provider.peers[0].id());
	let view = chain.latest().await.expect("the node is up");
	let round = view.round(peer).await.expect("it can be read");
	let round = round.expect("it waits for stake");
	assert_eq!((round.needed, round.room), (STAKE, STAKE - OWN));
	let stake = calls::capacity::stake(peer, &round.terms, 0, STAKE - OWN);
	chain
		.submit(&account(DELEGATOR), stake)
		.await
		.expect("the delegator can stake");
}

/// Orders the work of one provider alone.
async fn order(network: &Network, provider: &Provider, package: &Stored) -> Deal {
	let only: Vec<AccountId> = vec![provider.account.account()];
	let mut spec = specification(package, 1);
	spec.limits = SMALL;
	spec.providers = ProviderFilter::Allow(only.try_into().expect("one fits"));
	Deal::create(network, &account(CLIENT), &spec, PREPAID).await
}

/// `millrace watch`.
fn watcher(network: &Network) -> Process {
	let node = network.node.ws();
	let data = network.folder().join("watch").display().to_string();
	let arguments = [
		"watch",
		"--node",
		&node,
		"--account",
		WATCHER,
		"--data-dir",
		&data,
	];
	let program = binaries::millrace();
	Process::start(network.folder(), "watch", &program, arguments)
}

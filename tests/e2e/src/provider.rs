//! A provider with its machines.

use crate::{
	binaries, eventually,
	network::{account, free_ports},
	spec, until, Network, Process,
};
use futures::future::join_all;
use millrace_client::{calls, AccountId, AccountKey, PeerKeypair, View};
use millrace_primitives::{
	audit::AuditStatus,
	commitment::StakeOffer,
	epoch::Phase,
	market::OfferTerms,
	peer::{key_proof, PeerId},
	Balance, EpochIndex, CPU_V1, FLT,
};
use serde_json::{json, Map, Value};
use sp_arithmetic::Perbill;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// What asks are multiples of.
pub const TICK: Balance = FLT / 1_000_000;
/// Price of the first peer's unit for an epoch; each further peer asks a tick more.
pub const ASK: Balance = FLT / 100 + TICK;
/// What the first peer of a provider asks for, where a test does not care.
pub const TERMS: OfferTerms = OfferTerms {
	class: CPU_V1,
	region: 0,
	ask: ASK,
	capabilities: 0,
	max_worker_bond: 0,
};
/// Epochs of the commitments: far more than any test takes.
pub const COMMITTED_EPOCHS: u32 = 100;
/// Longest wait for what takes a few epochs of at most 20 seconds, on a busy machine.
pub const EPOCHS: Duration = Duration::from_secs(240);
/// Time in which a worker must answer for the first time, or again.
const START: Duration = Duration::from_secs(60);

/// A machine.
#[derive(Debug)]
pub struct Peer {
	/// Its key.
	pub key: PeerKeypair,
	/// Where clients reach it.
	pub url: String,
	/// Where its worker listens: elsewhere, if something stands before it.
	pub door: String,
	/// Its key file.
	pub key_file: PathBuf,
	name: String,
	/// The worker's configuration without an ending: `.toml` and `.json` say the same.
	config: PathBuf,
	folder: PathBuf,
}

impl Peer {
	/// Makes a machine with a key and a port; nothing of it is on the chain yet.
	pub fn new(network: &Network, name: &str) -> Self {
		let [port] = free_ports();
		Self::make(network, name, [port, port], &json!({}))
	}

	/// The same with something before its worker, at a port of its own, and other settings of the
	/// worker besides.
	pub fn fronted(network: &Network, name: &str, settings: &Value) -> Self {
		Self::make(network, name, free_ports(), settings)
	}

	fn make(network: &Network, name: &str, [front, door]: [u16; 2], more: &Value) -> Self {
		let folder = network.folder();
		let key_file = folder.join(format!("{name}.json"));
		let key = PeerKeypair::generate().expect("there is randomness");
		key.save(&key_file).expect("the folder is writable");
		let mut settings = json!({
			"data_dir": folder.join(name),
			"node_url": network.node.ws(),
			"peer_key": &key_file,
			"listen": format!("127.0.0.1:{door}"),
			// As nice as the nodes of the tests beside: else a busy machine has no time for its proofs.
			"prover": { "threads": 1, "mode": "light", "nice": 0 },
			"limits": { "allow_private_links": true },
		});
		spec::merge(&mut settings, more);
		let config = folder.join(format!("{name}-worker"));
		for (ending, text) in [("toml", toml(&settings)), ("json", settings.to_string())] {
			std::fs::write(config.with_extension(ending), text).expect("the folder is writable");
		}
		Self {
			key,
			url: format!("http://127.0.0.1:{front}"),
			door: format!("http://127.0.0.1:{door}"),
			key_file,
			name: name.into(),
			config,
			folder: folder.into(),
		}
	}

	/// Its name on the chain.
	pub fn id(&self) -> PeerId {
		self.key.id()
	}

	/// Starts its worker, or starts it again over the same data.
	pub fn start_worker(&self) -> Process {
		let config = self.config.with_extension("toml").display().to_string();
		let arguments = ["worker", "run", "--config", &config];
		Process::start(&self.folder, &self.name, &binaries::millrace(), arguments)
	}

	/// Starts a worker that lies about the output or the gas of calls, or about the package, in whose
	/// place another one answers.
	pub fn start_liar(&self, how: &str, other: Option<&Path>) -> Process {
		let config = self.config.with_extension("json").display().to_string();
		let mut arguments = vec!["--config", &config, "--how", how];
		let other = other.map(|path| path.display().to_string());
		if let Some(other) = &other {
			arguments.extend(["--other", other.as_str()]);
		}
		let program = binaries::adversary("liar");
		Process::start(&self.folder, &self.name, &program, arguments)
	}

	/// Starts what stands before its worker: it omits, doubles or withholds.
	pub fn start_proxy(&self, how: &str) -> Process {
		let listen = self.url.trim_start_matches("http://");
		let key = self.key_file.display().to_string();
		let arguments = [
			"--listen",
			listen,
			"--upstream",
			&self.door,
			"--key",
			&key,
			"--how",
			how,
		];
		let name = format!("{}-proxy", self.name);
		let program = binaries::adversary("proxy");
		Process::start(&self.folder, &name, &program, arguments)
	}

	/// What its worker says of itself; nothing while it is away.
	pub async fn health(&self, network: &Network) -> Result<Value, String> {
		let answer = network.http.get(&format!("{}/healthz", self.url)).await?;
		Ok(answer.json())
	}

	/// Waits until its worker follows the chain.
	pub async fn until_healthy(&self, network: &Network, worker: &mut Process) -> Value {
		let what = format!("{} is healthy", self.name);
		eventually(&what, START, async || {
			worker.assert_running();
			let health = self.health(network).await?;
			match health["ok"].as_bool() {
				Some(true) => Ok(health),
				_ => Err(health.to_string()),
			}
		})
		.await
	}

	/// The value of one of its worker's metrics.
	pub async fn metric(&self, network: &Network, name: &str) -> f64 {
		let url = format!("{}/metrics", self.url);
		let answer = network.http.get(&url).await.expect("the worker answers");
		let text = String::from_utf8_lossy(&answer.body).into_owned();
		text.lines()
			.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
			.unwrap_or_else(|| panic!("there is no metric {name} in\n{text}"))
	}
}

/// A provider.
#[derive(Debug)]
pub struct Provider {
	/// Its account.
	pub account: AccountKey,
	/// Its machines.
	pub peers: Vec<Peer>,
	/// First epoch that they owe.
	pub first_epoch: EpochIndex,
	/// All that it owned after its last transaction.
	pub balance: Balance,
}

impl Provider {
	/// Registers a provider with machines, commits units of each, stakes for them alone and offers
	/// them.
	pub async fn register(network: &Network, name: &str, peers: usize, units: u32) -> Self {
		Self::offering(network, name, peers, units, TERMS).await
	}

	/// The same with other terms for the first machine; each further one asks a tick more.
	pub async fn offering(
		network: &Network,
		name: &str,
		peers: usize,
		units: u32,
		first: OfferTerms,
	) -> Self {
		let owner = name.trim_start_matches('/').to_lowercase();
		let peers: Vec<Peer> = (1..=peers)
			.map(|number| Peer::new(network, &format!("worker-{owner}-{number}")))
			.collect();
		let offer = StakeOffer {
			own_part: Perbill::one(),
			commission: Perbill::zero(),
			invited: Default::default(),
		};
		Self::found(network, name, peers, units, &offer, first).await
	}

	/// The same with machines that are there, and others who stake: they bring what the provider's
	/// own part leaves, before the epoch begins that is told as the first.
	pub async fn with_peers(
		network: &Network,
		name: &str,
		peers: Vec<Peer>,
		units: u32,
		offer: &StakeOffer<AccountId>,
	) -> Self {
		Self::found(network, name, peers, units, offer, TERMS).await
	}

	async fn found(
		network: &Network,
		name: &str,
		peers: Vec<Peer>,
		units: u32,
		offer: &StakeOffer<AccountId>,
		first: OfferTerms,
	) -> Self {
		let account = account(name);
		let proof = key_proof(network.chain.genesis(), &account.account());
		let view = network.chain.latest().await.expect("the node is up");
		let signed = view
			.start_terms(units, COMMITTED_EPOCHS, offer.own_part, offer.commission)
			.await
			.expect("terms can be read");
		let all = signed.terms.stake_per_unit * Balance::from(units);
		let stake = offer.own_part.mul_ceil(all);
		let mut batch = vec![calls::providers::register_provider("Provider of a test")];
		for (peer, ask) in peers.iter().zip((first.ask..).step_by(TICK as usize)) {
			let terms = OfferTerms { ask, ..first };
			let (key, id) = (&peer.key, peer.id());
			batch.extend([
				calls::providers::register_peer(key.public(), key.sign_hash(proof), &peer.url),
				calls::capacity::create(id, units, COMMITTED_EPOCHS, offer),
				calls::capacity::stake(id, &signed, 0, stake),
				calls::market::post_offer(id, terms),
			]);
		}
		let included = network
			.chain
			.submit(&account, calls::utility::batch_all(batch))
			.await
			.expect("the provider can register, commit, stake and offer");
		let view = network.chain.at(included.block).await.expect("it is final");
		let status = view.epoch().await.expect("the clock can be read");
		let balance = view.balance(&account.account()).await.expect("it has one");
		Self {
			balance: balance.total(),
			account,
			peers,
			first_epoch: status.info.index + 1,
		}
	}

	/// Starts a worker for each machine and waits until they follow the chain.
	pub async fn start_workers(&self, network: &Network) -> Vec<Process> {
		let mut workers: Vec<Process> = self.peers.iter().map(Peer::start_worker).collect();
		for (peer, worker) in self.peers.iter().zip(&mut workers) {
			peer.until_healthy(network, worker).await;
		}
		workers
	}

	/// Names of its machines.
	pub fn ids(&self) -> Vec<PeerId> {
		self.peers.iter().map(Peer::id).collect()
	}
}

/// Waits until an epoch is settled for all these peers, and returns the block that shows it.
///
/// Anybody may settle, so Dave does as soon as the epoch is closed: what peers and clients own
/// moves by the rules alone.
pub async fn settle(network: &Network, peers: &[PeerId], epoch: EpochIndex) -> View {
	let bystander = account("//Dave");
	let what = format!("epoch {epoch} is settled");
	until(&network.chain, &what, EPOCHS, async |view: &View| {
		let status = view.epoch().await?;
		let closed = match status.phase {
			Phase::Rest => epoch < status.info.index,
			_ => epoch + 1 < status.info.index,
		};
		let mut open = Vec::new();
		for peer in peers {
			let commitment = view.commitment(*peer).await?;
			let commitment = commitment.unwrap_or_else(|| panic!("{peer} has no commitment"));
			if commitment.next_to_settle <= epoch {
				open.push(*peer);
			}
		}
		if closed {
			let settled = open.iter().map(|peer| {
				network
					.chain
					.submit(&bystander, calls::capacity::settle(*peer))
			});
			// Refused where a report was faster; the next block shows it.
			join_all(settled).await;
		}
		Ok(open.is_empty().then(|| view.clone()))
	})
	.await
}

/// Settings as TOML: values of JSON are values of TOML, their escapes are its escapes.
fn toml(settings: &Value) -> String {
	let lines = |table: &Map<String, Value>| -> String {
		let plain = table.iter().filter(|(_, value)| !value.is_object());
		plain
			.map(|(key, value)| format!("{key} = {value}\n"))
			.collect()
	};
	let top = settings.as_object().expect("settings are an object");
	let sections = top.iter().filter_map(|(name, value)| {
		let table = value.as_object()?;
		Some(format!("\n[{name}]\n{}", lines(table)))
	});
	lines(top) + &sections.collect::<String>()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn settings_are_written_with_their_sections_last() {
		let settings = json!({ "a": "x\"y", "limits": { "b": 1 }, "n": true });
		let text = "a = \"x\\\"y\"\nn = true\n\n[limits]\nb = 1\n";
		assert_eq!(toml(&settings), text);
	}
}

/// Asserts that the peer, the only one there is, passed its audits up to this epoch. The view may
/// be so late that the next audit is drawn already: an audit that was failed before would show as a
/// slash.
pub async fn assert_audited(view: &View, peer: PeerId, epoch: EpochIndex) {
	let audit = view.duties(peer).await.expect("they can be read").audit;
	let audit = audit.expect("the only peer is drawn in each epoch");
	match audit.epoch {
		drawn if drawn == epoch => assert_eq!(audit.status, AuditStatus::Passed),
		drawn => assert!(drawn > epoch, "drawn last in {drawn}, not in {epoch}"),
	}
	let commitment = view.commitment(peer).await.expect("it can be read");
	let commitment = commitment.expect("it is committed");
	assert!(commitment.next_to_settle > epoch, "{commitment:?}");
	assert_eq!(commitment.slashed, 0, "{commitment:?}");
}

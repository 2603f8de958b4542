//! A worker that is gone for good loses its bond, and a spare one gets its place. That one leaves with
//! notice, and a third takes over without a failed call. The gateway follows within one block. What everybody
//! owns is right to the unit.

use millrace_client::{calls, AccountId, ReadError, View};
use millrace_e2e::{
	command::millrace,
	deal::specification,
	events::fields,
	eventually, guests,
	load::{call, Load, Seen},
	network::{account, little_work},
	provider::{settle, ASK, EPOCHS, TERMS, TICK},
	until, Deal, Events, Gateway, Network, Peer, Process, Provider,
};
use millrace_primitives::{
	audit::AuditStatus,
	epoch::{EpochStatus, Phase},
	market::{split_payment, DealSpec, OfferTerms, Worker, WorkerStatus},
	peer::PeerId,
	Balance, BlockNumber, DealId, EpochIndex, FLT,
};
use pallet_market::{Notice, ReleaseReason};
use serde_json::json;
use std::{
	collections::{BTreeMap, BTreeSet},
	time::Duration,
};
use tokio::join;

/// Blocks of an epoch, of half a second each.
const EPOCH_BLOCKS: u32 = 26;
/// Latest position in an epoch at which the worker is killed: the next one, in which it would report,
/// is some seconds away.
const LATE: u32 = 18;
/// Units of each spare peer. With these, the network is well without the one that is lost: what is
/// missed while a third of it is away is forgiven to all.
const SPARE_UNITS: u32 = 4;
/// Bond of each worker. Odd, so that every rounding shows.
const BOND: Balance = FLT / 2 + 1;
/// Epochs at the ceiling that the escrow pays: more than the test takes.
const PREPAID: u32 = 40;
/// Time between two calls.
const PERIOD: Duration = Duration::from_millis(200);
/// Longest run of the tool, and longest wait for what takes a few blocks.
const MINUTE: Duration = Duration::from_secs(60);

/// What the first peer asks for. Those of other providers ask more.
const BONDED: OfferTerms = OfferTerms {
	max_worker_bond: BOND,
	..TERMS
};
const DEARER: OfferTerms = OfferTerms {
	ask: ASK + TICK,
	..BONDED
};

/// What the steps work with.
struct Scene {
	/// Reads all that the chain says.
	events: Events,
	gateway: Gateway,
	/// Has the cheapest peer, which is lost.
	first: Provider,
	/// Has the two others.
	spare: Provider,
	workers: Vec<Process>,
	deal: Deal,
	/// The last field: what writes into its folder goes before it.
	network: Network,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_worker_is_replaced_and_one_with_notice_hands_over_without_a_failed_call() {
	let mut scene = Scene::start().await;
	let url = scene.url();
	let first = scene.first.peers[0].id();
	let answer = eventually("calls are answered", EPOCHS, async || {
		call(&scene.network.http, &url, "before").await
	});
	assert_eq!(answer.await.receipt.peer, first, "the cheapest one serves");

	let (lost, killed) = scene.until_nothing_is_owed(first).await;
	assert_eq!((lost.ask, lost.bond), (ASK, BOND));
	assert_eq!(scene.bonds_of(&scene.first).await, BOND);
	scene.workers[0].kill().await;
	let unanswered = call(&scene.network.http, &url, "after").await;
	assert!(unanswered.is_err(), "nobody is there: {unanswered:?}");
	let before = scene.misdirected().await;
	assert!(before.0 > 0, "it was tried");
	let block = scene.is_lost(&lost, killed).await;
	scene.gateway_follows(block).await;
	// Nobody turns to whoever is lost any more, whether or not another one serves already.
	let _ = call(&scene.network.http, &url, "lost").await;
	assert_eq!(scene.misdirected().await.0, before.0);

	let block = scene.is_replaced(first).await;
	scene.gateway_follows(block).await;
	let before = scene.misdirected().await;
	// The worker may hear of it later than the gateway does.
	let _ = call(&scene.network.http, &url, "replaced").await;
	assert_eq!(scene.misdirected().await, before, "its place is known");

	let again = eventually("calls are answered again", EPOCHS, async || {
		call(&scene.network.http, &url, "again").await
	});
	let second = scene.spare_peer(again.await.receipt.peer);
	let load = Load::start(&scene.network.http, url, PERIOD);
	let (drained, last) = scene.gives_notice(second).await;
	let (third, since) = scene.takes_over(second.id(), last).await;
	eventually("the third worker answers alone", MINUTE, async || {
		let seen = load.seen();
		let alone = |seen: &Seen| seen.receipt.receipt.epoch > last;
		match seen.iter().any(alone) {
			true => Ok(()),
			false => Err(format!("{} calls are answered", seen.len())),
		}
	})
	.await;
	// Fails if one of them did.
	let seen = load.finish().await;
	both_served_in_their_time(&seen, (second.id(), last), (third.peer, since));

	let view = scene.until_released(second.id(), last).await;
	let served = [(lost, killed), (drained, last), (third, EpochIndex::MAX)];
	scene.money_is_right(&view, &served).await;
}

impl Scene {
	/// Starts everybody, and orders one worker as soon as all three could be it.
	async fn start() -> Self {
		let (network, _) = Network::quick_with(EPOCH_BLOCKS, &little_work()).await;
		let events = Events::open(&network.chain, 1);
		let (first, spare) = join!(
			Provider::offering(&network, "//Bob", 1, 1, BONDED),
			Provider::offering(&network, "//Eve", 2, SPARE_UNITS, DEARER),
		);
		let (mut workers, others) =
			join!(first.start_workers(&network), spare.start_workers(&network));
		workers.extend(others);
		let gateway = Gateway::start(&network).await;
		let package = gateway.upload(&network.http, guests::echo()).await;
		let spec = DealSpec {
			worker_bond: BOND,
			max_workers_per_provider: 2,
			..specification(&package, 1)
		};

		let peers = [first.ids(), spare.ids()].concat();
		let begun = first.first_epoch.max(spare.first_epoch);
		settle(&network, &peers, begun).await;
		all_could_serve(&network, &spec, &peers).await;
		let client = account("//Charlie");
		let deal = Deal::create(&network, &client, &spec, PREPAID).await;
		Self {
			events,
			gateway,
			first,
			spare,
			workers,
			deal,
			network,
		}
	}

	fn url(&self) -> String {
		self.gateway.deal(self.deal.id)
	}

	async fn latest(&self) -> View {
		self.network.chain.latest().await.expect("the node is up")
	}

	fn spare_peer(&self, id: PeerId) -> &Peer {
		let found = self.spare.peers.iter().find(|peer| peer.id() == id);
		found.unwrap_or_else(|| panic!("{id} is no spare one"))
	}

	/// Bonds of workers that are held of a provider.
	async fn bonds_of(&self, provider: &Provider) -> Balance {
		let view = self.latest().await;
		let holds = view.holds(&provider.account.account()).await;
		let holds = holds.expect("holds can be read");
		let bonds = holds
			.iter()
			.filter(|hold| hold.pallet == "Market" && hold.reason == "WorkerBond");
		bonds.map(|hold| hold.amount).sum()
	}

	/// Waits until a peer works for an epoch, has answered its audit of the one before, and will owe
	/// nothing until the next; the worker and the epoch. So its death costs what this test is about,
	/// and no audit.
	async fn until_nothing_is_owed(&self, peer: PeerId) -> (Worker, EpochIndex) {
		let chain = &self.network.chain;
		let what = "a worker has done what it owes";
		until(chain, what, EPOCHS, async |view: &View| {
			let status = view.epoch().await?;
			let epoch = status.info.index;
			let audit = view.duties(peer).await?.audit;
			let passed = audit.is_some_and(|audit| {
				audit.epoch + 1 == epoch && audit.status == AuditStatus::Passed
			});
			let worker = worker_of(&self.deal, view, peer).await?;
			let worker = worker.filter(|worker| worker.is_due(epoch));
			let is_now = passed && status.phase == Phase::Answer && status.position <= LATE;
			Ok(worker.filter(|_| is_now).map(|worker| (worker, epoch)))
		})
		.await
	}

	/// Waits until a block is final and the gateway is at most one behind it; its routes are those of the block
	/// that it has read: it reads every deal that was lately called anew at each final block. One that is
	/// always two blocks late never passes.
	async fn gateway_follows(&self, change: BlockNumber) {
		let network = &self.network;
		let what = "the gateway follows within a block";
		until(&network.chain, what, MINUTE, async |view: &View| {
			let number = view.block().number;
			let name = "millrace_gateway_finalized_block";
			let read = self.gateway.figure(&network.http, name).await;
			let follows = read >= u64::from(change) && read.saturating_add(1) >= u64::from(number);
			Ok((number > change && follows).then_some(()))
		})
		.await;
	}

	/// How often the gateway turned to somebody who is not there, and how often it knew nobody to turn to.
	async fn misdirected(&self) -> (u64, u64) {
		let figure = async |name: &str, outcome: &str| {
			let name = format!("millrace_gateway_{name}_total{{outcome=\"{outcome}\"}}");
			self.gateway.figure(&self.network.http, &name).await
		};
		let unreachable = figure("attempts", "unreachable").await;
		let broken = figure("attempts", "broken").await;
		(unreachable + broken, figure("calls", "no_worker").await)
	}

	/// Waits until another one than the first is live; the block.
	async fn is_replaced(&self, first: PeerId) -> BlockNumber {
		type Live = (DealId, PeerId, EpochIndex);
		let (block, _) = self
			.events
			.until("another worker is live", EPOCHS, |event| {
				let live = fields::<Live>(event, "Market", "WorkerLive")?;
				(live.0 == self.deal.id && live.1 != first).then_some(live)
			})
			.await;
		block
	}

	/// Nobody calls for it: the chain itself finds that a worker was silent, once reports of the epoch
	/// can no longer come, and takes its bond. One epoch's price of it is the client's, the rest burns.
	/// The block.
	async fn is_lost(&self, worker: &Worker, killed: EpochIndex) -> BlockNumber {
		type Forfeited = (DealId, PeerId, Balance, Balance, Balance);
		let (block, forfeited) = self
			.events
			.until("a bond is forfeited", EPOCHS, |event| {
				fields::<Forfeited>(event, "Market", "BondForfeited")
			})
			.await;
		let price = worker.epoch_price();
		let expected = (self.deal.id, worker.peer, 0, price, BOND - price);
		assert_eq!(forfeited, expected);
		type Released = (DealId, PeerId, ReleaseReason);
		let said = self.events.of(block..=block).await;
		let released = said
			.iter()
			.find_map(|event| fields::<Released>(event, "Market", "WorkerReleased"));
		let expected = (self.deal.id, worker.peer, ReleaseReason::Lost);
		assert_eq!(released, Some(expected));
		let status = self.epoch_at(block).await;
		assert!(
			status.info.index > killed && matches!(status.phase, Phase::Answer | Phase::Rest),
			"killed in {killed}, lost in {status:?}"
		);
		assert_eq!(self.bonds_of(&self.first).await, 0);
		block
	}

	async fn epoch_at(&self, block: BlockNumber) -> EpochStatus {
		let hash = self.network.rpc.block_hash(block).await;
		let hash = hash.expect("the block is final");
		self.network.rpc.epoch(hash).await
	}

	/// A peer gives notice by the tool; the worker and its last epoch.
	async fn gives_notice(&self, peer: &Peer) -> (Worker, EpochIndex) {
		let (node, deal) = (self.network.node.ws(), self.deal.id.to_string());
		let key = peer.key_file.display().to_string();
		let arguments = ["--json", "--node", &node, "offer", "drain", &key, &deal];
		let ran = millrace(self.network.folder(), MINUTE, arguments).await;
		let told = ran.succeeded().json();
		type Draining = (DealId, PeerId, EpochIndex, Notice);
		let (block, (of, who, last, notice)) = self
			.events
			.until("a worker drains", MINUTE, |event| {
				fields::<Draining>(event, "Market", "WorkerDraining")
			})
			.await;
		assert_eq!((of, who, notice), (self.deal.id, peer.id(), Notice::Peer));
		assert_eq!(
			told["draining"],
			json!([{ "deal": self.deal.id, "last": last }])
		);
		let given = self.epoch_at(block).await.info.index;
		assert_eq!(last, given + 1, "it serves the next epoch, and no more");
		let worker = worker_of(&self.deal, &self.latest().await, peer.id()).await;
		let worker = worker.expect("it can be read");
		(
			worker.expect("it stays until its last epoch is settled"),
			last,
		)
	}

	/// Waits for the epoch after the last one of a worker with notice: another has come to be paid for
	/// it by then. That one, and its first epoch.
	async fn takes_over(&self, from: PeerId, last: EpochIndex) -> (Worker, EpochIndex) {
		let chain = &self.network.chain;
		let (view, now) = until(chain, "a notice is over", EPOCHS, async |view: &View| {
			let now = view.epoch().await?.info.index;
			Ok((now > last).then(|| (view.clone(), now)))
		})
		.await;
		let rows = self.deal.view(&view).await.workers;
		let due: Vec<Worker> = rows
			.iter()
			.map(|row| row.worker)
			.filter(|worker| worker.is_due(now))
			.collect();
		let [third] = due[..] else {
			panic!("one worker serves epoch {now}: {rows:?}");
		};
		assert_ne!(third.peer, from);
		let WorkerStatus::Live { since } = third.status else {
			panic!("it stays: {third:?}");
		};
		(third, since)
	}

	/// Waits until a worker with notice is gone, which anybody may see to once its last epoch is
	/// settled; the block that shows it.
	async fn until_released(&self, peer: PeerId, last: EpochIndex) -> View {
		let network = &self.network;
		let peers = [self.first.ids(), self.spare.ids()].concat();
		settle(network, &peers, last).await;
		let release = calls::market::release_worker(self.deal.id, peer);
		// Refused where the chain itself was faster; the next block shows it.
		let _ = network.chain.submit(&account("//Dave"), release).await;
		until(&network.chain, "it is gone", EPOCHS, async |view: &View| {
			let worker = worker_of(&self.deal, view, peer).await?;
			Ok(worker.is_none().then(|| view.clone()))
		})
		.await
	}

	/// Each worker was paid once for each epoch in which it was due, up to the one that is given with
	/// it, and which it has reported as it must; nothing else was paid.
	async fn money_is_right(&self, view: &View, served: &[(Worker, EpochIndex)]) {
		let whole = self.whole_reports(view).await;
		let mut paid: BTreeMap<PeerId, Balance> = BTreeMap::new();
		let mut burnt = 0;
		for (worker, last) in served {
			let epochs = whole.iter().filter(|(peer, epoch)| {
				*peer == worker.peer && worker.is_due(*epoch) && epoch <= last
			});
			let (to_provider, fire) = split_payment(worker.epoch_price());
			let epochs = epochs.count() as Balance;
			paid.insert(worker.peer, to_provider * epochs);
			burnt += fire * epochs;
		}
		let all: Balance = paid.values().sum();
		let deal = self.deal.view(view).await;
		assert_eq!((deal.paid, deal.burnt), (all, burnt), "{whole:?}");
		let (lost, _) = &served[0];
		let compensation = lost.epoch_price();
		assert_eq!(deal.escrow, self.deal.escrow + compensation - all - burnt);
		assert_eq!(deal.closing_deposit, self.deal.closing_deposit);
		let (drained, _) = &served[1];
		assert!(paid[&drained.peer] > 0, "it has served: {whole:?}");

		for (provider, forfeited) in [(&self.first, BOND), (&self.spare, 0)] {
			let mut expected = provider.balance - forfeited;
			for peer in provider.ids() {
				let commitment = view.commitment(peer).await.expect("it can be read");
				let commitment = commitment.expect("it is committed");
				// What waits is not gone yet.
				let slashed = commitment.slashed - commitment.waiting;
				let paid = paid.get(&peer).copied().unwrap_or_default();
				expected = expected + paid - slashed;
			}
			let balance = view.balance(&provider.account.account()).await;
			let balance = balance.expect("it can be read").total();
			assert_eq!(balance, expected, "of {}", provider.account.account());
		}
		// The one bond that is left is that of the worker that serves.
		assert_eq!(self.bonds_of(&self.spare).await, BOND);
		assert_eq!(deal.workers.len(), 1, "{deal:?}");
	}

	/// Epochs that were settled by a block and in whose reports each peer had proven its unit at work,
	/// but for reports that were void: a busy machine may find its solution too late, or answer an
	/// audit too late.
	async fn whole_reports(&self, view: &View) -> BTreeSet<(PeerId, EpochIndex)> {
		type Settled = (
			PeerId,
			EpochIndex,
			u32,
			bool,
			Balance,
			Balance,
			Balance,
			bool,
		);
		let said = self.events.of(1..=view.block().number).await;
		let proven: BTreeSet<(PeerId, EpochIndex)> = said
			.iter()
			.filter_map(|event| {
				type Reported = (PeerId, EpochIndex, u32, u32);
				let (peer, epoch, _, busy) = fields::<Reported>(event, "Capacity", "Reported")?;
				(busy == 1).then_some((peer, epoch))
			})
			.collect();
		let settled = said.iter().filter_map(|event| {
			let settled = fields::<Settled>(event, "Capacity", "EpochSettled")?;
			let (peer, epoch, _, _, _, _, _, void) = settled;
			(!void).then_some((peer, epoch))
		});
		settled.filter(|of| proven.contains(of)).collect()
	}
}

/// Waits until an order of as many workers would be matched with all these peers, in their order.
async fn all_could_serve(network: &Network, spec: &DealSpec<AccountId>, peers: &[PeerId]) {
	let all = DealSpec {
		target_workers: peers.len() as u32,
		..spec.clone()
	};
	let what = "all peers could serve";
	until(&network.chain, what, EPOCHS, async |view: &View| {
		let quote = view.quote(&all, 0).await?;
		let offered: Vec<PeerId> = quote.workers.iter().map(|offer| offer.peer).collect();
		Ok((offered == peers).then_some(()))
	})
	.await;
}

/// A peer's worker of a deal.
async fn worker_of(deal: &Deal, view: &View, peer: PeerId) -> Result<Option<Worker>, ReadError> {
	let rows = view.deal(deal.id).await?.map(|deal| deal.workers);
	let mut workers = rows.iter().flatten().map(|row| row.worker);
	Ok(workers.find(|worker| worker.peer == peer))
}

/// Both answered calls, the one up to its last epoch, the other from its first one on, and nobody else.
fn both_served_in_their_time(
	seen: &[Seen],
	(second, last): (PeerId, EpochIndex),
	(third, since): (PeerId, EpochIndex),
) {
	let mut answered: BTreeMap<PeerId, u32> = BTreeMap::new();
	for Seen { receipt, .. } in seen {
		let receipt = &receipt.receipt;
		*answered.entry(receipt.peer).or_default() += 1;
		let in_time = match receipt.peer {
			peer if peer == second => receipt.epoch <= last,
			// It serves from the moment on at which it is live, in the epoch before.
			peer if peer == third => receipt.epoch + 1 >= since,
			_ => false,
		};
		assert!(in_time, "{last}, {since}: {receipt:?}");
	}
	assert_eq!(answered.len(), 2, "{answered:?}");
}

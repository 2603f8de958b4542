//! A client's deal, and what the rules say that it costs.

use crate::{network::Stored, provider::EPOCHS, until, Network};
use millrace_client::{calls, AccountId, AccountKey, View};
use millrace_primitives::{
	execution::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES},
	market::{
		split_payment, Abi, CallLimits, DealSpec, Link, Package, ProviderFilter, WorkerStatus,
	},
	peer::PeerId,
	views::DealView,
	Balance, DealId, EpochIndex, CPU_V1, FLT, H256,
};

/// Highest price that clients pay.
pub const CEILING: Balance = FLT / 50;

/// Limits that no well-behaved sample meets.
pub const LIMITS: CallLimits = CallLimits {
	gas: 1_000_000_000,
	memory_bytes: 64 * 1024 * 1024,
	request_bytes: MAX_REQUEST_BYTES,
	response_bytes: MAX_RESPONSE_BYTES,
};

/// An order of workers with one unit each.
pub fn specification(package: &Stored, workers: u32) -> DealSpec<AccountId> {
	let link = Link::try_from(package.url.clone().into_bytes());
	let links = vec![link.expect("the link is short")];
	DealSpec {
		class: CPU_V1,
		units_per_worker: 1,
		min_workers: workers,
		target_workers: workers,
		max_workers_per_provider: workers,
		price_ceiling: CEILING,
		package: Package {
			hash: package.hash,
			size: package.size,
			links: links.try_into().expect("one link fits"),
			abi: Abi::WasiPreview1Command,
		},
		limits: LIMITS,
		capabilities: 0,
		regions: Default::default(),
		providers: ProviderFilter::Any,
		worker_bond: 0,
		term_epochs: None,
		hosts: Default::default(),
		billing: Default::default(),
		access: Default::default(),
		rate: None,
		rematch: None,
	}
}

/// A deal.
#[derive(Clone, Debug)]
pub struct Deal {
	/// Its index.
	pub id: DealId,
	/// Its escrow, without the closing deposit.
	pub escrow: Balance,
	/// What is held for an early end.
	pub closing_deposit: Balance,
	/// Hash of its module.
	pub package: H256,
}

impl Deal {
	/// Orders it.
	pub async fn create(
		network: &Network,
		client: &AccountKey,
		spec: &DealSpec<AccountId>,
		epochs: u32,
	) -> Self {
		let price = spec.epoch_price_ceiling().expect("the price fits");
		let escrow = price * Balance::from(epochs);
		let included = network
			.chain
			.submit(client, calls::market::create_deal(spec, escrow))
			.await
			.expect("the client can order a deal");
		let created =
			included.find::<(DealId, AccountId, Balance, Balance)>("Market", "DealCreated");
		let (id, owner, held, closing_deposit) = created.expect("the order has its event");
		assert_eq!((owner, held), (client.account(), escrow));
		assert_eq!(
			closing_deposit, price,
			"one epoch at the ceiling is the closing deposit"
		);
		Self {
			id,
			escrow,
			closing_deposit,
			package: spec.package.hash,
		}
	}

	/// The deal at a block.
	pub async fn view(&self, view: &View) -> DealView<AccountId> {
		let found = view.deal(self.id).await.expect("deals can be read");
		found.unwrap_or_else(|| panic!("there is no deal {}", self.id))
	}

	/// Waits until so many workers are paid, at a block no later in its epoch than `latest`.
	pub async fn until_live(&self, network: &Network, workers: usize, latest: u32) -> EpochIndex {
		let what = format!("{workers} workers of deal {} are paid", self.id);
		until(&network.chain, &what, EPOCHS, async |view: &View| {
			let status = view.epoch().await?;
			let epoch = status.info.index;
			let Some(deal) = view.deal(self.id).await? else {
				return Ok(None);
			};
			let paid = deal
				.workers
				.iter()
				.filter(|row| row.worker.is_due(epoch))
				.count();
			Ok((paid >= workers && status.position <= latest).then_some(epoch))
		})
		.await
	}

	/// Checks the deal's money to the unit: each live worker has reported every epoch from its first
	/// paid one up to the last settled one, and was paid for each of them once.
	///
	/// Returns what was paid to the provider.
	pub async fn assert_paid_by_the_rules(&self, view: &View) -> Balance {
		self.assert_paid_but_for(view, &[]).await
	}

	/// The same where workers have missed units, as the chain says: what they did in these epochs is
	/// not paid for. What that costs them besides is the caller's to check.
	pub async fn assert_paid_but_for(
		&self,
		view: &View,
		missed: &[(PeerId, EpochIndex)],
	) -> Balance {
		let deal = self.view(view).await;
		let (mut paid, mut burnt, mut epochs) = (0, 0, 0);
		for row in &deal.workers {
			let worker = &row.worker;
			let WorkerStatus::Live { since } = worker.status else {
				panic!("a worker is not live: {worker:?}");
			};
			let commitment = view.commitment(worker.peer).await.expect("it can be read");
			let commitment = commitment.expect("a worker has a commitment");
			if missed.iter().all(|(peer, _)| *peer != worker.peer) {
				assert_eq!(commitment.slashed, 0, "{} was slashed", worker.peer);
			}
			for epoch in since..commitment.next_to_settle {
				let report = view
					.report(worker.peer, epoch)
					.await
					.expect("it can be read");
				assert!(
					report.is_some(),
					"{} did not report epoch {epoch}",
					worker.peer
				);
				if missed.contains(&(worker.peer, epoch)) {
					continue;
				}
				let (to_provider, fire) = split_payment(worker.epoch_price());
				paid += to_provider;
				burnt += fire;
				epochs += 1;
			}
		}
		assert!(epochs > 0, "no epoch was paid yet: {deal:?}");
		assert_eq!(deal.paid, paid, "paid for {epochs} epochs of workers");
		assert_eq!(deal.burnt, burnt, "burnt of {epochs} epochs of workers");
		assert_eq!(deal.escrow, self.escrow - paid - burnt);
		assert_eq!(deal.closing_deposit, self.closing_deposit);
		paid
	}
}

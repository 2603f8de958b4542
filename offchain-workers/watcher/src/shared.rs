//! What the watcher's tasks share.

use crate::{
	config::{Mode, WatchConfig},
	inspect::case_of,
	metrics::Metrics,
	records::{Records, Stage, Store, StoreError, Suspicion},
	rules::Rules,
	sources::Sources,
	web::Web,
	WatchError,
};
use millrace_client::{web::Reach, AccountId, AccountKey, Chain, ReadError, SubmitError, View};
use millrace_primitives::{
	challenge::{Charge, Evidence},
	peer::PeerId,
	BlockNumber, H256,
};
use millrace_sandbox::Guests;
use std::{collections::BTreeSet, path::Path, sync::Arc};
use tokio::sync::Semaphore;

/// In the place of a block: whichever comes next.
pub(crate) const NEXT: BlockNumber = 0;

/// Why a task did not get on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
	/// The disk failed: nothing may go on.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The chain could not be read now.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// A transaction did not get through now.
	#[error(transparent)]
	Submit(#[from] SubmitError),
}

/// What the tasks share.
#[derive(Debug)]
pub(crate) struct Shared {
	pub(crate) chain: Chain,
	pub(crate) key: AccountKey,
	pub(crate) account: AccountId,
	pub(crate) mode: Mode,
	/// Peers that are never challenged.
	pub(crate) own: BTreeSet<PeerId>,
	pub(crate) guests: Arc<dyn Guests>,
	pub(crate) sources: Sources,
	pub(crate) store: Store,
	pub(crate) metrics: Metrics,
	/// Bonds that may still be held.
	pub(crate) bonds: Semaphore,
	most_bonds: usize,
}

impl Shared {
	pub(crate) async fn open(
		config: &WatchConfig,
		chain: Chain,
		guests: Arc<dyn Guests>,
		metrics: Metrics,
	) -> Result<Self, WatchError> {
		config.check()?;
		let key = account(&config.account)?;
		let account = key.account();
		let (dir, genesis) = (config.data_dir.clone(), chain.genesis());
		let records = tokio::task::spawn_blocking(move || Records::open(&dir, genesis))
			.await
			.map_err(|error| StoreError::Thread(error.to_string()))??;
		let anywhere = config.allow_private_endpoints || chain.is_for_development().await?;
		let reach = match anywhere {
			true => Reach::Anywhere,
			false => Reach::Public,
		};
		let mut own: BTreeSet<PeerId> = config.own.iter().copied().collect();
		let peers = chain.latest().await?.peers_of(&account).await?;
		own.extend(peers.into_iter().map(|peer| peer.peer));
		let shared = Self {
			sources: Sources::new(chain.clone(), Web::new(reach)),
			chain,
			key,
			account,
			mode: config.mode,
			own,
			guests,
			store: Store::new(records),
			metrics,
			bonds: Semaphore::new(config.max_open_bonds as usize),
			most_bonds: config.max_open_bonds as usize,
		};
		shared.recall_bonds().await?;
		Ok(shared)
	}

	/// Takes those bonds off that were held before the restart.
	async fn recall_bonds(&self) -> Result<(), StoreError> {
		let held = self
			.store
			.with(|records| {
				let challenges = records.suspicions()?;
				let challenges = challenges
					.iter()
					.filter(|row| row.stage.is_bonded())
					.count();
				let demands: usize = records.checks()?.iter().map(|(_, row)| row.bonds()).sum();
				Ok(challenges.saturating_add(demands))
			})
			.await?;
		self.bonds.forget_permits(held);
		self.show_bonds();
		Ok(())
	}

	/// Takes a bond, if another one may be held.
	pub(crate) fn take_bond(&self) -> bool {
		let taken = match self.bonds.try_acquire() {
			Ok(permit) => {
				permit.forget();
				true
			}
			Err(_) => false,
		};
		self.show_bonds();
		taken
	}

	/// A bond came back, or is lost.
	pub(crate) fn end_bond(&self) {
		self.bonds.add_permits(1);
		self.show_bonds();
	}

	fn show_bonds(&self) {
		let held = self
			.most_bonds
			.saturating_sub(self.bonds.available_permits());
		self.metrics
			.bonds_held
			.set(i64::try_from(held).unwrap_or(i64::MAX));
	}

	/// Begins a challenge, unless the peer is our own or is charged already.
	pub(crate) async fn suspect(&self, evidence: Evidence, why: &str) -> Result<(), StoreError> {
		let case = case_of(&evidence);
		if self.own.contains(&case.peer) {
			tracing::warn!(peer = %case.peer, epoch = case.epoch, why, "our own peer is at fault");
			return Ok(());
		}
		let suspicion = Suspicion {
			case,
			salt: salt()?,
			stage: Stage::Waiting,
		};
		let begun = self
			.store
			.with(move |records| records.suspect(&suspicion, &evidence))
			.await?;
		if begun {
			self.metrics
				.found
				.with_label_values(&[charge_code(case.charge)])
				.inc();
			tracing::warn!(
				peer = %case.peer,
				epoch = case.epoch,
				charge = charge_code(case.charge),
				receipt = ?case.subject,
				why,
				"a peer is at fault"
			);
		}
		Ok(())
	}

	pub(crate) async fn rules(&self, view: &View) -> Result<Rules, ReadError> {
		Rules::read(view).await
	}
}

/// A charge in figures and logs.
pub fn charge_code(charge: Charge) -> &'static str {
	match charge {
		Charge::Inspection => "inspection",
		Charge::Replay => "replay",
		Charge::Omitted => "omitted",
		Charge::DoubleSeq => "double_seq",
	}
}

/// A salt that nobody can guess.
fn salt() -> Result<H256, StoreError> {
	let mut salt = H256::zero();
	getrandom::fill(&mut salt.0).map_err(|error| StoreError::Thread(error.to_string()))?;
	Ok(salt)
}

/// A key file, or the name of a development account.
fn account(path: &Path) -> Result<AccountKey, WatchError> {
	Ok(match path.to_str() {
		Some(text) => AccountKey::from_name_or_file(text)?,
		None => AccountKey::load(path)?,
	})
}

//! What the watcher remembers on disk: what it must look at, and where its challenges stand.
//!
//! The salt of a commitment is here before the commitment is sent: without it the bond could never
//! be got back whole.

use codec::{Decode, DecodeAll, Encode};
use millrace_primitives::{
	challenge::{CaseId, Evidence, OffenceKind, Wanted},
	effects::Transcript,
	execution::{CallTerms, Request, SignedReceipt},
	peer::PeerId,
	BlockNumber, EpochIndex, H256,
};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::{collections::BTreeSet, fmt, path::Path, sync::Arc};

type Rows = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Place of a receipt → the receipt, as it was received.
const HELD: Rows = TableDefinition::new("held");
/// Name of a receipt → what is known of its call.
const CHECKS: Rows = TableDefinition::new("checks");
/// Name of a receipt that was looked at.
const CHECKED: Rows = TableDefinition::new("checked");
/// Case → where the challenge stands.
const SUSPICIONS: Rows = TableDefinition::new("suspicions");
/// Case → what proves it.
const EVIDENCE: Rows = TableDefinition::new("evidence");
/// (peer, epoch) whose slashes are to be applied when they are due.
const SLASHES: Rows = TableDefinition::new("slashes");
/// What the file belongs to.
const META: Rows = TableDefinition::new("meta");

const ALL: [Rows; 7] = [HELD, CHECKS, CHECKED, SUSPICIONS, EVIDENCE, SLASHES, META];
const GENESIS: &[u8] = b"genesis";
/// Memory that the database may use for pages.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Why the records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The directory cannot be used.
	#[error("{path}: {source}")]
	Directory {
		/// The directory.
		path: std::path::PathBuf,
		/// Why.
		source: std::io::Error,
	},
	/// The database failed.
	#[error("the watcher's store failed: {0}; check that the disk has space and is healthy")]
	Database(Box<redb::Error>),
	/// A record cannot be read.
	#[error(
		"a {0} in the watcher's store cannot be read; check the disk and start with an empty \
		 directory. A tenth of each bond that is held now is lost by that"
	)]
	Damaged(&'static str),
	/// The directory was used for another chain.
	#[error("the watcher's directory belongs to another chain; use a new one")]
	OtherChain,
	/// The thread that read or wrote died.
	#[error("the watcher's store failed: {0}")]
	Thread(String),
}

/// Names a receipt by the peer, its number and its hash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(Vec<u8>);

impl Key {
	pub(crate) fn new(signed: &SignedReceipt) -> Self {
		let receipt = &signed.receipt;
		let mut key = place(receipt.peer, receipt.epoch, receipt.seq);
		key.extend(receipt.hash().as_bytes());
		Self(key)
	}
}

/// A call that is to be looked at, with what is known of it so far.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Check {
	pub(crate) receipt: SignedReceipt,
	/// Whether an audit opened it: then its data can be demanded.
	pub(crate) opened: bool,
	pub(crate) terms: Option<CallTerms>,
	pub(crate) request: Option<Request>,
	pub(crate) transcript: Option<Transcript>,
	/// How often its data were looked for in vain.
	pub(crate) tries: u32,
	/// Whether there is nothing left to see but what becomes of the demands.
	pub(crate) judged: bool,
	/// What was demanded.
	pub(crate) demands: Vec<Demanded>,
}

impl Check {
	pub(crate) fn opened(receipt: SignedReceipt) -> Self {
		Self {
			receipt,
			opened: true,
			terms: None,
			request: None,
			transcript: None,
			tries: 0,
			judged: false,
			demands: Vec::new(),
		}
	}

	/// Bonds that are held for it.
	pub(crate) fn bonds(&self) -> usize {
		self.demands
			.iter()
			.filter(|demand| demand.ours && !demand.over)
			.count()
	}
}

/// Something that was demanded.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Demanded {
	pub(crate) wanted: Wanted,
	/// First block that was not looked through for it.
	pub(crate) next: BlockNumber,
	/// Last block in which it can be posted.
	pub(crate) deadline: BlockNumber,
	/// Whether the bond is ours.
	pub(crate) ours: bool,
	/// It came, or the time for it is over.
	pub(crate) over: bool,
}

/// A challenge.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Suspicion {
	pub(crate) case: CaseId,
	pub(crate) salt: H256,
	pub(crate) stage: Stage,
}

/// Peer, epoch and block of a slash.
pub(crate) type Slash = (PeerId, EpochIndex, BlockNumber);

/// Where a challenge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Stage {
	/// To be looked at once more, and for a bond to be free.
	Waiting,
	/// The commitment may be on the chain.
	Committing,
	/// The commitment is in this block.
	Committed(BlockNumber),
	/// The evidence is on the chain since this block. Whether the bond is still held.
	Revealed { since: BlockNumber, bonded: bool },
	/// The evidence was refused; what is left of the bond comes back behind this block.
	Forgotten(BlockNumber),
	/// It is over.
	Over(End),
}

impl Stage {
	/// Whether a bond is held.
	pub(crate) fn is_bonded(self) -> bool {
		matches!(
			self,
			Self::Committing
				| Self::Committed(_)
				| Self::Revealed { bonded: true, .. }
				| Self::Forgotten(_)
		)
	}
}

/// How a challenge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) enum End {
	/// It was concluded, and the bounty is ours.
	Won,
	/// The peer was charged for the epoch without us; the bond came back.
	Moot,
	/// Somebody committed earlier.
	Left,
	/// The chain found the receipt to be right.
	Lost,
	/// The chain could not decide.
	Inconclusive,
	/// The chain did not take it.
	Refused,
	/// It was too late, or no stake answers.
	Late,
	/// The receipt is not what it seemed.
	Unfounded,
}

impl End {
	/// Its name in figures and logs.
	pub(crate) fn code(self) -> &'static str {
		match self {
			Self::Won => "won",
			Self::Moot => "moot",
			Self::Left => "left",
			Self::Lost => "lost",
			Self::Inconclusive => "inconclusive",
			Self::Refused => "refused",
			Self::Late => "late",
			Self::Unfounded => "unfounded",
		}
	}
}

/// The records, for tasks: what touches the disk runs on a thread that may wait for it.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Records>);

impl Store {
	pub(crate) fn new(records: Records) -> Self {
		Self(Arc::new(records))
	}

	pub(crate) async fn with<T: Send + 'static>(
		&self,
		work: impl FnOnce(&Records) -> Result<T, StoreError> + Send + 'static,
	) -> Result<T, StoreError> {
		let records = self.0.clone();
		tokio::task::spawn_blocking(move || work(&records))
			.await
			.map_err(|error| StoreError::Thread(error.to_string()))?
	}
}

/// The records.
pub(crate) struct Records {
	database: Database,
}

impl fmt::Debug for Records {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("Records").finish_non_exhaustive()
	}
}

impl Records {
	/// Opens the records of a chain in a directory.
	pub(crate) fn open(dir: &Path, genesis: H256) -> Result<Self, StoreError> {
		std::fs::create_dir_all(dir).map_err(|source| StoreError::Directory {
			path: dir.to_path_buf(),
			source,
		})?;
		let database = Database::builder()
			.set_cache_size(CACHE_BYTES)
			.create(dir.join("watch.redb"))
			.map_err(database_error)?;
		let records = Self { database };
		records.write(|transaction| {
			for rows in ALL {
				// Readers may then rely on every table.
				transaction.open_table(rows).map_err(database_error)?;
			}
			match get::<H256>(transaction, META, GENESIS)? {
				Some(known) if known != genesis => Err(StoreError::OtherChain),
				Some(_) => Ok(()),
				None => put(transaction, META, GENESIS, &genesis),
			}
		})?;
		Ok(records)
	}

	/// Keeps receipts that were received. Those whose number has another receipt already come back
	/// with it.
	pub(crate) fn hold(
		&self,
		received: &[SignedReceipt],
	) -> Result<Vec<(SignedReceipt, SignedReceipt)>, StoreError> {
		self.write(|transaction| {
			let mut doubles = Vec::new();
			for signed in received {
				let receipt = &signed.receipt;
				let key = place(receipt.peer, receipt.epoch, receipt.seq);
				match get::<SignedReceipt>(transaction, HELD, &key)? {
					None => put(transaction, HELD, &key, signed)?,
					Some(held) if held.receipt != *receipt => doubles.push((held, signed.clone())),
					Some(_) => {}
				}
			}
			Ok(doubles)
		})
	}

	/// Peers and epochs of which receipts are held.
	pub(crate) fn held_groups(&self) -> Result<BTreeSet<(PeerId, EpochIndex)>, StoreError> {
		let all = self.all::<SignedReceipt>(HELD, "receipt")?;
		Ok(all
			.into_iter()
			.map(|(_, signed)| (signed.receipt.peer, signed.receipt.epoch))
			.collect())
	}

	/// Receipts of a peer and epoch that are held, in the order of their numbers.
	pub(crate) fn held(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
	) -> Result<Vec<SignedReceipt>, StoreError> {
		let read = self.database.begin_read().map_err(database_error)?;
		let rows = read.open_table(HELD).map_err(database_error)?;
		let (first, last) = (place(peer, epoch, 0), place(peer, epoch, u32::MAX));
		let range = rows
			.range::<&[u8]>(first.as_slice()..=last.as_slice())
			.map_err(database_error)?;
		range
			.map(|entry| {
				let (_, value) = entry.map_err(database_error)?;
				decode("receipt", value.value())
			})
			.collect()
	}

	/// Forgets the receipts of a peer and epoch: they were found in its report, or cannot be.
	pub(crate) fn let_go(&self, peer: PeerId, epoch: EpochIndex) -> Result<(), StoreError> {
		let prefix = group(peer, epoch);
		self.write(|transaction| {
			let mut rows = transaction.open_table(HELD).map_err(database_error)?;
			rows.retain(|key, _| !key.starts_with(&prefix))
				.map_err(database_error)
		})
	}

	/// Adds calls that are to be looked at; those that were are left out. The names of the new ones.
	pub(crate) fn add_checks(&self, checks: &[Check]) -> Result<Vec<Key>, StoreError> {
		self.write(|transaction| {
			let mut added = Vec::new();
			for check in checks {
				let key = Key::new(&check.receipt);
				let known = get::<()>(transaction, CHECKED, &key.0)?.is_some()
					|| get::<Check>(transaction, CHECKS, &key.0)?.is_some();
				if !known {
					put(transaction, CHECKS, &key.0, check)?;
					added.push(key);
				}
			}
			Ok(added)
		})
	}

	/// The calls that are to be looked at.
	pub(crate) fn checks(&self) -> Result<Vec<(Key, Check)>, StoreError> {
		let all = self.all::<Check>(CHECKS, "check")?;
		Ok(all.into_iter().map(|(key, row)| (Key(key), row)).collect())
	}

	/// One of them.
	pub(crate) fn check(&self, key: &Key) -> Result<Option<Check>, StoreError> {
		self.one(CHECKS, &key.0, "check")
	}

	/// What is known of it now.
	pub(crate) fn set_check(&self, key: &Key, check: &Check) -> Result<(), StoreError> {
		self.write(|transaction| put(transaction, CHECKS, &key.0, check))
	}

	/// It was looked at.
	pub(crate) fn end_check(&self, key: &Key) -> Result<(), StoreError> {
		self.write(|transaction| {
			remove(transaction, CHECKS, &key.0)?;
			put(transaction, CHECKED, &key.0, &())
		})
	}

	/// Begins a challenge, unless there is one against the peer for the epoch and kind of offence:
	/// it is punished once.
	pub(crate) fn suspect(
		&self,
		suspicion: &Suspicion,
		evidence: &Evidence,
	) -> Result<bool, StoreError> {
		let kind = suspicion.case.charge.kind();
		self.write(|transaction| {
			let known = {
				let rows = transaction.open_table(SUSPICIONS).map_err(database_error)?;
				let mut known = false;
				for entry in rows.iter().map_err(database_error)? {
					let (_, value) = entry.map_err(database_error)?;
					let other: Suspicion = decode("suspicion", value.value())?;
					known |= is_of(&other.case, suspicion.case.peer, suspicion.case.epoch, kind)
						&& is_in_the_way(other.stage);
				}
				known
			};
			if !known {
				let key = suspicion.case.encode();
				put(transaction, SUSPICIONS, &key, suspicion)?;
				put(transaction, EVIDENCE, &key, evidence)?;
			}
			Ok(!known)
		})
	}

	/// All challenges, those that are over too.
	pub(crate) fn suspicions(&self) -> Result<Vec<Suspicion>, StoreError> {
		let all = self.all::<Suspicion>(SUSPICIONS, "suspicion")?;
		Ok(all.into_iter().map(|(_, suspicion)| suspicion).collect())
	}

	/// A challenge.
	pub(crate) fn suspicion(&self, case: &CaseId) -> Result<Option<Suspicion>, StoreError> {
		self.one(SUSPICIONS, &case.encode(), "suspicion")
	}

	/// What proves a case.
	pub(crate) fn evidence(&self, case: &CaseId) -> Result<Option<Evidence>, StoreError> {
		self.one(EVIDENCE, &case.encode(), "proof")
	}

	/// Where a challenge stands now. Evidence that nobody will ask for any more goes.
	pub(crate) fn set_suspicion(&self, suspicion: &Suspicion) -> Result<(), StoreError> {
		let key = suspicion.case.encode();
		self.write(|transaction| {
			if matches!(suspicion.stage, Stage::Over(_)) {
				remove(transaction, EVIDENCE, &key)?;
			}
			put(transaction, SUSPICIONS, &key, suspicion)
		})
	}

	/// Notes that slashes of a peer for an epoch, which the chain knows since a block, are to be applied.
	pub(crate) fn add_slash(&self, slash: Slash) -> Result<(), StoreError> {
		let (peer, epoch, _) = slash;
		self.write(|transaction| put(transaction, SLASHES, &group(peer, epoch), &slash))
	}

	/// They are applied, or were cancelled.
	pub(crate) fn end_slash(&self, peer: PeerId, epoch: EpochIndex) -> Result<(), StoreError> {
		self.write(|transaction| remove(transaction, SLASHES, &group(peer, epoch)))
	}

	/// The slashes that are to be applied.
	pub(crate) fn slashes(&self) -> Result<Vec<Slash>, StoreError> {
		let all = self.all::<Slash>(SLASHES, "slash")?;
		Ok(all.into_iter().map(|(_, slash)| slash).collect())
	}

	/// Forgets what is of epochs before `oldest` and holds no bond.
	pub(crate) fn prune(&self, oldest: EpochIndex) -> Result<(), StoreError> {
		let is_old = |key: &[u8]| epoch_of(key).is_none_or(|epoch| epoch < oldest);
		let old: Vec<CaseId> = self
			.suspicions()?
			.into_iter()
			.filter(|suspicion| suspicion.case.epoch < oldest && !suspicion.stage.is_bonded())
			.map(|suspicion| suspicion.case)
			.collect();
		self.write(|transaction| {
			for rows in [HELD, CHECKED] {
				let mut rows = transaction.open_table(rows).map_err(database_error)?;
				rows.retain(|key, _| !is_old(key)).map_err(database_error)?;
			}
			for case in &old {
				remove(transaction, SUSPICIONS, &case.encode())?;
				remove(transaction, EVIDENCE, &case.encode())?;
			}
			Ok(())
		})
	}

	fn one<T: Decode>(
		&self,
		rows: Rows,
		key: &[u8],
		what: &'static str,
	) -> Result<Option<T>, StoreError> {
		let read = self.database.begin_read().map_err(database_error)?;
		let rows = read.open_table(rows).map_err(database_error)?;
		let row = rows.get(key).map_err(database_error)?;
		row.map(|row| decode(what, row.value())).transpose()
	}

	fn all<T: Decode>(
		&self,
		rows: Rows,
		what: &'static str,
	) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
		let read = self.database.begin_read().map_err(database_error)?;
		let rows = read.open_table(rows).map_err(database_error)?;
		let mut all = Vec::new();
		for entry in rows.iter().map_err(database_error)? {
			let (key, value) = entry.map_err(database_error)?;
			all.push((key.value().to_vec(), decode(what, value.value())?));
		}
		Ok(all)
	}

	/// Runs a change and commits it durably; an error leaves everything as it was.
	fn write<T>(
		&self,
		change: impl FnOnce(&WriteTransaction) -> Result<T, StoreError>,
	) -> Result<T, StoreError> {
		let transaction = self.database.begin_write().map_err(database_error)?;
		let outcome = change(&transaction)?;
		transaction.commit().map_err(database_error)?;
		Ok(outcome)
	}
}

/// Whether a case is of this peer, epoch and kind of offence.
pub(crate) fn is_of(case: &CaseId, peer: PeerId, epoch: EpochIndex, kind: OffenceKind) -> bool {
	case.peer == peer && case.epoch == epoch && case.charge.kind() == kind
}

/// Whether a challenge stands in the way of another one: what came to nothing does not.
fn is_in_the_way(stage: Stage) -> bool {
	!matches!(
		stage,
		Stage::Over(End::Lost | End::Inconclusive | End::Refused | End::Unfounded)
	)
}

fn group(peer: PeerId, epoch: EpochIndex) -> Vec<u8> {
	let mut key = peer.0.as_bytes().to_vec();
	// Numbers in the order of their size.
	key.extend(epoch.to_be_bytes());
	key
}

fn place(peer: PeerId, epoch: EpochIndex, seq: u32) -> Vec<u8> {
	let mut key = group(peer, epoch);
	key.extend(seq.to_be_bytes());
	key
}

fn epoch_of(key: &[u8]) -> Option<EpochIndex> {
	let bytes = key.get(32..36)?;
	Some(EpochIndex::from_be_bytes(bytes.try_into().ok()?))
}

fn get<T: Decode>(
	transaction: &WriteTransaction,
	rows: Rows,
	key: &[u8],
) -> Result<Option<T>, StoreError> {
	let rows = transaction.open_table(rows).map_err(database_error)?;
	let row = rows.get(key).map_err(database_error)?;
	row.map(|row| decode("record", row.value())).transpose()
}

fn put(
	transaction: &WriteTransaction,
	rows: Rows,
	key: &[u8],
	value: &impl Encode,
) -> Result<(), StoreError> {
	let mut rows = transaction.open_table(rows).map_err(database_error)?;
	rows.insert(key, value.encode().as_slice())
		.map_err(database_error)?;
	Ok(())
}

fn remove(transaction: &WriteTransaction, rows: Rows, key: &[u8]) -> Result<(), StoreError> {
	let mut rows = transaction.open_table(rows).map_err(database_error)?;
	rows.remove(key).map_err(database_error)?;
	Ok(())
}

fn decode<T: Decode>(what: &'static str, mut bytes: &[u8]) -> Result<T, StoreError> {
	T::decode_all(&mut bytes).map_err(|_| StoreError::Damaged(what))
}

fn database_error(error: impl Into<redb::Error>) -> StoreError {
	StoreError::Database(Box::new(error.into()))
}

#[cfg(test)]
pub(crate) mod tests;

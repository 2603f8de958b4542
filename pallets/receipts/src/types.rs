//! What the pallet stores and says.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use millrace_primitives::{
	audit::RECEIPTS_PER_AUDIT,
	challenge::{CaseId, Charge, Wanted},
	execution::SignedReceipt,
	peer::PeerId,
	Balance, BlockNumber, EpochIndex, FLT, H256,
};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Data that each opened receipt names: its package, its request and its transcript.
const DATA_PER_RECEIPT: u32 = 3;
/// Most data of one audit that can be demanded.
pub const MAX_ANSWERS: u32 = RECEIPTS_PER_AUDIT.saturating_mul(DATA_PER_RECEIPT);
/// Least price of a package that is posted: that of the row that says in which block it stands. The row
/// stays for ever, however short the package, and whatever a byte in a block costs.
pub const POSTED_PRICE: Balance = (FLT / 1_000).saturating_mul(54);

/// Receipts that were opened in one audit, and hold.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Opening {
	/// The epoch whose report was audited.
	pub epoch: EpochIndex,
	/// The receipts.
	pub receipts: BoundedVec<SignedReceipt, ConstU32<RECEIPTS_PER_AUDIT>>,
}

/// Whose business receipts of an [`Opening`] are alone: owners of deals that are not open.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct OpeningClients<AccountId> {
	/// The epoch whose report was audited.
	pub epoch: EpochIndex,
	/// Each with the number of its receipt.
	pub clients: BoundedVec<(u32, AccountId), ConstU32<RECEIPTS_PER_AUDIT>>,
}

/// Why an opened receipt does not hold.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum OpeningError {
	/// More or fewer receipts were opened than drawn.
	Count,
	/// It does not lead to the report's root at the drawn index.
	Path,
	/// Its number is not the index of its leaf.
	Sequence,
	/// It is of another chain.
	Genesis,
	/// It is of another fork: its seed is not the epoch's.
	Seed,
	/// It is of another peer.
	Peer,
	/// It is of another epoch than the report.
	Epoch,
	/// Its block lies outside its epoch.
	Block,
	/// No key of the peer that counted at its block signed it.
	Signature,
	/// The peer did not work for the deal in the epoch.
	Worker,
	/// The deal runs another package.
	Package,
	/// It took more gas than the deal allows a call.
	Gas,
	/// It names another engine profile than the deal's, or than the chain's.
	Profile,
	/// It names other terms than the deal's.
	Terms,
	/// Its response or transcript is none that a call of its status leaves.
	Outcome,
}

/// A challenge that nobody can read yet. Blocks are counted without those that migrations take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Commit {
	/// Block in which it was made: the earlier leads.
	pub block: BlockNumber,
	/// First block in which it can be revealed.
	pub opens: BlockNumber,
	/// Last block in which it can be revealed.
	pub closes: BlockNumber,
	/// What is held for it.
	pub bond: Balance,
	/// What of it burns if it is not revealed.
	pub forfeit: Balance,
	/// What part of it is for the accused if it is false.
	pub compensation: Perbill,
}

/// A case that is proven. Blocks but `proven` are counted without those that migrations take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Case<AccountId> {
	/// Epoch of the receipt.
	pub epoch: EpochIndex,
	/// The charge.
	pub charge: Charge,
	/// Hash of the receipt; of [`Charge::DoubleSeq`] the smaller of both.
	pub subject: H256,
	/// Block in which it was proven.
	pub proven: BlockNumber,
	/// Whose commitment is the earliest of those that were revealed.
	pub leader: AccountId,
	/// Block of that commitment.
	pub committed: BlockNumber,
	/// Last block in which an earlier one can take the lead.
	pub contest_until: BlockNumber,
	/// Part of the stake that it costs.
	pub part: Perbill,
	/// Part of that for the leader.
	pub reward: Perbill,
	/// Whether the stake was charged for it.
	pub concluded: bool,
}

impl<AccountId> Case<AccountId> {
	/// Names the case against its peer.
	pub fn id(&self, peer: PeerId) -> CaseId {
		CaseId {
			peer,
			epoch: self.epoch,
			charge: self.charge,
			subject: self.subject,
		}
	}
}

/// A claim of omission that the peer can refute by a leaf. Blocks but `asked` are counted without
/// those that migrations take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Show<AccountId> {
	/// Epoch of the receipt.
	pub epoch: EpochIndex,
	/// Number of the receipt: the index of its leaf.
	pub seq: u32,
	/// Whose commitment is the earliest of those that were revealed.
	pub who: AccountId,
	/// Block of that commitment.
	pub committed: BlockNumber,
	/// What is held for it.
	pub bond: Balance,
	/// Block in which the leaf was asked for.
	pub asked: BlockNumber,
	/// Last block in which it can be shown.
	pub deadline: BlockNumber,
	/// What part of the bond is for the accused if the leaf is shown.
	pub compensation: Perbill,
	/// Part of the stake that the omission costs.
	pub part: Perbill,
	/// Part of that for whoever claims it.
	pub reward: Perbill,
}

impl<AccountId> Show<AccountId> {
	/// Names the case against its peer.
	pub fn id(&self, peer: PeerId, subject: H256) -> CaseId {
		CaseId {
			peer,
			epoch: self.epoch,
			charge: Charge::Omitted,
			subject,
		}
	}
}

/// A demand for data of an opened receipt. It outlives the record of the opening. Its key says what is
/// wanted. Its last block is counted without those that migrations take.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Demand<AccountId> {
	/// Who demands.
	pub who: AccountId,
	/// What is held as a bond.
	pub bond: Balance,
	/// What a byte costs.
	pub byte_fee: Balance,
	/// Bytes that are paid for.
	pub most_bytes: u32,
	/// What the data hash to.
	pub hash: H256,
	/// Last block in which they can be posted.
	pub deadline: BlockNumber,
	/// Part of the stake that it costs to withhold them.
	pub part: Perbill,
	/// Part of that for who demands.
	pub reward: Perbill,
}

impl<AccountId> Demand<AccountId> {
	/// What so many bytes cost, and at most what is paid for. A package costs [`POSTED_PRICE`] at least.
	pub fn price_of(&self, wanted: Wanted, bytes: u32) -> Balance {
		let price = self
			.byte_fee
			.saturating_mul(bytes.min(self.most_bytes).into());
		match wanted {
			Wanted::Package => price.max(POSTED_PRICE),
			Wanted::Request | Wanted::Transcript => price,
		}
	}

	/// What is held for it: the bond, and the most that what is wanted can cost.
	pub fn held(&self, wanted: Wanted) -> Balance {
		self.bond
			.saturating_add(self.price_of(wanted, self.most_bytes))
	}
}

/// What became of the demands for one audit's data.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Answers {
	/// The epoch whose report was audited.
	pub epoch: EpochIndex,
	/// Whether the peer has paid for withholding.
	pub withheld: bool,
	/// Data that were posted or withheld, by number of their receipt.
	pub data: BoundedVec<(u32, Wanted), ConstU32<MAX_ANSWERS>>,
}

/// How many demands are open, of all peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct OpenDemandCount {
	/// For packages.
	pub packages: u32,
	/// For requests and transcripts.
	pub others: u32,
}

impl OpenDemandCount {
	/// The number that a demand counts in.
	pub(crate) fn of(&mut self, wanted: Wanted) -> &mut u32 {
		match wanted {
			Wanted::Package => &mut self.packages,
			Wanted::Request | Wanted::Transcript => &mut self.others,
		}
	}
}

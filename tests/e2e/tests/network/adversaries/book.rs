//! What the chain has said of money, block by block, from the events of every block.

use codec::Decode;
use millrace_client::{AccountId, Chain, ChainEvent};
use millrace_e2e::Events;
use millrace_primitives::{
	challenge::{CaseId, OffenceKind, Wanted},
	commitment::SlashId,
	peer::PeerId,
	Balance, BlockNumber, DealId, EpochIndex, H256,
};
use std::{collections::BTreeSet, ops::RangeInclusive};

/// Something that moves money, or says where it will go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
	/// An account paid for a transaction, and the fee burnt.
	Fee { who: AccountId, amount: Balance },
	/// A peer's provider was paid for an epoch of its deals.
	Paid {
		peer: PeerId,
		paid: Balance,
		burnt: Balance,
	},
	/// A commitment was revealed to a case that others lead.
	Joined { who: AccountId, leads: bool },
	/// A challenge came to nothing.
	Moot { who: AccountId },
	/// A challenge was false.
	Refuted {
		case: CaseId,
		who: AccountId,
		burnt: Balance,
		provider: Balance,
	},
	/// A commitment was not revealed.
	Forfeited { who: AccountId, burnt: Balance },
	/// A case was concluded.
	Concluded {
		peer: PeerId,
		kind: OffenceKind,
		leader: AccountId,
		amount: Balance,
	},
	/// Data were demanded.
	Demanded { peer: PeerId, who: AccountId },
	/// Data were posted.
	Posted { peer: PeerId },
	/// Data were not posted.
	Withheld { peer: PeerId, amount: Balance },
	/// A slash was applied.
	Applied {
		peer: PeerId,
		burnt: Balance,
		reporter: Balance,
		bounty: Balance,
	},
	/// Rewards were paid.
	Claimed { amount: Balance },
	/// Units were missed in these epochs; what that costs was taken at once.
	Missed {
		peer: PeerId,
		epochs: RangeInclusive<EpochIndex>,
		charged: u32,
		slashed: Balance,
	},
	/// Somebody settled a peer that had missed units, and got a part of what that cost.
	Pushed { who: AccountId, amount: Balance },
}

impl Said {
	/// What an event says, if it is about money.
	fn read(event: &ChainEvent) -> Option<Self> {
		let fields = &mut &event.fields[..];
		let said = match (event.pallet.as_str(), event.name.as_str()) {
			("TransactionPayment", "TransactionFeePaid") => {
				// The tip is part of the fee.
				let (who, amount, _) = <(AccountId, Balance, Balance)>::decode(fields).ok()?;
				Self::Fee { who, amount }
			}
			("Market", "ReportPaid") => {
				type Fields = (PeerId, EpochIndex, Balance, Balance);
				let (peer, _, paid, burnt) = Fields::decode(fields).ok()?;
				Self::Paid { peer, paid, burnt }
			}
			("Market", "ClosingPaid") => {
				type Fields = (DealId, PeerId, Balance, Balance);
				let (_, peer, paid, burnt) = Fields::decode(fields).ok()?;
				Self::Paid { peer, paid, burnt }
			}
			("Receipts", "ChallengeJoined") => {
				let (_, who, leads) = <(CaseId, AccountId, bool)>::decode(fields).ok()?;
				Self::Joined { who, leads }
			}
			("Receipts", "ChallengeMoot") => {
				let (_, who) = <(CaseId, AccountId)>::decode(fields).ok()?;
				Self::Moot { who }
			}
			("Receipts", "ChallengeRefuted") => {
				type Fields = (CaseId, AccountId, Balance, Balance);
				let (case, who, burnt, provider) = Fields::decode(fields).ok()?;
				Self::Refuted {
					case,
					who,
					burnt,
					provider,
				}
			}
			("Receipts", "CommitForfeited") => {
				let (who, _, burnt) = <(AccountId, H256, Balance)>::decode(fields).ok()?;
				Self::Forfeited { who, burnt }
			}
			("Receipts", "CaseConcluded") => {
				type Fields = (PeerId, EpochIndex, OffenceKind, AccountId, Balance);
				let (peer, _, kind, leader, amount) = Fields::decode(fields).ok()?;
				Self::Concluded {
					peer,
					kind,
					leader,
					amount,
				}
			}
			("Receipts", "DataDemanded") => {
				type Fields = (PeerId, EpochIndex, u32, Wanted, AccountId, BlockNumber);
				let (peer, _, _, _, who, _) = Fields::decode(fields).ok()?;
				Self::Demanded { peer, who }
			}
			("Receipts", "DataPosted") => {
				type Fields = (PeerId, EpochIndex, u32, Wanted);
				let (peer, ..) = Fields::decode(fields).ok()?;
				Self::Posted { peer }
			}
			("Receipts", "DataWithheld") => {
				type Fields = (PeerId, EpochIndex, u32, Wanted, Balance);
				let (peer, _, _, _, amount) = Fields::decode(fields).ok()?;
				Self::Withheld { peer, amount }
			}
			("Capacity", "SlashApplied") => {
				type Fields = (PeerId, SlashId, Balance, Balance, Balance);
				let (peer, _, burnt, reporter, bounty) = Fields::decode(fields).ok()?;
				Self::Applied {
					peer,
					burnt,
					reporter,
					bounty,
				}
			}
			("Capacity", "RewardClaimed") => {
				let (_, amount) = <(AccountId, Balance)>::decode(fields).ok()?;
				Self::Claimed { amount }
			}
			("Capacity", "BountyPaid") => {
				let (_, who, amount) = <(PeerId, AccountId, Balance)>::decode(fields).ok()?;
				Self::Pushed { who, amount }
			}
			("Capacity", "EpochSettled") => {
				type Fields = (
					PeerId,
					EpochIndex,
					u32,
					bool,
					Balance,
					Balance,
					Balance,
					bool,
				);
				let (peer, epoch, missed, excused, slashed, ..) = Fields::decode(fields).ok()?;
				if missed == 0 {
					return None;
				}
				Self::Missed {
					peer,
					epochs: epoch..=epoch,
					charged: if excused { 0 } else { missed },
					slashed,
				}
			}
			("Capacity", "SilenceSettled") => {
				type Fields = (PeerId, EpochIndex, EpochIndex, u32, Balance);
				let (peer, first, last, excused, slashed) = Fields::decode(fields).ok()?;
				Self::Missed {
					peer,
					epochs: first..=last,
					// Each peer has one unit.
					charged: (last + 1 - first) - excused,
					slashed,
				}
			}
			_ => return None,
		};
		fields.is_empty().then_some(said)
	}
}

/// What all final blocks have said of money, from some block on.
#[derive(Debug)]
pub(super) struct Book(Events);

impl Book {
	/// Begins with a block.
	pub(super) fn open(chain: &Chain, first: BlockNumber) -> Self {
		Self(Events::open(chain, first))
	}

	/// Peers of which a slash was applied, as far as it is read.
	pub(super) fn paid(&self) -> BTreeSet<PeerId> {
		let said = self.0.so_far();
		let applied = said
			.iter()
			.filter_map(Said::read)
			.filter_map(|said| match said {
				Said::Applied { peer, .. } => Some(peer),
				_ => None,
			});
		applied.collect()
	}

	/// What was said in these blocks, in its order.
	pub(super) async fn of(&self, range: RangeInclusive<BlockNumber>) -> Vec<Said> {
		let said = self.0.of(range).await;
		said.iter().filter_map(Said::read).collect()
	}
}

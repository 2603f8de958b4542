//! Whole pictures at one block, for relayers and clients.

use crate::{
	Anchor, AnchorParams, Attested, Config, Forced, ForcedQueue, Ledger, NextNonce, OverdueSince,
	Pallet, Params, Parked, PausedUntil, Pending, Round, Sent, SentMessage, Taken, Voters,
	MAX_BATCH, MAX_OUTGOING_PER_BLOCK,
};
use alloc::vec::Vec;
use millrace_primitives::{
	anchor::{
		quorum, tree, AnchorAllowances, AnchorBounds, AnchorStatus, ForcedView, OutboxEntry,
		ParkedView, TallyView, VoterKey, H160,
	},
	traits::EpochClock,
	H256,
};

/// Most rows of an answer.
const MOST_ROWS: u32 = 100;

impl<T: Config> Pallet<T> {
	/// Where the chain stands with its anchor.
	pub fn status() -> AnchorStatus {
		let params = Params::<T>::get();
		let locked = Ledger::<T>::get();
		let flow = Self::flow();
		let voters = u32::try_from(T::Voters::seated().len()).unwrap_or(u32::MAX);
		let forced = ForcedQueue::<T>::decode_len().unwrap_or_default();
		AnchorStatus {
			anchor: Anchor::<T>::get(),
			genesis: T::Clock::genesis(),
			next_nonce: NextNonce::<T>::get(),
			there: locked.there,
			parked: locked.parked,
			taken: Taken::<T>::get(),
			attested: Attested::<T>::get().into_inner(),
			votable: Self::last_votable(),
			round: Round::<T>::get(),
			session: T::Voters::session(),
			voters,
			quorum: quorum(voters),
			forced: u32::try_from(forced).unwrap_or(u32::MAX),
			overdue_since: OverdueSince::<T>::get(),
			paused_until: PausedUntil::<T>::get().filter(|_| Self::is_paused()),
			allowances: AnchorAllowances {
				epoch: flow.epoch,
				withdrawn: flow.withdrawn,
				withdrawable: params.withdraw_per_epoch,
				released: flow.released,
				releasable: params.release_per_epoch,
			},
			bounds: AnchorBounds {
				min_withdrawal: params.min_withdrawal,
				message_fee: params.message_fee,
				byte_fee: params.byte_fee,
				deliver_blocks: params.deliver_blocks,
			},
		}
	}

	/// A message to the anchor with its path. `None` while its block goes on, since more messages may
	/// come.
	pub fn message(nonce: u64) -> Option<OutboxEntry> {
		let anchor = Anchor::<T>::get()?;
		let genesis = T::Clock::genesis();
		let sent = Sent::<T>::get(nonce)?;
		if sent.block == Self::now() && Pending::<T>::decode_len().unwrap_or_default() > 0 {
			return None;
		}
		let first = nonce.checked_sub(sent.index.into())?;
		let ids: Vec<H256> = Self::sent_from(first, MAX_OUTGOING_PER_BLOCK)
			.take_while(|(_, other)| other.block == sent.block)
			.map(|(nonce, other)| other.outgoing.id(genesis, &anchor, nonce))
			.collect();
		Some(OutboxEntry {
			nonce,
			message: sent.outgoing.bytes(genesis, &anchor, nonce),
			block: sent.block,
			index: sent.index,
			count: u32::try_from(ids.len()).ok()?,
			path: tree::path(&ids, sent.index)?,
			root: tree::root(&ids),
		})
	}

	/// Messages to the anchor from a number on.
	pub fn messages(from: u64, limit: u32) -> Vec<OutboxEntry> {
		(from..NextNonce::<T>::get())
			.zip(0..limit.min(MOST_ROWS))
			.filter_map(|(nonce, _)| Self::message(nonce))
			.collect()
	}

	fn sent_from(first: u64, most: u32) -> impl Iterator<Item = (u64, SentMessage)> {
		(first..)
			.zip(0..most)
			.map_while(|(nonce, _)| Sent::<T>::get(nonce).map(|sent| (nonce, sent)))
	}

	/// Votes of the present session on places for which there is no quorum yet.
	pub fn tallies() -> Vec<TallyView> {
		(Self::last_seen().saturating_add(1)..=Self::last_votable())
			.zip(0..MAX_BATCH)
			.map(|(nonce, _)| TallyView {
				nonce,
				votes: Self::tally(nonce).votes.into_inner(),
			})
			.filter(|tally| !tally.votes.is_empty())
			.collect()
	}

	/// A key's number among the voters of the present session.
	pub fn voter(key: VoterKey) -> Option<u32> {
		let index = T::Voters::seated()
			.into_iter()
			.position(|(_, other)| other == key)?;
		u32::try_from(index).ok()
	}

	/// Deposits that wait to be paid, from a number on.
	pub fn parked(from: u64, limit: u32) -> Vec<ParkedView<T::AccountId>> {
		let mut rows: Vec<_> = Parked::<T>::iter()
			.filter(|(nonce, _)| *nonce >= from)
			.map(|(nonce, deposit)| ParkedView {
				nonce,
				recipient: deposit.recipient,
				amount: deposit.amount,
			})
			.collect();
		rows.sort_unstable_by_key(|row| row.nonce);
		rows.truncate(usize::try_from(limit.min(MOST_ROWS)).unwrap_or(usize::MAX));
		rows
	}

	/// Forced messages that wait for their turn, in order.
	pub fn forced() -> Vec<ForcedView> {
		ForcedQueue::<T>::get()
			.into_iter()
			.filter_map(|nonce| {
				let message = Forced::<T>::get(nonce)?;
				Some(ForcedView {
					nonce,
					sender: message.sender,
					fee: message.fee,
					data: message.data.into_inner(),
				})
			})
			.collect()
	}

	/// The account here that belongs to an address on the anchor.
	pub fn account_of(address: H160) -> Option<T::AccountId> {
		Self::account(Anchor::<T>::get()?.account_of(address))
	}

	/// Parameters for what is sent and taken from now on.
	pub fn params() -> AnchorParams {
		Params::<T>::get()
	}
}

//! Reads at one block. Each answer is a whole picture that the runtime put together, so nothing
//! here joins what two blocks say.

use crate::{
	balance::{self, AccountBalance, Hold},
	chain::{Block, Chain, REQUEST_TIMEOUT},
	checkpoints::CheckpointSet,
	error::ReadError,
	storage, AccountId,
};
use codec::{Decode, DecodeAll, Encode};
use millrace_primitives::{
	anchor::{AnchorStatus, OutboxEntry, ParkedView, TallyView, VoterKey, H160},
	challenge::{CaseView, OwedEvidence, Wanted},
	commitment::{EarningsView, RoundView, SlashView, StakerTerms},
	epoch::EpochStatus,
	execution::{CallTerms, Receipt, SignedReceipt},
	market::DealSpec,
	packages::NoTerms,
	peer::{PeerId, PeerKey},
	rewards::RewardsView,
	validators::{ValidatorView, ValidatorsView},
	views::{
		Assignment, CommitmentView, DealView, OfferView, PeerDuties, PeerView, Quote, ReportRecord,
		Subject, WhyNot,
	},
	Balance, BlockNumber, DealId, EpochIndex, H256,
};
use sp_arithmetic::Perbill;
use tokio::time::timeout;

/// The chain as it is at one block.
#[derive(Clone, Debug)]
pub struct View {
	chain: Chain,
	block: Block,
}

impl View {
	pub(crate) fn new(chain: Chain, block: Block) -> Self {
		Self { chain, block }
	}

	/// The block.
	pub fn block(&self) -> Block {
		self.block
	}

	/// The chain that the block is of.
	pub fn chain(&self) -> &Chain {
		&self.chain
	}

	/// Genesis hash of the chain.
	pub fn genesis(&self) -> H256 {
		self.chain.genesis()
	}

	/// Where the clock stands.
	pub async fn epoch(&self) -> Result<EpochStatus, ReadError> {
		self.call("EpochsApi_status", ()).await
	}

	/// Everything that a peer must know to do what it owes.
	pub async fn duties(&self, peer: PeerId) -> Result<PeerDuties, ReadError> {
		self.call("DutiesApi_duties", peer).await
	}

	/// A peer's commitment.
	pub async fn commitment(
		&self,
		peer: PeerId,
	) -> Result<Option<CommitmentView<AccountId>>, ReadError> {
		self.call("CapacityApi_commitment", peer).await
	}

	/// The round in which stake for a peer's commitment is taken.
	pub async fn round(&self, peer: PeerId) -> Result<Option<RoundView<AccountId>>, ReadError> {
		self.call("CapacityApi_round", peer).await
	}

	/// Terms of the round that a new commitment would open now.
	pub async fn start_terms(
		&self,
		units: u32,
		duration_epochs: u32,
		own_part: Perbill,
		commission: Perbill,
	) -> Result<StakerTerms, ReadError> {
		let args = (units, duration_epochs, own_part, commission);
		self.call("CapacityApi_start_terms", args).await
	}

	/// Terms of the round that more units of a peer would open now.
	pub async fn growth_terms(
		&self,
		peer: PeerId,
		more_units: u32,
	) -> Result<Option<StakerTerms>, ReadError> {
		self.call("CapacityApi_growth_terms", (peer, more_units))
			.await
	}

	/// Terms of the round that more epochs of a peer would open now.
	pub async fn renewal_terms(
		&self,
		peer: PeerId,
		duration_epochs: u32,
		own_part: Perbill,
		commission: Perbill,
	) -> Result<Option<StakerTerms>, ReadError> {
		let args = (peer, duration_epochs, own_part, commission);
		self.call("CapacityApi_renewal_terms", args).await
	}

	/// The slashes of a peer that wait.
	pub async fn slashes(&self, peer: PeerId) -> Result<Vec<SlashView>, ReadError> {
		self.call("CapacityApi_slashes", peer).await
	}

	/// What an account earned by its stakes.
	pub async fn earnings(&self, account: &AccountId) -> Result<EarningsView, ReadError> {
		self.call("CapacityApi_earnings", account).await
	}

	/// Stake behind the active commitments of a provider.
	pub async fn active_stake(&self, account: &AccountId) -> Result<Balance, ReadError> {
		self.call("CapacityApi_active_stake", account).await
	}

	/// Who validates, and what a seat takes.
	pub async fn validators(&self) -> Result<ValidatorsView<AccountId>, ReadError> {
		self.call("ValidatorsApi_validators", ()).await
	}

	/// Where an account stands as a validator.
	pub async fn validator(&self, account: &AccountId) -> Result<ValidatorView, ReadError> {
		self.call("ValidatorsApi_validator", account).await
	}

	/// Where the chain stands with its anchor.
	pub async fn anchor(&self) -> Result<AnchorStatus, ReadError> {
		self.call("AnchorApi_status", ()).await
	}

	/// A message to the anchor, with its path to the root of its block.
	pub async fn anchor_message(&self, nonce: u64) -> Result<Option<OutboxEntry>, ReadError> {
		self.call("AnchorApi_message", nonce).await
	}

	/// Messages to the anchor from a number on, at most 100.
	pub async fn anchor_messages(
		&self,
		from: u64,
		limit: u32,
	) -> Result<Vec<OutboxEntry>, ReadError> {
		self.call("AnchorApi_messages", (from, limit)).await
	}

	/// Votes of the present session on what the anchor's inbox holds.
	pub async fn anchor_tallies(&self) -> Result<Vec<TallyView>, ReadError> {
		self.call("AnchorApi_tallies", ()).await
	}

	/// A key's number among those who vote on the anchor's inbox.
	pub async fn anchor_voter(&self, key: VoterKey) -> Result<Option<u32>, ReadError> {
		self.call("AnchorApi_voter", key).await
	}

	/// Deposits that wait to be paid, from a number on, at most 100.
	pub async fn anchor_parked(
		&self,
		from: u64,
		limit: u32,
	) -> Result<Vec<ParkedView<AccountId>>, ReadError> {
		self.call("AnchorApi_parked", (from, limit)).await
	}

	/// The account here that belongs to an address on the anchor.
	pub async fn anchor_account_of(&self, address: H160) -> Result<Option<AccountId>, ReadError> {
		self.call("AnchorApi_account_of", address).await
	}

	/// The set that signs checkpoints at this block: id and keys.
	pub async fn checkpoint_set(&self) -> Result<Option<CheckpointSet>, ReadError> {
		let set: Option<(Vec<VoterKey>, u64)> = self.call("BeefyApi_validator_set", ()).await?;
		Ok(set.map(|(keys, id)| CheckpointSet { id, keys }))
	}

	/// Shows whose a key of checkpoints is, in the runtime's encoding; nothing if it is nobody's.
	pub async fn checkpoint_key_owner(
		&self,
		set: u64,
		key: VoterKey,
	) -> Result<Option<Vec<u8>>, ReadError> {
		self.call("BeefyApi_generate_key_ownership_proof", (set, key))
			.await
	}

	/// What a deal of this specification would be matched with now, and for how many epochs an escrow
	/// would pay it.
	pub async fn quote(
		&self,
		spec: &DealSpec<AccountId>,
		escrow: Balance,
	) -> Result<Quote, ReadError> {
		self.call("MarketApi_quote", (spec, escrow)).await
	}

	/// Why offers are not taken for a specification or a deal: that of one peer, or all from the
	/// cheapest on.
	pub async fn why_not(
		&self,
		subject: &Subject<AccountId>,
		peer: Option<PeerId>,
	) -> Result<WhyNot, ReadError> {
		self.call("MarketApi_why_not", (subject, peer)).await
	}

	/// What is held of whoever makes a probe.
	pub async fn probe_bond(&self) -> Result<Balance, ReadError> {
		self.call("MarketApi_probe_bond", ()).await
	}

	/// The offer of a peer.
	pub async fn offer(&self, peer: PeerId) -> Result<Option<OfferView>, ReadError> {
		self.call("MarketApi_offer", peer).await
	}

	/// A deal with its workers.
	pub async fn deal(&self, deal: DealId) -> Result<Option<DealView<AccountId>>, ReadError> {
		self.call("MarketApi_deal", deal).await
	}

	/// Deals in ascending order from an index on, of one owner or of all. At most
	/// [`millrace_primitives::views::MAX_DEALS_PAGE`] at a time.
	pub async fn deals(
		&self,
		owner: Option<&AccountId>,
		from: DealId,
		limit: u32,
	) -> Result<Vec<DealView<AccountId>>, ReadError> {
		self.call("MarketApi_deals", (owner, from, limit)).await
	}

	/// The deals that a peer works for.
	pub async fn assignments(&self, peer: PeerId) -> Result<Vec<Assignment>, ReadError> {
		self.call("MarketApi_assignments", peer).await
	}

	/// A registered peer.
	pub async fn peer(&self, peer: PeerId) -> Result<Option<PeerView<AccountId>>, ReadError> {
		self.call("ProvidersApi_peer", peer).await
	}

	/// The key that signed for a peer at an earlier block, as long as the chain remembers it. Read
	/// from this block's state: nodes drop that of old blocks.
	pub async fn key_at(
		&self,
		peer: PeerId,
		block: BlockNumber,
	) -> Result<Option<PeerKey>, ReadError> {
		self.call("ProvidersApi_key_at", (peer, block)).await
	}

	/// The peers of a provider.
	pub async fn peers_of(
		&self,
		provider: &AccountId,
	) -> Result<Vec<PeerView<AccountId>>, ReadError> {
		self.call("ProvidersApi_peers_of", provider).await
	}

	/// What the chain keeps of a peer's report.
	pub async fn report(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
	) -> Result<Option<ReportRecord>, ReadError> {
		self.call("ReceiptsApi_report", (peer, epoch)).await
	}

	/// The receipts that an audit opened, but for those that are void.
	pub async fn opened(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
	) -> Result<Vec<SignedReceipt>, ReadError> {
		self.call("ReceiptsApi_opened", (peer, epoch)).await
	}

	/// What a peer owes to challengers at this block.
	pub async fn owed_evidence(&self, peer: PeerId) -> Result<OwedEvidence, ReadError> {
		self.call("ReceiptsApi_owed_evidence", peer).await
	}

	/// Cases against a peer, claims that it can still refute among them.
	pub async fn cases(&self, peer: PeerId) -> Result<Vec<CaseView<AccountId>>, ReadError> {
		self.call("ReceiptsApi_cases", peer).await
	}

	/// Data that are demanded of a peer: epoch and number of the receipt, what is wanted, and the
	/// last block in which it can be posted.
	pub async fn demands(
		&self,
		peer: PeerId,
	) -> Result<Vec<(EpochIndex, u32, Wanted, BlockNumber)>, ReadError> {
		self.call("ReceiptsApi_demands", peer).await
	}

	/// How developer rewards stand.
	pub async fn rewards(&self) -> Result<RewardsView, ReadError> {
		self.call("DeveloperRewardsApi_rewards", ()).await
	}

	/// Whether a reward of the programme that stands was claimed.
	pub async fn is_reward_claimed(&self, index: u32) -> Result<bool, ReadError> {
		self.call("DeveloperRewardsApi_is_claimed", index).await
	}

	/// Whether a lock of an account is over, and not taken away yet.
	pub async fn is_releasable(&self, account: &AccountId) -> Result<bool, ReadError> {
		self.call("DeveloperRewardsApi_is_releasable", account)
			.await
	}

	/// The block in which a package was posted, if it was.
	pub async fn posted(&self, package: H256) -> Result<Option<BlockNumber>, ReadError> {
		self.call("ReceiptsApi_posted", package).await
	}

	/// What the call of a receipt ran under, as long as its deal tells. No receipt of a later block than
	/// this one can be judged by it.
	pub async fn call_terms(
		&self,
		receipt: &Receipt,
	) -> Result<Result<CallTerms, NoTerms>, ReadError> {
		let deal = self.deal(receipt.deal).await?;
		Ok(deal
			.ok_or(NoTerms::Unknown)
			.and_then(|view| view.terms_of(receipt)))
	}

	/// Seed of an epoch, as long as the chain remembers it: 64 epochs.
	pub async fn seed(&self, epoch: EpochIndex) -> Result<Option<H256>, ReadError> {
		let Some(bytes) = self.storage(&storage::seed(epoch)).await? else {
			return Ok(None);
		};
		let (of, seed) = <(EpochIndex, H256)>::decode_all(&mut &bytes[..])
			.map_err(undecodable("an epoch's seed"))?;
		Ok((of == epoch).then_some(seed))
	}

	/// What an account owns.
	pub async fn balance(&self, account: &AccountId) -> Result<AccountBalance, ReadError> {
		match self.storage(&storage::account(account)).await? {
			Some(bytes) => balance::decode_account(&bytes).map_err(undecodable("an account")),
			None => Ok(AccountBalance::default()),
		}
	}

	/// What of an account's balance is held, and for what.
	pub async fn holds(&self, account: &AccountId) -> Result<Vec<Hold>, ReadError> {
		let Some(bytes) = self.storage(&storage::holds(account)).await? else {
			return Ok(Vec::new());
		};
		let link = self.chain.link().await?;
		let reading = timeout(REQUEST_TIMEOUT, link.client.at_block(self.block.hash));
		let at = match reading.await {
			Ok(outcome) => outcome.map_err(|error| ReadError::Refused {
				what: "metadata".into(),
				reason: error.to_string(),
			})?,
			Err(_) => {
				link.give_up();
				return Err(ReadError::Lost("no answer in time".into()));
			}
		};
		balance::decode_holds(&bytes, at.metadata_ref()).map_err(undecodable("an account's holds"))
	}

	/// All FLT there is.
	pub async fn total_issuance(&self) -> Result<Balance, ReadError> {
		match self.storage(&storage::total_issuance()).await? {
			Some(bytes) => {
				Balance::decode_all(&mut &bytes[..]).map_err(undecodable("the total issuance"))
			}
			None => Ok(0),
		}
	}

	/// Nonce that an account's next transaction must have, as of this block.
	pub(crate) async fn nonce(&self, account: &AccountId) -> Result<u32, ReadError> {
		self.call("AccountNonceApi_account_nonce", account).await
	}

	/// Calls a runtime API by name, SCALE in and out.
	pub async fn call<T: Decode>(&self, name: &str, args: impl Encode) -> Result<T, ReadError> {
		let (args, hash) = (args.encode(), self.block.hash);
		let args = &args[..];
		let answer = self
			.chain
			.request(name, |methods| async move {
				methods.state_call(name, Some(args), Some(hash)).await
			})
			.await?;
		T::decode_all(&mut &answer[..]).map_err(undecodable(name))
	}

	async fn storage(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
		let hash = self.block.hash;
		self.chain
			.request("storage", |methods| async move {
				methods.state_get_storage(key, Some(hash)).await
			})
			.await
	}
}

fn undecodable(what: &str) -> impl FnOnce(codec::Error) -> ReadError + '_ {
	move |error| ReadError::Undecodable {
		what: what.into(),
		reason: error.to_string(),
	}
}

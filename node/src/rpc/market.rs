//! `market_*`: quotes, reasons and deals.

use super::{chain::Chain, error::Error};
use crate::service::Client;
use jsonrpsee::{proc_macros::rpc, PendingSubscriptionSink};
use millrace_primitives::{
	market::DealSpec,
	peer::PeerId,
	views::{DealView, Quote, Subject, WhyNot, MAX_DEALS_PAGE},
	Balance, DealId,
};
use millrace_runtime::{AccountId, Hash};
use pallet_market::runtime_api::MarketApi;
use serde::Deserialize;
use sp_api::ProvideRuntimeApi;

/// An amount as it stands in every answer: a string of digits.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Amount(#[serde(with = "millrace_primitives::decimal")] Balance);

/// The market.
#[rpc(server, namespace = "market")]
pub(crate) trait MarketRpc {
	/// What a deal would be matched with and cost, if it were created now, and for how many epochs the
	/// escrow would pay it; without one, the smallest that such a deal can bring.
	#[method(name = "quote", blocking)]
	fn quote(
		&self,
		spec: DealSpec<AccountId>,
		escrow: Option<Amount>,
		at: Option<Hash>,
	) -> Result<Quote, Error>;

	/// Why offers are not taken for a specification or a deal: that of one peer, or all from the
	/// cheapest on.
	#[method(name = "whyNot", blocking)]
	fn why_not(
		&self,
		subject: Subject<AccountId>,
		peer: Option<PeerId>,
		at: Option<Hash>,
	) -> Result<WhyNot, Error>;

	/// A deal with its workers; `null` if there is none of that index any more or yet.
	#[method(name = "deal", blocking)]
	fn deal(&self, deal: DealId, at: Option<Hash>) -> Result<Option<DealView<AccountId>>, Error>;

	/// A page of deals in order of their index, of one owner or of all.
	#[method(name = "deals", blocking)]
	fn deals(
		&self,
		owner: Option<AccountId>,
		from: Option<DealId>,
		limit: Option<u32>,
		at: Option<Hash>,
	) -> Result<Vec<DealView<AccountId>>, Error>;

	/// A deal at each finalised block where it has changed.
	#[subscription(
		name = "subscribeDeal" => "dealChanged",
		unsubscribe = "unsubscribeDeal",
		item = Option<DealView<AccountId>>
	)]
	fn subscribe_deal(&self, deal: DealId);
}

/// Answers `market_*`.
pub(crate) struct Market {
	chain: Chain,
}

impl Market {
	pub(crate) fn new(chain: Chain) -> Self {
		Self { chain }
	}
}

impl MarketRpcServer for Market {
	fn quote(
		&self,
		spec: DealSpec<AccountId>,
		escrow: Option<Amount>,
		at: Option<Hash>,
	) -> Result<Quote, Error> {
		self.chain.read(at, |client, at| {
			// Only the chain knows the least escrow, which is what counts unless another is named.
			let escrow = match escrow {
				Some(Amount(escrow)) => escrow,
				None => {
					let quote = client.runtime_api().quote(at, spec.clone(), 0)?;
					quote.min_escrow
				}
			};
			Ok(client.runtime_api().quote(at, spec, escrow)?)
		})
	}

	fn why_not(
		&self,
		subject: Subject<AccountId>,
		peer: Option<PeerId>,
		at: Option<Hash>,
	) -> Result<WhyNot, Error> {
		self.chain.read(at, |client, at| {
			Ok(client.runtime_api().why_not(at, subject, peer)?)
		})
	}

	fn deal(&self, deal: DealId, at: Option<Hash>) -> Result<Option<DealView<AccountId>>, Error> {
		self.chain.read(at, |client, at| view(client, at, deal))
	}

	fn deals(
		&self,
		owner: Option<AccountId>,
		from: Option<DealId>,
		limit: Option<u32>,
		at: Option<Hash>,
	) -> Result<Vec<DealView<AccountId>>, Error> {
		let from = from.unwrap_or(0);
		let limit = limit.unwrap_or(MAX_DEALS_PAGE);
		if !(1..=MAX_DEALS_PAGE).contains(&limit) {
			return Err(Error::PageOutOfRange(limit));
		}
		self.chain.read(at, |client, at| {
			Ok(client.runtime_api().deals(at, owner, from, limit)?)
		})
	}

	fn subscribe_deal(&self, pending: PendingSubscriptionSink, deal: DealId) {
		self.chain
			.follow(pending, move |client, at| view(client, at, deal));
	}
}

fn view(client: &Client, at: Hash, deal: DealId) -> Result<Option<DealView<AccountId>>, Error> {
	Ok(client.runtime_api().deal(at, deal)?)
}

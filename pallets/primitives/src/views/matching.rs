//! What the matcher says of a specification or a deal: why offers are not taken for it.

use crate::{market::DealSpec, DealId};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Why an offer is not taken for a specification: the first of these reasons that holds.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Hash,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Reason {
	/// The peer has no offer.
	NoOffer,
	/// The offer is of another resource class.
	OtherClass,
	/// The offer's region is not one of those asked for.
	OtherRegion,
	/// The ask is above the price ceiling.
	AboveCeiling,
	/// The peer lacks a capability that is asked for.
	Capabilities,
	/// The worker bond is higher than the provider accepts, or than it can bring now.
	Bond,
	/// The provider is not on the allow list, or is on the deny list.
	ProviderFilter,
	/// The peer works for the deal already.
	AlreadyWorks,
	/// The provider has as many workers in the deal as one provider may.
	ProviderLimit,
	/// The peer works for as many deals as one report can hold.
	TooManyDeals,
	/// The peer has left the deal not long ago: it did not go live or was lost, gave notice, or was
	/// ended by the deal's owner.
	Excluded,
	/// No unit of the peer was proven in the last closed epoch, or its epochs are not settled yet.
	Unproven,
	/// Fewer proven units of the peer are free than one worker needs.
	TooFewUnits,
}

/// Why a deal does not look for a worker, whatever is offered.
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
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Content {
	/// The deal does not exist.
	UnknownDeal,
	/// The deal is ending, or in grace.
	NotActive,
	/// It has as many workers as it wants.
	Filled,
	/// With those that leave it has as many workers as a deal can have, or as many as may be paid for
	/// the next epoch: twice those that are wanted, at the ceiling.
	Full,
	/// No epoch of its term is left.
	TermOver,
	/// The escrow does not cover one more worker at the ceiling besides all that is owed.
	EscrowTooLow,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(
	feature = "serde",
	derive(serde::Serialize, serde::Deserialize),
	serde(rename_all = "snake_case")
)]
pub enum Subject<AccountId> {
	/// A specification that no deal has yet.
	Spec(DealSpec<AccountId>),
	/// A deal that stands, with the workers that it has and the peers that it excludes.
	Deal(DealId),
}

/// Why offers are not taken, counted by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WhyNot {
	/// Offers that were looked at: the one that was asked about, or the book from the cheapest on.
	pub looked_at: u32,
	/// Whether the search stopped at [`MAX_QUOTED_OFFERS`](super::MAX_QUOTED_OFFERS).
	pub truncated: bool,
	/// Offers with nothing against them, each looked at alone.
	pub eligible: u32,
	/// Reasons, each with the offers that it is the first against; none stands twice.
	pub reasons: Vec<(Reason, u32)>,
	/// What keeps the deal itself from looking for a worker; `None` where it looks, and for a
	/// specification.
	pub content: Option<Content>,
}

impl WhyNot {
	/// Counts what was found of one offer.
	pub fn note(&mut self, verdict: Result<(), Reason>) {
		self.looked_at = self.looked_at.saturating_add(1);
		let Err(reason) = verdict else {
			self.eligible = self.eligible.saturating_add(1);
			return;
		};
		match self.reasons.iter_mut().find(|(known, _)| *known == reason) {
			Some((_, count)) => *count = count.saturating_add(1),
			None => self.reasons.push((reason, 1)),
		}
	}

	/// Puts the commonest reason first; equals stand in the order of their names here.
	pub fn sort(&mut self) {
		self.reasons
			.sort_by_key(|(reason, count)| (core::cmp::Reverse(*count), *reason));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn offers_are_counted_by_their_first_reason_and_the_commonest_comes_first() {
		let mut why = WhyNot::default();
		for verdict in [
			Err(Reason::Unproven),
			Err(Reason::Bond),
			Ok(()),
			Err(Reason::AboveCeiling),
			Err(Reason::Unproven),
		] {
			why.note(verdict);
		}
		why.sort();
		assert_eq!((why.looked_at, why.eligible), (5, 1));
		assert_eq!(
			why.reasons,
			[
				(Reason::Unproven, 2),
				(Reason::AboveCeiling, 1),
				(Reason::Bond, 1)
			]
		);
	}

	#[cfg(feature = "serde")]
	#[test]
	fn what_is_asked_and_answered_reads_as_words() {
		let subject: Subject<u64> =
			serde_json::from_str(r#"{"deal": 7}"#).expect("a deal's index is enough");
		assert_eq!(subject, Subject::Deal(7));
		let why = WhyNot {
			looked_at: 3,
			reasons: vec![(Reason::TooFewUnits, 3)],
			content: Some(Content::EscrowTooLow),
			..Default::default()
		};
		let value = serde_json::json!(why);
		assert_eq!(value["reasons"], serde_json::json!([["too_few_units", 3]]));
		assert_eq!(value["content"], "escrow_too_low");
	}
}

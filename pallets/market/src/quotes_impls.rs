//! What the matcher would do, for those who ask before they order or wonder why they wait.

use crate::{
	matching_impls::{Order, Walk},
	pallet::*,
	types::*,
};
use alloc::{collections::BTreeSet, vec::Vec};
use millrace_primitives::{
	execution::CallTerms,
	market::{DealSpec, Region, MAX_WORKERS},
	peer::PeerId,
	views::{OfferView, Quote, Subject, WhyNot, MAX_QUOTED_OFFERS},
	Balance, DealId,
};

impl<T: Config> Pallet<T> {
	/// What the matcher would take for a specification now, and for how many epochs an escrow would
	/// pay it.
	pub fn quote(spec: DealSpec<T::AccountId>, escrow: Balance) -> Quote {
		let epoch_ceiling = spec.epoch_price_ceiling().unwrap_or(Balance::MAX);
		// The index that the deal would have makes no difference to what the chain can replay.
		let terms = CallTerms::new(0, &spec.package, spec.limits, spec.hosts.clone());
		let mut quote = Quote {
			workers: Vec::new(),
			epoch_price: 0,
			min_escrow: epoch_ceiling.saturating_mul(Params::<T>::get().min_escrow_epochs.into()),
			closing_deposit: epoch_ceiling,
			paid_epochs: None,
			looked_at: 0,
			truncated: false,
			verifiable: terms.is_verifiable(),
		};
		let mut order = Order::inquiry(&spec);
		let walk = Walk::new::<T>(spec.class, &Self::regions_of(&spec), None);
		let mut wanted = spec.target_workers.min(MAX_WORKERS);
		for ((ask, id), peer) in walk {
			if wanted == 0 || ask > spec.price_ceiling {
				break;
			}
			if quote.looked_at >= MAX_QUOTED_OFFERS {
				quote.truncated = true;
				break;
			}
			quote.looked_at = quote.looked_at.saturating_add(1);
			Self::settle_first(peer);
			let Ok((offer, free_units)) = Self::consider(&order, peer) else {
				continue;
			};
			wanted = wanted.saturating_sub(1);
			let seats = order.found.entry(offer.provider).or_insert(0);
			*seats = seats.saturating_add(1);
			let price = ask.saturating_mul(Balance::from(spec.units_per_worker));
			quote.epoch_price = quote.epoch_price.saturating_add(price);
			quote.workers.push(OfferView {
				offer: id,
				peer,
				terms: offer.terms,
				free_units,
			});
		}
		quote.paid_epochs = escrow.checked_div(quote.epoch_price).map(|epochs| {
			let epochs = u32::try_from(epochs).unwrap_or(u32::MAX);
			epochs.min(spec.term_epochs.unwrap_or(u32::MAX))
		});
		quote
	}

	/// Why offers are not taken for a specification or a deal: that of one peer, or all. What the
	/// matcher would walk comes first, then what it never comes to: offers above the ceiling, those of
	/// other regions, and those that are not in the book.
	pub fn why_not(subject: Subject<T::AccountId>, peer: Option<PeerId>) -> WhyNot {
		let (deal, spec) = match subject {
			Subject::Spec(spec) => (None, Some(spec)),
			Subject::Deal(id) => (Some(id), Specs::<T>::get(id)),
		};
		let Some(spec) = spec else {
			return WhyNot {
				content: Some(Content::UnknownDeal),
				..Default::default()
			};
		};
		let mut why = match peer {
			Some(peer) => {
				Self::settle_first(peer);
				let mut why = WhyNot::default();
				why.note(Self::verdict(deal, &spec, peer));
				why
			}
			None => Self::why_not_all(deal, &spec),
		};
		// Last, since settlements may have paid from the deal or ended workers of it.
		why.content = deal.and_then(|id| Self::sought(id, &spec).err());
		why
	}

	fn why_not_all(deal: Option<DealId>, spec: &DealSpec<T::AccountId>) -> WhyNot {
		let mut why = WhyNot::default();
		let mut seen = BTreeSet::new();
		let wanted = Self::regions_of(spec);
		let others: Vec<Region> = KnownRegions::<T>::get(spec.class)
			.into_iter()
			.map(|(region, _)| region)
			.filter(|region| !wanted.contains(region))
			.collect();
		for regions in [wanted, others] {
			for (_, peer) in Walk::new::<T>(spec.class, &regions, None) {
				if why.looked_at >= MAX_QUOTED_OFFERS {
					why.truncated = true;
					why.sort();
					return why;
				}
				Self::settle_first(peer);
				why.note(Self::verdict(deal, spec, peer));
				seen.insert(peer);
			}
		}
		// Nobody settles these before they are in the book, so neither does this.
		for peer in Offers::<T>::iter_keys().filter(|peer| !seen.contains(peer)) {
			if why.looked_at >= MAX_QUOTED_OFFERS {
				why.truncated = true;
				break;
			}
			why.note(Self::verdict(deal, spec, peer));
		}
		why.sort();
		why
	}

	/// What the matcher finds of one offer. A settlement may have changed what is excluded, so it is
	/// read anew for each.
	fn verdict(
		deal: Option<DealId>,
		spec: &DealSpec<T::AccountId>,
		peer: PeerId,
	) -> Result<(), Reason> {
		let order = match deal {
			Some(id) => Self::order_of(id, spec),
			None => Order::inquiry(spec),
		};
		Self::consider(&order, peer).map(|_| ())
	}
}

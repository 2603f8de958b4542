//! Benchmarks of the calls and of the matcher's steps.

use crate::{matching_impls::Walk, pallet::*, types::*};
use alloc::{format, vec, vec::Vec};
use frame_benchmarking::{account, v2::*, BenchmarkError};
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::fungible::{Inspect, Mutate},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	market::{
		drain_hash, go_live_hash, Abi, CallLimits, DealSpec, Host, Hosts, OfferTerms, Package,
		ProviderFilter, Region, WorkerStatus, HTTP_OUT, MAX_HOSTS, MAX_WORKERS,
	},
	peer::{PeerId, PeerSignature},
	report::{Served, MAX_DEALS_PER_PEER},
	traits::{EpochClock, PeerUse, WorkLedger},
	Balance, DealId, CPU_V1, FLT, H256,
};

/// Brings into being what the market only reads.
pub trait BenchmarkHelper<AccountId> {
	/// Registers a provider's peer under its number, with so many units proven in the last closed
	/// epoch and every closed epoch settled.
	fn peer(provider: &AccountId, index: u32, units: u32) -> PeerId;
	/// Signature of such a peer's present key.
	fn sign(peer: PeerId, message: H256) -> PeerSignature;
	/// Moves the clock on by an epoch, to where the present one is closed and settled.
	fn close_epoch();
}

const ASK: Balance = FLT;
/// More than an epoch's price, so that a part of it burns where it is forfeited.
const BOND: Balance = ASK.saturating_mul(2);

fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
	let who: T::AccountId = account(name, index, 0);
	let _ = T::Currency::mint_into(&who, FLT.saturating_mul(1_000_000));
	who
}

/// Endows the pot, which genesis may not have done.
fn endow_pot<T: Config>() {
	let _ = T::Currency::mint_into(&Pallet::<T>::pot(), T::Currency::minimum_balance());
}

/// Terms of an offer that [`spec`] takes.
pub fn terms(region: Region) -> OfferTerms {
	OfferTerms {
		class: CPU_V1,
		region,
		ask: ASK,
		capabilities: 0,
		max_worker_bond: BOND,
	}
}

/// An order for so many workers of one unit.
pub fn spec<T: Config>(target: u32) -> DealSpec<T::AccountId> {
	let link = b"https://a.example/p".to_vec();
	DealSpec {
		class: CPU_V1,
		units_per_worker: 1,
		min_workers: 1,
		target_workers: target,
		max_workers_per_provider: MAX_WORKERS,
		price_ceiling: ASK,
		package: Package {
			hash: H256::repeat_byte(1),
			size: 1_024,
			links: vec![link.try_into().unwrap_or_default()]
				.try_into()
				.unwrap_or_default(),
			abi: Abi::default(),
		},
		limits: CallLimits {
			gas: 1_000,
			memory_bytes: 65_536,
			request_bytes: 1_024,
			response_bytes: 1_024,
		},
		capabilities: 0,
		regions: Default::default(),
		providers: ProviderFilter::Any,
		worker_bond: BOND,
		term_epochs: None,
		hosts: Default::default(),
	}
}

/// As many hosts as a deal can list, each as long as it can be.
fn hosts() -> Hosts {
	let host = |number| format!("{number}{:a<30}.{:b<32}", "", "").into_bytes();
	let hosts = (0..MAX_HOSTS).map(|number| Host::truncate_from(host(number)));
	Hosts::truncate_from(hosts.collect())
}

fn peer_with_offer<T: Config>(index: u32) -> Result<(T::AccountId, PeerId), BenchmarkError> {
	let provider = funded::<T>("provider", index);
	let peer = T::BenchmarkHelper::peer(&provider, index, MAX_DEALS_PER_PEER);
	Pallet::<T>::do_post_offer(provider.clone(), peer, terms(1))?;
	Ok((provider, peer))
}

fn deal<T: Config>(target: u32) -> Result<(T::AccountId, DealId), BenchmarkError> {
	endow_pot::<T>();
	let owner = funded::<T>("owner", 0);
	let id = NextDeal::<T>::get();
	let escrow = ASK.saturating_mul(target.into()).saturating_mul(8);
	Pallet::<T>::do_create_deal(owner.clone(), spec::<T>(target), escrow)?;
	Ok((owner, id))
}

/// A deal with so many workers, assigned or live.
fn staffed<T: Config>(workers: u32, live: bool) -> Result<(T::AccountId, DealId), BenchmarkError> {
	let (owner, id) = deal::<T>(workers.max(1))?;
	for index in 0..workers {
		let (_, peer) = peer_with_offer::<T>(index)?;
		let offer = Offers::<T>::get(peer).ok_or("the offer was posted")?;
		Pallet::<T>::assign(id, peer, &offer, 1)?;
		if live {
			Pallet::<T>::do_go_live(peer, id)?;
		}
	}
	Ok((owner, id))
}

/// A peer that is live in so many deals, with what it would report.
fn working<T: Config>(deals: u32) -> Result<(PeerId, Vec<Served>), BenchmarkError> {
	let (_, peer) = peer_with_offer::<T>(0)?;
	let offer = Offers::<T>::get(peer).ok_or("the offer was posted")?;
	let mut served = Vec::new();
	for _ in 0..deals {
		let (_, id) = deal::<T>(1)?;
		Pallet::<T>::assign(id, peer, &offer, 1)?;
		Pallet::<T>::do_go_live(peer, id)?;
		served.push(Served {
			deal: id,
			calls: 0,
			gas: 0,
		});
	}
	Ok((peer, served))
}

/// The peer that works, where only one does.
fn worker<T: Config>() -> Result<PeerId, BenchmarkError> {
	Ok(PeerDeals::<T>::iter_keys().next().ok_or("one works")?)
}

/// A deal whose only worker is live and did not list it in its report, the last time that its offer
/// may lapse.
fn neglected<T: Config>() -> Result<(DealId, PeerId), BenchmarkError> {
	let (_, id) = staffed::<T>(1, true)?;
	let peer = worker::<T>()?;
	set_lapses::<T>(peer, MAX_LAPSES.saturating_sub(1));
	T::BenchmarkHelper::close_epoch();
	T::BenchmarkHelper::close_epoch();
	let ended = T::Epochs::current().index.saturating_sub(1);
	Pallet::<T>::on_report(peer, ended, &[]);
	Ok((id, peer))
}

/// Leaves a deal no escrow, and remembers a grace that is over.
fn use_up<T: Config>(id: DealId) {
	Deals::<T>::mutate(DealKey::from(id), |deal| {
		if let Some(deal) = deal {
			deal.escrow = 0;
			deal.grace = Some(GraceSpan { from: 0, until: 0 });
		}
	});
}

/// Lets so many assignments from a peer's offer have come to nothing.
fn set_lapses<T: Config>(peer: PeerId, lapses: u32) {
	Offers::<T>::mutate(peer, |offer| {
		if let Some(offer) = offer {
			offer.lapses = lapses;
		}
	});
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn post_offer() -> Result<(), BenchmarkError> {
		let provider = funded::<T>("provider", 0);
		let peer = T::BenchmarkHelper::peer(&provider, 0, 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(provider), peer, terms(1));
		assert!(Offers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn withdraw_offer() -> Result<(), BenchmarkError> {
		let (provider, peer) = peer_with_offer::<T>(0)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(provider), peer);
		assert!(!Offers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn create_deal() -> Result<(), BenchmarkError> {
		endow_pot::<T>();
		let owner = funded::<T>("owner", 0);
		let mut spec = spec::<T>(1);
		spec.capabilities = HTTP_OUT;
		spec.hosts = hosts();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), spec, ASK.saturating_mul(2));
		assert_eq!(Deals::<T>::iter_keys().count(), 1);
		Ok(())
	}

	#[benchmark]
	fn top_up() -> Result<(), BenchmarkError> {
		let (_, id) = deal::<T>(1)?;
		let other = funded::<T>("other", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(other), id, FLT);
		Ok(())
	}

	#[benchmark]
	fn stop(w: Linear<0, MAX_WORKERS>) -> Result<(), BenchmarkError> {
		// Each of them is paid the closing deposit's epoch and leaves.
		let (owner, id) = staffed::<T>(w, true)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		assert_eq!(Workers::<T>::iter_prefix(id).count(), 0);
		Ok(())
	}

	#[benchmark]
	fn go_live() -> Result<(), BenchmarkError> {
		let (_, id) = staffed::<T>(1, false)?;
		let peer = worker::<T>()?;
		set_lapses::<T>(peer, 1);
		let signature = T::BenchmarkHelper::sign(peer, H256::zero());
		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, id, signature);
		assert!(!Unfilled::<T>::contains_key(DealKey::from(id)));
		Ok(())
	}

	#[benchmark]
	fn authorize_go_live() -> Result<(), BenchmarkError> {
		let (_, id) = staffed::<T>(1, false)?;
		let peer = worker::<T>()?;
		let worker = Workers::<T>::get(id, peer).ok_or("it is assigned")?;
		let WorkerStatus::Assigned { deadline } = worker.status else {
			return Err("it is not live yet".into());
		};
		let message = go_live_hash(T::Epochs::genesis(), peer, id, deadline);
		let signature = T::BenchmarkHelper::sign(peer, message);
		let answer;
		#[block]
		{
			answer =
				Pallet::<T>::authorize_go_live(TransactionSource::External, &peer, &id, &signature);
		}
		assert!(answer.is_ok());
		Ok(())
	}

	#[benchmark]
	fn release_worker() -> Result<(), BenchmarkError> {
		let (owner, id) = staffed::<T>(1, false)?;
		let peer = worker::<T>()?;
		// The last one in a row, so that the offer is closed as well.
		set_lapses::<T>(peer, MAX_LAPSES.saturating_sub(1));
		for _ in 0..=Params::<T>::get().assignment_epochs {
			T::BenchmarkHelper::close_epoch();
		}
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, peer);
		assert!(!Offers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn close(w: Linear<0, MAX_WORKERS>) -> Result<(), BenchmarkError> {
		let (owner, id) = staffed::<T>(w, true)?;
		T::BenchmarkHelper::close_epoch();
		let _ = Pallet::<T>::do_stop(owner.clone(), id)?;
		T::BenchmarkHelper::close_epoch();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		assert!(!Deals::<T>::contains_key(DealKey::from(id)));
		Ok(())
	}

	#[benchmark]
	fn match_deal() -> Result<(), BenchmarkError> {
		let (owner, id) = deal::<T>(1)?;
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		Ok(())
	}

	#[benchmark]
	fn set_params() {
		#[extrinsic_call]
		_(RawOrigin::Root, MarketParams::default());
	}

	#[benchmark]
	fn update_offer(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, served) = working::<T>(d)?;
		let offer = Offers::<T>::get(peer).ok_or("the offer was posted")?;
		// Dearer and elsewhere, so that all workers get notice and the offer moves.
		let mut dearer = terms(2);
		dearer.ask = ASK.saturating_add(1);
		#[extrinsic_call]
		_(RawOrigin::Signed(offer.provider), peer, dearer);
		let drains = |part: &Served| {
			let worker = Workers::<T>::get(part.deal, peer);
			worker.is_some_and(|worker| matches!(worker.status, WorkerStatus::Draining { .. }))
		};
		assert!(served.iter().all(drains));
		Ok(())
	}

	#[benchmark]
	fn drain() -> Result<(), BenchmarkError> {
		let (_, id) = staffed::<T>(1, true)?;
		let peer = worker::<T>()?;
		let signature = T::BenchmarkHelper::sign(peer, H256::zero());
		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, id, signature);
		assert!(Unfilled::<T>::contains_key(DealKey::from(id)));
		assert!(Exclusions::<T>::contains_key(id));
		Ok(())
	}

	#[benchmark]
	fn authorize_drain() -> Result<(), BenchmarkError> {
		let (_, id) = staffed::<T>(1, true)?;
		let peer = worker::<T>()?;
		let worker = Workers::<T>::get(id, peer).ok_or("it works")?;
		let WorkerStatus::Live { since } = worker.status else {
			return Err("it is live".into());
		};
		let message = drain_hash(T::Epochs::genesis(), peer, id, since);
		let signature = T::BenchmarkHelper::sign(peer, message);
		let answer;
		#[block]
		{
			answer =
				Pallet::<T>::authorize_drain(TransactionSource::External, &peer, &id, &signature);
		}
		assert!(answer.is_ok());
		Ok(())
	}

	#[benchmark]
	fn end_worker() -> Result<(), BenchmarkError> {
		// One that is not live leaves at once, which takes more than notice.
		let (owner, id) = staffed::<T>(1, false)?;
		let peer = worker::<T>()?;
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, peer);
		assert!(!Workers::<T>::contains_key(id, peer) && Exclusions::<T>::contains_key(id));
		Ok(())
	}

	#[benchmark]
	fn replace() -> Result<(), BenchmarkError> {
		let (id, peer) = neglected::<T>()?;
		let other = funded::<T>("other", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(other), id, peer);
		assert!(!Workers::<T>::contains_key(id, peer) && !Offers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn resize(w: Linear<1, MAX_WORKERS>) -> Result<(), BenchmarkError> {
		// All but one leave at once, and the closing deposit is brought anew.
		let (owner, id) = staffed::<T>(w, false)?;
		Deals::<T>::mutate(DealKey::from(id), |deal| {
			if let Some(deal) = deal {
				deal.closing_deposit = 0;
			}
		});
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, 1, 1);
		assert_eq!(Workers::<T>::iter_prefix(id).count(), 1);
		Ok(())
	}

	#[benchmark]
	fn name_heir() -> Result<(), BenchmarkError> {
		let (owner, id) = deal::<T>(1)?;
		let heir = funded::<T>("heir", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, Some(heir.clone()));
		let deal = Deals::<T>::get(DealKey::from(id)).ok_or("it stands")?;
		assert_eq!(deal.heir, Some(heir));
		Ok(())
	}

	#[benchmark]
	fn take_deal() -> Result<(), BenchmarkError> {
		let (owner, id) = deal::<T>(1)?;
		let heir = funded::<T>("heir", 0);
		Pallet::<T>::do_name_heir(owner, id, Some(heir.clone()))?;
		#[extrinsic_call]
		_(RawOrigin::Signed(heir.clone()), id);
		assert!(DealsOf::<T>::contains_key(&heir, DealKey::from(id)));
		Ok(())
	}

	#[benchmark]
	fn begin_grace(w: Linear<1, MAX_WORKERS>) -> Result<(), BenchmarkError> {
		// One is live, and the others leave.
		let (owner, id) = staffed::<T>(w, false)?;
		T::BenchmarkHelper::close_epoch();
		let live = Pallet::<T>::workers_of(id);
		let live = live.first().ok_or("it has a worker")?.peer;
		Pallet::<T>::do_go_live(live, id)?;
		use_up::<T>(id);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id);
		assert_eq!(Workers::<T>::iter_prefix(id).count(), 1);
		Ok(())
	}

	#[benchmark]
	fn patrol_visit() -> Result<(), BenchmarkError> {
		deal::<T>(1)?;
		T::BenchmarkHelper::close_epoch();
		// Enough to find the deal, and not to see to its workers.
		let mut meter = WeightMeter::with_limit(T::WeightInfo::patrol_visit());
		#[block]
		{
			Pallet::<T>::run_patrol(&mut meter);
		}
		let place = PatrolPlace::<T>::get();
		assert_eq!(place.epoch, T::Epochs::current().index);
		assert!(!place.done);
		Ok(())
	}

	#[benchmark]
	fn patrol_worker() -> Result<(), BenchmarkError> {
		let (id, peer) = neglected::<T>()?;
		#[block]
		{
			let found = Pallet::<T>::worker_after(id, None);
			let _ = found.map(|peer| Pallet::<T>::see_to_worker(id, peer));
		}
		assert!(!Workers::<T>::contains_key(id, peer) && !Offers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn patrol_deal(w: Linear<1, MAX_WORKERS>) -> Result<(), BenchmarkError> {
		let (_, id) = staffed::<T>(w, true)?;
		T::BenchmarkHelper::close_epoch();
		T::BenchmarkHelper::close_epoch();
		let ended = T::Epochs::current().index.saturating_sub(1);
		for worker in Pallet::<T>::workers_of(id) {
			let served = Served {
				deal: id,
				calls: 0,
				gas: 0,
			};
			Pallet::<T>::on_report(worker.peer, ended, &[served]);
		}
		use_up::<T>(id);
		let is_due;
		#[block]
		{
			let workers = Pallet::<T>::workers_of(id);
			let now = T::Epochs::current().index;
			is_due = Pallet::<T>::deal_of(id).is_some_and(|deal| {
				Pallet::<T>::is_used_up(id, &deal, &workers, now)
					&& Pallet::<T>::is_grace_settled(id, &deal, &workers)
			});
		}
		assert!(is_due);
		Ok(())
	}

	#[benchmark]
	fn visit() -> Result<(), BenchmarkError> {
		let (_, id) = deal::<T>(1)?;
		Pallet::<T>::visit(id, false, &mut WeightMeter::new());
		#[block]
		{
			Pallet::<T>::run_matcher(&mut WeightMeter::new());
		}
		assert_eq!(Cursor::<T>::get(), Some(id));
		Ok(())
	}

	#[benchmark]
	fn walk(r: Linear<1, MAX_KNOWN_REGIONS>) -> Result<(), BenchmarkError> {
		for index in 0..r {
			let provider = funded::<T>("provider", index);
			let peer = T::BenchmarkHelper::peer(&provider, index, 1);
			let region = Region::try_from(index).unwrap_or_default();
			Pallet::<T>::do_post_offer(provider, peer, terms(region))?;
		}
		let spec = spec::<T>(1);
		let found;
		#[block]
		{
			let regions = Pallet::<T>::regions_of(&spec);
			found = Walk::new::<T>(spec.class, &regions, None).next();
		}
		assert!(found.is_some());
		Ok(())
	}

	#[benchmark]
	fn look() -> Result<(), BenchmarkError> {
		let (_, peer) = peer_with_offer::<T>(0)?;
		let (_, id) = deal::<T>(1)?;
		#[block]
		{
			Pallet::<T>::visit(id, true, &mut WeightMeter::new());
		}
		assert!(Workers::<T>::contains_key(id, peer));
		Ok(())
	}

	#[benchmark]
	fn on_report(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, served) = working::<T>(d)?;
		#[block]
		{
			Pallet::<T>::on_report(peer, 1, &served);
		}
		assert_eq!(Reported::<T>::contains_key(peer), d > 0);
		Ok(())
	}

	#[benchmark]
	fn on_settled(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, served) = working::<T>(d)?;
		let epoch = T::Epochs::current().index.saturating_add(1);
		Pallet::<T>::on_report(peer, epoch, &served);
		#[block]
		{
			let _ = Pallet::<T>::on_settled(peer, epoch, false);
		}
		assert!(!Reported::<T>::contains_key(peer));
		// Every one of them was charged.
		assert!(served.iter().all(|part| {
			Deals::<T>::get(DealKey::from(part.deal)).is_some_and(|deal| deal.paid > 0)
		}));
		Ok(())
	}

	#[benchmark]
	fn on_commitment_over(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, _) = working::<T>(d)?;
		#[block]
		{
			let _ = Pallet::<T>::on_commitment_over(peer, true);
		}
		assert!(!PeerDeals::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn peer_use() -> Result<(), BenchmarkError> {
		let (peer, served) = working::<T>(1)?;
		Pallet::<T>::on_report(peer, 1, &served);
		let in_use;
		#[block]
		{
			in_use = Pallet::<T>::in_use(peer);
			Pallet::<T>::forget(peer);
		}
		assert!(in_use && !Loads::<T>::contains_key(peer));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}

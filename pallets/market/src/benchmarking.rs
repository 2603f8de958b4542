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
		go_live_hash, Abi, CallLimits, DealSpec, Host, Hosts, OfferTerms, Package, ProviderFilter,
		Region, WorkerStatus, HTTP_OUT, MAX_HOSTS, MAX_WORKERS,
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
		max_worker_bond: FLT,
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
		worker_bond: FLT,
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
		let peer = PeerDeals::<T>::iter_keys().next().ok_or("one works")?;
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
		let peer = PeerDeals::<T>::iter_keys().next().ok_or("one works")?;
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
		let peer = PeerDeals::<T>::iter_keys().next().ok_or("one works")?;
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
			let _ = Pallet::<T>::on_commitment_over(peer);
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

//! Benchmarks of the calls and of the matcher's steps.

use crate::{matching_impls::Walk, pallet::*, types::*, WeightInfo as _};
use alloc::{format, vec, vec::Vec};
use frame_benchmarking::{account, v2::*, BenchmarkError};
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::fungible::{Inspect, Mutate},
	weights::WeightMeter,
	BoundedVec,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	access::{Access, Invokers, RateLimit, MAX_INVOKERS, MAX_RATE_CALLS, MAX_RATE_SECONDS},
	billing::{redeem_hash, voucher_hash, Billing, Redeemed, Voucher},
	execution::{empty_transcript, response_hash, CallStatus, Receipt, SignedReceipt},
	market::{
		drain_hash, go_live_hash, Abi, CallLimits, DealSpec, Host, Hosts, OfferTerms, Package,
		ProviderFilter, Region, WorkerStatus, GAS_BILLED, HTTP_OUT, MAX_HOSTS, MAX_WORKERS,
	},
	packages::{PackageHistory, PastPackage, MAX_PAST_PACKAGES},
	peer::{PeerId, PeerSignature},
	probe::{ProbeBody, MAX_PROBE_BYTES},
	report::{Served, MAX_DEALS_PER_PEER},
	traits::{EpochClock, PeerRegistry, PeerUse, WorkInspector, WorkLedger},
	Balance, BlockNumber, DealId, CPU_V1, FLT, H256,
};
use sp_runtime::SaturatedConversion;

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
/// Gas that costs the whole price.
const FULL_GAS: u64 = 1_000;
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
		billing: Default::default(),
		access: Default::default(),
		rate: None,
		rematch: None,
	}
}

/// As many hosts as a deal can list, each as long as it can be.
fn hosts() -> Hosts {
	let host = |number| format!("{number}{:a<30}.{:b<32}", "", "").into_bytes();
	let hosts = (0..MAX_HOSTS).map(|number| Host::truncate_from(host(number)));
	Hosts::truncate_from(hosts.collect())
}

/// As many keys as a deal can list, and a rate.
fn access() -> (Access, Option<RateLimit>) {
	let keys = (0..MAX_INVOKERS).map(|number| {
		let mut key = H256::zero();
		key.0[28..].copy_from_slice(&number.to_be_bytes());
		key
	});
	let rate = RateLimit {
		calls: MAX_RATE_CALLS,
		per_seconds: MAX_RATE_SECONDS,
	};
	let keys = Invokers::truncate_from(keys.collect());
	(Access::Keys(keys), Some(rate))
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
	set_lapses::<T>(peer, Params::<T>::get().max_lapses.saturating_sub(1));
	T::BenchmarkHelper::close_epoch();
	T::BenchmarkHelper::close_epoch();
	let ended = T::Epochs::current().index.saturating_sub(1);
	Pallet::<T>::on_report(peer, ended, &[]);
	Ok((id, peer))
}

/// Whether all that a peer reported was charged.
fn all_paid<T: Config>(peer: PeerId, served: &[Served]) -> bool {
	let paid =
		|part: &Served| Deals::<T>::get(DealKey::from(part.deal)).is_some_and(|deal| deal.paid > 0);
	!Reported::<T>::contains_key(peer) && served.iter().all(paid)
}

/// Bills a deal by gas, as if it had been ordered so.
fn order_by_gas<T: Config>(id: DealId, voucher_key: [u8; 32]) {
	let full_gas = FULL_GAS;
	Specs::<T>::mutate(id, |spec| {
		if let Some(spec) = spec {
			spec.capabilities |= GAS_BILLED;
			spec.billing = Billing::Gas {
				full_gas,
				voucher_key,
			};
		}
	});
	Deals::<T>::mutate(DealKey::from(id), |deal| {
		if let Some(deal) = deal {
			deal.full_gas = Some(full_gas);
		}
	});
}

/// A deal with one live worker that is billed by gas.
fn billed<T: Config>(voucher_key: [u8; 32]) -> Result<(DealId, PeerId), BenchmarkError> {
	let (_, id) = staffed::<T>(1, true)?;
	order_by_gas::<T>(id, voucher_key);
	Ok((id, worker::<T>()?))
}

/// The longest body that a probe can have.
fn probe_body() -> ProbeBody {
	ProbeBody::truncate_from(vec![b'x'; MAX_PROBE_BYTES as usize])
}

/// Asks a call of a worker that is paid for the present epoch.
fn ask<T: Config>(id: DealId, peer: PeerId) -> Result<(), BenchmarkError> {
	Specs::<T>::mutate(id, |spec| {
		if let Some(spec) = spec {
			spec.limits.request_bytes = MAX_PROBE_BYTES;
		}
	});
	let _ = Pallet::<T>::do_probe(funded::<T>("prober", 0), id, peer, probe_body())?;
	Ok(())
}

/// A worker that is asked a call, the last time that its offer may lapse.
fn probed<T: Config>() -> Result<(DealId, PeerId), BenchmarkError> {
	let (_, id) = staffed::<T>(1, true)?;
	let peer = worker::<T>()?;
	set_lapses::<T>(peer, Params::<T>::get().max_lapses.saturating_sub(1));
	T::BenchmarkHelper::close_epoch();
	ask::<T>(id, peer)?;
	Ok((id, peer))
}

/// A receipt that answers a probe.
fn answer<T: Config>(id: DealId, peer: PeerId) -> Result<SignedReceipt, BenchmarkError> {
	let probe = Probes::<T>::get(id, peer).ok_or("it was asked")?;
	let (epoch, block) = (probe.epoch, probe.at);
	let package = Specs::<T>::get(id).ok_or("it was ordered")?.package.hash;
	let terms = Pallet::<T>::call_terms(id, package, epoch, block)
		.map_err(|_| "the package is the deal's")?;
	let genesis = T::Epochs::genesis();
	let receipt = Receipt {
		genesis,
		seed: T::Epochs::seed(epoch).ok_or("the epoch has a seed")?,
		deal: id,
		peer,
		epoch,
		seq: 0,
		package,
		profile: terms.profile,
		terms: terms.hash(genesis),
		request: probe.request,
		response: response_hash(&[]),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 1,
		block,
	};
	let signature = T::BenchmarkHelper::sign(peer, receipt.hash());
	Ok(SignedReceipt { receipt, signature })
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
		(spec.access, spec.rate) = access();
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
		// It takes over from a dearer one, which gets notice.
		let (_, id) = staffed::<T>(1, true)?;
		let from = worker::<T>()?;
		let (_, peer) = peer_with_offer::<T>(1)?;
		let mut offer = Offers::<T>::get(peer).ok_or("the offer was posted")?;
		offer.terms.ask = ASK.saturating_div(2);
		Pallet::<T>::begin_move(id, from, peer, &offer, 1)?;
		set_lapses::<T>(peer, 1);
		let signature = T::BenchmarkHelper::sign(peer, H256::zero());
		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, id, signature);
		assert!(!Unfilled::<T>::contains_key(DealKey::from(id)));
		let from = Workers::<T>::get(id, from).ok_or("it serves on")?;
		assert!(matches!(from.status, WorkerStatus::Draining { .. }));
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
		set_lapses::<T>(peer, Params::<T>::get().max_lapses.saturating_sub(1));
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
	fn update_offer(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, served) = working::<T>(d)?;
		let offer = Offers::<T>::get(peer).ok_or("the offer was posted")?;
		// Dearer and elsewhere, so that all workers get notice and the offer moves.
		let mut dearer = terms(2);
		dearer.ask = ASK.saturating_mul(2);
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
	fn update_package() -> Result<(), BenchmarkError> {
		let (owner, id) = deal::<T>(1)?;
		let mut package = spec::<T>(1).package;
		package.hash = H256::repeat_byte(2);
		// Those of the first epoch are forgotten, if that is long ago.
		let past = PastPackage {
			hash: package.hash,
			size: 1,
			profile: 0,
			from: 0,
			until: 0,
		};
		let past = vec![past; MAX_PAST_PACKAGES.saturating_sub(1) as usize];
		Packages::<T>::insert(
			id,
			PackageHistory {
				since: 1,
				past: BoundedVec::truncate_from(past),
				forgotten: None,
			},
		);
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, package.clone());
		let spec = Specs::<T>::get(id).ok_or("it stands")?;
		assert_eq!(spec.package, package);
		let last = Packages::<T>::get(id).past.last().copied();
		assert!(last.is_some_and(|past| past.hash == H256::repeat_byte(1)));
		Ok(())
	}

	#[benchmark]
	fn set_access() -> Result<(), BenchmarkError> {
		let (owner, id) = deal::<T>(1)?;
		let (access, rate) = access();
		#[extrinsic_call]
		_(RawOrigin::Signed(owner), id, access.clone(), rate);
		let spec = Specs::<T>::get(id).ok_or("it stands")?;
		assert_eq!(spec.access, access);
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
	fn redeem() -> Result<(), BenchmarkError> {
		let (id, peer) = billed::<T>([0; 32])?;
		let signature = T::BenchmarkHelper::sign(peer, H256::zero());
		let voucher = Voucher {
			cumulative: FULL_GAS,
			signature,
		};
		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, id, voucher, signature);
		assert!(Vouchers::<T>::contains_key(id, peer));
		Ok(())
	}

	#[benchmark]
	fn authorize_redeem() -> Result<(), BenchmarkError> {
		// The peer's own key stands for the client's, so that both signatures hold.
		let (id, peer) = billed::<T>([0; 32])?;
		// It counts from the block after the one in which it was registered.
		let block: BlockNumber = frame_system::Pallet::<T>::block_number().saturated_into();
		let key = T::Peers::key_at(peer, block.saturating_add(1)).ok_or("it has a key")?;
		order_by_gas::<T>(id, key);
		let worker = Workers::<T>::get(id, peer).ok_or("it works")?;
		let WorkerStatus::Live { since } = worker.status else {
			return Err("it is live".into());
		};
		let genesis = T::Epochs::genesis();
		let voucher = Voucher {
			cumulative: FULL_GAS,
			signature: T::BenchmarkHelper::sign(
				peer,
				voucher_hash(genesis, id, peer, since, FULL_GAS),
			),
		};
		let signature =
			T::BenchmarkHelper::sign(peer, redeem_hash(genesis, peer, id, since, FULL_GAS));
		let answer;
		#[block]
		{
			answer = Pallet::<T>::authorize_redeem(
				TransactionSource::External,
				&peer,
				&id,
				&voucher,
				&signature,
			);
		}
		assert!(answer.is_ok());
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
	fn probe(w: Linear<1, MAX_WORKERS>) -> Result<(), BenchmarkError> {
		let (_, id) = staffed::<T>(w, true)?;
		T::BenchmarkHelper::close_epoch();
		T::BenchmarkHelper::close_epoch();
		let now = T::Epochs::current().index;
		let mut peer = None;
		for worker in Pallet::<T>::workers_of(id) {
			let served = Served {
				deal: id,
				calls: 0,
				gas: 0,
			};
			Pallet::<T>::on_report(worker.peer, now.saturating_sub(1), &[served]);
			peer = Some(worker.peer);
		}
		let peer = peer.ok_or("one works")?;
		Specs::<T>::mutate(id, |spec| {
			if let Some(spec) = spec {
				spec.limits.request_bytes = MAX_PROBE_BYTES;
			}
		});
		let others = (1..MAX_PROBES_PER_EPOCH).map(|index| account("other", index, 0));
		let record = ProbeRecord {
			epoch: now,
			probers: BoundedVec::truncate_from(others.collect()),
			failed: None,
		};
		ProbeRecords::<T>::insert(id, peer, record);
		let prober = funded::<T>("prober", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(prober), id, peer, probe_body());
		assert!(Probes::<T>::contains_key(id, peer));
		Ok(())
	}

	#[benchmark]
	fn answer_probe() -> Result<(), BenchmarkError> {
		let (id, peer) = probed::<T>()?;
		let receipt = answer::<T>(id, peer)?;
		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, id, receipt);
		assert!(!Probes::<T>::contains_key(id, peer));
		Ok(())
	}

	#[benchmark]
	fn authorize_answer_probe() -> Result<(), BenchmarkError> {
		let (id, peer) = probed::<T>()?;
		let receipt = answer::<T>(id, peer)?;
		let answer;
		#[block]
		{
			let source = TransactionSource::External;
			answer = Pallet::<T>::authorize_answer_probe(source, &peer, &id, &receipt);
		}
		assert!(answer.is_ok());
		Ok(())
	}

	#[benchmark]
	fn fail_probe() -> Result<(), BenchmarkError> {
		let (id, peer) = probed::<T>()?;
		let known = BoundedVec::truncate_from(vec![(peer, u32::MAX)]);
		Failures::<T>::insert(id, known);
		T::BenchmarkHelper::close_epoch();
		let other = funded::<T>("other", 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(other), id, peer);
		let worker = Workers::<T>::get(id, peer).ok_or("its row stays for a while")?;
		assert!(matches!(worker.status, WorkerStatus::Draining { .. }));
		assert!(worker.bond == 0 && !Offers::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn probe_visit() -> Result<(), BenchmarkError> {
		let (id, peer) = probed::<T>()?;
		#[block]
		{
			Pallet::<T>::fail_overdue(Pallet::<T>::moment(), &mut WeightMeter::new());
		}
		assert!(Probes::<T>::contains_key(id, peer));
		Ok(())
	}

	#[benchmark]
	fn on_drawn(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, served) = working::<T>(d)?;
		T::BenchmarkHelper::close_epoch();
		for part in &served {
			ask::<T>(part.deal, peer)?;
		}
		// Each of them can still be answered.
		#[block]
		{
			let _ = Pallet::<T>::on_drawn(peer);
		}
		assert_eq!(Probes::<T>::iter_keys().count(), served.len());
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
		assert!(all_paid::<T>(peer, &served));
		Ok(())
	}

	#[benchmark]
	fn on_settled_by_gas(d: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let (peer, mut served) = working::<T>(d)?;
		let epoch = T::Epochs::current().index.saturating_add(1);
		for part in &mut served {
			// Each by a voucher of its own.
			order_by_gas::<T>(part.deal, [0; 32]);
			part.gas = FULL_GAS;
			let redeemed = Redeemed {
				cumulative: FULL_GAS,
				..Default::default()
			};
			Vouchers::<T>::insert(part.deal, peer, redeemed);
		}
		Pallet::<T>::on_report(peer, epoch, &served);
		#[block]
		{
			let _ = Pallet::<T>::on_settled(peer, epoch, false);
		}
		assert!(all_paid::<T>(peer, &served));
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

//! Weights of the market, derived from what each step reads and writes.
//!
//! The time beside storage is stated for the slowest machine that the network admits; measured
//! weights of `frame-benchmarking-cli` can replace the table without another change.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// Weight functions of the market.
pub trait WeightInfo {
	/// Weight of `post_offer`.
	fn post_offer() -> Weight;
	/// Weight of `withdraw_offer`.
	fn withdraw_offer() -> Weight;
	/// Weight of `create_deal`.
	fn create_deal() -> Weight;
	/// Weight of `top_up`.
	fn top_up() -> Weight;
	/// Weight of `stop` with so many workers, without settlements.
	fn stop(workers: u32) -> Weight;
	/// Weight of `go_live`, of a worker that takes over from another one.
	fn go_live() -> Weight;
	/// Weight of the authorisation of `go_live`: one signature and a few reads.
	fn authorize_go_live() -> Weight;
	/// Weight of `release_worker`, and of the matcher doing the same, when it closes the offer.
	fn release_worker() -> Weight;
	/// Weight of `close` with so many workers, without settlements.
	fn close(workers: u32) -> Weight;
	/// Weight of `match_deal` without the visit itself.
	fn match_deal() -> Weight;
	/// Weight of `update_offer` of a peer with so many deals, all of which get notice.
	fn update_offer(deals: u32) -> Weight;
	/// Weight of `drain`.
	fn drain() -> Weight;
	/// Weight of the authorisation of `drain`: one signature and a few reads.
	fn authorize_drain() -> Weight;
	/// Weight of `end_worker`, of a live worker or of one that leaves at once.
	fn end_worker() -> Weight;
	/// Weight of `replace` without the settlement, when it closes the offer.
	fn replace() -> Weight;
	/// Weight of `resize` with so many workers, all of which leave.
	fn resize(workers: u32) -> Weight;
	/// Weight of `name_heir`.
	fn name_heir() -> Weight;
	/// Weight of `take_deal`.
	fn take_deal() -> Weight;
	/// Weight of `update_package`, when packages are forgotten for it.
	fn update_package() -> Weight;
	/// Weight of `set_access`.
	fn set_access() -> Weight;
	/// Weight of `begin_grace` with so many workers, all of which leave.
	fn begin_grace(workers: u32) -> Weight;
	/// Weight of `redeem`.
	fn redeem() -> Weight;
	/// Weight of the authorisation of `redeem`: two signatures and a few reads.
	fn authorize_redeem() -> Weight;
	/// Weight of `probe` of a worker of a deal with so many.
	fn probe(workers: u32) -> Weight;
	/// Weight of `answer_probe`.
	fn answer_probe() -> Weight;
	/// Weight of the authorisation of `answer_probe`: one signature and a few reads.
	fn authorize_answer_probe() -> Weight;
	/// Weight of `fail_probe`, and of the chain doing the same, when it is the second and closes the
	/// offer.
	fn fail_probe() -> Weight;
	/// Weight of seeing whether the time of the oldest probe is over.
	fn probe_visit() -> Weight;
	/// Weight of looking through so many deals of a peer for a probe whose time is over.
	fn on_drawn(deals: u32) -> Weight;
	/// Weight of finding the next deal of the queue, and seeing whether it is asleep.
	fn visit() -> Weight;
	/// Weight of beginning a walk over so many regions.
	fn walk(regions: u32) -> Weight;
	/// Weight of looking at one offer of a settled peer and taking it.
	fn look() -> Weight;
	/// Weight of the patrol finding its next deal, and of writing down how far it came.
	fn patrol_visit() -> Weight;
	/// Weight of the patrol finding the next worker of a deal and seeing to it, without the
	/// settlement, when the worker is lost and its offer closed.
	fn patrol_worker() -> Weight;
	/// Weight of the patrol seeing whether a deal of so many workers has escrow for another epoch.
	fn patrol_deal(workers: u32) -> Weight;
	/// Weight of noting a report of so many deals.
	fn on_report(deals: u32) -> Weight;
	/// Weight of paying so many deals of a settled epoch.
	fn on_settled(deals: u32) -> Weight;
	/// The same of deals that are billed by gas.
	fn on_settled_by_gas(deals: u32) -> Weight;
	/// Weight of ending so many workers of a commitment that is over.
	fn on_commitment_over(deals: u32) -> Weight;
	/// Weight of seeing whether a peer is in use, and of forgetting it.
	fn peer_use() -> Weight;
}

/// Computation of so many microseconds with so many storage accesses.
fn cost(db: RuntimeDbWeight, micros: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(1_000_000), 0)
		.saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weight_functions {
	($db:expr) => {
		fn post_offer() -> Weight {
			cost($db, 60, 8, 8)
		}
		fn withdraw_offer() -> Weight {
			cost($db, 50, 6, 7)
		}
		fn create_deal() -> Weight {
			cost($db, 130, 10, 11)
		}
		fn top_up() -> Weight {
			cost($db, 60, 8, 7)
		}
		fn stop(workers: u32) -> Weight {
			let worker = cost($db, 112, 18, 16).saturating_mul(workers.into());
			cost($db, 50, 8, 5).saturating_add(worker)
		}
		fn go_live() -> Weight {
			cost($db, 130, 16, 12)
		}
		fn authorize_go_live() -> Weight {
			cost($db, 120, 8, 0)
		}
		fn release_worker() -> Weight {
			cost($db, 82, 22, 19)
		}
		fn close(workers: u32) -> Weight {
			let worker = cost($db, 112, 15, 14).saturating_mul(workers.into());
			cost($db, 80, 8, 12).saturating_add(worker)
		}
		fn match_deal() -> Weight {
			cost($db, 10, 2, 0)
		}
		fn update_offer(deals: u32) -> Weight {
			// Each of them: the worker, the deal, its place in the queue, the peer's load.
			let deal = cost($db, 50, 6, 5).saturating_mul(deals.into());
			cost($db, 60, 11, 6).saturating_add(deal)
		}
		fn drain() -> Weight {
			cost($db, 70, 9, 6)
		}
		fn authorize_drain() -> Weight {
			cost($db, 120, 8, 0)
		}
		fn end_worker() -> Weight {
			cost($db, 80, 19, 16)
		}
		fn replace() -> Weight {
			cost($db, 152, 30, 23)
		}
		fn resize(workers: u32) -> Weight {
			let worker = cost($db, 100, 15, 16).saturating_mul(workers.into());
			cost($db, 90, 11, 9).saturating_add(worker)
		}
		fn name_heir() -> Weight {
			cost($db, 20, 1, 1)
		}
		fn take_deal() -> Weight {
			cost($db, 90, 6, 7)
		}
		fn update_package() -> Weight {
			cost($db, 50, 5, 3)
		}
		fn set_access() -> Weight {
			cost($db, 40, 2, 1)
		}
		fn begin_grace(workers: u32) -> Weight {
			let worker = cost($db, 100, 16, 14).saturating_mul(workers.into());
			cost($db, 50, 8, 4).saturating_add(worker)
		}
		fn redeem() -> Weight {
			cost($db, 40, 3, 1)
		}
		fn authorize_redeem() -> Weight {
			cost($db, 220, 7, 0)
		}
		fn probe(workers: u32) -> Weight {
			// Each of them: its row, and what its peer reported.
			let worker = cost($db, 8, 3, 0).saturating_mul(workers.into());
			cost($db, 90, 11, 5).saturating_add(worker)
		}
		fn answer_probe() -> Weight {
			cost($db, 90, 7, 7)
		}
		fn authorize_answer_probe() -> Weight {
			cost($db, 140, 13, 0)
		}
		fn fail_probe() -> Weight {
			cost($db, 200, 27, 24)
		}
		fn probe_visit() -> Weight {
			cost($db, 10, 3, 0)
		}
		fn on_drawn(deals: u32) -> Weight {
			let deal = cost($db, 5, 1, 0).saturating_mul(deals.into());
			cost($db, 10, 3, 0).saturating_add(deal)
		}
		fn visit() -> Weight {
			cost($db, 30, 7, 2)
		}
		fn walk(regions: u32) -> Weight {
			let region = cost($db, 10, 2, 0).saturating_mul(regions.into());
			cost($db, 20, 3, 0).saturating_add(region)
		}
		fn look() -> Weight {
			cost($db, 62, 18, 9)
		}
		fn patrol_visit() -> Weight {
			cost($db, 30, 7, 1)
		}
		fn patrol_worker() -> Weight {
			cost($db, 162, 34, 23)
		}
		fn patrol_deal(workers: u32) -> Weight {
			// Each of them: its row, and what its peer reported.
			let worker = cost($db, 8, 3, 0).saturating_mul(workers.into());
			cost($db, 40, 6, 2).saturating_add(worker)
		}
		fn on_report(deals: u32) -> Weight {
			let deal = cost($db, 1, 0, 0).saturating_mul(deals.into());
			cost($db, 10, 1, 1).saturating_add(deal)
		}
		fn on_settled(deals: u32) -> Weight {
			// All deals are paid in one transfer; each is charged for itself.
			let deal = cost($db, 23, 4, 1).saturating_mul(deals.into());
			cost($db, 30, 9, 6).saturating_add(deal)
		}
		fn on_settled_by_gas(deals: u32) -> Weight {
			let deal = cost($db, 27, 5, 2).saturating_mul(deals.into());
			cost($db, 30, 9, 6).saturating_add(deal)
		}
		fn on_commitment_over(deals: u32) -> Weight {
			// Each of them: the worker, its seat, the deal, its place in the queue, its exclusions. Peer,
			// provider, pot and issuance are the same rows for all.
			let deal = cost($db, 122, 8, 7).saturating_mul(deals.into());
			cost($db, 30, 18, 15).saturating_add(deal)
		}
		fn peer_use() -> Weight {
			cost($db, 20, 2, 3)
		}
	};
}

/// Weights with the runtime's own database.
#[derive(Debug)]
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	weight_functions!(<T as frame_system::Config>::DbWeight::get());
}

// For tests.
impl WeightInfo for () {
	weight_functions!(RocksDbWeight::get());
}

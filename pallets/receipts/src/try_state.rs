//! What must hold after every block.

use crate::{
	Answered, Cases, Clients, Commits, CommitsOf, Config, Demands, HoldReason, OpenCases,
	OpenDemandCount, OpenDemands, Opened, Pallet, Params, Posted, ReplayedAt, Ring, Shows, ShowsOf,
	MAX_COMMITS, MAX_OTHER_DEMANDS, MAX_PACKAGE_DEMANDS, MAX_SHOWS,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use millrace_primitives::{
	challenge::Charge,
	peer::PeerId,
	traits::{EpochClock, PeerRegistry, StakeSlasher},
	Balance, EpochIndex,
};
use sp_runtime::TryRuntimeError;

/// What the records say of accounts and peers.
struct Books<AccountId> {
	/// What must be on hold for commitments and claims.
	challenges: BTreeMap<AccountId, Balance>,
	/// What must be on hold for demands.
	demands: BTreeMap<AccountId, Balance>,
	/// Cases, claims and demands that are open against each peer.
	open: BTreeMap<PeerId, u32>,
}

fn add<Key: Ord + Clone>(sums: &mut BTreeMap<Key, Balance>, key: &Key, amount: Balance) {
	let sum = sums.entry(key.clone()).or_default();
	*sum = sum.saturating_add(amount);
}

fn count<Key: Ord + Clone>(numbers: &mut BTreeMap<Key, u32>, key: &Key) {
	let number = numbers.entry(key.clone()).or_default();
	*number = number.saturating_add(1);
}

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. The parameters make sense together.
	/// 2. Every record of a ring stands in the slot of its epoch, and belongs to a registered peer.
	///    Reports and openings are of epochs that are over. What was opened is of the peer and the
	///    epoch under which it is kept, each receipt once and in order; nothing empty is kept.
	///    Whose business receipts are alone is kept only beside them.
	/// 3. A case stands under its kind; it is led by a commitment from before it was proven.
	/// 4. Accounts and peers count their commitments and claims, the chain its demands, and none is
	///    more than it may be.
	/// 5. What each account has on hold is the sum over its commitments and claims, and over its
	///    demands.
	/// 6. A peer counts what is open against it; there is stake that answers for each of these.
	/// 7. What is demanded was not answered before. Nothing was posted or run again in a block that is
	///    still to come.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			Params::<T>::get().is_valid(),
			"parameters contradict each other"
		);
		let mut books = Books {
			challenges: BTreeMap::new(),
			demands: BTreeMap::new(),
			open: BTreeMap::new(),
		};
		Self::check_rings()?;
		Self::check_clients()?;
		Self::check_commits(&mut books)?;
		Self::check_cases(&mut books)?;
		Self::check_shows(&mut books)?;
		Self::check_demands(&mut books)?;

		for who in frame_system::Account::<T>::iter_keys() {
			for (reason, sums) in [
				(HoldReason::Challenge, &mut books.challenges),
				(HoldReason::Demand, &mut books.demands),
			] {
				let held = T::Currency::balance_on_hold(&reason.into(), &who);
				ensure!(
					held == sums.remove(&who).unwrap_or_default(),
					"what is on hold is not the sum of the records"
				);
			}
		}
		ensure!(
			books.challenges.is_empty() && books.demands.is_empty(),
			"a record of an account that is gone"
		);
		ensure!(
			OpenCases::<T>::iter().collect::<BTreeMap<_, _>>() == books.open,
			"a peer does not count what is open against it"
		);
		let height = Self::height();
		ensure!(
			Posted::<T>::iter_values().all(|block| block <= height)
				&& ReplayedAt::<T>::get().is_none_or(|block| block <= height),
			"something was done in a block that is still to come"
		);
		Ok(())
	}

	fn check_rings() -> Result<(), TryRuntimeError> {
		let now = T::Clock::current().index;
		let is_registered = |peer| T::Peers::provider_of(peer).is_some();
		for (peer, slot, record) in Ring::<T>::iter() {
			ensure!(is_registered(peer), "a report of an unknown peer");
			ensure!(
				slot == Self::slot_of(record.epoch),
				"a report in another epoch's slot"
			);
			ensure!(record.epoch < now, "a report of an epoch that is not over");
		}
		for (peer, slot, answers) in Answered::<T>::iter() {
			ensure!(is_registered(peer), "answers of an unknown peer");
			ensure!(
				slot == Self::slot_of(answers.epoch),
				"answers in another epoch's slot"
			);
			ensure!(!answers.data.is_empty(), "answers about nothing");
		}
		for (peer, slot, opening) in Opened::<T>::iter() {
			ensure!(is_registered(peer), "an opening of an unknown peer");
			ensure!(
				slot == Self::slot_of(opening.epoch),
				"an opening in another epoch's slot"
			);
			ensure!(
				opening.epoch < now,
				"an opening of an epoch that is not over"
			);
			ensure!(!opening.receipts.is_empty(), "an opening of nothing");
			let numbers = opening.receipts.iter().map(|signed| signed.receipt.seq);
			ensure!(
				numbers
					.clone()
					.zip(numbers.skip(1))
					.all(|(one, next)| one < next),
				"receipts of an opening are not in order"
			);
			for signed in &opening.receipts {
				ensure!(
					signed.receipt.peer == peer && signed.receipt.epoch == opening.epoch,
					"a receipt under another peer or epoch"
				);
			}
		}
		Ok(())
	}

	fn check_clients() -> Result<(), TryRuntimeError> {
		for (peer, slot, noted) in Clients::<T>::iter() {
			ensure!(
				slot == Self::slot_of(noted.epoch),
				"clients in another epoch's slot"
			);
			ensure!(!noted.clients.is_empty(), "clients of no receipt");
			ensure!(
				!Self::opened(peer, noted.epoch).is_empty(),
				"clients of what is not opened"
			);
		}
		Ok(())
	}

	fn check_commits(books: &mut Books<T::AccountId>) -> Result<(), TryRuntimeError> {
		let mut numbers = BTreeMap::new();
		for (who, _, commit) in Commits::<T>::iter() {
			add(&mut books.challenges, &who, commit.bond);
			count(&mut numbers, &who);
			ensure!(
				commit.block < commit.opens && commit.opens <= commit.closes,
				"a commitment that cannot be revealed"
			);
			ensure!(
				commit.forfeit <= commit.bond,
				"a commitment that costs more than its bond"
			);
		}
		ensure!(
			numbers.values().all(|number| *number <= MAX_COMMITS),
			"an account has too many commitments"
		);
		ensure!(
			CommitsOf::<T>::iter().collect::<BTreeMap<_, _>>() == numbers,
			"an account does not count its commitments"
		);
		Ok(())
	}

	fn check_cases(books: &mut Books<T::AccountId>) -> Result<(), TryRuntimeError> {
		for (peer, (slot, kind), case) in Cases::<T>::iter() {
			ensure!(
				T::Peers::provider_of(peer).is_some(),
				"a case against an unknown peer"
			);
			ensure!(
				(slot, kind) == (Self::slot_of(case.epoch), case.charge.kind()),
				"a case of another epoch or kind"
			);
			ensure!(
				case.committed < case.contest_until && case.committed < case.proven,
				"a case that was proven before it was committed to"
			);
			if !case.concluded {
				Self::check_open(peer, case.epoch, books)?;
			}
		}
		Ok(())
	}

	fn check_shows(books: &mut Books<T::AccountId>) -> Result<(), TryRuntimeError> {
		let mut numbers = BTreeMap::new();
		for (peer, subject, show) in Shows::<T>::iter() {
			add(&mut books.challenges, &show.who, show.bond);
			count(&mut numbers, &peer);
			Self::check_open(peer, show.epoch, books)?;
			ensure!(
				show.id(peer, subject).charge == Charge::Omitted,
				"a claim of another charge"
			);
			ensure!(
				Self::report(peer, show.epoch).is_some(),
				"a claim about a report that nobody remembers"
			);
		}
		ensure!(
			numbers.values().all(|number| *number <= MAX_SHOWS),
			"a peer has too many claims to refute"
		);
		ensure!(
			ShowsOf::<T>::iter().collect::<BTreeMap<_, _>>() == numbers,
			"a peer does not count the claims against it"
		);
		Ok(())
	}

	fn check_demands(books: &mut Books<T::AccountId>) -> Result<(), TryRuntimeError> {
		let mut numbers = OpenDemandCount::default();
		for (peer, (epoch, seq, wanted), demand) in Demands::<T>::iter() {
			add(&mut books.demands, &demand.who, demand.held(wanted));
			let number = numbers.of(wanted);
			*number = number.saturating_add(1);
			Self::check_open(peer, epoch, books)?;
			let answered = Self::answers(peer, epoch)
				.is_some_and(|answers| answers.data.contains(&(seq, wanted)));
			ensure!(!answered, "a demand for what was answered");
		}
		ensure!(
			numbers.packages <= MAX_PACKAGE_DEMANDS && numbers.others <= MAX_OTHER_DEMANDS,
			"too many demands are open"
		);
		ensure!(
			numbers == OpenDemands::<T>::get(),
			"demands are not counted"
		);
		Ok(())
	}

	/// Notes something that is open against a peer, and checks that stake answers for it.
	fn check_open(
		peer: PeerId,
		epoch: EpochIndex,
		books: &mut Books<T::AccountId>,
	) -> Result<(), TryRuntimeError> {
		count(&mut books.open, &peer);
		ensure!(
			T::Slasher::answers_until(peer, epoch).is_some(),
			"something is open for which no stake answers"
		);
		Ok(())
	}
}

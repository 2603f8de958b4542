//! Demands for data that a peer withholds, and the duty to post them.

use crate::{
	commit_impls::one_less, refusal, Answered, Answers, Clients, Config, Demand, Demands, Error,
	Event, HoldReason, OpenCases, OpenDemandCount, OpenDemands, Opened, Pallet, Params, Posted,
	WeightInfo, MAX_OTHER_DEMANDS, MAX_PACKAGE_DEMANDS,
};
use codec::{DecodeAll, Encode};
use frame_support::{
	defensive,
	dispatch::WithPostDispatchInfo,
	ensure,
	pallet_prelude::{
		DispatchResult, DispatchResultWithPostInfo, TransactionSource,
		TransactionValidityWithRefund, Weight,
	},
	traits::{fungible::MutateHold, ConstU32, Get},
	BoundedVec,
};
use millrace_primitives::{
	challenge::{posted_hash, Wanted},
	effects::{Transcript, MAX_TRANSCRIPT_BYTES},
	execution::{
		empty_transcript, package_hash, Receipt, Request, MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD,
		UNVERIFIED,
	},
	peer::{PeerId, PeerSignature},
	traits::{EpochClock, Offence, StakeSlasher},
	Balance, EpochIndex, H256,
};
use sp_runtime::DispatchError;

/// What data hash to, if they are what is wanted.
fn hash_of(wanted: Wanted, data: &[u8]) -> Option<H256> {
	match wanted {
		Wanted::Package => Some(package_hash(data)),
		Wanted::Request => Request::decode_all(&mut &data[..])
			.ok()
			.map(|request| request.hash()),
		Wanted::Transcript => Transcript::decode_all(&mut &data[..])
			.ok()
			.map(|transcript| transcript.hash()),
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_demand(
		who: T::AccountId,
		peer: PeerId,
		epoch: EpochIndex,
		seq: u32,
		wanted: Wanted,
	) -> DispatchResult {
		let receipt = Self::opened(peer, epoch)
			.into_iter()
			.map(|signed| signed.receipt)
			.find(|receipt| receipt.seq == seq)
			.ok_or(Error::<T>::NotOpened)?;
		let client = Self::client_of(peer, epoch, seq);
		ensure!(
			client.is_none_or(|client| client == who),
			Error::<T>::NotClient
		);
		let until = T::Slasher::answers_until(peer, epoch).ok_or(Error::<T>::PeriodOver)?;
		ensure!(T::Clock::current().index <= until, Error::<T>::PeriodOver);
		ensure!(
			!Demands::<T>::contains_key(peer, (epoch, seq, wanted)),
			Error::<T>::AlreadyDemanded
		);
		let is_answered =
			Self::answers(peer, epoch).is_some_and(|answers| answers.data.contains(&(seq, wanted)));
		ensure!(!is_answered, Error::<T>::AlreadyAnswered);
		let (hash, most_bytes) = Self::wanted_of(&receipt, wanted)?;
		OpenDemands::<T>::try_mutate(|open: &mut OpenDemandCount| -> DispatchResult {
			let most = match wanted {
				Wanted::Package => MAX_PACKAGE_DEMANDS,
				Wanted::Request | Wanted::Transcript => MAX_OTHER_DEMANDS,
			};
			let number = open.of(wanted);
			ensure!(*number < most, Error::<T>::TooManyDemands);
			*number = number.saturating_add(1);
			Ok(())
		})?;

		let params = Params::<T>::get();
		let demand = Demand {
			who: who.clone(),
			bond: params.bond,
			byte_fee: T::ByteFee::get(),
			most_bytes,
			hash,
			deadline: Self::now().saturating_add(params.post_blocks),
			part: params.withholding,
			reward: params.reward,
		};
		T::Currency::hold(&HoldReason::Demand.into(), &who, demand.held(wanted))?;
		let deadline = Self::height_at(demand.deadline);
		Demands::<T>::insert(peer, (epoch, seq, wanted), demand);
		OpenCases::<T>::mutate(peer, |open| *open = open.saturating_add(1));
		Self::deposit_event(Event::DataDemanded {
			peer,
			epoch,
			seq,
			wanted,
			who,
			deadline,
		});
		Ok(())
	}

	/// What a receipt names data by, and how many bytes they can have.
	fn wanted_of(receipt: &Receipt, wanted: Wanted) -> Result<(H256, u32), Error<T>> {
		ensure!(receipt.profile & UNVERIFIED == 0, Error::<T>::Unverified);
		match wanted {
			Wanted::Package => {
				ensure!(
					!Posted::<T>::contains_key(receipt.package),
					Error::<T>::AlreadyPosted
				);
				Ok((receipt.package, MAX_PACKAGE_BYTES))
			}
			Wanted::Request => Ok((receipt.request, MAX_REQUEST_RECORD)),
			Wanted::Transcript => {
				ensure!(
					receipt.transcript != empty_transcript(),
					Error::<T>::NoTranscript
				);
				Ok((receipt.transcript, MAX_TRANSCRIPT_BYTES))
			}
		}
	}

	/// Whether posted data may enter a block. They are hashed here, last of all and only if the peer
	/// signed for them: a wrong megabyte in a block would cost the peer nothing and others the room.
	pub(crate) fn authorize_post(
		_source: TransactionSource,
		peer: &PeerId,
		epoch: &EpochIndex,
		seq: &u32,
		wanted: &Wanted,
		data: &BoundedVec<u8, ConstU32<MAX_PACKAGE_BYTES>>,
		signature: &PeerSignature,
	) -> TransactionValidityWithRefund {
		let key = Self::current_key(*peer)?;
		let demand = Demands::<T>::get(peer, (*epoch, *seq, *wanted))
			.ok_or_else(|| refusal::refuse(refusal::NOT_ASKED))?;
		let left = Self::blocks_left(demand.deadline)?;
		let fits = u32::try_from(data.len()).is_ok_and(|bytes| bytes <= demand.most_bytes);
		ensure!(fits, refusal::refuse(refusal::TOO_LARGE));
		let genesis = T::Clock::genesis();
		let signed = posted_hash(genesis, *peer, *epoch, *seq, *wanted, demand.hash);
		Self::ensure_signed_by(key, signed, signature)?;
		ensure!(
			hash_of(*wanted, data) == Some(demand.hash),
			refusal::refuse(refusal::OTHER_DATA)
		);
		let tag = ("millrace-post", peer, epoch, seq, wanted).encode();
		Ok((Self::duty(tag, left), Weight::zero()))
	}

	/// Data were posted: their price burns, and the rest is free again.
	pub(crate) fn do_post(
		peer: PeerId,
		epoch: EpochIndex,
		seq: u32,
		wanted: Wanted,
		bytes: usize,
	) -> DispatchResult {
		let demand = Self::remove_demand(peer, epoch, seq, wanted)?;
		let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
		let price = demand.price_of(wanted, bytes);
		let burnt = Self::burn(HoldReason::Demand, &demand.who, price);
		let rest = demand.held(wanted).saturating_sub(burnt);
		Self::release(HoldReason::Demand, &demand.who, rest);
		Self::note_answer(peer, epoch, seq, wanted);
		if wanted == Wanted::Package {
			Posted::<T>::insert(demand.hash, Self::height());
		}
		Self::deposit_event(Event::DataPosted {
			peer,
			epoch,
			seq,
			wanted,
		});
		Ok(())
	}

	pub(crate) fn do_expire_demand(
		peer: PeerId,
		epoch: EpochIndex,
		seq: u32,
		wanted: Wanted,
	) -> DispatchResultWithPostInfo {
		let mut weight = T::WeightInfo::expire_demand();
		match Self::expire(peer, epoch, seq, wanted, &mut weight) {
			Ok(()) => Ok(Some(weight).into()),
			Err(error) => Err(error.with_weight(weight)),
		}
	}

	fn expire(
		peer: PeerId,
		epoch: EpochIndex,
		seq: u32,
		wanted: Wanted,
		weight: &mut Weight,
	) -> Result<(), DispatchError> {
		let demand = Self::remove_demand(peer, epoch, seq, wanted)?;
		let elsewhere = wanted == Wanted::Package && Posted::<T>::contains_key(demand.hash);
		ensure!(
			elsewhere || Self::now() > demand.deadline,
			Error::<T>::StillOpen
		);
		Self::release(HoldReason::Demand, &demand.who, demand.held(wanted));
		if elsewhere {
			Self::deposit_event(Event::DemandMoot {
				peer,
				epoch,
				seq,
				wanted,
			});
			return Ok(());
		}

		Self::void(peer, epoch, seq);
		let mut amount: Balance = 0;
		if !Self::note_answer(peer, epoch, seq, wanted) {
			Self::note_withheld(peer, epoch);
			weight.saturating_accrue(T::Slasher::slash_weight());
			let offence = Offence {
				epoch,
				part: demand.part,
				fails: false,
				reporter: Some((demand.who, demand.reward)),
			};
			amount = T::Slasher::slash(peer, offence);
		}
		Self::deposit_event(Event::DataWithheld {
			peer,
			epoch,
			seq,
			wanted,
			amount,
		});
		Ok(())
	}

	fn remove_demand(
		peer: PeerId,
		epoch: EpochIndex,
		seq: u32,
		wanted: Wanted,
	) -> Result<Demand<T::AccountId>, Error<T>> {
		let demand = Demands::<T>::take(peer, (epoch, seq, wanted)).ok_or(Error::<T>::NoDemand)?;
		OpenDemands::<T>::mutate(|open: &mut OpenDemandCount| {
			let number = open.of(wanted);
			*number = number.saturating_sub(1);
		});
		OpenCases::<T>::mutate_exists(peer, one_less);
		Ok(demand)
	}

	/// What became of demands for an audit's data, as long as it is remembered.
	pub(crate) fn answers(peer: PeerId, epoch: EpochIndex) -> Option<Answers> {
		Answered::<T>::get(peer, Self::slot_of(epoch)).filter(|answers| answers.epoch == epoch)
	}

	/// Notes that a datum can be demanded no more. Whether the peer has paid for the epoch already.
	fn note_answer(peer: PeerId, epoch: EpochIndex, seq: u32, wanted: Wanted) -> bool {
		let mut answers = Self::answers(peer, epoch).unwrap_or_else(|| Answers {
			epoch,
			withheld: false,
			data: BoundedVec::new(),
		});
		let withheld = answers.withheld;
		if answers.data.try_push((seq, wanted)).is_err() {
			defensive!("an audit has no more data than that");
		}
		Answered::<T>::insert(peer, Self::slot_of(epoch), answers);
		withheld
	}

	/// Notes that the peer pays for the epoch.
	fn note_withheld(peer: PeerId, epoch: EpochIndex) {
		Answered::<T>::mutate(peer, Self::slot_of(epoch), |answers| {
			if let Some(answers) = answers {
				answers.withheld = true;
			}
		});
	}

	/// Removes a receipt from those that the peer opened.
	fn void(peer: PeerId, epoch: EpochIndex, seq: u32) {
		Opened::<T>::mutate_exists(peer, Self::slot_of(epoch), |row| {
			let Some(opening) = row.as_mut().filter(|opening| opening.epoch == epoch) else {
				return;
			};
			opening.receipts.retain(|signed| signed.receipt.seq != seq);
			if opening.receipts.is_empty() {
				*row = None;
				Clients::<T>::remove(peer, Self::slot_of(epoch));
			}
		});
	}

	/// Weight of the end of a demand that was not answered.
	pub(crate) fn expire_weight() -> Weight {
		T::WeightInfo::expire_demand().saturating_add(T::Slasher::slash_weight())
	}
}

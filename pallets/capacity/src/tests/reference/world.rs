//! The chain and the model side by side: whatever is done to one is done to the other.

use super::{
	history::{parameters, History, Reached, Setup, PEERS, RATES, STAKE_PER_UNIT},
	model::{Ledger, Model, Rules},
	peer::{Change, Epoch, Holding, Money, Peer, Pledge, Terms, Who},
	*,
};
use crate::{Delegations, Departures, Params, Rounds, WaitingSlashes};
use frame_support::{storage::with_storage_layer, traits::fungible::Inspect};
use millrace_primitives::{
	commitment::StakeOffer,
	peer::PeerId,
	traits::{Offence, OnEpoch, StakeSlasher},
	views::CommitmentStatus,
};
use sp_runtime::Perbill;
use std::{collections::BTreeMap, sync::LazyLock};

/// Names of the peers; keys are dear to make.
static NAMES: LazyLock<[PeerId; PEERS]> = LazyLock::new(|| [1, 2, 3, 4].map(peer));

/// The chain and the model side by side.
pub(super) struct World {
	pub(super) model: Model,
	pub(super) reached: Reached,
}

pub(super) fn now() -> Epoch {
	CurrentEpoch::get()
}

fn signed(who: Who) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Dispatches a call as a block does: whole, or not at all.
fn dispatch(call: Call<Test>, origin: RuntimeOrigin) -> DispatchResult {
	match call.dispatch_bypass_filter(origin) {
		Ok(_) => Ok(()),
		Err(failed) => Err(failed.error),
	}
}

/// Signs the open round of a peer as it stands.
fn pledge(name: PeerId, pledge: Pledge) -> DispatchResult {
	let round = Rounds::<Test>::get(name).ok_or("no round")?;
	dispatch(
		Call::stake {
			peer: name,
			terms: round.terms,
			keep: pledge.keep,
			add: pledge.add,
		},
		signed(pledge.who),
	)
}

fn offer(own_percent: u32, commission_percent: u32) -> StakeOffer<u64> {
	StakeOffer {
		own_part: Perbill::from_percent(own_percent),
		commission: Perbill::from_percent(commission_percent),
		invited: Default::default(),
	}
}

fn terms(rate: u32, commission_percent: u32) -> Terms {
	Terms {
		stake_per_unit: STAKE_PER_UNIT,
		slash_rate: rate.into(),
		own_floor: 100_000_000,
		commission: u128::from(commission_percent) * 10_000_000,
	}
}

/// Creates and stakes the commitment of one peer.
fn found(index: usize, setup: &Setup) -> Peer {
	let name = NAMES[index];
	let committed = STAKE_PER_UNIT * Money::from(setup.units);
	let own_percent = if setup.split.is_empty() {
		100
	} else {
		setup.own_percent
	};
	let own = (committed * Money::from(own_percent)).div_ceil(100);
	let mut holdings = vec![Holding::new(PROVIDER, own)];

	// The largest first, since each must bring its part of what is missing.
	let all: u32 = setup.split.iter().sum();
	let mut weights = setup.split.clone();
	weights.sort_by(|one, other| other.cmp(one));
	let mut rest = committed - own;
	for (place, weight) in weights.iter().enumerate() {
		let amount = match place + 1 == weights.len() {
			true => rest,
			false => (committed - own) * Money::from(*weight) / Money::from(all),
		};
		if amount > 0 {
			let who = DELEGATOR + ((index + 2 * place) % 7) as Who;
			holdings.push(Holding::new(who, amount));
			rest -= amount;
		}
	}

	let offer = offer(own_percent, setup.commission_percent);
	dispatch(
		Call::create {
			peer: name,
			units: setup.units,
			duration_epochs: setup.duration,
			offer,
		},
		signed(PROVIDER),
	)
	.expect("the peer is free");
	for holding in &holdings {
		let stake = Pledge {
			who: holding.who,
			keep: 0,
			add: holding.left,
		};
		pledge(name, stake).expect("the stakes fill the round");
	}
	let terms = terms(RATES[setup.rate], setup.commission_percent);
	Peer::new(setup.units, setup.busy, terms, 1 + setup.duration, holdings)
}

impl World {
	pub(super) fn found(history: &History) -> Self {
		let mut peers = Vec::new();
		let mut busy = BTreeMap::new();
		for (index, setup) in history.setups.iter().enumerate() {
			Params::<Test>::put(parameters(history, RATES[setup.rate]));
			peers.push(found(index, setup));
			busy.insert(NAMES[index], setup.busy);
		}
		BusyUnits::set(busy);
		Params::<Test>::put(parameters(history, RATES[2]));
		let rules = Rules {
			pool_floor: 100_003,
			pool_limit: EmissionLimit::get(),
			reward_target: 10_007,
			unbonding: params().unbonding_epochs,
			slash_delay: params().slash_delay_epochs,
			vesting: history.vesting,
			amnesty: history.amnesty,
		};
		Self {
			model: Model::new(rules, peers),
			reached: Reached::default(),
		}
	}

	/// The next epoch begins.
	pub(super) fn open(&mut self) {
		// What only other tests read would be copied with each note.
		WorkCalls::set(Vec::new());
		StakeCalls::set(Vec::new());
		ReportHashes::set(BTreeMap::new());
		System::reset_events();
		System::set_block_number(System::block_number() + 1);
		CurrentEpoch::set(now() + 1);
		Position::set(0);
		Capacity::on_epoch_start(&MockClock::current());
		self.model.open();
	}

	/// A peer reports the epoch before: so many units less than it owes.
	pub(super) fn report(
		&mut self,
		index: usize,
		missing: u32,
		status: AuditStatus,
	) -> Option<AuditStatus> {
		let epoch = now() - 1;
		let name = NAMES[index];
		if !Commitments::<Test>::get(name).is_some_and(|row| row.owes(epoch)) {
			return None;
		}
		// The chain may not know yet that the commitment is over.
		let (idle, busy) = self.model.peers[index].owed(epoch).unwrap_or((1, 0));
		let (idle, busy) = match missing {
			0 => (idle, busy),
			_ => {
				let proven = (idle + busy).saturating_sub(missing);
				(proven.min(idle), proven.saturating_sub(idle))
			}
		};
		let call = Call::report {
			peer: name,
			report: claim(epoch, idle, busy),
			signature: [0; 64],
		};
		duty(call).expect("a report never fails");
		let drawn = idle + busy > 0 && self.model.peers[index].owed(epoch).is_some();
		let holds = !drawn || status == AuditStatus::Passed;
		self.model.report(index, epoch, idle, busy, holds);
		self.look(index);
		drawn.then_some(status)
	}

	/// All reports of the epoch before are there: they are drawn, answered, and the epoch closes.
	pub(super) fn close(&mut self, reports: [Option<AuditStatus>; PEERS]) {
		let epoch = now() - 1;
		Position::set(LENGTHS.report_window + LENGTHS.fold_window);
		let draw = MockClock::draw(epoch).expect("the mock knows all draws");
		Capacity::on_draw(epoch, draw);
		poll();
		self.model.judge(epoch);

		let (row, expected) = (
			Capacity::row(epoch).expect("the epoch is remembered"),
			&self.model.rows[epoch as usize],
		);
		assert_eq!(
			(row.pool, row.carried, row.idle, row.units, row.excused),
			(
				expected.pool,
				expected.carried,
				expected.idle,
				expected.units,
				expected.excused
			)
		);
		assert_eq!(row.reward_per_unit(), expected.reward(&self.model.rules));
		assert_eq!(row.drawn, row.reports);
		self.reached.excused += u32::from(row.excused);

		for (name, status) in NAMES.iter().zip(reports) {
			if let Some(status) = status {
				let drawn = Audits::<Test>::get(name).expect("all are drawn");
				assert_eq!((drawn.epoch, drawn.status), (epoch, AuditStatus::Open));
				Audits::<Test>::insert(name, Audit { epoch, status });
			}
		}
		Position::set(LENGTHS.close_position());
		self.model.close(epoch);
	}

	/// Somebody settled a peer: both sides must agree on all of it.
	fn look(&mut self, index: usize) {
		self.model.touch(index, now());
		compare(index, &self.model.peers[index]);
		let peer = &mut self.model.peers[index];
		if peer.change.as_ref().is_some_and(|change| change.void) {
			// Its round is like one that lapsed.
			let call = Call::cancel { peer: NAMES[index] };
			dispatch(call, signed(PROVIDER)).expect("nothing comes of the round");
			peer.change = None;
			self.reached.voided += 1;
		}
	}

	/// The provider settles a peer, so that no bounty is paid.
	pub(super) fn settle(&mut self, index: usize) {
		let call = Call::settle { peer: NAMES[index] };
		// There may be nothing to settle.
		let _ = dispatch(call, signed(PROVIDER));
		self.look(index);
	}

	/// The round for more units is opened and filled, by the provider and perhaps one delegator.
	fn grow(&mut self, index: usize, bytes: [u8; 4]) {
		let name = NAMES[index];
		let more = 1 + u32::from(bytes[0] % 4);
		let mut pledges = Vec::new();
		let agreed = with_storage_layer(|| -> DispatchResult {
			let call = Call::grow {
				peer: name,
				more_units: more,
				invited: Default::default(),
			};
			dispatch(call, signed(PROVIDER))?;
			let round = Rounds::<Test>::get(name).ok_or("no round")?;
			let others = (round.needed - round.reserved) * Money::from(bytes[1] % 5) / 4;
			pledges = vec![
				Pledge {
					who: PROVIDER,
					keep: 0,
					add: round.needed - others,
				},
				Pledge {
					who: DELEGATOR + Who::from(bytes[2] % 7),
					keep: 0,
					add: others,
				},
			];
			pledges.retain(|pledge| pledge.add > 0);
			pledges.iter().try_for_each(|one| pledge(name, *one))
		});
		if agreed.is_ok() {
			let peer = &mut self.model.peers[index];
			peer.change = Some(Change {
				renewal: false,
				at: now() + 1,
				units: peer.units + more,
				end: peer.end,
				terms: peer.terms,
				pledges,
				void: false,
			});
			self.reached.growths += 1;
			self.look(index);
		}
	}

	/// The round for more epochs is opened and filled: some sign and some do not, one may be new.
	fn extend(&mut self, index: usize, bytes: [u8; 4]) {
		let name = NAMES[index];
		let duration = 10 + u32::from(bytes[0] % 40);
		let commission = u32::from(bytes[1] % 101);
		let mut pledges = Vec::new();
		let agreed = with_storage_layer(|| -> DispatchResult {
			let call = Call::extend {
				peer: name,
				duration_epochs: duration,
				offer: offer(20, commission),
			};
			dispatch(call, signed(PROVIDER))?;
			let round = Rounds::<Test>::get(name).ok_or("no round")?;
			let own = Commitments::<Test>::get(name).ok_or("no commitment")?.own;
			let stakes = Delegations::<Test>::get(name);

			let mut open = round.needed - round.reserved;
			// What is kept for those who do not sign.
			let mut kept = 0;
			for (place, stake) in stakes.iter().enumerate() {
				let keep = stake.part.left;
				if (bytes[2] >> place) & 1 == 0 && keep > 0 && keep <= open {
					open -= keep;
					pledges.push(Pledge {
						who: stake.staker,
						keep,
						add: 0,
					});
				} else {
					kept += keep;
				}
			}
			if now() == round.deadline {
				kept = 0;
			}
			let newcomer = DELEGATOR + Who::from(bytes[3] % 7);
			let known = stakes.iter().any(|stake| stake.staker == newcomer);
			let most = open.saturating_sub(kept) / 2;
			if bytes[2] & 16 != 0 && !known && most > 0 {
				pledges.push(Pledge {
					who: newcomer,
					keep: 0,
					add: most,
				});
			}
			let others: Money = pledges.iter().map(|one| one.keep + one.add).sum();
			let needed = round.needed - others;
			let most = if bytes[2] & 32 != 0 {
				own.left / 4 * 3
			} else {
				own.left
			};
			let keep = most.min(needed);
			pledges.push(Pledge {
				who: PROVIDER,
				keep,
				add: needed - keep,
			});
			pledges.iter().try_for_each(|one| pledge(name, *one))
		});
		if agreed.is_ok() {
			let peer = &mut self.model.peers[index];
			peer.change = Some(Change {
				renewal: true,
				at: peer.end,
				units: peer.units,
				end: peer.end + duration,
				terms: terms(RATES[2], commission),
				pledges,
				void: false,
			});
			self.reached.renewals += 1;
			self.look(index);
		}
	}

	/// Another pallet finds an offence.
	fn offend(&mut self, index: usize, bytes: [u8; 4]) {
		let epoch = now().saturating_sub(u32::from(bytes[0] % 7)).max(1);
		let part = (1 + (u32::from(bytes[1]) * 256 + u32::from(bytes[2])) % 600) * 1_000_000;
		let fails = bytes[3] % 16 == 15;
		let offence = Offence {
			epoch,
			part: Perbill::from_parts(part),
			fails,
			reporter: None,
		};
		Capacity::slash(NAMES[index], offence);
		self.model.offend(index, epoch, part.into(), fails, now());
		self.reached.late += 1;
		self.look(index);
	}

	/// A slash that is due is applied, or sent back.
	fn end_slash(&mut self, index: usize, applied: bool) {
		let name = NAMES[index];
		let due = self.model.peers[index].waiting.iter().find_map(|one| {
			let (slash, due) = one.seen?;
			(due <= now()).then_some(slash)
		});
		let Some(slash) = due else { return };
		let (call, origin) = if applied {
			(Call::apply_slash { peer: name, slash }, signed(PROVIDER))
		} else {
			(Call::cancel_slash { peer: name, slash }, signed(GOVERNOR))
		};
		dispatch(call, origin).expect("it is due");
		self.model.end_slash(index, slash, applied);
		if applied {
			self.reached.applied += 1;
		} else {
			self.reached.sent_back += 1;
		}
	}

	/// Somebody claims for an account.
	fn claim(&mut self, who: Who) {
		// With what is on hold: the claim may close the ledger, and free its deposit.
		let before = Balances::total_balance(&who);
		let paid = dispatch(Call::claim { who }, signed(STRANGER)).is_ok();
		let amount = self.model.claim(who, now());
		assert_eq!(paid, amount > 0);
		assert_eq!(Balances::total_balance(&who), before + amount);
		self.reached.claims += u32::from(paid);
	}

	/// Whatever else happens in an epoch.
	pub(super) fn event(&mut self, random: u64) {
		let [kind, who, one, two, three, four, slash, _] = random.to_le_bytes();
		let (index, bytes) = (usize::from(who) % PEERS, [one, two, three, four]);
		match kind % 64 {
			1..=3 => self.grow(index, bytes),
			4..=7 => self.extend(index, bytes),
			8..=9 => self.offend(index, bytes),
			10..=13 => self.claim(DELEGATOR + Who::from(one % 7)),
			14..=16 => self.claim(PROVIDER),
			_ => {}
		}
		match slash % 16 {
			1..=3 => self.end_slash(index, true),
			4 => self.end_slash(index, false),
			_ => {}
		}
	}

	/// Settles everybody and compares all that there is.
	pub(super) fn finish(&mut self, issued: Money) {
		for index in 0..PEERS {
			self.settle(index);
		}
		for who in std::iter::once(PROVIDER).chain(DELEGATOR..DELEGATOR + 7) {
			let ledger = Ledgers::<Test>::get(who).unwrap_or_default();
			let buckets = ledger.buckets.iter();
			let found = Ledger {
				free: ledger.free,
				buckets: buckets
					.map(|one| (one.start, one.epochs, one.amount, one.taken))
					.collect(),
			};
			let expected = self.model.ledgers.get(&who).cloned().unwrap_or_default();
			assert_eq!(found, expected);
			let held = Balances::balance_on_hold(&crate::HoldReason::Stake.into(), &who);
			assert_eq!(held, self.model.held(who));
		}
		assert_eq!(
			Balances::total_issuance(),
			issued - self.model.burnt + self.model.minted
		);
		for peer in &self.model.peers {
			match peer.over {
				Some((true, _)) => self.reached.failed += 1,
				Some((false, _)) => self.reached.ended += 1,
				None => {}
			}
			self.reached.left += u32::from(!peer.leavers.is_empty());
			self.reached.waited += peer.waiting.len() as u32;
		}
	}
}

/// One block's part of the draw.
fn poll() {
	use frame_support::{traits::Hooks, weights::WeightMeter};
	Capacity::on_poll(System::block_number(), &mut WeightMeter::new());
}

/// What the chain keeps of a peer against what the model does.
fn compare(index: usize, peer: &Peer) {
	let name = NAMES[index];
	let found = Commitments::<Test>::get(name).expect("it stands");
	let status = match peer.over {
		Some((failed, until)) => CommitmentStatus::Unbonding { until, failed },
		None => CommitmentStatus::Active {
			start: peer.start,
			end: peer.end,
		},
	};
	assert_eq!(found.status, status);
	assert_eq!(found.next_to_settle, peer.next);
	assert_eq!(
		(found.units, found.score.0, found.changed),
		(peer.units, peer.score, peer.changed)
	);
	assert_eq!(
		(found.slashed, found.rewarded, found.committed_before),
		(peer.slashed, peer.rewarded, peer.committed_before)
	);

	let holding = |who, part: crate::Part| Holding {
		who,
		left: part.left,
		share: part.share,
		added: part.added,
		dust: part.dust,
	};
	assert_eq!(holding(PROVIDER, found.own), peer.holdings[0]);
	let mut stakes: Vec<_> = Delegations::<Test>::get(name)
		.iter()
		.map(|stake| holding(stake.staker, stake.part))
		.collect();
	let mut holdings = peer.holdings[1..].to_vec();
	stakes.sort();
	holdings.sort();
	assert_eq!(stakes, holdings);

	let rows = Departures::<Test>::get(name).map(|leaving| leaving.rows);
	let mut leaving: Vec<_> = rows
		.iter()
		.flatten()
		.map(|row| (row.staker, row.left))
		.collect();
	let mut leavers = peer.leavers.clone();
	leaving.sort();
	leavers.sort();
	assert_eq!(leaving, leavers);

	let sorted = |mut parts: Vec<(Who, Money)>| {
		parts.sort();
		parts
	};
	let mut waits: Vec<_> = WaitingSlashes::<Test>::iter_prefix(name)
		.map(|(slash, row)| {
			let parts = sorted(row.parts.to_vec());
			(slash, row.due, row.epoch, parts)
		})
		.collect();
	waits.sort();
	let waiting: Vec<_> = peer
		.waiting
		.iter()
		.map(|one| {
			let (slash, due) = one.seen.expect("somebody has looked");
			(slash, due, one.epoch, sorted(one.parts.clone()))
		})
		.collect();
	assert_eq!(waits, waiting);
	assert_eq!(
		(found.waiting, found.waiting_slashes as usize),
		(
			peer.waiting.iter().map(|one| one.sum()).sum(),
			waiting.len()
		)
	);
}

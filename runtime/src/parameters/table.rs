//! The list of all parameters, and what is made of it.

use super::{
	groups::{self, Group},
	number::Number,
	Track,
};
use crate::Runtime;
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_support::{
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	traits::Get,
};
use millrace_primitives::{
	governance::{Contradiction, ParameterInfo},
	FLT, U256,
};
use pallet_anchor::AnchorParams;
use pallet_capacity::{CapacityParams, MAX_AUDITS, MAX_CHALLENGE_EPOCHS};
use pallet_epochs::DEFAULT_LENGTHS;
use pallet_governed::{GroupIndex, OutOfBounds, ParameterTable};
use pallet_market::MarketParams;
use pallet_receipts::ReceiptsParams;
use pallet_validators::{ValidatorsParams, MAX_VALIDATORS, MIN_SEATS_PER_CHANGE};
use sp_runtime::Perbill;

/// A thousandth of an FLT.
const MILLI: u128 = FLT / 1_000;
/// Blocks of a day on the mainnet.
const DAY_BLOCKS: u32 = 28_800;
/// Epochs of a year on the mainnet.
const YEAR_EPOCHS: u32 = 8_766;

/// The parameters of a group, as the list below has them.
pub trait Rows: Group {
	/// What was voted.
	fn voted() -> Self::Params;

	/// Values with their keys.
	fn values(params: &Self::Params) -> Vec<(RuntimeParametersKey, RuntimeParametersValue)>;

	/// What clients see.
	fn list() -> Vec<ParameterInfo>;
}

/// All parameters of the runtime.
#[derive(Debug)]
pub struct Table;

/// Makes of the list: the keys in pallet-parameters, with what they are without a vote; for each group
/// how values are read, written and shown; and the table that pallet-governed asks.
macro_rules! parameters {
	($(
		$(#[doc = $group_doc:tt])*
		$group:ident($group_index:tt) $Group:ident by $Track:ident, default $default:expr => {
			$(
				$(#[doc = $doc:tt])*
				$Key:ident($key_index:tt) = $($field:ident).+ : $type:ident in $unit:literal,
					$least:expr => $most:expr;
			)+
		}
	)+) => {
		/// Keys and values, by group.
		#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
		pub mod dynamic_params {
			#[allow(unused_imports, reason = "the macro asks for it")]
			use super::*;

			$(
				$(#[doc = $group_doc])*
				#[dynamic_pallet_params]
				#[codec(index = $group_index)]
				pub mod $group {
					$(
						$(#[doc = $doc])*
						#[codec(index = $key_index)]
						pub static $Key: $type = ($default).$($field).+;
					)+
				}
			)+
		}

		$(
			impl Rows for groups::$Group {
				fn voted() -> Self::Params {
					let mut params = Self::in_force();
					$(params.$($field).+ = dynamic_params::$group::$Key::get();)+
					params
				}

				fn values(
					params: &Self::Params,
				) -> Vec<(RuntimeParametersKey, RuntimeParametersValue)> {
					use dynamic_params::$group::{ParametersKey, ParametersValue};
					vec![$((
						RuntimeParametersKey::$Group(
							ParametersKey::$Key(dynamic_params::$group::$Key)
						),
						RuntimeParametersValue::$Group(
							ParametersValue::$Key(params.$($field).+)
						),
					)),+]
				}

				fn list() -> Vec<ParameterInfo> {
					use dynamic_params::$group::ParametersKey;
					let (in_force, begins_with) = (Self::in_force(), $default);
					vec![$({
						let (least, most): ($type, $type) = ($least, $most);
						let voted: $type = dynamic_params::$group::$Key::get();
						let key = RuntimeParametersKey::$Group(
							ParametersKey::$Key(dynamic_params::$group::$Key)
						);
						ParameterInfo {
							name: concat!(
								stringify!($group) $(, ".", stringify!($field))+
							).into(),
							unit: $unit.into(),
							kind: <$type as Number>::KIND,
							key: key.encode(),
							value: voted.number(),
							in_force: Number::number(in_force.$($field).+),
							least: least.number(),
							most: most.number(),
							default: Number::number(begins_with.$($field).+),
							meaning: concat!($($doc),+).trim().into(),
							track: Track::$Track.name().into(),
						}
					}),+]
				}
			}
		)+

		/// The track that a parameter is set by.
		pub fn track_of(key: &RuntimeParametersKey) -> Track {
			match key {
				$(RuntimeParametersKey::$Group(_) => Track::$Track,)+
			}
		}

		/// A value as a number, with the least and the most that its parameter takes.
		fn bounded(value: &RuntimeParametersValue) -> (U256, U256, U256) {
			match value {
				$($(
					RuntimeParametersValue::$Group(
						dynamic_params::$group::ParametersValue::$Key(value)
					) => {
						let (least, most): ($type, $type) = ($least, $most);
						(Number::number(*value), least.number(), most.number())
					}
				)+)+
			}
		}

		impl ParameterTable for Table {
			type Key = RuntimeParametersKey;
			type Value = RuntimeParametersValue;

			const GROUPS: GroupIndex = [$($group_index),+].len() as GroupIndex;

			fn group_of(key: &RuntimeParametersKey) -> GroupIndex {
				match key {
					$(RuntimeParametersKey::$Group(_) => $group_index,)+
				}
			}

			fn check(value: &RuntimeParametersValue) -> Result<(), OutOfBounds> {
				let (value, least, most) = bounded(value);
				if value < least {
					return Err(OutOfBounds::Below);
				}
				if value > most {
					return Err(OutOfBounds::Above);
				}
				Ok(())
			}

			fn is_sound(group: GroupIndex) -> bool {
				match group {
					$($group_index => groups::$Group::is_sound(&groups::$Group::voted()),)+
					_ => false,
				}
			}

			fn announce(group: GroupIndex) -> Result<(), Contradiction> {
				match group {
					$($group_index => groups::$Group::announce(groups::$Group::voted()),)+
					_ => Err(Contradiction),
				}
			}

			fn apply(group: GroupIndex) -> Result<(), Contradiction> {
				match group {
					$($group_index => groups::$Group::apply(groups::$Group::voted()),)+
					_ => Err(Contradiction),
				}
			}

			fn agrees(group: GroupIndex) -> bool {
				match group {
					$($group_index => groups::$Group::voted() == groups::$Group::in_force(),)+
					_ => false,
				}
			}

			fn in_force(
				group: GroupIndex,
			) -> Vec<(RuntimeParametersKey, RuntimeParametersValue)> {
				match group {
					$($group_index => groups::$Group::values(&groups::$Group::in_force()),)+
					_ => Vec::new(),
				}
			}

			fn list() -> Vec<ParameterInfo> {
				[$(<groups::$Group as Rows>::list()),+].concat()
			}
		}
	};
}

parameters! {
	/// What transactions cost.
	fees(0) Fees by Parameters, default groups::FeeParams::default() => {
		/// Price of a picosecond of computation. At the default a transfer costs about 0.002 FLT.
		WeightFee(0) = weight_fee: u128 in "FLT per picosecond",
			10_000 => 10_000_000_000;
		/// Price of a byte of a transaction.
		LengthFee(1) = length_fee: u128 in "FLT per byte",
			1_000_000_000 => MILLI;
	}

	/// What bounds the rewards of all.
	emission(1) Emission by Parameters, default groups::EmissionParams::default() => {
		/// Most that the pool of rewards of an epoch can be, where the schedule allows as much.
		PerEpoch(0) = per_epoch: u128 in "FLT per epoch",
			FLT => FLT * 10_000;
	}

	/// Commitments, work, slashes and rewards.
	capacity(2) Capacity by Capacity, default CapacityParams::default() => {
		/// Stake of one unit. A commitment keeps that of its making until it is renewed.
		StakePerUnit(0) = stake_per_unit: u128 in "FLT per unit",
			FLT => FLT * 100_000;
		/// Part of a unit's stake that a missed epoch costs. Less than a twentieth, and not more than
		/// the own part under which a commitment fails.
		SlashRate(1) = slash_rate: Perbill in "of a unit's stake",
			Perbill::from_parts(1_000) => Perbill::from_parts(49_999_999);
		/// Shortest commitment.
		MinDurationEpochs(2) = min_duration_epochs: u32 in "epochs",
			1 => YEAR_EPOCHS;
		/// Longest commitment.
		MaxDurationEpochs(3) = max_duration_epochs: u32 in "epochs",
			24 => YEAR_EPOCHS * 10;
		/// Epochs that a round waits for its stake, besides the one in which it was opened.
		PendingEpochs(4) = pending_epochs: u32 in "epochs",
			1 => 168;
		/// Epochs between the end of a commitment and the return of its stake: more than two above
		/// those in which a report can be challenged. Totals of older epochs are forgotten.
		UnbondingEpochs(5) = unbonding_epochs: u32 in "epochs",
			4 => 1_000;
		/// Epochs in which a report can be challenged. Not less than equivocation can be reported for,
		/// where a chain began so.
		ChallengeEpochs(6) = challenge_epochs: u32 in "epochs",
			1 => MAX_CHALLENGE_EPOCHS;
		/// Least reports that are audited in an epoch, if there are as many.
		AuditsPerEpoch(7) = audits_per_epoch: u32 in "reports per epoch",
			10 => MAX_AUDITS;
		/// Solutions that an idle unit owes.
		RatesIdle(8) = rates.idle: u32 in "solutions per epoch",
			1 => 1_024;
		/// Solutions that a unit at work owes.
		RatesBusy(9) = rates.busy: u32 in "solutions per epoch",
			1 => 1_024;
		/// Target of the reference machine: a solution's hash is not above it. Targets stay within a half
		/// and the double of it.
		TargetReference(10) = target_reference: U256 in "hash",
			U256::MAX >> 48 => U256::MAX;
		/// Reward of a unit that the pool moves towards.
		RewardTargetPerUnit(11) = reward_target_per_unit: u128 in "FLT per unit and epoch",
			MILLI / 1_000 => FLT * 10;
		/// Pool below which it does not aim, and which is also the first one.
		PoolFloor(12) = pool_floor: u128 in "FLT per epoch",
			MILLI => FLT * 1_000;
		/// Least part of the stake that a provider brings itself.
		MinOwnPart(13) = min_own_part: Perbill in "of a commitment's stake",
			Perbill::from_percent(1) => Perbill::one();
		/// A commitment fails when the provider's own part is under this part of what is committed. Less
		/// than what it must bring.
		OwnFloor(14) = own_floor: Perbill in "of a commitment's stake",
			Perbill::from_parts(5_000_000) => Perbill::from_percent(99);
		/// Epochs that a slash of a twentieth or more of what is committed waits: so long it can be
		/// cancelled. Shorter than unbonding.
		SlashDelayEpochs(15) = slash_delay_epochs: u32 in "epochs",
			1 => 504;
		/// Epochs before the end of a commitment until which a renewal can raise the commission.
		NoticeEpochs(16) = notice_epochs: u32 in "epochs",
			1 => YEAR_EPOCHS;
		/// Epochs over which a reward vests.
		VestingEpochs(17) = vesting_epochs: u32 in "epochs",
			1 => YEAR_EPOCHS * 2;
		/// Most epochs in a row that cost no misses because too much of the network was missing.
		AmnestyEpochs(18) = amnesty_epochs: u32 in "epochs",
			0 => 16;
		/// An epoch costs no misses where fewer units are proven than this part of those of the last
		/// ordinary one.
		AmnestyPart(19) = amnesty_part: Perbill in "of an epoch's units",
			Perbill::from_percent(10) => Perbill::from_percent(90);
		/// A commitment fails when no more than this part of what is committed is left. A commitment
		/// keeps that of its making until it is renewed.
		StakeFloor(20) = stake_floor: Perbill in "of a commitment's stake",
			Perbill::from_percent(10) => Perbill::from_percent(90);
		/// Least part of what is committed that an audit costs which is failed or not answered. A
		/// commitment keeps that of its making until it is renewed.
		LeastAuditSlash(21) = least_audit_slash: Perbill in "of a commitment's stake",
			Perbill::from_percent(5) => Perbill::one();
		/// Part by which the pool moves in an epoch at most.
		PoolStep(22) = pool_step: Perbill in "of the pool",
			Perbill::from_parts(100_000) => Perbill::from_percent(10);
		/// Part of the target by which the reward of a unit can be above it.
		RewardHeadroom(23) = reward_headroom: Perbill in "of the target",
			Perbill::zero() => Perbill::one();
		/// Fees of the work that a bounty for doing it is at most.
		BountyFees(24) = bounty_fees: u32 in "fees",
			1 => 20;
		/// Part of what is moved that a bounty for moving it is at most.
		BountyPart(25) = bounty_part: Perbill in "of an amount",
			Perbill::from_parts(100_000) => Perbill::from_percent(10);
	}

	/// Offers and deals.
	market(3) Market by Market, default MarketParams::default() => {
		/// Lowest ask and lowest price ceiling.
		MinPrice(0) = min_price: u128 in "FLT per unit and epoch",
			1 => FLT;
		/// Held of a deal's owner until the deal is closed. It covers the deal's own rows, however long; those
		/// of its workers are paid for by the deposits of their peers.
		DealDeposit(1) = deal_deposit: u128 in "FLT per deal",
			FLT * 3 => FLT * 1_000;
		/// Held of a provider while an offer stands.
		OfferDeposit(2) = offer_deposit: u128 in "FLT per offer",
			FLT / 5 => FLT * 1_000;
		/// Most gas that a deal may grant a call.
		MaxCallGas(3) = max_call_gas: u64 in "gas per call",
			1_000_000 => 1_000_000_000_000;
		/// Epochs for which a peer that failed a deal, gave it notice or was ended by its owner is not
		/// matched to it again.
		ExclusionEpochs(4) = exclusion_epochs: u32 in "epochs",
			1 => 720;
		/// Epochs after the one of its assignment in which a worker can go live.
		AssignmentEpochs(5) = assignment_epochs: u32 in "epochs",
			1 => 24;
		/// Held of a prober until its probe is answered or failed.
		ProbeBond(6) = probe_bond: u128 in "FLT per probe",
			FLT * 3 / 5 => FLT * 1_000;
		/// Blocks after the one of a probe in which it can be answered.
		ProbeBlocks(7) = probe_blocks: u32 in "blocks",
			2 => 1_200;
		/// Part of a prober's bond that burns when the probe is answered; the rest is the provider's.
		ProbeBurn(8) = probe_burn: Perbill in "of a bond",
			Perbill::from_percent(10) => Perbill::one();
		/// Part of every payment that burns. A deal keeps that of its making.
		PaymentBurn(9) = payment_burn: Perbill in "of a payment",
			Perbill::from_parts(1_000_000) => Perbill::from_percent(20);
		/// Most epochs that workers stay for without escrow. A deal keeps that of its making. All of them
		/// together cost at most one epoch's price, which the closing deposit has.
		GraceEpochs(10) = grace_epochs: u32 in "epochs",
			1 => 24;
		/// Part of its price that a worker is paid for each of them. A deal keeps that of its making.
		GracePrice(11) = grace_price: Perbill in "of a price",
			Perbill::from_percent(1) => Perbill::one();
		/// Epochs at the ceiling that a new deal's escrow covers at least.
		MinEscrowEpochs(12) = min_escrow_epochs: u32 in "epochs",
			2 => 720;
		/// Assignments in a row that come to nothing, after which an offer is closed. An offer keeps that
		/// of its making.
		MaxLapses(13) = max_lapses: u32 in "assignments",
			1 => 100;
		/// Fees of the work that a bounty for pointing to a lost worker is at most.
		BountyFees(14) = bounty_fees: u32 in "fees",
			1 => 20;
		/// Part of the lost worker's bond that it is at most.
		BountyPart(15) = bounty_part: Perbill in "of a bond",
			Perbill::from_parts(100_000) => Perbill::from_percent(10);
		/// What an ask is a multiple of when it is made or changed. Offers that stand keep theirs.
		AskTick(16) = ask_tick: u128 in "FLT per unit and epoch",
			1 => FLT / 100;
	}

	/// Challenges of receipts.
	receipts(4) Receipts by Parameters, default ReceiptsParams::default() => {
		/// Held of a challenger from the commitment to the outcome, and with each demand for data.
		Bond(0) = bond: u128 in "FLT per challenge",
			FLT / 5 => FLT * 10_000;
		/// Part of a bond that burns when the commitment is not revealed.
		Unrevealed(1) = unrevealed: Perbill in "of a bond",
			Perbill::from_percent(1) => Perbill::one();
		/// Blocks between a commitment and its reveal. Fewer than those in which it can be revealed, and
		/// not more than those in which an earlier commitment can take the lead.
		RevealAfterBlocks(2) = reveal_after_blocks: u32 in "blocks",
			2 => 100;
		/// Blocks after a commitment in which it can be revealed.
		RevealWithinBlocks(3) = reveal_within_blocks: u32 in "blocks",
			3 => DAY_BLOCKS;
		/// Blocks after the first reveal in which an earlier commitment can take the lead.
		ContestBlocks(4) = contest_blocks: u32 in "blocks",
			2 => DAY_BLOCKS;
		/// Blocks in which a peer shows that its report holds a receipt.
		ShowBlocks(5) = show_blocks: u32 in "blocks",
			2 => DAY_BLOCKS;
		/// Blocks in which a peer posts data that are demanded.
		PostBlocks(6) = post_blocks: u32 in "blocks",
			2 => DAY_BLOCKS;
		/// Part of the stake that a false receipt costs.
		Fraud(7) = fraud: Perbill in "of a peer's stake",
			Perbill::from_percent(5) => Perbill::one();
		/// Part of the stake that a receipt costs which is not reported, or shares its number.
		Omission(8) = omission: Perbill in "of a peer's stake",
			Perbill::from_percent(1) => Perbill::one();
		/// Part of the stake that withheld data cost.
		Withholding(9) = withholding: Perbill in "of a peer's stake",
			Perbill::from_percent(1) => Perbill::one();
		/// Epochs after the one of the report in which its omissions can be claimed.
		OmissionEpochs(10) = omission_epochs: u32 in "epochs",
			1 => 60;
		/// Part of a slash that is for whoever showed the offence, and never more than the provider itself
		/// pays.
		Reward(11) = reward: Perbill in "of a slash",
			Perbill::from_percent(5) => Perbill::from_percent(50);
		/// Part of the bond of a false challenge, less what its refutation cost, that is for the accused.
		Compensation(12) = compensation: Perbill in "of a bond",
			Perbill::zero() => Perbill::from_percent(80);
	}

	/// Seats.
	validators(5) Validators by Parameters, default ValidatorsParams::default() => {
		/// Most seats. Four are the least that bear a faulty one.
		MaxValidators(0) = max_validators: u32 in "seats",
			4 => MAX_VALIDATORS;
		/// Least active stake of a candidate and of a seat.
		MinSeatStake(1) = min_seat_stake: u128 in "FLT per seat",
			FLT => FLT * 10_000_000;
		/// Active stake of all candidates who could sit, from which on stake decides about seats.
		BootstrapStake(2) = bootstrap_stake: u128 in "FLT",
			FLT => FLT * 1_000_000_000;
		/// One of so many seats can change in a session, and at least one.
		SeatsPerChange(3) = seats_per_change: u32 in "seats",
			MIN_SEATS_PER_CHANGE => MAX_VALIDATORS;
		/// Part of the blocks expected of it under which a seat is silent, if chance does not explain it.
		LeastAuthored(4) = least_authored: Perbill in "of the expected blocks",
			Perbill::from_percent(10) => Perbill::from_percent(90);
	}

	/// Epochs and the windows in them. What must follow each other inside an epoch: reports, the draw,
	/// answers, and two blocks more.
	epochs(6) Epochs by Parameters, default DEFAULT_LENGTHS => {
		/// Blocks of an epoch. All windows and two blocks more fit into it.
		Len(0) = len: u32 in "blocks",
			10 => DAY_BLOCKS;
		/// Blocks in which reports of the epoch before are taken.
		ReportWindow(1) = report_window: u32 in "blocks",
			2 => DAY_BLOCKS;
		/// Blocks whose outputs are folded into a seed or a draw.
		FoldWindow(2) = fold_window: u32 in "blocks",
			1 => 256;
		/// Blocks in which audits are answered.
		AnswerWindow(3) = answer_window: u32 in "blocks",
			2 => DAY_BLOCKS;
	}

	/// Messages between the chain and its anchor.
	anchor(7) Anchor by Parameters, default AnchorParams::default() => {
		/// Least FLT of a withdrawal to the anchor: claiming less costs more than it is worth.
		MinWithdrawal(0) = min_withdrawal: u128 in "FLT per withdrawal",
			MILLI => FLT * 100;
		/// Most FLT that is sent to the anchor in an epoch.
		WithdrawPerEpoch(1) = withdraw_per_epoch: u128 in "FLT per epoch",
			FLT * 100 => FLT * 1_000_000;
		/// Most FLT that is unlocked in an epoch for what comes from the anchor, and so the most that a
		/// false attestation takes in it. What is above it waits for the next epochs.
		ReleasePerEpoch(2) = release_per_epoch: u128 in "FLT per epoch",
			FLT * 100 => FLT * 1_000_000;
		/// Burnt for each message to the anchor. Its row stays for ever.
		MessageFee(3) = message_fee: u128 in "FLT per message",
			FLT * 6 / 100 => FLT * 10;
		/// Burnt for each byte that a message carries for a contract on the anchor.
		ByteFee(4) = byte_fee: u128 in "FLT per byte",
			FLT / 10_000 => FLT / 100;
		/// Blocks after its attestation in which a message from the anchor must be delivered.
		DeliverBlocks(5) = deliver_blocks: u32 in "blocks",
			10 => DAY_BLOCKS;
		/// Longest pause of both directions. Another one can follow it.
		MaxPauseBlocks(6) = max_pause_blocks: u32 in "blocks",
			1_200 => DAY_BLOCKS * 14;
	}
}

//! A chain of nothing but the clock, with outputs, time and migrations by hand.
#![allow(
	unreachable_pub,
	missing_debug_implementations,
	reason = "what a runtime's configuration names is public"
)]

use crate as pallet_epochs;
use crate::{EpochInfo, EpochLengths, OnEpoch, H256};
use frame_support::{
	derive_impl, migrations::MultiStepMigrator, parameter_types, traits::Hooks, weights::Weight,
};
use millrace_primitives::{hash::blake2_256, EpochIndex};
use sp_runtime::BuildStorage;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Epochs: pallet_epochs,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type MultiBlockMigrator = Migrator;
}

impl pallet_epochs::Config for Test {
	type VrfOutput = Output;
	type Time = Now;
	type SlotDuration = SlotMs;
	type Hooks = Listener;
	type WeightInfo = ();
}

/// What the hooks were told, with the position at which they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
	Started(EpochInfo),
	Drawn {
		epoch: EpochIndex,
		draw: H256,
		position: u32,
	},
}

parameter_types! {
	pub static Output: Option<[u8; 32]> = None;
	pub static Now: u64 = 0;
	pub static SlotMs: u64 = 1_000;
	pub static Migrating: bool = false;
	pub static Genesis: H256 = H256([7; 32]);
	pub static Notices: Vec<Notice> = Vec::new();
}

pub struct Migrator;

impl MultiStepMigrator for Migrator {
	fn ongoing() -> bool {
		Migrating::get()
	}
	fn step() -> Weight {
		Weight::zero()
	}
}

pub struct Listener;

impl OnEpoch for Listener {
	fn on_epoch_start(info: &EpochInfo) -> Weight {
		assert_eq!(Epochs::status().info, *info);
		assert_eq!(Epochs::status().position, 0);
		Notices::mutate(|notices| notices.push(Notice::Started(*info)));
		Weight::zero()
	}
	fn on_draw(epoch: EpochIndex, draw: H256) -> Weight {
		let position = Epochs::status().position;
		assert_eq!(Epochs::status().draw, Some(draw));
		Notices::mutate(|notices| {
			notices.push(Notice::Drawn {
				epoch,
				draw,
				position,
			})
		});
		Weight::zero()
	}
}

pub(crate) const DEV: EpochLengths = EpochLengths {
	len: 20,
	report_window: 6,
	fold_window: 2,
	answer_window: 8,
};

pub(crate) struct ExtBuilder {
	lengths: EpochLengths,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		Self { lengths: DEV }
	}
}

impl ExtBuilder {
	pub(crate) fn lengths(lengths: EpochLengths) -> Self {
		Self { lengths }
	}

	pub(crate) fn build(self) -> sp_io::TestExternalities {
		Output::take();
		Now::take();
		SlotMs::take();
		Migrating::take();
		Genesis::take();
		Notices::take();
		let mut storage = frame_system::GenesisConfig::<Test>::default()
			.build_storage()
			.unwrap();
		pallet_epochs::GenesisConfig::<Test> {
			lengths: self.lengths,
			..Default::default()
		}
		.assimilate_storage(&mut storage)
		.unwrap();
		storage.into()
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Epochs::do_try_state().unwrap();
		});
	}
}

/// VRF output of a block, unless a test chooses another.
pub(crate) fn vrf(block: u32) -> [u8; 32] {
	blake2_256(&block.to_le_bytes()).0
}

/// Executes the end of a block and the beginning of the next one; `before` is the output of the
/// former. Block n has the time of n slots.
pub(crate) fn next_block(before: Option<[u8; 32]>) {
	let number = System::block_number() + 1;
	let parent = if number == 1 {
		Genesis::get()
	} else {
		H256(vrf(number))
	};
	Output::set(before);
	Now::set(u64::from(number - 1) * SlotMs::get());
	if number > 1 {
		Epochs::on_finalize(number - 1);
	}
	System::reset_events();
	System::initialize(&number, &parent, &Default::default());
	Epochs::on_initialize(number);
	Epochs::do_try_state().unwrap();
}

/// Goes to a block, each with the output of [`vrf`].
pub(crate) fn run_to(block: u32) {
	while System::block_number() < block {
		next_block(Some(vrf(System::block_number())));
	}
}

/// Events of the clock in this block.
pub(crate) fn events() -> Vec<pallet_epochs::Event<Test>> {
	System::read_events_for_pallet::<pallet_epochs::Event<Test>>()
}

//! What the pallet asks of the runtime, which alone knows every parameter.

use alloc::vec::Vec;
use millrace_primitives::governance::{Contradiction, ParameterInfo};

/// Counts the groups from 0 on. A group is what one pallet has in force at once.
pub type GroupIndex = u8;

/// Most groups: each is a bit of [`Waiting`](crate::Waiting).
pub const MAX_GROUPS: GroupIndex = 32;

/// On which side of its bounds a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfBounds {
	/// Under the least.
	Below,
	/// Over the most.
	Above,
}

/// The parameters of a runtime: their bounds, how they must fit each other, and where the values that
/// are in force stand.
///
/// What was voted stands in the rows of pallet-parameters; a parameter without a row has the value
/// that the runtime's code gives it. *In force* is what the group's pallet goes by.
pub trait ParameterTable {
	/// Names a parameter.
	type Key;
	/// A parameter with its value.
	type Value;

	/// Number of groups, at most [`MAX_GROUPS`].
	const GROUPS: GroupIndex;

	/// The group that a parameter belongs to.
	fn group_of(key: &Self::Key) -> GroupIndex;

	/// Whether a value lies within the bounds of its parameter.
	fn check(value: &Self::Value) -> Result<(), OutOfBounds>;

	/// Whether the voted values of a group fit each other, and those of other groups.
	fn is_sound(group: GroupIndex) -> bool;

	/// Hands on the voted values of a group where a pallet must know them before the next epoch starts.
	fn announce(group: GroupIndex) -> Result<(), Contradiction>;

	/// Brings the voted values of a group into force.
	fn apply(group: GroupIndex) -> Result<(), Contradiction>;

	/// Whether the voted values of a group are those in force.
	fn agrees(group: GroupIndex) -> bool;

	/// The parameters of a group with their values in force.
	fn in_force(group: GroupIndex) -> Vec<(Self::Key, Self::Value)>;

	/// All parameters, by group, as clients see them.
	fn list() -> Vec<ParameterInfo>;
}

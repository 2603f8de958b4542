//! The ways to cheat that are simulated, a file for each family.
//!
//! docs/ECONOMICS.md has a section for each, with the inequality that it must lose by.

mod cartel;
mod deals;
mod fakes;
mod grief;
mod grinding;
mod missing;
mod outsourced;
mod pushing;

pub use cartel::{AmnestyCartel, WithholdAndEase};
pub use deals::{HonestWorker, ParkedDeal, SelfDeal};
pub use fakes::{FakeLeaves, SkipAudit};
pub use grief::{GriefFail, GriefPending};
pub use grinding::GrindFold;
pub use missing::{MissOnPurpose, OneAsMany};
pub use outsourced::Outsourced;
pub use pushing::SelfBounty;

//! Tests of the clock, a file per feature.

mod borders;
mod lengths;
mod migrations;
mod model;
mod seeds;
mod stateful;

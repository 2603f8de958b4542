//! A file for each subject.

mod reserve;
mod schedule;
mod stateful;
mod try_state;

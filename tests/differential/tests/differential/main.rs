//! Both engines on the same programs: random ones, those of the specification, and the dearest.

mod adjudication;
mod fuzz;
mod spec;

//! Runs linkage to the end. `pipeline` is the one place where the compute rooms meet; `runner`
//! gives a run its life: queued, running, succeeded or failed.

mod clustering;
mod people;
mod pipeline;
mod runner;
mod scoring;
mod tracers;

pub use pipeline::{PipelineError, block_plan};
pub use runner::{JobRunner, StartRunError};

#[cfg(test)]
mod coverage_tests;

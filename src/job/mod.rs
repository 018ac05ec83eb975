//! Runs linkage to the end. `pipeline` is the one place where the compute rooms meet; `runner`
//! gives a run its life: queued, running, succeeded or failed.

mod blocking;
mod clustering;
mod linked;
mod people;
mod pipeline;
mod report;
mod runner;
mod scoring;
mod tracers;

pub use blocking::block_plan;
pub use pipeline::PipelineError;
pub use runner::{JobRunner, StartRunError};

#[cfg(test)]
mod coverage_tests;

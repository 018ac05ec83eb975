//! Runs linkage to the end; `pipeline.rs` is the one place the compute rooms meet.

//! The door: gRPC, console, config, authorisation, wiring.
//!
//! A call passes, in this order: TLS with a client certificate (`tls`), [`identity`] (who is it),
//! [`authorise`] (may this role call this method), the handler in `grpc` (is it about the
//! caller's own things), and the error table in `grpc/status.rs`.

pub mod app;
pub mod authorise;
pub mod config;
mod console;
mod grpc;
pub mod identity;
pub mod pki;
mod tls;

pub use app::{Ready, ServeError, run};
pub use config::Config;

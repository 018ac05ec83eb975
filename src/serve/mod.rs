//! The door: gRPC, console, config, authorisation, wiring.

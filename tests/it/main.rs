//! Black box: a server on loopback with real mutual TLS, and its callers.

mod access;
mod console;
mod link_command;
mod linkage;
mod matrix;
mod resume;
mod submission;
mod world;

//! Histories that once broke a promise, each named after what broke.

//! Which records are one entity?

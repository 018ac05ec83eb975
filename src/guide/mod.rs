//! The manual. No code: pages that are compiled, link-checked and versioned with it.

#[doc = include_str!("decisions.md")]
pub mod decisions {}

#[doc = include_str!("threat_model.md")]
pub mod threat_model {}

#[doc = include_str!("synthetic_japan.md")]
pub mod synthetic_japan {}
#[doc = include_str!("attacks_on_filters.md")]
#[doc = include_str!("attacks_on_filters.svg")]
pub mod attacks_on_filters {}

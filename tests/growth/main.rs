//! A register that grows: two years of records month by month, another source, the same again, nonsense.
//! People stay who they are.

mod bad_input;
mod months;
mod register;
mod sources;
mod tracers;

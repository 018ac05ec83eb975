//! Counts common bits of many filters at once.

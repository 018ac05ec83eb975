//! What people decided, and what may leave.

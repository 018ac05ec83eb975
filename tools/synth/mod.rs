//! A synthetic Japanese population and what nine kinds of source record of it.

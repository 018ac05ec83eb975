//! The only room that touches disk: log, segments, index, formats, repair.

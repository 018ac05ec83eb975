//! May this submission come in?

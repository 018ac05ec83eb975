//! How much evidence is that? Comparison vector → match weight (bits) → decision; estimates m and λ.

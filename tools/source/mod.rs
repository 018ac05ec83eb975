//! What `musubi-encode` does: encode, inspect, submit, keys and profiles.

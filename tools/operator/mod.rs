//! What `musubi` does besides the demo: set up, serve, link, look up.

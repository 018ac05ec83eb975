//! `musubi demo`: the main job in one command, through the real client and server.

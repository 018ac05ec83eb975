//! The encoding file (`.mse`): encodings at rest at the source, between encoding and submitting.
//!
//! # Format, version 1
//! All numbers are little-endian.
//!
//! ```text
//! "MUSUBIE1"                                   magic; the last character is the version
//! u32 length, JSON                             header
//! frame …                                      0x01, u32 record count, u32 bytes, rows
//!   row   u8 length, record ref · u32 version · u8 kind · u16 year of the event
//!         · u32 flags · u64 presence · filter words u64 … · tags u64 …
//! trailer                                      0x02, u64 record count, BLAKE3 of all before
//! ```
//!
//! A file that is cut short, altered or longer than its trailer is refused. The file holds no
//! plaintext besides record refs, but it is personal data: it is made readable by its owner only.

mod header;
mod reader;
mod row;
#[cfg(test)]
mod tests;
mod writer;

pub use header::{EncodingHeader, FilterShape};
pub use reader::{EncodingReader, FileProblem, ReadEncodingError};
pub use writer::{EncodingWriter, WriteEncodingError, WrittenFile};

/// First bytes of a file of version 1.
const MAGIC: [u8; 8] = *b"MUSUBIE1";
/// Starts a frame of rows.
const FRAME: u8 = 1;
/// Starts the trailer.
const TRAILER: u8 = 2;
/// Most records in a frame.
const FRAME_RECORDS_MAX: usize = 4096;
/// Most bytes of a header.
const HEADER_BYTES_MAX: usize = 64 * 1024;

//! An open file of the memory disk.

use std::io::{self, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard};

use super::Shared;
use super::state::{Change, Operation, State, eio};
use crate::store::vfs::VfsFile;

pub(super) struct MemoryFile {
    shared: Arc<Shared>,
    id: u64,
    /// Name under which it was opened.
    path: PathBuf,
    writable: bool,
    boot: u64,
    position: u64,
}

impl MemoryFile {
    pub(super) fn new(
        shared: Arc<Shared>,
        id: u64,
        path: PathBuf,
        writable: bool,
        boot: u64,
    ) -> Self {
        Self {
            shared,
            id,
            path,
            writable,
            boot,
            position: 0,
        }
    }

    /// The disk, unless it crashed since this file was opened.
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.shared.state();
        if state.boot == self.boot {
            Ok(state)
        } else {
            Err(eio())
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.state()?;
        while state.syncs_held && state.boot == self.boot {
            state = (self.shared.syncs_released.wait(state)).map_err(|_| eio())?;
        }
        if state.boot != self.boot {
            return Err(eio());
        }
        let afterwards = state.begin(Operation::Sync)?;
        state.sync_file(self.id, &self.path, afterwards.is_some());
        afterwards.map_or(Ok(()), Err)
    }
}

impl io::Read for MemoryFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state()?;
        if let Some(error) = state.begin(Operation::Look)? {
            return Err(error);
        }
        let content = &state.files[&self.id].content;
        let rest = content.get(self.position as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        drop(state);
        self.position += count as u64;
        Ok(count)
    }
}

impl io::Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut state = self.state()?;
        let afterwards = state.begin(Operation::Write)?;
        let mut count = bytes.len();
        if afterwards.is_some() {
            count = state.random.below(bytes.len() as u64 + 1) as usize;
        } else if state.is_short() && count > 1 {
            count = 1 + state.random.below(bytes.len() as u64 - 1) as usize;
        }
        let count = state.fits(self.id, self.position, count)?;
        let change = Change::Write(self.position as usize, bytes[..count].to_vec());
        state.change(self.id, change);
        drop(state);
        self.position += count as u64;
        afterwards.map_or(Ok(count), Err)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for MemoryFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.length()?;
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl VfsFile for MemoryFile {
    fn sync_data(&mut self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&mut self) -> io::Result<()> {
        self.sync()
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.state()?;
        let afterwards = state.begin(Operation::Name)?;
        state.change(self.id, Change::Cut(length as usize));
        afterwards.map_or(Ok(()), Err)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.state()?.files[&self.id].content.len() as u64)
    }
}

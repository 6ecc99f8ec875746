//! A reader that remembers what it gave out, so that a row's own text can be had back.

use std::io::{self, Read};

/// Remembers bytes from the last mark on.
pub(crate) struct Tee<R> {
    input: R,
    held: Vec<u8>,
    /// Position in the stream of the first held byte.
    base: u64,
    limit: usize,
    ended: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("a row is longer than {0} bytes: a quote is not closed")]
pub(crate) struct RowTooLong(usize);

impl<R> Tee<R> {
    /// A tee that fails when more than `limit` bytes pass without a mark.
    pub(crate) fn new(input: R, limit: usize) -> Self {
        Self { input, held: Vec::new(), base: 0, limit, ended: false }
    }

    /// Forgets what lies before a position of the stream.
    pub(crate) fn mark(&mut self, position: u64) {
        let gone = usize::try_from(position.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.held.len());
        // moving the rest is worth it only now and then
        if gone > (1 << 16) || gone * 2 > self.held.len() && self.held.len() > (1 << 12) {
            self.held.drain(..gone);
            self.base += gone as u64;
        }
    }

    /// Whether the input was read to its end.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// The bytes between two positions of the stream.
    pub(crate) fn between(&self, from: u64, to: u64) -> &[u8] {
        let at = |position: u64| usize::try_from(position.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.held.get(at(from)..at(to).min(self.held.len())).unwrap_or_default()
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.held.len() > self.limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, RowTooLong(self.limit)));
        }
        let n = self.input.read(buffer)?;
        self.ended |= n == 0;
        self.held.extend_from_slice(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}

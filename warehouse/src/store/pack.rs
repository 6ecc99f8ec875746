//! Compressing and encrypting a stream into parts of bounded size, on a thread of its own.

use std::io::{self, Read, Write};

use bytes::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// Bytes of a part; object stores want 5 MiB or more of all but the last.
const PART: usize = 8 << 20;
/// zstd level.
const LEVEL: i32 = 3;

/// A part, or the mark that the stream is packed to its end: without it the parts are not the whole.
#[derive(Debug)]
pub(super) enum Part {
    Bytes(Bytes),
    End,
}

/// Starts packing; the parts come one after another, at most two of them waiting.
pub(super) fn start(
    source: Box<dyn Read + Send>,
    recipient: Option<age::x25519::Recipient>,
) -> (Receiver<Part>, JoinHandle<io::Result<()>>) {
    let (sender, receiver) = channel(1);
    let packing = tokio::task::spawn_blocking(move || pack(source, recipient, Parts { sender, held: Vec::new() })?.finish());
    (receiver, packing)
}

fn pack(mut source: Box<dyn Read + Send>, recipient: Option<age::x25519::Recipient>, parts: Parts) -> io::Result<Parts> {
    let Some(recipient) = recipient else {
        let mut zipper = zstd::Encoder::new(parts, LEVEL)?;
        io::copy(&mut source, &mut zipper)?;
        return zipper.finish();
    };
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).map_err(io::Error::other)?;
    let mut zipper = zstd::Encoder::new(encryptor.wrap_output(parts)?, LEVEL)?;
    io::copy(&mut source, &mut zipper)?;
    zipper.finish()?.finish()
}

/// Parts that come one after another, as a stream that can be read on a thread of its own.
pub(super) struct Received {
    receiver: Receiver<Bytes>,
    held: Bytes,
}

impl Received {
    pub(super) fn new(receiver: Receiver<Bytes>) -> Self {
        Self { receiver, held: Bytes::new() }
    }
}

impl Read for Received {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.held.is_empty() {
            match self.receiver.blocking_recv() {
                Some(part) => self.held = part,
                None => return Ok(0),
            }
        }
        let count = self.held.len().min(into.len());
        let part = self.held.split_to(count);
        into.get_mut(..count).unwrap_or_default().copy_from_slice(&part);
        Ok(count)
    }
}

/// Cuts what is written into parts.
struct Parts {
    sender: Sender<Part>,
    held: Vec<u8>,
}

impl Parts {
    /// The last part, which alone may be short, and the mark.
    fn finish(mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            let last = std::mem::take(&mut self.held);
            self.send(Part::Bytes(last.into()))?;
        }
        self.send(Part::End)
    }

    fn send(&self, part: Part) -> io::Result<()> {
        self.sender.blocking_send(part).map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the upload ended before the packing"))
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.get(..(PART - self.held.len()).min(bytes.len())).unwrap_or_default();
        self.held.extend_from_slice(taken);
        if self.held.len() >= PART {
            let full = std::mem::replace(&mut self.held, Vec::with_capacity(PART));
            self.send(Part::Bytes(full.into()))?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a short part may only be the last
    }
}

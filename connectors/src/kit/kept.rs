//! A file without a name, for deliveries too large for memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// An open file that many readers share, each at its own position.
///
/// A temporary one has no name: it holds the delivery as it came, personal data included, and the system takes it away with the
/// process however that ends, `kill -9` too. A named temporary file would stay behind, readable.
#[derive(Debug, Clone)]
pub struct KeptFile {
    file: Arc<Mutex<File>>,
    len: u64,
}

impl KeptFile {
    /// Keeps a file that is written to its end.
    ///
    /// # Errors
    /// When the file's length cannot be told.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(file)), len })
    }

    /// A reader of its own, at the file's start.
    #[must_use]
    pub fn reader(&self) -> KeptReader {
        KeptReader { file: self.clone(), at: 0 }
    }
}

/// Reads a kept file from a position of its own.
#[derive(Debug)]
pub struct KeptReader {
    file: KeptFile,
    at: u64,
}

impl Read for KeptReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let got = file.read(buffer)?;
        self.at += got as u64;
        Ok(got)
    }
}

impl Seek for KeptReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the file's start"))?;
        Ok(self.at)
    }
}

impl Length for KeptFile {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for KeptFile {
    type T = io::BufReader<KeptReader>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(io::BufReader::new(KeptReader { file: self.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // a length from a broken footer must not be believed before the file's own
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} of a file of {}", self.len)));
        }
        let mut bytes = vec![0; length];
        KeptReader { file: self.clone(), at: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn readers_do_not_disturb_each_other() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        let kept = KeptFile::new(file).unwrap();
        let (mut one, mut two) = (kept.reader(), kept.reader());
        let mut three = [0; 3];
        one.read_exact(&mut three).unwrap();
        assert_eq!(two.seek(SeekFrom::End(-2)).unwrap(), 8);
        let mut rest = String::new();
        two.read_to_string(&mut rest).unwrap();
        assert_eq!((&three, rest.as_str()), (b"012", "89"));
        one.read_exact(&mut three).unwrap();
        assert_eq!(&three, b"345");
        assert!(two.seek(SeekFrom::Current(-11)).is_err());
        assert_eq!(kept.get_bytes(2, 3).unwrap().as_ref(), b"234");
        assert!(kept.get_bytes(8, 3).is_err() && kept.get_bytes(u64::MAX, 2).is_err());
    }
}

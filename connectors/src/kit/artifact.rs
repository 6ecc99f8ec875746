//! Artifacts: bytes as delivered, before anyone parses them.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::kit::kept::KeptFile;

/// Where the bytes of an artifact are.
#[derive(Debug, Clone)]
pub enum ArtifactBytes {
    /// In memory.
    Memory(Bytes),
    /// In a local file.
    File(KeptFile),
}

/// Bytes as a source delivered them.
#[derive(Clone)]
pub struct Artifact {
    /// Name: `C1004/20240101000000-20240131235959/p0003`, or the file's path below the landing root.
    pub name: String,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// The bytes.
    pub bytes: ArtifactBytes,
    /// Their number.
    pub size: u64,
    /// Whether they carry personal data, so that they are archived encrypted.
    pub personal: bool,
}

impl Artifact {
    /// An artifact in memory.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: impl Into<Bytes>, personal: bool) -> Self {
        let bytes = bytes.into();
        Self {
            name: name.into(),
            sha256: hex(&Sha256::digest(&bytes)),
            size: bytes.len() as u64,
            bytes: ArtifactBytes::Memory(bytes),
            personal,
        }
    }

    /// An artifact in a local file that somebody else keeps; the file is hashed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn from_file(name: impl Into<String>, path: &Path, personal: bool) -> io::Result<Self> {
        let mut file = std::fs::File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0_u8; 1 << 16];
        let mut size = 0_u64;
        loop {
            let got = file.read(&mut buffer)?;
            let Some(part) = buffer.get(..got).filter(|part| !part.is_empty()) else {
                break;
            };
            hasher.update(part);
            size += part.len() as u64;
        }
        Ok(Self { name: name.into(), sha256: hex(&hasher.finalize()), bytes: ArtifactBytes::File(KeptFile::new(file)?), size, personal })
    }

    /// An artifact in a file that is hashed already.
    pub(crate) fn from_kept(name: String, sha256: String, size: u64, file: KeptFile) -> Self {
        Self { name, sha256, size, bytes: ArtifactBytes::File(file), personal: false }
    }

    /// The bytes as a stream, from their start.
    ///
    /// # Errors
    /// None as yet; opening is fallible where the bytes would have to be asked for.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match &self.bytes {
            ArtifactBytes::Memory(bytes) => Ok(Box::new(io::Cursor::new(bytes.clone()))),
            ArtifactBytes::File(file) => Ok(Box::new(io::BufReader::with_capacity(1 << 16, file.reader()))),
        }
    }

    /// The bytes as a whole.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read_all(&self) -> io::Result<Bytes> {
        match &self.bytes {
            ArtifactBytes::Memory(bytes) => Ok(bytes.clone()),
            ArtifactBytes::File(file) => {
                let mut bytes = Vec::new();
                file.reader().read_to_end(&mut bytes)?;
                Ok(Bytes::from(bytes))
            }
        }
    }
}

impl fmt::Debug for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Artifact")
            .field("name", &self.name)
            .field("sha256", &self.sha256)
            .field("size", &self.size)
            .field("personal", &self.personal)
            .finish_non_exhaustive()
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_memory_hash_alike() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, b"abc").unwrap();
        let file = Artifact::from_file("a", &path, false).unwrap();
        let memory = Artifact::from_bytes("a", &b"abc"[..], false);
        assert_eq!(file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((file.sha256.as_str(), file.size), (memory.sha256.as_str(), memory.size));
        assert_eq!(file.read_all().unwrap(), memory.read_all().unwrap());
    }
}

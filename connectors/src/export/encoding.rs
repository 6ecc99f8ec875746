//! Text encodings: UTF-8 with or without BOM, or else GB18030, decided over the whole stream without keeping it.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_8};

const BUFFER: usize = 1 << 16;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The encoding of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8.
    Utf8,
    /// GB18030.
    Gb18030,
}

/// Tries the encodings one after another; none when none decodes without an error.
pub(crate) fn detect(open: &dyn Fn() -> io::Result<Box<dyn Read + Send>>) -> io::Result<Option<Encoding>> {
    let mut start = [0_u8; 3];
    let has_bom = fill(open()?.as_mut(), &mut start)? == BOM.len() && start == BOM;
    for encoding in [Encoding::Utf8, Encoding::Gb18030] {
        if has_bom && encoding == Encoding::Gb18030 {
            break; // the mark says UTF-8, and it is not
        }
        if decodes(encoding, open()?.as_mut())? {
            return Ok(Some(encoding));
        }
    }
    Ok(None)
}

/// One encoding, if it decodes without an error.
pub(crate) fn verified(encoding: Encoding, open: &dyn Fn() -> io::Result<Box<dyn Read + Send>>) -> io::Result<Option<Encoding>> {
    Ok(decodes(encoding, open()?.as_mut())?.then_some(encoding))
}

/// The text as UTF-8, without a BOM.
pub(crate) fn decode(encoding: Encoding, mut input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    match encoding {
        Encoding::Utf8 => {
            let mut start = [0_u8; 3];
            let got = fill(input.as_mut(), &mut start)?;
            let kept = match start.get(..got) {
                Some(BOM) | None => Vec::new(),
                Some(kept) => kept.to_vec(),
            };
            Ok(Box::new(io::Cursor::new(kept).chain(input)))
        }
        Encoding::Gb18030 => Ok(Box::new(DecodeReader::new(encoding, input))),
    }
}

fn decoder(encoding: Encoding) -> Decoder {
    match encoding {
        Encoding::Utf8 => UTF_8.new_decoder_without_bom_handling(),
        Encoding::Gb18030 => GB18030.new_decoder_without_bom_handling(),
    }
}

fn decodes(encoding: Encoding, input: &mut dyn Read) -> io::Result<bool> {
    let mut reader = DecodeReader::new(encoding, input);
    let mut buffer = vec![0_u8; BUFFER];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.get_ref().is_some_and(|inner| inner.is::<Malformed>()) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = buffer.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match input.read(rest)? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

#[derive(Debug, thiserror::Error)]
#[error("bytes outside the encoding")]
struct Malformed;

/// Decodes a stream to UTF-8 and fails at the first bytes outside the encoding.
struct DecodeReader<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_end: usize,
    last: bool,
    done: bool,
    out: Vec<u8>,
    out_at: usize,
    out_end: usize,
}

impl<R: Read> DecodeReader<R> {
    fn new(encoding: Encoding, input: R) -> Self {
        Self {
            input,
            decoder: decoder(encoding),
            raw: vec![0; BUFFER],
            raw_at: 0,
            raw_end: 0,
            last: false,
            done: false,
            out: vec![0; BUFFER * 2],
            out_at: 0,
            out_end: 0,
        }
    }

    fn more(&mut self) -> io::Result<()> {
        while self.out_at == self.out_end && !self.done {
            if self.raw_at == self.raw_end && !self.last {
                self.raw_at = 0;
                self.raw_end = self.input.read(&mut self.raw)?;
                self.last = self.raw_end == 0;
            }
            let source = self.raw.get(self.raw_at..self.raw_end).unwrap_or_default();
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(source, &mut self.out, self.last);
            self.raw_at += read;
            (self.out_at, self.out_end) = (0, written);
            match result {
                DecoderResult::Malformed(..) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, Malformed));
                }
                DecoderResult::InputEmpty if self.last => self.done = true,
                DecoderResult::InputEmpty | DecoderResult::OutputFull => {}
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for DecodeReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.more()?;
        let ready = self.out.get(self.out_at..self.out_end).unwrap_or_default();
        let n = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), ready.get(..n)) {
            to.copy_from_slice(from);
        }
        self.out_at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(bytes: &[u8]) -> Option<Encoding> {
        let bytes = bytes.to_vec();
        detect(&move || Ok(Box::new(io::Cursor::new(bytes.clone())))).unwrap()
    }

    fn text(bytes: &[u8]) -> String {
        let mut text = String::new();
        let encoding = detected(bytes).unwrap();
        decode(encoding, Box::new(io::Cursor::new(bytes.to_vec()))).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn encodings_are_told_apart() {
        let (gb, _, _) = GB18030.encode("记账流水号,𠮷");
        assert_eq!(detected("记账,a".as_bytes()), Some(Encoding::Utf8));
        assert_eq!(detected(&gb), Some(Encoding::Gb18030));
        assert_eq!(detected(b"\xef\xbb\xbfa"), Some(Encoding::Utf8));
        assert_eq!(detected(b"\xef\xbb\xbf\xff"), None);
        assert_eq!(detected(b"a\xff\xff"), None);
        assert_eq!(detected("截断了".as_bytes().get(..7).unwrap()), None);
        assert_eq!(detected(b""), Some(Encoding::Utf8));
        assert_eq!(text(&gb), "记账流水号,𠮷");
        assert_eq!(text(b"\xef\xbb\xbfab"), "ab");
        assert_eq!(text(b"a"), "a");
    }

    #[test]
    fn characters_across_buffer_ends_survive() {
        let long = "药品，".repeat(BUFFER / 3 + 7);
        let (gb, _, _) = GB18030.encode(&long);
        let shifted: Vec<u8> = std::iter::once(b'x').chain(gb.iter().copied()).collect();
        assert!(text(&shifted) == format!("x{long}"));
        assert!(text(format!("x{long}").as_bytes()) == format!("x{long}"));
    }
}

//! What bytes are, by how they begin: a refusal says what was delivered instead.

/// Beginnings that say what a file is.
const MAGIC: [(&[u8], &str); 14] = [
    (b"PK\x03\x04", "a ZIP container (a workbook .xlsx, or a packed file)"),
    (b"PK\x05\x06", "an empty ZIP container"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an OLE container (a workbook .xls, or one with a password)"),
    (b"\x1f\x8b", "gzip"),
    (b"PAR1", "Parquet"),
    (b"\xff\xfe\x00\x00", "UTF-32 text"),
    (b"\x00\x00\xfe\xff", "UTF-32 text"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"%PDF", "a PDF document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
];

/// What the bytes begin like; none where nothing says so. `start` is the file's beginning, a few hundred bytes of it.
pub(crate) fn found(start: &[u8]) -> Option<&'static str> {
    if start.is_empty() {
        return Some("nothing: it is empty");
    }
    if let Some((_, words)) = MAGIC.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(words);
    }
    if start.iter().all(|byte| *byte == 0) {
        return Some("zero bytes only");
    }
    // UTF-16 without its mark: every other byte of plain text is zero
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let half = start.len() / 2;
    if half >= 8 && (zeros(1) * 4 > half && zeros(0) == 0 || zeros(0) * 4 > half && zeros(1) == 0) {
        return Some("UTF-16 text");
    }
    let text = String::from_utf8_lossy(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start)).trim_start().to_ascii_lowercase();
    let words = match text.as_str() {
        _ if text.starts_with("<!doctype html") || text.starts_with("<html") || text.contains("<html") => "an HTML page",
        _ if text.starts_with("<?xml") => "XML",
        _ if text.starts_with('<') => "HTML or XML",
        _ if text.starts_with('{') || text.starts_with("[{") => "JSON",
        _ => return None,
    };
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_they_are() {
        let utf16: Vec<u8> = "A,B\r\n1,2\r\n3,4\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, words) in [
            (&b"PK\x03\x04xx"[..], "ZIP"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE"),
            (b"\xff\xfeA\x00", "UTF-16"),
            (&utf16, "UTF-16"),
            (b"\xef\xbb\xbf <!DOCTYPE html>", "HTML"),
            (b"<?xml version=\"1.0\"?>", "XML"),
            (b"{\"a\":1}", "JSON"),
            (b"\0\0\0\0", "zero"),
            (b"", "empty"),
        ] {
            assert!(found(bytes).is_some_and(|found| found.contains(words)), "{bytes:?}: {:?}", found(bytes));
        }
        assert_eq!(found("编码,名称\n1,药\n".as_bytes()), None);
        assert_eq!(found(b"FIXMEDINS_CODE,MED_LIST_CODG\n"), None);
    }
}

//! Line numbers of a text file, as an editor shows them.

/// Counts lines over the pieces of a text in their order; a line ends with LF, CR LF or CR.
#[derive(Debug)]
pub(crate) struct Lines {
    next: u64,
    /// The piece before ended with a CR, so that an LF now belongs to it.
    after_cr: bool,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { next: 1, after_cr: false }
    }

    /// Takes the next piece, a record with the blank lines before it; the line on which the record begins.
    pub(crate) fn record(&mut self, piece: &[u8]) -> u64 {
        let blank = piece.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let (before, record) = piece.split_at(blank);
        self.take(before);
        let line = self.next;
        self.take(record);
        line
    }

    fn take(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => self.next += 1,
                _ => {}
            }
            self.after_cr = *byte == b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_begin_where_an_editor_shows_them() {
        let mut lines = Lines::new();
        // a header, a field of two lines, blank lines before a record, a CR LF cut in two
        let pieces = ["a,b\n", "1,\"x\ny\"\n", "\n\n2,x\r", "\n3,x\r\n", "4,\"x\r\ny\"\r", "\n5,x\r", "6,x"];
        let starts: Vec<u64> = pieces.iter().map(|piece| lines.record(piece.as_bytes())).collect();
        assert_eq!(starts, [1, 2, 6, 7, 8, 10, 11]);
    }
}

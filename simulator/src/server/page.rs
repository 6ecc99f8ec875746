//! One page of a window, its rows byte for byte.

use std::ops::Range;

use super::fields::{fields, written};
use super::hostile::{Shape, Spoilt};
use super::zj::Message;
use crate::platform_data::{DatasetRows, Window};

/// How many pages a window has.
pub(crate) fn page_count(window: Window, size: usize) -> usize {
    (window.to - window.from).div_ceil(size.max(1))
}

/// A page cut out of a window.
#[derive(Debug)]
pub(crate) struct Page {
    range: Range<usize>,
    number: usize,
    pages: usize,
    total: usize,
    spoilt: Spoilt,
    shape: Shape,
}

impl Page {
    /// Page `number` (from 1) of a window.
    pub(crate) fn cut(window: Window, size: usize, number: usize, spoilt: Spoilt, shape: Shape) -> Self {
        let pages = page_count(window, size);
        let shift = usize::from(spoilt == Spoilt::Shifted && number > 1);
        let begin = window.from.saturating_add(number.saturating_sub(1).saturating_mul(size)).saturating_sub(shift).min(window.to);
        let end = begin.saturating_add(size).min(window.to);
        // A page behind the last is empty, also where rows have moved.
        let range = if number > pages || number == 0 { window.to..window.to } else { begin..end };
        let last = number >= pages;
        let total = match spoilt {
            Spoilt::Growing if !last => window.distinct.saturating_sub(1),
            Spoilt::Overstated if last && number <= pages => window.distinct + 1,
            _ => window.distinct,
        };
        Self { range, number, pages, total, spoilt, shape }
    }

    /// A count in the shape of this answer.
    fn count(&self, n: usize) -> String {
        let steady = matches!(self.spoilt, Spoilt::No | Spoilt::Shifted | Spoilt::LineFails);
        match self.shape {
            Shape { empty_counts: true, .. } if self.number > 1 && steady => "\"\"".to_owned(),
            Shape { text_counts: true, .. } => format!("\"{n}\""),
            _ => n.to_string(),
        }
    }

    /// The rows as a list, or one bare object.
    fn list<'r>(&self, rows: impl Iterator<Item = std::borrow::Cow<'r, [u8]>>, out: &mut Vec<u8>) {
        let bare = self.shape.bare_object && self.range.len() == 1;
        if !bare {
            out.push(b'[');
        }
        for (n, row) in rows.enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&row);
        }
        if !bare {
            out.push(b']');
        }
    }

    /// The `output` of an answer of dialect `tps`.
    pub(crate) fn tps(&self, rows: &DatasetRows) -> Vec<u8> {
        let bytes: usize = self.range.clone().filter_map(|i| rows.row(i)).map(|r| r.len() + 1).sum();
        let mut out = Vec::with_capacity(bytes + 160);
        out.extend_from_slice("{\"data\":{\"returnCode\":\"200\",\"returnMsg\":\"成功\",\"dataList\":".as_bytes());
        self.list(self.range.clone().filter_map(|i| rows.row(i)).map(Into::into), &mut out);
        let (pages, total) = (self.count(self.pages), self.count(self.total));
        out.extend_from_slice(format!(",\"totalPageCount\":{pages},\"totalRecordCount\":{total}}}}}").as_bytes());
        out
    }

    /// The `output` of an answer of dialect `zj`: each line with its result.
    pub(crate) fn zj(&self, message: &Message) -> Vec<u8> {
        let ok = if self.shape.odd_codes { "\"0\"" } else { "0" };
        let (pages, total) = (self.count(self.pages), self.count(self.total));
        let mut out = format!(
            "{{\"data\":{{\"returnCode\":{ok},\"returnMsg\":\"成功\",\"currentPageNumber\":{},\"totalPageCount\":{pages},\"totalRecordCount\":{total},\"dataList\":",
            self.number
        )
        .into_bytes();
        let fails = self.spoilt == Spoilt::LineFails && self.number == self.pages;
        let line = |(n, row): (usize, &[u8])| if fails && n == 0 { failed(row, &message.key) } else { arrived(row, ok) };
        self.list(self.range.clone().filter_map(|i| message.rows.row(i)).enumerate().map(line).map(Into::into), &mut out);
        out.extend_from_slice(b"}}");
        out
    }
}

/// A line with the result that it is there.
fn arrived(row: &[u8], ok: &str) -> Vec<u8> {
    match row.strip_suffix(b"}").filter(|_| row.len() > 2) {
        Some(open) => [open, format!(",\"returnCode\":{ok},\"returnMsg\":\"成功\"}}").as_bytes()].concat(),
        None => row.to_vec(),
    }
}

/// A line with the result that it is not: of the row only its key.
fn failed(row: &[u8], key: &[String]) -> Vec<u8> {
    let members = fields(row).map(|row| row.0).unwrap_or_default();
    let key = members.iter().filter(|(name, _)| key.contains(name)).map(|(name, value)| (name.as_str(), value.get()));
    written(key.chain([("returnCode", "500"), ("returnMsg", "\"该行数据处理中，请稍后重试\"")]))
}

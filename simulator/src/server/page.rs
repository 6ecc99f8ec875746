//! One page of a window, its rows byte for byte.

use super::hostile::{Shape, Spoilt};
use crate::platform_data::{DatasetRows, Window};

/// How many pages a window has.
pub(crate) fn page_count(window: Window, size: usize) -> usize {
    (window.to - window.from).div_ceil(size.max(1))
}

/// The `output` of an answer: page `page` (from 1) of a window.
pub(crate) fn output(rows: &DatasetRows, window: Window, size: usize, page: usize, spoilt: Spoilt, shape: Shape) -> Vec<u8> {
    let pages = page_count(window, size);
    let shift = usize::from(spoilt == Spoilt::Shifted && page > 1);
    let begin = window.from.saturating_add(page.saturating_sub(1).saturating_mul(size)).saturating_sub(shift).min(window.to);
    let end = begin.saturating_add(size).min(window.to);
    // A page behind the last is empty, also where rows have moved.
    let range = if page > pages || page == 0 { window.to..window.to } else { begin..end };
    let last = page >= pages;
    let total = match spoilt {
        Spoilt::Growing if !last => window.distinct.saturating_sub(1),
        Spoilt::Overstated if last && page <= pages => window.distinct + 1,
        _ => window.distinct,
    };
    let bare = shape.bare_object && range.len() == 1;
    let bytes: usize = range.clone().filter_map(|i| rows.row(i)).map(|r| r.len() + 1).sum();
    let mut out = Vec::with_capacity(bytes + 160);
    out.extend_from_slice(b"{\"data\":{\"returnCode\":\"200\",\"returnMsg\":\"\xE6\x88\x90\xE5\x8A\x9F\",\"dataList\":");
    if !bare {
        out.push(b'[');
    }
    for (n, row) in range.filter_map(|i| rows.row(i)).enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(row);
    }
    if !bare {
        out.push(b']');
    }
    let steady = matches!(spoilt, Spoilt::No | Spoilt::Shifted);
    let count = |n: usize| match shape {
        Shape { empty_counts: true, .. } if page > 1 && steady => "\"\"".to_owned(),
        Shape { text_counts: true, .. } => format!("\"{n}\""),
        _ => n.to_string(),
    };
    out.extend_from_slice(format!(",\"totalPageCount\":{},\"totalRecordCount\":{}}}}}", count(pages), count(total)).as_bytes());
    out
}

//! Expected rows against those that came out.

use super::file::Query;

/// What differs, line by line; nothing where all is as expected.
pub fn difference(query: &Query, mut rows: Vec<String>) -> Option<String> {
    let mut expected = query.expected.clone();
    if query.sorted {
        rows.sort();
        expected.sort();
    }
    if rows == expected {
        return None;
    }
    let mut text = format!("line {}: other rows than expected (- expected, + came out)\n{}", query.line, query.sql);
    for line in changes(&expected, &rows) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    Some(text)
}

/// The shortest way from one list to the other.
fn changes(old: &[String], new: &[String]) -> Vec<String> {
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(format!("  {}", old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("- {}", old[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", new[j]));
            j += 1;
        }
    }
    lines
}

//! Paths with `*`, `**` and `?`.

/// Whether a path matches a pattern: `*` is anything within a folder's or file's name, `**` anything at all, `?` one character.
/// `a/**/b` matches `a/b` too. Case matters.
#[must_use]
pub fn path_matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let path: Vec<char> = path.chars().collect();
    // which places of the pattern are reachable after the path so far: linear in both, whatever the pattern
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    skip_stars(&pattern, &mut places);
    for &c in &path {
        let mut next = vec![false; pattern.len() + 1];
        for (at, _) in places.iter().enumerate().filter(|(_, reached)| **reached) {
            match pattern.get(at) {
                Some('*') if is_double(&pattern, at) => next[at] = true,
                Some('*') if c != '/' => next[at] = true,
                Some('?') if c != '/' => next[at + 1] = true,
                Some(&wanted) if wanted == c && wanted != '*' && wanted != '?' => next[at + 1] = true,
                _ => {}
            }
        }
        skip_stars(&pattern, &mut next);
        places = next;
    }
    places.last().is_some_and(|reached| *reached)
}

fn is_double(pattern: &[char], at: usize) -> bool {
    pattern.get(at + 1) == Some(&'*')
}

/// A star may stand for nothing: what follows it is reachable too.
fn skip_stars(pattern: &[char], places: &mut [bool]) {
    for at in 0..pattern.len() {
        if !places[at] || pattern.get(at) != Some(&'*') {
            continue;
        }
        if is_double(pattern, at) {
            places[at + 2] = true;
            // `**/` may stand for no folder at all
            if pattern.get(at + 2) == Some(&'/') && (at == 0 || pattern.get(at - 1) == Some(&'/')) {
                places[at + 3] = true;
            }
        } else {
            places[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, path, want) in [
            ("scms/*.csv", "scms/a.csv", true),
            ("scms/*.csv", "scms/x/a.csv", false),
            ("scms/**/*.csv", "scms/x/y/a.csv", true),
            ("scms/**/*.csv", "scms/a.csv", true),
            ("**/*.csv", "a.csv", true),
            ("**", "a/b/c", true),
            ("a?.csv", "ab.csv", true),
            ("a?.csv", "a.csv", false),
            ("医院/*月报.xlsx", "医院/一月报.xlsx", true),
            ("*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(path_matches(pattern, path), want, "{pattern} {path}");
        }
    }
}

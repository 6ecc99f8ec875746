//! How a name is spelt, put aside: case, full-width and traditional forms, blanks, ornaments, the parts of a Latin name.

use yaojia_models::text::{half_width, is_invisible};

/// Lower case, ASCII for full-width forms, simplified characters, without blanks, ornaments and what nobody sees.
pub(super) fn squeeze(text: &str) -> String {
    let kept = text.chars().map(folded).filter(|c| !is_ornament(*c));
    kept.flat_map(char::to_lowercase).collect()
}

fn is_ornament(c: char) -> bool {
    matches!(c, '_' | '-' | '*' | '"' | '\'' | '`' | '.' | '·' | '、' | '/' | '\\' | '#' | '|' | ',' | '，' | '。')
        || c.is_whitespace()
        || is_invisible(c)
}

/// Full-width forms as ASCII, traditional characters of the words looked for as simplified ones.
fn folded(c: char) -> char {
    match half_width(c) {
        '電' => '电',
        '話' => '话',
        '機' => '机',
        '證' | '証' => '证',
        '號' => '号',
        '碼' => '码',
        '聯' => '联',
        '絡' => '络',
        '繫' | '係' => '系',
        '監' => '监',
        '護' => '护',
        '屬' => '属',
        '戶' => '户',
        '參' => '参',
        '醫' => '医',
        '師' => '师',
        '藥' => '药',
        '經' => '经',
        '辦' => '办',
        '員' => '员',
        '編' => '编',
        '負' => '负',
        '責' => '责',
        '審' => '审',
        '製' => '制',
        '費' => '费',
        '數' => '数',
        '額' => '额',
        '時' => '时',
        '間' => '间',
        '親' => '亲',
        '職' => '职',
        '業' => '业',
        '產' => '产',
        c => c,
    }
}

/// A name without remarks in brackets and without what stands behind a colon, and those remarks.
pub(super) fn outside_brackets(name: &str) -> (String, String) {
    let (mut depth, mut outside, mut inside) = (0_u32, String::new(), String::new());
    for c in label(name).chars() {
        match c {
            '(' | '（' | '[' | '【' | '［' | '〔' | '<' | '《' => depth += 1,
            ')' | '）' | ']' | '】' | '］' | '〕' | '>' | '》' => depth = depth.saturating_sub(1),
            c if depth == 0 => outside.push(c),
            c => inside.push(c),
        }
    }
    (outside, inside)
}

/// What stands before a colon: the rest may be a value.
pub(crate) fn label(name: &str) -> &str {
    name.split([':', '：', '︰', '﹕']).next().unwrap_or(name).trim_end()
}

/// The words of a Latin name, lower case: parted at case, digits and signs (`patnCertno`, `PATN_CERTNO`, `patient-id.card`).
pub(super) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().filter(|c| !is_invisible(*c)).map(folded).collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphabetic() {
            words.push(std::mem::take(&mut word));
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| chars.get(before)).copied().unwrap_or(' ');
        let next_is_lower = chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_is_lower)) {
            words.push(std::mem::take(&mut word));
        }
        word.push(c.to_ascii_lowercase());
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// A word written together out of known ones, parted (`patncertno` → `patn`, `certno`); itself where it is none.
pub(super) fn parted(word: &str, known: &dyn Fn(&str) -> bool) -> Vec<String> {
    fn part(rest: &str, known: &dyn Fn(&str) -> bool, out: &mut Vec<String>) -> bool {
        if rest.is_empty() {
            return true;
        }
        for end in (2..=rest.len()).rev() {
            let Some(head) = rest.get(..end).filter(|head| known(head)) else { continue };
            out.push(head.to_owned());
            if part(rest.get(end..).unwrap_or_default(), known, out) {
                return true;
            }
            out.pop();
        }
        false
    }
    let mut out = Vec::new();
    if word.is_ascii() && word.len() <= 48 && part(word, known, &mut out) { out } else { vec![word.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_names_have_words() {
        for (name, want) in [
            ("patnCertno", "patn certno"),
            ("PATN_CERTNO", "patn certno"),
            ("patient-id.card", "patient id card"),
            ("PSNName", "psn name"),
            ("patnIDNo2", "patn id no"),
            ("ｐａｔｎＮａｍｅ", "patn name"),
            ("pa\u{200b}tnName", "patn name"),
            ("患者name", "name"),
        ] {
            assert_eq!(words(name).join(" "), want, "{name}");
        }
        let known = |word: &str| ["patn", "cert", "no", "certno", "tel", "contact"].contains(&word);
        assert_eq!(parted("patncertno", &known), ["patn", "certno"]);
        assert_eq!(parted("contacttel", &known), ["contact", "tel"]);
        assert_eq!(parted("hotel", &known), ["hotel"]);
    }
}

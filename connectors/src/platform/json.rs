//! JSON that keeps its numbers as written.
//!
//! `serde_json` rewrites `1e5` as `1e+5` even with arbitrary precision, merges repeated keys and forgets the text of
//! nested values. Bronze keeps what the platform wrote, so pages are read with this strict reader (RFC 8259).

/// A JSON value; numbers and nested values by their text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// The number as written.
    Number(&'a str),
    Text(String),
    /// The elements, and the array as written.
    Array(Vec<Json<'a>>, &'a str),
    /// The members in order, repeated keys included, and the object as written.
    Object(Vec<(String, Json<'a>)>, &'a str),
}

/// Not JSON: what is wrong, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(crate) struct BadJson {
    what: &'static str,
    at: usize,
}

const MAX_DEPTH: u32 = 64;

impl<'a> Json<'a> {
    /// Reads one value and nothing after it.
    pub(crate) fn parse(text: &'a str) -> Result<Self, BadJson> {
        let mut reader = Reader { text, bytes: text.as_bytes(), at: 0 };
        let value = reader.value(0)?;
        reader.blanks();
        if reader.at == reader.bytes.len() { Ok(value) } else { Err(reader.bad("text after the value")) }
    }

    /// Null is none; text as it is; all else as written.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Json::Null => None,
            Json::Bool(true) => Some("true"),
            Json::Bool(false) => Some("false"),
            Json::Number(text) | Json::Array(_, text) | Json::Object(_, text) => Some(text),
            Json::Text(text) => Some(text),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn bad(&self, what: &'static str) -> BadJson {
        BadJson { what, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: u32) -> Result<Json<'a>, BadJson> {
        if depth > MAX_DEPTH {
            return Err(self.bad("nested too deep"));
        }
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.bad("no JSON value")),
            None => Err(self.bad("the text ends")),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, BadJson> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.bad("no JSON value"))
        }
    }

    fn object(&mut self, depth: u32) -> Result<Json<'a>, BadJson> {
        let start = self.at;
        self.at += 1;
        let mut members = Vec::new();
        self.blanks();
        if self.eat(b'}') {
            return Ok(Json::Object(members, self.since(start)));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.bad("a key is missing"));
            }
            let key = self.string()?;
            self.blanks();
            if !self.eat(b':') {
                return Err(self.bad("`:` is missing"));
            }
            members.push((key, self.value(depth + 1)?));
            self.blanks();
            if self.eat(b'}') {
                return Ok(Json::Object(members, self.since(start)));
            }
            if !self.eat(b',') {
                return Err(self.bad("`,` or `}` is missing"));
            }
        }
    }

    fn array(&mut self, depth: u32) -> Result<Json<'a>, BadJson> {
        let start = self.at;
        self.at += 1;
        let mut elements = Vec::new();
        self.blanks();
        if self.eat(b']') {
            return Ok(Json::Array(elements, self.since(start)));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.blanks();
            if self.eat(b']') {
                return Ok(Json::Array(elements, self.since(start)));
            }
            if !self.eat(b',') {
                return Err(self.bad("`,` or `]` is missing"));
            }
        }
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    fn number(&mut self) -> Result<Json<'a>, BadJson> {
        let start = self.at;
        self.eat(b'-');
        let whole = if self.eat(b'0') { true } else { self.digits() };
        let fraction = if self.eat(b'.') { self.digits() } else { true };
        let exponent = if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()
        } else {
            true
        };
        if whole && fraction && exponent { Ok(Json::Number(self.since(start))) } else { Err(self.bad("no JSON number")) }
    }

    fn string(&mut self) -> Result<String, BadJson> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1f)) {
                self.at += 1;
            }
            out.push_str(self.since(start));
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err(self.bad("a control character in a text")),
                None => return Err(self.bad("the text ends")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, BadJson> {
        let byte = self.peek().ok_or_else(|| self.bad("the text ends"))?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex4()?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    if !(self.eat(b'\\') && self.eat(b'u')) {
                        return Err(self.bad("half a surrogate pair"));
                    }
                    let second = self.hex4()?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err(self.bad("half a surrogate pair"));
                    }
                    0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| self.bad("half a surrogate pair"))?
            }
            _ => return Err(self.bad("an unknown escape")),
        })
    }

    fn hex4(&mut self) -> Result<u32, BadJson> {
        let digits = self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|text| u32::from_str_radix(text, 16).ok()).ok_or_else(|| self.bad("no hex digits"))?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_as_written() {
        for text in ["15.970", "1e5", "1E5", "1E+05", "-0", "-0.10", "0", "3420240200000000152", "123456789012345678901234567890", "1.0e-3"]
        {
            assert_eq!(Json::parse(text).unwrap().as_text(), Some(text));
        }
        for text in ["01", "1.", ".5", "+1", "1e", "-", "1_0", "NaN", "0x1"] {
            assert!(Json::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nested_values_stay_as_written() {
        let value = Json::parse(r#" { "a" : [ 1 , {"b":1e5} ], "a" : null, "c":"\u4e2d\ud83d\ude00\n" } "#).unwrap();
        let Json::Object(members, _) = &value else { panic!("not an object") };
        assert_eq!(members[0].1.as_text(), Some(r#"[ 1 , {"b":1e5} ]"#));
        assert_eq!(members[1], ("a".to_owned(), Json::Null));
        assert_eq!(members[2].1.as_text(), Some("中😀\n"));
    }

    #[test]
    fn agrees_with_serde_json_on_what_is_json() {
        let cases = [
            "",
            "{",
            "}",
            "{}",
            "[]",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "[1 2]",
            "\"a",
            "\"\t\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\udc00\"",
            "nul",
            "null",
            "true x",
            "[true,false,null]",
            "{\"a\":{\"b\":[{}]}}",
            "{a:1}",
            "'a'",
            "\"\\u00e9\"",
            "<html>",
            "{\"a\":\"中\"}",
            "\u{feff}{}",
        ];
        for case in cases {
            assert_eq!(Json::parse(case).is_ok(), serde_json::from_str::<serde_json::Value>(case).is_ok(), "{case:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000);
        assert!(Json::parse(&deep).is_err());
    }
}

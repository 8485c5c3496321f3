//! The JSON that linsock writes, read back: objects without objects in them, a line each.

/// What stands behind a name. The lines are our own: no quote of a text is without its backslash,
/// so that a name in quotes is one.
pub(crate) fn raw<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("\"{name}\":");
    let (_, value) = line.split_once(&quoted)?;
    let end = match value.strip_prefix('"') {
        Some(text) => 1 + length(text)? + 1,
        None => value.find([',', '}'])?,
    };
    value.get(..end)
}

/// A text.
pub(crate) fn word<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    raw(line, name)?.strip_prefix('"')?.strip_suffix('"')
}

/// A number.
pub(crate) fn number(line: &str, name: &str) -> Option<u64> {
    raw(line, name)?.parse().ok()
}

/// The names in somebody else's line, if it is such an object: names of small letters, no name
/// twice, and behind each a text or a number of 64 bits. Then everybody reads the same in it.
pub(crate) fn names(line: &str) -> Option<Vec<&str>> {
    let mut rest = line.strip_prefix('{')?;
    let mut names = Vec::new();
    loop {
        let (name, value) = rest.strip_prefix('"')?.split_once("\":")?;
        let is_name = name.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_');
        if !is_name || names.contains(&name) {
            return None;
        }
        names.push(name);
        rest = match value.strip_prefix('"') {
            Some(text) => &text[length(text)? + 1..],
            None => behind_number(value)?,
        };
        if rest == "}" {
            return Some(names);
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// Octets of a text, from behind the quote that begins it to the one that ends it.
fn length(text: &str) -> Option<usize> {
    let octets = text.as_bytes();
    let mut at = 0;
    loop {
        at += match octets.get(at)? {
            b'"' => return Some(at),
            b'\\' => match octets.get(at + 1)? {
                b'"' | b'\\' => 2,
                b'u' if octets.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
                _ => return None,
            },
            _ => 1,
        }
    }
}

fn behind_number(value: &str) -> Option<&str> {
    let (digits, rest) = value.split_at(value.find(|letter: char| !letter.is_ascii_digit())?);
    let is_plain = digits == "0" || !digits.starts_with('0');
    (is_plain && digits.parse::<u64>().is_ok()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_own_quote() {
        let line = r#"{"local":"a\"b\\","remote":"\u001b","unread":7}"#;
        assert_eq!(word(line, "local"), Some(r#"a\"b\\"#));
        assert_eq!(word(line, "remote"), Some(r"\u001b"));
        assert_eq!(number(line, "unread"), Some(7));
        assert_eq!(names(line).unwrap(), ["local", "remote", "unread"]);
    }

    /// RFC 8259; what linsock does not write is no line of linsock's.
    #[test]
    fn what_readers_might_take_differently_is_no_object() {
        for line in [
            "",
            "{",
            "{}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            r#"{"a":1,}"#,
            r#"{"a":1} "#,
            r#"{"a":1,"a":2}"#,
            r#"{"A":1}"#,
            r#"{"a\u0062":1}"#,
            r#"{"a":-1}"#,
            r#"{"a":01}"#,
            r#"{"a":1e9}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":[1]}"#,
            r#"{"a":null}"#,
            r#"{"a":"x}"#,
            r#"{"a":"\n"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\"#,
        ] {
            assert_eq!(names(line), None, "{line}");
        }
    }
}

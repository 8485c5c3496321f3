//! The JSON that linsock writes, read back: objects without objects in them, a line each.

/// What stands behind a name. The lines are our own: no quote of a text is without its backslash,
/// so that a name in quotes is one.
pub(crate) fn raw<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("\"{name}\":");
    let (_, value) = line.split_once(&quoted)?;
    let text = value.strip_prefix('"');
    let end = match text {
        Some(text) => 1 + text.find('"')? + 1,
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

//! Command lines, taken apart by the rules of Windows' programs.

const fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// The arguments of a command line, the program's name first.
///
/// A name ends at a blank outside quotes, and backslashes in it are ordinary (CommandLineToArgvW
/// page). In what follows quotes keep blanks; a backslash counts only before a quote, where two
/// mean one and an odd one makes the quote ordinary; two quotes inside quotes mean one (page
/// "Parsing C command-line arguments").
pub(super) fn arguments(line: &[u8]) -> Vec<Vec<u8>> {
    let (name, mut rest) = name(line);
    let mut arguments = vec![name];
    while let Some((argument, behind)) = argument(rest) {
        arguments.push(argument);
        rest = behind;
    }
    arguments
}

fn name(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut is_quoted = false;
    let mut name = Vec::new();
    for (at, &octet) in line.iter().enumerate() {
        match octet {
            b'"' => is_quoted = !is_quoted,
            blank if is_blank(blank) && !is_quoted => return (name, &line[at..]),
            octet => name.push(octet),
        }
    }
    (name, &[])
}

fn argument(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let begin = line.iter().position(|&octet| !is_blank(octet))?;
    let mut rest = &line[begin..];
    let (mut argument, mut is_quoted) = (Vec::new(), false);
    loop {
        let backslashes = rest.iter().take_while(|&&octet| octet == b'\\').count();
        rest = &rest[backslashes..];
        let before_quote = rest.first() == Some(&b'"');
        let kept = if before_quote { backslashes / 2 } else { backslashes };
        argument.extend(std::iter::repeat_n(b'\\', kept));
        match rest {
            [] => return Some((argument, rest)),
            [b'"', behind @ ..] if backslashes % 2 == 1 => {
                argument.push(b'"');
                rest = behind;
            }
            [b'"', b'"', behind @ ..] if is_quoted => {
                argument.push(b'"');
                rest = behind;
            }
            [b'"', behind @ ..] => {
                is_quoted = !is_quoted;
                rest = behind;
            }
            [blank, ..] if is_blank(*blank) && !is_quoted => return Some((argument, rest)),
            [octet, behind @ ..] => {
                argument.push(*octet);
                rest = behind;
            }
        }
    }
}

/// What the program of a command line may be called, in the order in which that is tried: what
/// stands in quotes; or everything up to the first blank, up to the second, and so on
/// (CreateProcess page).
pub(super) fn names(line: &[u8]) -> Vec<Vec<u8>> {
    let begin = line.iter().position(|&octet| !is_blank(octet)).unwrap_or(line.len());
    let line = &line[begin..];
    if let [b'"', rest @ ..] = line {
        let end = rest.iter().position(|&octet| octet == b'"').unwrap_or(rest.len());
        return vec![rest[..end].to_vec()];
    }
    let is_end = |at: usize| at > 0 && !is_blank(line[at - 1]);
    let blanks = (0..line.len()).filter(|&at| is_blank(line[at]) && is_end(at));
    let ends = blanks.chain(is_end(line.len()).then_some(line.len()));
    ends.map(|end| line[..end].to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(parts: Vec<Vec<u8>>) -> Vec<String> {
        parts.into_iter().map(|part| String::from_utf8(part).unwrap()).collect()
    }

    /// The table of the page "Parsing C command-line arguments", and what CommandLineToArgvW's says
    /// of the name.
    #[test]
    fn arguments_are_those_of_the_pages() {
        for (line, expected) in [
            (r#"p "abc" d e"#, &["p", "abc", "d", "e"][..]),
            (r#"p a\\b d"e f"g h"#, &["p", r"a\\b", "de fg", "h"]),
            (r#"p a\\\"b c d"#, &["p", r#"a\"b"#, "c", "d"]),
            (r#"p a\\\\"b c" d e"#, &["p", r"a\\b c", "d", "e"]),
            (r#"p a"b"" c d"#, &["p", r#"ab" c d"#]),
            (r#""C:\a b\p.exe"  x	"" "#, &[r"C:\a b\p.exe", "x", ""]),
            (r#"C:\dir\"quoted name".exe y"#, &[r"C:\dir\quoted name.exe", "y"]),
            (r#"p "open end"#, &["p", "open end"]),
            (r"p dir\", &["p", r"dir\"]),
            (r#"p "dir\\""#, &["p", r"dir\"]),
            ("", &[""]),
            (" x", &["", "x"]),
        ] {
            assert_eq!(texts(arguments(line.as_bytes())), expected, "{line}");
        }
    }

    /// CreateProcess page: c:\program files\sub dir\program name.
    #[test]
    fn a_name_without_quotes_is_tried_at_each_blank() {
        for (line, expected) in [
            (r#""a b" c"#, &["a b"][..]),
            ("a b  c", &["a", "a b", "a b  c"]),
            ("  a ", &["a"]),
            ("a", &["a"]),
            ("", &[]),
        ] {
            assert_eq!(texts(names(line.as_bytes())), expected, "{line}");
        }
    }
}

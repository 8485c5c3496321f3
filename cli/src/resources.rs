//! `linsock windres`: a resource compiler's place in a project's makefile.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

use crate::compiler::{self, Language};
use crate::error::Error;
use crate::locate::Installation;

/// Options of windres whose argument may be the next word (binutils' manual, windres).
const WITH_ARGUMENT: [&str; 19] = [
    "-i",
    "-J",
    "-F",
    "-I",
    "-r",
    "-D",
    "-U",
    "-c",
    "-l",
    "-O",
    "--input",
    "--input-format",
    "--output-format",
    "--target",
    "--preprocessor",
    "--preprocessor-arg",
    "--include-dir",
    "--codepage",
    "--language",
];

/// Makes the file that windres would make, as an object with nothing in it.
pub(crate) fn compile(installation: &Installation, args: &[OsString]) -> Result<ExitCode, Error> {
    let output = output(args).ok_or(Error::NoOutput)?;
    let mut words: Vec<OsString> = ["-x", "c", "-c", "/dev/null", "-o"].map(Into::into).into();
    words.push(output);
    compiler::replace(Language::C, installation, words)
}

/// Where windres would write: what an option says, or else its second operand.
fn output(args: &[OsString]) -> Option<OsString> {
    let (mut words, mut operands, mut input_is_given) = (args.iter(), Vec::new(), false);
    while let Some(word) = words.next() {
        if word == "-o" || word == "--output" {
            return words.next().cloned();
        }
        if let Some(name) = ["--output=", "-o"].iter().find_map(|option| rest(word, option)) {
            return Some(name);
        }
        input_is_given |= word == "-i" || word == "--input" || rest(word, "--input=").is_some();
        if WITH_ARGUMENT.iter().any(|option| word == option) {
            words.next();
        } else if !word.as_bytes().starts_with(b"-") {
            operands.push(word);
        }
    }
    operands.get(usize::from(!input_is_given)).map(|name| (*name).clone())
}

fn rest(word: &OsStr, option: &str) -> Option<OsString> {
    let rest = word.as_bytes().strip_prefix(option.as_bytes())?;
    Some(OsString::from_vec(rest.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// binutils' manual: `windres [options] [input-file] [output-file]`.
    #[test]
    fn the_output_is_found_as_windres_finds_it() {
        let rows: [(&str, Option<&str>); 8] = [
            ("a.rc a.o", Some("a.o")),
            ("a.rc -o b.o", Some("b.o")),
            ("--input=a.rc --output=b.o -O coff", Some("b.o")),
            ("-O coff -I include -D X=1 a.rc b.res", Some("b.res")),
            ("-Iinclude -ob.o a.rc", Some("b.o")),
            ("-i a.rc b.o", Some("b.o")),
            ("a.rc", None),
            ("-o", None),
        ];
        for (line, wanted) in rows {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            assert_eq!(output(&words), wanted.map(Into::into), "{line}");
        }
    }
}

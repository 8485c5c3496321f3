//! What the trace tells of calls: arguments, result and, where it is a failure, the last error.

use std::cell::Cell;
use std::fmt::Debug;

use linsock::iocp::trace::{self, Event, Field, Kinds};

use crate::export;
use crate::last_error::{self, Error};

/// What an argument or a result looks like.
pub(crate) type Shown<'a> = &'a dyn Debug;

thread_local! {
    /// The call that comes next is the one that is being traced.
    static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
}

/// Whether a call that begins is to be traced: then it calls itself, and tells what came of that.
/// So a call that is not traced has nothing to remember for the case that it were. Or whether it is
/// to panic, see [`crate::export::is_panic_due`].
#[inline]
pub(crate) fn is_due() -> bool {
    trace::wants(Kinds::CALLS.and(Kinds::QUESTIONS)) && begins()
}

#[cold]
fn begins() -> bool {
    last_error::take_failure();
    export::is_panic_set() || trace::wants(Kinds::CALLS) && !UNDER_WAY.replace(!UNDER_WAY.get())
}

/// Does what is rarely done, out of the way of what is not.
#[cold]
#[inline(never)]
pub(crate) fn apart<R>(rare: impl FnOnce() -> R) -> R {
    rare()
}

/// Traces a call that is over: its arguments and its result, each with the name of its type. The
/// thread's last error stays as it is.
pub(crate) fn call(name: &'static str, arguments: &[(&str, Shown<'_>)], result: (&str, Shown<'_>)) {
    let failed = last_error::take_failure();
    let error = last_error::get();
    let listed: Vec<_> = arguments.iter().map(|shown| text(*shown)).collect();
    let listed = listed.join(", ");
    let result = text(result);
    let because = if failed { why(error) } else { String::new() };
    let fields = [
        ("function", Field::Text(&name)),
        ("arguments", Field::Text(&listed)),
        ("result", Field::Text(&result)),
        ("error", Field::Number(if failed { error.into() } else { 0 })),
    ];
    let text = format_args!("{name}({listed}) = {result}{because}");
    trace::tell(Event { name: "call", of: None, text, fields: &fields });
    last_error::set(error);
}

/// As the program has it: handles as everywhere in the trace, everything else as Rust shows it.
fn text((name, shown): (&str, Shown<'_>)) -> String {
    match name {
        "SOCKET" | "HANDLE" => format!("{shown:#x?}"),
        _ => format!("{shown:?}"),
    }
}

fn why(error: u32) -> String {
    match Error(error).name() {
        Some(name) => format!(" ({name})"),
        None => format!(" ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_look_as_everywhere_and_numbers_as_they_are() {
        assert_eq!(text(("SOCKET", &0x40_0008usize)), "0x400008");
        assert_eq!(text(("DWORD", &20_000u32)), "20000");
        assert_eq!(text(("*const c_void", &std::ptr::null::<u8>())), "0x0");
    }

    #[test]
    fn errors_have_their_names_where_there_is_one() {
        assert_eq!(why(10054), " (WSAECONNRESET)");
        assert_eq!(why(997), " (ERROR_IO_PENDING)");
        assert_eq!(why(4242), " (4242)");
    }
}

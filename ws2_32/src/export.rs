//! The one macro that exports a function, and the boundary that every exported function has.
//!
//! The boundary catches panics (the call fails with WSASYSCALLFAILURE and the process goes on),
//! checks WSAStartup where Winsock wants it, and turns a failure into the last error and the
//! function's failure value.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use linsock::iocp::trace;

use crate::last_error::{self, Error};

/// The result of an exported function's body.
pub type Outcome<R> = Result<R, Error>;

static PANIC_NEXT: AtomicBool = AtomicBool::new(false);

/// Runs a function's body behind the boundary.
#[inline]
pub fn guard<R>(failure: R, body: impl FnOnce() -> Outcome<R>) -> R {
    let error = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => return value,
        Ok(Err(error)) => error,
        Err(_panic) => Error::WSASYSCALLFAILURE,
    };
    last_error::fail(error);
    failure
}

/// As [`guard`], for the functions of Winsock that need WSAStartup first.
#[inline]
pub fn guard_started<R>(failure: R, body: impl FnOnce() -> Outcome<R>) -> R {
    guard(failure, || {
        if linsock::startup::is_started() { body() } else { Err(Error::WSANOTINITIALISED) }
    })
}

/// Whether a panic waits for a call.
pub(crate) fn is_panic_set() -> bool {
    PANIC_NEXT.load(Ordering::Relaxed)
}

/// Whether the call is the one that is to panic.
pub(crate) fn is_panic_due() -> bool {
    trace::ask(false);
    PANIC_NEXT.swap(false, Ordering::Relaxed)
}

/// What becomes of that call.
pub(crate) fn panic<R>() -> Outcome<R> {
    panic!("forced by linsock_panic_in_next_call");
}

/// Exports functions.
///
/// `winsock fn` needs WSAStartup; `fn` does not. `as "…"` gives the symbol where glibc has the
/// name. After `fail` stands what the function returns when its body gives an error or panics.
macro_rules! export {
    () => {};
    (
        $(#[$meta:meta])*
        winsock fn $name:ident $(as $symbol:literal)? ($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty,
        fail $failure:expr;
        $body:block
        $($rest:tt)*
    ) => {
        export! {
            @one guard_started [$(#[$meta])*]
            $name [$($symbol)?] ($($arg: $ty),*) $ret, $failure, $body
        }
        export! { $($rest)* }
    };
    (
        $(#[$meta:meta])*
        fn $name:ident $(as $symbol:literal)? ($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty,
        fail $failure:expr;
        $body:block
        $($rest:tt)*
    ) => {
        export! {
            @one guard [$(#[$meta])*]
            $name [$($symbol)?] ($($arg: $ty),*) $ret, $failure, $body
        }
        export! { $($rest)* }
    };
    (
        @one $guard:ident [$($meta:tt)*]
        $name:ident [] ($($arg:ident: $ty:ty),*) $ret:ty, $failure:expr, $body:block
    ) => {
        $($meta)*
        // SAFETY: the name is Windows' and glibc has none like it (a test compares the lists).
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $name($($arg: $ty),*) -> $ret {
            if $crate::trace::is_due() {
                return $crate::trace::apart(move || {
                    if $crate::export::is_panic_due() {
                        return $crate::export::guard($failure, || $crate::export::panic());
                    }
                    // SAFETY: the same call, once more: what holds of the arguments holds still.
                    let result = unsafe { $name($($arg),*) };
                    let arguments = [$((stringify!($ty), &$arg as $crate::trace::Shown<'_>)),*];
                    let told = (stringify!($ret), &result as $crate::trace::Shown<'_>);
                    $crate::trace::call(stringify!($name), &arguments, told);
                    result
                });
            }
            $crate::export::$guard($failure, move || $body)
        }
    };
    (
        @one $guard:ident [$($meta:tt)*]
        $name:ident [$symbol:literal] ($($arg:ident: $ty:ty),*) $ret:ty, $failure:expr, $body:block
    ) => {
        $($meta)*
        // SAFETY: the prefix keeps the symbol apart from glibc's.
        #[allow(unsafe_code)]
        #[unsafe(export_name = $symbol)]
        pub unsafe extern "system" fn $name($($arg: $ty),*) -> $ret {
            if $crate::trace::is_due() {
                return $crate::trace::apart(move || {
                    if $crate::export::is_panic_due() {
                        return $crate::export::guard($failure, || $crate::export::panic());
                    }
                    // SAFETY: the same call, once more: what holds of the arguments holds still.
                    let result = unsafe { $name($($arg),*) };
                    let arguments = [$((stringify!($ty), &$arg as $crate::trace::Shown<'_>)),*];
                    let told = (stringify!($ret), &result as $crate::trace::Shown<'_>);
                    $crate::trace::call(stringify!($name), &arguments, told);
                    result
                });
            }
            $crate::export::$guard($failure, move || $body)
        }
    };
}
pub(crate) use export;

export! {
    /// Makes the next exported call of any thread panic inside, for the test that shows that a
    /// panic becomes an error.
    fn linsock_panic_in_next_call() -> i32, fail 0; {
        PANIC_NEXT.store(true, Ordering::Relaxed);
        trace::ask(true);
        Ok(0)
    }
}

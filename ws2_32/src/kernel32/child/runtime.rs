//! The C runtime's ways to start a program: _spawn and its kin, and _cwait.

use std::ptr::null;

use linsock::iocp::clock::Deadline;
use rustix::io::Errno;

use super::super::object::{close, no_access, wait_for, waitable};
use super::create::{Created, DETACHED_PROCESS, Request, c_path, c_texts, create, refusal};
use super::{PROCESS_QUERY_INFORMATION, environment, exit_code, line, process, program};
use crate::abi::{HANDLE, INVALID_HANDLE_VALUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// What becomes of the caller (process.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It waits for the end: _P_WAIT.
    Waits,
    /// It goes on, and has a handle: _P_NOWAIT, _P_NOWAITO.
    GoesOn,
    /// The new program takes its place: _P_OVERLAY.
    IsReplaced,
    /// It goes on, and the new process is on its own: _P_DETACH.
    Leaves,
}

impl Mode {
    const fn new(number: i32) -> Outcome<Self> {
        match number {
            0 => Ok(Self::Waits),
            1 | 3 => Ok(Self::GoesOn),
            2 => Ok(Self::IsReplaced),
            4 => Ok(Self::Leaves),
            _ => Err(Error::ERROR_INVALID_PARAMETER),
        }
    }
}

/// What the C runtime's callers look at.
fn set_errno(errno: Errno) {
    // SAFETY: gives the address of the thread's errno.
    let at = unsafe { libc::__errno_location() };
    // SAFETY: it is the thread's own.
    unsafe { at.write(errno.raw_os_error()) };
}

const fn errno_of(error: Error) -> Errno {
    match error {
        Error::ERROR_FILE_NOT_FOUND | Error::ERROR_PATH_NOT_FOUND => Errno::NOENT,
        Error::ERROR_BAD_EXE_FORMAT => Errno::NOEXEC,
        Error::ERROR_FILENAME_EXCED_RANGE => Errno::TOOBIG,
        Error::ERROR_TOO_MANY_OPEN_FILES => Errno::MFILE,
        Error::ERROR_NOT_ENOUGH_MEMORY => Errno::NOMEM,
        Error::ERROR_ACCESS_DENIED => Errno::ACCESS,
        Error::ERROR_INVALID_HANDLE | Error::ERROR_NOT_SUPPORTED => Errno::CHILD,
        _ => Errno::INVAL,
    }
}

fn with_errno<T>(outcome: Outcome<T>) -> Outcome<T> {
    outcome.inspect_err(|error| set_errno(errno_of(*error)))
}

/// Texts behind pointers, of which the last is null.
fn texts(mut at: *const *mut u8) -> Outcome<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    loop {
        let text = ptr::read(at).map_err(no_access)?;
        if text.is_null() {
            return Ok(texts);
        }
        texts.push(ptr::read_cstr(text).map_err(no_access)?);
        at = at.wrapping_add(1);
    }
}

/// What a program gives: its name, its arguments, its environment, and whether to look for it.
#[derive(Clone, Copy)]
struct Call {
    mode: i32,
    name: *const u8,
    arguments: *const *mut u8,
    environment: *const *mut u8,
    is_searched: bool,
}

fn request(call: &Call, mode: Mode) -> Outcome<Request> {
    let program = program::find_named(&ptr::read_cstr(call.name)?, call.is_searched)?;
    let arguments = texts(call.arguments)?;
    if arguments.first().is_none_or(Vec::is_empty) {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let environment = (!call.environment.is_null()).then(|| texts(call.environment));
    Ok(Request {
        application: Some(program.into_os_string().into_encoded_bytes()),
        // "The arguments are concatenated" (page "_spawn, _wspawn functions").
        line: Some(arguments.join(&b' ')),
        inherits: true,
        flags: if mode == Mode::Leaves { DETACHED_PROCESS } else { 0 },
        environment: environment.transpose()?,
        directory: None,
        streams: None,
    })
}

/// Gives the process to another program; comes back only if that cannot be.
fn replace(request: Request) -> Error {
    let replace = || {
        let program = request.application.unwrap_or_default();
        let program = c_path(std::os::unix::ffi::OsStrExt::from_bytes(program.as_slice()))?;
        let arguments = c_texts(line::arguments(&request.line.unwrap_or_default()))?;
        let environment = c_texts(request.environment.unwrap_or_else(environment::own))?;
        let pointers = |texts: &[std::ffi::CString]| -> Vec<_> {
            texts.iter().map(|text| text.as_ptr()).chain([null()]).collect()
        };
        let (arguments, environment) = (pointers(&arguments), pointers(&environment));
        // SAFETY: texts and lists that end with zeros.
        unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
        let errno = std::io::Error::last_os_error();
        Err(refusal(Errno::from_io_error(&errno).unwrap_or(Errno::ACCESS)))
    };
    let replaced: Outcome<()> = replace();
    replaced.err().unwrap_or(Error::ERROR_GEN_FAILURE)
}

/// Waits for a process and gives its exit code.
fn code_of(handle: HANDLE) -> Outcome<i32> {
    let process = process(handle, PROCESS_QUERY_INFORMATION)?;
    let end = waitable(handle).ok_or(Error::ERROR_INVALID_HANDLE)?;
    wait_for(&end, Deadline::Never, false);
    Ok(exit_code(&process)?.cast_signed())
}

fn spawn(call: &Call) -> Outcome<HANDLE> {
    let mode = Mode::new(call.mode)?;
    let request = request(call, mode)?;
    if mode == Mode::IsReplaced {
        return Err(replace(request));
    }
    let Created { process, thread, .. } = create(&request)?;
    close(thread)?;
    match mode {
        Mode::GoesOn => Ok(process),
        Mode::Leaves | Mode::IsReplaced => close(process).map(|()| 0),
        Mode::Waits => {
            let code = code_of(process);
            close(process)?;
            // An intptr_t, which keeps the sign of the int.
            Ok(isize::try_from(code?).unwrap_or(-1).cast_unsigned())
        }
    }
}

export! {
    /// Starts a program: _P_WAIT (0) waits for it and gives its exit code, _P_NOWAIT (1) gives a
    /// handle for _cwait, _P_OVERLAY (2) puts it in the place of this one, _P_DETACH (4) gives 0.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/spawnv-wspawnv>
    ///
    /// The arguments are put together with blanks, and taken apart as any command line: one that
    /// has blanks is to be quoted by the program. The name may lack its ".exe". Blocks until the
    /// program has begun, and until its end if that is asked for.
    ///
    /// # Errors
    /// -1 with errno EINVAL (the mode; no argument, or an empty first one; a bad pointer), ENOENT,
    /// EACCES, ENOEXEC, E2BIG, ENOMEM, EMFILE.
    ///
    /// # Differs from Windows
    /// As CreateProcess. With _P_OVERLAY the new program keeps the number of the process, and has
    /// none of its handles.
    fn _spawnv(mode: i32, cmdname: *const u8, argv: *const *mut u8) -> HANDLE,
    fail INVALID_HANDLE_VALUE; {
        let (name, arguments) = (cmdname, argv);
        with_errno(spawn(&Call { mode, name, arguments, environment: null(), is_searched: false }))
    }

    /// As [`_spawnv`], with an environment; NULL is that of this process.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/spawnve-wspawnve>
    ///
    /// # Differs from Windows
    /// As _spawnv.
    fn _spawnve(
        mode: i32,
        cmdname: *const u8,
        argv: *const *mut u8,
        envp: *const *mut u8,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        let (name, arguments, environment) = (cmdname, argv, envp);
        with_errno(spawn(&Call { mode, name, arguments, environment, is_searched: false }))
    }

    /// As [`_spawnv`]; looks for the program as CreateProcess does.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/spawnvp-wspawnvp>
    ///
    /// # Differs from Windows
    /// As _spawnv.
    fn _spawnvp(mode: i32, cmdname: *const u8, argv: *const *mut u8) -> HANDLE,
    fail INVALID_HANDLE_VALUE; {
        let (name, arguments) = (cmdname, argv);
        with_errno(spawn(&Call { mode, name, arguments, environment: null(), is_searched: true }))
    }

    /// As [`_spawnvp`], with an environment; NULL is that of this process.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/spawnvpe-wspawnvpe>
    ///
    /// # Differs from Windows
    /// As _spawnv.
    fn _spawnvpe(
        mode: i32,
        cmdname: *const u8,
        argv: *const *mut u8,
        envp: *const *mut u8,
    ) -> HANDLE, fail INVALID_HANDLE_VALUE; {
        let (name, arguments, environment) = (cmdname, argv, envp);
        with_errno(spawn(&Call { mode, name, arguments, environment, is_searched: true }))
    }

    /// Waits for the end of a process that _spawn has given a handle of; gives the handle, which is
    /// closed, and the exit code if there is a place for it. The action is not looked at.
    ///
    /// <https://learn.microsoft.com/cpp/c-runtime-library/reference/cwait>
    ///
    /// # Errors
    /// -1 with errno ECHILD for what is no process, EINVAL for a bad pointer.
    ///
    /// # Differs from Windows
    /// That the handle is closed is our choice; the page does not say who does that.
    fn _cwait(termstat: *mut i32, procHandle: HANDLE, action: i32) -> HANDLE,
    fail INVALID_HANDLE_VALUE; {
        let _ = action;
        let wait = || {
            ptr::check_writable_opt(termstat)?;
            let code = code_of(procHandle)?;
            ptr::write_opt(termstat, code)?;
            close(procHandle)?;
            Ok(procHandle)
        };
        with_errno(wait())
    }
}

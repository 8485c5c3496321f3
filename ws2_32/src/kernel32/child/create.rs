//! CreateProcess: what a program asks for, and what that is on Linux.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

use linsock::iocp::stream::Descriptor;
use linsock::iocp::stream::Standard;
use linsock::socket::Socket;
use rustix::fs::{OFlags, SeekFrom, fcntl_getfl, fcntl_setfl, seek};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

use super::super::disk::path_of;
use super::super::inherit::{self, Inheritable, Inheritance};
use super::super::object::{close, enter, no_access};
use super::super::sheet::{Sheet, VARIABLE};
use super::super::standard;
use super::spawn::{Group, Passed, Plan, make};
use super::{
    FirstThread, Kinship, PROCESS_ALL_ACCESS, Process, enter_seen, environment, line, program,
    watch,
};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr::{self, Out};
use crate::wide::{Unit, read_text_opt};

use linsock::iocp::handle::Object;

const CREATE_SUSPENDED: u32 = 0x0000_0004;
pub(super) const DETACHED_PROCESS: u32 = 0x0000_0008;
const CREATE_NEW_CONSOLE: u32 = 0x0000_0010;
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
const CREATE_UNICODE_ENVIRONMENT: u32 = 0x0000_0400;
/// Priority classes; CREATE_SEPARATE_WOW_VDM and CREATE_SHARED_WOW_VDM; INHERIT_PARENT_AFFINITY;
/// CREATE_BREAKAWAY_FROM_JOB; CREATE_PRESERVE_CODE_AUTHZ_LEVEL; CREATE_DEFAULT_ERROR_MODE;
/// CREATE_NO_WINDOW.
const WITHOUT_EFFECT: u32 = 0x0000_0020
    | 0x0000_0040
    | 0x0000_0080
    | 0x0000_0100
    | 0x0000_0800
    | 0x0000_1000
    | 0x0000_4000
    | 0x0000_8000
    | 0x0001_0000
    | 0x0100_0000
    | 0x0200_0000
    | 0x0400_0000
    | 0x0800_0000;
/// DEBUG_PROCESS, DEBUG_ONLY_THIS_PROCESS, CREATE_PROTECTED_PROCESS, EXTENDED_STARTUPINFO_PRESENT,
/// CREATE_SECURE_PROCESS.
const NOT_SUPPORTED: u32 = 0x0000_0001 | 0x0000_0002 | 0x0004_0000 | 0x0008_0000 | 0x0040_0000;

const STARTF_USESTDHANDLES: u32 = 0x0000_0100;

/// STARTUPINFO, either form: of it the flags and the handles count.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StartupInfo {
    size: u32,
    texts: [usize; 3],
    /// dwX to dwFillAttribute.
    window: [u32; 7],
    flags: u32,
    show: [u16; 2],
    reserved: usize,
    streams: [HANDLE; 3],
}

/// PROCESS_INFORMATION.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ProcessInformation {
    process: HANDLE,
    thread: HANDLE,
    process_id: u32,
    thread_id: u32,
}

const _: () = {
    assert!(size_of::<StartupInfo>() == 104 && size_of::<ProcessInformation>() == 24);
    assert!(std::mem::offset_of!(StartupInfo, flags) == 60);
    assert!(std::mem::offset_of!(StartupInfo, streams) == 80);
};

// SAFETY: integers only, so every bit pattern is valid.
unsafe impl ptr::Plain for StartupInfo {}

/// What this process was started with, as far as it is known.
fn own_startup() -> StartupInfo {
    let streams = standard::ALL.map(standard::handle_of);
    StartupInfo {
        size: 104,
        texts: [0; 3],
        window: [0; 7],
        flags: STARTF_USESTDHANDLES,
        show: [0; 2],
        reserved: 0,
        streams,
    }
}

/// What a program asks for.
pub(super) struct Request {
    pub(super) application: Option<Vec<u8>>,
    pub(super) line: Option<Vec<u8>>,
    pub(super) inherits: bool,
    pub(super) flags: u32,
    /// "NAME=value", each; without it, that of this process.
    pub(super) environment: Option<Vec<Vec<u8>>>,
    pub(super) directory: Option<PathBuf>,
    /// The handles of the standard streams, if they are not to be those of this process.
    pub(super) streams: Option<[HANDLE; 3]>,
}

/// A new process: handles of it and its first thread, and its number.
pub(super) struct Created {
    pub(super) process: HANDLE,
    pub(super) thread: HANDLE,
    id: u32,
}

fn check_flags(flags: u32) -> Outcome<()> {
    const KNOWN: u32 = CREATE_SUSPENDED
        | DETACHED_PROCESS
        | CREATE_NEW_CONSOLE
        | CREATE_NEW_PROCESS_GROUP
        | CREATE_UNICODE_ENVIRONMENT
        | WITHOUT_EFFECT;
    let both = DETACHED_PROCESS | CREATE_NEW_CONSOLE;
    if flags & both == both || flags & !(KNOWN | NOT_SUPPORTED) != 0 {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    if flags & NOT_SUPPORTED != 0 { Err(Error::ERROR_NOT_SUPPORTED) } else { Ok(()) }
}

const fn group(flags: u32) -> Group {
    if flags & DETACHED_PROCESS != 0 {
        Group::Detached
    } else if flags & CREATE_NEW_PROCESS_GROUP != 0 {
        Group::New
    } else {
        Group::Same
    }
}

/// Texts as execve takes them: none has a zero in it, for they came with one at their ends.
pub(super) fn c_texts(texts: Vec<Vec<u8>>) -> Outcome<Vec<CString>> {
    let text = |text| CString::new(text).map_err(|_| Error::ERROR_INVALID_PARAMETER);
    texts.into_iter().map(text).collect()
}

pub(super) fn c_path(path: &OsStr) -> Outcome<CString> {
    CString::new(path.as_bytes()).map_err(|_| Error::ERROR_INVALID_PARAMETER)
}

fn too_many(_: Errno) -> Error {
    Error::ERROR_TOO_MANY_OPEN_FILES
}

/// What a process reads and writes as a stream if its handle is good for nothing.
fn nothing() -> Outcome<OwnedFd> {
    let open = File::options().read(true).write(true).open("/dev/null");
    let open = open.map_err(|_| Error::ERROR_TOO_MANY_OPEN_FILES)?;
    fcntl_dupfd_cloexec(&open, 3).map_err(too_many)
}

/// A file goes on where this process is: its position here is not the descriptor's.
fn move_on(object: &Inheritable) {
    if let Inheritable::Disk(file) = object {
        let position = *file.position();
        let _ = seek(object.fd(), SeekFrom::Start(position));
        if !file.access().write
            && file.access().append
            && let Ok(flags) = fcntl_getfl(object.fd())
        {
            let _ = fcntl_setfl(object.fd(), flags | OFlags::APPEND);
        }
    }
}

/// The descriptor that stands for a handle as a standard stream. "The handles must be inheritable"
/// (STARTUPINFO page); those that GetStdHandle gave are always good.
fn stream_of(handle: HANDLE, inherits: bool, inheritance: &Inheritance) -> Outcome<OwnedFd> {
    if let (Some(fd), Ok(socket)) = (inheritance.socket(handle), Socket::from_value(handle)) {
        return stream_of_socket(&socket, fd);
    }
    let Some(object) = Inheritable::of(handle) else { return nothing() };
    if !(object.is_standard() || inherits && inherit::get(handle)) {
        return nothing();
    }
    move_on(&object);
    fcntl_dupfd_cloexec(object.fd(), 3).map_err(too_many)
}

/// A connection as a standard stream: who reads and writes it as a file waits, as at a pipe.
fn stream_of_socket(socket: &Socket, fd: BorrowedFd<'_>) -> Outcome<OwnedFd> {
    let fd = fcntl_dupfd_cloexec(fd, 3).map_err(too_many)?;
    // Nothing here depends on it: each transfer says for itself that it does not wait, or looks.
    if (socket.is_datagram() || socket.link().is_some())
        && let Ok(flags) = fcntl_getfl(&fd)
    {
        let _ = fcntl_setfl(&fd, flags - OFlags::NONBLOCK);
    }
    Ok(fd)
}

/// The handles of the standard streams, if somebody has said which.
fn chosen(request: &Request) -> [Option<HANDLE>; 3] {
    request.streams.map_or_else(|| standard::ALL.map(standard::chosen), |given| given.map(Some))
}

fn stream(
    standard: Standard,
    chosen: Option<HANDLE>,
    inherits: bool,
    inheritance: &Inheritance,
) -> Outcome<OwnedFd> {
    if let Some(handle) = chosen {
        return stream_of(handle, inherits, inheritance);
    }
    match fcntl_dupfd_cloexec(Descriptor::Standard(standard).as_fd(), 3) {
        Err(Errno::BADF) => nothing(),
        fd => fd.map_err(too_many),
    }
}

/// Whether it is the variable that tells where the sheet is.
fn is_sheets(entry: &[u8]) -> bool {
    entry.strip_prefix(VARIABLE.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
}

fn plan(request: &Request, inheritance: &Inheritance, sheet: &Sheet) -> Outcome<Plan> {
    let program = program::find(request.application.as_deref(), request.line.as_deref())?;
    let line = request.line.as_deref().or(request.application.as_deref()).unwrap_or_default();
    let mut environment = request.environment.clone().unwrap_or_else(environment::own);
    let [input, output, error] = standard::ALL;
    let [to_input, to_output, to_error] = chosen(request);
    environment.retain(|entry| !is_sheets(entry));
    environment.push(sheet.variable()?.into_vec());
    let mut passed = inheritance.descriptors();
    passed.push(sheet.fd());
    if request.directory.as_ref().is_some_and(|directory| !directory.is_dir()) {
        return Err(Error::ERROR_DIRECTORY);
    }
    let directory = request.directory.as_ref().map(|directory| c_path(directory.as_os_str()));
    Ok(Plan {
        program: c_path(program.as_os_str())?,
        arguments: c_texts(line::arguments(line))?,
        environment: c_texts(environment)?,
        directory: directory.transpose()?,
        streams: [
            stream(input, to_input, request.inherits, inheritance)?,
            stream(output, to_output, request.inherits, inheritance)?,
            stream(error, to_error, request.inherits, inheritance)?,
        ],
        passed: if request.inherits { Passed::These(passed) } else { Passed::Only(passed) },
        group: group(request.flags),
        is_suspended: request.flags & CREATE_SUSPENDED != 0,
    })
}

pub(super) fn refusal(errno: Errno) -> Error {
    match errno {
        Errno::NOENT => Error::ERROR_FILE_NOT_FOUND,
        Errno::NOTDIR => Error::ERROR_PATH_NOT_FOUND,
        Errno::NOEXEC => Error::ERROR_BAD_EXE_FORMAT,
        Errno::TOOBIG => Error::ERROR_FILENAME_EXCED_RANGE,
        Errno::MFILE | Errno::NFILE => Error::ERROR_TOO_MANY_OPEN_FILES,
        Errno::NOMEM | Errno::AGAIN => Error::ERROR_NOT_ENOUGH_MEMORY,
        Errno::SRCH => Error::ERROR_GEN_FAILURE,
        _ => Error::ERROR_ACCESS_DENIED,
    }
}

/// Both handles of a new process, or none.
fn enter_both(process: &Arc<Process>) -> Outcome<(HANDLE, HANDLE)> {
    watch::watch(process)?;
    let handle = enter_seen(Arc::clone(process), PROCESS_ALL_ACCESS)?;
    match enter(Object::Other(Arc::new(FirstThread(Arc::clone(process))))) {
        Ok(thread) => Ok((handle, thread)),
        Err(error) => {
            close(handle)?;
            Err(error)
        }
    }
}

pub(super) fn create(request: &Request) -> Outcome<Created> {
    check_flags(request.flags)?;
    // Held until the process has begun: nobody closes what it is to have.
    let mut inheritance =
        if request.inherits { Inheritance::of_all()? } else { Inheritance::default() };
    inheritance.become_streams(chosen(request));
    let sheet = Sheet::new(&inheritance.list())?;
    let plan = plan(request, &inheritance, &sheet)?;
    let waiting = make(&plan).map_err(refusal)?;
    let (kept, gate) =
        if plan.is_suspended { (Some(waiting.gate), None) } else { (None, Some(waiting.gate)) };
    let id = waiting.id;
    let process = Process::new(id, waiting.hold, Kinship::Child(sheet), kept);
    let (handle, thread) = enter_both(&process).inspect_err(|_| process.abandon())?;
    if let Some(gate) = gate {
        gate.open();
        if let Err(errno) = waiting.reports.begun() {
            close(handle)?;
            close(thread)?;
            return Err(refusal(errno));
        }
    }
    inheritance.has_left();
    Ok(Created { process: handle, thread, id: process.id() })
}

/// The arguments of both functions.
struct Arguments<U> {
    application: *const U,
    line: *const U,
    attributes: [*const u8; 2],
    inherits: BOOL,
    flags: u32,
    environment: *const u8,
    directory: *const U,
    startup: *const StartupInfo,
    told: *mut ProcessInformation,
}

fn create_by<U: Unit>(arguments: &Arguments<U>) -> Outcome<BOOL> {
    let text = |at| {
        read_text_opt::<U>(at).map_err(|error| match error {
            Error::WSAEFAULT => Error::ERROR_NOACCESS,
            _ => Error::ERROR_INVALID_PARAMETER,
        })
    };
    for attributes in arguments.attributes {
        // The handles of processes and threads are never inherited.
        inherit::is_asked_for(attributes)?;
    }
    let told = Out::new(arguments.told).map_err(no_access)?;
    let directory = match arguments.directory.is_null() {
        true => None,
        false => Some(path_of(arguments.directory).map_err(|error| match error {
            Error::ERROR_PATH_NOT_FOUND => Error::ERROR_DIRECTORY,
            other => other,
        })?),
    };
    let startup = ptr::read(arguments.startup).map_err(no_access)?;
    let environment = (!arguments.environment.is_null()).then(|| {
        let is_wide = arguments.flags & CREATE_UNICODE_ENVIRONMENT != 0;
        environment::given(arguments.environment, is_wide)
    });
    let request = Request {
        application: text(arguments.application)?,
        line: text(arguments.line)?,
        inherits: arguments.inherits != 0,
        flags: arguments.flags,
        environment: environment.transpose()?,
        directory,
        streams: (startup.flags & STARTF_USESTDHANDLES != 0).then_some(startup.streams),
    };
    let Created { process, thread, id } = create(&request)?;
    told.put(ProcessInformation { process, thread, process_id: id, thread_id: id });
    Ok(TRUE)
}

export! {
    /// Starts a program in a process of its own, and gives the process and its first thread
    /// handles, which are both signaled by its end.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessa>
    ///
    /// The program is the application's name or, without one, the first word of the command line,
    /// which is looked for in the directory of this program, in the current one and in PATH, also
    /// with ".exe" if it has no extension. The command line is taken apart by the rules of Windows'
    /// C runtime. With bInheritHandles the new process has the handles that are inherited, under
    /// the same values if it is linked with this library; STARTF_USESTDHANDLES gives it standard
    /// streams, otherwise it has those of this process. CREATE_SUSPENDED holds it until
    /// ResumeThread.
    ///
    /// Waits until the program has begun, or was found not to be one.
    ///
    /// # Errors
    /// ERROR_INVALID_PARAMETER (no name at all; unknown flags; DETACHED_PROCESS with
    /// CREATE_NEW_CONSOLE), ERROR_NOT_SUPPORTED (debugging, protected processes, attribute lists),
    /// ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY,
    /// ERROR_NOACCESS, ERROR_TOO_MANY_OPEN_FILES, ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// A ".exe" at the end of a name is left out if there is no such file, and a name without it is
    /// tried first; files that nobody may execute are passed over. The numbers of the
    /// process and its thread are both Linux's of the process. Sockets, pipes, disk files and
    /// standard streams are inherited; a disk file has a position of its own in the new process,
    /// and a socket a state as WSADuplicateSocket says. Sockets that nothing was done with, those
    /// that are being connected or disconnected and those of ISO transport stay here. A connection
    /// as a standard stream is one that GetStdHandle does not give as a socket. Without
    /// bInheritHandles no descriptor but the standard streams is passed on, with it also those that
    /// the program has opened without O_CLOEXEC.
    /// CREATE_NEW_PROCESS_GROUP makes a process group, DETACHED_PROCESS a session; priorities,
    /// windows, consoles and jobs have no effect. One that was created suspended and turns out to
    /// be no program ends with the code 127 when it is resumed; one that is suspended still when
    /// this process ends, ends with it. A program that ignores SIGCHLD, or
    /// waits for any child, may collect the process itself; then its exit code is known where
    /// GetExitCodeProcess tells that of others.
    fn CreateProcessA(
        lpApplicationName: *const u8,
        lpCommandLine: *mut u8,
        lpProcessAttributes: *const u8,
        lpThreadAttributes: *const u8,
        bInheritHandles: BOOL,
        dwCreationFlags: u32,
        lpEnvironment: *const u8,
        lpCurrentDirectory: *const u8,
        lpStartupInfo: *const StartupInfo,
        lpProcessInformation: *mut ProcessInformation,
    ) -> BOOL, fail FALSE; {
        create_by(&Arguments {
            application: lpApplicationName,
            line: lpCommandLine.cast_const(),
            attributes: [lpProcessAttributes, lpThreadAttributes],
            inherits: bInheritHandles,
            flags: dwCreationFlags,
            environment: lpEnvironment,
            directory: lpCurrentDirectory,
            startup: lpStartupInfo,
            told: lpProcessInformation,
        })
    }

    /// As [`CreateProcessA`], of texts in UTF-16; the command line is not changed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw>
    ///
    /// # Differs from Windows
    /// As CreateProcessA.
    fn CreateProcessW(
        lpApplicationName: *const u16,
        lpCommandLine: *mut u16,
        lpProcessAttributes: *const u8,
        lpThreadAttributes: *const u8,
        bInheritHandles: BOOL,
        dwCreationFlags: u32,
        lpEnvironment: *const u8,
        lpCurrentDirectory: *const u16,
        lpStartupInfo: *const StartupInfo,
        lpProcessInformation: *mut ProcessInformation,
    ) -> BOOL, fail FALSE; {
        create_by(&Arguments {
            application: lpApplicationName,
            line: lpCommandLine.cast_const(),
            attributes: [lpProcessAttributes, lpThreadAttributes],
            inherits: bInheritHandles,
            flags: dwCreationFlags,
            environment: lpEnvironment,
            directory: lpCurrentDirectory,
            startup: lpStartupInfo,
            told: lpProcessInformation,
        })
    }

    /// Tells with which streams the process was started; everything else of the structure is 0.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getstartupinfow>
    ///
    /// A pointer that is not valid does nothing, and the last error is ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The structure holds what a program can use: no texts, no window.
    fn GetStartupInfoA(lpStartupInfo: *mut StartupInfo) -> (), fail (); {
        ptr::write(lpStartupInfo, own_startup()).map_err(no_access)
    }

    /// As [`GetStartupInfoA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getstartupinfow>
    ///
    /// # Differs from Windows
    /// As GetStartupInfoA.
    fn GetStartupInfoW(lpStartupInfo: *mut StartupInfo) -> (), fail (); {
        ptr::write(lpStartupInfo, own_startup()).map_err(no_access)
    }
}

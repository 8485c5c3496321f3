//! Windows services: a program that runs as one runs as a service of systemd, of `Type=notify`.
//!
//! systemd's place of the service manager is small: it starts the program, is told by NOTIFY_SOCKET
//! (sd_notify(3)) what the service reports, and asks it to stop by SIGTERM. Without NOTIFY_SOCKET
//! the program was started from a console, and is told so.
#![allow(unsafe_code, reason = "calls to the program's functions, and the exports")]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use linsock::iocp::sync::Lock;

use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::object::{CloseHandle, no_access};
use crate::kernel32::thread::CreateThread;
use crate::last_error::Error;
use crate::ptr::{self, Plain};
use crate::wide::Unit;

/// dwCurrentState of a SERVICE_STATUS.
mod state {
    pub(super) const STOPPED: u32 = 1;
    pub(super) const START_PENDING: u32 = 2;
    pub(super) const STOP_PENDING: u32 = 3;
    pub(super) const RUNNING: u32 = 4;
    pub(super) const PAUSED: u32 = 7;
}

const SERVICE_ACCEPT_STOP: u32 = 1;
const SERVICE_ACCEPT_SHUTDOWN: u32 = 4;
const SERVICE_CONTROL_STOP: u32 = 1;
const SERVICE_CONTROL_SHUTDOWN: u32 = 5;
/// The only service of a process has this handle: no multiple of 4, which those of objects are.
const SERVICE: HANDLE = 3;

/// A service's body: the count of its arguments, and these.
pub type ServiceMain<U> = unsafe extern "C-unwind" fn(u32, *mut *mut U);
/// What a service does with a control.
pub type ServiceHandler = unsafe extern "C-unwind" fn(u32);
/// As [`ServiceHandler`], with an event's type and data, and what it was registered with.
pub type ServiceHandlerEx = unsafe extern "C-unwind" fn(u32, u32, *mut c_void, *mut c_void) -> u32;

/// SERVICE_TABLE_ENTRY, of octets or of UTF-16.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(non_camel_case_types, non_snake_case, reason = "Windows' names")]
pub struct SERVICE_TABLE_ENTRY<U> {
    /// The name; null behind the last.
    pub lpServiceName: *mut U,
    /// The service's body.
    pub lpServiceProc: Option<ServiceMain<U>>,
}

/// SERVICE_STATUS.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
#[allow(non_camel_case_types, non_snake_case, reason = "Windows' names")]
pub struct SERVICE_STATUS {
    /// What kind of service.
    pub dwServiceType: u32,
    /// What it is doing.
    pub dwCurrentState: u32,
    /// The controls that it takes.
    pub dwControlsAccepted: u32,
    /// Why it stopped.
    pub dwWin32ExitCode: u32,
    /// The same in its own terms.
    pub dwServiceSpecificExitCode: u32,
    /// How far a lengthy step is.
    pub dwCheckPoint: u32,
    /// How many milliseconds the step may take until the next report.
    pub dwWaitHint: u32,
}

// SAFETY: integers.
unsafe impl Plain for SERVICE_STATUS {}

#[derive(Clone, Copy)]
enum Handler {
    Plain(ServiceHandler),
    Extended(ServiceHandlerEx, usize),
}

impl Handler {
    fn call(self, control: u32) {
        let nothing = std::ptr::null_mut();
        match self {
            // SAFETY: the program registered it as a function that takes a control.
            Self::Plain(handler) => unsafe { handler(control) },
            Self::Extended(handler, context) => {
                let context = std::ptr::with_exposed_provenance_mut(context);
                // SAFETY: as above; what it was registered with is the program's affair.
                unsafe { handler(control, 0, nothing, context) };
            }
        }
    }
}

/// What the thread that dispatches is told.
enum Told {
    Control(u32),
    Stopped,
}

/// The service that this process runs.
struct Running {
    dispatcher: Sender<Told>,
    manager: SocketAddr,
    handler: Option<Handler>,
    accepted: u32,
}

static RUNNING: Lock<Option<Running>> = Lock::new(None);

/// Where systemd listens, if it started this process as a service (sd_notify(3)).
fn manager() -> Option<SocketAddr> {
    let path = std::env::var_os("NOTIFY_SOCKET")?;
    match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name).ok(),
        None => SocketAddr::from_pathname(path).ok(),
    }
}

/// Tells systemd. That it does not listen is no failure of the service's.
fn notify(manager: &SocketAddr, text: &str) {
    if let Ok(socket) = UnixDatagram::unbound() {
        let _ = socket.send_to_addr(text.as_bytes(), manager);
    }
}

/// What a status says in systemd's words (sd_notify(3)).
fn notice(status: &SERVICE_STATUS) -> String {
    let what = match status.dwCurrentState {
        state::RUNNING => "READY=1\nSTATUS=running",
        state::STOP_PENDING => "STOPPING=1\nSTATUS=stopping",
        state::START_PENDING => "STATUS=starting",
        state::STOPPED if status.dwWin32ExitCode != 0 => {
            return format!("STATUS=stopped: error {}", status.dwWin32ExitCode);
        }
        state::STOPPED => "STATUS=stopped",
        state::PAUSED => "STATUS=paused",
        _ => "STATUS=busy",
    };
    let is_pending = matches!(status.dwCurrentState, state::START_PENDING | state::STOP_PENDING);
    if is_pending && status.dwWaitHint > 0 {
        let micros = u64::from(status.dwWaitHint) * 1000;
        return format!("{what}\nEXTEND_TIMEOUT_USEC={micros}");
    }
    what.to_owned()
}

/// SIGTERM or SIGINT came. False if this process is no service: then it is for the console's
/// handlers. A service that takes neither control is not asked, as on Windows.
pub(crate) fn is_told_to_stop() -> bool {
    let running = RUNNING.lock();
    let Some(service) = running.as_ref() else { return false };
    let control = [
        (SERVICE_ACCEPT_STOP, SERVICE_CONTROL_STOP),
        (SERVICE_ACCEPT_SHUTDOWN, SERVICE_CONTROL_SHUTDOWN),
    ];
    let taken = control.into_iter().find(|(accepted, _)| service.accepted & accepted != 0);
    if let Some((_, control)) = taken {
        let _ = service.dispatcher.send(Told::Control(control));
    }
    true
}

/// The signals that ask a service to stop, held back from the threads of the service: programs set
/// handlers for them too, which nothing calls on Windows. One thread takes them.
struct Signals {
    former: libc::sigset_t,
}

impl Signals {
    /// Holds them back from the calling thread, and so from those that it starts.
    fn take() -> Outcome<Self> {
        let (set, mut former) = (signals(), no_signals());
        // SAFETY: reads the one set and writes the other; both outlive the call.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut former) };
        let taken = Self { former };
        let wait = move || loop {
            let mut signal = 0;
            // SAFETY: reads the set and writes a local.
            unsafe { libc::sigwait(&raw const set, &raw mut signal) };
            is_told_to_stop();
        };
        let thread = thread::Builder::new().name("linsock-service".into()).spawn(wait);
        thread.map_err(|_| Error::ERROR_NOT_ENOUGH_MEMORY)?;
        Ok(taken)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let former = &raw const self.former;
        // SAFETY: reads the set.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, former, std::ptr::null_mut()) };
    }
}

fn no_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: fills in the local.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: filled in.
    unsafe { set.assume_init() }
}

fn signals() -> libc::sigset_t {
    let mut set = no_signals();
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: writes a local; these are signals.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

/// A service's body and its name, on their way to its thread.
struct Start<U> {
    body: ServiceMain<U>,
    name: Vec<U>,
}

extern "C-unwind" fn run<U>(start: *mut c_void) -> u32 {
    // SAFETY: `dispatch` gave the box away to this thread, which is its only one.
    let mut start = unsafe { Box::from_raw(start.cast::<Start<U>>()) };
    let mut arguments = [start.name.as_mut_ptr(), std::ptr::null_mut()];
    // SAFETY: the program named it as a service's body; name and list live until it returns.
    unsafe { (start.body)(1, arguments.as_mut_ptr()) };
    0
}

/// Runs the first service of the table until it has stopped.
fn dispatch<U: Unit>(table: *const SERVICE_TABLE_ENTRY<U>) -> Outcome<BOOL> {
    let [name, body]: [usize; 2] = ptr::read(table.cast()).map_err(no_access)?;
    if name == 0 || body == 0 {
        return Err(Error::ERROR_INVALID_DATA);
    }
    let name = U::read_text(std::ptr::with_exposed_provenance(name)).map_err(no_access)?;
    let manager = manager().ok_or(Error::ERROR_FAILED_SERVICE_CONTROLLER_CONNECT)?;
    let (dispatcher, told) = channel();
    let mut running = RUNNING.lock();
    if running.is_some() {
        return Err(Error::ERROR_SERVICE_ALREADY_RUNNING);
    }
    *running = Some(Running { dispatcher, manager, handler: None, accepted: 0 });
    drop(running);
    let code = std::ptr::with_exposed_provenance::<c_void>(body);
    // SAFETY: the table has a service's body there, which is not null.
    let body = unsafe { std::mem::transmute::<*const c_void, ServiceMain<U>>(code) };
    let started = Signals::take().and_then(|signals| {
        start(Start { body, name: U::zero_ended(&name) })?;
        serve(&told);
        drop(signals);
        Ok(TRUE)
    });
    *RUNNING.lock() = None;
    started
}

fn start<U>(start: Start<U>) -> Outcome<()> {
    let start = Box::into_raw(Box::new(start));
    let none = std::ptr::null_mut();
    // SAFETY: the function takes what it is given, and nobody else has it.
    let thread = unsafe { CreateThread(none, 0, Some(run::<U>), start.cast(), 0, none.cast()) };
    if thread == 0 {
        // SAFETY: no thread has it.
        drop(unsafe { Box::from_raw(start) });
        return Err(Error::ERROR_NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the handle is ours.
    unsafe { CloseHandle(thread) };
    Ok(())
}

/// Hands controls to the service's handler, on the thread that dispatches, until it has stopped.
fn serve(told: &Receiver<Told>) {
    while let Ok(Told::Control(control)) = told.recv() {
        // No lock is held while the program's own code runs.
        let handler = RUNNING.lock().as_ref().and_then(|service| service.handler);
        if let Some(handler) = handler {
            handler.call(control);
        }
    }
}

fn register<U: Unit>(name: *const U, handler: Option<Handler>) -> Outcome<HANDLE> {
    U::read_text(name).map_err(no_access)?;
    let handler = handler.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    let mut running = RUNNING.lock();
    running.as_mut().ok_or(Error::ERROR_SERVICE_NOT_IN_EXE)?.handler = Some(handler);
    Ok(SERVICE)
}

fn set_status(service: HANDLE, status: *const SERVICE_STATUS) -> Outcome<BOOL> {
    let status = ptr::read(status).map_err(no_access)?;
    if !(state::STOPPED..=state::PAUSED).contains(&status.dwCurrentState) {
        return Err(Error::ERROR_INVALID_DATA);
    }
    let mut running = RUNNING.lock();
    let known = running.as_mut().filter(|_| service == SERVICE);
    let known = known.ok_or(Error::ERROR_INVALID_HANDLE)?;
    known.accepted = status.dwControlsAccepted;
    let (manager, dispatcher) = (known.manager.clone(), known.dispatcher.clone());
    drop(running);
    notify(&manager, &notice(&status));
    if status.dwCurrentState == state::STOPPED {
        let _ = dispatcher.send(Told::Stopped);
    }
    Ok(TRUE)
}

export! {
    /// Runs the process's service, and returns when it has stopped. Its body runs on a thread of
    /// its
    /// own; controls are handed to its handler on the calling thread.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-startservicectrldispatchera>
    ///
    /// systemd is the service manager, for a unit of `Type=notify`: what the service reports by
    /// SetServiceStatus goes there (ready, stopping, the time that a step may take), and SIGTERM is
    /// SERVICE_CONTROL_STOP, or SERVICE_CONTROL_SHUTDOWN for a service that takes only that.
    ///
    /// # Errors
    /// ERROR_FAILED_SERVICE_CONTROLLER_CONNECT for a program that was started from a console (there
    /// is no NOTIFY_SOCKET), ERROR_INVALID_DATA for a table without a service,
    /// ERROR_SERVICE_ALREADY_RUNNING, ERROR_NOACCESS, ERROR_NOT_ENOUGH_MEMORY.
    ///
    /// # Differs from Windows
    /// One service in a process: the first of the table. It is not paused, and its arguments are
    /// its
    /// name. What it reports after it has stopped is not heard.
    fn StartServiceCtrlDispatcherA(
        lpServiceStartTable: *const SERVICE_TABLE_ENTRY<u8>,
    ) -> BOOL, fail FALSE; {
        dispatch(lpServiceStartTable)
    }

    /// As [`StartServiceCtrlDispatcherA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-startservicectrldispatcherw>
    ///
    /// Errors and differences as [`StartServiceCtrlDispatcherA`].
    fn StartServiceCtrlDispatcherW(
        lpServiceStartTable: *const SERVICE_TABLE_ENTRY<u16>,
    ) -> BOOL, fail FALSE; {
        dispatch(lpServiceStartTable)
    }

    /// Registers the function that is called for controls, and gives the service's handle, which is
    /// not closed.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-registerservicectrlhandlera>
    ///
    /// # Errors
    /// 0; ERROR_SERVICE_NOT_IN_EXE where no service runs, ERROR_INVALID_PARAMETER without a
    /// function (choice), ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// The name is not looked at, as for a service with a process of its own.
    fn RegisterServiceCtrlHandlerA(
        lpServiceName: *const u8,
        lpHandlerProc: Option<ServiceHandler>,
    ) -> HANDLE, fail 0; {
        register(lpServiceName, lpHandlerProc.map(Handler::Plain))
    }

    /// As [`RegisterServiceCtrlHandlerA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-registerservicectrlhandlerw>
    ///
    /// Errors and differences as [`RegisterServiceCtrlHandlerA`].
    fn RegisterServiceCtrlHandlerW(
        lpServiceName: *const u16,
        lpHandlerProc: Option<ServiceHandler>,
    ) -> HANDLE, fail 0; {
        register(lpServiceName, lpHandlerProc.map(Handler::Plain))
    }

    /// As [`RegisterServiceCtrlHandlerA`], of a function that gets what it was registered with.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-registerservicectrlhandlerexa>
    ///
    /// Errors and differences as [`RegisterServiceCtrlHandlerA`].
    fn RegisterServiceCtrlHandlerExA(
        lpServiceName: *const u8,
        lpHandlerProc: Option<ServiceHandlerEx>,
        lpContext: *mut c_void,
    ) -> HANDLE, fail 0; {
        let context = lpContext.expose_provenance();
        register(lpServiceName, lpHandlerProc.map(|known| Handler::Extended(known, context)))
    }

    /// As [`RegisterServiceCtrlHandlerExA`].
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-registerservicectrlhandlerexw>
    ///
    /// Errors and differences as [`RegisterServiceCtrlHandlerA`].
    fn RegisterServiceCtrlHandlerExW(
        lpServiceName: *const u16,
        lpHandlerProc: Option<ServiceHandlerEx>,
        lpContext: *mut c_void,
    ) -> HANDLE, fail 0; {
        let context = lpContext.expose_provenance();
        register(lpServiceName, lpHandlerProc.map(|known| Handler::Extended(known, context)))
    }

    /// Reports what the service is doing. With SERVICE_STOPPED StartServiceCtrlDispatcher returns.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-setservicestatus>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_INVALID_DATA for a state that there is not, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// systemd judges the service by the exit status of its process, and not by what is reported.
    fn SetServiceStatus(
        hServiceStatus: HANDLE,
        lpServiceStatus: *const SERVICE_STATUS,
    ) -> BOOL, fail FALSE; {
        set_status(hServiceStatus, lpServiceStatus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sd_notify(3): READY, STOPPING, STATUS, EXTEND_TIMEOUT_USEC.
    #[test]
    fn a_status_in_the_words_of_systemd() {
        let status = |state, hint, error| SERVICE_STATUS {
            dwCurrentState: state,
            dwWaitHint: hint,
            dwWin32ExitCode: error,
            ..SERVICE_STATUS::default()
        };
        let rows = [
            (status(4, 500, 0), "READY=1\nSTATUS=running"),
            (status(2, 0, 0), "STATUS=starting"),
            (status(2, 3000, 0), "STATUS=starting\nEXTEND_TIMEOUT_USEC=3000000"),
            (status(3, 1, 0), "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=1000"),
            (status(1, 0, 0), "STATUS=stopped"),
            (status(1, 7, 1064), "STATUS=stopped: error 1064"),
            (status(7, 0, 0), "STATUS=paused"),
            (status(5, 0, 0), "STATUS=busy"),
        ];
        for (status, words) in rows {
            assert_eq!(notice(&status), words);
        }
    }
}

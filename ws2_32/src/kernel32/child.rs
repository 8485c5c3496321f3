//! Other processes: their ends, their exit codes, and how they are ended.
//!
//! A process is held, so its number cannot become another's (`hold`). Somebody waits for the ends
//! of all that have handles or were started here (`watch`), and collects those of the children,
//! each by itself: the program's own children are left to the program.
#![allow(unsafe_code, reason = "_exit, fork, an ioctl; the exports")]

use std::sync::Arc;

use linsock::iocp::event::{Event, Waitable, Waiters};
use linsock::iocp::handle::{AnyWaitable, Handle, Object, table};
use linsock::iocp::sync::Lock;
use rustix::io::Errno;
use rustix::process::{Pid, getpid, test_kill_process};

use super::object::{CURRENT_PROCESS, enter, no_access};
use super::sheet::{self, Sheet};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;
use code::End;
use hold::Hold;

mod code;
mod create;
mod environment;
mod hold;
mod line;
mod program;
mod runtime;
mod spawn;
mod watch;

pub use create::{CreateProcessA, CreateProcessW, GetStartupInfoA, GetStartupInfoW};
pub use runtime::{_cwait, _spawnv, _spawnve, _spawnvp, _spawnvpe};

/// What GetExitCodeProcess gives for a process that has not ended (winbase.h).
const STILL_ACTIVE: u32 = 259;

const PROCESS_TERMINATE: u32 = 0x0001;
const PROCESS_QUERY_INFORMATION: u32 = 0x0400;
const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;
const PROCESS_ALL_ACCESS: u32 = 0x001F_FFFF;

/// Whose process it is.
#[derive(Debug)]
enum Kinship {
    /// Started here: its end is ours to collect, and its code stands on the sheet.
    Child(Sheet),
    /// This process itself.
    Own,
    /// Somebody else's.
    Other,
}

/// How far a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It runs; somebody here may have ended it with this code.
    Running { given: Option<u32> },
    /// It has ended. Without a code nobody could tell it.
    Ended(Option<u32>),
}

/// A process.
#[derive(Debug)]
pub(super) struct Process {
    id: Pid,
    hold: Hold,
    kinship: Kinship,
    state: Lock<State>,
    ended: Event,
    /// What lets one begin that was created suspended.
    gate: Lock<Option<spawn::Gate>>,
}

impl Process {
    fn new(id: Pid, hold: Hold, kinship: Kinship, gate: Option<spawn::Gate>) -> Arc<Self> {
        Arc::new(Self {
            id,
            hold,
            kinship,
            state: Lock::new(State::Running { given: None }),
            ended: Event::new(true, false),
            gate: Lock::new(gate),
        })
    }

    /// Its number.
    fn id(&self) -> u32 {
        self.id.as_raw_nonzero().get().unsigned_abs()
    }

    /// How it ended; `None` while it runs.
    fn ask(&self, given: Option<u32>) -> Option<State> {
        let mut is_over = self.hold.is_over();
        if let Kinship::Child(_) = self.kinship {
            match self.hold.collect() {
                Ok(end) => return end.map(|end| State::Ended(Some(self.code_of(end, given)))),
                // Somebody else has collected it: the program waits for any child, or the system
                // collects them because the program ignores SIGCHLD.
                Err(_) => is_over |= matches!(self.hold, Hold::Number(_)),
            }
        }
        is_over.then(|| State::Ended(self.told_end(given)))
    }

    fn told_end(&self, given: Option<u32>) -> Option<u32> {
        self.hold.told_end().map(|end| self.code_of(end, given)).or(given)
    }

    fn code_of(&self, end: End, given: Option<u32>) -> u32 {
        match (end, &self.kinship) {
            (End::Exited(kept), Kinship::Child(sheet)) => sheet.code(self.id(), kept),
            _ => end.code(given),
        }
    }

    /// Finds out how far the process is. Whoever sees first that it has ended tells those who wait.
    fn look(&self) -> State {
        let mut state = self.state.lock();
        match *state {
            State::Running { given } => {
                let Some(end) = self.ask(given) else { return *state };
                *state = end;
                // Under the lock: whoever is told that it has ended sees its signal too.
                self.ended.set();
                end
            }
            State::Ended(None) => {
                // Its parent may have collected it since.
                *state = State::Ended(self.told_end(None));
                *state
            }
            ended @ State::Ended(Some(_)) => ended,
        }
    }

    fn terminate(&self, code: u32) -> Outcome<()> {
        if let Kinship::Own = self.kinship {
            terminate_own(code);
        }
        if let State::Ended(_) = self.look() {
            return Err(Error::ERROR_ACCESS_DENIED);
        }
        let mut state = self.state.lock();
        let State::Running { given } = &mut *state else {
            return Err(Error::ERROR_ACCESS_DENIED);
        };
        self.hold.kill().map_err(|_| Error::ERROR_ACCESS_DENIED)?;
        given.get_or_insert(code);
        Ok(())
    }

    /// It waits to begin, and nobody will let it.
    fn abandon(&self) {
        drop(self.gate.lock().take());
        if self.terminate(0).is_ok() {
            self.hold.wait();
            self.look();
        }
    }

    /// How often its first thread was suspended before: 0 or 1.
    fn resume(&self) -> u32 {
        let gate = self.gate.lock().take();
        let was_closed = gate.is_some();
        if let Some(gate) = gate {
            gate.open();
        }
        u32::from(was_closed)
    }
}

fn terminate_own(code: u32) -> ! {
    sheet::tell(code);
    // SAFETY: ends the process at once, whatever its threads do.
    unsafe { libc::_exit(kept_of(code)) }
}

/// What Linux keeps of a code: 8 bits. A failure stays one.
pub(super) const fn kept_of(code: u32) -> i32 {
    match (code & 0xFF).cast_signed() {
        0 if code != 0 => 0xFF,
        kept => kept,
    }
}

/// A handle's view of a process: what it may be used for.
struct Seen {
    process: Arc<Process>,
    rights: u32,
}

/// The first thread of a process that was started here: it ends with it.
struct FirstThread(Arc<Process>);

macro_rules! ends_with_process {
    ($($view:ty: $process:tt;)*) => {
        $(
            impl Waitable for $view {
                fn take(&self) -> bool {
                    matches!(self.$process.look(), State::Ended(_)) && self.$process.ended.take()
                }

                fn give_back(&self) {
                    self.$process.ended.give_back();
                }

                fn waiters(&self) -> &Waiters {
                    self.$process.ended.waiters()
                }
            }

            impl AnyWaitable for $view {}
        )*
    };
}
ends_with_process! {
    Seen: process;
    FirstThread: 0;
}

/// The view behind a handle.
fn seen(value: HANDLE) -> Outcome<Arc<Seen>> {
    view(value).ok_or(Error::ERROR_INVALID_HANDLE)
}

fn view<T: Send + Sync + 'static>(value: HANDLE) -> Option<Arc<T>> {
    let Object::Other(other) = table().get(Handle::from_value(value)?)? else { return None };
    (other as Arc<dyn std::any::Any + Send + Sync>).downcast().ok()
}

/// The process of a handle that has one of these rights.
fn process(value: HANDLE, rights: u32) -> Outcome<Arc<Process>> {
    let seen = seen(value)?;
    if seen.rights & rights == 0 {
        return Err(Error::ERROR_ACCESS_DENIED);
    }
    Ok(Arc::clone(&seen.process))
}

/// Whether a handle is one of this process.
pub(super) fn is_own(handle: HANDLE) -> Outcome<bool> {
    Ok(matches!(seen(handle)?.process.kinship, Kinship::Own))
}

fn enter_seen(process: Arc<Process>, rights: u32) -> Outcome<HANDLE> {
    enter(Object::Other(Arc::new(Seen { process, rights })))
}

/// Takes hold of a process by its number.
fn take_hold(id: u32) -> Outcome<(Pid, Hold)> {
    let number = i32::try_from(id).ok().and_then(Pid::from_raw);
    let number = number.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    let hold = Hold::of(number).map_err(|errno| match errno {
        Errno::MFILE | Errno::NFILE => Error::ERROR_TOO_MANY_OPEN_FILES,
        Errno::NOSYS | Errno::PERM => Error::ERROR_NOT_SUPPORTED,
        _ => Error::ERROR_INVALID_PARAMETER,
    })?;
    Ok((number, hold))
}

fn current(rights: u32) -> Outcome<HANDLE> {
    let id = getpid();
    // Nobody waits for it, so its number holds it as well.
    enter_seen(Process::new(id, Hold::Number(id), Kinship::Own, None), rights)
}

/// A handle of this process.
pub(super) fn enter_current() -> Outcome<HANDLE> {
    current(PROCESS_ALL_ACCESS)
}

fn open(rights: u32, id: u32) -> Outcome<HANDLE> {
    if id == std::process::id() {
        return current(rights);
    }
    if let Some(process) = watch::find(id) {
        return enter_seen(process, rights);
    }
    let (number, hold) = match take_hold(id) {
        Ok(taken) => taken,
        Err(refusal) => return enter_seen(ended(id).ok_or(refusal)?, rights),
    };
    if rights & PROCESS_TERMINATE != 0 && !may_be_ended(number) {
        return Err(Error::ERROR_ACCESS_DENIED);
    }
    let process = Process::new(number, hold, Kinship::Other, None);
    watch::watch(&process)?;
    enter_seen(process, rights)
}

/// One that has ended and has handles still: its number is good until the last is closed
/// (PROCESS_INFORMATION page).
fn ended(id: u32) -> Option<Arc<Process>> {
    let process = |other: Arc<dyn AnyWaitable>| {
        let any: Arc<dyn std::any::Any + Send + Sync> = other;
        let process = match any.downcast::<Seen>() {
            Ok(seen) => Arc::clone(&seen.process),
            Err(any) => Arc::clone(&any.downcast::<FirstThread>().ok()?.0),
        };
        (process.id() == id).then_some(process)
    };
    table().others().into_iter().find_map(process)
}

/// Whether signals may be sent to it.
fn may_be_ended(number: Pid) -> bool {
    test_kill_process(number).is_ok()
}

/// The first thread of a process that was started here, behind a handle.
fn first_thread(value: HANDLE) -> Option<Arc<FirstThread>> {
    view(value)
}

/// As ResumeThread, if the handle is that of a process's first thread.
pub(super) fn resume_first_thread(value: HANDLE) -> Option<u32> {
    first_thread(value).map(|thread| thread.0.resume())
}

/// The number of a process's first thread, which is that of the process.
pub(super) fn id_of_first_thread(value: HANDLE) -> Option<u32> {
    first_thread(value).map(|thread| thread.0.id())
}

/// The exit code of a process's first thread.
pub(super) fn code_of_first_thread(value: HANDLE) -> Option<Outcome<u32>> {
    first_thread(value).map(|thread| exit_code(&thread.0))
}

fn exit_code(process: &Process) -> Outcome<u32> {
    match process.look() {
        State::Running { .. } => Ok(STILL_ACTIVE),
        State::Ended(code) => code.ok_or(Error::ERROR_NOT_SUPPORTED),
    }
}

export! {
    /// Gives a process's exit code, or STILL_ACTIVE (259) while it has not ended.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodeprocess>
    ///
    /// Never blocks.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED (the handle has no right to ask), ERROR_NOACCESS;
    /// ERROR_NOT_SUPPORTED where the system does not tell how a process ended that was not started
    /// here (Linux before 6.15, or its parent has not asked yet).
    ///
    /// # Differs from Windows
    /// Of a process that is not linked with this library, or was not started here by CreateProcess
    /// and its kin, Linux keeps 8 bits of the code that it ends itself with; ExitProcess and
    /// TerminateProcess make it 255 if these are 0 and the code is not. A process that a signal
    /// ended has the code that TerminateProcess gave it; or the exception's that Windows would have
    /// ended it with: 0xC0000005 for SIGSEGV and SIGBUS, 0xC000001D for SIGILL, 0xC0000094 for
    /// SIGFPE, 0x80000003 for SIGTRAP, 0xC000013A for SIGINT, SIGHUP and SIGTERM; 3 for SIGABRT;
    /// else 1.
    fn GetExitCodeProcess(hProcess: HANDLE, lpExitCode: *mut u32) -> BOOL, fail FALSE; {
        let code = if hProcess == CURRENT_PROCESS {
            STILL_ACTIVE
        } else {
            let asks = PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION;
            exit_code(&*process(hProcess, asks)?)?
        };
        ptr::write(lpExitCode, code).map_err(no_access)?;
        Ok(TRUE)
    }

    /// Ends a process, and all that it does, at once. Its end comes after the call.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminateprocess>
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED for a process that has ended, one that may not be
    /// ended, and a handle without PROCESS_TERMINATE. Never blocks.
    ///
    /// # Differs from Windows
    /// The code is known to this process; to others the process was killed by a signal. This
    /// process's own code is known to who has started it by CreateProcess or its kin; others see 8
    /// bits of it, and 255 if they are 0 and the code is not.
    fn TerminateProcess(hProcess: HANDLE, uExitCode: u32) -> BOOL, fail FALSE; {
        if hProcess == CURRENT_PROCESS {
            terminate_own(uExitCode);
        }
        process(hProcess, PROCESS_TERMINATE)?.terminate(uExitCode)?;
        Ok(TRUE)
    }

    /// Gives a handle of a process that runs: to wait for its end, to ask for its exit code, to end
    /// it. PROCESS_TERMINATE and the rights to ask are looked at.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess>
    ///
    /// # Errors
    /// NULL with ERROR_INVALID_PARAMETER for a number that no process has, ERROR_ACCESS_DENIED for
    /// one that may not be ended if that is asked for, ERROR_TOO_MANY_OPEN_FILES,
    /// ERROR_NOT_ENOUGH_MEMORY; ERROR_NOT_SUPPORTED where Linux has no descriptors of processes
    /// (before 5.3), and the process was not started here.
    ///
    /// # Differs from Windows
    /// Every handle may be waited for. Memory and threads of other processes are out of reach, and
    /// the handle is not inherited.
    fn OpenProcess(
        dwDesiredAccess: u32,
        bInheritHandle: BOOL,
        dwProcessId: u32,
    ) -> HANDLE, fail 0; {
        let _ = bInheritHandle;
        open(dwDesiredAccess, dwProcessId)
    }

    /// Gives the number of a process.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessid>
    ///
    /// # Errors
    /// 0 with ERROR_INVALID_HANDLE. Never blocks.
    fn GetProcessId(Process: HANDLE) -> u32, fail 0; {
        if Process == CURRENT_PROCESS {
            return Ok(std::process::id());
        }
        Ok(seen(Process)?.process.id())
    }
}

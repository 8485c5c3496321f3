//! A new process: fork(2) and execve(2), with what comes between them.
//!
//! The program has threads, so between the two nothing is called but what a signal handler may call
//! (POSIX, fork): everything that takes memory or a lock is made before. The new process waits at a
//! gate until it has its handles here; one that was created suspended waits until it is resumed.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::ptr::null;

use linsock::iocp::sync::{Lock, Locked};
use rustix::io::{Errno, fcntl_dupfd_cloexec, read, retry_on_intr};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};

use super::hold::Hold;

/// Which processes hear of the terminal's keys together with the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Those that hear of them together with this one.
    Same,
    /// None: CREATE_NEW_PROCESS_GROUP.
    New,
    /// It has no terminal: DETACHED_PROCESS.
    Detached,
}

/// Which descriptors the new process has besides its standard streams.
#[derive(Debug)]
pub(super) enum Passed {
    /// These under their numbers.
    Only(Vec<RawFd>),
    /// These under their numbers, and what the program itself has opened for that.
    These(Vec<RawFd>),
}

/// What a new process is to be.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) program: CString,
    pub(super) arguments: Vec<CString>,
    pub(super) environment: Vec<CString>,
    pub(super) directory: Option<CString>,
    pub(super) streams: [OwnedFd; 3],
    pub(super) passed: Passed,
    pub(super) group: Group,
    /// It may wait at its gate for long.
    pub(super) is_suspended: bool,
}

/// Lets a process that waits begin. One that is not let begin ends when this is dropped.
#[derive(Debug)]
pub(super) struct Gate(OwnedFd);

impl Gate {
    pub(super) fn open(self) {
        // It may have been ended meanwhile.
        let _ = send(&self.0, b"!", SendFlags::NOSIGNAL);
    }
}

/// Processes are made one at a time: each would have the others' ends of the pipes that tell.
static ONE_AT_A_TIME: Lock<()> = Lock::new(());

/// A process that waits at its gate.
pub(super) struct Waiting {
    pub(super) id: Pid,
    pub(super) hold: Hold,
    pub(super) gate: Gate,
    pub(super) reports: Reports,
}

/// What a new process tells until it has begun: an error, or by its silence that it has.
pub(super) struct Reports {
    fd: OwnedFd,
    _alone: Locked<'static, ()>,
}

impl Reports {
    /// The next number; `None` when none comes any more.
    fn next(&self) -> Option<i32> {
        let mut number = [0; 4];
        let got = retry_on_intr(|| read(&self.fd, &mut number));
        (got == Ok(number.len())).then(|| i32::from_ne_bytes(number))
    }

    /// Waits until the process has begun.
    pub(super) fn begun(self) -> Result<(), Errno> {
        self.next().map_or(Ok(()), |error| Err(Errno::from_raw_os_error(error)))
    }
}

/// A descriptor that no standard stream takes the place of.
fn above_streams(fd: &impl AsFd) -> Result<OwnedFd, Errno> {
    fcntl_dupfd_cloexec(fd, 3)
}

/// What is closed before the new process waits at its gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    /// All that is not kept.
    Others,
    /// What exec closes: whoever waits for the end of a pipe does not wait for this process.
    Private,
    /// Nothing: exec does that in a moment.
    Nothing,
}

/// Everything that the new process needs, as the kernel takes it.
struct Prepared<'a> {
    plan: &'a Plan,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    closed: Closed,
    /// What stays open, in order.
    kept: Vec<RawFd>,
    inherited: &'a [RawFd],
    gate: RawFd,
    reports: RawFd,
    /// Our ends of both, which it must not have: it is to see that we are gone.
    ours: [RawFd; 2],
    mask: libc::sigset_t,
}

fn pointers(texts: &[CString]) -> Vec<*const c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([null()]).collect()
}

fn all_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: fills in the local.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: filled in.
    unsafe { set.assume_init() }
}

/// Makes the process, which waits at its gate.
pub(super) fn make(plan: &Plan) -> Result<Waiting, Errno> {
    let alone = ONE_AT_A_TIME.lock();
    let (reports, reporter) = pipe_with(PipeFlags::CLOEXEC)?;
    let (gate, doorstep) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let (reporter, doorstep) = (above_streams(&reporter)?, above_streams(&doorstep)?);
    let (closed, inherited) = match &plan.passed {
        Passed::Only(these) => (Closed::Others, these.as_slice()),
        Passed::These(these) if plan.is_suspended => (Closed::Private, these.as_slice()),
        Passed::These(these) => (Closed::Nothing, these.as_slice()),
    };
    let mut kept = vec![reporter.as_raw_fd(), doorstep.as_raw_fd()];
    kept.extend(plan.streams.iter().map(AsRawFd::as_raw_fd).chain(inherited.iter().copied()));
    kept.sort_unstable();
    let mut prepared = Prepared {
        plan,
        arguments: pointers(&plan.arguments),
        environment: pointers(&plan.environment),
        closed,
        kept,
        inherited,
        gate: doorstep.as_raw_fd(),
        reports: reporter.as_raw_fd(),
        ours: [gate.as_raw_fd(), reports.as_raw_fd()],
        mask: all_signals(),
    };
    let id = fork(&mut prepared)?;
    drop((reporter, doorstep));
    let reports = Reports { fd: reports, _alone: alone };
    let (id, gate) = (Pid::from_raw(id).ok_or(Errno::CHILD)?, Gate(gate));
    // It waits, so the number is its own.
    let held = match reports.next() {
        Some(0) => Hold::of_child(id),
        Some(error) => Err(Errno::from_raw_os_error(error)),
        None => Err(Errno::SRCH),
    };
    match held {
        Ok(hold) => Ok(Waiting { id, hold, gate, reports }),
        Err(errno) => {
            drop(gate);
            let _ = retry_on_intr(|| waitpid(Some(id), WaitOptions::empty()));
            Err(errno)
        }
    }
}

/// Forks with all signals held, so that no handler of the program's runs in the new process.
fn fork(prepared: &mut Prepared<'_>) -> Result<libc::pid_t, Errno> {
    let all = all_signals();
    // SAFETY: both sets are ours; the mask is put back below, and in the new process by `begin`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut prepared.mask) };
    let ours = prepared.mask;
    for asked in [libc::SIGTERM, libc::SIGINT] {
        // What a service's threads hold back (`service`) is the new process's to hear.
        // SAFETY: writes a set of ours; these are signals.
        unsafe { libc::sigdelset(&raw mut prepared.mask, asked) };
    }
    // SAFETY: the new process calls only what a signal handler may call, and never returns.
    let id = unsafe { libc::fork() };
    if id == 0 {
        begin(prepared);
    }
    let error = errno();
    // SAFETY: the mask of before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const ours, std::ptr::null_mut()) };
    if id < 0 { Err(Errno::from_raw_os_error(error)) } else { Ok(id) }
}

/// The new process. Nothing here takes memory or a lock.
fn begin(prepared: &Prepared<'_>) -> ! {
    let failed = set_up(prepared).is_err();
    report(prepared, if failed { errno() } else { 0 });
    if !failed && is_let_in(prepared) {
        // SAFETY: a set of ours.
        unsafe {
            let none = std::ptr::null_mut();
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const prepared.mask, none)
        };
        let (arguments, environment) = (prepared.arguments.as_ptr(), prepared.environment.as_ptr());
        // SAFETY: texts and lists that end with zeros, made before.
        unsafe { libc::execve(prepared.plan.program.as_ptr(), arguments, environment) };
        report(prepared, errno());
    }
    // SAFETY: ends this process and nothing of the one that it is a copy of.
    unsafe { libc::_exit(127) }
}

fn errno() -> i32 {
    // SAFETY: gives the address of the thread's errno.
    let at = unsafe { libc::__errno_location() };
    // SAFETY: it is the thread's own.
    unsafe { at.read() }
}

fn report(prepared: &Prepared<'_>, number: i32) {
    let octets = number.to_ne_bytes();
    // SAFETY: four octets of ours.
    unsafe { libc::write(prepared.reports, octets.as_ptr().cast(), octets.len()) };
}

/// Waits to be let in; false if whoever could is gone.
fn is_let_in(prepared: &Prepared<'_>) -> bool {
    let mut octet = 0_u8;
    // SAFETY: one octet of ours. Every signal that could interrupt is held.
    unsafe { libc::read(prepared.gate, (&raw mut octet).cast(), 1) == 1 }
}

/// A call that failed; errno says why.
struct Failed;

const fn check(result: i32) -> Result<(), Failed> {
    if result < 0 { Err(Failed) } else { Ok(()) }
}

fn set_up(prepared: &Prepared<'_>) -> Result<(), Failed> {
    let plan = prepared.plan;
    forget_handlers();
    prepared.ours.into_iter().for_each(close);
    match plan.group {
        Group::Same => {}
        // SAFETY: numbers only.
        Group::New => check(unsafe { libc::setpgid(0, 0) })?,
        // SAFETY: no argument.
        Group::Detached => check(unsafe { libc::setsid() })?,
    }
    match prepared.closed {
        Closed::Others => close_others(&prepared.kept),
        Closed::Private => close_private(&prepared.kept),
        Closed::Nothing => {}
    }
    for (to, from) in (0..).zip(&plan.streams) {
        // SAFETY: numbers only; none of those that are needed later is below 3.
        check(unsafe { libc::dup2(from.as_raw_fd(), to) })?;
    }
    for &fd in prepared.inherited {
        // SAFETY: numbers only.
        check(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) })?;
    }
    if let Some(directory) = &plan.directory {
        // SAFETY: a text that ends with a zero.
        check(unsafe { libc::chdir(directory.as_ptr()) })?;
    }
    Ok(())
}

/// Handlers are the program's code, which must not run in a copy of it.
fn forget_handlers() {
    for signal in 1..=libc::SIGRTMAX() {
        let mut action = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: fills in the local, or fails.
        if unsafe { libc::sigaction(signal, null(), action.as_mut_ptr()) } != 0 {
            continue;
        }
        // SAFETY: filled in.
        let mut action = unsafe { action.assume_init() };
        if action.sa_sigaction != libc::SIG_IGN && action.sa_sigaction != libc::SIG_DFL {
            action.sa_sigaction = libc::SIG_DFL;
            // SAFETY: the default, for a signal that there is.
            unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
        }
    }
}

/// Closes everything but the streams of now and what is needed.
fn close_others(kept: &[RawFd]) {
    let mut first: u32 = 3;
    for &fd in kept {
        let fd = fd.unsigned_abs();
        if fd > first {
            close_range(first, fd - 1);
        }
        first = fd + 1;
    }
    close_range(first, u32::MAX);
}

fn close(fd: RawFd) {
    // SAFETY: closes a descriptor of a process that is about to be another program.
    unsafe { libc::close(fd) };
}

/// Closes what exec will close, as far as the kernel tells what there is.
fn close_private(kept: &[RawFd]) {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a text that ends with a zero.
    let list = unsafe { libc::open(c"/proc/self/fd".as_ptr(), flags) };
    let mut entries = [0_u8; 2048];
    loop {
        let (at, room) = (entries.as_mut_ptr(), entries.len());
        // SAFETY: the kernel fills in the local, or fails.
        let got = unsafe { libc::syscall(libc::SYS_getdents64, list, at, room) };
        let told = usize::try_from(got).ok().and_then(|got| entries.get(..got));
        let Some(told) = told.filter(|told| !told.is_empty()) else { break };
        let is_needless = |fd: &RawFd| *fd > 2 && *fd != list && !kept.contains(fd);
        numbers(told).filter(is_needless).filter(|fd| is_private(*fd)).for_each(close);
    }
    close(list);
}

fn is_private(fd: RawFd) -> bool {
    // SAFETY: numbers only.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags != -1 && flags & libc::FD_CLOEXEC != 0
}

/// The names of a list of entries (getdents64(2)) that are numbers.
fn numbers(mut entries: &[u8]) -> impl Iterator<Item = RawFd> {
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    std::iter::from_fn(move || {
        let length = [*entries.get(LENGTH)?, *entries.get(LENGTH + 1)?];
        let (entry, rest) = entries.split_at_checked(u16::from_ne_bytes(length).into())?;
        entries = rest;
        let name = entry.get(NAME..)?.split(|octet| *octet == 0).next()?;
        Some(std::str::from_utf8(name).ok().and_then(|name| name.parse().ok()))
    })
    .flatten()
}

fn close_range(first: u32, last: u32) {
    // SAFETY: closes descriptors of a process that is about to be another program.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(program: &str, arguments: &[&str], stream: OwnedFd) -> Plan {
        let text = |text: &&str| CString::new(*text).unwrap();
        let null = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        Plan {
            program: CString::new(program).unwrap(),
            arguments: arguments.iter().map(text).collect(),
            environment: vec![c"A=b".to_owned()],
            directory: Some(c"/".to_owned()),
            streams: [null(), stream, null()],
            passed: Passed::Only(Vec::new()),
            group: Group::Same,
            is_suspended: false,
        }
    }

    fn said_by(arguments: &[&str]) -> String {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let waiting = make(&plan("/bin/sh", arguments, theirs.into())).unwrap();
        waiting.gate.open();
        waiting.reports.begun().unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut &ours, &mut said).unwrap();
        waitpid(Some(waiting.id), WaitOptions::empty()).unwrap();
        said
    }

    #[test]
    fn a_process_has_what_was_planned_and_nothing_else() {
        assert_eq!(said_by(&["sh", "-c", "echo $0 $1 $A; pwd", "x", "y z"]), "x y z b\n/\n");
        // The last is where it reads the names from.
        assert_eq!(said_by(&["sh", "-c", "ls /proc/self/fd"]), "0\n1\n2\n3\n");
    }

    #[test]
    fn what_cannot_begin_says_why() {
        let (_ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let waiting = make(&plan("/no/such/program", &["x"], theirs.into())).unwrap();
        let id = waiting.id;
        waiting.gate.open();
        assert_eq!(waiting.reports.begun(), Err(Errno::NOENT));
        waitpid(Some(id), WaitOptions::empty()).unwrap();
        let (_ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let directory = Some(c"/no/such/directory".to_owned());
        let plan = Plan { directory, ..plan("/bin/sh", &["sh"], theirs.into()) };
        assert_eq!(make(&plan).err(), Some(Errno::NOENT));
    }
}

//! Calls about named pipes with arguments of every kind: names, handles, modes and memory that are
//! good, bad or of something else, in every order, on instances and clients of one pipe. Whatever
//! they are: no crash, no panic, nothing is written where nothing was lent, a refused call has done
//! nothing, what was accepted ends once, and with its last instance the pipe is gone.
//!
//! Nothing waits: every end is opened for overlapped operations, and clients wait no time.

use linsock::iocp::overlapped::Overlapped;
use linsock_c::abi::{HANDLE, INVALID_HANDLE_VALUE};
use linsock_c::kernel32::disk::CreateFileA;
use linsock_c::kernel32::file_io::{ReadFile, ReadFileEx, WriteFile, WriteFileEx};
use linsock_c::kernel32::io::{CancelIo, CancelIoEx, CreateIoCompletionPort};
use linsock_c::kernel32::named_pipe::exchange::TransactNamedPipe;
use linsock_c::kernel32::named_pipe::{
    ConnectNamedPipe, CreateNamedPipeA, DisconnectNamedPipe, GetNamedPipeClientProcessId,
    GetNamedPipeHandleStateA, GetNamedPipeInfo, SetNamedPipeHandleState, WaitNamedPipeA,
};
use linsock_c::kernel32::object::CloseHandle;
use linsock_c::kernel32::pipe::PeekNamedPipe;

use crate::c::memory::{Lent, Memory, Use};
use crate::c::operations::{Operations, Outcome, Told, fresh, routine};
use crate::c::script::Script;
use crate::c::sockets::{IO_PENDING, call, error, forget_error, startup};

const STEPS_MAX: usize = 64;
const ENDS_MAX: usize = 12;
const OVERLAPPED: u32 = 0x4000_0000;
const FIRST: u32 = 0x0008_0000;
const READ_WRITE: u32 = 0xC000_0000;
const OPEN_EXISTING: u32 = 3;
const MORE_DATA: u32 = 234;
const FILE_NOT_FOUND: u32 = 2;

/// An end of a pipe that is open.
#[derive(Clone, Copy)]
struct End {
    handle: HANDLE,
    has_port: bool,
}

struct Run<'a> {
    script: Script<'a>,
    memory: Memory,
    port: HANDLE,
    ends: Vec<End>,
    closed: Vec<HANDLE>,
    operations: Operations,
}

type Step = fn(&mut Run<'_>);

const STEPS: &[Step] = &[
    create, open, connect, read, write, connect, read, write, open, read_ex, write_ex, transact,
    disconnect, peek, state, facts, associate, cancel, close_one, wait,
];

/// The pipe of this process's runs, and its text.
fn name() -> Vec<u8> {
    format!("\\\\.\\pipe\\linsock-fuzz-{}\0", std::process::id()).into_bytes()
}

pub(crate) fn check(octets: &[u8]) {
    startup();
    let mut run = Run::begin(Script::new(octets));
    for _ in 0..STEPS_MAX {
        let Some(kind) = run.script.next() else { break };
        if run.memory.is_nearly_used() {
            break;
        }
        forget_error();
        STEPS[usize::from(kind) % STEPS.len()](&mut run);
        run.memory.hold();
    }
    run.end();
}

fn outcome(result: i32) -> Outcome {
    match (result == 0).then(error) {
        None => Outcome::Done,
        // A message that goes on is told of, though the call fails.
        Some(IO_PENDING | MORE_DATA) => Outcome::Pending,
        Some(error) => Outcome::Refused(error),
    }
}

impl<'a> Run<'a> {
    fn begin(script: Script<'a>) -> Self {
        let port = call!(CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 1));
        assert_ne!(port, 0, "a port can be made");
        let (ends, closed, operations) = Default::default();
        let mut run = Self { script, memory: Memory::new(), port, ends, closed, operations };
        let mode = run.script.pick(&[0, 4, 4, 6, 6]);
        for _ in 0..2 {
            run.make(name().as_ptr(), 3 | OVERLAPPED, mode, 255);
        }
        assert_eq!(run.ends.len(), 2, "instances can be made");
        run
    }

    fn make(&mut self, text: *const u8, open: u32, mode: u32, most: u32) {
        let none = std::ptr::null();
        self.enter(call!(CreateNamedPipeA(text, open, mode, most, 100, 100, 0, none)));
    }

    fn enter(&mut self, handle: HANDLE) {
        if handle == INVALID_HANDLE_VALUE {
            error();
        } else {
            self.ends.push(End { handle, has_port: false });
        }
    }

    /// An end, or something else that is none.
    fn any(&mut self) -> End {
        if self.ends.is_empty() || self.script.rarely(12) {
            let wild = self.script.number() as usize;
            let others = [&[0, 4, INVALID_HANDLE_VALUE, self.port, wild], &self.closed[..]];
            let handle = self.script.pick(&others.concat());
            return End { handle, has_port: false };
        }
        let ends = self.ends.clone();
        self.script.pick(&ends)
    }

    /// Memory, and an OVERLAPPED that is good, or not.
    fn given(&mut self, way: Use) -> (Lent, *mut Overlapped) {
        let room = self.script.pick(&[0, 1, 5, 64]);
        let lent = self.memory.lend(&mut self.script, &vec![0xA5; room], way);
        (lent, self.overlapped())
    }

    fn overlapped(&mut self) -> *mut Overlapped {
        self.memory.pointer(&mut self.script, &fresh(0), Use::Write).cast()
    }

    /// An operation's call has returned.
    fn note(&mut self, end: End, ov: *mut Overlapped, outcome: Outcome, told: Option<Told>) {
        if !self.memory.is_good(ov.cast_const().cast(), 32) {
            assert!(outcome.is_refused(), "accepted without an OVERLAPPED");
            return;
        }
        let is_open = self.ends.iter().any(|known| known.handle == end.handle & !3);
        assert!(is_open || outcome.is_refused(), "an operation on no pipe");
        let by_port = if end.has_port { Told::Packet(self.port) } else { Told::Nobody };
        self.operations.note(ov.cast(), end.handle, outcome, told.unwrap_or(by_port));
    }

    fn close(&mut self, at: usize) {
        let end = self.ends.remove(at);
        assert_ne!(call!(CloseHandle(end.handle)), 0, "an end can be closed");
        self.closed.push(end.handle);
    }

    fn end(mut self) {
        while !self.ends.is_empty() {
            self.close(0);
        }
        self.operations.hold_at_the_end(&[self.port]);
        call!(CloseHandle(self.port));
        self.memory.hold();
        assert_eq!(try_open(name().as_ptr(), READ_WRITE), INVALID_HANDLE_VALUE);
        assert_eq!(error(), FILE_NOT_FOUND, "a pipe without instances");
    }
}

fn try_open(name: *const u8, access: u32) -> HANDLE {
    let none = std::ptr::null();
    call!(CreateFileA(name, access, 0, none, OPEN_EXISTING, OVERLAPPED, 0))
}

fn create(run: &mut Run<'_>) {
    if run.ends.len() < ENDS_MAX {
        let open = run.script.pick(&[3, 3, 3, 1, 2, 0]) | OVERLAPPED;
        let open = if run.script.rarely(8) { open | FIRST } else { open };
        let (mode, most) = (run.script.flags(&[2, 4, 8]), run.script.pick(&[255, 255, 1, 3, 0]));
        let text = run.memory.pointer(&mut run.script, &name(), Use::Read);
        run.make(text, open, mode & !1, most);
    }
}

fn open(run: &mut Run<'_>) {
    if run.ends.len() < ENDS_MAX {
        let access = run.script.pick(&[READ_WRITE, READ_WRITE, 0x8000_0000, 0x4000_0000, 0]);
        run.enter(try_open(name().as_ptr(), access));
    }
}

fn connect(run: &mut Run<'_>) {
    let (end, ov) = (run.any(), run.overlapped());
    let connected = outcome(call!(ConnectNamedPipe(end.handle, ov)));
    assert_ne!(connected, Outcome::Done, "ConnectNamedPipe: never at once");
    run.note(end, ov, connected, None);
}

fn disconnect(run: &mut Run<'_>) {
    if run.script.rarely(2) {
        let end = run.any();
        outcome(call!(DisconnectNamedPipe(end.handle)));
    }
}

fn read(run: &mut Run<'_>) {
    let (end, (lent, ov)) = (run.any(), run.given(Use::Write));
    let none = std::ptr::null_mut();
    let read = outcome(call!(ReadFile(end.handle, lent.at, lent.told, none, ov)));
    run.note(end, ov, read, None);
}

fn write(run: &mut Run<'_>) {
    let (end, (lent, ov)) = (run.any(), run.given(Use::Read));
    let none = std::ptr::null_mut();
    let written = outcome(call!(WriteFile(end.handle, lent.at, lent.told, none, ov)));
    run.note(end, ov, written, None);
}

/// Of ReadFileEx and WriteFileEx: success is that it has begun, or is over.
fn outcome_ex(result: i32) -> Outcome {
    match outcome(result) {
        Outcome::Done => Outcome::Pending,
        other => other,
    }
}

unsafe extern "system" fn file_routine(status: u32, octets: u32, at: *mut Overlapped) {
    // SAFETY: it only counts.
    unsafe { routine(status, octets, at, 0) };
}

fn read_ex(run: &mut Run<'_>) {
    let (end, (lent, ov)) = (run.any(), run.given(Use::Write));
    let call_back = (!run.script.rarely(8)).then_some(file_routine as _);
    let read = outcome_ex(call!(ReadFileEx(end.handle, lent.at, lent.told, ov, call_back)));
    run.note(end, ov, read, Some(Told::Routine));
}

fn write_ex(run: &mut Run<'_>) {
    let (end, (lent, ov)) = (run.any(), run.given(Use::Read));
    let call_back = (!run.script.rarely(8)).then_some(file_routine as _);
    let written = outcome_ex(call!(WriteFileEx(end.handle, lent.at, lent.told, ov, call_back)));
    run.note(end, ov, written, Some(Told::Routine));
}

fn transact(run: &mut Run<'_>) {
    let (end, (answer, ov)) = (run.any(), run.given(Use::Write));
    let asked = run.memory.lend(&mut run.script, &[0x5A; 20], Use::Read);
    let none = std::ptr::null_mut();
    let (at, len) = (asked.at.cast_const(), asked.told);
    let done =
        outcome(call!(TransactNamedPipe(end.handle, at, len, answer.at, answer.told, none, ov)));
    run.note(end, ov, done, None);
}

fn peek(run: &mut Run<'_>) {
    let (end, room) = (run.any(), run.memory.room(&mut run.script, 40));
    let [read, all, left] = [0; 3].map(|_: u8| run.memory.place_for(&mut run.script, 4).cast());
    outcome(call!(PeekNamedPipe(end.handle, room.at, room.told, read, all, left)));
}

fn state(run: &mut Run<'_>) {
    let end = run.any();
    // Without PIPE_NOWAIT: a write that takes a part is done.
    let mode = run.script.flags(&[2, 4]) & !1;
    let mode = run.memory.number(&mut run.script, mode).cast_const().cast();
    let none = std::ptr::null();
    outcome(call!(SetNamedPipeHandleState(end.handle, mode, none, none)));
}

fn facts(run: &mut Run<'_>) {
    let end = run.any();
    let [a, b, c, d] = [0; 4].map(|_: u8| run.memory.place_for(&mut run.script, 4).cast());
    outcome(call!(GetNamedPipeInfo(end.handle, a, b, c, d)));
    let none = std::ptr::null_mut();
    outcome(call!(GetNamedPipeHandleStateA(end.handle, a, b, none, none, none.cast(), 0)));
    outcome(call!(GetNamedPipeClientProcessId(end.handle, c)));
}

fn associate(run: &mut Run<'_>) {
    let end = run.any();
    let port = run.port;
    if call!(CreateIoCompletionPort(end.handle, port, 7, 0)) == port
        && let Some(known) = run.ends.iter_mut().find(|known| known.handle == end.handle & !3)
    {
        known.has_port = true;
        run.operations.note_association(end.handle);
    } else {
        error();
    }
}

fn cancel(run: &mut Run<'_>) {
    let end = run.any();
    if run.script.rarely(2) {
        outcome(call!(CancelIo(end.handle)));
    } else {
        let known = run.operations.known();
        let at = if known.is_empty() { 0 } else { run.script.pick(&known[..known.len().min(255)]) };
        let at = std::ptr::with_exposed_provenance_mut(at);
        outcome(call!(CancelIoEx(end.handle, at)));
    }
}

fn close_one(run: &mut Run<'_>) {
    if !run.ends.is_empty() && run.script.rarely(2) {
        let at = run.script.below(run.ends.len());
        run.close(at);
    }
}

fn wait(run: &mut Run<'_>) {
    let text = run.memory.pointer(&mut run.script, &name(), Use::Read);
    // The least time there is.
    outcome(call!(WaitNamedPipeA(text.cast_const(), 1)));
}

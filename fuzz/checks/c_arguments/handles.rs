//! The handles of a run, and what else a program may take for one.

use std::ptr::null;

use linsock_c::abi::{HANDLE, INVALID_HANDLE_VALUE, SOCKET};
use linsock_c::kernel32::io::CreateIoCompletionPort;
use linsock_c::kernel32::object::{
    CURRENT_PROCESS, CURRENT_THREAD, CloseHandle, CreateEventA, CreateMutexA, CreateSemaphoreA,
    DuplicateHandle,
};

use crate::c::script::Script;
use crate::c::sockets::{Flavour, call};

/// What is known of a socket.
pub(crate) struct Entry {
    pub(crate) value: SOCKET,
    pub(crate) flavour: Flavour,
    pub(crate) overlapped: bool,
    pub(crate) is_open: bool,
    /// It may have a peer, or somebody may send to it.
    pub(crate) reached: bool,
    /// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS.
    pub(crate) skips_port: bool,
    pub(crate) port: Option<HANDLE>,
}

/// Handles of a run, in the order of their making; closed ones too.
pub(crate) struct Handles {
    sockets: Vec<Entry>,
    pub(crate) events: Vec<HANDLE>,
    /// Open until the end: what comes there is counted.
    pub(crate) port: HANDLE,
    /// Other ports, and whether they are open.
    ports: Vec<(HANDLE, bool)>,
    /// A thread, a semaphore, a mutex.
    others: Vec<HANDLE>,
}

/// The handle that a value means: the two low bits mean nothing.
pub(crate) const fn plain(value: usize) -> usize {
    value & !3
}

fn new_port() -> HANDLE {
    call!(CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0))
}

fn this_thread() -> HANDLE {
    let (process, mut copy) = (CURRENT_PROCESS, 0);
    call!(DuplicateHandle(process, CURRENT_THREAD, process, &raw mut copy, 0, 0, 0));
    copy
}

impl Handles {
    pub(crate) fn begin() -> Self {
        let event = |resets: i32| call!(CreateEventA(null(), resets, 0, null()));
        let semaphore = call!(CreateSemaphoreA(null(), 1, 2, null()));
        let mutex = call!(CreateMutexA(null(), 0, null()));
        Self {
            sockets: Vec::new(),
            events: vec![event(0), event(1)],
            port: new_port(),
            ports: vec![(new_port(), true)],
            others: vec![this_thread(), semaphore, mutex],
        }
    }

    /// Closes what is not a socket.
    pub(crate) fn end(&mut self) {
        let events = self.events.iter().chain(&self.others);
        for handle in events.copied().chain(self.open_ports()) {
            // The run may have closed it.
            call!(CloseHandle(handle));
        }
    }

    pub(crate) fn add_socket(
        &mut self,
        value: SOCKET,
        flavour: Flavour,
        overlapped: bool,
    ) -> &mut Entry {
        self.sockets.push(Entry {
            value,
            flavour,
            overlapped,
            is_open: true,
            reached: false,
            skips_port: false,
            port: None,
        });
        self.sockets.last_mut().expect("it was just added")
    }

    pub(crate) fn add_port(&mut self, port: HANDLE) {
        self.ports.push((port, true));
    }

    pub(crate) const fn count_sockets(&self) -> usize {
        self.sockets.len()
    }

    pub(crate) fn count_ports(&self) -> usize {
        self.ports.len()
    }

    pub(crate) fn first_of(&self, flavour: Flavour) -> Option<SOCKET> {
        self.sockets.iter().find(|entry| entry.flavour == flavour).map(|entry| entry.value)
    }

    /// The listeners that the run began with.
    pub(crate) fn listeners(&self) -> Vec<SOCKET> {
        self.sockets[..self.sockets.len().min(2)].iter().map(|entry| entry.value).collect()
    }

    pub(crate) fn find(&self, value: usize) -> Option<&Entry> {
        self.sockets.iter().find(|entry| entry.is_open && entry.value == plain(value))
    }

    pub(crate) fn find_mut(&mut self, value: usize) -> Option<&mut Entry> {
        self.sockets.iter_mut().find(|entry| entry.is_open && entry.value == plain(value))
    }

    pub(crate) fn is_socket(&self, value: usize) -> bool {
        self.find(value).is_some()
    }

    pub(crate) fn is_port(&self, value: usize) -> bool {
        self.open_ports().contains(&plain(value))
    }

    pub(crate) fn open_sockets(&self) -> Vec<SOCKET> {
        self.sockets.iter().filter(|entry| entry.is_open).map(|entry| entry.value).collect()
    }

    pub(crate) fn open_ports(&self) -> Vec<HANDLE> {
        let others = self.ports.iter().filter(|(_, open)| *open).map(|(port, _)| *port);
        std::iter::once(self.port).chain(others).collect()
    }

    /// A handle was closed. Whether it was a port's.
    pub(crate) fn note_closed(&mut self, value: usize) -> bool {
        if let Some(entry) = self.find_mut(value) {
            entry.is_open = false;
        }
        let port = self.ports.iter_mut().find(|(port, open)| *open && *port == plain(value));
        port.map(|(_, open)| *open = false).is_some()
    }

    pub(crate) fn associate(&mut self, socket: SOCKET, port: HANDLE) {
        let given = call!(CreateIoCompletionPort(socket, port, 7, 0));
        assert_eq!(given, port, "a socket without a port");
        self.find_mut(socket).expect("a socket of the run").port = Some(port);
    }

    /// Something that is no socket.
    fn foreign(&self, script: &mut Script<'_>) -> HANDLE {
        match script.below(6) {
            0 => script.pick(&self.events),
            1 => script.pick(&self.open_ports()),
            2 => script.pick(&self.others),
            3 => script.pick(&[0, usize::MAX, usize::MAX - 1, usize::MAX - 2, 1, 3, 1 << 31]),
            4 => script.pick(&self.events) | 1 << 40,
            _ => script.number() as usize,
        }
    }

    /// A socket of the run, open or not; or something else.
    pub(crate) fn socket(&self, script: &mut Script<'_>) -> SOCKET {
        let last = self.sockets.len() - 1;
        // The run began with a listener or two and a connection.
        let at = match script.below(4) {
            0 | 1 => script.below(4).min(last),
            2 => last,
            _ => script.below(last + 1),
        };
        let any = &self.sockets[at];
        match script.below(16) {
            0..=12 => any.value,
            13 => any.value | 1 << script.below(2),
            _ => self.foreign(script),
        }
    }

    pub(crate) fn event(&self, script: &mut Script<'_>) -> HANDLE {
        match script.below(8) {
            0..=4 => script.pick(&self.events),
            5 => self.socket(script),
            _ => self.foreign(script),
        }
    }

    pub(crate) fn port_or_not(&self, script: &mut Script<'_>) -> HANDLE {
        match script.below(8) {
            0..=4 => self.port,
            5 => script.pick(&self.ports).0,
            6 => self.socket(script),
            _ => self.foreign(script),
        }
    }

    /// What may be closed: not the port that is counted at.
    pub(crate) fn closable(&self, script: &mut Script<'_>) -> HANDLE {
        let handle = match script.below(8) {
            0..=3 => self.socket(script),
            4 => script.pick(&self.events),
            5 => script.pick(&self.ports).0,
            _ => self.foreign(script),
        };
        if plain(handle) == self.port { 0 } else { handle }
    }

    pub(crate) fn event_of_overlapped(&self, script: &mut Script<'_>) -> usize {
        match script.below(12) {
            0..=6 => 0,
            7 | 8 => script.pick(&self.events),
            9 => script.pick(&self.events) | 1,
            10 => 1,
            _ => self.foreign(script),
        }
    }
}

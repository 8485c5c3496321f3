//! TransmitFile and TransmitPackets.
#![allow(unsafe_code)]

use std::sync::Arc;

use linsock::afd::DisconnectMode;
use linsock::iocp::NtStatus;
use linsock::iocp::buffer::{Buffers, RawBuffer};
use linsock::iocp::disk::DiskFile;
use linsock::iocp::irp::Irp;
use linsock::iocp::overlapped::Overlapped;
use linsock::socket::{FilePart, Packets, Socket, Transmission};

use super::TF_REUSE_SOCKET;
use crate::abi::{BOOL, FALSE, HANDLE, SOCKET, TRUE};
use crate::export::{Outcome, export};
use crate::last_error::{self, Error};
use crate::ptr;
use crate::winsock2::{overlapped, transfer};

const TF_DISCONNECT: u32 = 1;
/// TF_WRITE_BEHIND, TF_USE_SYSTEM_THREAD, TF_USE_KERNEL_APC: how Windows is to go about it.
const TF_HINTS: u32 = 0x04 | 0x10 | 0x20;

const TP_ELEMENT_MEMORY: u32 = 1;
const TP_ELEMENT_FILE: u32 = 2;
const TP_ELEMENT_EOP: u32 = 4;

/// The most octets of one call (TransmitFile page).
const MOST: u64 = 2_147_483_646;

/// `TRANSMIT_FILE_BUFFERS`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TRANSMIT_FILE_BUFFERS {
    Head: *mut u8,
    HeadLength: u32,
    Tail: *mut u8,
    TailLength: u32,
}

/// `TRANSMIT_PACKETS_ELEMENT`. Of memory, the first member of the union is its address.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TRANSMIT_PACKETS_ELEMENT {
    dwElFlags: u32,
    cLength: u32,
    nFileOffset: i64,
    hFile: HANDLE,
}

// SAFETY: addresses and lengths, valid whatever their octets.
unsafe impl ptr::Plain for TRANSMIT_FILE_BUFFERS {}
// SAFETY: as above.
unsafe impl ptr::Plain for TRANSMIT_PACKETS_ELEMENT {}

/// Where in a file a part begins.
#[derive(Clone, Copy)]
enum From {
    /// At the file's position, which moves on when the call has sent it.
    Position,
    Offset(u64),
}

/// What is sent.
enum Outgoing {
    Stream(Transmission),
    Datagrams(Packets),
}

impl Outgoing {
    fn push_memory(&mut self, memory: Buffers) {
        match self {
            Self::Stream(transmission) => transmission.push_memory(memory),
            Self::Datagrams(packets) => packets.push_memory(memory),
        }
    }

    fn push_part(&mut self, part: FilePart) {
        match self {
            Self::Stream(transmission) => transmission.push_part(part),
            Self::Datagrams(packets) => packets.push_part(part),
        }
    }

    /// TP_ELEMENT_EOP: a stream has no messages.
    const fn end_message(&mut self) {
        if let Self::Datagrams(packets) = self {
            packets.end_message();
        }
    }

    fn send_waiting(self, socket: &Socket) -> Result<usize, NtStatus> {
        match self {
            Self::Stream(transmission) => socket.transmit_waiting(transmission),
            Self::Datagrams(packets) => socket.send_packets_waiting(packets),
        }
    }

    fn send(self, socket: &Socket, irp: Irp) -> Result<(), NtStatus> {
        match self {
            Self::Stream(transmission) => socket.transmit(irp, transmission),
            Self::Datagrams(packets) => socket.send_packets(irp, packets),
        }
    }
}

/// What a call asks for, as it is put together.
struct Request {
    outgoing: Outgoing,
    octets: u64,
    /// The files whose positions move, and by how much.
    moves: Vec<(Arc<DiskFile>, u64)>,
}

impl Request {
    const fn new(outgoing: Outgoing) -> Self {
        Self { outgoing, octets: 0, moves: Vec::new() }
    }

    fn push_memory(&mut self, base: *mut u8, len: u32) -> Outcome<()> {
        ptr::check_data(base, len as usize, false)?;
        let raw = RawBuffer { base, len: len as usize };
        // SAFETY: the memory is the C program's, lent for the operation by the call; no Rust
        // reference to it exists.
        self.outgoing.push_memory(unsafe { Buffers::from_raw(&[raw]) });
        self.count(len.into())
    }

    /// `len` 0 is everything up to the end.
    fn push_file(&mut self, file: HANDLE, from: From, len: u32) -> Outcome<()> {
        let file = DiskFile::from_value(file).ok_or(Error::ERROR_INVALID_HANDLE)?;
        if !file.access().read {
            return Err(Error::ERROR_ACCESS_DENIED);
        }
        let offset = match from {
            From::Position => *file.position(),
            From::Offset(offset) => offset,
        };
        let there = file.size()?.checked_sub(offset).ok_or(Error::WSAEINVAL)?;
        let len = if len == 0 { there } else { len.into() };
        self.outgoing.push_part(FilePart { file: Arc::clone(file.file()), offset, len });
        if matches!(from, From::Position) {
            self.moves.push((file, len));
        }
        self.count(len)
    }

    fn count(&mut self, octets: u64) -> Outcome<()> {
        self.octets += octets;
        if self.octets > MOST { Err(Error::WSAEINVAL) } else { Ok(()) }
    }

    /// Performs it; without an OVERLAPPED, or on a socket that was not opened for overlapped I/O,
    /// to its end.
    fn perform(mut self, socket: &Socket, ov: *mut Overlapped, flags: u32) -> Outcome<BOOL> {
        if let Some(mode) = ending(flags)? {
            match &mut self.outgoing {
                Outgoing::Stream(transmission) => transmission.disconnect(mode),
                Outgoing::Datagrams(_) => return Err(Error::WSAEINVAL),
            }
        }
        let Self { outgoing, moves, .. } = self;
        if ov.is_null() {
            outgoing.send_waiting(socket).map_err(ended)?;
            for (file, by) in moves {
                *file.position() += by;
            }
            last_error::set(0);
            return Ok(TRUE);
        }
        let target = overlapped::target(socket.core(), ov, None)?;
        if !socket.is_overlapped() {
            transfer::waited(socket, target, || outgoing.send_waiting(socket))?;
            return Ok(TRUE);
        }
        outgoing.send(socket, Irp::new(target, Buffers::empty()))?;
        super::pending()
    }
}

/// Why a call that waited failed: the end of a file has no code among Winsock's.
fn ended(status: NtStatus) -> Error {
    match status {
        NtStatus::END_OF_FILE => Error::ERROR_HANDLE_EOF,
        status => transfer::cancelled(status),
    }
}

/// How the connection ends behind the data.
fn ending(flags: u32) -> Outcome<Option<DisconnectMode>> {
    match flags & !TF_HINTS {
        0 => Ok(None),
        TF_DISCONNECT => Ok(Some(DisconnectMode::HalfClose)),
        both if both == TF_DISCONNECT | TF_REUSE_SOCKET => Ok(Some(DisconnectMode::Reuse)),
        _ => Err(Error::WSAEINVAL),
    }
}

fn transmit_file(
    socket: &Socket,
    (file, len): (HANDLE, u32),
    ov: *mut Overlapped,
    buffers: *const TRANSMIT_FILE_BUFFERS,
    flags: u32,
) -> Outcome<BOOL> {
    let around = if buffers.is_null() { None } else { Some(ptr::read(buffers)?) };
    let mut request = Request::new(Outgoing::Stream(Transmission::default()));
    if let Some(TRANSMIT_FILE_BUFFERS { Head, HeadLength, .. }) = around {
        request.push_memory(Head, HeadLength)?;
    }
    if file != 0 {
        let from = if ov.is_null() {
            From::Position
        } else {
            From::Offset(overlapped::place_of(overlapped::checked(ov)?))
        };
        request.push_file(file, from, len)?;
    }
    if let Some(TRANSMIT_FILE_BUFFERS { Tail, TailLength, .. }) = around {
        request.push_memory(Tail, TailLength)?;
    }
    request.perform(socket, ov, flags)
}

fn transmit_packets(
    (socket, size): (&Socket, u32),
    (elements, count): (*const TRANSMIT_PACKETS_ELEMENT, u32),
    ov: *mut Overlapped,
    flags: u32,
) -> Outcome<BOOL> {
    let outgoing = if socket.is_datagram() {
        Outgoing::Datagrams(Packets::of_at_most(size as usize))
    } else {
        Outgoing::Stream(Transmission::default())
    };
    let mut request = Request::new(outgoing);
    for element in ptr::read_all(elements, count as usize)? {
        let TRANSMIT_PACKETS_ELEMENT { dwElFlags, cLength, nFileOffset, hFile } = element;
        match dwElFlags & !TP_ELEMENT_EOP {
            TP_ELEMENT_MEMORY => {
                let address = usize::try_from(nFileOffset.cast_unsigned()).unwrap_or(0);
                request.push_memory(std::ptr::with_exposed_provenance_mut(address), cLength)?;
            }
            TP_ELEMENT_FILE if nFileOffset == -1 => {
                request.push_file(hFile, From::Position, cLength)?;
            }
            TP_ELEMENT_FILE => {
                let offset = u64::try_from(nFileOffset).map_err(|_| Error::WSAEINVAL)?;
                request.push_file(hFile, From::Offset(offset), cLength)?;
            }
            _ => return Err(Error::WSAEINVAL),
        }
        if dwElFlags & TP_ELEMENT_EOP != 0 {
            request.outgoing.end_message();
        }
    }
    request.perform(socket, ov, flags)
}

export! {
    /// Sends memory, a file (or a part of it) and memory, in this order, and can then end the
    /// connection as DisconnectEx does, with the handle to be used again.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-transmitfile>
    ///
    /// With an OVERLAPPED it always pends when it is admitted, and the file is sent from the place
    /// that the OVERLAPPED names; without one it blocks, and sends from the file's position, which
    /// moves. The file may be closed meanwhile. Reading it waits for the disk.
    ///
    /// Errors, in order: WSANOTINITIALISED, WSAENOTSOCK, WSAENOTCONN (also of a datagram socket,
    /// `test_TransmitFile`), the errors of a send, WSAEFAULT, ERROR_INVALID_HANDLE (no disk file),
    /// ERROR_ACCESS_DENIED, WSAEINVAL (a place behind the end of the file; more than 2,147,483,646
    /// octets; TF_REUSE_SOCKET without TF_DISCONNECT). A file that ends before the part that was
    /// asked for: ERROR_HANDLE_EOF, with what was there sent.
    ///
    /// # Differs from Windows
    /// The size of a packet (`nNumberOfBytesPerSend`) is left to TCP.
    winsock fn TransmitFile(
        hSocket: SOCKET,
        hFile: HANDLE,
        nNumberOfBytesToWrite: u32,
        nNumberOfBytesPerSend: u32,
        lpOverlapped: *mut Overlapped,
        lpTransmitBuffers: *const TRANSMIT_FILE_BUFFERS,
        dwReserved: u32,
    ) -> BOOL, fail FALSE; {
        let _left_to_tcp = nNumberOfBytesPerSend;
        let socket = Socket::from_value(hSocket)?;
        socket.check_transmit()?;
        let file = (hFile, nNumberOfBytesToWrite);
        transmit_file(&socket, file, lpOverlapped, lpTransmitBuffers, dwReserved)
    }

    /// Sends pieces of memory and of files in the order of an array, as TransmitFile does. Reached
    /// through SIO_GET_EXTENSION_FUNCTION_POINTER.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_transmitpackets>
    ///
    /// On a datagram socket they go to the default destination: elements are combined to a datagram
    /// up to one with TP_ELEMENT_EOP, which is cut into several of `nSendSize` octets if it is
    /// longer; without a size it is sent as it is.
    ///
    /// Errors: as TransmitFile; WSAEINVAL for an element that is neither memory nor a file, or
    /// both, and for TF_DISCONNECT on a datagram socket; WSAENOTCONN for one without a default
    /// destination; WSAEMSGSIZE for a datagram that is longer than any.
    ///
    /// # Differs from Windows
    /// On a stream `nSendSize` and TP_ELEMENT_EOP have no effect: packets are left to TCP.
    winsock fn TransmitPackets as "linsock_TransmitPackets"(
        hSocket: SOCKET,
        lpPacketArray: *const TRANSMIT_PACKETS_ELEMENT,
        nElementCount: u32,
        nSendSize: u32,
        lpOverlapped: *mut Overlapped,
        dwFlags: u32,
    ) -> BOOL, fail FALSE; {
        let socket = Socket::from_value(hSocket)?;
        if socket.is_datagram() {
            socket.check_packets()?;
        } else {
            socket.check_transmit()?;
        }
        let elements = (lpPacketArray, nElementCount);
        transmit_packets((&socket, nSendSize), elements, lpOverlapped, dwFlags)
    }
}

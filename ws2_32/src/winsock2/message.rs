//! WSARecvMsg and WSASendMsg: datagrams with what is told beside them.
#![allow(unsafe_code)]

use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use linsock::afd::address::{self, Domain, Family};
use linsock::iocp::buffer::{Beside, CheckedMemory, HeaderField, PacketInfo, ReceivedDatagram};
use linsock::iocp::irp::Irp;
use linsock::iocp::overlapped::Overlapped;
use linsock::socket::{Recipient, Route, SenderArea, Socket};

use super::datagram::{destination, lent};
use super::overlapped::{self, CompletionRoutine};
use super::transfer::{buffers, cancelled, dword, recv_options_for, send_flags, started, waited};
use crate::abi::{SOCKET, SOCKET_ERROR, WSABUF};
use crate::export::{Outcome, export};
use crate::last_error::Error;
use crate::ptr;

/// A message: a datagram's address, data and control messages.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WSAMSG {
    /// The address.
    pub name: *mut u8,
    /// Its octets: the room for it, and what was written.
    pub namelen: i32,
    /// The data.
    pub lpBuffers: *mut WSABUF,
    /// How many buffers.
    pub dwBufferCount: u32,
    /// Control messages: the room for them, and what was written.
    pub Control: WSABUF,
    /// MSG_*.
    pub dwFlags: u32,
}

// SAFETY: integers and addresses, valid whatever their octets.
unsafe impl ptr::Plain for WSAMSG {}

const _: () = assert!(size_of::<WSAMSG>() == 56);

const MSG_PEEK: u32 = 0x2;
const MSG_TRUNC: u32 = 0x100;
const MSG_CTRUNC: u32 = 0x200;
const MSG_BCAST: u32 = 0x400;
const MSG_MCAST: u32 = 0x800;

const IPPROTO_IP: u32 = 0;
const IPPROTO_IPV6: u32 = 41;
/// IP_PKTINFO and IPV6_PKTINFO.
const PKTINFO: u32 = 19;
/// Of IPv4, the hops that a datagram has left and its class of traffic.
const IP_TTL: u32 = 4;
const IP_TOS: u32 = 3;
/// The same of IPv6.
const IPV6_HOPLIMIT: u32 = 21;
const IPV6_TCLASS: u32 = 39;

/// WSACMSGHDR: the length with this header, a level, a type.
const HEADER: usize = 16;
/// IN_PKTINFO: address, interface.
const V4: usize = HEADER + 8;
/// IN6_PKTINFO: address, interface.
const V6: usize = HEADER + 20;
/// INT.
const NUMBER: usize = HEADER + 4;

/// A control message in Windows' form.
fn message(level: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    let mut octets = (HEADER + data.len()).to_ne_bytes().to_vec();
    octets.extend(level.to_ne_bytes());
    octets.extend(kind.to_ne_bytes());
    octets.extend(data);
    octets
}

fn message_of_info(info: &PacketInfo) -> Vec<u8> {
    let (level, mut data) = match info.address {
        IpAddr::V4(address) => (IPPROTO_IP, address.octets().to_vec()),
        IpAddr::V6(address) => (IPPROTO_IPV6, address.octets().to_vec()),
    };
    data.extend(info.interface.to_ne_bytes());
    message(level, PKTINFO, &data)
}

/// The message of a number, which has one type of IPv4 and one of IPv6.
fn message_of(field: HeaderField, [v4, v6]: [u32; 2]) -> Vec<u8> {
    let (level, kind) = if field.is_v6 { (IPPROTO_IPV6, v6) } else { (IPPROTO_IP, v4) };
    message(level, kind, &u32::from(field.value).to_ne_bytes())
}

/// The control messages of a datagram that came.
fn control_of(beside: &Beside) -> impl Iterator<Item = Vec<u8>> {
    let hops = beside.hops.map(|field| message_of(field, [IP_TTL, IPV6_HOPLIMIT]));
    let traffic = beside.traffic.map(|field| message_of(field, [IP_TOS, IPV6_TCLASS]));
    [beside.info.as_ref().map(message_of_info), hops, traffic].into_iter().flatten()
}

/// What the control messages of a datagram to be sent say; there are no others than those of
/// [`control_of`].
fn read_control(control: WSABUF) -> Outcome<Beside> {
    let octets = ptr::read_all(control.buf.cast_const(), control.len as usize)?;
    let mut rest = octets.as_slice();
    let mut beside = Beside::NOTHING;
    while rest.len() >= HEADER {
        let len = usize::from_ne_bytes(front(rest)?);
        let data = rest.get(HEADER..len).ok_or(Error::WSAEINVAL)?;
        let number = |is_v6| -> Outcome<Option<HeaderField>> {
            let value = u8::try_from(word(data, 0)?).map_err(|_| Error::WSAEINVAL)?;
            Ok(Some(HeaderField { is_v6, value }))
        };
        match (word(rest, 8)?, word(rest, 12)?, len) {
            (IPPROTO_IP, PKTINFO, V4) => {
                let address = Ipv4Addr::from(front::<4>(data)?).into();
                beside.info = Some(PacketInfo { address, interface: word(data, 4)? });
            }
            (IPPROTO_IPV6, PKTINFO, V6) => {
                let address = Ipv6Addr::from(front::<16>(data)?).into();
                beside.info = Some(PacketInfo { address, interface: word(data, 16)? });
            }
            // The kernel sends none that has no hops.
            (IPPROTO_IP, IP_TTL, NUMBER) if word(data, 0)? == 0 => return Err(Error::WSAEINVAL),
            (IPPROTO_IP, IP_TTL, NUMBER) => beside.hops = number(false)?,
            (IPPROTO_IPV6, IPV6_HOPLIMIT, NUMBER) => beside.hops = number(true)?,
            (IPPROTO_IP, IP_TOS, NUMBER) => beside.traffic = number(false)?,
            (IPPROTO_IPV6, IPV6_TCLASS, NUMBER) => beside.traffic = number(true)?,
            _ => return Err(Error::WSAEINVAL),
        }
        rest = rest.get(len.next_multiple_of(8)..).unwrap_or(&[]);
    }
    Ok(beside)
}

/// Refuses what the kernel would pass over, so that no datagram has another sender than the program
/// believes, nor another header: what is IPv6's on an IPv4 socket or towards an IPv4 host, and what
/// is IPv4's towards an IPv6 host.
fn check_family(socket: &Socket, route: &Route) -> Outcome<()> {
    let Beside { info, hops, traffic } = route.beside;
    let fields = [hops, traffic];
    let field_is = |is_v6| fields.iter().flatten().any(|field| field.is_v6 == is_v6);
    let info_is = |is_v6| info.is_some_and(|info| info.address.is_ipv6() == is_v6);
    let is_v4_socket = socket.domain() == Domain::Ip(Family::Inet);
    // The kernel takes IPV6_PKTINFO for a mapped address.
    let is_mapped = |to: IpAddr| matches!(to, IpAddr::V6(to) if to.to_ipv4_mapped().is_some());
    let to_mapped = route.to.is_some_and(|to| is_mapped(to.ip()));
    let to_v6 = route.to.is_some_and(|to| to.is_ipv6()) && !to_mapped;
    let is_passed_over = is_v4_socket && (info_is(true) || field_is(true))
        || to_mapped && field_is(true)
        || to_v6 && (info_is(false) || field_is(false));
    if is_passed_over { Err(Error::WSAEINVAL) } else { Ok(()) }
}

fn front<const N: usize>(octets: &[u8]) -> Outcome<[u8; N]> {
    octets.first_chunk().copied().ok_or(Error::WSAEINVAL)
}

fn word(octets: &[u8], at: usize) -> Outcome<u32> {
    front(octets.get(at..).unwrap_or(&[])).map(u32::from_ne_bytes)
}

/// Where a receive tells of its datagram: a WSAMSG of the caller's, and what that points at.
#[derive(Debug)]
struct Message {
    header: CheckedMemory,
    name: Option<CheckedMemory>,
    control: CheckedMemory,
    control_room: usize,
}

impl Message {
    /// # Errors
    /// WSAEFAULT.
    fn of(socket: &Socket, at: *mut WSAMSG, message: &WSAMSG) -> Outcome<Self> {
        ptr::check_writable(at, 1)?;
        let name = if message.name.is_null() {
            None
        } else {
            let needed = socket.domain().address_len();
            if usize::try_from(message.namelen).unwrap_or(0) < needed {
                return Err(Error::WSAEFAULT);
            }
            ptr::check_writable(message.name, needed)?;
            Some(lent(message.name, needed))
        };
        let control_room = message.Control.len as usize;
        ptr::check_writable(message.Control.buf, control_room)?;
        let header = lent(at.cast(), size_of::<WSAMSG>());
        Ok(Self { header, name, control: lent(message.Control.buf, control_room), control_room })
    }

    fn put(&self, at: usize, value: u32) {
        self.header.write(at, &value.to_ne_bytes());
    }

    /// Writes the control messages that there is room for; false if that is not all.
    fn put_control(&self, beside: &Beside) -> bool {
        let mut octets = Vec::new();
        let mut fits = true;
        for message in control_of(beside) {
            fits &= octets.len() + message.len() <= self.control_room;
            if fits {
                octets.extend(message);
                // With the room to where another would begin, as WSA_CMSG_SPACE counts.
                octets.resize(octets.len().next_multiple_of(8).min(self.control_room), 0);
            }
        }
        self.control.write(0, &octets);
        self.put(offset_of!(WSAMSG, Control), dword(octets.len()));
        fits
    }
}

impl Recipient for Message {
    fn receive(&self, datagram: &ReceivedDatagram) -> bool {
        if let (Some(name), Some(from)) = (&self.name, &datagram.from) {
            let (octets, len) = address::emit(from);
            name.write(0, &octets[..len]);
            self.put(offset_of!(WSAMSG, namelen), dword(len));
        }
        let all_told = self.put_control(&datagram.beside);
        let to = datagram.beside.info.map(|info| info.address);
        let is_broadcast = to == Some(IpAddr::V4(Ipv4Addr::BROADCAST));
        let flags = [
            (datagram.truncated, MSG_TRUNC),
            (!all_told, MSG_CTRUNC),
            (is_broadcast, MSG_BCAST),
            (to.is_some_and(|to| to.is_multicast()), MSG_MCAST),
        ];
        let set = flags.iter().filter(|(is_so, _)| *is_so);
        self.put(offset_of!(WSAMSG, dwFlags), set.fold(0, |sum, (_, flag)| sum | flag));
        all_told
    }
}

fn datagram_socket(s: SOCKET) -> Outcome<std::sync::Arc<Socket>> {
    let socket = Socket::from_value(s)?;
    if socket.is_datagram() { Ok(socket) } else { Err(Error::WSAEOPNOTSUPP) }
}

export! {
    /// Receives a datagram and tells who sent it and, in control messages, what the socket's
    /// options ask for: where it came to (IP_PKTINFO, IPV6_PKTINFO), the hops that it has left
    /// (IP_RECVTTL gives IP_TTL, IPV6_HOPLIMIT), its class of traffic (IP_RECVTOS gives IP_TOS,
    /// IPV6_RECVTCLASS gives IPV6_TCLASS). Reached through SIO_GET_EXTENSION_FUNCTION_POINTER.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_wsarecvmsg>
    ///
    /// The message and what it points at have to stay until the operation is over. dwFlags may ask
    /// for MSG_PEEK and tells MSG_TRUNC, MSG_CTRUNC, MSG_BCAST, MSG_MCAST.
    ///
    /// # Errors
    /// WSAENOTSOCK, WSAEOPNOTSUPP (no datagram socket, or other flags), WSAEFAULT, WSAEINVAL (not
    /// bound, no buffers), WSAEMSGSIZE (the data or the control messages do not fit),
    /// WSA_IO_PENDING, and as WSARecvFrom.
    ///
    /// # Differs from Windows
    /// A broadcast or multicast datagram is only told as one where its destination is, and a
    /// broadcast to a network as none.
    winsock fn WSARecvMsg as "linsock_WSARecvMsg"(
        s: SOCKET,
        lpMsg: *mut WSAMSG,
        lpdwNumberOfBytesRecvd: *mut u32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<CompletionRoutine>,
    ) -> i32, fail SOCKET_ERROR; {
        let socket = datagram_socket(s)?;
        let message = ptr::read(lpMsg)?;
        if message.dwFlags & !MSG_PEEK != 0 {
            return Err(Error::WSAEOPNOTSUPP);
        }
        let options = recv_options_for(&socket, message.dwFlags)?;
        let memory = buffers(message.lpBuffers, message.dwBufferCount, true)?;
        let told = Some(SenderArea::Recipient(Box::new(Message::of(&socket, lpMsg, &message)?)));
        ptr::check_writable_opt(lpdwNumberOfBytesRecvd)?;
        let octets = if lpOverlapped.is_null() {
            socket.recv_from_blocking(memory, options, told).map_err(cancelled)?.0
        } else {
            let target = overlapped::target(socket.core(), lpOverlapped, lpCompletionRoutine)?;
            if socket.is_overlapped() {
                started(socket.recv_from(Irp::new(target, memory), options, told)?)?
            } else {
                waited(&socket, target, || socket.recv_from_waiting(memory, options, told))?
            }
        };
        ptr::write_opt(lpdwNumberOfBytesRecvd, dword(octets))?;
        Ok(0)
    }

    /// Sends a datagram, from the address and interface, with the hops and the class of traffic
    /// that its control messages say, which are those of WSARecvMsg.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendmsg>
    ///
    /// # Errors
    /// WSAENOTSOCK, WSAEOPNOTSUPP (no datagram socket, or flags), WSAEFAULT, WSAEINVAL (no buffers,
    /// a control message that is unknown, broken or of another family), WSA_IO_PENDING, and as
    /// WSASendTo.
    winsock fn WSASendMsg(
        Handle: SOCKET,
        lpMsg: *const WSAMSG,
        dwFlags: u32,
        lpNumberOfBytesSent: *mut u32,
        lpOverlapped: *mut Overlapped,
        lpCompletionRoutine: Option<CompletionRoutine>,
    ) -> i32, fail SOCKET_ERROR; {
        let socket = datagram_socket(Handle)?;
        let message = ptr::read(lpMsg)?;
        let flags = send_flags(dwFlags)?;
        let memory = buffers(message.lpBuffers, message.dwBufferCount, false)?;
        let mut route = destination(&socket, message.name, message.namelen)?;
        route.beside = read_control(message.Control)?;
        check_family(&socket, &route)?;
        ptr::check_writable_opt(lpNumberOfBytesSent)?;
        let octets = if lpOverlapped.is_null() {
            socket.send_to_blocking(memory, flags, route).map_err(cancelled)?
        } else {
            let target = overlapped::target(socket.core(), lpOverlapped, lpCompletionRoutine)?;
            if socket.is_overlapped() {
                started(socket.send_to(Irp::new(target, memory), flags, route)?)?
            } else {
                waited(&socket, target, || socket.send_to_waiting(memory, flags, route))?
            }
        };
        ptr::write_opt(lpNumberOfBytesSent, dword(octets))?;
        Ok(0)
    }
}

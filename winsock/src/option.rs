//! Socket options: Windows' numbers, what each means here, and which have to be applied again when
//! a handle gets another descriptor.
//!
//! Beyond SOL_SOCKET there are, of the level
//!
//! * IPPROTO_IP: IP_TOS, IP_TTL, IP_DONTFRAGMENT, IP_MTU_DISCOVER, IP_MTU; for datagrams
//!   IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_UNICAST_IF, IP_MULTICAST_IF, IP_MULTICAST_TTL,
//!   IP_MULTICAST_LOOP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP,
//!   IP_DROP_SOURCE_MEMBERSHIP, MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP;
//! * IPPROTO_IPV6: IPV6_V6ONLY, IPV6_UNICAST_HOPS, IPV6_TCLASS, IPV6_DONTFRAG, IPV6_MTU_DISCOVER,
//!   IPV6_MTU; for datagrams IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_RECVTCLASS, IPV6_UNICAST_IF,
//!   IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP, IPV6_ADD_MEMBERSHIP,
//!   IPV6_DROP_MEMBERSHIP, MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP;
//! * IPPROTO_TCP: TCP_NODELAY, TCP_KEEPIDLE (TCP_KEEPALIVE), TCP_KEEPINTVL, TCP_KEEPCNT, TCP_MAXRT,
//!   TCP_MAXRTMS, TCP_FASTOPEN.
//!
//! # Differs from Windows
//! What is not set is as this kernel has it: 64 hops, keep-alive probes 75 s apart, nine of them.
//! IP_TOS has effect. IP_MULTICAST_LOOP is the sender's to say, not the receiver's. The kernel
//! sends at most 127 probes, and TCP_MAXRT without end is 24 days. Ports that the system chooses
//! are random, and each local address has all of them, whatever SO_RANDOMIZE_PORT and
//! SO_PORT_SCALABILITY say. TCP_FASTOPEN is a listener's only, where the kernel's settings let it:
//! a connection is made the ordinary way.

mod multicast;
mod number;
mod passage;
mod query;
mod shared;
mod value;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use linsock_iocp::NtStatus;
use rustix::io::Errno;
use rustix::net::sockopt;

use linsock_iocp::afd::address::{Domain, Family};

use crate::catalog::Provider;
use crate::socket::Socket;
use crate::transport::status_of;

use number::{Number, Numbers};

pub use shared::SharedOptions;
pub use value::Value;

/// `SOL_SOCKET`, Windows' number.
pub const SOL_SOCKET: i32 = 0xFFFF;
/// `IPPROTO_IP`.
pub const IPPROTO_IP: i32 = 0;
/// `IPPROTO_TCP`.
pub const IPPROTO_TCP: i32 = 6;
/// `IPPROTO_IPV6`.
pub const IPPROTO_IPV6: i32 = 41;

const SO_DEBUG: i32 = 0x0001;
const SO_ACCEPTCONN: i32 = 0x0002;
const SO_REUSEADDR: i32 = 0x0004;
const SO_KEEPALIVE: i32 = 0x0008;
const SO_DONTROUTE: i32 = 0x0010;
const SO_BROADCAST: i32 = 0x0020;
const SO_LINGER: i32 = 0x0080;
const SO_OOBINLINE: i32 = 0x0100;
const SO_DONTLINGER: i32 = !SO_LINGER;
const SO_EXCLUSIVEADDRUSE: i32 = !SO_REUSEADDR;
const SO_SNDBUF: i32 = 0x1001;
const SO_RCVBUF: i32 = 0x1002;
const SO_SNDTIMEO: i32 = 0x1005;
const SO_RCVTIMEO: i32 = 0x1006;
const SO_ERROR: i32 = 0x1007;
const SO_TYPE: i32 = 0x1008;
const SO_MAX_MSG_SIZE: i32 = 0x2003;
const SO_CONNDATA: i32 = 0x7000;
const SO_CONNOPT: i32 = 0x7001;
const SO_DISCDATA: i32 = 0x7002;
const SO_DISCOPT: i32 = 0x7003;
const SO_CONNDATALEN: i32 = 0x7004;
const SO_DISCDATALEN: i32 = 0x7006;
const SO_DISCOPTLEN: i32 = 0x7007;
const SO_PROTOCOL_INFOA: i32 = 0x2004;
const SO_PROTOCOL_INFOW: i32 = 0x2005;
const SO_CONDITIONAL_ACCEPT: i32 = 0x3002;
const SO_REUSE_UNICASTPORT: i32 = 0x3007;
const SO_UPDATE_ACCEPT_CONTEXT: i32 = 0x700B;
const SO_CONNECT_TIME: i32 = 0x700C;
const SO_UPDATE_CONNECT_CONTEXT: i32 = 0x7010;
const TCP_NODELAY: i32 = 0x0001;
const IPV6_V6ONLY: i32 = 27;
const IP_MTU: i32 = 73;
const IPV6_MTU: i32 = 72;

/// `SO_CONNECT_TIME` of a socket without a connection (`test_connect_time`).
const NOT_CONNECTED: u32 = u32::MAX;

/// What a socket reports as its buffer sizes before the program sets any: Windows' default. The
/// kernel sizes the buffers itself until then.
const DEFAULT_BUFFER: u32 = 65_536;

/// The options a program has set. What a descriptor has to be told is told again to the next
/// descriptor of the handle: options survive reuse.
#[derive(Clone, Debug)]
pub struct Options {
    reuse_address: bool,
    exclusive_address: bool,
    keep_alive: Option<bool>,
    no_delay: Option<bool>,
    ipv6_only: Option<bool>,
    dont_route: bool,
    broadcast: bool,
    debug: bool,
    oob_inline: bool,
    conditional_accept: bool,
    linger_seconds: Option<u16>,
    receive_buffer: Option<u32>,
    send_buffer: Option<u32>,
    receive_timeout_ms: u32,
    send_timeout_ms: u32,
    numbers: Numbers,
}

impl Default for Options {
    fn default() -> Self {
        Self::NONE
    }
}

/// `tcp_keepalive` of SIO_KEEPALIVE_VALS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    /// Whether probes are sent.
    pub on: bool,
    /// Idle time before the first probe.
    pub time: Duration,
    /// Time between probes.
    pub interval: Duration,
}

impl Options {
    /// SO_OOBINLINE.
    pub(crate) const fn has_urgent_inline(&self) -> bool {
        self.oob_inline
    }

    /// What a program has that has set nothing.
    pub(crate) const NONE: Self = Self {
        reuse_address: false,
        exclusive_address: false,
        keep_alive: None,
        no_delay: None,
        ipv6_only: None,
        dont_route: false,
        broadcast: false,
        debug: false,
        oob_inline: false,
        conditional_accept: false,
        linger_seconds: None,
        receive_buffer: None,
        send_buffer: None,
        receive_timeout_ms: 0,
        send_timeout_ms: 0,
        numbers: Numbers::NONE,
    };

    /// The linger time in seconds; `None` when SO_LINGER is off.
    pub const fn linger(&self) -> Option<u16> {
        self.linger_seconds
    }

    /// SO_EXCLUSIVEADDRUSE.
    pub const fn is_exclusive(&self) -> bool {
        self.exclusive_address
    }

    /// SO_RCVTIMEO; `None` for ever.
    pub fn receive_timeout(&self) -> Option<Duration> {
        timeout(self.receive_timeout_ms)
    }

    /// SO_SNDTIMEO; `None` for ever.
    pub fn send_timeout(&self) -> Option<Duration> {
        timeout(self.send_timeout_ms)
    }

    /// Takes over a listener's options, except where this socket's were set.
    pub(crate) fn inherit(&mut self, from: Self) {
        let own = std::mem::replace(self, from);
        self.keep_alive = own.keep_alive.or(self.keep_alive);
        self.no_delay = own.no_delay.or(self.no_delay);
        self.linger_seconds = own.linger_seconds.or(self.linger_seconds);
        self.receive_buffer = own.receive_buffer.or(self.receive_buffer);
        self.send_buffer = own.send_buffer.or(self.send_buffer);
        self.receive_timeout_ms = self.receive_timeout_ms.max(own.receive_timeout_ms);
        self.send_timeout_ms = self.send_timeout_ms.max(own.send_timeout_ms);
        let listeners = std::mem::replace(&mut self.numbers, own.numbers);
        self.numbers.inherit(listeners);
    }

    /// What of this a descriptor still has to be told that came from a listener with these options:
    /// the kernel has copied them.
    pub(crate) fn beyond(&self, listener: &Self) -> Self {
        /// The value, unless the listener has the same.
        fn own<T: PartialEq + Default + Copy>(own: T, listener: T) -> T {
            if own == listener { T::default() } else { own }
        }
        Self {
            reuse_address: own(self.reuse_address, listener.reuse_address),
            keep_alive: own(self.keep_alive, listener.keep_alive),
            no_delay: own(self.no_delay, listener.no_delay),
            ipv6_only: own(self.ipv6_only, listener.ipv6_only),
            oob_inline: own(self.oob_inline, listener.oob_inline),
            linger_seconds: own(self.linger_seconds, listener.linger_seconds),
            receive_buffer: own(self.receive_buffer, listener.receive_buffer),
            send_buffer: own(self.send_buffer, listener.send_buffer),
            numbers: self.numbers.beyond(&listener.numbers),
            ..self.clone()
        }
    }

    /// Tells a descriptor everything it has to know.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub(crate) fn apply_all(&self, fd: impl AsFd) -> Result<(), NtStatus> {
        let fd = fd.as_fd();
        if self.reuse_address {
            apply_reuse(fd, true)?;
        }
        if let Some(on) = self.keep_alive {
            sockopt::set_socket_keepalive(fd, on).map_err(status_of)?;
        }
        if let Some(on) = self.no_delay {
            sockopt::set_tcp_nodelay(fd, on).map_err(status_of)?;
        }
        if let Some(on) = self.ipv6_only {
            // An accepted descriptor has it from its listener and refuses to change it.
            let _ = sockopt::set_ipv6_v6only(fd, on);
        }
        if self.oob_inline {
            sockopt::set_socket_oobinline(fd, true).map_err(status_of)?;
        }
        if self.linger_seconds.is_some() {
            apply_linger(fd, self.linger_seconds)?;
        }
        if let Some(octets) = self.receive_buffer {
            sockopt::set_socket_recv_buffer_size(fd, octets as usize).map_err(status_of)?;
        }
        if let Some(octets) = self.send_buffer {
            sockopt::set_socket_send_buffer_size(fd, octets as usize).map_err(status_of)?;
        }
        self.numbers.apply(fd)
    }
}

fn timeout(ms: u32) -> Option<Duration> {
    (ms != 0).then(|| Duration::from_millis(ms.into()))
}

/// Windows' SO_REUSEADDR lets several sockets bind the same port: that is both of Linux' options.
fn apply_reuse(fd: BorrowedFd<'_>, on: bool) -> Result<(), NtStatus> {
    sockopt::set_socket_reuseaddr(fd, on).map_err(status_of)?;
    match sockopt::set_socket_reuseport(fd, on) {
        // Where there are no ports: a path is taken until its file is removed, whatever is set.
        Err(Errno::OPNOTSUPP) => Ok(()),
        other => other.map_err(status_of),
    }
}

fn apply_linger(fd: BorrowedFd<'_>, seconds: Option<u16>) -> Result<(), NtStatus> {
    let linger = seconds.map(|seconds| Duration::from_secs(seconds.into()));
    sockopt::set_socket_linger(fd, linger).map_err(status_of)
}

/// Whether an option means nothing to datagrams (`test_sockopt_validity`).
const fn is_of_streams(level: i32, name: i32) -> bool {
    let of_socket = matches!(
        name,
        SO_ACCEPTCONN
            | SO_KEEPALIVE
            | SO_LINGER
            | SO_DONTLINGER
            | SO_OOBINLINE
            | SO_CONDITIONAL_ACCEPT
            | SO_CONNECT_TIME
            | SO_UPDATE_ACCEPT_CONTEXT
            | SO_UPDATE_CONNECT_CONTEXT
            | SO_REUSE_UNICASTPORT
    );
    level == IPPROTO_TCP || level == SOL_SOCKET && of_socket
}

/// Whether an option means nothing to streams (our choice): those of multicast.
const fn is_of_datagrams(level: i32, name: i32) -> bool {
    let of_number = match Number::of(level, name) {
        Some(number) => number.is_of_datagrams(),
        None => false,
    };
    of_number || multicast::is_change(level, name)
}

/// Whether the socket's provider has the option at all.
fn check_level(socket: &Socket, level: i32, name: i32) -> Result<(), NtStatus> {
    let foreign = match socket.provider() {
        Provider::Tcp(_) | Provider::Iso(_) => level != SOL_SOCKET && is_of_datagrams(level, name),
        Provider::Udp(_) => is_of_streams(level, name),
        Provider::Unix => matches!(level, IPPROTO_TCP | IPPROTO_IP | IPPROTO_IPV6),
    };
    if foreign { Err(NtStatus::OPTION_NOT_SUPPORTED) } else { Ok(()) }
}

/// setsockopt.
///
/// # Errors
/// WSAEFAULT when `value` is shorter than the option; WSAENOPROTOOPT for an option that is unknown
/// or read-only; WSAEINVAL for a level that is unknown, a value out of range, or a state that does
/// not allow the option.
pub fn set(socket: &Socket, level: i32, name: i32, value: &[u8]) -> Result<(), NtStatus> {
    check_level(socket, level, name)?;
    match (level, name) {
        (SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT) => {
            let listener = usize::from_ne_bytes(front(value)?);
            let listener = Socket::from_value(listener)?;
            socket.update_accept_context(&listener)
        }
        (SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT) => socket.update_connect_context(),
        (SOL_SOCKET, SO_CONDITIONAL_ACCEPT) if socket.is_listening() => {
            Err(NtStatus::INVALID_PARAMETER)
        }
        // Our choice: it says which addresses the socket takes, and that is decided.
        (IPPROTO_IPV6, IPV6_V6ONLY) if socket.is_bound() => Err(NtStatus::INVALID_PARAMETER),
        (SOL_SOCKET, SO_CONNDATA) => socket.with_user_data(|data| data.set_connect(value))?,
        (SOL_SOCKET, SO_DISCDATA) if socket.provider().has_disconnect_data() => {
            socket.with_user_data(|data| data.set_disconnect(value))?
        }
        (IPPROTO_IP | IPPROTO_IPV6, _) if multicast::is_change(level, name) => {
            let change = multicast::Change::read(level, name, value)?;
            let has_none = NtStatus::OPTION_NOT_SUPPORTED;
            socket.with_options(|_, fd| change.perform(fd.ok_or(has_none)?))
        }
        (SOL_SOCKET | IPPROTO_TCP | IPPROTO_IP | IPPROTO_IPV6, _) => {
            let number = number_of(socket, level, name)?;
            if number.is_some_and(Number::is_for_bind) && socket.is_bound() {
                return Err(NtStatus::INVALID_PARAMETER);
            }
            socket.with_options(|options, fd| {
                options.change(|options| match number {
                    Some(number) => options.set_number(number, number.read(value)?, fd),
                    None => options.set(level, name, value, fd),
                })
            })
        }
        _ => Err(NtStatus::INVALID_PARAMETER),
    }
}

/// The option that is a number, if it is one and the socket has it.
fn number_of(socket: &Socket, level: i32, name: i32) -> Result<Option<Number>, NtStatus> {
    let number = Number::of(level, name);
    let is_v6 = socket.domain() == Domain::Ip(Family::Inet6);
    let is_unix = socket.domain() == Domain::Unix;
    if number.is_some_and(|number| is_unix || number.is_of_v6() && !is_v6) {
        return Err(NtStatus::OPTION_NOT_SUPPORTED);
    }
    Ok(number)
}

impl Options {
    fn set_number(
        &mut self,
        number: Number,
        value: u32,
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<(), NtStatus> {
        self.numbers.set(number, value);
        fd.map_or(Ok(()), |fd| number.apply(fd, value))
    }

    fn set(
        &mut self,
        level: i32,
        name: i32,
        value: &[u8],
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<(), NtStatus> {
        match (level, name) {
            (SOL_SOCKET, SO_LINGER) => {
                let [on, seconds] = [front(value)?, front(value.get(2..).unwrap_or(&[]))?];
                let seconds = (u16::from_ne_bytes(on) != 0).then_some(u16::from_ne_bytes(seconds));
                self.change_linger(seconds, fd)
            }
            (SOL_SOCKET, SO_DONTLINGER) => {
                let seconds = if boolean(value)? { None } else { Some(0) };
                self.change_linger(seconds, fd)
            }
            (SOL_SOCKET, SO_RCVTIMEO) => assign(&mut self.receive_timeout_ms, dword(value)?),
            (SOL_SOCKET, SO_SNDTIMEO) => assign(&mut self.send_timeout_ms, dword(value)?),
            (SOL_SOCKET, SO_RCVBUF) => {
                self.receive_buffer = Some(dword(value)?);
                self.apply_some(fd, |o| Self {
                    receive_buffer: o.receive_buffer,
                    ..Self::default()
                })
            }
            (SOL_SOCKET, SO_SNDBUF) => {
                self.send_buffer = Some(dword(value)?);
                self.apply_some(fd, |o| Self { send_buffer: o.send_buffer, ..Self::default() })
            }
            (SOL_SOCKET, SO_REUSEADDR) => {
                let on = boolean(value)?;
                if on && self.exclusive_address {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                self.reuse_address = on;
                fd.map_or(Ok(()), |fd| apply_reuse(fd, on))
            }
            (SOL_SOCKET, SO_EXCLUSIVEADDRUSE) => {
                let on = boolean(value)?;
                if on && self.reuse_address {
                    return Err(NtStatus::INVALID_PARAMETER);
                }
                assign(&mut self.exclusive_address, on)
            }
            (SOL_SOCKET, SO_KEEPALIVE) => {
                self.keep_alive = Some(boolean(value)?);
                self.apply_some(fd, |o| Self { keep_alive: o.keep_alive, ..Self::default() })
            }
            (SOL_SOCKET, SO_OOBINLINE) => {
                self.oob_inline = boolean(value)?;
                self.apply_some(fd, |o| Self { oob_inline: o.oob_inline, ..Self::default() })
            }
            (SOL_SOCKET, SO_DONTROUTE) => assign(&mut self.dont_route, boolean(value)?),
            (SOL_SOCKET, SO_BROADCAST) => self.change_broadcast(boolean(value)?, fd),
            (SOL_SOCKET, SO_DEBUG) => assign(&mut self.debug, boolean(value)?),
            (SOL_SOCKET, SO_CONDITIONAL_ACCEPT) => {
                assign(&mut self.conditional_accept, boolean(value)?)
            }
            (IPPROTO_TCP, TCP_NODELAY) => {
                self.no_delay = Some(boolean(value)?);
                self.apply_some(fd, |o| Self { no_delay: o.no_delay, ..Self::default() })
            }
            (IPPROTO_IPV6, IPV6_V6ONLY) => {
                self.ipv6_only = Some(boolean(value)?);
                self.apply_some(fd, |o| Self { ipv6_only: o.ipv6_only, ..Self::default() })
            }
            _ => Err(NtStatus::OPTION_NOT_SUPPORTED),
        }
    }

    fn change_broadcast(&mut self, on: bool, fd: Option<BorrowedFd<'_>>) -> Result<(), NtStatus> {
        self.broadcast = on;
        let set = |fd| sockopt::set_socket_broadcast(fd, on).map_err(status_of);
        fd.map_or(Ok(()), set)
    }

    fn change_linger(
        &mut self,
        seconds: Option<u16>,
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<(), NtStatus> {
        self.linger_seconds = seconds;
        fd.map_or(Ok(()), |fd| apply_linger(fd, seconds))
    }

    /// Tells the descriptor, if there is one, the options that `part` keeps.
    fn apply_some(
        &self,
        fd: Option<BorrowedFd<'_>>,
        part: impl FnOnce(&Self) -> Self,
    ) -> Result<(), NtStatus> {
        fd.map_or(Ok(()), |fd| part(self).apply_all(fd))
    }

    /// SIO_KEEPALIVE_VALS.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn set_keep_alive(
        &mut self,
        times: KeepAlive,
        fd: Option<BorrowedFd<'_>>,
    ) -> Result<(), NtStatus> {
        // The kernel counts whole seconds, at least one.
        let seconds = |time: Duration| u32::try_from(time.as_secs().clamp(1, 32_767)).unwrap_or(1);
        self.keep_alive = Some(times.on);
        self.apply_some(fd, |o| Self { keep_alive: o.keep_alive, ..Self::default() })?;
        self.set_number(Number::KeepIdle, seconds(times.time), fd)?;
        self.set_number(Number::KeepInterval, seconds(times.interval), fd)
    }

    fn get_number(&self, number: Number) -> Value {
        let value = self.numbers.get(number);
        match u8::try_from(value) {
            _ if number.is_truth() => Value::Bool(value != 0),
            Ok(octet) if number.is_octet() => Value::Octet(octet),
            _ => Value::dword(value),
        }
    }

    fn get(&self, family_is_v6: bool, level: i32, name: i32) -> Result<Value, NtStatus> {
        let lingers = self.linger_seconds.is_some();
        Ok(match (level, name) {
            (SOL_SOCKET, SO_LINGER) => {
                let seconds = self.linger_seconds.unwrap_or(0).to_ne_bytes();
                let mut octets = u16::from(lingers).to_ne_bytes().to_vec();
                octets.extend(seconds);
                Value::Whole(octets)
            }
            (SOL_SOCKET, SO_DONTLINGER) => Value::Bool(!lingers),
            (SOL_SOCKET, SO_RCVTIMEO) => Value::dword(self.receive_timeout_ms),
            (SOL_SOCKET, SO_SNDTIMEO) => Value::dword(self.send_timeout_ms),
            (SOL_SOCKET, SO_RCVBUF) => Value::dword(self.receive_buffer.unwrap_or(DEFAULT_BUFFER)),
            (SOL_SOCKET, SO_SNDBUF) => Value::dword(self.send_buffer.unwrap_or(DEFAULT_BUFFER)),
            (SOL_SOCKET, SO_REUSEADDR) => Value::Bool(self.reuse_address),
            (SOL_SOCKET, SO_EXCLUSIVEADDRUSE) => Value::Bool(self.exclusive_address),
            (SOL_SOCKET, SO_KEEPALIVE) => Value::Bool(self.keep_alive.unwrap_or(false)),
            (SOL_SOCKET, SO_OOBINLINE) => Value::Bool(self.oob_inline),
            (SOL_SOCKET, SO_DONTROUTE) => Value::Bool(self.dont_route),
            (SOL_SOCKET, SO_BROADCAST) => Value::Bool(self.broadcast),
            (SOL_SOCKET, SO_DEBUG) => Value::Bool(self.debug),
            (SOL_SOCKET, SO_CONDITIONAL_ACCEPT) => Value::Bool(self.conditional_accept),
            (IPPROTO_TCP, TCP_NODELAY) => Value::Bool(self.no_delay.unwrap_or(false)),
            (IPPROTO_IPV6, IPV6_V6ONLY) if family_is_v6 => {
                Value::Bool(self.ipv6_only.unwrap_or(true))
            }
            _ => return Err(NtStatus::OPTION_NOT_SUPPORTED),
        })
    }
}

/// getsockopt.
///
/// # Errors
/// WSAENOPROTOOPT for an unknown option, WSAEINVAL for an unknown level.
pub fn get(socket: &Socket, level: i32, name: i32) -> Result<Value, NtStatus> {
    check_level(socket, level, name)?;
    let provider = socket.provider();
    Ok(match (level, name) {
        (SOL_SOCKET, SO_MAX_MSG_SIZE) if provider.message_size() > 0 => {
            Value::dword(provider.message_size())
        }
        (SOL_SOCKET, SO_ERROR) => Value::dword(socket.take_error().wsa()),
        (SOL_SOCKET, SO_TYPE) => Value::dword(provider.socket_type().cast_unsigned()),
        (SOL_SOCKET, SO_ACCEPTCONN) => Value::Bool(socket.is_listening()),
        (SOL_SOCKET, SO_CONNECT_TIME) => {
            Value::dword(socket.connect_seconds().unwrap_or(NOT_CONNECTED))
        }
        (IPPROTO_IP, IP_MTU) => query::path_mtu(socket, false)?,
        (IPPROTO_IPV6, IPV6_MTU) if socket.domain() == Domain::Ip(Family::Inet6) => {
            query::path_mtu(socket, true)?
        }
        (SOL_SOCKET, SO_PROTOCOL_INFOW) => Value::Whole(provider.info_wide()),
        (SOL_SOCKET, SO_PROTOCOL_INFOA) => Value::Whole(provider.info_narrow()),
        (SOL_SOCKET, SO_CONNDATA..=SO_DISCOPTLEN) => return query::user_data(socket, name),
        (SOL_SOCKET | IPPROTO_TCP | IPPROTO_IP | IPPROTO_IPV6, _) => {
            let v6 = socket.domain() == Domain::Ip(Family::Inet6);
            let number = number_of(socket, level, name)?;
            return socket.with_options(|options, _| match number {
                Some(number) => Ok(options.get_number(number)),
                None => options.get(v6, level, name),
            });
        }
        _ => return Err(NtStatus::INVALID_PARAMETER),
    })
}

fn assign<T>(place: &mut T, value: T) -> Result<(), NtStatus> {
    *place = value;
    Ok(())
}

fn front<const N: usize>(value: &[u8]) -> Result<[u8; N], NtStatus> {
    value.first_chunk().copied().ok_or(NtStatus::ACCESS_VIOLATION)
}

fn dword(value: &[u8]) -> Result<u32, NtStatus> {
    front(value).map(u32::from_ne_bytes)
}

/// A BOOL may be given in one octet or more (`test_set_getsockopt`).
fn boolean(value: &[u8]) -> Result<bool, NtStatus> {
    match value {
        [] => Err(NtStatus::ACCESS_VIOLATION),
        octets => Ok(octets.iter().take(4).any(|octet| *octet != 0)),
    }
}

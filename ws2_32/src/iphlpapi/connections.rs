//! The tables and counters of TCP and UDP: everybody's connections, not linsock's alone.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

use linsock::afd::address::Family;
use linsock::host::{self, Record};
use linsock::net::TcpState;
use linsock::time_wait::{self, Pair};

use super::table::{self, Detail};
use super::{ERROR_GEN_FAILURE, code, hand_over_octets};
use crate::abi::BOOL;
use crate::export::{Outcome, export};
use crate::kernel32::object::no_access;
use crate::last_error::Error;
use crate::ptr;

/// MIB_TCP_STATE_DELETE_TCB.
const DELETE_TCB: u32 = 12;

/// Which sockets a table has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Listeners,
    Connections,
    All,
}

impl Which {
    fn has(self, record: &Record) -> bool {
        let listens = record.state == TcpState::Listen;
        match self {
            Self::Listeners => listens,
            Self::Connections => !listens,
            Self::All => true,
        }
    }
}

/// A TCP_TABLE_CLASS.
fn tcp_class(class: u32) -> Option<(Which, Detail)> {
    let which = [Which::Listeners, Which::Connections, Which::All];
    let detail = [Detail::Basic, Detail::Process, Detail::Module];
    let class = usize::try_from(class).ok()?;
    Some((which[class % 3], *detail.get(class / 3)?))
}

/// A UDP_TABLE_CLASS.
fn udp_class(class: u32) -> Option<Detail> {
    let detail = [Detail::Basic, Detail::Process, Detail::Module];
    detail.get(usize::try_from(class).ok()?).copied()
}

/// Sorted by both ends, always: an order may be asked for, and disorder not.
fn sorted(mut records: Vec<Record>, family: Family) -> Vec<Record> {
    records.retain(|record| Family::of(&record.local) == family);
    records.sort_by_key(|record| (record.local, record.remote));
    records
}

/// The kernel's connections, and the pairs that linsock holds longer than the kernel.
fn connections(family: Family) -> Vec<Record> {
    let mut records = host::tcp();
    let is_known = |pair: Pair| {
        records.iter().any(|record| (record.local, record.remote) == (pair.local, pair.remote))
    };
    let held = time_wait::held().into_iter().filter(|held| !is_known(held.pair));
    let held: Vec<_> = held
        .map(|held| Record {
            local: held.pair.local,
            remote: held.pair.remote,
            state: TcpState::TimeWait,
            inode: 0,
            left: Some(held.left),
        })
        .collect();
    records.extend(held);
    sorted(records, family)
}

/// Where a table is wanted, and how large that is.
struct Room {
    at: *mut u8,
    size: *mut u32,
}

impl Room {
    fn take(self, table: impl FnOnce() -> Vec<u8>) -> u32 {
        let too_small = Error::ERROR_INSUFFICIENT_BUFFER;
        code(hand_over_octets(self.at, self.size, too_small, |_| table()))
    }
}

/// The processes take a look at each of them, so only who wants them pays.
fn owners(detail: Detail) -> HashMap<u64, u32> {
    if detail == Detail::Basic { HashMap::new() } else { host::owners() }
}

fn tcp(room: Room, family: Family, which: Which, detail: Detail) -> u32 {
    room.take(|| {
        let mut records = connections(family);
        records.retain(|record| which.has(record));
        table::tcp(&records, detail, &owners(detail))
    })
}

fn udp(room: Room, family: Family, detail: Detail) -> u32 {
    room.take(|| table::udp(&sorted(host::udp(), family), detail, &owners(detail)))
}

fn family(number: u32) -> Option<Family> {
    Family::from_number(i32::try_from(number).ok()?)
}

/// The connection of a MIB_TCPROW, which has to be deleted.
fn pair_of(row: [u32; 5]) -> Outcome<Pair> {
    let [state, local, local_port, remote, remote_port] = row;
    if state != DELETE_TCB {
        return Err(Error::ERROR_INVALID_PARAMETER);
    }
    let end = |ip: u32, port: u32| {
        let [high, low, ..] = port.to_ne_bytes();
        SocketAddr::from((Ipv4Addr::from(ip.to_ne_bytes()), u16::from_be_bytes([high, low])))
    };
    Ok(Pair { local: end(local, local_port), remote: end(remote, remote_port) })
}

/// The names of the counters, in the order of MIB_TCPSTATS.
const TCP_COUNTERS: [&str; 14] = [
    "RtoAlgorithm",
    "RtoMin",
    "RtoMax",
    "MaxConn",
    "ActiveOpens",
    "PassiveOpens",
    "AttemptFails",
    "EstabResets",
    "CurrEstab",
    "InSegs",
    "OutSegs",
    "RetransSegs",
    "InErrs",
    "OutRsts",
];
/// In the order of MIB_UDPSTATS.
const UDP_COUNTERS: [&str; 4] = ["InDatagrams", "NoPorts", "InErrors", "OutDatagrams"];

/// Writes counters, which wrap, and how many sockets there are.
fn counters(at: *mut u32, protocol: &str, names: &[&str], sockets: usize) -> u32 {
    let known = host::counters(protocol);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters wrap")]
    let value = |name: &&str| known.get(*name).copied().unwrap_or(0) as u32;
    let mut values: Vec<u32> = names.iter().map(value).collect();
    values.push(u32::try_from(sockets).unwrap_or(u32::MAX));
    if at.is_null() {
        return Error::ERROR_INVALID_PARAMETER.0;
    }
    code(ptr::write_all(at, &values).map_err(no_access))
}

fn tcp_counters(at: *mut u32, family: Family) -> u32 {
    let sockets = connections(family).len();
    counters(at, "Tcp", &TCP_COUNTERS, sockets)
}

fn udp_counters(at: *mut u32, family: Family) -> u32 {
    let sockets = sorted(host::udp(), family).len();
    let protocol = if family == Family::Inet { "Udp" } else { "Udp6" };
    counters(at, protocol, &UDP_COUNTERS, sockets)
}

export! {
    /// The TCP sockets of IPv4: listeners, connections, and pairs in TIME_WAIT, those that linsock
    /// holds in this process among them. Sorted.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcptable>
    ///
    /// Does not block; a table of many thousands takes milliseconds.
    ///
    /// # Errors
    /// Returned: ERROR_INSUFFICIENT_BUFFER with the size that is needed, ERROR_INVALID_PARAMETER,
    /// ERROR_NOACCESS.
    fn GetTcpTable(TcpTable: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        let room = Room { at: TcpTable, size: SizePointer };
        Ok(tcp(room, Family::Inet, Which::All, Detail::Basic))
    }

    /// As GetTcpTable, with the process of each socket: 0 where it may not be looked into, and for
    /// pairs in TIME_WAIT.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcptable2>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable.
    fn GetTcpTable2(TcpTable: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        let room = Room { at: TcpTable, size: SizePointer };
        Ok(tcp(room, Family::Inet, Which::All, Detail::Second))
    }

    /// As GetTcpTable, of IPv6.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcp6table>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable.
    ///
    /// # Differs from Windows
    /// Scopes are 0: the kernel does not tell them here.
    fn GetTcp6Table(TcpTable: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        let room = Room { at: TcpTable, size: SizePointer };
        Ok(tcp(room, Family::Inet6, Which::All, Detail::Basic))
    }

    /// As GetTcpTable2, of IPv6.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcp6table2>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable.
    ///
    /// # Differs from Windows
    /// Scopes are 0: the kernel does not tell them here.
    fn GetTcp6Table2(TcpTable: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        let room = Room { at: TcpTable, size: SizePointer };
        Ok(tcp(room, Family::Inet6, Which::All, Detail::Second))
    }

    /// The TCP sockets of a family: those that the class says, with what it says of their owners.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedtcptable>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable; ERROR_INVALID_PARAMETER also for another family or class,
    /// ERROR_NOT_SUPPORTED for a basic class of IPv6 (the page's table has none).
    ///
    /// # Differs from Windows
    /// When a socket was made and its module are not told: both are 0.
    fn GetExtendedTcpTable(
        pTcpTable: *mut u8,
        pdwSize: *mut u32,
        bOrder: BOOL,
        ulAf: u32,
        TableClass: u32,
        Reserved: u32,
    ) -> u32, fail ERROR_GEN_FAILURE; {
        let _ = (bOrder, Reserved);
        let (Some(family), Some((which, detail))) = (family(ulAf), tcp_class(TableClass)) else {
            return Ok(Error::ERROR_INVALID_PARAMETER.0);
        };
        if family == Family::Inet6 && detail == Detail::Basic {
            return Ok(Error::ERROR_NOT_SUPPORTED.0);
        }
        Ok(tcp(Room { at: pTcpTable, size: pdwSize }, family, which, detail))
    }

    /// The UDP sockets of IPv4. Sorted.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getudptable>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable.
    fn GetUdpTable(UdpTable: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        Ok(udp(Room { at: UdpTable, size: SizePointer }, Family::Inet, Detail::Basic))
    }

    /// The UDP sockets of IPv6. Sorted.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getudp6table>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable.
    ///
    /// # Differs from Windows
    /// Scopes are 0: the kernel does not tell them here.
    fn GetUdp6Table(Udp6Table: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        Ok(udp(Room { at: Udp6Table, size: SizePointer }, Family::Inet6, Detail::Basic))
    }

    /// The UDP sockets of a family, with what the class says of their owners.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedudptable>
    ///
    /// # Errors
    /// Returned, as those of GetTcpTable; ERROR_INVALID_PARAMETER also for another family or class.
    ///
    /// # Differs from Windows
    /// When a socket was made and its module are not told: both are 0.
    fn GetExtendedUdpTable(
        pUdpTable: *mut u8,
        pdwSize: *mut u32,
        bOrder: BOOL,
        ulAf: u32,
        TableClass: u32,
        Reserved: u32,
    ) -> u32, fail ERROR_GEN_FAILURE; {
        let _ = (bOrder, Reserved);
        let (Some(family), Some(detail)) = (family(ulAf), udp_class(TableClass)) else {
            return Ok(Error::ERROR_INVALID_PARAMETER.0);
        };
        Ok(udp(Room { at: pUdpTable, size: pdwSize }, family, detail))
    }

    /// Ends a TCP connection over IPv4, whoever has it: both ends see a reset. The row's state has
    /// to be MIB_TCP_STATE_DELETE_TCB. A pair that linsock holds when the kernel does no more stays
    /// held.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-settcpentry>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER for another state, ERROR_ACCESS_DENIED without
    /// CAP_NET_ADMIN in the network namespace (an administrator there), ERROR_NOT_FOUND for no such
    /// connection (choice: the page names no code), ERROR_NOT_SUPPORTED for a kernel without it.
    fn SetTcpEntry(pTcpRow: *const [u32; 5]) -> u32, fail ERROR_GEN_FAILURE; {
        let end = || {
            let row = ptr::read(pTcpRow).map_err(|_| Error::ERROR_INVALID_PARAMETER)?;
            let was_there = host::reset(pair_of(row)?).map_err(|status| match status {
                linsock::NtStatus::ACCESS_DENIED => Error::ERROR_ACCESS_DENIED,
                _ => Error::ERROR_NOT_SUPPORTED,
            })?;
            if was_there { Ok(()) } else { Err(Error::ERROR_NOT_FOUND) }
        };
        Ok(code(end()))
    }

    /// The counters of TCP, since the host, or its network namespace, began.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcpstatistics>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS.
    fn GetTcpStatistics(Statistics: *mut u32) -> u32, fail ERROR_GEN_FAILURE; {
        Ok(tcp_counters(Statistics, Family::Inet))
    }

    /// As GetTcpStatistics, of a family.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcpstatisticsex>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS.
    ///
    /// # Differs from Windows
    /// Linux counts both families together; only the number of sockets is the family's.
    fn GetTcpStatisticsEx(Statistics: *mut u32, Family: u32) -> u32, fail ERROR_GEN_FAILURE; {
        let counted = family(Family).map(|family| tcp_counters(Statistics, family));
        Ok(counted.unwrap_or(Error::ERROR_INVALID_PARAMETER.0))
    }

    /// The counters of UDP over IPv4, since the host, or its network namespace, began.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getudpstatistics>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS.
    fn GetUdpStatistics(Stats: *mut u32) -> u32, fail ERROR_GEN_FAILURE; {
        Ok(udp_counters(Stats, Family::Inet))
    }

    /// As GetUdpStatistics, of a family.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getudpstatisticsex>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS.
    fn GetUdpStatisticsEx(Statistics: *mut u32, Family: u32) -> u32, fail ERROR_GEN_FAILURE; {
        let counted = family(Family).map(|family| udp_counters(Statistics, family));
        Ok(counted.unwrap_or(Error::ERROR_INVALID_PARAMETER.0))
    }
}

//! The tables and counters of TCP and UDP: everybody's connections, not linsock's alone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use linsock::afd::address::Family;
use linsock::host::{self, Record};
use linsock::net::TcpState;
use linsock::time_wait::{self, Pair};

use super::table::{self, Detail};
use super::{ERROR_GEN_FAILURE, code, hand_over_octets, refusal};
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

/// An end, in the order of the pages: address, scope, port.
fn place(end: &SocketAddr) -> (IpAddr, u32, u16) {
    let scope = match end {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) => v6.scope_id(),
    };
    (end.ip(), scope, end.port())
}

/// Sorted by both ends, always: an order may be asked for, and disorder not. The kernel may tell a
/// socket twice, or one and what became of it, if others come and go meanwhile.
fn sorted(mut records: Vec<Record>, family: Family) -> Vec<Record> {
    let is_left = |record: &Record| record.state == TcpState::TimeWait;
    let ends = |record: &Record| (place(&record.local), place(&record.remote));
    records.retain(|record| Family::of(&record.local) == family);
    records.sort_by_key(|record| (ends(record), is_left(record), record.inode));
    records.dedup_by(|record, before| {
        ends(record) == ends(before) && (is_left(record) || record.inode == before.inode)
    });
    records
}

/// The kernel's connections, and the pairs that linsock holds longer than the kernel.
fn connections(family: Family) -> Outcome<Vec<Record>> {
    let mut records = host::tcp().map_err(refusal)?;
    // Where the kernel has a record as well, one is left over.
    records.extend(time_wait::held().into_iter().map(|held| {
        let Pair { local, remote } = host::told_pair(held.pair);
        let (state, left) = (TcpState::TimeWait, Some(held.left));
        Record { local, remote, state, inode: 0, left }
    }));
    Ok(sorted(records, family))
}

/// Where a table is wanted, and how large that is.
struct Room {
    at: *mut u8,
    size: *mut u32,
}

/// Octets for rows that come between the call that asks for the size and the next.
const SPARE: u32 = 2048;

impl Room {
    fn take(&self, table: impl FnOnce() -> Outcome<Vec<u8>>) -> u32 {
        let too_small = Error::ERROR_INSUFFICIENT_BUFFER;
        let handed = hand_over_octets(self.at, self.size, too_small, |_| table());
        code(handed.map_err(|error| if error == too_small { self.spare() } else { error }))
    }

    /// The size has been told: makes it larger.
    fn spare(&self) -> Error {
        match ptr::Out::new(self.size) {
            Ok(size) => {
                let needed = size.get();
                size.put(needed.saturating_add(needed / 8).saturating_add(SPARE));
                Error::ERROR_INSUFFICIENT_BUFFER
            }
            Err(_) => Error::ERROR_NOACCESS,
        }
    }

    /// The processes of the sockets. They take a look at each of them, so only who wants them pays,
    /// and who asks for the size does not.
    fn owners(&self, detail: Detail) -> Outcome<HashMap<u64, u32>> {
        if detail == Detail::Basic || self.at.is_null() {
            return Ok(HashMap::new());
        }
        host::owners().map_err(refusal)
    }
}

fn tcp(room: Room, family: Family, which: Which, detail: Detail) -> u32 {
    let owners = || room.owners(detail);
    let rows = || {
        let mut records = connections(family)?;
        records.retain(|record| which.has(record));
        Ok(table::tcp(&records, detail, &owners()?))
    };
    room.take(rows)
}

fn udp(room: Room, family: Family, detail: Detail) -> u32 {
    let owners = || room.owners(detail);
    room.take(|| Ok(table::udp(&datagrams(family)?, detail, &owners()?)))
}

fn datagrams(family: Family) -> Outcome<Vec<Record>> {
    Ok(sorted(host::udp().map_err(refusal)?, family))
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
fn counters(at: *mut u32, protocol: &str, names: &[&str], sockets: usize) -> Outcome<()> {
    let known = host::counters(protocol).map_err(refusal)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters wrap")]
    let value = |name: &&str| known.get(*name).copied().unwrap_or(0) as u32;
    let mut values: Vec<u32> = names.iter().map(value).collect();
    values.push(u32::try_from(sockets).unwrap_or(u32::MAX));
    ptr::write_all(at, &values).map_err(no_access)
}

fn tcp_counters(at: *mut u32, family: Option<Family>) -> u32 {
    let count = || {
        let family = family.filter(|_| !at.is_null()).ok_or(Error::ERROR_INVALID_PARAMETER)?;
        // MIB_TCPSTATS page: "connections in all states except listening".
        let sockets = connections(family)?.into_iter().filter(|it| Which::Connections.has(it));
        counters(at, "Tcp", &TCP_COUNTERS, sockets.count())
    };
    code(count())
}

fn udp_counters(at: *mut u32, family: Option<Family>) -> u32 {
    let count = || {
        let family = family.filter(|_| !at.is_null()).ok_or(Error::ERROR_INVALID_PARAMETER)?;
        let protocol = if family == Family::Inet { "Udp" } else { "Udp6" };
        counters(at, protocol, &UDP_COUNTERS, datagrams(family)?.len())
    };
    code(count())
}

export! {
    /// The TCP sockets of IPv4: listeners, connections, and pairs in TIME_WAIT, those that linsock
    /// holds in this process among them. Sorted.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcptable>
    ///
    /// A socket of IPv6 that takes IPv4 too is told in both tables where it listens, and otherwise
    /// in that of the addresses that it uses.
    ///
    /// Does not block; a table of many thousands takes milliseconds.
    ///
    /// # Errors
    /// Returned: ERROR_INSUFFICIENT_BUFFER with the size that is needed, and room to spare for rows
    /// that come before the next call; ERROR_INVALID_PARAMETER, ERROR_NOACCESS,
    /// ERROR_TOO_MANY_OPEN_FILES, ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED without /proc.
    ///
    /// # Differs from Windows
    /// Where netlink is forbidden (a sandbox), nobody knows which listeners of IPv6 take IPv4 too:
    /// they are in the table of IPv6 alone.
    fn GetTcpTable(TcpTable: *mut u8, SizePointer: *mut u32, Order: BOOL) -> u32,
        fail ERROR_GEN_FAILURE;
    {
        let _ = Order;
        let room = Room { at: TcpTable, size: SizePointer };
        Ok(tcp(room, Family::Inet, Which::All, Detail::Basic))
    }

    /// As GetTcpTable, with the process of each socket: 0 where it may not be looked into, and for
    /// pairs in TIME_WAIT. What waits in a backlog is its listener's.
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
    /// Scopes are 0 where netlink is forbidden (a sandbox).
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
    /// Scopes are 0 where netlink is forbidden (a sandbox).
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
    /// Scopes are 0 where netlink is forbidden (a sandbox).
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
            let was_there = host::reset(pair_of(row)?).map_err(refusal)?;
            if was_there { Ok(()) } else { Err(Error::ERROR_NOT_FOUND) }
        };
        Ok(code(end()))
    }

    /// The counters of TCP, since the host, or its network namespace, began.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcpstatistics>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_TOO_MANY_OPEN_FILES,
    /// ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED without /proc.
    fn GetTcpStatistics(Statistics: *mut u32) -> u32, fail ERROR_GEN_FAILURE; {
        Ok(tcp_counters(Statistics, Some(Family::Inet)))
    }

    /// As GetTcpStatistics, of a family.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-gettcpstatisticsex>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_TOO_MANY_OPEN_FILES,
    /// ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED without /proc.
    ///
    /// # Differs from Windows
    /// Linux counts both families together; only the number of sockets is the family's.
    fn GetTcpStatisticsEx(Statistics: *mut u32, Family: u32) -> u32, fail ERROR_GEN_FAILURE; {
        Ok(tcp_counters(Statistics, family(Family)))
    }

    /// The counters of UDP over IPv4, since the host, or its network namespace, began.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getudpstatistics>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_TOO_MANY_OPEN_FILES,
    /// ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED without /proc.
    fn GetUdpStatistics(Stats: *mut u32) -> u32, fail ERROR_GEN_FAILURE; {
        Ok(udp_counters(Stats, Some(Family::Inet)))
    }

    /// As GetUdpStatistics, of a family.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getudpstatisticsex>
    ///
    /// # Errors
    /// Returned: ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_TOO_MANY_OPEN_FILES,
    /// ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED without /proc.
    fn GetUdpStatisticsEx(Statistics: *mut u32, Family: u32) -> u32, fail ERROR_GEN_FAILURE; {
        Ok(udp_counters(Statistics, family(Family)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(local: &str, remote: &str, state: TcpState, inode: u64) -> Record {
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        Record { local, remote, state, inode, left: None }
    }

    /// Pages of GetTcpTable and GetTcp6Table: address, scope, port of this end, then of the other.
    #[test]
    fn rows_are_in_the_order_of_the_pages_and_once() {
        use TcpState::{Established, FinWait2, Listen, TimeWait};
        let expected = [
            record("1.2.3.4:9", "0.0.0.0:0", Listen, 7),
            // Two that share a port.
            record("1.2.3.4:9", "0.0.0.0:0", Listen, 8),
            record("1.2.3.4:9", "2.2.2.2:300", Established, 9),
            record("1.2.3.4:9", "10.0.0.1:2", FinWait2, 0),
            record("1.2.3.4:256", "1.1.1.1:1", TimeWait, 0),
            record("9.0.0.1:1", "1.1.1.1:1", Established, 10),
        ];
        let mut told = expected.to_vec();
        // Told twice by the kernel; what has become of a connection; what linsock holds as well.
        told.extend([expected[2], expected[3], expected[4]]);
        told.push(record("9.0.0.1:1", "1.1.1.1:1", TimeWait, 0));
        told.push(record("[::1]:1", "[::]:0", Listen, 11));
        told.reverse();
        assert_eq!(sorted(told, Family::Inet), expected);
        let expected = [
            record("[fe80::1%2]:9", "[::]:0", Listen, 1),
            record("[fe80::1%3]:5", "[::]:0", Listen, 2),
        ];
        let told = expected.iter().rev().copied().collect();
        assert_eq!(sorted(told, Family::Inet6), expected);
    }
}

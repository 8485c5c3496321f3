//! The tables of the IP helper, read through the structures that Windows' own definitions have
//! (windows-sys): rows and what is between them are where a Windows program looks for them.

use std::net::{TcpListener, UdpSocket};

use linsock_c::iphlpapi::connections::{
    GetExtendedTcpTable, GetExtendedUdpTable, GetTcp6Table, GetTcp6Table2, GetTcpTable,
    GetTcpTable2, GetUdp6Table, GetUdpTable,
};
use linsock_c::iphlpapi::older::GetIpAddrTable;
use windows_sys::Win32::NetworkManagement::IpHelper as win;

const AF_INET: u32 = 2;
const AF_INET6: u32 = 23;
const NO_ERROR: u32 = 0;
const ERROR_INSUFFICIENT_BUFFER: u32 = 122;

/// The rows of a table: its first member counts them, the second is the first of them.
macro_rules! rows {
    ($table:ty, $row:ty, |$at:ident, $size:ident| $call:expr) => {{
        let mut room: Vec<u64> = Vec::new();
        loop {
            let mut octets = u32::try_from(size_of_val(&room[..])).unwrap();
            let ($at, $size) = (room.as_mut_ptr().cast::<u8>(), &raw mut octets);
            // SAFETY: the room is as large as it says.
            match unsafe { $call } {
                NO_ERROR => break,
                ERROR_INSUFFICIENT_BUFFER => {
                    room.resize(usize::try_from(octets).unwrap().div_ceil(8) + 64, 0);
                }
                error => panic!("{error}"),
            }
        }
        let table = room.as_ptr().cast::<$table>();
        // SAFETY: a table begins with the number of its rows.
        let count = usize::try_from(unsafe { (*table).dwNumEntries }).unwrap();
        // SAFETY: in the table.
        let first = unsafe { (&raw const (*table).table).cast::<$row>() };
        // SAFETY: so many follow each other there.
        unsafe { std::slice::from_raw_parts(first, count) }.to_vec()
    }};
}

fn port(in_network_order: u32) -> u16 {
    u16::try_from(in_network_order).map(u16::from_be).unwrap()
}

#[test]
fn a_listener_is_where_windows_programs_look() {
    let own = std::process::id();
    let four = TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = four.local_addr().unwrap().port();
    let rows = rows!(win::MIB_TCPTABLE, win::MIB_TCPROW_LH, |at, size| GetTcpTable(at, size, 1));
    assert_eq!(rows.iter().filter(|row| port(row.dwLocalPort) == wanted).count(), 1);
    let rows = rows!(win::MIB_TCPTABLE2, win::MIB_TCPROW2, |at, size| GetTcpTable2(at, size, 1));
    let is_own =
        |row: &&win::MIB_TCPROW2| port(row.dwLocalPort) == wanted && row.dwOwningPid == own;
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_TCPTABLE_OWNER_PID, win::MIB_TCPROW_OWNER_PID, |at, size| {
        GetExtendedTcpTable(at, size, 1, AF_INET, 5, 0)
    });
    let is_own = |row: &&win::MIB_TCPROW_OWNER_PID| {
        port(row.dwLocalPort) == wanted && row.dwOwningPid == own && row.dwState == 2
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_TCPTABLE_OWNER_MODULE, win::MIB_TCPROW_OWNER_MODULE, |at, size| {
        GetExtendedTcpTable(at, size, 1, AF_INET, 8, 0)
    });
    let is_own = |row: &&win::MIB_TCPROW_OWNER_MODULE| {
        port(row.dwLocalPort) == wanted && row.dwOwningPid == own && row.liCreateTimestamp == 0
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
}

#[test]
fn a_listener_of_ipv6_is_too() {
    let own = std::process::id();
    let Ok(six) = TcpListener::bind("[::1]:0") else {
        println!("skipped: a_listener_of_ipv6_is_too needs IPv6");
        return;
    };
    let wanted = six.local_addr().unwrap().port();
    let rows = rows!(win::MIB_TCP6TABLE, win::MIB_TCP6ROW, |at, size| GetTcp6Table(at, size, 1));
    let is_own = |row: &&win::MIB_TCP6ROW| port(row.dwLocalPort) == wanted && row.State == 2;
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_TCP6TABLE2, win::MIB_TCP6ROW2, |at, size| GetTcp6Table2(at, size, 1));
    let is_own = |row: &&win::MIB_TCP6ROW2| {
        port(row.dwLocalPort) == wanted && row.State == 2 && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_TCP6TABLE_OWNER_PID, win::MIB_TCP6ROW_OWNER_PID, |at, size| {
        GetExtendedTcpTable(at, size, 1, AF_INET6, 3, 0)
    });
    let is_own = |row: &&win::MIB_TCP6ROW_OWNER_PID| {
        port(row.dwLocalPort) == wanted && row.dwState == 2 && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_TCP6TABLE_OWNER_MODULE, win::MIB_TCP6ROW_OWNER_MODULE, |at, size| {
        GetExtendedTcpTable(at, size, 1, AF_INET6, 6, 0)
    });
    let is_own = |row: &&win::MIB_TCP6ROW_OWNER_MODULE| {
        port(row.dwLocalPort) == wanted && row.dwState == 2 && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
}

#[test]
fn sockets_for_datagrams_are_too() {
    let own = std::process::id();
    let four = UdpSocket::bind("127.0.0.1:0").unwrap();
    let wanted = four.local_addr().unwrap().port();
    let rows = rows!(win::MIB_UDPTABLE, win::MIB_UDPROW, |at, size| GetUdpTable(at, size, 1));
    assert_eq!(rows.iter().filter(|row| port(row.dwLocalPort) == wanted).count(), 1);
    let rows = rows!(win::MIB_UDPTABLE_OWNER_PID, win::MIB_UDPROW_OWNER_PID, |at, size| {
        GetExtendedUdpTable(at, size, 1, AF_INET, 1, 0)
    });
    let is_own = |row: &&win::MIB_UDPROW_OWNER_PID| {
        port(row.dwLocalPort) == wanted && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_UDPTABLE_OWNER_MODULE, win::MIB_UDPROW_OWNER_MODULE, |at, size| {
        GetExtendedUdpTable(at, size, 1, AF_INET, 2, 0)
    });
    let is_own = |row: &&win::MIB_UDPROW_OWNER_MODULE| {
        port(row.dwLocalPort) == wanted && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let Ok(six) = UdpSocket::bind("[::1]:0") else {
        println!("skipped: the rest of sockets_for_datagrams_are_too needs IPv6");
        return;
    };
    let wanted = six.local_addr().unwrap().port();
    let rows = rows!(win::MIB_UDP6TABLE, win::MIB_UDP6ROW, |at, size| GetUdp6Table(at, size, 1));
    assert_eq!(rows.iter().filter(|row| port(row.dwLocalPort) == wanted).count(), 1);
    let rows = rows!(win::MIB_UDP6TABLE_OWNER_PID, win::MIB_UDP6ROW_OWNER_PID, |at, size| {
        GetExtendedUdpTable(at, size, 1, AF_INET6, 1, 0)
    });
    let is_own = |row: &&win::MIB_UDP6ROW_OWNER_PID| {
        port(row.dwLocalPort) == wanted && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
    let rows = rows!(win::MIB_UDP6TABLE_OWNER_MODULE, win::MIB_UDP6ROW_OWNER_MODULE, |at, size| {
        GetExtendedUdpTable(at, size, 1, AF_INET6, 2, 0)
    });
    let is_own = |row: &&win::MIB_UDP6ROW_OWNER_MODULE| {
        port(row.dwLocalPort) == wanted && row.dwOwningPid == own
    };
    assert_eq!(rows.iter().filter(is_own).count(), 1);
}

#[test]
fn addresses_are_too() {
    let rows = rows!(win::MIB_IPADDRTABLE, win::MIB_IPADDRROW_XP, |at, size| {
        GetIpAddrTable(at, size, 1)
    });
    let loopback = u32::from_ne_bytes([127, 0, 0, 1]);
    let row = rows.iter().find(|row| row.dwAddr == loopback).expect("the host has loopback");
    assert_eq!((row.dwMask, row.dwReasmSize), (u32::from_ne_bytes([255, 0, 0, 0]), 65_535));
    assert_eq!(row.wType, 1);
}

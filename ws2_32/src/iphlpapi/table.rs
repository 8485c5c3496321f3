//! Tables of rows that are as long as each other, behind their number, as the IP helper lays them
//! out.

use std::collections::HashMap;
use std::net::SocketAddr;

use linsock::host::Record;
use linsock::net::TcpState;

/// What a row tells besides addresses and state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Nothing.
    Basic,
    /// The process, and that nothing is offloaded: GetTcpTable2.
    Second,
    /// The process.
    Process,
    /// The process, when the socket was made, and what the owner is told by.
    Module,
}

/// Words of the OwningModuleInfo.
const MODULE_INFO: usize = 16;

/// A row.
#[derive(Default)]
struct Row(Vec<u8>);

impl Row {
    fn number(&mut self, number: u32) {
        self.0.extend(number.to_ne_bytes());
    }

    fn long(&mut self, number: u64) {
        self.0.resize(self.0.len().next_multiple_of(align_of::<u64>()), 0);
        self.0.extend(number.to_ne_bytes());
    }

    /// An end of a connection: IPv4's octets, or IPv6's and the scope; the port in network order.
    fn end(&mut self, address: &SocketAddr) {
        match address {
            SocketAddr::V4(v4) => self.0.extend(v4.ip().octets()),
            SocketAddr::V6(v6) => {
                self.0.extend(v6.ip().octets());
                self.number(v6.scope_id());
            }
        }
        self.0.extend(address.port().to_be_bytes());
        self.0.extend([0; 2]);
    }

    /// What is told of the owner; Linux tells neither when a socket was made nor a module.
    fn owner(&mut self, process: u32, detail: Detail, flags: Option<u32>) {
        if detail != Detail::Basic {
            self.number(process);
        }
        if detail == Detail::Second {
            self.number(0);
        }
        if detail == Detail::Module {
            self.long(0);
            flags.into_iter().for_each(|flags| self.number(flags));
            (0..MODULE_INFO).for_each(|_| self.long(0));
        }
    }
}

/// The numbers of MIB_TCP_STATE.
pub(super) const fn state_number(state: TcpState) -> u32 {
    match state {
        TcpState::Listen => 2,
        TcpState::SynSent => 3,
        TcpState::SynReceived => 4,
        TcpState::Established => 5,
        TcpState::FinWait1 => 6,
        TcpState::FinWait2 => 7,
        TcpState::CloseWait => 8,
        TcpState::Closing => 9,
        TcpState::LastAck => 10,
        TcpState::TimeWait => 11,
        _ => 1,
    }
}

/// A row of TCP. Where the state stands depends on the family and on what else there is.
fn tcp_row(record: &Record, detail: Detail, process: u32) -> Row {
    let mut row = Row::default();
    let state = state_number(record.state);
    let leads = record.local.is_ipv4() || detail == Detail::Basic;
    if leads {
        row.number(state);
    }
    row.end(&record.local);
    row.end(&record.remote);
    if !leads {
        row.number(state);
    }
    row.owner(process, detail, None);
    row
}

fn udp_row(record: &Record, detail: Detail, process: u32) -> Row {
    let mut row = Row::default();
    row.end(&record.local);
    row.owner(process, detail, Some(0));
    row
}

/// The number of the rows, and the rows.
fn table(rows: &[Row], detail: Detail) -> Vec<u8> {
    let align = if detail == Detail::Module { align_of::<u64>() } else { align_of::<u32>() };
    let mut octets = u32::try_from(rows.len()).unwrap_or(u32::MAX).to_ne_bytes().to_vec();
    octets.resize(align, 0);
    for row in rows {
        octets.extend(&row.0);
        octets.resize(octets.len().next_multiple_of(align), 0);
    }
    octets
}

/// A table of TCP.
pub(super) fn tcp(records: &[Record], detail: Detail, owners: &HashMap<u64, u32>) -> Vec<u8> {
    of(records, detail, owners, tcp_row)
}

/// A table of UDP.
pub(super) fn udp(records: &[Record], detail: Detail, owners: &HashMap<u64, u32>) -> Vec<u8> {
    of(records, detail, owners, udp_row)
}

fn of(
    records: &[Record],
    detail: Detail,
    owners: &HashMap<u64, u32>,
    row: impl Fn(&Record, Detail, u32) -> Row,
) -> Vec<u8> {
    let owner = |record: &Record| owners.get(&record.inode).copied().unwrap_or(0);
    let rows: Vec<_> = records.iter().map(|it| row(it, detail, owner(it))).collect();
    table(&rows, detail)
}

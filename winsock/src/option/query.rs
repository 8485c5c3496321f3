//! Options that are asked of the socket or its descriptor, and are not kept.

use linsock_iocp::{NtStatus, sys};
use rustix::io::Errno;

use super::{
    SO_CONNDATA, SO_CONNDATALEN, SO_CONNOPT, SO_DISCDATA, SO_DISCDATALEN, SO_DISCOPT,
    SO_DISCOPTLEN, Value,
};
use crate::socket::Socket;
use crate::transport::status_of;

/// IP_MTU, IPV6_MTU: of a socket that has a peer.
pub(super) fn path_mtu(socket: &Socket, v6: bool) -> Result<Value, NtStatus> {
    socket.with_options(|_, fd| {
        let fd = fd.ok_or(NtStatus::INVALID_CONNECTION)?;
        let mtu = sys::path_mtu(fd, v6).map_err(|errno| match errno {
            Errno::NOTCONN => NtStatus::INVALID_CONNECTION,
            other => status_of(other),
        })?;
        Ok(Value::dword(mtu))
    })
}

/// SO_CONNDATA and its kin: what came from the peer.
pub(super) fn user_data(socket: &Socket, name: i32) -> Result<Value, NtStatus> {
    socket.with_user_data(|data| {
        let disconnect = data.peer_disconnect.as_deref().unwrap_or(&[]);
        let reason = data.peer_reason.as_slice();
        let len = |octets: &[u8]| Value::dword(u32::try_from(octets.len()).unwrap_or(u32::MAX));
        match name {
            SO_CONNDATA => Value::Data(data.peer_connect.clone()),
            SO_DISCDATA => Value::Data(disconnect.to_vec()),
            SO_DISCOPT => Value::Data(reason.to_vec()),
            SO_CONNDATALEN => len(&data.peer_connect),
            SO_DISCDATALEN => len(disconnect),
            SO_DISCOPTLEN => len(reason),
            // Options of a connect: there are none.
            SO_CONNOPT => Value::Data(Vec::new()),
            _ => Value::dword(0),
        }
    })
}

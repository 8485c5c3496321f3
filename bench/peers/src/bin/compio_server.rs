//! The peer of compio: a task for each connection, on one thread's io_uring.
//!
//!     compio_server SIZE          SIZE: bytes in a message
//!
//! Prints its port, and echoes on every connection until the peer closes. What makes it fast, each
//! step measured: SINGLE_ISSUER with DEFER_TASKRUN; one multishot accept (6 % less CPU in a cycle);
//! one multishot receive for each connection, into a pool of buffers (4 % less in an echo); closing
//! on the ring. A connection that finds the pool empty has a buffer of its own for a while.
//! Measured and left out: `read` into a vector, `read_managed`, COOP_TASKRUN, TASKRUN_FLAG (no
//! less), asking the driver for events more or less often than every 61 polls (8 to 15 % more).

use std::io;
use std::net::TcpListener as StdListener;
use std::pin::pin;

use compio::BufResult;
use compio::driver::ProactorBuilder;
use compio::io::{AsyncRead, AsyncReadMulti, AsyncWriteExt};
use compio::net::{TcpListener, TcpStream};
use compio::runtime::{RuntimeBuilder, spawn};
use futures_util::StreamExt;
use linsock_bench_peers::{ADDRESS, BACKLOG, buffer_size};
use socket2::{Domain, Socket, Type};

/// Buffers in the pool: two for each connection of the benches.
const BUFFERS: u16 = 128;
/// What a receive ends with when the pool is empty.
const POOL_EMPTY: io::ErrorKind = io::ErrorKind::ResourceBusy;

/// Echoes from the pool's buffers until the end of the stream.
async fn echo_from_pool(stream: &TcpStream) -> io::Result<()> {
    let (mut reader, mut writer) = (stream, stream);
    let mut messages = pin!(reader.read_multi(0));
    while let Some(message) = messages.next().await {
        writer.write_all(message?).await.0?;
    }
    Ok(())
}

/// Echoes once from a buffer of its own; `false` at the end of the stream.
async fn echo_once(mut stream: &TcpStream, buffer_size: usize) -> io::Result<bool> {
    let BufResult(received, buffer) = stream.read(Vec::with_capacity(buffer_size)).await;
    let more = received? > 0;
    stream.write_all(buffer).await.0?;
    Ok(more)
}

async fn echo(stream: &TcpStream, buffer_size: usize) -> io::Result<()> {
    loop {
        match echo_from_pool(stream).await {
            Err(error) if error.kind() == POOL_EMPTY => {
                if !echo_once(stream, buffer_size).await? {
                    return Ok(());
                }
            }
            result => return result,
        }
    }
}

async fn serve(buffer_size: usize) -> io::Result<()> {
    let listener = TcpListener::from_std(listen()?)?;
    println!("{}", listener.local_addr()?.port());
    let mut connections = listener.incoming();
    while let Some(connection) = connections.next().await {
        let Ok(stream) = connection else { continue };
        spawn(async move {
            // A connection that fails is closed as one that ends.
            let _ = echo(&stream, buffer_size).await;
            let _ = stream.close().await;
        })
        .detach();
    }
    Ok(())
}

fn listen() -> io::Result<StdListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?; // accepted sockets inherit it
    socket.bind(&ADDRESS.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn main() -> io::Result<()> {
    let buffer_size = buffer_size("compio_server SIZE");
    let mut proactor = ProactorBuilder::new();
    proactor.single_issuer(true).defer_taskrun(true);
    let pool = BUFFERS.try_into().map_err(io::Error::other)?;
    proactor.buffer_pool_size(pool).buffer_pool_buffer_len(buffer_size);
    RuntimeBuilder::new().with_proactor(proactor).build()?.block_on(serve(buffer_size))
}

//! The peer of tokio: a task for each connection, on a runtime of one thread.
//!
//!     tokio_server SIZE          SIZE: bytes in a message
//!
//! Prints its port, and echoes on every connection until the peer closes. What makes it fast: the
//! runtime of one thread; one task and one buffer for the life of a connection; what tokio does by
//! itself, which tries a send before it waits, and takes a short read for the last. Measured and as
//! fast: `LocalRuntime`, a `LocalSet`, accepting in a task of its own, asking the driver for events
//! more or less often than every 61 polls.

use std::io;

use linsock_bench_peers::{ADDRESS, BACKLOG, buffer_size};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;

async fn echo(mut stream: TcpStream, buffer_size: usize) -> io::Result<()> {
    let mut buffer = vec![0; buffer_size];
    loop {
        let received = stream.read(&mut buffer).await?;
        if received == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..received]).await?;
    }
}

async fn serve(buffer_size: usize) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_nodelay(true)?; // accepted sockets inherit it
    socket.bind(ADDRESS)?;
    let listener = socket.listen(BACKLOG.unsigned_abs())?;
    println!("{}", listener.local_addr()?.port());
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream, buffer_size));
        }
    }
}

fn main() -> io::Result<()> {
    let buffer_size = buffer_size("tokio_server SIZE");
    Builder::new_current_thread().enable_io().build()?.block_on(serve(buffer_size))
}

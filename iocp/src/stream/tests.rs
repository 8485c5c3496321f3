use super::*;

fn stream(descriptor: OwnedFd) -> (Handle, Arc<Stream>) {
    let handle = Stream::enter(Descriptor::Own(descriptor)).unwrap();
    (handle, Stream::from_value(handle.value()).unwrap())
}

fn pair() -> [(Handle, Arc<Stream>); 2] {
    let (from, into) = new_pipe(0).unwrap();
    [stream(from), stream(into)]
}

fn buffer(octets: &[u8]) -> Buffers {
    Buffers::from_vec(octets.to_vec())
}

fn close((handle, stream): (Handle, Arc<Stream>)) {
    assert!(stream.close_handle(handle));
}

#[test]
fn what_is_written_is_read() {
    let [reader, writer] = pair();
    assert_eq!(writer.1.transfer(Way::Write, &mut buffer(b"hello")), Ok(5));
    let mut room = Buffers::from_vec(vec![0; 16]);
    assert_eq!(reader.1.transfer(Way::Read, &mut room), Ok(5));
    assert_eq!(&room.into_vec()[..5], b"hello");
    assert_eq!(writer.1.transfer(Way::Read, &mut buffer(b"x")), Err(NtStatus::ACCESS_DENIED));
    assert_eq!(reader.1.transfer(Way::Write, &mut buffer(b"x")), Err(NtStatus::ACCESS_DENIED));
    assert_eq!((reader.1.kind(), reader.1.is_terminal()), (Kind::Pipe, false));
    close(reader);
    close(writer);
}

/// Rust's test program ignores SIGPIPE; the thread's mask is what must not change.
#[test]
fn a_pipe_without_its_other_end_is_broken() {
    let [reader, writer] = pair();
    close(reader);
    assert_eq!(writer.1.transfer(Way::Write, &mut buffer(b"x")), Err(NtStatus::PIPE_BROKEN));
    close(writer);
    let [reader, writer] = pair();
    let again = writer.1.duplicate().unwrap();
    close(writer);
    let writer = (again, Stream::from_value(again.value()).unwrap());
    assert_eq!(writer.1.transfer(Way::Write, &mut buffer(b"last")), Ok(4));
    close(writer);
    let mut room = Buffers::from_vec(vec![0; 16]);
    assert_eq!(reader.1.transfer(Way::Read, &mut room), Ok(4));
    assert_eq!(reader.1.transfer(Way::Read, &mut room), Err(NtStatus::PIPE_BROKEN));
    assert_eq!(reader.1.peek(1).unwrap_err(), NtStatus::PIPE_BROKEN);
    close(reader);
}

#[test]
fn a_look_takes_nothing() {
    let [reader, writer] = pair();
    assert_eq!(reader.1.peek(8).unwrap().available, 0);
    assert_eq!(writer.1.transfer(Way::Write, &mut buffer(b"hello")), Ok(5));
    for (most, expected) in [(0, &b""[..]), (3, b"hel"), (99, b"hello")] {
        let peeked = reader.1.peek(most).unwrap();
        assert_eq!((peeked.octets.as_slice(), peeked.available), (expected, 5));
    }
    close(writer);
    assert_eq!(reader.1.peek(99).unwrap().octets, b"hello");
    close(reader);
}

#[test]
fn a_large_write_waits_for_who_reads() {
    const LEN: usize = 1 << 20;
    let [reader, writer] = pair();
    let all = std::thread::scope(|scope| {
        let written = scope.spawn(|| writer.1.transfer(Way::Write, &mut buffer(&[7; LEN])));
        let mut all = 0;
        while all < LEN {
            all += reader.1.transfer(Way::Read, &mut Buffers::from_vec(vec![0; 50_000])).unwrap();
        }
        assert_eq!(written.join().unwrap(), Ok(LEN));
        all
    });
    assert_eq!(all, LEN);
    close(reader);
    close(writer);
}

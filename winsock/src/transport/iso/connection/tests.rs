//! Two connections whose octets are carried to and fro, whole and in pieces; and hostile peers.

use proptest::prelude::*;

use super::*;

const REFERENCES: (u16, u16) = (0x0101, 0x0202);

fn asking(class: Class, data: &[u8]) -> Connection {
    let (calling, called) = (&b"caller"[..], &b"callee"[..]);
    let request = Request { class, reference: REFERENCES.0, calling, called, data };
    Connection::request(&request).unwrap()
}

/// Carries what one has to say to the other, in parts of this size.
fn carry_in(from: &mut Connection, to: &mut Connection, part: usize) {
    while !from.output().is_empty() {
        let count = from.output().len().min(part);
        let octets = from.output()[..count].to_vec();
        from.sent(count);
        hand(to, &octets);
    }
}

fn hand(to: &mut Connection, octets: &[u8]) {
    to.input().extend(octets);
    to.decode();
}

fn carry(from: &mut Connection, to: &mut Connection) {
    carry_in(from, to, usize::MAX);
}

fn open(class: Class) -> (Connection, Connection) {
    let (mut a, mut b) = (asking(class, b"hello"), Connection::listening(REFERENCES.1));
    carry(&mut a, &mut b);
    assert_eq!(b.poll(), Some(Event::Requested));
    b.accept(b"welcome").unwrap();
    carry(&mut b, &mut a);
    assert_eq!(a.poll(), Some(Event::Connected));
    (a, b)
}

fn receive(connection: &mut Connection, room: usize) -> Option<(Vec<u8>, bool)> {
    let (count, _) = connection.receivable(room)?;
    let mut octets = Vec::new();
    let end = connection.take_message(count, |piece| octets.extend(piece));
    assert_eq!(octets.len(), count);
    Some((octets, end))
}

fn whole(connection: &mut Connection) -> Option<Vec<u8>> {
    receive(connection, usize::MAX).map(|(octets, end)| {
        assert!(end);
        octets
    })
}

/// disconnect-data 5: caller data in the CR, callee data in the CC, in both classes.
#[test]
fn connect_data_goes_both_ways() {
    for class in [Class::Zero, Class::Two] {
        let (mut a, mut b) = (asking(class, b"hello"), Connection::listening(REFERENCES.1));
        carry_in(&mut a, &mut b, 1);
        assert_eq!(b.poll(), Some(Event::Requested));
        let request = b.peer_request().unwrap();
        assert_eq!((request.class, &request.called[..]), (class, &b"callee"[..]));
        assert_eq!((&request.calling[..], b.peer_connect_data()), (&b"caller"[..], &b"hello"[..]));
        b.accept(b"welcome").unwrap();
        carry_in(&mut b, &mut a, 1);
        assert_eq!((a.poll(), a.peer_connect_data()), (Some(Event::Connected), &b"welcome"[..]));
        assert!(a.is_open() && b.is_open() && a.poll().is_none() && b.poll().is_none());
    }
}

#[test]
fn too_much_data_is_refused_with_nothing_sent() {
    let (calling, called) = (&b""[..], &b""[..]);
    let data = &[0; 33][..];
    let request = Request { class: Class::Two, reference: 1, calling, called, data };
    assert_eq!(Connection::request(&request).err(), Some(TooLong));
    let (mut a, mut b) = open(Class::Two);
    assert_eq!(a.disconnect(&[0; 65]), Err(TooLong));
    assert!(a.output().is_empty() && a.is_open());
    a.send(b"still here", true);
    carry(&mut a, &mut b);
    assert_eq!(whole(&mut b).unwrap(), b"still here");
    let (mut a, _b) = open(Class::Zero);
    assert_eq!(a.disconnect(b"x"), Err(TooLong), "class 0 has no disconnect data");
    assert!(a.output().is_empty() && a.is_open());
}

#[test]
fn messages_keep_their_boundaries() {
    for class in [Class::Zero, Class::Two] {
        let (mut a, mut b) = open(class);
        let long = vec![7; 200_000];
        a.send(b"one", true);
        a.send(b"", true);
        a.send(&long, true);
        a.send(b"in ", false);
        a.send(b"parts", true);
        carry_in(&mut a, &mut b, 1000);
        assert_eq!(whole(&mut b).unwrap(), b"one");
        assert_eq!(whole(&mut b).unwrap(), long);
        assert_eq!(receive(&mut b, 2), Some((b"in".to_vec(), false)), "a short buffer");
        assert_eq!(receive(&mut b, 100), Some((b" parts".to_vec(), true)));
        assert_eq!(whole(&mut b), None);
    }
}

#[test]
fn a_part_of_a_message_waits_for_the_rest_or_for_a_buffer_that_it_fills() {
    let (mut a, mut b) = open(Class::Two);
    a.send(b"12345", false);
    carry(&mut a, &mut b);
    assert_eq!(b.receivable(6), None);
    assert_eq!(b.receivable(5), Some((5, false)));
    assert_eq!(receive(&mut b, 5), Some((b"12345".to_vec(), false)));
    let mut last = Vec::new();
    tpdu::emit_data(&mut last, Some(REFERENCES.1), true, |_| ());
    hand(&mut b, &last);
    assert_eq!(receive(&mut b, 5), Some((Vec::new(), true)), "nothing more belongs to it");
}

/// RFC 2126 4.2.3: everything is delivered before the disconnect is reported.
#[test]
fn an_orderly_release_comes_behind_the_messages_and_carries_data() {
    for len in [0, 1, 63, 64] {
        let data: Vec<u8> = (0..len).collect();
        let (mut a, mut b) = open(Class::Two);
        for number in 0..100_u8 {
            a.send(&[number], true);
        }
        a.disconnect(&data).unwrap();
        assert!(!a.is_open());
        carry_in(&mut a, &mut b, 13);
        assert_eq!(b.poll(), Some(Event::Disconnected));
        for number in 0..100_u8 {
            assert_eq!(whole(&mut b).unwrap(), [number]);
        }
        assert_eq!(b.peer_disconnect_data(), Some(&data[..]));
        assert_eq!(b.peer_reason(), Some(reason::NORMAL));
        carry(&mut b, &mut a);
        assert_eq!(a.poll(), Some(Event::Released));
        assert!(a.is_over() && b.is_over());
    }
}

/// disconnect-data 1.9.
#[test]
fn what_the_peer_sent_before_it_saw_the_release_is_delivered() {
    let (mut a, mut b) = open(Class::Two);
    b.send(b"crossing", true);
    a.disconnect(b"bye").unwrap();
    carry(&mut b, &mut a);
    carry(&mut a, &mut b);
    carry(&mut b, &mut a);
    assert_eq!(whole(&mut a).unwrap(), b"crossing");
    assert_eq!((a.poll(), b.poll()), (Some(Event::Released), Some(Event::Disconnected)));
}

/// RFC 905 6.7.5: DR crossing DR ends it; both data arrive.
#[test]
fn releases_that_cross_end_the_connection_once() {
    let (mut a, mut b) = open(Class::Two);
    a.disconnect(b"from a").unwrap();
    b.disconnect(b"from b").unwrap();
    carry(&mut a, &mut b);
    carry(&mut b, &mut a);
    for (end, data) in [(&mut a, b"from b"), (&mut b, b"from a")] {
        assert_eq!((end.poll(), end.poll()), (Some(Event::Released), None));
        assert_eq!(end.peer_disconnect_data(), Some(&data[..]));
    }
}

#[test]
fn an_abort_drops_what_was_not_sent_and_says_so() {
    let (mut a, mut b) = open(Class::Two);
    a.send(&[1; 100], true);
    a.send(&[2; 100], true);
    // Half of the first message is on its way: the rest has to follow, or the peer loses the thread.
    let half = a.output()[..50].to_vec();
    a.sent(50);
    hand(&mut b, &half);
    a.abort();
    carry(&mut a, &mut b);
    assert_eq!(b.poll(), Some(Event::Broken));
    assert_eq!(whole(&mut b), None, "dropped");
    assert!(a.is_over() && b.is_over());
}

#[test]
fn a_refusal_carries_data_in_class_2_only() {
    let (mut a, mut b) = (asking(Class::Two, b""), Connection::listening(REFERENCES.1));
    carry(&mut a, &mut b);
    b.refuse(b"go away").unwrap();
    carry(&mut b, &mut a);
    assert_eq!(a.poll(), Some(Event::Refused(reason::REFUSED)));
    assert_eq!(a.peer_disconnect_data(), Some(&b"go away"[..]));
    let (mut a, mut b) = (asking(Class::Zero, b""), Connection::listening(REFERENCES.1));
    carry(&mut a, &mut b);
    assert_eq!(b.refuse(b"go away"), Err(TooLong));
    b.refuse(b"").unwrap();
    carry(&mut b, &mut a);
    assert_eq!(a.poll(), Some(Event::Refused(reason::UNSPECIFIED)));
}

/// disconnect-data 1.6: class 0 is released by closing TCP; 1.8: class 2 is not.
#[test]
fn the_end_of_tcp_is_a_release_in_class_0_and_an_error_in_class_2() {
    let (mut a, mut b) = open(Class::Zero);
    a.send(b"last", true);
    a.disconnect(b"").unwrap();
    assert!(a.wants_fin());
    carry(&mut a, &mut b);
    b.end_of_stream();
    assert_eq!(b.poll(), Some(Event::Disconnected));
    assert_eq!(whole(&mut b).unwrap(), b"last");
    a.end_of_stream();
    assert_eq!(a.poll(), Some(Event::Released));

    let (mut a, mut b) = open(Class::Two);
    a.send(b"last", true);
    carry(&mut a, &mut b);
    b.end_of_stream();
    assert_eq!((b.poll(), whole(&mut b)), (Some(Event::Broken), None));

    // In the middle of a packet, and between the packets of a message.
    for (part, end) in [(b"last", true), (b"more", false)] {
        let (mut a, mut b) = open(Class::Zero);
        a.send(part, end);
        hand(&mut b, &a.output()[..a.output().len() - usize::from(end)]);
        b.end_of_stream();
        assert_eq!((b.poll(), whole(&mut b)), (Some(Event::Broken), None));
    }
}

/// RFC 2126 7: python-snap7's server answers every request with class 0.
#[test]
fn a_confirm_of_another_class_is_a_refusal() {
    let mut a = asking(Class::Two, b"");
    let confirm = Connect {
        destination: REFERENCES.0,
        source: 9,
        class: Some(Class::Zero),
        or_class_0: false,
        size: Some(11),
        calling: &[],
        called: &[],
        data: &[],
    };
    let mut octets = Vec::new();
    tpdu::emit_connect(&mut octets, &confirm, true);
    hand(&mut a, &octets);
    assert_eq!(a.poll(), Some(Event::Refused(reason::NEGOTIATION_FAILED)));
    assert!(a.is_over());
}

#[test]
fn a_message_over_the_cap_ends_the_connection() {
    let (mut a, mut b) = open(Class::Two);
    a.send(&vec![0; MESSAGE_MAX], true);
    carry(&mut a, &mut b);
    assert_eq!(b.receivable(usize::MAX), Some((MESSAGE_MAX, true)));
    assert!(!b.wants_input(), "the peer is held back");
    assert_eq!(whole(&mut b).unwrap().len(), MESSAGE_MAX);
    assert!(b.wants_input());
    a.send(&vec![0; MESSAGE_MAX + 1], true);
    carry(&mut a, &mut b);
    assert_eq!(b.poll(), Some(Event::Broken));
    carry(&mut b, &mut a);
    assert_eq!((a.poll(), a.peer_reason()), (Some(Event::Broken), Some(reason::PROTOCOL_ERROR)));
}

#[test]
fn what_has_no_place_in_a_state_breaks_the_connection_and_is_answered() {
    // Data before a request.
    let mut b = Connection::listening(1);
    let mut data = Vec::new();
    tpdu::emit_data(&mut data, Some(1), true, |into| into.push(b'x'));
    hand(&mut b, &data);
    assert_eq!(b.poll(), Some(Event::Broken));
    assert!(b.is_over());
    // An error of the peer's is not answered by one of ours.
    let (mut a, _b) = open(Class::Zero);
    let mut error = Vec::new();
    tpdu::emit_error(&mut error, REFERENCES.0, Fault::Type, &[]);
    hand(&mut a, &error);
    assert_eq!(a.poll(), Some(Event::Broken));
    assert!(a.output().is_empty());
    // Another reference than ours: not for this connection.
    let (mut a, _b) = open(Class::Two);
    let mut data = Vec::new();
    tpdu::emit_data(&mut data, Some(0xDEAD), true, |into| into.push(b'x'));
    hand(&mut a, &data);
    assert!(a.is_open() && whole(&mut a).is_none());
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>, bool),
    Carry(usize),
    CarryBack(usize),
    Receive(usize),
    Octets(Vec<u8>),
    Disconnect,
    End,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (prop::collection::vec(any::<u8>(), 0..300), any::<bool>()).prop_map(|(d, e)| Step::Send(d, e)),
        4 => (1_usize..200).prop_map(Step::Carry),
        2 => (1_usize..200).prop_map(Step::CarryBack),
        3 => (0_usize..200).prop_map(Step::Receive),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Step::Octets),
        1 => Just(Step::Disconnect),
        1 => Just(Step::End),
    ]
}

proptest! {
    /// Whatever a peer sends, in whatever parts: no panic, an event at most once, and no more octets
    /// to be received than came.
    #[test]
    fn hostile_sequences_are_survived(two: bool, is_open: bool, steps in prop::collection::vec(step(), 0..40)) {
        let class = if two { Class::Two } else { Class::Zero };
        let (mut a, mut b) = if is_open { open(class) } else {
            (asking(class, b""), Connection::listening(REFERENCES.1))
        };
        let (mut came, mut received, mut ends) = (0, 0, 0);
        for step in steps {
            match step {
                Step::Send(data, end) if a.is_open() => a.send(&data, end),
                Step::Carry(part) => { came += a.output().len(); carry_in(&mut a, &mut b, part); }
                Step::CarryBack(part) => carry_in(&mut b, &mut a, part),
                Step::Receive(room) => received += receive(&mut b, room).map_or(0, |(octets, _)| octets.len()),
                Step::Octets(octets) => { came += octets.len(); hand(&mut b, &octets); }
                Step::Disconnect => { let _ = a.disconnect(b""); }
                Step::End => b.end_of_stream(),
                Step::Send(..) => {}
            }
            while let Some(event) = b.poll() {
                ends += usize::from(matches!(event, Event::Broken | Event::Disconnected | Event::Released));
            }
        }
        prop_assert!(ends <= 1 && received <= came);
        prop_assert_eq!(b.is_over(), ends == 1);
    }

    /// Messages arrive whole and in order, however TCP cuts them.
    #[test]
    fn messages_survive_any_cut(
        two: bool, part in 1_usize..500,
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..3000), 0..12),
    ) {
        let (mut a, mut b) = open(if two { Class::Two } else { Class::Zero });
        for message in &messages {
            a.send(message, true);
        }
        a.disconnect(b"").unwrap();
        carry_in(&mut a, &mut b, part);
        for message in &messages {
            prop_assert_eq!(whole(&mut b), Some(message.clone()));
        }
        prop_assert_eq!(whole(&mut b), None);
    }
}

//! TransmitFile and TransmitPackets; ReadFile on a disk file, its size and position.

use std::sync::OnceLock;

use linsock_c::abi::{HANDLE, INVALID_HANDLE_VALUE};
use linsock_c::kernel32::disk::{CreateFileA, GetFileAttributesA};
use linsock_c::kernel32::file_io::ReadFile;
use linsock_c::kernel32::seek::{GetFileSize, SetFilePointer, SetFilePointerEx};
use linsock_c::mswsock::transmit::{TransmitFile, TransmitPackets};

use super::{Effect, Run, Step, outcome};
use crate::c::memory::Use;
use crate::c::operations::Outcome;
use crate::c::sockets::call;

pub(crate) const STEPS: &[Step] = &[transmit_file, transmit_packets, read_disk, seek, look_at_path];

const OCTETS: usize = 3000;

/// A disk file, for all runs.
fn disk_file(overlapped: bool) -> HANDLE {
    static FILES: [OnceLock<HANDLE>; 2] = [OnceLock::new(), OnceLock::new()];
    *FILES[usize::from(overlapped)].get_or_init(|| {
        let name = format!("linsock-fuzz-{}-{overlapped}\0", std::process::id());
        let path = std::env::temp_dir().join(name.trim_end_matches('\0'));
        std::fs::write(&path, [0x5A; OCTETS]).expect("a temporary file");
        let text = format!("{}\0", path.display());
        let flags = if overlapped { 0x4000_0000 } else { 0 };
        // SAFETY: a text that ends with a zero.
        let file =
            unsafe { CreateFileA(text.as_ptr(), 0x8000_0000, 0, std::ptr::null(), 3, flags, 0) };
        assert_ne!(file, INVALID_HANDLE_VALUE);
        std::fs::remove_file(&path).expect("it was there");
        file
    })
}

impl Run<'_> {
    fn file(&mut self) -> HANDLE {
        match self.script.below(8) {
            0..=3 => disk_file(true),
            4 => disk_file(false),
            5 => 0,
            6 => self.socket(),
            _ => self.script.number() as usize,
        }
    }

    fn transmit_flags(&mut self) -> u32 {
        let any = self.script.flags(&[1, 2, 4, 0x10, 0x20]);
        self.script.pick(&[0, 0, 1, 3, 3, any])
    }

    /// A socket on which a transmission does not wait for its peer.
    fn socket_to_transmit(&mut self) -> Option<usize> {
        let s = self.socket();
        let waits = self.handles.find(s).is_some_and(|entry| !entry.overlapped && entry.reached);
        (!waits).then_some(s)
    }

    fn count(&mut self) -> u32 {
        let any = self.script.number();
        self.script.pick(&[0, 1, 100, OCTETS as u32, OCTETS as u32 + 1, any])
    }
}

fn transmit_file(run: &mut Run<'_>) {
    let Some(s) = run.socket_to_transmit() else { return };
    let (file, count, flags) = (run.file(), run.count(), run.transmit_flags());
    let (head, tail) = (run.outgoing(), run.outgoing());
    let words = [head.at.addr(), head.told as usize, tail.at.addr(), tail.told as usize];
    let octets: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let around = match run.script.rarely(3) {
        true => std::ptr::null_mut(),
        false => run.memory.pointer(&mut run.script, &octets, Use::Read),
    };
    let given = run.given_for_disconnect(s, true);
    let (ov, around) = (given.at.cast(), around.cast_const().cast());
    let sent = outcome(call!(TransmitFile(s, file, count, 0, ov, around, flags)) == 0);
    assert_ne!(sent, Outcome::Done, "TransmitFile pends, where it may not wait");
    run.after_operation(s, given, false, sent, Effect::Changes);
}

fn transmit_packets(run: &mut Run<'_>) {
    let Some(s) = run.socket_to_transmit() else { return };
    let count = run.script.below(4);
    let mut octets = Vec::new();
    for _ in 0..count {
        let (data, file, len) = (run.outgoing(), run.file(), run.count());
        let kind: u32 = run.script.pick(&[1, 1, 2, 2, 5, 6, 0, 3, 8]);
        let offset = run.script.pick(&[0, 1, OCTETS as u64, OCTETS as u64 + 1, u64::MAX, 1 << 63]);
        let (first, len) =
            if kind & 1 == 1 { (data.at.addr() as u64, data.told) } else { (offset, len) };
        octets.extend([kind.to_ne_bytes(), len.to_ne_bytes()].concat());
        octets.extend([first.to_ne_bytes(), (file as u64).to_ne_bytes()].concat());
    }
    let array = run.memory.pointer(&mut run.script, &octets, Use::Read);
    let told = u32::try_from(count).expect("few") + u32::from(run.script.rarely(16)) * 1000;
    let (given, flags) = (run.given_for_disconnect(s, true), run.transmit_flags());
    let (ov, array) = (given.at.cast(), array.cast_const().cast());
    let sent = outcome(call!(TransmitPackets(s, array, told, 0, ov, flags)) == 0);
    assert_ne!(sent, Outcome::Done, "TransmitPackets pends, where it may not wait");
    run.after_operation(s, given, false, sent, Effect::Changes);
}

fn read_disk(run: &mut Run<'_>) {
    let overlapped = run.script.rarely(2);
    let (data, got) = (run.incoming(), run.place_for_count());
    let offset = u64::from(run.script.number()) % (2 * OCTETS as u64);
    let octets = [[0; 16], u128::from(offset).to_le_bytes()].concat();
    let ov = match overlapped {
        true => run.memory.pointer(&mut run.script, &octets, Use::Write),
        false => std::ptr::null_mut(),
    };
    let file = disk_file(overlapped);
    let read = outcome(call!(ReadFile(file, data.at, data.told, got, ov.cast())) == 0);
    assert_ne!(read, Outcome::Pending, "a disk file is read in the call");
}

fn seek(run: &mut Run<'_>) {
    let by = run.script.number().cast_signed();
    let method = run.script.pick(&[0, 1, 2, 3]);
    let high = run.memory.place_for(&mut run.script, 4);
    let to = run.memory.place_for(&mut run.script, 8);
    let (file, disk) = (run.file(), disk_file(false));
    outcome(call!(SetFilePointer(disk, by, high.cast(), method)) == u32::MAX);
    outcome(call!(SetFilePointerEx(disk, by.into(), to.cast(), method)) == 0);
    // It is left where a read finds something.
    assert_eq!(call!(SetFilePointer(disk, 7, std::ptr::null_mut(), 0)), 7);
    outcome(call!(GetFileSize(file, high.cast())) == u32::MAX);
}

fn look_at_path(run: &mut Run<'_>) {
    let octets = [run.script.octets(), &[0]].concat();
    let name = run.memory.pointer(&mut run.script, &octets, Use::Read);
    outcome(call!(GetFileAttributesA(name)) == u32::MAX);
}

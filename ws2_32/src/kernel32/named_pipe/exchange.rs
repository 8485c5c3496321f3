//! A message and its answer in one call.
#![allow(unsafe_code)]

use std::sync::Arc;

use linsock::NtStatus;
use linsock::iocp::buffer::{Buffers, RawBuffer};
use linsock::iocp::disk::Access;
use linsock::iocp::file::File;
use linsock::iocp::irp::{Irp, Target};
use linsock::iocp::overlapped::Overlapped;
use linsock::named_pipe::{self, End, Mode};

use super::{end_of, ended, path_of, until};
use crate::abi::{BOOL, FALSE, HANDLE, TRUE};
use crate::export::{Outcome, export};
use crate::kernel32::file_io::{failed, of_overlapped, tell_waited};
use crate::kernel32::object::{close, no_access};
use crate::last_error::Error;
use crate::ptr::{self, Out};
use crate::wide::Unit;
use crate::winsock2::{overlapped, transfer};

const NMPWAIT_NOWAIT: u32 = 1;

fn lent(at: *mut u8, len: u32, writable: bool) -> Outcome<Buffers> {
    let len = len as usize;
    ptr::check_data(at, len, writable).map_err(no_access)?;
    // SAFETY: the memory is the C program's, lent for the operation by the call; no Rust reference
    // to it exists.
    Ok(unsafe { Buffers::from_raw(&[RawBuffer { base: at, len }]) })
}

/// The pieces of a call that writes a message and reads its answer.
struct Exchange {
    question: Buffers,
    answer: Buffers,
    told: Option<Out<u32>>,
}

impl Exchange {
    fn new(
        (question, asked): (*mut u8, u32),
        (answer, room): (*mut u8, u32),
        told: Option<Out<u32>>,
    ) -> Outcome<Self> {
        let (question, answer) = (lent(question, asked, false)?, lent(answer, room, true)?);
        Ok(Self { question, answer, told })
    }

    fn perform(self, end: &Arc<End>) -> Outcome<BOOL> {
        end.ask(self.question).map_err(failed)?;
        let octets = ended(end.read_blocking(self.answer), self.told.as_ref())?;
        self.told.inspect(|told| told.put(transfer::dword(octets)));
        Ok(TRUE)
    }

    fn start(self, end: &Arc<End>, target: Target) -> Outcome<BOOL> {
        end.ask(self.question).map_err(failed)?;
        let started = if end.is_overlapped() {
            end.read(Irp::new(target, self.answer))
        } else {
            tell_waited(end.core(), target, || end.read_blocking(self.answer))
        };
        let octets = transfer::started(started.map_err(failed)?)?;
        self.told.inspect(|told| told.put(transfer::dword(octets)));
        Ok(TRUE)
    }
}

fn call<U: Unit>(name: *const U, exchange: Exchange, wait: u32) -> Outcome<BOOL> {
    let path = path_of(name)?.ok_or(Error::ERROR_INVALID_NAME)?;
    let access = Access { read: true, write: true, append: true };
    let opened = loop {
        match named_pipe::open(&path, access, false) {
            Err(NtStatus::PIPE_NOT_AVAILABLE) if wait != NMPWAIT_NOWAIT => {
                named_pipe::wait_for_instance(&path, until(wait)).map_err(failed)?;
            }
            opened => break opened.map_err(failed)?,
        }
    };
    let asked = end_of(opened.value()).and_then(|end| {
        end.set_mode(Mode { by_messages: true, nowait: false }).map_err(failed)?;
        exchange.perform(&end)
    });
    close(opened.value())?;
    asked
}

export! {
    /// Writes a message and reads the answer. Of an answer that is longer than the room the rest
    /// stays, to be read.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe>
    ///
    /// Blocks until the answer is there; on what was opened for overlapped operations only until
    /// the kernel has the message, which it nearly always has room for.
    ///
    /// # Errors
    /// ERROR_INVALID_HANDLE, ERROR_NOACCESS, ERROR_INVALID_PARAMETER (no OVERLAPPED on what was
    /// opened for them); ERROR_BAD_PIPE where messages are not read as such,
    /// ERROR_PIPE_BUSY where something waits to be read; ERROR_MORE_DATA; those of WriteFile and
    /// ReadFile.
    fn TransactNamedPipe(
        hNamedPipe: HANDLE,
        lpInBuffer: *const u8,
        nInBufferSize: u32,
        lpOutBuffer: *mut u8,
        nOutBufferSize: u32,
        lpBytesRead: *mut u32,
        lpOverlapped: *mut Overlapped,
    ) -> BOOL, fail FALSE; {
        let end = end_of(hNamedPipe)?;
        let told = Out::optional(lpBytesRead).map_err(no_access)?;
        let question = (lpInBuffer.cast_mut(), nInBufferSize);
        let exchange = Exchange::new(question, (lpOutBuffer, nOutBufferSize), told)?;
        if lpOverlapped.is_null() {
            // As ReadFile: where it was opened for that, there has to be one.
            if end.is_overlapped() {
                return Err(Error::ERROR_INVALID_PARAMETER);
            }
            return exchange.perform(&end);
        }
        let target = overlapped::target(end.core(), lpOverlapped, None).map_err(of_overlapped)?;
        exchange.start(&end, target)
    }

    /// Opens a pipe, writes a message, reads the answer and closes the pipe. Of an answer that is
    /// longer than the room the rest is lost.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-callnamedpipea>
    ///
    /// Blocks: for an instance `nTimeOut` milliseconds at most, NMPWAIT_NOWAIT not at all,
    /// NMPWAIT_USE_DEFAULT_WAIT as long as the server wished; then for the answer.
    ///
    /// # Errors
    /// ERROR_NOACCESS, ERROR_INVALID_NAME, ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY,
    /// ERROR_SEM_TIMEOUT, ERROR_INVALID_PARAMETER for a pipe of octets; those of TransactNamedPipe.
    fn CallNamedPipeA(
        lpNamedPipeName: *const u8,
        lpInBuffer: *const u8,
        nInBufferSize: u32,
        lpOutBuffer: *mut u8,
        nOutBufferSize: u32,
        lpBytesRead: *mut u32,
        nTimeOut: u32,
    ) -> BOOL, fail FALSE; {
        let told = Out::new(lpBytesRead).map_err(no_access)?;
        let question = (lpInBuffer.cast_mut(), nInBufferSize);
        let exchange = Exchange::new(question, (lpOutBuffer, nOutBufferSize), Some(told))?;
        call(lpNamedPipeName, exchange, nTimeOut)
    }

    /// As [`CallNamedPipeA`], with a name in UTF-16.
    ///
    /// <https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-callnamedpipew>
    fn CallNamedPipeW(
        lpNamedPipeName: *const u16,
        lpInBuffer: *const u8,
        nInBufferSize: u32,
        lpOutBuffer: *mut u8,
        nOutBufferSize: u32,
        lpBytesRead: *mut u32,
        nTimeOut: u32,
    ) -> BOOL, fail FALSE; {
        let told = Out::new(lpBytesRead).map_err(no_access)?;
        let question = (lpInBuffer.cast_mut(), nInBufferSize);
        let exchange = Exchange::new(question, (lpOutBuffer, nOutBufferSize), Some(told))?;
        call(lpNamedPipeName, exchange, nTimeOut)
    }
}

//! Names of events, semaphores, mutexes, timers and mappings, and the one place where their handles
//! come and
//! go.
//!
//! A name belongs to the handles of its object and not to the object: it goes with the last handle,
//! while a wait may still hold the object. So the handles are counted here, and every handle that
//! one of these objects may have is made and closed under the lock of the directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use linsock::iocp::handle::{Handle, Object, table};
use linsock::iocp::sync::Lock;
use linsock::iocp::timer::Timer;

use super::super::mapping::Mapping;
use super::super::wide;
use super::{enter, no_access};
use crate::abi::HANDLE;
use crate::export::Outcome;
use crate::last_error::{self, Error};
use crate::ptr;

/// The most characters of a name (MAX_PATH).
const MAX_PATH: usize = 260;

/// The kinds of objects that have names; they share one space of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel32) enum Kind {
    Event,
    Semaphore,
    Mutant,
    Timer,
    Section,
}

/// The name of an object: never empty, and without the prefix that means this session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kernel32) struct Name(Vec<u16>);

impl Name {
    /// The name that a program gives to a new object, in UTF-8; `None` if it gives none.
    pub(in crate::kernel32) fn optional_a(at: *const u8) -> Outcome<Option<Self>> {
        if at.is_null() {
            return Ok(None);
        }
        let octets = ptr::read_cstr(at).map_err(no_access)?;
        Self::new(wide::widen(&octets))
    }

    /// As [`optional_a`](Self::optional_a), in UTF-16.
    pub(in crate::kernel32) fn optional_w(at: *const u16) -> Outcome<Option<Self>> {
        if at.is_null() {
            return Ok(None);
        }
        Self::new(ptr::read_wide(at).map_err(no_access)?)
    }

    fn new(units: Vec<u16>) -> Outcome<Option<Self>> {
        const BACKSLASH: u16 = b'\\' as u16;
        let prefix = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        if units.len() > MAX_PATH {
            return Err(Error::ERROR_FILENAME_EXCED_RANGE);
        }
        let own = units.strip_prefix(prefix("Local\\").as_slice()).unwrap_or(&units);
        let rest = own.strip_prefix(prefix("Global\\").as_slice()).unwrap_or(own);
        if rest.contains(&BACKSLASH) {
            return Err(Error::ERROR_PATH_NOT_FOUND);
        }
        Ok((!rest.is_empty()).then(|| Self(own.to_vec())))
    }
}

/// An object that has a name.
struct Named {
    name: Name,
    kind: Kind,
    object: Object,
    /// How many handles it has: at least one.
    handles: usize,
}

/// The named objects by their addresses, and these by the names. An object is kept alive by its
/// entry, so no other has its address.
struct Directory {
    objects: BTreeMap<usize, Named>,
    names: BTreeMap<Name, usize>,
}

static DIRECTORY: Lock<Directory> =
    Lock::new(Directory { objects: BTreeMap::new(), names: BTreeMap::new() });

/// The kind of an object and its address, if it is one that can have a name.
fn identity(object: &Object) -> Option<(Kind, usize)> {
    match object {
        Object::Event(event) => Some((Kind::Event, Arc::as_ptr(event).addr())),
        Object::Semaphore(semaphore) => Some((Kind::Semaphore, Arc::as_ptr(semaphore).addr())),
        Object::Mutant(mutant) => Some((Kind::Mutant, Arc::as_ptr(mutant).addr())),
        Object::Other(other) => {
            let any: &dyn std::any::Any = &**other;
            any.is::<Timer>().then(|| (Kind::Timer, Arc::as_ptr(other).addr()))
        }
        Object::Closable(any) => {
            any.is::<Mapping>().then(|| (Kind::Section, Arc::as_ptr(any).addr()))
        }
        Object::File(_) | Object::Port(_) | Object::Private(_) => None,
    }
}

impl Directory {
    /// Another handle of the object that has the name; `None` if none has it.
    fn open(&mut self, name: &Name, kind: Kind) -> Option<Outcome<HANDLE>> {
        let named = self.names.get(name).and_then(|at| self.objects.get_mut(at))?;
        if named.kind != kind {
            return Some(Err(Error::ERROR_INVALID_HANDLE));
        }
        Some(enter(named.object.clone()).inspect(|_| named.handles += 1))
    }

    /// A new object's first handle.
    fn enter_named(&mut self, name: Name, object: Object) -> Outcome<HANDLE> {
        let handle = enter(object.clone())?;
        if let Some((kind, at)) = identity(&object) {
            self.names.insert(name.clone(), at);
            self.objects.insert(at, Named { name, kind, object, handles: 1 });
        }
        Ok(handle)
    }

    fn gained_handle(&mut self, object: &Object) {
        let at = identity(object).map(|(_, at)| at);
        if let Some(named) = at.and_then(|at| self.objects.get_mut(&at)) {
            named.handles += 1;
        }
    }

    fn lost_handle(&mut self, object: &Object) {
        let Some((_, at)) = identity(object) else { return };
        let Some(named) = self.objects.get_mut(&at) else { return };
        named.handles -= 1;
        if named.handles == 0
            && let Some(gone) = self.objects.remove(&at)
        {
            self.names.remove(&gone.name);
        }
    }
}

/// A handle of a new object, or of the one that has the name already. The last error tells which.
pub(in crate::kernel32) fn create(
    name: Option<Name>,
    kind: Kind,
    object: impl FnOnce() -> Outcome<Object>,
) -> Outcome<HANDLE> {
    let (handle, told) = match name {
        None => (enter(object()?)?, 0),
        Some(name) => {
            let mut directory = DIRECTORY.lock();
            match directory.open(&name, kind) {
                Some(handle) => (handle?, Error::ERROR_ALREADY_EXISTS.0),
                None => (directory.enter_named(name, object()?)?, 0),
            }
        }
    };
    last_error::set(told);
    Ok(handle)
}

/// A handle of the object that has the name.
pub(in crate::kernel32) fn open(name: Option<Name>, kind: Kind) -> Outcome<HANDLE> {
    let name = name.ok_or(Error::ERROR_INVALID_PARAMETER)?;
    DIRECTORY.lock().open(&name, kind).ok_or(Error::ERROR_FILE_NOT_FOUND)?
}

/// Another handle of the object behind a handle, for the kinds that can have one.
pub(super) fn duplicate(handle: Handle) -> Outcome<HANDLE> {
    let mut directory = DIRECTORY.lock();
    match table().get(handle).ok_or(Error::ERROR_INVALID_HANDLE)? {
        Object::File(_) | Object::Port(_) | Object::Closable(_) => Err(Error::ERROR_NOT_SUPPORTED),
        Object::Private(_) => Err(Error::ERROR_INVALID_HANDLE),
        object => enter(object.clone()).inspect(|_| directory.gained_handle(&object)),
    }
}

/// Takes a handle out of the table if its object is the one that is meant.
pub(super) fn remove(handle: Handle, meant: impl FnOnce(&Object) -> bool) -> Outcome<Object> {
    let mut directory = DIRECTORY.lock();
    let object = table().remove_if(handle, meant).ok_or(Error::ERROR_INVALID_HANDLE)?;
    directory.lost_handle(&object);
    Ok(object)
}

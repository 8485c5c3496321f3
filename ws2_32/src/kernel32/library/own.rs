//! Libraries of the program's own: shared objects, named `foo.dll` or `foo.so`.
//!
//! Loading and unloading are one thread's at a time, with DllMain inside, as Windows' loader has
//! it; that thread may load and unload more meanwhile.
#![allow(unsafe_code, reason = "dlopen and its family; calls to the program's functions")]

use std::ffi::{CString, OsStr, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Once;

use linsock::iocp::sync::{Condition, Lock};
use linsock::iocp::thread;

use crate::export::Outcome;
use crate::last_error::Error;

/// What a library does when it comes and goes.
type DllMain = unsafe extern "C-unwind" fn(usize, u32, *mut c_void) -> i32;

const PROCESS_DETACH: u32 = 0;
const PROCESS_ATTACH: u32 = 1;

/// The beginning of what dlopen gives (link.h).
#[repr(C)]
struct LinkMap {
    base: usize,
}

/// A library that is loaded.
#[derive(Debug)]
struct Module {
    /// Where it was loaded, as on Windows.
    handle: usize,
    /// What dlopen gave, as an address.
    opened: usize,
    path: PathBuf,
    /// How often it was loaded and not freed.
    uses: usize,
}

/// Uses of a library when the process ends: what runs to the last, as other threads and functions
/// that were given to atexit before, may use it and free it.
const FOR_EVER: usize = usize::MAX / 2;

static MODULES: Lock<Vec<Module>> = Lock::new(Vec::new());

/// Whose turn it is to load and unload.
#[derive(Debug)]
struct Turn {
    /// The thread's number; 0 for none.
    owner: u64,
    depth: usize,
}

static TURN: Lock<Turn> = Lock::new(Turn { owner: 0, depth: 0 });
static TURN_IS_OVER: Condition = Condition::new();

/// The calling thread's turn, while this lives.
struct MyTurn;

impl MyTurn {
    fn begin() -> Self {
        let me = thread::id();
        let mut turn = TURN.lock();
        while turn.depth > 0 && turn.owner != me {
            TURN_IS_OVER.wait(&mut turn);
        }
        turn.owner = me;
        turn.depth += 1;
        Self
    }
}

impl Drop for MyTurn {
    fn drop(&mut self) {
        TURN.lock().depth -= 1;
        TURN_IS_OVER.tell_all();
    }
}

/// The address of a name in an opened library itself, not in those that it needs.
fn symbol_of(opened: usize, handle: usize, name: &str) -> Option<*const ()> {
    let found = symbol(opened, name)?;
    // SAFETY: plain numbers and pointers, for which zero is a value.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: fills in the local.
    let is_known = unsafe { libc::dladdr(found.cast(), &raw mut info) } != 0;
    (is_known && info.dli_fbase.addr() == handle).then_some(found)
}

fn symbol(opened: usize, name: &str) -> Option<*const ()> {
    let name = CString::new(name).ok()?;
    let opened = std::ptr::with_exposed_provenance_mut(opened);
    // SAFETY: dlopen gave the handle, which is open as long as its module is in the list.
    let found = unsafe { libc::dlsym(opened, name.as_ptr()) };
    (!found.is_null()).then(|| found.cast_const().cast())
}

/// Tells a library, if it wants to know; false when it refuses.
fn tell(opened: usize, handle: usize, reason: u32, is_exit: bool) -> bool {
    let Some(function) = symbol_of(opened, handle, "DllMain") else { return true };
    // SAFETY: a library that has a function of that name means Windows' by it.
    let function = unsafe { std::mem::transmute::<*const (), DllMain>(function) };
    let reserved = std::ptr::without_provenance_mut(usize::from(is_exit));
    // SAFETY: as above; no lock is held, but for the turn, which is this thread's.
    unsafe { function(handle, reason, reserved) != 0 }
}

/// The process ends: those that are still loaded hear of it, the last one first.
extern "C" fn tell_of_exit() {
    let _turn = MyTurn::begin();
    let stay = |module: &mut Module| {
        module.uses = FOR_EVER;
        (module.opened, module.handle)
    };
    let loaded: Vec<_> = MODULES.lock().iter_mut().map(stay).collect();
    for (opened, handle) in loaded.into_iter().rev() {
        tell(opened, handle, PROCESS_DETACH, true);
    }
}

/// Where a library may be, by the name that the program gives it: `.dll` is what a name without an
/// ending means, and `.so` what takes its place. A dot at the end says that there is none.
fn names(given: &[u8]) -> Vec<PathBuf> {
    let path = given.iter().map(|octet| if *octet == b'\\' { b'/' } else { *octet });
    let path = PathBuf::from(OsStr::from_bytes(&path.collect::<Vec<_>>()));
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    match ending.as_ref().map(|ending| ending.as_bytes()) {
        Some(b"dll") => vec![path.clone(), path.with_extension("so")],
        Some(b"") => vec![path.with_extension("")],
        Some(_) => vec![path],
        None => vec![path.with_extension("dll"), path.with_extension("so"), path],
    }
}

/// The program's directory, the current one, and those of PATH, as Windows has them.
pub(in crate::kernel32) fn directories() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let own = program.and_then(|program| program.parent().map(Path::to_path_buf));
    let current = std::env::current_dir().ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).filter(|path| path.is_absolute()).collect();
    own.into_iter().chain(current).chain(path).collect()
}

fn find(given: &[u8]) -> Option<PathBuf> {
    let names = names(given);
    let has_directory = given.iter().any(|octet| matches!(octet, b'/' | b'\\'));
    let bases = if has_directory { vec![std::env::current_dir().ok()?] } else { directories() };
    let mut places = bases.iter().flat_map(|base| names.iter().map(move |name| base.join(name)));
    places.find(|place| place.is_file())
}

/// Whether this program can load anything: one that is linked statically has no loader.
fn has_loader() -> bool {
    // SAFETY: asks a number.
    unsafe { libc::getauxval(libc::AT_BASE) != 0 }
}

/// Loads a library, or counts one more use of it.
///
/// # Errors
/// ERROR_MOD_NOT_FOUND; ERROR_BAD_EXE_FORMAT for what is there and cannot be loaded;
/// ERROR_DLL_INIT_FAILED when its DllMain refuses.
pub(super) fn load(given: &[u8]) -> Outcome<usize> {
    let path = find(given).filter(|_| has_loader()).ok_or(Error::ERROR_MOD_NOT_FOUND)?;
    let path = path.canonicalize().map_err(|_| Error::ERROR_MOD_NOT_FOUND)?;
    let name = CString::new(path.clone().into_os_string().into_vec());
    let name = name.map_err(|_| Error::ERROR_MOD_NOT_FOUND)?;
    let _turn = MyTurn::begin();
    // SAFETY: the program asks for the library's constructors to be run.
    let opened = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if opened.is_null() {
        return Err(Error::ERROR_BAD_EXE_FORMAT);
    }
    // SAFETY: what dlopen gives is the library's entry in the loader's list.
    let handle = unsafe { (*opened.cast::<LinkMap>()).base };
    let opened = opened.expose_provenance();
    let mut modules = MODULES.lock();
    if let Some(known) = modules.iter_mut().find(|module| module.handle == handle) {
        known.uses += 1;
        drop(modules);
        close(opened);
        return Ok(handle);
    }
    modules.push(Module { handle, opened, path, uses: 1 });
    drop(modules);
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| {
        // SAFETY: the function has no preconditions. If there is no room, nobody is told.
        unsafe { libc::atexit(tell_of_exit) };
    });
    if !tell(opened, handle, PROCESS_ATTACH, false) {
        tell(opened, handle, PROCESS_DETACH, false);
        MODULES.lock().retain(|module| module.handle != handle);
        close(opened);
        return Err(Error::ERROR_DLL_INIT_FAILED);
    }
    Ok(handle)
}

fn close(opened: usize) {
    // SAFETY: dlopen gave it, and this use of it is over.
    unsafe { libc::dlclose(std::ptr::with_exposed_provenance_mut(opened)) };
}

/// One use less; with the last one the library goes. False if there is no such library.
pub(super) fn free(handle: usize) -> bool {
    if !is_loaded(handle) {
        return false;
    }
    let _turn = MyTurn::begin();
    let mut modules = MODULES.lock();
    let Some(at) = modules.iter().position(|module| module.handle == handle) else { return false };
    modules[at].uses -= 1;
    if modules[at].uses > 0 {
        return true;
    }
    let Module { opened, .. } = modules.remove(at);
    drop(modules);
    tell(opened, handle, PROCESS_DETACH, false);
    close(opened);
    true
}

pub(super) fn is_loaded(handle: usize) -> bool {
    MODULES.lock().iter().any(|module| module.handle == handle)
}

/// The address of a function or variable of a loaded library.
pub(super) fn address(handle: usize, name: &str) -> Option<*const ()> {
    let opened = MODULES.lock().iter().find(|module| module.handle == handle)?.opened;
    symbol_of(opened, handle, name)
}

/// The path of a loaded library.
pub(super) fn path(handle: usize) -> Option<Vec<u8>> {
    let modules = MODULES.lock();
    let module = modules.iter().find(|module| module.handle == handle)?;
    Some(module.path.as_os_str().as_bytes().to_vec())
}

/// The loaded library that a name means, which has no more uses for that.
pub(super) fn handle_of_name(given: &[u8]) -> Option<usize> {
    let names = names(given);
    let modules = MODULES.lock();
    let is_meant = |module: &&Module| names.iter().any(|name| module.path.ends_with(name));
    modules.iter().find(is_meant).map(|module| module.handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_a_dll_or_a_shared_object() {
        let of = |given: &str| {
            let names = names(given.as_bytes()).into_iter();
            names.map(|name| name.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("foo.dll"), "foo.dll foo.so");
        assert_eq!(of("FOO.DLL"), "FOO.DLL FOO.so");
        assert_eq!(of("foo"), "foo.dll foo.so foo");
        assert_eq!(of("foo.so"), "foo.so");
        assert_eq!(of("foo.plugin"), "foo.plugin");
        // libloaderapi/nf-libloaderapi-loadlibrarya: no ending is appended.
        assert_eq!(of("foo."), "foo");
        assert_eq!(of(r"plugins\foo.dll"), "plugins/foo.dll plugins/foo.so");
    }

    #[test]
    fn what_is_not_loaded_has_nothing() {
        assert!(!free(0) && !is_loaded(1) && address(1, "main").is_none() && path(1).is_none());
        assert_eq!(load(b"no such library"), Err(Error::ERROR_MOD_NOT_FOUND));
        assert_eq!(handle_of_name(b"no such library"), None);
    }
}

//! Registration: clients, and the provider's NPI.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use linsock::iocp::sync::{Condition, Lock, Locked};
use linsock::settings;

use crate::calls::PROVIDER_DISPATCH;
use crate::status::{self, Status};
use crate::{misuse, socket, worker};

/// The version of the interface that is provided: 1.0.
const VERSION_LOW: u16 = 0x0100;
const VERSION_HIGH: u16 = 0x0100;

/// GUID.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guid {
    data1: u32,
    data2: u16,
    data3: u16,
    data4: [u8; 8],
}

/// The interface's identity.
#[unsafe(no_mangle)]
pub static NPI_WSK_INTERFACE_ID: Guid = Guid {
    data1: 0x2227_E803,
    data2: 0x8D8B,
    data3: 0x11D4,
    data4: [0xAB, 0xAD, 0x00, 0x90, 0x27, 0x71, 0x9E, 0x09],
};

/// WSK_CLIENT_DISPATCH.
#[repr(C)]
#[derive(Debug)]
pub struct ClientDispatch {
    version: u16,
    reserved: u16,
    event: *const c_void,
}

/// WSK_CLIENT_NPI.
#[repr(C)]
#[derive(Debug)]
pub struct ClientNpi {
    context: *mut c_void,
    dispatch: *const ClientDispatch,
}

/// WSK_REGISTRATION. The context is a reference to the [`Client`].
#[repr(C)]
#[derive(Debug)]
pub struct Registration {
    state: u64,
    context: *const Client,
    lock: usize,
}

/// WSK_PROVIDER_NPI.
#[repr(C)]
#[derive(Debug)]
pub struct ProviderNpi {
    client: *const Client,
    dispatch: *const c_void,
}

/// WSK_PROVIDER_CHARACTERISTICS.
#[repr(C)]
#[derive(Debug)]
pub struct Characteristics {
    highest: u16,
    lowest: u16,
}

/// A registered client.
#[derive(Debug)]
pub struct Client {
    version: u16,
    use_: Lock<Use>,
    changed: Condition,
}

#[derive(Debug, Default)]
struct Use {
    captured: usize,
    sockets: usize,
    leaving: bool,
    /// WSK_SET_STATIC_EVENT_CALLBACKS.
    static_events: u32,
}

impl Client {
    fn use_(&self) -> Locked<'_, Use> {
        self.use_.lock()
    }

    /// The client behind a pointer of the provider's NPI.
    pub(crate) fn of(client: *const Self) -> Option<Arc<Self>> {
        if client.is_null() {
            return None;
        }
        // SAFETY: the pointer came from `Arc::into_raw` and is kept until WskDeregister.
        unsafe { Arc::increment_strong_count(client) };
        // SAFETY: as above; this is the reference that was just counted.
        Some(unsafe { Arc::from_raw(client) })
    }

    pub(crate) fn socket_made(&self) {
        self.use_().sockets += 1;
    }

    pub(crate) fn socket_gone(&self) {
        self.use_().sockets -= 1;
        self.changed.tell_all();
    }

    pub(crate) fn static_events(&self) -> u32 {
        self.use_().static_events
    }

    /// WSK_SET_STATIC_EVENT_CALLBACKS: before any socket is made.
    pub(crate) fn set_static_events(&self, events: u32) -> Result<(), Status> {
        let mut use_ = self.use_();
        if use_.sockets > 0 {
            return Err(status::INVALID_DEVICE_STATE);
        }
        use_.static_events = events;
        Ok(())
    }
}

fn registration<'a>(registration: *mut Registration) -> &'a mut Registration {
    // SAFETY: the client's structure, which is valid until WskDeregister returns.
    unsafe { &mut *registration }
}

/// Registers a client.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nf-wsk-wskregister>
///
/// # Errors
/// STATUS_INVALID_PARAMETER for null pointers; STATUS_INSUFFICIENT_RESOURCES when the descriptors
/// and the thread that the provider needs, which the first registration makes, cannot be had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WskRegister(Npi: *const ClientNpi, Reg: *mut Registration) -> Status {
    // SAFETY: the client's structure, or null.
    let dispatch = unsafe { Npi.as_ref() }.map_or(ptr::null(), |npi| npi.dispatch);
    // SAFETY: the client's dispatch table, or null.
    let (Some(dispatch), false) = (unsafe { dispatch.as_ref() }, Reg.is_null()) else {
        return status::INVALID_PARAMETER;
    };
    if worker::prepare().is_err() {
        return status::INSUFFICIENT_RESOURCES;
    }
    settings::begin();
    let version = dispatch.version;
    let client = Client { version, use_: Lock::default(), changed: Condition::new() };
    let registered = Registration { state: 1, context: Arc::into_raw(Arc::new(client)), lock: 0 };
    // SAFETY: the client's structure.
    unsafe { Reg.write(registered) };
    status::SUCCESS
}

/// Ends a registration: blocks until every captured NPI is released and every socket closed. What
/// it waits for is reported, if misuse is.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nf-wsk-wskderegister>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WskDeregister(Reg: *mut Registration) {
    let registration = registration(Reg);
    let Some(client) = Client::of(registration.context) else {
        return misuse::report("WskDeregister", format_args!("the client is not registered"));
    };
    let mut use_ = client.use_();
    use_.leaving = true;
    client.changed.tell_all();
    if use_.captured > 0 {
        let rule = format_args!("{} captured NPIs are not released", use_.captured);
        misuse::report("WskDeregister", rule);
    }
    // One that is being closed is waited for, and nobody's fault.
    let open = socket::names(&client);
    if !open.is_empty() {
        let rule = format_args!("{} sockets are not closed: {}", open.len(), open.join(", "));
        misuse::report("WskDeregister", rule);
    }
    while use_.captured > 0 || use_.sockets > 0 {
        client.changed.wait(&mut use_);
    }
    drop(use_);
    // SAFETY: the reference that WskRegister has left there.
    drop(unsafe { Arc::from_raw(registration.context) });
    registration.context = ptr::null();
    registration.state = 0;
}

/// Captures the provider's NPI. The provider is always there, so there is nothing to wait for but
/// the end of the registration.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nf-wsk-wskcaptureprovidernpi>
///
/// # Errors
/// STATUS_NOINTERFACE for a version that is not 1, STATUS_DEVICE_NOT_READY after WskDeregister.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WskCaptureProviderNPI(
    Reg: *mut Registration,
    _WaitTimeout: u32,
    Npi: *mut ProviderNpi,
) -> Status {
    let context = registration(Reg).context;
    let Some(client) = Client::of(context) else { return status::DEVICE_NOT_READY };
    if client.version >> 8 != VERSION_LOW >> 8 {
        return status::NOINTERFACE;
    }
    let mut use_ = client.use_();
    if use_.leaving {
        return status::DEVICE_NOT_READY;
    }
    use_.captured += 1;
    let npi = ProviderNpi { client: context, dispatch: (&raw const PROVIDER_DISPATCH).cast() };
    // SAFETY: the client's structure.
    unsafe { Npi.write(npi) };
    status::SUCCESS
}

/// Releases the provider's NPI.
///
/// <https://learn.microsoft.com/windows-hardware/drivers/ddi/wsk/nf-wsk-wskreleaseprovidernpi>
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WskReleaseProviderNPI(Reg: *mut Registration) {
    let client = Client::of(registration(Reg).context);
    let released = client.as_ref().is_some_and(|client| {
        let mut use_ = client.use_();
        let captured = use_.captured > 0;
        use_.captured -= usize::from(captured);
        client.changed.tell_all();
        captured
    });
    if !released {
        misuse::report("WskReleaseProviderNPI", format_args!("no NPI is captured"));
    }
}

/// The versions that the provider has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WskQueryProviderCharacteristics(
    _Reg: *mut Registration,
    Result: *mut Characteristics,
) -> Status {
    let characteristics = Characteristics { highest: VERSION_HIGH, lowest: VERSION_LOW };
    // SAFETY: the client's structure.
    unsafe { Result.write(characteristics) };
    status::SUCCESS
}

//! PARITY.md: every documented function that a socket program may call, and what became of it here.
//!
//! The file is made from the sources, the tests and the lists below, and compared with the one on
//! disk: `LINSOCK_BLESS=1 cargo test -p linsock-ws2_32 --test parity` writes it.

#[path = "exports/surface.rs"]
mod surface;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use surface::{Export, exports, files, read, root};

const BLESS: &str = "LINSOCK_BLESS=1 cargo test -p linsock-ws2_32 --test parity";

/// The documented functions, by header. Those of winsock2.h, ws2tcpip.h and mswsock.h are all of
/// them, without the service provider interface; those of windows.h and process.h are the ones that
/// socket programs use.
const DOCUMENTED: &[(&str, &str)] = &[
    (
        "winsock2.h",
        "\
        __WSAFDIsSet accept bind closesocket connect gethostbyaddr gethostbyname gethostname
        GetHostNameW getpeername getprotobyname getprotobynumber getservbyname getservbyport
        getsockname getsockopt htonl htons inet_addr inet_ntoa ioctlsocket listen ntohl
        ntohs ProcessSocketNotifications recv recvfrom select send sendto setsockopt
        shutdown socket WSAAccept WSAAddressToStringA WSAAddressToStringW
        WSAAsyncGetHostByAddr WSAAsyncGetHostByName WSAAsyncGetProtoByName
        WSAAsyncGetProtoByNumber WSAAsyncGetServByName WSAAsyncGetServByPort WSAAsyncSelect
        WSACancelAsyncRequest WSACancelBlockingCall WSACleanup WSACloseEvent WSAConnect
        WSAConnectByList WSAConnectByNameA WSAConnectByNameW WSACreateEvent
        WSADuplicateSocketA WSADuplicateSocketW WSAEnumNameSpaceProvidersA
        WSAEnumNameSpaceProvidersExA WSAEnumNameSpaceProvidersExW WSAEnumNameSpaceProvidersW
        WSAEnumNetworkEvents WSAEnumProtocolsA WSAEnumProtocolsW WSAEventSelect
        WSAGetLastError WSAGetOverlappedResult WSAGetQOSByName WSAGetServiceClassInfoA
        WSAGetServiceClassInfoW WSAGetServiceClassNameByClassIdA
        WSAGetServiceClassNameByClassIdW WSAHtonl WSAHtons WSAInstallServiceClassA
        WSAInstallServiceClassW WSAIoctl WSAIsBlocking WSAJoinLeaf WSALookupServiceBeginA
        WSALookupServiceBeginW WSALookupServiceEnd WSALookupServiceNextA
        WSALookupServiceNextW WSANSPIoctl WSANtohl WSANtohs WSAPoll WSAProviderConfigChange
        WSARecv WSARecvDisconnect WSARecvFrom WSARemoveServiceClass WSAResetEvent WSASend
        WSASendDisconnect WSASendMsg WSASendTo WSASetBlockingHook WSASetEvent
        WSASetLastError WSASetServiceA WSASetServiceW WSASocketA WSASocketW WSAStartup
        WSAStringToAddressA WSAStringToAddressW WSAUnhookBlockingHook
        WSAWaitForMultipleEvents",
    ),
    (
        "ws2tcpip.h",
        "\
        freeaddrinfo FreeAddrInfoEx FreeAddrInfoExW FreeAddrInfoW getaddrinfo GetAddrInfoExA
        GetAddrInfoExCancel GetAddrInfoExOverlappedResult GetAddrInfoExW GetAddrInfoW
        getnameinfo GetNameInfoW inet_ntop inet_pton InetNtopW InetPtonW SetAddrInfoExA
        SetAddrInfoExW",
    ),
    (
        "mswsock.h",
        "\
        AcceptEx ConnectEx DisconnectEx GetAcceptExSockaddrs RIOCloseCompletionQueue
        RIOCreateCompletionQueue RIOCreateRequestQueue RIODequeueCompletion RIODeregisterBuffer
        RIONotify RIOReceive RIOReceiveEx RIORegisterBuffer RIOResizeCompletionQueue
        RIOResizeRequestQueue RIOSend RIOSendEx TransmitFile TransmitPackets WSARecvEx WSARecvMsg",
    ),
    (
        "windows.h",
        "\
        AcquireSRWLockExclusive AcquireSRWLockShared BindIoCompletionCallback CancelIo
        CancelIoEx CancelSynchronousIo CancelThreadpoolIo CancelWaitableTimer CloseHandle
        CloseThreadpoolIo CreateEventA CreateEventExA CreateEventExW CreateEventW
        CreateFileA CreateFileW CreateIoCompletionPort CreateMutexA CreateMutexW
        CreateSemaphoreA CreateSemaphoreW CreateThread CreateThreadpoolIo
        CreateTimerQueueTimer CreateWaitableTimerA CreateWaitableTimerExA
        CreateWaitableTimerExW CreateWaitableTimerW
        DeleteCriticalSection DeleteTimerQueueTimer DeviceIoControl DuplicateHandle
        EnterCriticalSection ExitProcess ExitThread FlsAlloc FlsFree FlsGetValue FlsSetValue
        FormatMessageA FormatMessageW GetCommandLineW GetCurrentProcess GetCurrentProcessId
        GetCurrentThread GetCurrentThreadId GetExitCodeThread GetHandleInformation
        GetLastError GetModuleHandleA GetOverlappedResult GetOverlappedResultEx
        GetProcAddress GetProcessAffinityMask GetProcessHeap GetQueuedCompletionStatus
        GetQueuedCompletionStatusEx GetSystemInfo GetSystemTimeAsFileTime
        GetSystemTimePreciseAsFileTime GetThreadId GetTickCount GetTickCount64 GlobalAlloc
        GlobalFree HeapAlloc HeapCreate HeapDestroy HeapFree HeapReAlloc HeapSetInformation
        HeapSize HeapValidate InitializeConditionVariable InitializeCriticalSection
        InitializeCriticalSectionAndSpinCount InitializeCriticalSectionEx InitializeSRWLock
        InitOnceExecuteOnce LeaveCriticalSection LoadLibraryA LocalAlloc LocalFree
        MultiByteToWideChar OpenEventA OpenEventW OpenMutexA OpenSemaphoreA OpenThread
        OutputDebugStringA OutputDebugStringW PostQueuedCompletionStatus PulseEvent
        QueryPerformanceCounter QueryPerformanceFrequency QueueUserAPC QueueUserAPC2
        QueueUserWorkItem ReadFile ReadFileEx RegisterWaitForSingleObject ReleaseMutex
        ReleaseSemaphore ReleaseSRWLockExclusive ReleaseSRWLockShared ResetEvent
        ResumeThread SetConsoleCtrlHandler SetCriticalSectionSpinCount SetEvent
        SetFileCompletionNotificationModes SetHandleInformation SetLastError
        GetThreadPriority SetThreadAffinityMask SetThreadPriority
        SetWaitableTimer SetWaitableTimerEx
        SignalObjectAndWait Sleep
        SleepConditionVariableCS SleepConditionVariableSRW SleepEx StartThreadpoolIo
        SuspendThread SwitchToThread TerminateThread TlsAlloc TlsFree TlsGetValue
        TlsSetValue TryAcquireSRWLockExclusive TryAcquireSRWLockShared
        TryEnterCriticalSection UnregisterWaitEx VirtualAlloc VirtualFree
        WaitForMultipleObjects WaitForMultipleObjectsEx WaitForSingleObject
        WaitForSingleObjectEx WaitForThreadpoolIoCallbacks WaitOnAddress
        WakeAllConditionVariable WakeByAddressAll WakeByAddressSingle WakeConditionVariable
        WideCharToMultiByte WriteFile WriteFileEx
        CallbackMayRunLong DisassociateCurrentThreadFromCallback SetEventWhenCallbackReturns
        ReleaseSemaphoreWhenCallbackReturns ReleaseMutexWhenCallbackReturns
        LeaveCriticalSectionWhenCallbackReturns CreateThreadpool CloseThreadpool
        SetThreadpoolThreadMaximum SetThreadpoolThreadMinimum CreateThreadpoolCleanupGroup
        CloseThreadpoolCleanupGroupMembers CloseThreadpoolCleanupGroup
        TrySubmitThreadpoolCallback CreateThreadpoolWork SubmitThreadpoolWork
        WaitForThreadpoolWorkCallbacks CloseThreadpoolWork CreateThreadpoolTimer
        SetThreadpoolTimer SetThreadpoolTimerEx IsThreadpoolTimerSet
        WaitForThreadpoolTimerCallbacks CloseThreadpoolTimer CreateThreadpoolWait
        SetThreadpoolWait SetThreadpoolWaitEx WaitForThreadpoolWaitCallbacks
        CloseThreadpoolWait CreateTimerQueue ChangeTimerQueueTimer DeleteTimerQueueEx
        DeleteTimerQueue UnregisterWait FreeLibraryWhenCallbackReturns CancelTimerQueueTimer
        OpenWaitableTimerA OpenWaitableTimerW QueryThreadpoolStackInformation
        SetThreadpoolStackInformation
        CreateMutexExA CreateMutexExW CreateSemaphoreExA CreateSemaphoreExW GetACP
        GlobalLock GlobalReAlloc GlobalSize GlobalUnlock InitOnceBeginInitialize
        InitOnceComplete InitOnceInitialize LocalLock LocalReAlloc LocalSize LocalUnlock
        OpenMutexW OpenSemaphoreW
        VirtualLock VirtualProtect VirtualUnlock
        CompareFileTime DebugBreak FileTimeToLocalFileTime FileTimeToSystemTime
        GetCommandLineA GetCurrentProcessorNumber GetEnvironmentVariableA
        GetEnvironmentVariableW GetLocalTime GetModuleFileNameA GetModuleFileNameW
        GetModuleHandleW GetSystemTime IsDebuggerPresent LocalFileTimeToFileTime
        QueryUnbiasedInterruptTime SetEnvironmentVariableA SetEnvironmentVariableW
        SetProcessAffinityMask SetThreadDescription SystemTimeToFileTime timeBeginPeriod
        timeEndPeriod timeGetDevCaps timeGetTime
        FreeLibrary GetSystemDirectoryA GetSystemDirectoryW GetVersion LoadLibraryExA
        LoadLibraryExW LoadLibraryW CreateFileMappingA CreateFileMappingW MapViewOfFile
        UnmapViewOfFile GetTempFileNameA GetTempFileNameW
        DeleteFileA DeleteFileW FlushFileBuffers
        GetFileAttributesA GetFileAttributesW GetFileSize GetFileSizeEx GetFileType GetTempPathA
        GetTempPathW SetEndOfFile SetFilePointer SetFilePointerEx
        CreateDirectoryA CreateDirectoryW RemoveDirectoryA
        RemoveDirectoryW FindFirstFileA FindFirstFileW FindNextFileA FindNextFileW
        FindClose GetFileAttributesExA GetFileAttributesExW
        VerifyVersionInfoA VerifyVersionInfoW VerSetConditionMask
        GetThreadTimes GetProcessTimes IsWow64Process QueryThreadCycleTime
        QueryProcessCycleTime SearchPathA SearchPathW
        LockFile LockFileEx UnlockFile UnlockFileEx MoveFileA MoveFileW MoveFileExA MoveFileExW
        CopyFileA CopyFileW GetLongPathNameA GetLongPathNameW
        GetFileTime SetFileTime GetFullPathNameA GetFullPathNameW
        GetFileInformationByHandle GetDiskFreeSpaceA GetDiskFreeSpaceW GetDiskFreeSpaceExA
        GetDiskFreeSpaceExW GetCurrentDirectoryA GetCurrentDirectoryW SetCurrentDirectoryA
        SetCurrentDirectoryW GetTimeZoneInformation GetVersionExA GetVersionExW MapViewOfFileEx
        OpenFileMappingA OpenFileMappingW RegisterEventSourceA RegisterEventSourceW
        StartServiceCtrlDispatcherA StartServiceCtrlDispatcherW RegisterServiceCtrlHandlerA
        RegisterServiceCtrlHandlerW RegisterServiceCtrlHandlerExA RegisterServiceCtrlHandlerExW
        SetServiceStatus DeregisterEventSource ReportEventA ReportEventW FreeConsole
        CreateProcessA CreateProcessW GetStartupInfoA GetStartupInfoW GetExitCodeProcess
        TerminateProcess OpenProcess GetProcessId CreatePipe PeekNamedPipe GetStdHandle SetStdHandle
        CreateNamedPipeA CreateNamedPipeW ConnectNamedPipe DisconnectNamedPipe WaitNamedPipeA
        WaitNamedPipeW SetNamedPipeHandleState GetNamedPipeHandleStateA GetNamedPipeHandleStateW
        GetNamedPipeInfo GetNamedPipeClientProcessId GetNamedPipeServerProcessId TransactNamedPipe
        CallNamedPipeA CallNamedPipeW
        GetConsoleMode SetConsoleMode GetConsoleScreenBufferInfo SetConsoleTextAttribute
        WriteConsoleA WriteConsoleW SetUnhandledExceptionFilter",
    ),
    (
        "iphlpapi.h",
        "\
        GetAdaptersAddresses GetNetworkParams if_indextoname if_nametoindex
        GetTcpTable GetTcpTable2 GetTcp6Table GetTcp6Table2 GetExtendedTcpTable GetUdpTable
        GetUdp6Table GetExtendedUdpTable SetTcpEntry GetTcpStatistics GetTcpStatisticsEx
        GetUdpStatistics GetUdpStatisticsEx GetIpAddrTable GetAdaptersInfo
        GetNumberOfInterfaces GetBestInterface GetBestInterfaceEx",
    ),
    (
        "wincrypt.h",
        "\
        CryptAcquireContextA CryptAcquireContextW CryptGenRandom CryptReleaseContext
        SystemFunction036",
    ),
    (
        "process.h",
        "\
        _beginthread _beginthreadex _endthread _endthreadex
        _spawnv _spawnve _spawnvp _spawnvpe _cwait",
    ),
    (
        "io.h",
        "\
        _get_osfhandle _open_osfhandle",
    ),
    (
        "conio.h",
        "\
        _getch _getche _kbhit _ungetch",
    ),
    (
        "psapi.h",
        "\
        GetProcessMemoryInfo",
    ),
    (
        "bcrypt.h",
        "\
        BCryptGenRandom",
    ),
    (
        "winternl.h",
        "\
        NtCancelIoFile NtCancelIoFileEx NtClose NtCreateFile NtCreateIoCompletion
        NtCreateKeyedEvent NtDeviceIoControlFile NtOpenFile NtQuerySystemTime
        NtReleaseKeyedEvent NtRemoveIoCompletion NtRemoveIoCompletionEx NtSetIoCompletion
        NtWaitForKeyedEvent RtlNtStatusToDosError",
    ),
];

/// Functions that do a part of what is documented. The reason is what the function's doc says under
/// `# Differs from Windows`; one stands here only while the doc says nothing.
const PARTIAL: &[(&str, &str)] = &[
    ("NtCreateFile", ""),
    ("NtCreateIoCompletion", ""),
    ("NtCreateKeyedEvent", ""),
    ("NtDeviceIoControlFile", ""),
    ("NtOpenFile", "As NtCreateFile."),
    ("RIOReceiveEx", ""),
    ("RIOSendEx", ""),
    ("CreateFileA", ""),
    ("CreateFileW", ""),
    ("CreateEventA", ""),
    ("CreateEventW", "As CreateEventA."),
    ("CreateMutexA", ""),
    ("CreateSemaphoreA", "As CreateEventA."),
    ("DuplicateHandle", ""),
    ("FormatMessageA", ""),
    ("SetThreadPriority", ""),
    ("CreateEventExA", "As CreateEventA."),
    ("CreateEventExW", "As CreateEventA."),
    ("CreateMutexExA", "As CreateMutexA."),
    ("CreateMutexExW", "As CreateMutexA."),
    ("CreateMutexW", "As CreateMutexA."),
    ("CreateSemaphoreExA", "As CreateEventA."),
    ("CreateSemaphoreExW", "As CreateEventA."),
    ("CreateSemaphoreW", "As CreateEventA."),
    ("OpenEventA", ""),
    ("OpenEventW", "As OpenEventA."),
    ("OpenMutexA", "As OpenEventA."),
    ("OpenMutexW", "As OpenEventA."),
    ("OpenSemaphoreA", "As OpenEventA."),
    ("OpenSemaphoreW", "As OpenEventA."),
    ("FormatMessageW", "As FormatMessageA."),
    ("GlobalAlloc", ""),
    ("LocalAlloc", ""),
    ("MultiByteToWideChar", ""),
    ("WideCharToMultiByte", ""),
    ("VirtualAlloc", ""),
    ("GetEnvironmentVariableA", ""),
    ("GetEnvironmentVariableW", "As GetEnvironmentVariableA."),
    ("GetModuleHandleA", ""),
    ("GetModuleHandleW", "As GetModuleHandleA."),
    ("SetThreadDescription", ""),
    ("TerminateThread", ""),
    ("VerifyVersionInfoA", ""),
    ("VerifyVersionInfoW", ""),
    ("CreateFileMappingA", ""),
    ("CreateFileMappingW", "As CreateFileMappingA."),
    ("_get_osfhandle", ""),
    ("LoadLibraryA", ""),
    ("LoadLibraryW", "As LoadLibraryA."),
    ("LoadLibraryExA", "As LoadLibraryA."),
    ("LoadLibraryExW", "As LoadLibraryA."),
    ("GetProcAddress", ""),
    ("GetAdaptersAddresses", ""),
    ("CryptAcquireContextA", ""),
    ("CryptAcquireContextW", "As CryptAcquireContextA."),
    ("timeBeginPeriod", ""),
    ("timeEndPeriod", ""),
    ("VirtualProtect", ""),
    ("SetCriticalSectionSpinCount", ""),
    ("WSAIoctl", ""),
    ("WSADuplicateSocketA", ""),
    ("WSADuplicateSocketW", ""),
    ("WSASocketA", "As socket."),
    ("WSASocketW", "As socket."),
    ("getaddrinfo", ""),
    ("getsockopt", "As setsockopt."),
    (
        "setsockopt",
        "The options of SOL_SOCKET; those of the IP, IPv6 and TCP levels that the docs of `linsock::option` list.",
    ),
    ("OpenThread", ""),
    ("CancelSynchronousIo", ""),
    ("QueueUserAPC2", ""),
    ("WSAJoinLeaf", ""),
    ("HeapValidate", ""),
    ("GetProcessMemoryInfo", ""),
    ("QueryThreadCycleTime", ""),
    ("QueryProcessCycleTime", ""),
    ("socket", "The protocols of the catalog; others are WSAESOCKTNOSUPPORT."),
];

/// Functions that are absent for good: beginnings of names, and why.
const OUT_OF_SCOPE: &[(&str, &str)] = &[
    ("WSAAsync", "needs a window"),
    ("WSACancelAsyncRequest", "needs a window"),
    ("WSALookupService", "name space providers"),
    ("WSAEnumNameSpaceProviders", "name space providers"),
    ("WSAGetServiceClass", "name space providers"),
    ("WSAInstallServiceClass", "name space providers"),
    ("WSARemoveServiceClass", "name space providers"),
    ("WSASetService", "name space providers"),
    ("WSANSPIoctl", "name space providers"),
    ("WSAProviderConfigChange", "layered providers"),
];

/// These tests name every function; that tests none of them.
const LISTS: &[&str] = &["abi.rs", "exports.rs", "parity.rs", "surface.rs"];

/// Functions that programs call by another name: a macro of the headers.
const ALIASES: &[(&str, &str)] = &[
    ("__WSAFDIsSet", "FD_ISSET"),
    ("CreateEventA", "CreateEvent"),
    ("CreateMutexA", "CreateMutex"),
    ("CreateSemaphoreA", "CreateSemaphore"),
    ("FormatMessageA", "FormatMessage"),
    ("OutputDebugStringA", "OutputDebugString"),
    ("WSASocketA", "WSASocket"),
];

/// A file of tests and its text.
struct Tests {
    name: String,
    text: String,
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Tests {
    /// Whether the tests use a function. Lower-case names are words of English too, and names of
    /// methods: they count where they are called.
    fn mention(&self, name: &str) -> bool {
        let is_plain = name.chars().all(|c| !c.is_uppercase());
        self.text.match_indices(name).any(|(at, _)| {
            let before = self.text[..at].chars().next_back().unwrap_or(' ');
            let after = self.text[at + name.len()..].chars().next().unwrap_or(' ');
            let is_call = after == '(' && before != '.' && before != ':';
            !is_word(before) && !is_word(after) && (is_call || !is_plain)
        })
    }
}

fn tests(name: String, text: String) -> Tests {
    Tests { name, text }
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

/// The C conformance programs.
fn programs() -> Vec<Tests> {
    let paths = files(&root().join("ws2_32/tests/c"), "c");
    paths.iter().map(|path| tests(file_name(path).replace(".c", ""), read(path))).collect()
}

/// The tests in Rust: the files of tests, and what stands behind `#[cfg(test)]` in a source.
fn rust_tests() -> Vec<Tests> {
    let package = root().join("ws2_32");
    let relative = |path: &PathBuf| {
        path.strip_prefix(&package).expect("a file of the package").display().to_string()
    };
    let sources = files(&package.join("src"), "rs").into_iter().filter_map(|path| {
        let text = read(&path);
        let is_tests = path.ends_with("tests.rs");
        let at = if is_tests { 0 } else { text.find("#[cfg(test)]")? };
        Some(tests(relative(&path), text[at..].to_owned()))
    });
    let own = files(&package.join("tests"), "rs").into_iter();
    let own = own.filter(|path| !LISTS.contains(&file_name(path).as_str()));
    sources.chain(own.map(|path| tests(relative(&path), read(&path)))).collect()
}

/// A function's state and what there is to say about it.
fn state(name: &str, exported: &BTreeMap<String, Export>) -> (&'static str, String) {
    let Some(export) = exported.get(name) else {
        let scope = OUT_OF_SCOPE.iter().find(|(prefix, _)| name.starts_with(prefix));
        return ("absent", scope.map_or(String::new(), |(_, why)| format!("out of scope: {why}")));
    };
    let difference = export.difference().unwrap_or_default();
    match PARTIAL.iter().find(|(partial, _)| *partial == name) {
        Some((_, reason)) => {
            let message = "partial, and the reason stands in the doc or in the list, not in both";
            assert!(difference.is_empty() != reason.is_empty(), "{name}: {message}");
            ("partial", format!("{difference}{reason}"))
        }
        None => ("implemented", difference),
    }
}

fn named(tests: &[Tests], name: &str) -> String {
    let alias = ALIASES.iter().find(|(function, _)| *function == name).map(|(_, alias)| *alias);
    let is_used =
        |tests: &&Tests| tests.mention(name) || alias.is_some_and(|alias| tests.mention(alias));
    let found = tests.iter().filter(is_used);
    found.map(|tests| tests.name.clone()).collect::<Vec<_>>().join(", ")
}

const INTRODUCTION: &str = "# Parity

What became of each documented function. Made from the sources by a test: edit the functions' docs and
the lists in `ws2_32/tests/parity.rs`, then run

    ";

const COLUMNS: &str = "\
*partial*: does a part of what is documented; *Notes* says which, or how the function differs from
Windows. *C* are the conformance programs in `ws2_32/tests/c`, *Rust* the tests in `ws2_32`, that use it.
";

/// One header's table, and how many functions are in each state.
fn table(
    names: &str,
    exported: &BTreeMap<String, Export>,
    counts: &mut BTreeMap<&'static str, usize>,
) -> String {
    let (programs, rust) = (programs(), rust_tests());
    let mut rows =
        String::from("\n| Function | State | Notes | C | Rust |\n|---|---|---|---|---|\n");
    for name in names.split_whitespace() {
        let (state, notes) = state(name, exported);
        *counts.entry(state).or_default() += 1;
        let notes = notes.replace(['[', ']'], "").replace('|', "\\|");
        let (c, rust) = (named(&programs, name), named(&rust, name));
        writeln!(rows, "| `{name}` | {state} | {notes} | {c} | {rust} |")
            .expect("a string takes all");
    }
    rows
}

/// The functions of Winsock Kernel's dispatch tables that are less than documented.
const KERNEL_PARTIAL: &[(&str, &str)] = &[
    (
        "WskControlClient",
        "WSK_TRANSPORT_LIST_QUERY, WSK_SET_STATIC_EVENT_CALLBACKS, WSK_TDI_BEHAVIOR.",
    ),
    (
        "WskControlSocket",
        "The options of Winsock sockets, events, SO_CONDITIONAL_ACCEPT, the two backlog queries, silent mode.",
    ),
    ("WskReceiveEx", "Without control information."),
    ("WskSendEx", "Without control information."),
    ("WskReceiveFrom", "Without control information."),
    ("WskSendTo", "Without control information."),
    ("WskSendMessages", "STATUS_NOT_IMPLEMENTED."),
    ("IoCreateDevice", "Nobody can open the device."),
    ("IoCreateSymbolicLink", "There is no object manager."),
    ("IoDeleteSymbolicLink", "There is no object manager."),
];

/// Winsock Kernel and the kernel's functions beside it: what the headers' tables and the sources
/// have.
fn kernel_table() -> String {
    let programs: Vec<_> =
        [files(&root().join("wsk/tests/c"), "c"), files(&root().join("examples/wsk"), "c")]
            .concat()
            .iter()
            .map(|path| tests(file_name(path).replace(".c", ""), read(path)))
            .chain([tests("wsk_check".to_owned(), read(&root().join("wsk/tests/c/wsk_check.h")))])
            .collect();
    let header = read(&root().join("include/wsk.h"));
    let provider = header.split("_WSK_PROVIDER_DISPATCH {").nth(1).expect("the tables of wsk.h");
    let members = provider.lines().filter_map(|line| {
        let (kind, name) = line.trim().strip_suffix(';')?.split_once(' ')?;
        (kind.starts_with("PFN_WSK_") && name.starts_with("Wsk")).then(|| name.to_owned())
    });
    let names: BTreeSet<_> = members.chain(surface::kernel_exports()).collect();
    let ours = |name: &String| name.starts_with("linsock_");
    let mut rows = String::from("\n| Function | State | Notes | C |\n|---|---|---|---|\n");
    for name in names.iter().filter(|name| !ours(name)) {
        let partial = KERNEL_PARTIAL.iter().find(|(partial, _)| partial == name);
        let (state, notes) = partial.map_or(("implemented", ""), |(_, notes)| ("partial", notes));
        let c = named(&programs, name);
        writeln!(rows, "| `{name}` | {state} | {notes} | {c} |").expect("a string takes all");
    }
    rows
}

fn parity() -> String {
    let exported: BTreeMap<_, _> =
        exports().into_iter().map(|export| (export.name.clone(), export)).collect();
    let mut counts = BTreeMap::new();
    let mut tables = String::new();
    for (header, names) in DOCUMENTED {
        let table = table(names, &exported, &mut counts);
        write!(tables, "\n## {header}\n{table}").expect("a string takes all");
    }
    let kernel = "Winsock Kernel (wsk.h), and what of the kernel its clients use (wdm.h)";
    write!(tables, "\n## {kernel}\n{}", kernel_table()).expect("a string takes all");
    let counts: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
    format!("{INTRODUCTION}{BLESS}\n\n{COLUMNS}\n{}.\n{tables}", counts.join(", "))
}

#[test]
fn parity_is_up_to_date() {
    let path = root().join("PARITY.md");
    let wanted = parity();
    if std::env::var_os("LINSOCK_BLESS").is_some() {
        std::fs::write(&path, &wanted).expect("PARITY.md can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    assert!(
        wanted == found,
        "PARITY.md is out of date, first in {differs:#?}; write it with\n{BLESS}"
    );
}

#[test]
fn the_lists_know_every_export_and_name_none_twice() {
    let mut seen = BTreeMap::new();
    for (header, names) in DOCUMENTED {
        for name in names.split_whitespace() {
            assert_eq!(seen.insert(name, header), None, "{name} is listed twice");
        }
    }
    let is_ours = |export: &Export| export.name.starts_with("linsock_");
    for export in exports().iter().filter(|export| !is_ours(export)) {
        assert!(seen.contains_key(export.name.as_str()), "{} is in no list", export.name);
    }
    for (name, _) in PARTIAL {
        assert!(seen.contains_key(name), "{name} is partial, and in no list");
    }
}

#[test]
fn what_is_out_of_scope_is_not_exported() {
    for export in exports() {
        let out = OUT_OF_SCOPE.iter().find(|(prefix, _)| export.name.starts_with(prefix));
        assert!(out.is_none(), "{} is exported and out of scope", export.name);
    }
}

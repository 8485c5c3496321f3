//! Every function of this library by the library of Windows that has it: what GetProcAddress finds.
//!
//! Written out, because programs link a static archive, whose functions have no names at run
//! time. A test compares the table with the exports.

use super::Library;

/// Makes the lookup.
macro_rules! functions {
    ($($library:ident from $($module:ident)::+ { $($name:ident)* })*) => {
        /// The address of a function of a library.
        pub(super) fn address(library: Library, name: &str) -> Option<*const ()> {
            $(if library == Library::$library {
                use $($module)::+ as module;
                match name {
                    $(stringify!($name) => return Some(module::$name as *const ()),)*
                    _ => {}
                }
            })*
            None
        }
    };
}

functions! {
    Kernel32 from crate::kernel32::clock {
        Sleep SleepEx SwitchToThread QueryPerformanceCounter QueryPerformanceFrequency
        GetTickCount GetTickCount64 GetSystemTimeAsFileTime
    }
    Kernel32 from crate::kernel32::critical {
        InitializeConditionVariable SleepConditionVariableSRW WakeConditionVariable
        WakeAllConditionVariable InitializeSRWLock AcquireSRWLockExclusive
        TryAcquireSRWLockExclusive ReleaseSRWLockExclusive AcquireSRWLockShared
        ReleaseSRWLockShared InitializeCriticalSection InitializeCriticalSectionAndSpinCount
        InitializeCriticalSectionEx EnterCriticalSection TryEnterCriticalSection
        LeaveCriticalSection DeleteCriticalSection SleepConditionVariableCS
        SetCriticalSectionSpinCount InitOnceInitialize InitOnceExecuteOnce InitOnceBeginInitialize
        InitOnceComplete TryAcquireSRWLockShared
    }
    Kernel32 from crate::kernel32::heap {
        LocalFree GetProcessHeap HeapCreate HeapDestroy HeapAlloc HeapReAlloc HeapFree HeapSize
        GlobalAlloc GlobalReAlloc GlobalFree GlobalLock GlobalUnlock GlobalSize LocalAlloc
        LocalReAlloc LocalLock LocalUnlock LocalSize HeapValidate HeapSetInformation
    }
    Kernel32 from crate::kernel32::io {
        CreateIoCompletionPort GetQueuedCompletionStatus GetQueuedCompletionStatusEx
        PostQueuedCompletionStatus CancelIo CancelIoEx GetOverlappedResult
        SetFileCompletionNotificationModes
    }
    Kernel32 from crate::kernel32::signal {
        PulseEvent SignalObjectAndWait GetHandleInformation SetHandleInformation
    }
    Kernel32 from crate::kernel32::file_io {
        GetOverlappedResultEx ReadFile WriteFile ReadFileEx WriteFileEx
    }
    Kernel32 from crate::kernel32::misc {
        GetLastError SetLastError FormatMessageA OutputDebugStringA GetSystemInfo
        SetConsoleCtrlHandler FreeConsole FormatMessageW OutputDebugStringW ExitProcess
    }
    Kernel32 from crate::kernel32::object {
        SetEvent ResetEvent ReleaseSemaphore ReleaseMutex WaitForSingleObject
        WaitForSingleObjectEx WaitForMultipleObjects WaitForMultipleObjectsEx CloseHandle
        DuplicateHandle CreateEventA CreateEventW CreateSemaphoreA CreateMutexA CreateEventExA
        CreateSemaphoreExA CreateMutexExA OpenEventA OpenMutexA OpenSemaphoreA CreateEventExW
        CreateSemaphoreW CreateSemaphoreExW CreateMutexW CreateMutexExW OpenEventW OpenMutexW
        OpenSemaphoreW
    }
    Kernel32 from crate::kernel32::thread {
        GetExitCodeThread ResumeThread SetThreadPriority GetCurrentThread GetCurrentThreadId
        GetThreadPriority
        GetCurrentProcess GetCurrentProcessId QueueUserAPC CreateThread GetThreadId TerminateThread
        SetThreadAffinityMask GetProcessAffinityMask SetProcessAffinityMask
        GetCurrentProcessorNumber SetThreadDescription ExitThread
    }
    Kernel32 from crate::kernel32::directory {
        CreateDirectoryA CreateDirectoryW RemoveDirectoryA RemoveDirectoryW FindFirstFileA
        FindFirstFileW FindNextFileA FindNextFileW FindClose GetFileAttributesExA
        GetFileAttributesExW
    }
    Kernel32 from crate::kernel32::disk {
        CreateFileA CreateFileW DeleteFileA DeleteFileW GetFileAttributesA GetFileAttributesW
        GetTempPathA GetTempPathW
    }
    Kernel32 from crate::kernel32::seek {
        GetFileType GetFileSize GetFileSizeEx SetFilePointer SetFilePointerEx SetEndOfFile
        FlushFileBuffers
    }
    Kernel32 from crate::kernel32::pool {
        QueueUserWorkItem BindIoCompletionCallback
    }
    Kernel32 from crate::kernel32::pool::instance {
        CallbackMayRunLong DisassociateCurrentThreadFromCallback SetEventWhenCallbackReturns
        ReleaseSemaphoreWhenCallbackReturns ReleaseMutexWhenCallbackReturns
        LeaveCriticalSectionWhenCallbackReturns FreeLibraryWhenCallbackReturns
    }
    Kernel32 from crate::kernel32::pool::object {
        CreateThreadpool CloseThreadpool SetThreadpoolThreadMaximum SetThreadpoolThreadMinimum
        SetThreadpoolStackInformation QueryThreadpoolStackInformation
    }
    Kernel32 from crate::kernel32::pool::object::group {
        CreateThreadpoolCleanupGroup CloseThreadpoolCleanupGroupMembers
        CloseThreadpoolCleanupGroup
    }
    Kernel32 from crate::kernel32::pool::object::work {
        TrySubmitThreadpoolCallback CreateThreadpoolWork SubmitThreadpoolWork
        WaitForThreadpoolWorkCallbacks CloseThreadpoolWork
    }
    Kernel32 from crate::kernel32::pool::object::timer {
        CreateThreadpoolTimer SetThreadpoolTimer SetThreadpoolTimerEx IsThreadpoolTimerSet
        WaitForThreadpoolTimerCallbacks CloseThreadpoolTimer
    }
    Kernel32 from crate::kernel32::pool::object::wait {
        CreateThreadpoolWait SetThreadpoolWait SetThreadpoolWaitEx WaitForThreadpoolWaitCallbacks
        CloseThreadpoolWait
    }
    Kernel32 from crate::kernel32::pool::object::io {
        CreateThreadpoolIo StartThreadpoolIo CancelThreadpoolIo WaitForThreadpoolIoCallbacks
        CloseThreadpoolIo
    }
    Kernel32 from crate::kernel32::pool::queue {
        CreateTimerQueue CreateTimerQueueTimer ChangeTimerQueueTimer DeleteTimerQueueTimer
        DeleteTimerQueueEx DeleteTimerQueue CancelTimerQueueTimer
    }
    Kernel32 from crate::kernel32::pool::registered {
        RegisterWaitForSingleObject UnregisterWait UnregisterWaitEx
    }
    Kernel32 from crate::kernel32::timer {
        CreateWaitableTimerA CreateWaitableTimerW CreateWaitableTimerExA CreateWaitableTimerExW
        OpenWaitableTimerA OpenWaitableTimerW SetWaitableTimer SetWaitableTimerEx
        CancelWaitableTimer
    }
    Kernel32 from crate::kernel32::tls {
        TlsAlloc TlsGetValue TlsSetValue TlsFree
    }
    Kernel32 from crate::kernel32::wide {
        MultiByteToWideChar WideCharToMultiByte GetACP
    }
    Kernel32 from crate::kernel32::pages {
        VirtualAlloc VirtualFree VirtualProtect VirtualLock VirtualUnlock
    }
    Kernel32 from crate::kernel32::calendar {
        GetSystemTime GetLocalTime GetSystemTimePreciseAsFileTime SystemTimeToFileTime
        FileTimeToSystemTime FileTimeToLocalFileTime LocalFileTimeToFileTime CompareFileTime
        QueryUnbiasedInterruptTime
    }
    Kernel32 from crate::kernel32::process {
        GetModuleHandleA GetModuleHandleW GetModuleFileNameA GetModuleFileNameW GetCommandLineA
        GetCommandLineW GetEnvironmentVariableA GetEnvironmentVariableW SetEnvironmentVariableA
        SetEnvironmentVariableW IsDebuggerPresent DebugBreak
    }
    Kernel32 from crate::kernel32::mapping {
        CreateFileMappingA CreateFileMappingW OpenFileMappingA OpenFileMappingW MapViewOfFile
        MapViewOfFileEx UnmapViewOfFile
    }
    Kernel32 from crate::kernel32::temp_name {
        GetTempFileNameA GetTempFileNameW
    }
    Kernel32 from crate::kernel32::library {
        LoadLibraryA LoadLibraryW LoadLibraryExA LoadLibraryExW FreeLibrary GetProcAddress
        GetSystemDirectoryA GetSystemDirectoryW GetVersion
    }
    Synch from crate::kernel32::address {
        WaitOnAddress WakeByAddressSingle WakeByAddressAll
    }
    Winmm from crate::kernel32::calendar {
        timeGetTime timeBeginPeriod timeEndPeriod timeGetDevCaps
    }
    Ws2_32 from crate::kernel32::object {
        WSACreateEvent WSACloseEvent WSASetEvent WSAResetEvent WSAWaitForMultipleEvents
    }
    Ws2_32 from crate::winsock2::connection {
        socket WSASocketA WSASocketW bind listen accept WSAAccept connect WSAConnect shutdown
        closesocket getsockname getpeername
    }
    Ws2_32 from crate::winsock2::datagram {
        sendto recvfrom WSASendTo WSARecvFrom
    }
    Ws2_32 from crate::winsock2::disconnect {
        WSASendDisconnect WSARecvDisconnect
    }
    Ws2_32 from crate::winsock2::duplicate {
        WSADuplicateSocketA WSADuplicateSocketW
    }
    Ws2_32 from crate::winsock2::events {
        WSAEventSelect WSAEnumNetworkEvents
    }
    Ws2_32 from crate::winsock2::ioctl {
        WSAIoctl
    }
    Ws2_32 from crate::winsock2::option {
        setsockopt getsockopt ioctlsocket
    }
    Ws2_32 from crate::winsock2::poll {
        select WSAPoll __WSAFDIsSet
    }
    Ws2_32 from crate::winsock2::protocols {
        WSAEnumProtocolsA WSAEnumProtocolsW
    }
    Ws2_32 from crate::winsock2::startup {
        WSAStartup WSACleanup WSAGetLastError WSASetLastError
    }
    Ws2_32 from crate::winsock2::transfer {
        send recv WSASend WSARecv WSAGetOverlappedResult
    }
    Ws2_32 from crate::winsock2::message {
        WSASendMsg
    }
    Ws2_32 from crate::ws2tcpip {
        htonl htons ntohl ntohs inet_addr inet_ntoa inet_ntop inet_pton gethostname gethostbyname
        gethostbyaddr getnameinfo getaddrinfo freeaddrinfo getservbyname getservbyport
        getprotobyname getprotobynumber GetHostNameW InetNtopW InetPtonW GetAddrInfoW
        FreeAddrInfoW GetNameInfoW WSAHtonl WSAHtons WSANtohl WSANtohs WSAAddressToStringA
        WSAAddressToStringW WSAStringToAddressA WSAStringToAddressW GetAddrInfoExA GetAddrInfoExW
        GetAddrInfoExCancel GetAddrInfoExOverlappedResult FreeAddrInfoEx FreeAddrInfoExW
    }
    Ws2_32 from crate::winsock2::by_name {
        WSAConnectByNameA WSAConnectByNameW WSAConnectByList
    }
    Ws2_32 from crate::winsock2::hooks {
        WSACancelBlockingCall WSAIsBlocking WSASetBlockingHook WSAUnhookBlockingHook
    }
    Ws2_32 from crate::winsock2::leaf {
        WSAJoinLeaf
    }
    Ws2_32 from crate::winsock2::notifications {
        ProcessSocketNotifications
    }
    Mswsock from crate::mswsock {
        AcceptEx GetAcceptExSockaddrs
    }
    Mswsock from crate::mswsock::transmit {
        TransmitFile
    }
    Mswsock from crate::winsock2::transfer {
        WSARecvEx
    }
    Iphlpapi from crate::iphlpapi {
        GetAdaptersAddresses GetNetworkParams if_nametoindex if_indextoname
    }
    Iphlpapi from crate::iphlpapi::connections {
        GetTcpTable GetTcpTable2 GetTcp6Table GetTcp6Table2 GetExtendedTcpTable GetUdpTable
        GetUdp6Table GetExtendedUdpTable SetTcpEntry GetTcpStatistics GetTcpStatisticsEx
        GetUdpStatistics GetUdpStatisticsEx
    }
    Iphlpapi from crate::iphlpapi::older {
        GetIpAddrTable GetAdaptersInfo GetNumberOfInterfaces GetBestInterface
        GetBestInterfaceEx
    }
    Advapi32 from crate::advapi32 {
        CryptAcquireContextA CryptAcquireContextW CryptGenRandom CryptReleaseContext
        SystemFunction036
    }
    Kernel32 from crate::kernel32::version {
        VerSetConditionMask VerifyVersionInfoA VerifyVersionInfoW GetVersionExA GetVersionExW
    }
    Kernel32 from crate::kernel32::zone {
        GetTimeZoneInformation
    }
    Kernel32 from crate::kernel32::file_facts {
        GetFileInformationByHandle
    }
    Kernel32 from crate::kernel32::place {
        GetCurrentDirectoryA GetCurrentDirectoryW SetCurrentDirectoryA SetCurrentDirectoryW
        GetDiskFreeSpaceA GetDiskFreeSpaceW GetDiskFreeSpaceExA GetDiskFreeSpaceExW
    }
    Advapi32 from crate::service {
        StartServiceCtrlDispatcherA StartServiceCtrlDispatcherW RegisterServiceCtrlHandlerA
        RegisterServiceCtrlHandlerW RegisterServiceCtrlHandlerExA RegisterServiceCtrlHandlerExW
        SetServiceStatus
    }
    Advapi32 from crate::event_log {
        RegisterEventSourceA RegisterEventSourceW DeregisterEventSource ReportEventA ReportEventW
    }
    Kernel32 from crate::kernel32::fls {
        FlsAlloc FlsGetValue FlsSetValue FlsFree
    }
    Kernel32 from crate::kernel32::thread {
        GetThreadTimes GetProcessTimes IsWow64Process QueryThreadCycleTime QueryProcessCycleTime
        OpenThread CancelSynchronousIo QueueUserAPC2
    }
    Kernel32 from crate::kernel32::rename {
        MoveFileA MoveFileW MoveFileExA MoveFileExW CopyFileA CopyFileW GetLongPathNameA
        GetLongPathNameW
    }
    Kernel32 from crate::kernel32::file_lock {
        LockFile LockFileEx UnlockFile UnlockFileEx
    }
    Kernel32 from crate::kernel32::file_time {
        GetFileTime SetFileTime GetFullPathNameA GetFullPathNameW
    }
    Kernel32 from crate::kernel32::search_path {
        SearchPathA SearchPathW
    }
    Psapi from crate::psapi {
        GetProcessMemoryInfo
    }
    Bcrypt from crate::bcrypt {
        BCryptGenRandom
    }
    Kernel32 from crate::kernel32::child {
        CreateProcessA CreateProcessW GetStartupInfoA GetStartupInfoW GetExitCodeProcess
        TerminateProcess OpenProcess GetProcessId
    }
    Kernel32 from crate::kernel32::exception {
        SetUnhandledExceptionFilter
    }
    Kernel32 from crate::kernel32::pipe {
        CreatePipe PeekNamedPipe
    }
    Kernel32 from crate::kernel32::named_pipe {
        CreateNamedPipeA CreateNamedPipeW ConnectNamedPipe DisconnectNamedPipe WaitNamedPipeA
        WaitNamedPipeW SetNamedPipeHandleState GetNamedPipeHandleStateA GetNamedPipeHandleStateW
        GetNamedPipeInfo GetNamedPipeClientProcessId GetNamedPipeServerProcessId
    }
    Kernel32 from crate::kernel32::named_pipe::exchange {
        TransactNamedPipe CallNamedPipeA CallNamedPipeW
    }
    Kernel32 from crate::kernel32::standard {
        GetStdHandle SetStdHandle
    }
    Kernel32 from crate::kernel32::screen {
        GetConsoleMode SetConsoleMode GetConsoleScreenBufferInfo SetConsoleTextAttribute
        WriteConsoleA WriteConsoleW
    }
    Ntdll from crate::ntdll::device {
        NtDeviceIoControlFile NtCancelIoFile NtCancelIoFileEx
    }
    Ntdll from crate::ntdll::keyed_event {
        NtCreateKeyedEvent NtWaitForKeyedEvent NtReleaseKeyedEvent
    }
    Ntdll from crate::ntdll::object {
        NtCreateFile NtOpenFile NtClose RtlNtStatusToDosError NtQuerySystemTime
    }
    Ntdll from linsock_wsk::ddk::misc {
        RtlInitUnicodeString
    }
    Ntdll from crate::ntdll::port {
        NtCreateIoCompletion NtSetIoCompletion NtRemoveIoCompletion NtRemoveIoCompletionEx
    }
}

//! Layouts, numbers and signatures against `windows-sys`, which has them from Microsoft's metadata.
//!
//! None of its functions is called: on Linux its `connect` is the C library's. Signatures are
//! compared as types, through the widths of what is passed: on this machine two functions whose
//! integers and pointers are as wide are called alike.

#[path = "exports/surface.rs"]
mod surface;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::{offset_of, size_of};

use linsock::iocp::overlapped::Overlapped;
use linsock_c::abi;
use linsock_c::kernel32::directory;
use windows_sys::Wdk::Foundation as Native;
use windows_sys::Wdk::Storage::FileSystem as NativeFiles;
use windows_sys::Wdk::System::{IO as NativeIo, SystemInformation as NativeSystem};
use windows_sys::Win32::Devices::Communication;
use windows_sys::Win32::NetworkManagement::IpHelper;
use windows_sys::Win32::NetworkManagement::Ndis;
use windows_sys::Win32::Security::{self, Cryptography};
use windows_sys::Win32::System::Console;
use windows_sys::Win32::System::Diagnostics::{Debug, ToolHelp};
use windows_sys::Win32::System::ProcessStatus;
use windows_sys::Win32::System::Registry;
use windows_sys::Win32::System::{
    Environment, EventLog, LibraryLoader, Memory, Pipes, Services, SystemInformation,
    SystemServices, Time, WindowsProgramming,
};
use windows_sys::Win32::{
    Foundation, Globalization, Media, Networking::WinSock, Storage::FileSystem, System::IO,
    System::Threading,
};

/// The same fields at the same offsets, and the same size.
macro_rules! same_layout {
    ($ours:ty, $theirs:ty; $($field:ident = $($their_field:ident).+),* $(,)?) => {
        assert_eq!(size_of::<$ours>(), size_of::<$theirs>(), stringify!($ours));
        $(assert_eq!(
            offset_of!($ours, $field),
            offset_of!($theirs, $($their_field).+),
            "{}.{}", stringify!($ours), stringify!($field)
        );)*
    };
}

#[test]
fn structures_are_laid_out_as_on_windows() {
    same_layout!(abi::WSABUF, WinSock::WSABUF; len = len, buf = buf);
    same_layout!(abi::WSADATA, WinSock::WSADATA;
        wVersion = wVersion, wHighVersion = wHighVersion, iMaxSockets = iMaxSockets,
        iMaxUdpDg = iMaxUdpDg, lpVendorInfo = lpVendorInfo, szDescription = szDescription,
        szSystemStatus = szSystemStatus);
    same_layout!(abi::OVERLAPPED_ENTRY, IO::OVERLAPPED_ENTRY;
        lpCompletionKey = lpCompletionKey, lpOverlapped = lpOverlapped, Internal = Internal,
        dwNumberOfBytesTransferred = dwNumberOfBytesTransferred);
    same_layout!(abi::RIO_BUF, WinSock::RIO_BUF;
        BufferId = BufferId, Offset = Offset, Length = Length);
    same_layout!(abi::RIORESULT, WinSock::RIORESULT;
        Status = Status, BytesTransferred = BytesTransferred, SocketContext = SocketContext,
        RequestContext = RequestContext);
    same_layout!(abi::RIO_NOTIFICATION_COMPLETION, WinSock::RIO_NOTIFICATION_COMPLETION;
        Type = Type, Handle = Anonymous.Iocp.IocpHandle, Handle = Anonymous.Event.EventHandle,
        Second = Anonymous.Iocp.CompletionKey, Second = Anonymous.Event.NotifyReset,
        Third = Anonymous.Iocp.Overlapped);
    same_layout!(abi::IO_STATUS_BLOCK, IO::IO_STATUS_BLOCK;
        Status = Anonymous.Status, Status = Anonymous.Pointer, Information = Information);
    same_layout!(abi::UNICODE_STRING, Foundation::UNICODE_STRING;
        Length = Length, MaximumLength = MaximumLength, Buffer = Buffer);
    same_layout!(abi::OBJECT_ATTRIBUTES, Native::OBJECT_ATTRIBUTES;
        Length = Length, RootDirectory = RootDirectory, ObjectName = ObjectName,
        Attributes = Attributes, SecurityDescriptor = SecurityDescriptor,
        SecurityQualityOfService = SecurityQualityOfService);
    same_layout!(abi::GUID, windows_sys::core::GUID;
        data1 = data1, data2 = data2, data3 = data3, data4 = data4);
    same_layout!(linsock_c::winsock2::message::WSAMSG, WinSock::WSAMSG;
        name = name, namelen = namelen, lpBuffers = lpBuffers, dwBufferCount = dwBufferCount,
        Control = Control, dwFlags = dwFlags);
    same_layout!(directory::WIN32_FILE_ATTRIBUTE_DATA, FileSystem::WIN32_FILE_ATTRIBUTE_DATA;
        dwFileAttributes = dwFileAttributes, ftCreationTime = ftCreationTime,
        ftLastAccessTime = ftLastAccessTime, ftLastWriteTime = ftLastWriteTime,
        nFileSizeHigh = nFileSizeHigh, nFileSizeLow = nFileSizeLow);
    same_layout!(linsock_c::service::SERVICE_STATUS, Services::SERVICE_STATUS;
        dwServiceType = dwServiceType, dwCurrentState = dwCurrentState,
        dwControlsAccepted = dwControlsAccepted, dwWin32ExitCode = dwWin32ExitCode,
        dwServiceSpecificExitCode = dwServiceSpecificExitCode, dwCheckPoint = dwCheckPoint,
        dwWaitHint = dwWaitHint);
    same_layout!(linsock_c::service::SERVICE_TABLE_ENTRY<u8>, Services::SERVICE_TABLE_ENTRYA;
        lpServiceName = lpServiceName, lpServiceProc = lpServiceProc);
    same_layout!(linsock_c::kernel32::file_facts::BY_HANDLE_FILE_INFORMATION,
        FileSystem::BY_HANDLE_FILE_INFORMATION;
        dwFileAttributes = dwFileAttributes, ftCreationTime = ftCreationTime,
        ftLastAccessTime = ftLastAccessTime, ftLastWriteTime = ftLastWriteTime,
        dwVolumeSerialNumber = dwVolumeSerialNumber, nFileSizeHigh = nFileSizeHigh,
        nFileSizeLow = nFileSizeLow, nNumberOfLinks = nNumberOfLinks,
        nFileIndexHigh = nFileIndexHigh, nFileIndexLow = nFileIndexLow);
    same_layout!(linsock_c::kernel32::zone::TIME_ZONE_INFORMATION, Time::TIME_ZONE_INFORMATION;
        Bias = Bias, StandardName = StandardName, StandardDate = StandardDate,
        StandardBias = StandardBias, DaylightName = DaylightName, DaylightDate = DaylightDate,
        DaylightBias = DaylightBias);
    same_layout!(directory::WIN32_FIND_DATA<u8>, FileSystem::WIN32_FIND_DATAA;
        data = dwFileAttributes, dwReserved = dwReserved0, cFileName = cFileName,
        cAlternateFileName = cAlternateFileName);
    same_layout!(directory::WIN32_FIND_DATA<u16>, FileSystem::WIN32_FIND_DATAW;
        data = dwFileAttributes, dwReserved = dwReserved0, cFileName = cFileName,
        cAlternateFileName = cAlternateFileName);
    same_layout!(linsock_c::winsock2::notifications::SOCK_NOTIFY_REGISTRATION,
        WinSock::SOCK_NOTIFY_REGISTRATION;
        socket = socket, completionKey = completionKey, eventFilter = eventFilter,
        operation = operation, triggerFlags = triggerFlags,
        registrationResult = registrationResult);
    same_layout!(linsock_c::psapi::PROCESS_MEMORY_COUNTERS, ProcessStatus::PROCESS_MEMORY_COUNTERS;
        cb = cb, PageFaultCount = PageFaultCount, PeakWorkingSetSize = PeakWorkingSetSize,
        WorkingSetSize = WorkingSetSize, PagefileUsage = PagefileUsage,
        PeakPagefileUsage = PeakPagefileUsage);
    same_layout!(abi::WSAPOLLFD, WinSock::WSAPOLLFD; fd = fd, events = events, revents = revents);
    same_layout!(Overlapped, IO::OVERLAPPED;
        internal = Internal, internal_high = InternalHigh, offset = Anonymous.Anonymous.Offset,
        offset_high = Anonymous.Anonymous.OffsetHigh, event = hEvent);
    same_layout!(linsock_c::ws2tcpip::ADDRINFOA, WinSock::ADDRINFOA;
        ai_flags = ai_flags, ai_family = ai_family, ai_socktype = ai_socktype,
        ai_protocol = ai_protocol, ai_addrlen = ai_addrlen, ai_canonname = ai_canonname,
        ai_addr = ai_addr, ai_next = ai_next);
    same_layout!(linsock_c::ws2tcpip::ADDRINFOW, WinSock::ADDRINFOW;
        ai_flags = ai_flags, ai_family = ai_family, ai_socktype = ai_socktype,
        ai_protocol = ai_protocol, ai_addrlen = ai_addrlen, ai_canonname = ai_canonname,
        ai_addr = ai_addr, ai_next = ai_next);
    same_layout!(linsock_c::ws2tcpip::ADDRINFOEXA, WinSock::ADDRINFOEXA;
        ai_flags = ai_flags, ai_family = ai_family, ai_socktype = ai_socktype,
        ai_protocol = ai_protocol, ai_addrlen = ai_addrlen, ai_canonname = ai_canonname,
        ai_addr = ai_addr, ai_blob = ai_blob, ai_bloblen = ai_bloblen, ai_provider = ai_provider,
        ai_next = ai_next);
    same_layout!(linsock_c::ws2tcpip::ADDRINFOEXW, WinSock::ADDRINFOEXW;
        ai_flags = ai_flags, ai_family = ai_family, ai_socktype = ai_socktype,
        ai_protocol = ai_protocol, ai_addrlen = ai_addrlen, ai_canonname = ai_canonname,
        ai_addr = ai_addr, ai_blob = ai_blob, ai_bloblen = ai_bloblen, ai_provider = ai_provider,
        ai_next = ai_next);
    same_layout!(linsock_c::ws2tcpip::SERVENT, WinSock::SERVENT;
        s_name = s_name, s_aliases = s_aliases, s_proto = s_proto, s_port = s_port);
    same_layout!(linsock_c::ws2tcpip::PROTOENT, WinSock::PROTOENT;
        p_name = p_name, p_aliases = p_aliases, p_proto = p_proto);
    same_layout!(linsock_c::winsock2::ioctl::tcp_info::TCP_INFO_v0, WinSock::TCP_INFO_v0;
        State = State, Mss = Mss, ConnectionTimeMs = ConnectionTimeMs,
        TimestampsEnabled = TimestampsEnabled, RttUs = RttUs, MinRttUs = MinRttUs,
        BytesInFlight = BytesInFlight, Cwnd = Cwnd, SndWnd = SndWnd, RcvWnd = RcvWnd,
        RcvBuf = RcvBuf, BytesOut = BytesOut, BytesIn = BytesIn, BytesReordered = BytesReordered,
        BytesRetrans = BytesRetrans, FastRetrans = FastRetrans, DupAcksIn = DupAcksIn,
        TimeoutEpisodes = TimeoutEpisodes, SynRetrans = SynRetrans);
    ip_helper_structures();
    same_layout!(linsock_c::kernel32::critical::SRWLOCK, Threading::SRWLOCK;);
    same_layout!(linsock_c::kernel32::critical::CONDITION_VARIABLE, Threading::CONDITION_VARIABLE;);
    same_layout!(linsock_c::kernel32::critical::INIT_ONCE, Threading::INIT_ONCE;);
}

fn ip_helper_structures() {
    use linsock_c::iphlpapi::layout;
    same_layout!(layout::ADDRESS_HEAD, IpHelper::IP_ADAPTER_DNS_SERVER_ADDRESS_XP;
        Next = Next, Address = Address);
    same_layout!(layout::IP_ADAPTER_UNICAST_ADDRESS, IpHelper::IP_ADAPTER_UNICAST_ADDRESS_LH;
        PrefixOrigin = PrefixOrigin, SuffixOrigin = SuffixOrigin, DadState = DadState,
        ValidLifetime = ValidLifetime, PreferredLifetime = PreferredLifetime,
        LeaseLifetime = LeaseLifetime, OnLinkPrefixLength = OnLinkPrefixLength);
    same_layout!(layout::IP_ADAPTER_PREFIX, IpHelper::IP_ADAPTER_PREFIX_XP;
        PrefixLength = PrefixLength);
    same_layout!(layout::IP_ADAPTER_ADDRESSES, IpHelper::IP_ADAPTER_ADDRESSES_LH;
        Next = Next, AdapterName = AdapterName, FirstUnicastAddress = FirstUnicastAddress,
        FirstDnsServerAddress = FirstDnsServerAddress, DnsSuffix = DnsSuffix,
        Description = Description, FriendlyName = FriendlyName, PhysicalAddress = PhysicalAddress,
        PhysicalAddressLength = PhysicalAddressLength, Flags = Anonymous2, Mtu = Mtu,
        IfType = IfType, OperStatus = OperStatus, Ipv6IfIndex = Ipv6IfIndex,
        ZoneIndices = ZoneIndices, FirstPrefix = FirstPrefix,
        TransmitLinkSpeed = TransmitLinkSpeed, FirstGatewayAddress = FirstGatewayAddress,
        Luid = Luid, Dhcpv4Server = Dhcpv4Server, CompartmentId = CompartmentId,
        NetworkGuid = NetworkGuid, ConnectionType = ConnectionType, TunnelType = TunnelType,
        Dhcpv6Server = Dhcpv6Server, Dhcpv6ClientDuid = Dhcpv6ClientDuid,
        Dhcpv6Iaid = Dhcpv6Iaid, FirstDnsSuffix = FirstDnsSuffix);
    same_layout!(layout::IP_ADDR_STRING, IpHelper::IP_ADDR_STRING;
        Next = Next, IpAddress = IpAddress, IpMask = IpMask, Context = Context);
    same_layout!(layout::FIXED_INFO, IpHelper::FIXED_INFO_W2KSP1;
        HostName = HostName, DomainName = DomainName, CurrentDnsServer = CurrentDnsServer,
        DnsServerList = DnsServerList, NodeType = NodeType, ScopeId = ScopeId,
        EnableRouting = EnableRouting, EnableProxy = EnableProxy, EnableDns = EnableDns);
    same_layout!(layout::IP_ADAPTER_INFO, IpHelper::IP_ADAPTER_INFO;
        Next = Next, AdapterName = AdapterName, Description = Description,
        AddressLength = AddressLength, Address = Address, Index = Index, Type = Type,
        DhcpEnabled = DhcpEnabled, IpAddressList = IpAddressList, GatewayList = GatewayList,
        DhcpServer = DhcpServer, LeaseObtained = LeaseObtained, LeaseExpires = LeaseExpires);
}

/// The structures that windows-sys leaves out unless it is asked for more of its features: against
/// the headers, which were compared with a compiler for Windows.
#[test]
fn structures_are_laid_out_as_in_the_headers() {
    use linsock_c::kernel32::{critical::CRITICAL_SECTION, misc::SYSTEM_INFO};
    macro_rules! offsets {
        ($ours:ident; $($field:ident)*) => {
            [(format!("sizeof({})", stringify!($ours)), size_of::<$ours>()),
             $((format!("offsetof({}, {})", stringify!($ours), stringify!($field)),
                offset_of!($ours, $field))),*]
        };
    }
    let mut all = offsets!(SYSTEM_INFO;
        wProcessorArchitecture wReserved dwPageSize lpMinimumApplicationAddress
        lpMaximumApplicationAddress dwActiveProcessorMask dwNumberOfProcessors dwProcessorType
        dwAllocationGranularity wProcessorLevel wProcessorRevision)
    .to_vec();
    all.push(("sizeof(CRITICAL_SECTION)".to_owned(), size_of::<CRITICAL_SECTION>()));
    {
        // Here it is windows-sys that the headers are compared with: the library reads words of it.
        use Threading::TP_CALLBACK_ENVIRON_V3;
        all.extend(offsets!(TP_CALLBACK_ENVIRON_V3;
            Version Pool CleanupGroup CleanupGroupCancelCallback RaceDll ActivationContext
            FinalizationCallback u CallbackPriority Size));
        use ProcessStatus::PROCESS_MEMORY_COUNTERS_EX;
        all.extend(offsets!(PROCESS_MEMORY_COUNTERS_EX;
            cb PageFaultCount PeakWorkingSetSize WorkingSetSize QuotaPeakPagedPoolUsage
            QuotaPagedPoolUsage QuotaPeakNonPagedPoolUsage QuotaNonPagedPoolUsage PagefileUsage
            PeakPagefileUsage PrivateUsage));
        use Threading::TP_POOL_STACK_INFORMATION;
        all.extend(offsets!(TP_POOL_STACK_INFORMATION; StackReserve StackCommit));
        use WinSock::SOCK_NOTIFY_REGISTRATION;
        all.extend(offsets!(SOCK_NOTIFY_REGISTRATION;
            socket completionKey eventFilter operation triggerFlags registrationResult));
        use Communication::{COMMTIMEOUTS, DCB};
        all.extend(offsets!(DCB;
            DCBlength BaudRate wReserved XonLim XoffLim ByteSize Parity StopBits XonChar XoffChar
            ErrorChar EofChar EvtChar wReserved1));
        all.extend(offsets!(COMMTIMEOUTS;
            ReadIntervalTimeout ReadTotalTimeoutMultiplier ReadTotalTimeoutConstant
            WriteTotalTimeoutMultiplier WriteTotalTimeoutConstant));
        use SystemInformation::{OSVERSIONINFOEXA, OSVERSIONINFOEXW};
        all.extend(offsets!(OSVERSIONINFOEXA;
            dwOSVersionInfoSize dwMajorVersion dwMinorVersion dwBuildNumber dwPlatformId
            szCSDVersion wServicePackMajor wServicePackMinor wSuiteMask wProductType wReserved));
        all.extend(offsets!(OSVERSIONINFOEXW;
            dwOSVersionInfoSize dwMajorVersion dwMinorVersion dwBuildNumber dwPlatformId
            szCSDVersion wServicePackMajor wServicePackMinor wSuiteMask wProductType wReserved));
    }
    let print = |(what, _): &(String, usize)| format!("printf(\"%u\\n\", (unsigned){what});\n");
    let statements: String = all.iter().map(print).collect();
    let printed = surface::printed(false, &statements);
    assert_eq!(printed.lines().count(), all.len());
    for ((what, ours), theirs) in all.iter().zip(printed.lines()) {
        assert_eq!(theirs.parse(), Ok(*ours), "{what}");
    }
}

#[test]
fn handles_and_truth_values_are_as_wide_as_on_windows() {
    assert_eq!(size_of::<abi::SOCKET>(), size_of::<WinSock::SOCKET>());
    assert_eq!(size_of::<abi::HANDLE>(), size_of::<Foundation::HANDLE>());
    assert_eq!(size_of::<abi::BOOL>(), size_of::<windows_sys::core::BOOL>());
}

/// `name => number` for every constant of the lists.
macro_rules! constants {
    ($($module:ident { $($name:ident)* })*) => {
        fn constants() -> BTreeMap<&'static str, u32> {
            let mut all = BTreeMap::new();
            $(for (name, number) in [$((stringify!($name), $module::$name as i64)),*] {
                all.insert(name, low_half(number));
            })*
            all
        }
    };
}

/// Windows' numbers are 32 bits wide, signed or not; handles of that width are extended.
fn low_half(number: i64) -> u32 {
    let octets = number.to_le_bytes();
    u32::from_le_bytes([octets[0], octets[1], octets[2], octets[3]])
}

// Every number of the headers that windows-sys has too, by the module it has it in; and the
// statuses of the endpoint. Left out: AF_MAX, PF_MAX and SOMAXCONN, of which windows-sys has early
// values; SO_PROTOCOL_INFO and WINVER, which depend on the program's settings.
constants! {
    Foundation {
        ERROR_ADAP_HDW_ERR ERROR_ALREADY_ASSIGNED ERROR_ATOMIC_LOCKS_NOT_SUPPORTED ERROR_BAD_COMMAND
        ERROR_BAD_DEV_TYPE ERROR_BAD_DRIVER_LEVEL ERROR_BAD_FILE_TYPE ERROR_BAD_NET_RESP
        ERROR_BAD_REM_ADAP ERROR_BAD_THREADID_ADDR ERROR_BUSY_DRIVE ERROR_CANCEL_VIOLATION
        ERROR_CANNOT_COPY ERROR_CHECKOUT_REQUIRED ERROR_CHILD_NOT_COMPLETE ERROR_COMMITMENT_LIMIT
        ERROR_CRC ERROR_DEVICE_SUPPORT_IN_PROGRESS ERROR_DIRECT_ACCESS_HANDLE ERROR_DIR_NOT_ROOT
        ERROR_DISCARDED ERROR_DISK_CHANGE ERROR_DYNLINK_FROM_INVALID_RING ERROR_EAS_DIDNT_FIT
        ERROR_EAS_NOT_SUPPORTED ERROR_EA_FILE_CORRUPT ERROR_EA_LIST_INCONSISTENT ERROR_EA_TABLE_FULL
        ERROR_EXCL_SEM_ALREADY_OWNED ERROR_EXE_CANNOT_MODIFY_SIGNED_BINARY
        ERROR_EXE_CANNOT_MODIFY_STRONG_SIGNED_BINARY ERROR_EXE_MARKED_INVALID ERROR_FILE_CHECKED_OUT
        ERROR_FORMS_AUTH_REQUIRED ERROR_HANDLE_DISK_FULL ERROR_HOOK_TYPE_NOT_ALLOWED
        ERROR_INFLOOP_IN_RELOC_CHAIN ERROR_INVALID_AT_INTERRUPT_TIME ERROR_INVALID_CATEGORY
        ERROR_INVALID_EA_HANDLE ERROR_INVALID_EA_NAME ERROR_INVALID_EVENT_COUNT
        ERROR_INVALID_KEYBOARD_HANDLE ERROR_INVALID_LEVEL ERROR_INVALID_LIST_FORMAT
        ERROR_INVALID_MINALLOCSIZE ERROR_INVALID_ORDINAL ERROR_INVALID_SEGDPL
        ERROR_INVALID_SEGMENT_NUMBER ERROR_INVALID_SIGNAL_NUMBER ERROR_INVALID_STACKSEG
        ERROR_INVALID_STARTING_CODESEG ERROR_INVALID_USER_BUFFER ERROR_INVALID_VERIFY_SWITCH
        ERROR_IOPL_NOT_ENABLED ERROR_IS_JOINED ERROR_IS_JOIN_PATH ERROR_IS_JOIN_TARGET
        ERROR_IS_SUBSTED ERROR_IS_SUBST_PATH ERROR_IS_SUBST_TARGET ERROR_JOIN_TO_JOIN
        ERROR_JOIN_TO_SUBST ERROR_LABEL_TOO_LONG ERROR_LOCKED ERROR_MENU_ITEM_NOT_FOUND
        ERROR_META_EXPANSION_TOO_LONG ERROR_NETWORK_BUSY ERROR_NET_WRITE_FAULT
        ERROR_NONPAGED_SYSTEM_RESOURCES ERROR_NOT_DOS_DISK ERROR_NOT_JOINED ERROR_NOT_SUBSTED
        ERROR_NO_MORE_SEARCH_HANDLES ERROR_NO_SPOOL_SPACE ERROR_NO_VOLUME_LABEL ERROR_NO_WORK_DONE
        ERROR_OUT_OF_PAPER ERROR_PAGED_SYSTEM_RESOURCES ERROR_PAGEFILE_QUOTA ERROR_PARTIAL_COPY
        ERROR_PATH_BUSY ERROR_PIPE_LOCAL ERROR_PRINTQ_FULL ERROR_PRINT_CANCELLED ERROR_READ_FAULT
        ERROR_REDIR_PAUSED ERROR_RELOC_CHAIN_XEEDS_SEGLIM ERROR_REM_NOT_LIST
        ERROR_REQUIRES_INTERACTIVE_WINDOWSTATION ERROR_REQ_NOT_ACCEP ERROR_RING2SEG_MUST_BE_MOVABLE
        ERROR_RING2_STACK_IN_USE ERROR_SAME_DRIVE ERROR_SECTOR_NOT_FOUND ERROR_SEEK ERROR_SEM_IS_SET
        ERROR_SEM_NOT_FOUND ERROR_SEM_OWNER_DIED ERROR_SEM_USER_LIMIT ERROR_SHARING_BUFFER_EXCEEDED
        ERROR_SHARING_PAUSED ERROR_SIGNAL_PENDING ERROR_SIGNAL_REFUSED ERROR_SUBST_TO_JOIN
        ERROR_SUBST_TO_SUBST ERROR_SYSTEM_TRACE ERROR_THREAD_1_INACTIVE ERROR_TOO_MANY_CMDS
        ERROR_TOO_MANY_MODULES ERROR_TOO_MANY_MUXWAITERS ERROR_TOO_MANY_NAMES
        ERROR_TOO_MANY_SEMAPHORES ERROR_TOO_MANY_SEM_REQUESTS ERROR_TOO_MANY_SESS
        ERROR_TOO_MANY_TCBS ERROR_VC_DISCONNECTED ERROR_VIRUS_DELETED ERROR_VIRUS_INFECTED
        ERROR_WRITE_FAULT ERROR_WRONG_DISK OBJ_INHERIT STATUS_DATATYPE_MISALIGNMENT
        STATUS_INTERNAL_ERROR STATUS_OBJECT_NAME_NOT_FOUND STATUS_OBJECT_PATH_SYNTAX_BAD
        ERROR_BAD_DEVICE ERROR_CONNECTION_UNAVAIL ERROR_DEVICE_ALREADY_REMEMBERED
        ERROR_NO_NET_OR_BAD_PATH ERROR_BAD_PROVIDER ERROR_CANNOT_OPEN_PROFILE
        ERROR_BAD_PROFILE ERROR_NOT_CONTAINER ERROR_EXTENDED_ERROR
        ERROR_INVALID_GROUPNAME ERROR_INVALID_COMPUTERNAME ERROR_INVALID_EVENTNAME
        ERROR_INVALID_DOMAINNAME ERROR_INVALID_SERVICENAME ERROR_INVALID_SHARENAME
        ERROR_INVALID_PASSWORDNAME ERROR_INVALID_MESSAGENAME ERROR_INVALID_MESSAGEDEST
        ERROR_SESSION_CREDENTIAL_CONFLICT ERROR_REMOTE_SESSION_LIMIT_EXCEEDED
        ERROR_DUP_DOMAINNAME ERROR_NO_NETWORK ERROR_USER_MAPPED_FILE
        ERROR_CONNECTION_COUNT_LIMIT ERROR_LOGIN_TIME_RESTRICTION ERROR_BAD_USERNAME
        ERROR_NOT_CONNECTED ERROR_OPEN_FILES ERROR_ACTIVE_CONNECTIONS
        ERROR_DEVICE_IN_USE
    }
    NativeFiles {
        FILE_CREATE FILE_OPEN FILE_OPEN_IF FILE_SUPERSEDE FILE_SYNCHRONOUS_IO_ALERT
        FILE_SYNCHRONOUS_IO_NONALERT
    }
    WinSock {
        AF_APPLETALK AF_ATM AF_BAN AF_CCITT AF_CHAOS AF_CLUSTER AF_DATAKIT AF_DECnet AF_DLI
        AF_ECMA AF_FIREFOX AF_HYLINK AF_HYPERV AF_IMPLINK AF_INET AF_INET6 AF_IPX AF_IRDA
        AF_ISO AF_LAT AF_NETBIOS AF_NETDES AF_NS AF_OSI AF_PUP AF_SNA AF_UNIX AF_UNSPEC
        AF_VOICEVIEW AI_ADDRCONFIG AI_ALL AI_CANONNAME AI_DNS_ONLY AI_FILESERVER AI_FQDN
        AI_NON_AUTHORITATIVE AI_NUMERICHOST AI_NUMERICSERV AI_PASSIVE
        AI_RETURN_PREFERRED_NAMES AI_SECURE AI_V4MAPPED BASE_PROTOCOL BIGENDIAN CF_ACCEPT
        CF_DEFER CF_REJECT DE_REUSE_SOCKET FD_ACCEPT FD_ACCEPT_BIT
        FD_ADDRESS_LIST_CHANGE_BIT FD_CLOSE FD_CLOSE_BIT FD_CONNECT FD_CONNECT_BIT
        FD_GROUP_QOS_BIT FD_MAX_EVENTS FD_OOB FD_OOB_BIT FD_QOS_BIT FD_READ FD_READ_BIT
        FD_ROUTING_INTERFACE_CHANGE_BIT FD_SETSIZE FD_WRITE FD_WRITE_BIT FIOASYNC FIONBIO
        FIONREAD FROM_PROTOCOL_INFO INADDR_ANY INADDR_BROADCAST INADDR_LOOPBACK INADDR_NONE
        INET6_ADDRSTRLEN INET_ADDRSTRLEN INVALID_SOCKET IOCPARM_MASK IOC_IN IOC_INOUT
        IOC_OUT IOC_PROTOCOL IOC_UNIX IOC_VENDOR IOC_VOID IOC_WS2 IPPORT_DAYTIME
        IPPORT_DISCARD IPPORT_ECHO IPPORT_FINGER IPPORT_FTP IPPORT_NAMESERVER IPPORT_NETSTAT
        IPPORT_RESERVED IPPORT_SMTP IPPORT_SYSTAT IPPORT_TELNET IPPORT_TFTP
        IPPORT_TIMESERVER IPPORT_WHOIS IPPROTO_AH IPPROTO_CBT IPPROTO_DSTOPTS IPPROTO_EGP
        IPPROTO_ESP IPPROTO_FRAGMENT IPPROTO_GGP IPPROTO_HOPOPTS IPPROTO_ICLFXBM
        IFF_BROADCAST IFF_LOOPBACK IFF_MULTICAST IFF_POINTTOPOINT IFF_UP
        IPPROTO_ICMP IPPROTO_ICMPV6 IPPROTO_IDP IPPROTO_IGMP IPPROTO_IGP IPPROTO_IP
        IPPROTO_IPV4 IPPROTO_IPV6 IPPROTO_L2TP IPPROTO_MAX IPPROTO_ND IPPROTO_NONE
        IPPROTO_PGM IPPROTO_PIM IPPROTO_PUP IPPROTO_RAW IPPROTO_RDP IPPROTO_ROUTING
        IPPROTO_SCTP IPPROTO_ST IPPROTO_TCP IPPROTO_UDP IPV6_ADD_MEMBERSHIP IPV6_CHECKSUM
        IPV6_DONTFRAG IPV6_DROP_MEMBERSHIP IPV6_HDRINCL IPV6_HOPLIMIT IPV6_HOPOPTS
        IPV6_JOIN_GROUP IPV6_LEAVE_GROUP IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF
        IPV6_MTU IPV6_MTU_DISCOVER IPV6_MULTICAST_LOOP IPV6_PKTINFO IPV6_PROTECTION_LEVEL IPV6_RECVDSTADDR IPV6_RECVIF
        IPV6_RECVRTHDR IPV6_RECVTCLASS IPV6_RTHDR IPV6_TCLASS IPV6_UNICAST_HOPS
        IPV6_UNICAST_IF IPV6_V6ONLY IP_ADD_IFLIST IP_ADD_MEMBERSHIP IP_ADD_SOURCE_MEMBERSHIP
        IP_BLOCK_SOURCE IP_DEFAULT_MULTICAST_LOOP IP_DEFAULT_MULTICAST_TTL IP_DEL_IFLIST
        IP_DONTFRAGMENT IP_DROP_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP IP_HDRINCL IP_HOPLIMIT
        IP_IFLIST IP_MAX_MEMBERSHIPS IP_MULTICAST_IF IP_MULTICAST_LOOP IP_MULTICAST_TTL
        IP_OPTIONS IP_PKTINFO IP_RECEIVE_BROADCAST IP_RECVDSTADDR IP_RECVIF IP_RECVRTHDR
        IP_RECVTOS IP_RECVTTL IP_RTHDR IP_TOS IP_TTL IP_UNBLOCK_SOURCE IP_UNICAST_IF
        LAYERED_PROTOCOL LITTLEENDIAN MAXGETHOSTSTRUCT MAX_PROTOCOL_CHAIN MCAST_JOIN_GROUP
        MCAST_LEAVE_GROUP IP_MTU IP_MTU_DISCOVER IP_ORIGINAL_ARRIVAL_IF UDP_CHECKSUM_COVERAGE
        UDP_NOCHECKSUM MSG_BCAST
        MSG_CTRUNC MSG_DONTROUTE MSG_ERRQUEUE MSG_INTERRUPT MSG_MAXIOVLEN MSG_MCAST MSG_OOB
        MSG_PARTIAL MSG_PEEK MSG_PUSH_IMMEDIATE MSG_TRUNC MSG_WAITALL NI_DGRAM NI_MAXHOST
        NI_MAXSERV NI_NAMEREQD NI_NOFQDN NI_NUMERICHOST NI_NUMERICSERV PFL_HIDDEN
        PFL_MATCHES_PROTOCOL_ZERO PFL_MULTIPLE_PROTO_ENTRIES PFL_RECOMMENDED_PROTO_ENTRY
        PF_APPLETALK PF_ATM PF_BAN PF_CCITT PF_CHAOS PF_DATAKIT PF_DECnet PF_DLI PF_ECMA
        PF_FIREFOX PF_HYLINK PF_IMPLINK PF_IPX PF_ISO PF_LAT PF_NS PF_OSI PF_PUP PF_SNA
        PF_UNIX PF_VOICEVIEW POLLERR POLLHUP POLLIN POLLNVAL POLLOUT POLLPRI POLLRDBAND
        JL_BOTH JL_RECEIVER_ONLY JL_SENDER_ONLY
        SOCK_NOTIFY_EVENT_ERR SOCK_NOTIFY_EVENT_HANGUP SOCK_NOTIFY_EVENT_IN SOCK_NOTIFY_EVENT_OUT
        SOCK_NOTIFY_EVENT_REMOVE SOCK_NOTIFY_OP_DISABLE SOCK_NOTIFY_OP_ENABLE SOCK_NOTIFY_OP_NONE
        SOCK_NOTIFY_OP_REMOVE SOCK_NOTIFY_REGISTER_EVENT_HANGUP SOCK_NOTIFY_REGISTER_EVENT_IN
        SOCK_NOTIFY_REGISTER_EVENT_NONE SOCK_NOTIFY_REGISTER_EVENT_OUT SOCK_NOTIFY_TRIGGER_EDGE
        SOCK_NOTIFY_TRIGGER_LEVEL SOCK_NOTIFY_TRIGGER_ONESHOT SOCK_NOTIFY_TRIGGER_PERSISTENT
        POLLRDNORM POLLWRBAND POLLWRNORM PROTECTION_LEVEL_EDGERESTRICTED
        PROTECTION_LEVEL_RESTRICTED PROTECTION_LEVEL_UNRESTRICTED PVD_CONFIG RCVALL_OFF
        RIO_CORRUPT_CQ RIO_MAX_CQ_SIZE RIO_MSG_COMMIT_ONLY RIO_MSG_DEFER RIO_MSG_DONT_NOTIFY
        RIO_MSG_WAITALL
        RCVALL_ON SD_BOTH SD_RECEIVE SD_SEND SECURITY_PROTOCOL_NONE SIOCATMARK SIOCGHIWAT
        SIOCGLOWAT SIOCSHIWAT SIOCSLOWAT SIO_ADDRESS_LIST_CHANGE SIO_ADDRESS_LIST_QUERY
        SIO_ADDRESS_LIST_SORT SIO_ASSOCIATE_HANDLE SIO_BASE_HANDLE SIO_BSP_HANDLE
        SIO_BSP_HANDLE_POLL SIO_BSP_HANDLE_SELECT SIO_ENABLE_CIRCULAR_QUEUEING
        SIO_FIND_ROUTE SIO_FLUSH SIO_GET_BROADCAST_ADDRESS
        SIO_GET_EXTENSION_FUNCTION_POINTER SIO_GET_GROUP_QOS SIO_GET_QOS SIO_KEEPALIVE_VALS
        SIO_LOOPBACK_FAST_PATH SIO_MULTICAST_SCOPE SIO_MULTIPOINT_LOOPBACK
        SIO_QUERY_TARGET_PNP_HANDLE SIO_RCVALL SIO_ROUTING_INTERFACE_CHANGE
        SIO_ROUTING_INTERFACE_QUERY SIO_SET_GROUP_QOS SIO_SET_QOS SIO_TCP_INFO
        SIO_TRANSLATE_HANDLE SIO_UDP_CONNRESET SOCKET_ERROR SOCK_DGRAM SOCK_RAW SOCK_RDM
        SOCK_SEQPACKET SOCK_STREAM SOL_SOCKET SO_ACCEPTCONN SO_BROADCAST SO_BSP_STATE
        SO_COMPARTMENT_ID SO_CONDITIONAL_ACCEPT SO_CONNDATA SO_CONNDATALEN SO_CONNECT_TIME
        SO_CONNOPT SO_CONNOPTLEN SO_DEBUG SO_DISCDATA SO_DISCDATALEN SO_DISCOPT
        SO_DISCOPTLEN SO_DONTLINGER SO_DONTROUTE SO_ERROR SO_EXCLUSIVEADDRUSE SO_GROUP_ID
        SO_GROUP_PRIORITY SO_KEEPALIVE SO_LINGER SO_MAXDG SO_MAXPATHDG SO_MAX_MSG_SIZE
        SO_OOBINLINE SO_OPENTYPE SO_PAUSE_ACCEPT SO_PORT_SCALABILITY SO_PROTOCOL_INFOA
        SO_PROTOCOL_INFOW SO_RANDOMIZE_PORT SO_RCVBUF SO_RCVLOWAT SO_RCVTIMEO SO_REUSEADDR
        SO_REUSE_MULTICASTPORT SO_REUSE_UNICASTPORT SO_SNDBUF SO_SNDLOWAT SO_SNDTIMEO
        SO_SYNCHRONOUS_ALERT SO_SYNCHRONOUS_NONALERT SO_TYPE SO_UPDATE_ACCEPT_CONTEXT
        SO_UPDATE_CONNECT_CONTEXT SO_USELOOPBACK TCP_ATMARK TCP_BSDURGENT
        TCP_CONGESTION_ALGORITHM TCP_DELAY_FIN_ACK TCP_EXPEDITED_1122
        TCP_FAIL_CONNECT_ON_ICMP_ERROR TCP_FASTOPEN TCP_KEEPALIVE TCP_KEEPCNT TCP_KEEPIDLE
        TCP_KEEPINTVL TCP_MAXRT TCP_MAXRTMS TCP_MAXSEG TCP_NODELAY TCP_NOSYNRETRIES
        TCP_NOURG TCP_STDURG TCP_TIMESTAMPS TF_DISCONNECT TF_REUSE_SOCKET
        TF_USE_DEFAULT_WORKER TF_USE_KERNEL_APC TF_USE_SYSTEM_THREAD TF_WRITE_BEHIND
        TP_DISCONNECT TP_ELEMENT_EOP TP_ELEMENT_FILE TP_ELEMENT_MEMORY TP_REUSE_SOCKET
        TP_USE_DEFAULT_WORKER TP_USE_KERNEL_APC TP_USE_SYSTEM_THREAD WSABASEERR
        WSADESCRIPTION_LEN WSAEACCES WSAEADDRINUSE WSAEADDRNOTAVAIL WSAEAFNOSUPPORT
        WSAEALREADY WSAEBADF WSAECANCELLED WSAECONNABORTED WSAECONNREFUSED WSAECONNRESET
        WSAEDESTADDRREQ WSAEDISCON WSAEDQUOT WSAEFAULT WSAEHOSTDOWN WSAEHOSTUNREACH
        WSAEINPROGRESS WSAEINTR WSAEINVAL WSAEINVALIDPROCTABLE WSAEINVALIDPROVIDER
        WSAEISCONN WSAELOOP WSAEMFILE WSAEMSGSIZE WSAENAMETOOLONG WSAENETDOWN WSAENETRESET
        WSAENETUNREACH WSAENOBUFS WSAENOMORE WSAENOPROTOOPT WSAENOTCONN WSAENOTEMPTY
        WSAENOTSOCK WSAEOPNOTSUPP WSAEPFNOSUPPORT WSAEPROCLIM WSAEPROTONOSUPPORT
        WSAEPROTOTYPE WSAEPROVIDERFAILEDINIT WSAEREFUSED WSAEREMOTE WSAESHUTDOWN
        WSAESOCKTNOSUPPORT WSAESTALE WSAETIMEDOUT WSAETOOMANYREFS WSAEUSERS WSAEWOULDBLOCK
        WSAHOST_NOT_FOUND WSANOTINITIALISED WSANO_DATA WSANO_RECOVERY WSAPROTOCOL_LEN
        WSASERVICE_NOT_FOUND WSASYSCALLFAILURE WSASYSNOTREADY WSASYS_STATUS_LEN WSATRY_AGAIN
        WSATYPE_NOT_FOUND WSAVERNOTSUPPORTED WSA_E_CANCELLED WSA_E_NO_MORE
        WSA_FLAG_ACCESS_SYSTEM_SECURITY WSA_FLAG_MULTIPOINT_C_LEAF
        WSA_FLAG_MULTIPOINT_C_ROOT WSA_FLAG_MULTIPOINT_D_LEAF WSA_FLAG_MULTIPOINT_D_ROOT
        WSA_FLAG_NO_HANDLE_INHERIT WSA_FLAG_OVERLAPPED WSA_FLAG_REGISTERED_IO WSA_INFINITE
        WSA_INVALID_EVENT WSA_INVALID_HANDLE WSA_INVALID_PARAMETER WSA_IO_INCOMPLETE
        WSA_IO_PENDING WSA_IPSEC_NAME_POLICY_ERROR WSA_MAXIMUM_WAIT_EVENTS
        WSA_NOT_ENOUGH_MEMORY WSA_OPERATION_ABORTED WSA_QOS_ADMISSION_FAILURE
        WSA_QOS_BAD_OBJECT WSA_QOS_BAD_STYLE WSA_QOS_EFILTERCOUNT WSA_QOS_EFILTERSTYLE
        WSA_QOS_EFILTERTYPE WSA_QOS_EFLOWCOUNT WSA_QOS_EFLOWDESC WSA_QOS_EFLOWSPEC
        WSA_QOS_EOBJLENGTH WSA_QOS_EPOLICYOBJ WSA_QOS_EPROVSPECBUF WSA_QOS_EPSFILTERSPEC
        WSA_QOS_EPSFLOWSPEC WSA_QOS_ESDMODEOBJ WSA_QOS_ESERVICETYPE WSA_QOS_ESHAPERATEOBJ
        WSA_QOS_EUNKOWNPSOBJ WSA_QOS_GENERIC_ERROR WSA_QOS_NO_RECEIVERS WSA_QOS_NO_SENDERS
        WSA_QOS_POLICY_FAILURE WSA_QOS_RECEIVERS WSA_QOS_REQUEST_CONFIRMED
        WSA_QOS_RESERVED_PETYPE WSA_QOS_SENDERS WSA_QOS_TRAFFIC_CTRL_ERROR
        WSA_SECURE_HOST_NOT_FOUND WSA_WAIT_EVENT_0 WSA_WAIT_FAILED WSA_WAIT_IO_COMPLETION
        WSA_WAIT_TIMEOUT XP1_CONNECTIONLESS XP1_CONNECT_DATA XP1_DISCONNECT_DATA
        XP1_EXPEDITED_DATA XP1_GRACEFUL_CLOSE XP1_GUARANTEED_DELIVERY XP1_GUARANTEED_ORDER
        XP1_IFS_HANDLES XP1_INTERRUPT XP1_MESSAGE_ORIENTED XP1_MULTIPOINT_CONTROL_PLANE
        XP1_MULTIPOINT_DATA_PLANE XP1_PARTIAL_MESSAGE XP1_PSEUDO_STREAM XP1_QOS_SUPPORTED
        XP1_SUPPORT_BROADCAST XP1_SUPPORT_MULTIPOINT XP1_UNI_RECV XP1_UNI_SEND
        NS_ALL NS_DNS NS_EMAIL NS_NETBT NS_NLA NS_NTDS NS_WINS
    }
    Foundation {
        HANDLE_FLAG_INHERIT HANDLE_FLAG_PROTECT_FROM_CLOSE
        DUPLICATE_CLOSE_SOURCE DUPLICATE_SAME_ACCESS ERROR_ABANDONED_WAIT_0
        ERROR_ABANDONED_WAIT_63 ERROR_ACCESS_DENIED ERROR_ADDRESS_ALREADY_ASSOCIATED
        ERROR_ADDRESS_NOT_ASSOCIATED ERROR_ALERTED ERROR_ALREADY_EXISTS
        ERROR_ARITHMETIC_OVERFLOW ERROR_BAD_NETPATH ERROR_BAD_NET_NAME ERROR_BROKEN_PIPE
        ERROR_BUSY ERROR_CALL_NOT_IMPLEMENTED ERROR_CANCELLED ERROR_CONNECTION_ABORTED
        ERROR_CONNECTION_ACTIVE ERROR_CONNECTION_INVALID ERROR_CONNECTION_REFUSED
        ERROR_DEV_NOT_EXIST ERROR_DUP_NAME ERROR_FILE_NOT_FOUND ERROR_GEN_FAILURE
        ERROR_GRACEFUL_DISCONNECT ERROR_HANDLE_EOF ERROR_HOST_DOWN ERROR_HOST_UNREACHABLE
        ERROR_INCORRECT_ADDRESS ERROR_INSUFFICIENT_BUFFER ERROR_INVALID_ADDRESS
        ERROR_INVALID_DATA ERROR_INVALID_FLAGS ERROR_INVALID_FLAG_NUMBER
        ERROR_INVALID_FUNCTION ERROR_INVALID_HANDLE ERROR_INVALID_NAME ERROR_INVALID_NETNAME
        ERROR_INVALID_PARAMETER ERROR_INVALID_STATE ERROR_IO_INCOMPLETE ERROR_IO_PENDING
        ERROR_MOD_NOT_FOUND ERROR_MORE_DATA ERROR_NEGATIVE_SEEK ERROR_NETNAME_DELETED
        ERROR_NETWORK_UNREACHABLE ERROR_NOACCESS ERROR_NOT_ENOUGH_MEMORY ERROR_NOT_FOUND
        ERROR_NOT_LOCKED ERROR_NOT_OWNER ERROR_NOT_READY ERROR_NOT_SUPPORTED ERROR_NO_DATA
        ERROR_NO_MATCH ERROR_NO_MORE_ITEMS ERROR_NO_SYSTEM_RESOURCES ERROR_NO_TOKEN
        ERROR_OPERATION_ABORTED ERROR_OUTOFMEMORY ERROR_PATH_NOT_FOUND ERROR_PIPE_BUSY
        ERROR_PIPE_CONNECTED ERROR_PIPE_LISTENING ERROR_PIPE_NOT_CONNECTED ERROR_PORT_UNREACHABLE
        ERROR_POSSIBLE_DEADLOCK ERROR_PRIVILEGE_NOT_HELD ERROR_PROC_NOT_FOUND
        ERROR_PROTOCOL_UNREACHABLE ERROR_REQUEST_ABORTED ERROR_RETRY ERROR_SEM_TIMEOUT
        ERROR_SHARING_VIOLATION ERROR_SUCCESS ERROR_TIMEOUT ERROR_TOO_MANY_OPEN_FILES
        ERROR_TOO_MANY_POSTS ERROR_UNEXP_NET_ERR ERROR_USER_APC ERROR_WAIT_NO_CHILDREN
        ERROR_WORKING_SET_QUOTA GENERIC_ALL GENERIC_EXECUTE GENERIC_READ GENERIC_WRITE
        INVALID_HANDLE_VALUE MAX_PATH NO_ERROR STATUS_ABANDONED STATUS_ABANDONED_WAIT_0
        STATUS_ACCESS_DENIED STATUS_ACCESS_VIOLATION STATUS_ADDRESS_ALREADY_ASSOCIATED
        STATUS_ADDRESS_ALREADY_EXISTS STATUS_BUFFER_OVERFLOW STATUS_BUFFER_TOO_SMALL
        STATUS_CANCELLED STATUS_CONNECTION_ABORTED STATUS_CONNECTION_ACTIVE
        STATUS_CONNECTION_DISCONNECTED STATUS_CONNECTION_REFUSED STATUS_CONNECTION_RESET
        STATUS_DEVICE_NOT_READY STATUS_GRACEFUL_DISCONNECT STATUS_HOST_UNREACHABLE
        STATUS_INSUFFICIENT_RESOURCES STATUS_INVALID_ADDRESS
        STATUS_INVALID_ADDRESS_COMPONENT STATUS_INVALID_CONNECTION STATUS_INVALID_HANDLE
        STATUS_INVALID_PARAMETER STATUS_IO_TIMEOUT STATUS_LOCAL_DISCONNECT
        STATUS_NETWORK_UNREACHABLE STATUS_NOT_IMPLEMENTED STATUS_NOT_SUPPORTED
        STATUS_NO_MEMORY STATUS_OBJECT_TYPE_MISMATCH STATUS_PENDING STATUS_PIPE_DISCONNECTED
        STATUS_PORT_UNREACHABLE STATUS_REMOTE_DISCONNECT STATUS_REMOTE_NOT_LISTENING
        STATUS_REQUEST_ABORTED STATUS_SHARING_VIOLATION STATUS_SUCCESS STATUS_TIMEOUT
        STATUS_TOO_MANY_OPENED_FILES STATUS_TRANSACTION_ABORTED STATUS_UNSUCCESSFUL
        STATUS_USER_APC STATUS_WAIT_0 STILL_ACTIVE WAIT_ABANDONED WAIT_ABANDONED_0
        WAIT_FAILED WAIT_IO_COMPLETION WAIT_OBJECT_0 WAIT_TIMEOUT
    }
    Threading {
        CONDITION_VARIABLE_LOCKMODE_SHARED CREATE_SUSPENDED CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
        CREATE_WAITABLE_TIMER_MANUAL_RESET TIMER_ALL_ACCESS TIMER_MODIFY_STATE TIMER_QUERY_STATE
        EVENT_ALL_ACCESS
        EVENT_MODIFY_STATE INFINITE STACK_SIZE_PARAM_IS_A_RESERVATION
        THREAD_PRIORITY_ABOVE_NORMAL THREAD_PRIORITY_BELOW_NORMAL THREAD_PRIORITY_HIGHEST
        THREAD_PRIORITY_IDLE THREAD_PRIORITY_LOWEST THREAD_PRIORITY_NORMAL
        THREAD_PRIORITY_TIME_CRITICAL WT_EXECUTEDEFAULT WT_EXECUTEINIOTHREAD
        WT_EXECUTEINPERSISTENTTHREAD WT_EXECUTEINTIMERTHREAD WT_EXECUTEINWAITTHREAD
        WT_EXECUTELONGFUNCTION WT_EXECUTEONLYONCE WT_TRANSFER_IMPERSONATION
    }
    Memory {
        PAGE_WRITECOPY SEC_COMMIT FILE_MAP_COPY FILE_MAP_WRITE FILE_MAP_READ FILE_MAP_ALL_ACCESS
    }
    IpHelper {
        MAX_ADAPTER_DESCRIPTION_LENGTH MAX_ADAPTER_NAME_LENGTH MAX_ADAPTER_ADDRESS_LENGTH
        MAX_ADAPTER_NAME MAX_HOSTNAME_LEN MAX_DOMAIN_NAME_LEN MAX_SCOPE_ID_LEN
        MAX_DHCPV6_DUID_LENGTH MAX_DNS_SUFFIX_STRING_LENGTH BROADCAST_NODETYPE HYBRID_NODETYPE
        GAA_FLAG_SKIP_UNICAST GAA_FLAG_SKIP_ANYCAST GAA_FLAG_SKIP_MULTICAST
        GAA_FLAG_SKIP_DNS_SERVER GAA_FLAG_INCLUDE_PREFIX GAA_FLAG_SKIP_FRIENDLY_NAME
        GAA_FLAG_INCLUDE_WINS_INFO GAA_FLAG_INCLUDE_GATEWAYS GAA_FLAG_INCLUDE_ALL_INTERFACES
        GAA_FLAG_INCLUDE_ALL_COMPARTMENTS GAA_FLAG_INCLUDE_TUNNEL_BINDINGORDER
        IP_ADAPTER_DDNS_ENABLED IP_ADAPTER_DHCP_ENABLED IP_ADAPTER_RECEIVE_ONLY
        IP_ADAPTER_NO_MULTICAST IP_ADAPTER_IPV4_ENABLED IP_ADAPTER_IPV6_ENABLED IF_TYPE_OTHER
        IF_TYPE_ETHERNET_CSMACD IF_TYPE_PPP IF_TYPE_SOFTWARE_LOOPBACK IF_TYPE_TUNNEL
        MIB_IF_TYPE_ETHERNET MIB_IF_TYPE_FDDI MIB_IF_TYPE_LOOPBACK MIB_IF_TYPE_OTHER
        MIB_IF_TYPE_PPP MIB_IF_TYPE_SLIP MIB_IF_TYPE_TOKENRING MIB_IPADDR_DELETED
        MIB_IPADDR_DISCONNECTED MIB_IPADDR_DYNAMIC MIB_IPADDR_PRIMARY MIB_IPADDR_TRANSIENT
        TCPIP_OWNING_MODULE_SIZE
    }
    Cryptography {
        PROV_RSA_FULL PROV_RSA_AES CRYPT_VERIFYCONTEXT CRYPT_NEWKEYSET CRYPT_DELETEKEYSET
        CRYPT_MACHINE_KEYSET CRYPT_SILENT X509_ASN_ENCODING PKCS_7_ASN_ENCODING
        CERT_STORE_OPEN_EXISTING_FLAG CERT_STORE_READONLY_FLAG CERT_SYSTEM_STORE_CURRENT_USER
        CERT_SYSTEM_STORE_LOCAL_MACHINE CERT_CLOSE_STORE_FORCE_FLAG CERT_CLOSE_STORE_CHECK_FLAG
    }
    Registry {
        HKEY_CLASSES_ROOT HKEY_CURRENT_USER HKEY_LOCAL_MACHINE HKEY_USERS KEY_QUERY_VALUE
        KEY_SET_VALUE KEY_CREATE_SUB_KEY KEY_ENUMERATE_SUB_KEYS KEY_NOTIFY KEY_READ REG_SZ
        REG_EXPAND_SZ REG_BINARY REG_DWORD REG_MULTI_SZ KEY_WRITE KEY_ALL_ACCESS
        REG_OPTION_NON_VOLATILE REG_OPTION_VOLATILE
    }
    Services {
        SERVICE_WIN32_OWN_PROCESS SERVICE_WIN32_SHARE_PROCESS SERVICE_WIN32
        SERVICE_STOPPED SERVICE_START_PENDING SERVICE_STOP_PENDING SERVICE_RUNNING
        SERVICE_CONTINUE_PENDING SERVICE_PAUSE_PENDING SERVICE_PAUSED
        SERVICE_ACCEPT_STOP SERVICE_ACCEPT_PAUSE_CONTINUE SERVICE_ACCEPT_SHUTDOWN
        SERVICE_ACCEPT_PARAMCHANGE SERVICE_ACCEPT_PRESHUTDOWN SERVICE_CONTROL_STOP
        SERVICE_CONTROL_PAUSE SERVICE_CONTROL_CONTINUE SERVICE_CONTROL_INTERROGATE
        SERVICE_CONTROL_SHUTDOWN SERVICE_CONTROL_PARAMCHANGE SERVICE_CONTROL_PRESHUTDOWN
        SERVICE_AUTO_START SERVICE_DEMAND_START SERVICE_DISABLED SERVICE_ERROR_IGNORE
        SERVICE_ERROR_NORMAL SERVICE_ERROR_SEVERE SERVICE_ERROR_CRITICAL
        SERVICE_QUERY_CONFIG SERVICE_CHANGE_CONFIG SERVICE_QUERY_STATUS
        SERVICE_ENUMERATE_DEPENDENTS SERVICE_START SERVICE_STOP SERVICE_PAUSE_CONTINUE
        SERVICE_INTERROGATE SERVICE_USER_DEFINED_CONTROL SERVICE_ALL_ACCESS
        SC_MANAGER_CONNECT SC_MANAGER_CREATE_SERVICE SC_MANAGER_ENUMERATE_SERVICE
        SC_MANAGER_LOCK SC_MANAGER_QUERY_LOCK_STATUS SC_MANAGER_MODIFY_BOOT_CONFIG
        SC_MANAGER_ALL_ACCESS SERVICE_CONFIG_DESCRIPTION SERVICE_CONFIG_FAILURE_ACTIONS
        SERVICE_NO_CHANGE
    }
    Foundation {
        ERROR_DEPENDENT_SERVICES_RUNNING ERROR_INVALID_SERVICE_CONTROL
        ERROR_SERVICE_REQUEST_TIMEOUT ERROR_SERVICE_NO_THREAD
        ERROR_SERVICE_DATABASE_LOCKED ERROR_SERVICE_ALREADY_RUNNING
        ERROR_INVALID_SERVICE_ACCOUNT ERROR_SERVICE_DISABLED ERROR_CIRCULAR_DEPENDENCY
        ERROR_SERVICE_DOES_NOT_EXIST ERROR_SERVICE_CANNOT_ACCEPT_CTRL
        ERROR_SERVICE_NOT_ACTIVE ERROR_FAILED_SERVICE_CONTROLLER_CONNECT
        ERROR_EXCEPTION_IN_SERVICE ERROR_DATABASE_DOES_NOT_EXIST
        ERROR_SERVICE_SPECIFIC_ERROR ERROR_PROCESS_ABORTED ERROR_SERVICE_DEPENDENCY_FAIL
        ERROR_SERVICE_LOGON_FAILED ERROR_SERVICE_START_HANG ERROR_INVALID_SERVICE_LOCK
        ERROR_SERVICE_MARKED_FOR_DELETE ERROR_SERVICE_EXISTS ERROR_ALREADY_RUNNING_LKG
        ERROR_SERVICE_DEPENDENCY_DELETED ERROR_BOOT_ALREADY_ACCEPTED
        ERROR_SERVICE_NEVER_STARTED ERROR_DUPLICATE_SERVICE_NAME
        ERROR_DIFFERENT_SERVICE_ACCOUNT ERROR_CANNOT_DETECT_DRIVER_FAILURE
        ERROR_CANNOT_DETECT_PROCESS_ABORT ERROR_NO_RECOVERY_PROGRAM
        ERROR_SERVICE_NOT_IN_EXE ERROR_NOT_SAFEBOOT_SERVICE
    }
    EventLog {
        EVENTLOG_SUCCESS EVENTLOG_ERROR_TYPE EVENTLOG_WARNING_TYPE EVENTLOG_INFORMATION_TYPE
        EVENTLOG_AUDIT_SUCCESS EVENTLOG_AUDIT_FAILURE
    }
    SystemServices {
        TIME_ZONE_ID_UNKNOWN TIME_ZONE_ID_STANDARD TIME_ZONE_ID_DAYLIGHT
    }
    Time {
        TIME_ZONE_ID_INVALID
    }
    LibraryLoader {
        LOAD_LIBRARY_AS_DATAFILE LOAD_WITH_ALTERED_SEARCH_PATH LOAD_LIBRARY_SEARCH_APPLICATION_DIR
        LOAD_LIBRARY_SEARCH_SYSTEM32 LOAD_LIBRARY_SEARCH_DEFAULT_DIRS
    }
    Foundation {
        ERROR_DIRECTORY ERROR_FILE_INVALID ERROR_MAPPED_ALIGNMENT ERROR_BUFFER_OVERFLOW NTE_BAD_FLAGS NTE_BAD_KEYSET NTE_PROV_TYPE_NOT_DEF
    }
    Foundation {
        ERROR_ENVVAR_NOT_FOUND ERROR_FILENAME_EXCED_RANGE ERROR_NO_UNICODE_TRANSLATION
    }
    SystemServices {
        TLS_MINIMUM_AVAILABLE LMEM_MODIFY
    }
    Threading {
        CREATE_EVENT_MANUAL_RESET CREATE_EVENT_INITIAL_SET CREATE_MUTEX_INITIAL_OWNER
        TLS_OUT_OF_INDEXES INIT_ONCE_CHECK_ONLY INIT_ONCE_ASYNC INIT_ONCE_INIT_FAILED
        INIT_ONCE_CTX_RESERVED_BITS MUTEX_MODIFY_STATE MUTEX_ALL_ACCESS SEMAPHORE_MODIFY_STATE
        SEMAPHORE_ALL_ACCESS
    }
    Memory {
        GMEM_FIXED GMEM_MOVEABLE GMEM_ZEROINIT GPTR GHND LMEM_FIXED LMEM_MOVEABLE LMEM_ZEROINIT
        LPTR LHND
    }
    WindowsProgramming {
        GMEM_MODIFY
    }
    Globalization {
        CP_ACP CP_OEMCP CP_THREAD_ACP CP_UTF8 MB_PRECOMPOSED MB_COMPOSITE MB_USEGLYPHCHARS
        MB_ERR_INVALID_CHARS WC_COMPOSITECHECK WC_DEFAULTCHAR WC_DISCARDNS WC_SEPCHARS
        WC_NO_BEST_FIT_CHARS WC_ERR_INVALID_CHARS
    }
    Memory {
        MEM_COMMIT MEM_RESERVE MEM_DECOMMIT MEM_RELEASE PAGE_NOACCESS PAGE_READONLY PAGE_READWRITE
        PAGE_EXECUTE PAGE_EXECUTE_READ PAGE_EXECUTE_READWRITE
    }
    SystemServices {
        MEM_TOP_DOWN
    }
    Media {
        MMSYSERR_NOERROR TIMERR_NOERROR TIMERR_NOCANDO
    }
    Foundation {
        ERROR_BAD_UNIT ERROR_BAD_ARGUMENTS ERROR_OLD_WIN_VERSION ERROR_UNKNOWN_REVISION
    }
    Debug {
        EXCEPTION_EXECUTE_HANDLER EXCEPTION_CONTINUE_SEARCH EXCEPTION_CONTINUE_EXECUTION
        VER_PLATFORM_WIN32_NT VER_PLATFORM_WIN32_WINDOWS
    }
    Cryptography {
        BCRYPT_RNG_USE_ENTROPY_IN_BUFFER BCRYPT_USE_SYSTEM_PREFERRED_RNG
    }
    FileSystem {
        PIPE_ACCESS_INBOUND PIPE_ACCESS_OUTBOUND PIPE_ACCESS_DUPLEX
    }
    Pipes {
        PIPE_TYPE_BYTE PIPE_TYPE_MESSAGE PIPE_READMODE_BYTE PIPE_READMODE_MESSAGE PIPE_WAIT
        PIPE_NOWAIT PIPE_UNLIMITED_INSTANCES
    }
    WindowsProgramming {
        CBR_9600 DTR_CONTROL_DISABLE DTR_CONTROL_ENABLE DTR_CONTROL_HANDSHAKE RTS_CONTROL_DISABLE
        RTS_CONTROL_ENABLE RTS_CONTROL_HANDSHAKE RTS_CONTROL_TOGGLE
    }
    Communication {
        NOPARITY ODDPARITY EVENPARITY MARKPARITY SPACEPARITY ONESTOPBIT ONE5STOPBITS TWOSTOPBITS
    }
    SystemInformation {
        VER_MINORVERSION VER_MAJORVERSION VER_BUILDNUMBER VER_PLATFORMID VER_SERVICEPACKMINOR
        VER_SERVICEPACKMAJOR VER_SUITENAME VER_PRODUCT_TYPE
    }
    SystemServices {
        VER_EQUAL VER_GREATER VER_GREATER_EQUAL VER_LESS VER_LESS_EQUAL VER_AND VER_OR
        VER_NT_WORKSTATION VER_NT_DOMAIN_CONTROLLER VER_NT_SERVER
    }
    Foundation {
        E_HANDLE E_POINTER ERROR_CANT_RESOLVE_FILENAME ERROR_DISK_FULL ERROR_FILE_EXISTS
        ERROR_FILE_TOO_LARGE ERROR_IO_DEVICE STATUS_DISK_FULL STATUS_END_OF_FILE
    }
    FileSystem {
        CREATE_ALWAYS CREATE_NEW OPEN_ALWAYS OPEN_EXISTING TRUNCATE_EXISTING
        FILE_APPEND_DATA FILE_READ_DATA FILE_WRITE_DATA
        FILE_ATTRIBUTE_ARCHIVE FILE_ATTRIBUTE_DIRECTORY FILE_ATTRIBUTE_HIDDEN
        FILE_ATTRIBUTE_DEVICE FILE_ATTRIBUTE_NORMAL FILE_ATTRIBUTE_READONLY
        FILE_ATTRIBUTE_REPARSE_POINT FILE_ATTRIBUTE_SYSTEM
        FILE_ATTRIBUTE_TEMPORARY FILE_BEGIN FILE_CURRENT FILE_END FILE_FLAG_DELETE_ON_CLOSE
        FILE_FLAG_BACKUP_SEMANTICS FILE_FLAG_NO_BUFFERING FILE_FLAG_RANDOM_ACCESS FILE_FLAG_SEQUENTIAL_SCAN
        FILE_FLAG_WRITE_THROUGH FILE_SHARE_DELETE FILE_SHARE_READ FILE_SHARE_WRITE FILE_TYPE_CHAR
        FILE_TYPE_DISK FILE_TYPE_PIPE FILE_TYPE_UNKNOWN INVALID_FILE_ATTRIBUTES INVALID_FILE_SIZE
        INVALID_SET_FILE_POINTER
    }
    Foundation {
        ERROR_ARENA_TRASHED ERROR_BAD_ARGUMENTS ERROR_BAD_ENVIRONMENT ERROR_BAD_EXE_FORMAT
        ERROR_BAD_FORMAT ERROR_BAD_PATHNAME ERROR_BAD_PIPE ERROR_CANNOT_MAKE
        ERROR_CURRENT_DIRECTORY ERROR_DIRECTORY ERROR_DIR_NOT_EMPTY
        ERROR_DRIVE_LOCKED ERROR_EXE_MACHINE_TYPE_MISMATCH ERROR_FAIL_I24
        ERROR_FILE_CORRUPT ERROR_INVALID_ACCESS ERROR_INVALID_BLOCK
        ERROR_INVALID_DLL ERROR_INVALID_DRIVE ERROR_INVALID_EXE_SIGNATURE
        ERROR_INVALID_MODULETYPE ERROR_INVALID_PASSWORD ERROR_INVALID_TARGET_HANDLE
        ERROR_LOCK_FAILED ERROR_LOCK_VIOLATION ERROR_MAX_THRDS_REACHED
        ERROR_NESTING_NOT_ALLOWED ERROR_NETWORK_ACCESS_DENIED ERROR_NOT_ENOUGH_QUOTA
        ERROR_NOT_SAME_DEVICE ERROR_NO_MORE_FILES ERROR_NO_PROC_SLOTS ERROR_NO_SIGNAL_SENT
        ERROR_OPEN_FAILED ERROR_OUT_OF_STRUCTURES ERROR_SEEK_ON_DEVICE ERROR_WRITE_PROTECT
    }
    Pipes {
        PIPE_WAIT PIPE_NOWAIT PIPE_READMODE_BYTE PIPE_READMODE_MESSAGE PIPE_TYPE_BYTE
        PIPE_TYPE_MESSAGE PIPE_ACCEPT_REMOTE_CLIENTS PIPE_REJECT_REMOTE_CLIENTS
        PIPE_UNLIMITED_INSTANCES NMPWAIT_WAIT_FOREVER NMPWAIT_NOWAIT NMPWAIT_USE_DEFAULT_WAIT
        PIPE_CLIENT_END PIPE_SERVER_END
    }
    FileSystem {
        PIPE_ACCESS_INBOUND PIPE_ACCESS_OUTBOUND PIPE_ACCESS_DUPLEX FILE_FLAG_FIRST_PIPE_INSTANCE
        SECURITY_ANONYMOUS SECURITY_CONTEXT_TRACKING SECURITY_DELEGATION SECURITY_EFFECTIVE_ONLY
        SECURITY_IDENTIFICATION SECURITY_IMPERSONATION SECURITY_SQOS_PRESENT
    }
    SystemServices {
        DLL_PROCESS_ATTACH DLL_PROCESS_DETACH DLL_THREAD_ATTACH DLL_THREAD_DETACH
        SECURITY_DESCRIPTOR_REVISION HEAP_OPTIMIZE_RESOURCES_CURRENT_VERSION
        MEMORY_ALLOCATION_ALIGNMENT
    }
    Security {
        SE_DACL_PRESENT SE_DACL_DEFAULTED
    }
    Ndis {
        IF_MAX_STRING_SIZE
    }
    Threading {
        THREAD_TERMINATE THREAD_SUSPEND_RESUME THREAD_GET_CONTEXT THREAD_SET_CONTEXT
        THREAD_SET_INFORMATION THREAD_QUERY_INFORMATION THREAD_SET_THREAD_TOKEN THREAD_IMPERSONATE
        THREAD_DIRECT_IMPERSONATION THREAD_SET_LIMITED_INFORMATION
        THREAD_QUERY_LIMITED_INFORMATION
        FLS_OUT_OF_INDEXES
    }
    Foundation {
        ERROR_BAD_LENGTH ERROR_DLL_INIT_FAILED
    }
    Console {
        ENABLE_ECHO_INPUT ENABLE_LINE_INPUT ENABLE_PROCESSED_INPUT ENABLE_PROCESSED_OUTPUT
        ENABLE_VIRTUAL_TERMINAL_PROCESSING ENABLE_WRAP_AT_EOL_OUTPUT STD_ERROR_HANDLE
        STD_INPUT_HANDLE STD_OUTPUT_HANDLE
    }
    ToolHelp {
        MAX_MODULE_NAME32 TH32CS_SNAPMODULE
    }
    FileSystem {
        MOVEFILE_COPY_ALLOWED MOVEFILE_DELAY_UNTIL_REBOOT MOVEFILE_REPLACE_EXISTING
        MOVEFILE_WRITE_THROUGH LOCKFILE_EXCLUSIVE_LOCK LOCKFILE_FAIL_IMMEDIATELY
        FILE_READ_ATTRIBUTES FILE_WRITE_ATTRIBUTES
    }
    SystemServices {
        FLS_MAXIMUM_AVAILABLE
    }
    Threading {
        DEBUG_PROCESS DEBUG_ONLY_THIS_PROCESS DETACHED_PROCESS CREATE_NEW_CONSOLE
        NORMAL_PRIORITY_CLASS IDLE_PRIORITY_CLASS HIGH_PRIORITY_CLASS REALTIME_PRIORITY_CLASS
        CREATE_NEW_PROCESS_GROUP CREATE_UNICODE_ENVIRONMENT BELOW_NORMAL_PRIORITY_CLASS
        ABOVE_NORMAL_PRIORITY_CLASS INHERIT_PARENT_AFFINITY CREATE_PROTECTED_PROCESS
        EXTENDED_STARTUPINFO_PRESENT CREATE_BREAKAWAY_FROM_JOB CREATE_DEFAULT_ERROR_MODE
        CREATE_SEPARATE_WOW_VDM CREATE_SHARED_WOW_VDM CREATE_SECURE_PROCESS
        CREATE_PRESERVE_CODE_AUTHZ_LEVEL STARTF_USECOUNTCHARS STARTF_USEFILLATTRIBUTE
        STARTF_RUNFULLSCREEN STARTF_USEHOTKEY STARTF_TITLEISLINKNAME STARTF_TITLEISAPPID
        STARTF_PREVENTPINNING STARTF_UNTRUSTEDSOURCE PROCESS_CREATE_PROCESS PROCESS_SET_QUOTA
        CREATE_NO_WINDOW STARTF_USESHOWWINDOW STARTF_USESIZE STARTF_USEPOSITION
        STARTF_FORCEONFEEDBACK STARTF_FORCEOFFFEEDBACK STARTF_USESTDHANDLES PROCESS_TERMINATE
        PROCESS_CREATE_THREAD PROCESS_VM_OPERATION PROCESS_VM_READ PROCESS_VM_WRITE
        PROCESS_DUP_HANDLE PROCESS_SET_INFORMATION PROCESS_QUERY_INFORMATION
        PROCESS_SUSPEND_RESUME PROCESS_QUERY_LIMITED_INFORMATION PROCESS_ALL_ACCESS
    }
    SystemServices {
        EXCEPTION_MAXIMUM_PARAMETERS
    }
    Foundation {
        EXCEPTION_ACCESS_VIOLATION EXCEPTION_ILLEGAL_INSTRUCTION EXCEPTION_INT_DIVIDE_BY_ZERO
        EXCEPTION_BREAKPOINT
    }
    Console {
        FOREGROUND_BLUE FOREGROUND_GREEN FOREGROUND_RED FOREGROUND_INTENSITY BACKGROUND_BLUE
        BACKGROUND_GREEN BACKGROUND_RED BACKGROUND_INTENSITY COMMON_LVB_REVERSE_VIDEO
        COMMON_LVB_UNDERSCORE
    }
}

/// Numbers of the headers that neither windows-sys nor the golden file of the layouts has.
const NOT_COMPARED: &[(&str, &str)] = &[
    ("RIO_INVALID_BUFFERID", "a pointer's"),
    ("RIO_INVALID_CQ", "a pointer's"),
    ("RIO_INVALID_RQ", "a pointer's"),
    ("AF_MAX", "grows with each kit; windows-sys has an early one"),
    ("NTDDI_VERSION", "the version of Windows that programs may rely on: our choice"),
    ("SIO_GET_INTERFACE_LIST", "of Winsock 1: _IOR('t', 127, ULONG); windows-sys leaves it out"),
    ("SIO_IDEAL_SEND_BACKLOG_QUERY", "_IOR('t', 123, ULONG); windows-sys leaves it out"),
    ("IOC_WSK", "winsock kernel; windows-sys leaves it out"),
    ("FALSE", "the language's"),
    ("TRUE", "the language's"),
    ("MAXBYTE", "the limits of the integers"),
    ("MAXCHAR", "the limits of the integers"),
    ("MAXDWORD", "the limits of the integers"),
    ("MAXLONG", "the limits of the integers"),
    ("MAXLONGLONG", "the limits of the integers"),
    ("MAXSHORT", "the limits of the integers"),
    ("MAXUINT", "the limits of the integers"),
    ("MAXULONG", "the limits of the integers"),
    ("MAXWORD", "the limits of the integers"),
    ("MINCHAR", "the limits of the integers"),
    ("MINLONG", "the limits of the integers"),
    ("MINSHORT", "the limits of the integers"),
    ("POOL_FLAG_NON_PAGED", "wdm/nf-wdm-exallocatepool2"),
    ("POOL_FLAG_PAGED", "wdm/nf-wdm-exallocatepool2"),
    ("POOL_FLAG_UNINITIALIZED", "wdm/nf-wdm-exallocatepool2"),
    ("NS_BTH", "ws2tcpip/nf-ws2tcpip-getaddrinfoexw; windows-sys leaves it out"),
    ("NS_PNRPCLOUD", "ws2tcpip/nf-ws2tcpip-getaddrinfoexw; windows-sys leaves it out"),
    ("NS_PNRPNAME", "ws2tcpip/nf-ws2tcpip-getaddrinfoexw; windows-sys leaves it out"),
    ("SW_HIDE", "winuser/nf-winuser-showwindow: of windows, which are not here"),
    ("SW_SHOWNORMAL", "winuser/nf-winuser-showwindow: of windows, which are not here"),
    ("O_BINARY", "of the C runtime, no part of Windows' API"),
    ("STRSAFE_MAX_CCH", "menurc/strsafe-ovw"),
    ("STRSAFE_MAX_LENGTH", "menurc/strsafe-ovw"),
    ("STRSAFE_E_INSUFFICIENT_BUFFER", "the HRESULT of ERROR_INSUFFICIENT_BUFFER"),
    ("STRSAFE_E_INVALID_PARAMETER", "the HRESULT of ERROR_INVALID_PARAMETER"),
    ("STRSAFE_E_END_OF_FILE", "the HRESULT of ERROR_HANDLE_EOF"),
    ("CERT_STORE_PROV_SYSTEM_A", "a pointer here: wincrypt/nf-wincrypt-certopenstore"),
    ("CERT_STORE_PROV_SYSTEM_W", "a pointer here: wincrypt/nf-wincrypt-certopenstore"),
    ("CSIDL_APPDATA", "shell/csidl"),
    ("CSIDL_SYSTEM", "shell/csidl"),
    ("CSIDL_WINDOWS", "shell/csidl"),
    ("IF_NAMESIZE", "ifdef.h; the page of if_indextoname names it, windows-sys has no number"),
    ("STRUNCATE", "of the C runtime, no part of Windows' API"),
    ("BCRYPT_RNG_ALG_HANDLE", "a pointer here: seccng/cng-algorithm-pseudo-handles"),
    ("WINAPI_FAMILY_APP", "winprog/using-the-windows-headers; windows-sys leaves it out"),
    ("WINAPI_FAMILY_DESKTOP_APP", "winprog/using-the-windows-headers; windows-sys leaves it out"),
    ("WINAPI_FAMILY_PC_APP", "winprog/using-the-windows-headers; windows-sys leaves it out"),
    ("WINAPI_FAMILY_PHONE_APP", "winprog/using-the-windows-headers; windows-sys leaves it out"),
    ("WINAPI_FAMILY_SERVER", "winprog/using-the-windows-headers; windows-sys leaves it out"),
    ("WINAPI_FAMILY_SYSTEM", "winprog/using-the-windows-headers; windows-sys leaves it out"),
    ("WINAPI_PARTITION_DESKTOP", "a comparison of the families above"),
    ("WINAPI_PARTITION_PHONE_APP", "a comparison of the families above"),
    ("WINAPI_PARTITION_SYSTEM", "a comparison of the families above"),
];

/// The numbers of the golden file, which a compiler for Windows printed.
fn golden() -> BTreeMap<String, u32> {
    let files = ["ws2_32/tests/headers/layout.golden", "wsk/tests/headers/layout.golden"];
    let number = |line: &str| {
        let (name, number) = line.split_once(' ')?;
        let number = u32::from_str_radix(number.strip_prefix("0x")?, 16).ok()?;
        Some((name.to_owned(), number))
    };
    let read = |file| surface::read(&surface::root().join(file));
    files.map(read).iter().flat_map(|text| text.lines()).filter_map(number).collect()
}

/// The headers' numbers: name and text of each macro that is defined as one.
fn header_numbers() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in surface::files(&surface::root().join("include"), "h") {
        // No other headers at hand have Winsock Kernel: its numbers are those of its pages.
        if path.ends_with("wsk.h") {
            continue;
        }
        for line in surface::read(&path).lines() {
            let Some((name, text)) = line.strip_prefix("#define ").and_then(|l| l.split_once(' '))
            else {
                continue;
            };
            let ours = ["WS_", "LINSOCK_", "_"].iter().any(|prefix| name.starts_with(prefix));
            let is_name =
                name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let text = text.trim();
            let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '(' || c == '-');
            if is_name && !ours && is_number {
                found.insert(name.to_owned(), text.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_number_of_the_headers_is_compared_with_windows() {
    let (known, golden) = (constants(), golden());
    let exceptions: BTreeSet<_> = NOT_COMPARED.iter().map(|(name, _)| *name).collect();
    let numbers = header_numbers();
    assert!(numbers.len() > 500, "the headers were not understood: {} numbers", numbers.len());
    let mut wrong = Vec::new();
    for name in numbers.keys() {
        let is_compared = known.contains_key(name.as_str()) || golden.contains_key(name);
        if is_compared == exceptions.contains(name.as_str()) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "neither compared nor an exception, or both: {wrong:?}");
}

#[test]
fn the_headers_numbers_are_those_of_windows() {
    let known = constants();
    let statements: String = known
        .keys()
        .map(|name| {
            // The endpoint knows statuses that the headers do not have.
            format!(
                "#ifdef {name}\nprintf(\"{name} %u\\n\", (unsigned)(ULONG_PTR)({name}));\n#endif\n"
            )
        })
        .collect();
    let printed = surface::printed(false, &statements);
    let mut wrong = Vec::new();
    for line in printed.lines() {
        let (name, number) = line.split_once(' ').expect("a name and a number");
        if number.parse() != Ok(known[name]) {
            wrong.push(format!("{name}: {number}, and {} on Windows", known[name]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let compared = printed.lines().count();
    assert!(compared > 500, "only {compared} numbers were compared");
}

#[test]
fn the_golden_file_agrees_with_windows_sys() {
    let golden = golden();
    let differs = |(name, number): &(&str, u32)| golden.get(*name).is_some_and(|n| n != number);
    let wrong: Vec<_> = constants().into_iter().filter(differs).collect();
    assert!(wrong.is_empty(), "windows-sys has other numbers: {wrong:?}");
}

/// Constants of ours that have a name of their own: name, Windows' name.
const RENAMED: &[(&str, &str)] = &[
    ("SKIP_PORT_ON_SUCCESS", "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS"),
    ("SKIP_SET_EVENT_ON_HANDLE", "FILE_SKIP_SET_EVENT_ON_HANDLE"),
];

/// Names that mean something else here: file, name.
const OTHER_MEANING: &[(&str, &str)] = &[];

/// The value of an integer literal, or of one of the few expressions that constants are written
/// with.
fn number_of(text: &str, earlier: &BTreeMap<String, u32>) -> Option<u32> {
    let text = text.trim_start_matches("Error(").trim_end_matches(')');
    let text = text.trim_end_matches(".cast_signed(").replace('_', "");
    let text =
        ["u32", "i32", "u16", "i16"].iter().fold(text.as_str(), |t, s| t.trim_end_matches(s));
    if text.ends_with("::MAX") || text == "-1" {
        return Some(u32::MAX);
    }
    if let Some(name) = text.strip_prefix('!') {
        let complement = earlier.iter().find(|(known, _)| known.replace('_', "") == name);
        return complement.map(|(_, number)| !number);
    }
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The constants that a source file defines with an integer: name and text of the value.
fn constants_of(source: &str) -> Vec<(String, String)> {
    let entry = |line: &str| {
        let line = line.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let (left, right) = line.split_once(" = ")?;
        let name = left.strip_prefix("const ").unwrap_or(left).split(':').next()?;
        let is_name = name.len() > 3
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let value = right.split([';', ',']).next()?;
        is_name.then(|| (name.to_owned(), value.to_owned()))
    };
    source.lines().filter_map(entry).collect()
}

/// What Windows has under the name that a file of ours uses.
fn windows_number(
    file: &str,
    name: &str,
    known: &BTreeMap<&str, u32>,
    golden: &BTreeMap<String, u32>,
) -> Option<u32> {
    let renamed = RENAMED.iter().find(|(ours, _)| *ours == name).map(|(_, theirs)| *theirs);
    let status = format!("STATUS_{name}");
    let name = match renamed {
        Some(theirs) => theirs,
        None if file.ends_with("afd/src/status.rs") => &status,
        None => name,
    };
    known.get(name).or_else(|| golden.get(name)).copied()
}

#[test]
fn the_numbers_in_our_sources_are_those_of_windows() {
    let (known, golden) = (constants(), golden());
    let (mut compared, mut wrong) = (0, Vec::new());
    for package in ["afd", "iocp", "winsock", "ws2_32"] {
        for path in surface::files(&surface::root().join(package).join("src"), "rs") {
            let file = path.display().to_string();
            let mut earlier = BTreeMap::new();
            for (name, text) in constants_of(&surface::read(&path)) {
                let is_other = OTHER_MEANING.iter().any(|(f, n)| file.ends_with(f) && *n == name);
                let theirs = windows_number(&file, &name, &known, &golden).filter(|_| !is_other);
                let Some(theirs) = theirs else { continue };
                if number_of(&text, &earlier) != Some(theirs) {
                    wrong.push(format!("{file}: {name} = {text}, and {theirs} on Windows"));
                }
                earlier.insert(name, theirs);
                compared += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared > 100, "only {compared} numbers were found in the sources");
}

/// The extension functions: the GUID that stands for each, and its address here.
fn extensions() -> Vec<(&'static str, windows_sys::core::GUID, *const ())> {
    use linsock_c::mswsock;
    vec![
        ("WSAID_ACCEPTEX", WinSock::WSAID_ACCEPTEX, mswsock::AcceptEx as *const ()),
        ("WSAID_CONNECTEX", WinSock::WSAID_CONNECTEX, mswsock::ConnectEx as *const ()),
        ("WSAID_DISCONNECTEX", WinSock::WSAID_DISCONNECTEX, mswsock::DisconnectEx as *const ()),
        (
            "WSAID_GETACCEPTEXSOCKADDRS",
            WinSock::WSAID_GETACCEPTEXSOCKADDRS,
            mswsock::GetAcceptExSockaddrs as *const (),
        ),
        ("WSAID_WSAPOLL", WinSock::WSAID_WSAPOLL, linsock_c::winsock2::poll::WSAPoll as *const ()),
    ]
}

fn startup() {
    let mut data = [0_u64; size_of::<abi::WSADATA>() / 8];
    // SAFETY: the memory is as large as a WSADATA, and writable.
    let error =
        unsafe { linsock_c::winsock2::startup::WSAStartup(0x0202, data.as_mut_ptr().cast()) };
    assert_eq!(error, 0);
}

/// What WSAIoctl gives for a GUID: as many words.
fn words_for<const N: usize>(code: u32, guid: windows_sys::core::GUID) -> [usize; N] {
    startup();
    // SAFETY: takes no pointer.
    let socket = unsafe { linsock_c::winsock2::connection::socket(2, 1, 0) };
    let (mut found, mut returned) = ([0_usize; N], 0_u32);
    let size = u32::try_from(size_of_val(&found)).unwrap();
    // SAFETY: the GUID is readable and both results are writable for the length of the call.
    let result = unsafe {
        linsock_c::winsock2::ioctl::WSAIoctl(
            socket,
            code,
            (&raw const guid).cast(),
            16,
            (&raw mut found).cast(),
            size,
            &raw mut returned,
            std::ptr::null_mut(),
            None,
        )
    };
    assert_eq!((result, returned), (0, size));
    // SAFETY: takes no pointer.
    let closed = unsafe { linsock_c::winsock2::connection::closesocket(socket) };
    assert_eq!(closed, 0);
    found
}

#[test]
fn extension_functions_are_found_under_windows_guids() {
    for (name, guid, wanted) in extensions() {
        let found = words_for(WinSock::SIO_GET_EXTENSION_FUNCTION_POINTER, guid);
        assert_eq!(found, [wanted.addr()], "{name}");
    }
}

/// Each function of the table stands where windows-sys has it.
#[test]
fn the_table_of_registered_io_is_that_of_windows() {
    const WORDS: usize = size_of::<WinSock::RIO_EXTENSION_FUNCTION_TABLE>() / 8;
    let code = WinSock::SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER;
    let found: [usize; WORDS] = words_for(code, WinSock::WSAID_MULTIPLE_RIO);
    assert_eq!(found[0], size_of_val(&found), "cbSize");
    macro_rules! stand {
        ($($name:ident)*) => { [$((
            offset_of!(WinSock::RIO_EXTENSION_FUNCTION_TABLE, $name),
            linsock_c::mswsock::rio::$name as *const (),
            stringify!($name),
        )),*] };
    }
    let wanted = stand!(
        RIOReceive RIOReceiveEx RIOSend RIOSendEx RIOCloseCompletionQueue RIOCreateCompletionQueue
        RIOCreateRequestQueue RIODequeueCompletion RIODeregisterBuffer RIONotify RIORegisterBuffer
        RIOResizeCompletionQueue RIOResizeRequestQueue
    );
    assert_eq!(wanted.len() + 1, WORDS);
    for (offset, function, name) in wanted {
        assert_eq!(found[offset / 8], function.addr(), "{name}");
    }
}

/// Each GUID of the headers.
fn guids() -> Vec<(&'static str, windows_sys::core::GUID)> {
    let mut all: Vec<_> = extensions().into_iter().map(|(name, guid, _)| (name, guid)).collect();
    all.extend([
        ("WSAID_MULTIPLE_RIO", WinSock::WSAID_MULTIPLE_RIO),
        ("WSAID_TRANSMITFILE", WinSock::WSAID_TRANSMITFILE),
        ("WSAID_TRANSMITPACKETS", WinSock::WSAID_TRANSMITPACKETS),
        ("WSAID_WSARECVMSG", WinSock::WSAID_WSARECVMSG),
        ("WSAID_WSASENDMSG", WinSock::WSAID_WSASENDMSG),
    ]);
    all
}

#[test]
fn the_headers_guids_are_those_of_windows() {
    let print = |name: &str| {
        format!(
            "{{ const GUID g = {name}; printf(\"{name} %u %u %u \", (unsigned)g.Data1, g.Data2, g.Data3); \
             for (int i = 0; i < 8; i++) printf(\"%02x\", g.Data4[i]); printf(\"\\n\"); }}\n"
        )
    };
    let statements: String = guids().iter().map(|(name, _)| print(name)).collect();
    let line = |(name, guid): &(&str, windows_sys::core::GUID)| {
        let rest: String = guid.data4.iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{name} {} {} {} {rest}\n", guid.data1, guid.data2, guid.data3)
    };
    let wanted: String = guids().iter().map(line).collect();
    assert_eq!(surface::printed(false, &statements), wanted);
}

/// A function's type: the width of its result, then of each argument.
trait Signature {
    fn widths() -> Vec<usize>;
}

macro_rules! signature {
    ($($argument:ident)*) => {
        impl<R, $($argument),*> Signature for unsafe extern "system" fn($($argument),*) -> R {
            fn widths() -> Vec<usize> {
                vec![size_of::<R>(), $(size_of::<$argument>()),*]
            }
        }
    };
}
signature!();
signature!(A);
signature!(A B);
signature!(A B C);
signature!(A B C D);
signature!(A B C D E);
signature!(A B C D E F);
signature!(A B C D E F G);
signature!(A B C D E F G H);
signature!(A B C D E F G H I);
signature!(A B C D E F G H I J);
signature!(A B C D E F G H I J K);

impl<F: Signature> Signature for Option<F> {
    fn widths() -> Vec<usize> {
        F::widths()
    }
}

fn widths<F: Signature>(_function: F) -> Vec<usize> {
    F::widths()
}

/// A function as a pointer, given the number of its arguments.
macro_rules! pointer {
    (0, $f:expr) => {
        $f as unsafe extern "system" fn() -> _
    };
    (1, $f:expr) => {
        $f as unsafe extern "system" fn(_) -> _
    };
    (2, $f:expr) => {
        $f as unsafe extern "system" fn(_, _) -> _
    };
    (3, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _) -> _
    };
    (4, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _) -> _
    };
    (5, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _) -> _
    };
    (6, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _, _) -> _
    };
    (7, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _, _, _) -> _
    };
    (8, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _, _, _, _) -> _
    };
    (9, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _, _, _, _, _) -> _
    };
    (10, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _, _, _, _, _, _) -> _
    };
    (11, $f:expr) => {
        $f as unsafe extern "system" fn(_, _, _, _, _, _, _, _, _, _, _) -> _
    };
}

/// A function of ours and, if windows-sys declares it, the same of Windows.
struct Compared {
    name: &'static str,
    ours: Vec<usize>,
    windows: Option<Vec<usize>>,
}

macro_rules! theirs {
    ($name:ident $arity:tt none) => {
        None
    };
    ($name:ident $arity:tt callback $theirs:ident) => {
        Some(<WinSock::$theirs as Signature>::widths())
    };
    ($name:ident $arity:tt $oracle:ident) => {
        Some(widths(pointer!($arity, $oracle::$name)))
    };
}

macro_rules! signatures {
    ($($($module:ident)::+ => $name:ident $arity:tt $($oracle:ident)+;)*) => {
        fn compared() -> Vec<Compared> {
            vec![$(Compared {
                name: stringify!($name),
                ours: widths(pointer!($arity, linsock_c::$($module)::+::$name)),
                windows: theirs!($name $arity $($oracle)+),
            }),*]
        }
    };
}

// Module, function, number of arguments, where windows-sys has it; `none` where its features that
// this package asks for do not include it: those are compared with the headers only.
signatures! {
    kernel32::clock => Sleep 1 Threading;
    kernel32::clock => SleepEx 2 Threading;
    kernel32::clock => SwitchToThread 0 Threading;
    kernel32::critical => InitializeConditionVariable 1 Threading;
    kernel32::critical => SleepConditionVariableSRW 4 Threading;
    kernel32::critical => WakeConditionVariable 1 Threading;
    kernel32::critical => WakeAllConditionVariable 1 Threading;
    kernel32::critical => InitializeSRWLock 1 Threading;
    kernel32::critical => AcquireSRWLockExclusive 1 Threading;
    kernel32::critical => TryAcquireSRWLockExclusive 1 Threading;
    kernel32::critical => ReleaseSRWLockExclusive 1 Threading;
    kernel32::critical => AcquireSRWLockShared 1 Threading;
    kernel32::critical => ReleaseSRWLockShared 1 Threading;
    kernel32::heap => LocalFree 1 Foundation;
    kernel32::io => CreateIoCompletionPort 4 IO;
    kernel32::io => GetQueuedCompletionStatus 5 IO;
    kernel32::io => GetQueuedCompletionStatusEx 6 IO;
    kernel32::io => PostQueuedCompletionStatus 4 IO;
    kernel32::io => CancelIo 1 IO;
    kernel32::io => CancelIoEx 2 IO;
    kernel32::io => GetOverlappedResult 4 IO;
    kernel32::address => WaitOnAddress 4 Threading;
    kernel32::address => WakeByAddressSingle 1 Threading;
    kernel32::address => WakeByAddressAll 1 Threading;
    kernel32::signal => PulseEvent 1 Threading;
    kernel32::signal => SignalObjectAndWait 4 Threading;
    kernel32::signal => GetHandleInformation 2 Foundation;
    kernel32::signal => SetHandleInformation 3 Foundation;
    kernel32::file_io => GetOverlappedResultEx 5 IO;
    kernel32::misc => GetLastError 0 Foundation;
    kernel32::misc => SetLastError 1 Foundation;
    kernel32::object => SetEvent 1 Threading;
    kernel32::object => ResetEvent 1 Threading;
    kernel32::object => ReleaseSemaphore 3 Threading;
    kernel32::object => ReleaseMutex 1 Threading;
    kernel32::object => WaitForSingleObject 2 Threading;
    kernel32::object => WaitForSingleObjectEx 3 Threading;
    kernel32::object => WaitForMultipleObjects 4 Threading;
    kernel32::object => WaitForMultipleObjectsEx 5 Threading;
    kernel32::object => WSACreateEvent 0 WinSock;
    kernel32::object => WSACloseEvent 1 WinSock;
    kernel32::object => WSASetEvent 1 WinSock;
    kernel32::object => WSAResetEvent 1 WinSock;
    kernel32::object => WSAWaitForMultipleEvents 5 WinSock;
    kernel32::object => CloseHandle 1 Foundation;
    kernel32::object => DuplicateHandle 7 Foundation;
    kernel32::thread => GetExitCodeThread 2 Threading;
    kernel32::thread => ResumeThread 1 Threading;
    kernel32::thread => SetThreadPriority 2 Threading;
    kernel32::thread => GetThreadPriority 1 Threading;
    kernel32::thread => GetCurrentThread 0 Threading;
    kernel32::thread => GetCurrentThreadId 0 Threading;
    kernel32::thread => GetCurrentProcess 0 Threading;
    kernel32::thread => GetCurrentProcessId 0 Threading;
    kernel32::thread => QueueUserAPC 3 Threading;
    mswsock => AcceptEx 8 WinSock;
    mswsock::transmit => TransmitFile 7 WinSock;
    mswsock::transmit => TransmitPackets 6 none;
    mswsock => GetAcceptExSockaddrs 8 WinSock;
    winsock2::connection => socket 3 WinSock;
    winsock2::connection => WSASocketA 6 WinSock;
    winsock2::connection => WSASocketW 6 WinSock;
    winsock2::duplicate => WSADuplicateSocketA 3 WinSock;
    winsock2::duplicate => WSADuplicateSocketW 3 WinSock;
    winsock2::connection => bind 3 WinSock;
    winsock2::connection => listen 2 WinSock;
    winsock2::connection => accept 3 WinSock;
    winsock2::connection => WSAAccept 5 WinSock;
    winsock2::connection => connect 3 WinSock;
    winsock2::connection => WSAConnect 7 WinSock;
    winsock2::connection => shutdown 2 WinSock;
    winsock2::connection => closesocket 1 WinSock;
    winsock2::connection => getsockname 3 WinSock;
    winsock2::connection => getpeername 3 WinSock;
    winsock2::datagram => sendto 6 WinSock;
    winsock2::datagram => recvfrom 6 WinSock;
    winsock2::datagram => WSASendTo 9 WinSock;
    winsock2::datagram => WSARecvFrom 9 WinSock;
    winsock2::disconnect => WSASendDisconnect 2 WinSock;
    winsock2::disconnect => WSARecvDisconnect 2 WinSock;
    winsock2::events => WSAEventSelect 3 WinSock;
    winsock2::events => WSAEnumNetworkEvents 3 WinSock;
    winsock2::ioctl => WSAIoctl 9 WinSock;
    winsock2::option => setsockopt 5 WinSock;
    winsock2::option => getsockopt 5 WinSock;
    winsock2::option => ioctlsocket 3 WinSock;
    winsock2::poll => select 5 WinSock;
    winsock2::poll => WSAPoll 3 WinSock;
    winsock2::poll => __WSAFDIsSet 2 WinSock;
    winsock2::notifications => ProcessSocketNotifications 7 WinSock;
    stdio => linsock_vprintf 2 none;
    stdio => linsock_vfprintf 3 none;
    stdio => linsock_vsprintf 3 none;
    stdio => linsock_vsnprintf 4 none;
    stdio => linsock_short_vprintf 2 none;
    stdio => linsock_short_vfprintf 3 none;
    stdio => linsock_short_vsprintf 3 none;
    stdio => linsock_short_vsnprintf 4 none;
    stdio => linsock_short_vscanf 2 none;
    stdio => linsock_short_vfscanf 3 none;
    stdio => linsock_short_vsscanf 3 none;
    stdio => linsock_vscanf 2 none;
    stdio => linsock_vfscanf 3 none;
    stdio => linsock_vsscanf 3 none;
    kernel32::search_path => SearchPathA 6 FileSystem;
    kernel32::search_path => SearchPathW 6 FileSystem;
    psapi => GetProcessMemoryInfo 3 ProcessStatus;
    winsock2::hooks => WSACancelBlockingCall 0 WinSock;
    winsock2::hooks => WSAIsBlocking 0 WinSock;
    winsock2::hooks => WSASetBlockingHook 1 WinSock;
    winsock2::hooks => WSAUnhookBlockingHook 0 WinSock;
    winsock2::leaf => WSAJoinLeaf 8 WinSock;
    kernel32::thread => OpenThread 3 Threading;
    kernel32::thread => CancelSynchronousIo 1 IO;
    kernel32::thread => QueueUserAPC2 4 Threading;
    kernel32::thread => QueryThreadCycleTime 2 WindowsProgramming;
    kernel32::thread => QueryProcessCycleTime 2 WindowsProgramming;
    kernel32::heap => HeapValidate 3 Memory;
    kernel32::heap => HeapSetInformation 4 Memory;
    kernel32::pool::instance => FreeLibraryWhenCallbackReturns 2 Threading;
    kernel32::pool::object => SetThreadpoolStackInformation 2 Threading;
    kernel32::pool::object => QueryThreadpoolStackInformation 2 Threading;
    kernel32::pool::queue => CancelTimerQueueTimer 2 Threading;
    winsock2::protocols => WSAEnumProtocolsA 3 WinSock;
    winsock2::protocols => WSAEnumProtocolsW 3 WinSock;
    winsock2::startup => WSAStartup 2 WinSock;
    winsock2::startup => WSACleanup 0 WinSock;
    winsock2::startup => WSAGetLastError 0 WinSock;
    winsock2::startup => WSASetLastError 1 WinSock;
    winsock2::transfer => send 4 WinSock;
    winsock2::transfer => recv 4 WinSock;
    winsock2::transfer => WSASend 7 WinSock;
    winsock2::transfer => WSARecv 7 WinSock;
    winsock2::transfer => WSAGetOverlappedResult 5 WinSock;
    winsock2::transfer => WSARecvEx 4 WinSock;
    winsock2::message => WSASendMsg 6 WinSock;
    ws2tcpip => htonl 1 WinSock;
    ws2tcpip => htons 1 WinSock;
    ws2tcpip => ntohl 1 WinSock;
    ws2tcpip => ntohs 1 WinSock;
    ws2tcpip => inet_addr 1 WinSock;
    ws2tcpip => inet_ntoa 1 WinSock;
    ws2tcpip => inet_ntop 4 WinSock;
    ws2tcpip => inet_pton 3 WinSock;
    ws2tcpip => gethostname 2 WinSock;
    ws2tcpip => gethostbyname 1 WinSock;
    ws2tcpip => gethostbyaddr 3 WinSock;
    ws2tcpip => getnameinfo 7 WinSock;
    ws2tcpip => getaddrinfo 4 WinSock;
    ws2tcpip => freeaddrinfo 1 WinSock;
    ws2tcpip => getservbyname 2 WinSock;
    ws2tcpip => getservbyport 2 WinSock;
    ws2tcpip => getprotobyname 1 WinSock;
    ws2tcpip => getprotobynumber 1 WinSock;
    ws2tcpip => GetHostNameW 2 WinSock;
    ws2tcpip => InetNtopW 4 WinSock;
    ws2tcpip => InetPtonW 3 WinSock;
    ws2tcpip => GetAddrInfoW 4 WinSock;
    ws2tcpip => FreeAddrInfoW 1 WinSock;
    ws2tcpip => GetNameInfoW 7 WinSock;
    ws2tcpip => WSAHtonl 3 WinSock;
    ws2tcpip => WSAHtons 3 WinSock;
    ws2tcpip => WSANtohl 3 WinSock;
    ws2tcpip => WSANtohs 3 WinSock;
    ws2tcpip => WSAAddressToStringA 5 WinSock;
    ws2tcpip => WSAAddressToStringW 5 WinSock;
    ws2tcpip => WSAStringToAddressA 5 WinSock;
    ws2tcpip => WSAStringToAddressW 5 WinSock;
    ws2tcpip => GetAddrInfoExA 10 WinSock;
    ws2tcpip => GetAddrInfoExW 10 WinSock;
    ws2tcpip => GetAddrInfoExCancel 1 WinSock;
    ws2tcpip => GetAddrInfoExOverlappedResult 1 WinSock;
    ws2tcpip => FreeAddrInfoEx 1 WinSock;
    ws2tcpip => FreeAddrInfoExW 1 WinSock;
    winsock2::by_name => WSAConnectByNameA 9 WinSock;
    winsock2::by_name => WSAConnectByNameW 9 WinSock;
    winsock2::by_name => WSAConnectByList 8 WinSock;
    kernel32::clock => QueryPerformanceCounter 1 none;
    kernel32::clock => QueryPerformanceFrequency 1 none;
    kernel32::clock => GetTickCount 0 none;
    kernel32::clock => GetTickCount64 0 none;
    kernel32::clock => GetSystemTimeAsFileTime 1 none;
    kernel32::critical => InitializeCriticalSection 1 none;
    kernel32::critical => InitializeCriticalSectionAndSpinCount 2 none;
    kernel32::critical => InitializeCriticalSectionEx 3 none;
    kernel32::critical => EnterCriticalSection 1 none;
    kernel32::critical => TryEnterCriticalSection 1 none;
    kernel32::critical => LeaveCriticalSection 1 none;
    kernel32::critical => DeleteCriticalSection 1 none;
    kernel32::critical => SleepConditionVariableCS 3 none;
    kernel32::disk => CreateFileA 7 FileSystem;
    kernel32::disk => CreateFileW 7 FileSystem;
    kernel32::disk => DeleteFileA 1 FileSystem;
    kernel32::disk => DeleteFileW 1 FileSystem;
    kernel32::disk => GetFileAttributesA 1 FileSystem;
    kernel32::disk => GetFileAttributesW 1 FileSystem;
    kernel32::disk => GetTempPathA 2 FileSystem;
    kernel32::disk => GetTempPathW 2 FileSystem;
    kernel32::seek => GetFileType 1 FileSystem;
    kernel32::seek => GetFileSize 2 FileSystem;
    kernel32::seek => GetFileSizeEx 2 FileSystem;
    kernel32::seek => SetFilePointer 4 FileSystem;
    kernel32::seek => SetFilePointerEx 4 FileSystem;
    kernel32::seek => SetEndOfFile 1 FileSystem;
    kernel32::seek => FlushFileBuffers 1 FileSystem;
    kernel32::file_io => ReadFile 5 FileSystem;
    kernel32::file_io => WriteFile 5 FileSystem;
    kernel32::file_io => ReadFileEx 5 FileSystem;
    kernel32::file_io => WriteFileEx 5 FileSystem;
    kernel32::heap => GetProcessHeap 0 none;
    kernel32::heap => HeapCreate 3 none;
    kernel32::heap => HeapDestroy 1 none;
    kernel32::heap => HeapAlloc 3 none;
    kernel32::heap => HeapReAlloc 4 none;
    kernel32::heap => HeapFree 3 none;
    kernel32::heap => HeapSize 3 none;
    kernel32::io => SetFileCompletionNotificationModes 2 none;
    kernel32::misc => FormatMessageA 7 none;
    kernel32::misc => OutputDebugStringA 1 none;
    kernel32::misc => GetSystemInfo 1 none;
    kernel32::misc => SetConsoleCtrlHandler 2 none;
    kernel32::object => CreateEventA 4 none;
    kernel32::object => CreateEventW 4 none;
    kernel32::object => CreateSemaphoreA 4 none;
    kernel32::object => CreateMutexA 3 none;
    kernel32::pool => QueueUserWorkItem 3 Threading;
    kernel32::pool => BindIoCompletionCallback 3 none;
    kernel32::pool::instance => CallbackMayRunLong 1 Threading;
    kernel32::pool::instance => DisassociateCurrentThreadFromCallback 1 Threading;
    kernel32::pool::instance => SetEventWhenCallbackReturns 2 Threading;
    kernel32::pool::instance => ReleaseSemaphoreWhenCallbackReturns 3 Threading;
    kernel32::pool::instance => ReleaseMutexWhenCallbackReturns 2 Threading;
    kernel32::pool::instance => LeaveCriticalSectionWhenCallbackReturns 2 none;
    kernel32::pool::object => CreateThreadpool 1 Threading;
    kernel32::pool::object => CloseThreadpool 1 Threading;
    kernel32::pool::object => SetThreadpoolThreadMaximum 2 Threading;
    kernel32::pool::object => SetThreadpoolThreadMinimum 2 Threading;
    kernel32::pool::object::group => CreateThreadpoolCleanupGroup 0 Threading;
    kernel32::pool::object::group => CloseThreadpoolCleanupGroupMembers 3 Threading;
    kernel32::pool::object::group => CloseThreadpoolCleanupGroup 1 Threading;
    kernel32::pool::object::work => TrySubmitThreadpoolCallback 3 Threading;
    kernel32::pool::object::work => CreateThreadpoolWork 3 Threading;
    kernel32::pool::object::work => SubmitThreadpoolWork 1 Threading;
    kernel32::pool::object::work => WaitForThreadpoolWorkCallbacks 2 Threading;
    kernel32::pool::object::work => CloseThreadpoolWork 1 Threading;
    kernel32::pool::object::timer => CreateThreadpoolTimer 3 Threading;
    kernel32::pool::object::timer => SetThreadpoolTimer 4 Threading;
    kernel32::pool::object::timer => SetThreadpoolTimerEx 4 Threading;
    kernel32::pool::object::timer => IsThreadpoolTimerSet 1 Threading;
    kernel32::pool::object::timer => WaitForThreadpoolTimerCallbacks 2 Threading;
    kernel32::pool::object::timer => CloseThreadpoolTimer 1 Threading;
    kernel32::pool::object::wait => CreateThreadpoolWait 3 Threading;
    kernel32::pool::object::wait => SetThreadpoolWait 3 Threading;
    kernel32::pool::object::wait => SetThreadpoolWaitEx 4 Threading;
    kernel32::pool::object::wait => WaitForThreadpoolWaitCallbacks 2 Threading;
    kernel32::pool::object::wait => CloseThreadpoolWait 1 Threading;
    kernel32::pool::object::io => CreateThreadpoolIo 4 Threading;
    kernel32::pool::object::io => StartThreadpoolIo 1 Threading;
    kernel32::pool::object::io => CancelThreadpoolIo 1 Threading;
    kernel32::pool::object::io => WaitForThreadpoolIoCallbacks 2 Threading;
    kernel32::pool::object::io => CloseThreadpoolIo 1 Threading;
    kernel32::pool::queue => CreateTimerQueue 0 Threading;
    kernel32::pool::queue => CreateTimerQueueTimer 7 Threading;
    kernel32::pool::queue => ChangeTimerQueueTimer 4 Threading;
    kernel32::pool::queue => DeleteTimerQueueTimer 3 Threading;
    kernel32::pool::queue => DeleteTimerQueueEx 2 Threading;
    kernel32::pool::queue => DeleteTimerQueue 1 Threading;
    kernel32::pool::registered => RegisterWaitForSingleObject 6 Threading;
    kernel32::pool::registered => UnregisterWait 1 Threading;
    kernel32::pool::registered => UnregisterWaitEx 2 Threading;
    kernel32::timer => CreateWaitableTimerA 3 none;
    kernel32::timer => CreateWaitableTimerW 3 none;
    kernel32::timer => CreateWaitableTimerExA 4 none;
    kernel32::timer => CreateWaitableTimerExW 4 none;
    kernel32::timer => OpenWaitableTimerA 3 none;
    kernel32::timer => OpenWaitableTimerW 3 Threading;
    kernel32::timer => SetWaitableTimer 6 Threading;
    kernel32::timer => SetWaitableTimerEx 7 none;
    kernel32::timer => CancelWaitableTimer 1 Threading;
    kernel32::thread => CreateThread 6 none;
    kernel32::thread => _beginthreadex 6 none;
    mswsock => ConnectEx 7 callback LPFN_CONNECTEX;
    mswsock => DisconnectEx 4 callback LPFN_DISCONNECTEX;
    mswsock::rio => RIOReceive 5 callback LPFN_RIORECEIVE;
    mswsock::rio => RIOReceiveEx 9 callback LPFN_RIORECEIVEEX;
    mswsock::rio => RIOSend 5 callback LPFN_RIOSEND;
    mswsock::rio => RIOSendEx 9 callback LPFN_RIOSENDEX;
    mswsock::rio => RIOCloseCompletionQueue 1 callback LPFN_RIOCLOSECOMPLETIONQUEUE;
    mswsock::rio => RIOCreateCompletionQueue 2 callback LPFN_RIOCREATECOMPLETIONQUEUE;
    mswsock::rio => RIOCreateRequestQueue 8 callback LPFN_RIOCREATEREQUESTQUEUE;
    mswsock::rio => RIODequeueCompletion 3 callback LPFN_RIODEQUEUECOMPLETION;
    mswsock::rio => RIODeregisterBuffer 1 callback LPFN_RIODEREGISTERBUFFER;
    mswsock::rio => RIONotify 1 callback LPFN_RIONOTIFY;
    mswsock::rio => RIORegisterBuffer 2 callback LPFN_RIOREGISTERBUFFER;
    mswsock::rio => RIOResizeCompletionQueue 2 callback LPFN_RIORESIZECOMPLETIONQUEUE;
    mswsock::rio => RIOResizeRequestQueue 3 callback LPFN_RIORESIZEREQUESTQUEUE;
    winsock2::message => WSARecvMsg 5 callback LPFN_WSARECVMSG;
    kernel32::critical => SetCriticalSectionSpinCount 2 Threading;
    kernel32::critical => InitOnceInitialize 1 Threading;
    kernel32::critical => InitOnceExecuteOnce 4 Threading;
    kernel32::critical => InitOnceBeginInitialize 4 Threading;
    kernel32::critical => InitOnceComplete 3 Threading;
    kernel32::critical => TryAcquireSRWLockShared 1 Threading;
    kernel32::heap => GlobalAlloc 2 Memory;
    kernel32::heap => GlobalReAlloc 3 Memory;
    kernel32::heap => GlobalFree 1 Foundation;
    kernel32::heap => GlobalLock 1 Memory;
    kernel32::heap => GlobalUnlock 1 Memory;
    kernel32::heap => GlobalSize 1 Memory;
    kernel32::heap => LocalAlloc 2 Memory;
    kernel32::heap => LocalReAlloc 3 Memory;
    kernel32::heap => LocalLock 1 Memory;
    kernel32::heap => LocalUnlock 1 Memory;
    kernel32::heap => LocalSize 1 Memory;
    kernel32::misc => FormatMessageW 7 Debug;
    kernel32::misc => OutputDebugStringW 1 Debug;
    kernel32::object => CreateEventExA 4 Threading;
    kernel32::object => CreateSemaphoreExA 6 Threading;
    kernel32::object => CreateMutexExA 4 Threading;
    kernel32::object => OpenEventA 3 Threading;
    kernel32::object => OpenMutexA 3 WindowsProgramming;
    kernel32::object => OpenSemaphoreA 3 WindowsProgramming;
    kernel32::object => CreateEventExW 4 Threading;
    kernel32::object => CreateSemaphoreW 4 Threading;
    kernel32::object => CreateSemaphoreExW 6 Threading;
    kernel32::object => CreateMutexW 3 Threading;
    kernel32::object => CreateMutexExW 4 Threading;
    kernel32::object => OpenEventW 3 Threading;
    kernel32::object => OpenMutexW 3 Threading;
    kernel32::object => OpenSemaphoreW 3 Threading;
    kernel32::tls => TlsAlloc 0 Threading;
    kernel32::tls => TlsGetValue 1 Threading;
    kernel32::tls => TlsSetValue 2 Threading;
    kernel32::tls => TlsFree 1 Threading;
    kernel32::wide => MultiByteToWideChar 6 Globalization;
    kernel32::wide => WideCharToMultiByte 8 Globalization;
    kernel32::wide => GetACP 0 Globalization;
    kernel32::pages => VirtualAlloc 4 Memory;
    kernel32::pages => VirtualFree 3 Memory;
    kernel32::pages => VirtualProtect 4 Memory;
    kernel32::pages => VirtualLock 2 Memory;
    kernel32::pages => VirtualUnlock 2 Memory;
    kernel32::calendar => GetSystemTime 1 SystemInformation;
    kernel32::calendar => GetLocalTime 1 SystemInformation;
    kernel32::calendar => GetSystemTimePreciseAsFileTime 1 SystemInformation;
    kernel32::calendar => SystemTimeToFileTime 2 Time;
    kernel32::calendar => FileTimeToSystemTime 2 Time;
    kernel32::calendar => FileTimeToLocalFileTime 2 none;
    kernel32::calendar => LocalFileTimeToFileTime 2 none;
    kernel32::calendar => CompareFileTime 2 none;
    kernel32::calendar => QueryUnbiasedInterruptTime 1 WindowsProgramming;
    kernel32::calendar => timeGetTime 0 Media;
    kernel32::calendar => timeBeginPeriod 1 Media;
    kernel32::calendar => timeEndPeriod 1 Media;
    kernel32::calendar => timeGetDevCaps 2 Media;
    kernel32::process => GetModuleHandleA 1 LibraryLoader;
    kernel32::process => GetModuleHandleW 1 LibraryLoader;
    kernel32::process => GetModuleFileNameA 3 LibraryLoader;
    kernel32::process => GetModuleFileNameW 3 LibraryLoader;
    kernel32::process => GetCommandLineA 0 Environment;
    kernel32::process => GetCommandLineW 0 Environment;
    kernel32::process => GetEnvironmentVariableA 3 Environment;
    kernel32::process => GetEnvironmentVariableW 3 Environment;
    kernel32::process => SetEnvironmentVariableA 2 Environment;
    kernel32::process => SetEnvironmentVariableW 2 Environment;
    kernel32::process => IsDebuggerPresent 0 Debug;
    kernel32::process => DebugBreak 0 Debug;
    kernel32::thread => GetThreadId 1 Threading;
    kernel32::thread => _beginthread 3 none;
    kernel32::thread => SetThreadAffinityMask 2 Threading;
    kernel32::thread => GetProcessAffinityMask 3 Threading;
    kernel32::thread => SetProcessAffinityMask 2 Threading;
    kernel32::thread => GetCurrentProcessorNumber 0 Threading;
    kernel32::thread => SetThreadDescription 2 Threading;
    kernel32::conio => _kbhit 0 none;
    kernel32::conio => _getch 0 none;
    kernel32::conio => _getche 0 none;
    kernel32::conio => _ungetch 1 none;
    kernel32::thread => TerminateThread 2 Threading;
    kernel32::version => VerSetConditionMask 3 SystemInformation;
    kernel32::version => VerifyVersionInfoA 3 SystemInformation;
    kernel32::version => VerifyVersionInfoW 3 SystemInformation;
    bcrypt => BCryptGenRandom 4 Cryptography;
    ntdll::device => NtDeviceIoControlFile 10 NativeIo;
    ntdll::device => NtCancelIoFile 2 none;
    ntdll::device => NtCancelIoFileEx 3 NativeFiles;
    ntdll::keyed_event => NtCreateKeyedEvent 4 none;
    ntdll::keyed_event => NtWaitForKeyedEvent 4 none;
    ntdll::keyed_event => NtReleaseKeyedEvent 4 none;
    ntdll::object => NtCreateFile 11 NativeFiles;
    ntdll::object => NtOpenFile 6 NativeFiles;
    ntdll::object => NtClose 1 Native;
    ntdll::object => RtlNtStatusToDosError 1 Foundation;
    ntdll::object => NtQuerySystemTime 1 NativeSystem;
    ntdll::port => NtCreateIoCompletion 4 none;
    ntdll::port => NtSetIoCompletion 5 none;
    ntdll::port => NtRemoveIoCompletion 5 none;
    ntdll::port => NtRemoveIoCompletionEx 6 none;
    kernel32::child => _spawnv 3 none;
    kernel32::child => _spawnve 4 none;
    kernel32::child => _spawnvp 3 none;
    kernel32::child => _spawnvpe 4 none;
    kernel32::child => _cwait 3 none;
    kernel32::descriptor => _get_osfhandle 1 none;
    kernel32::descriptor => _open_osfhandle 2 none;
    kernel32::mapping => CreateFileMappingA 6 Memory;
    kernel32::mapping => CreateFileMappingW 6 Memory;
    kernel32::mapping => MapViewOfFile 5 none;
    kernel32::mapping => UnmapViewOfFile 1 none;
    kernel32::mapping => OpenFileMappingA 3 Memory;
    kernel32::mapping => OpenFileMappingW 3 Memory;
    kernel32::mapping => MapViewOfFileEx 6 none;
    kernel32::version => GetVersionExA 1 SystemInformation;
    kernel32::version => GetVersionExW 1 SystemInformation;
    kernel32::zone => GetTimeZoneInformation 1 Time;
    kernel32::file_facts => GetFileInformationByHandle 2 FileSystem;
    kernel32::place => GetCurrentDirectoryA 2 Environment;
    kernel32::place => GetCurrentDirectoryW 2 Environment;
    kernel32::place => SetCurrentDirectoryA 1 Environment;
    kernel32::place => SetCurrentDirectoryW 1 Environment;
    kernel32::place => GetDiskFreeSpaceA 5 FileSystem;
    kernel32::place => GetDiskFreeSpaceW 5 FileSystem;
    kernel32::place => GetDiskFreeSpaceExA 4 FileSystem;
    kernel32::place => GetDiskFreeSpaceExW 4 FileSystem;
    service => StartServiceCtrlDispatcherA 1 Services;
    service => StartServiceCtrlDispatcherW 1 Services;
    service => RegisterServiceCtrlHandlerA 2 Services;
    service => RegisterServiceCtrlHandlerW 2 Services;
    service => RegisterServiceCtrlHandlerExA 3 Services;
    service => RegisterServiceCtrlHandlerExW 3 Services;
    service => SetServiceStatus 2 Services;
    event_log => RegisterEventSourceA 2 EventLog;
    event_log => RegisterEventSourceW 2 EventLog;
    event_log => DeregisterEventSource 1 EventLog;
    event_log => ReportEventA 9 EventLog;
    event_log => ReportEventW 9 EventLog;
    kernel32::misc => FreeConsole 0 Console;
    kernel32::temp_name => GetTempFileNameA 4 FileSystem;
    kernel32::temp_name => GetTempFileNameW 4 FileSystem;
    kernel32::library => LoadLibraryA 1 LibraryLoader;
    kernel32::library => LoadLibraryW 1 LibraryLoader;
    kernel32::library => LoadLibraryExA 3 LibraryLoader;
    kernel32::library => LoadLibraryExW 3 LibraryLoader;
    kernel32::library => FreeLibrary 1 Foundation;
    kernel32::library => GetProcAddress 2 LibraryLoader;
    kernel32::library => GetSystemDirectoryA 2 SystemInformation;
    kernel32::library => GetSystemDirectoryW 2 SystemInformation;
    kernel32::library => GetVersion 0 SystemInformation;
    advapi32 => CryptAcquireContextA 5 Cryptography;
    advapi32 => CryptAcquireContextW 5 Cryptography;
    advapi32 => CryptGenRandom 3 Cryptography;
    advapi32 => CryptReleaseContext 2 Cryptography;
    iphlpapi => GetAdaptersAddresses 5 IpHelper;
    iphlpapi => GetNetworkParams 2 IpHelper;
    iphlpapi::connections => GetTcpTable 3 IpHelper;
    iphlpapi::connections => GetTcpTable2 3 IpHelper;
    iphlpapi::connections => GetTcp6Table 3 IpHelper;
    iphlpapi::connections => GetTcp6Table2 3 IpHelper;
    iphlpapi::connections => GetExtendedTcpTable 6 IpHelper;
    iphlpapi::connections => GetUdpTable 3 IpHelper;
    iphlpapi::connections => GetUdp6Table 3 IpHelper;
    iphlpapi::connections => GetExtendedUdpTable 6 IpHelper;
    iphlpapi::connections => SetTcpEntry 1 IpHelper;
    iphlpapi::connections => GetTcpStatistics 1 IpHelper;
    iphlpapi::connections => GetTcpStatisticsEx 2 IpHelper;
    iphlpapi::connections => GetUdpStatistics 1 IpHelper;
    iphlpapi::connections => GetUdpStatisticsEx 2 IpHelper;
    iphlpapi::older => GetIpAddrTable 3 IpHelper;
    iphlpapi::older => GetAdaptersInfo 2 IpHelper;
    iphlpapi::older => GetNumberOfInterfaces 1 IpHelper;
    iphlpapi::older => GetBestInterface 2 IpHelper;
    iphlpapi::older => GetBestInterfaceEx 2 IpHelper;
    iphlpapi => if_nametoindex 1 IpHelper;
    iphlpapi => if_indextoname 2 IpHelper;
    advapi32 => SystemFunction036 2 none;
    kernel32::directory => CreateDirectoryA 2 FileSystem;
    kernel32::directory => CreateDirectoryW 2 FileSystem;
    kernel32::directory => RemoveDirectoryA 1 FileSystem;
    kernel32::directory => RemoveDirectoryW 1 FileSystem;
    kernel32::directory => FindFirstFileA 2 FileSystem;
    kernel32::directory => FindFirstFileW 2 FileSystem;
    kernel32::directory => FindNextFileA 2 FileSystem;
    kernel32::directory => FindNextFileW 2 FileSystem;
    kernel32::directory => FindClose 1 FileSystem;
    kernel32::directory => GetFileAttributesExA 3 FileSystem;
    kernel32::directory => GetFileAttributesExW 3 FileSystem;
    kernel32::fls => FlsAlloc 1 Threading;
    kernel32::fls => FlsGetValue 1 Threading;
    kernel32::fls => FlsSetValue 2 Threading;
    kernel32::fls => FlsFree 1 Threading;
    kernel32::rename => MoveFileA 2 FileSystem;
    kernel32::rename => MoveFileW 2 FileSystem;
    kernel32::rename => MoveFileExA 3 FileSystem;
    kernel32::rename => MoveFileExW 3 FileSystem;
    kernel32::rename => CopyFileA 3 FileSystem;
    kernel32::rename => CopyFileW 3 FileSystem;
    kernel32::rename => GetLongPathNameA 3 FileSystem;
    kernel32::rename => GetLongPathNameW 3 FileSystem;
    kernel32::file_lock => LockFile 5 FileSystem;
    kernel32::file_lock => LockFileEx 6 FileSystem;
    kernel32::file_lock => UnlockFile 5 FileSystem;
    kernel32::file_lock => UnlockFileEx 5 FileSystem;
    kernel32::file_time => GetFileTime 4 FileSystem;
    kernel32::file_time => SetFileTime 4 FileSystem;
    kernel32::file_time => GetFullPathNameA 4 FileSystem;
    kernel32::file_time => GetFullPathNameW 4 FileSystem;
    kernel32::thread => GetThreadTimes 5 Threading;
    kernel32::thread => GetProcessTimes 5 Threading;
    kernel32::thread => IsWow64Process 2 Threading;
    kernel32::child => CreateProcessA 10 Threading;
    kernel32::child => CreateProcessW 10 Threading;
    kernel32::child => GetStartupInfoA 1 Threading;
    kernel32::child => GetStartupInfoW 1 Threading;
    kernel32::child => GetExitCodeProcess 2 Threading;
    kernel32::child => TerminateProcess 2 Threading;
    kernel32::child => OpenProcess 3 Threading;
    kernel32::child => GetProcessId 1 Threading;
    kernel32::exception => SetUnhandledExceptionFilter 1 none;
    kernel32::pipe => CreatePipe 4 Pipes;
    kernel32::pipe => PeekNamedPipe 6 Pipes;
    kernel32::named_pipe => CreateNamedPipeA 8 Pipes;
    kernel32::named_pipe => CreateNamedPipeW 8 Pipes;
    kernel32::named_pipe => ConnectNamedPipe 2 Pipes;
    kernel32::named_pipe => DisconnectNamedPipe 1 Pipes;
    kernel32::named_pipe => WaitNamedPipeA 2 Pipes;
    kernel32::named_pipe => WaitNamedPipeW 2 Pipes;
    kernel32::named_pipe => SetNamedPipeHandleState 4 Pipes;
    kernel32::named_pipe => GetNamedPipeHandleStateA 7 Pipes;
    kernel32::named_pipe => GetNamedPipeHandleStateW 7 Pipes;
    kernel32::named_pipe => GetNamedPipeInfo 5 Pipes;
    kernel32::named_pipe => GetNamedPipeClientProcessId 2 Pipes;
    kernel32::named_pipe => GetNamedPipeServerProcessId 2 Pipes;
    kernel32::named_pipe::exchange => TransactNamedPipe 7 Pipes;
    kernel32::named_pipe::exchange => CallNamedPipeA 7 Pipes;
    kernel32::named_pipe::exchange => CallNamedPipeW 7 Pipes;
    kernel32::standard => GetStdHandle 1 Console;
    kernel32::standard => SetStdHandle 2 Console;
    kernel32::screen => GetConsoleMode 2 Console;
    kernel32::screen => SetConsoleMode 2 Console;
    kernel32::screen => GetConsoleScreenBufferInfo 2 Console;
    kernel32::screen => SetConsoleTextAttribute 2 Console;
    kernel32::screen => WriteConsoleA 5 Console;
    kernel32::screen => WriteConsoleW 5 Console;
}

/// Exports without a row above.
const NO_SIGNATURE: &[(&str, &str)] = &[
    ("ExitProcess", "does not return, and stable Rust cannot look into such a type"),
    ("ExitThread", "does not return, and stable Rust cannot look into such a type"),
    ("_endthread", "does not return, and stable Rust cannot look into such a type"),
    ("_endthreadex", "does not return, and stable Rust cannot look into such a type"),
    ("linsock_panic_in_next_call", "not Windows'"),
    ("linsock_printf", "takes as many arguments as C passes"),
    ("linsock_fprintf", "takes as many arguments as C passes"),
    ("linsock_sprintf", "takes as many arguments as C passes"),
    ("linsock_snprintf", "takes as many arguments as C passes"),
    ("linsock_short_printf", "takes as many arguments as C passes"),
    ("linsock_short_fprintf", "takes as many arguments as C passes"),
    ("linsock_short_sprintf", "takes as many arguments as C passes"),
    ("linsock_short_snprintf", "takes as many arguments as C passes"),
    ("linsock_short_scanf", "takes as many arguments as C passes"),
    ("linsock_short_fscanf", "takes as many arguments as C passes"),
    ("linsock_short_sscanf", "takes as many arguments as C passes"),
    ("linsock_scanf", "takes as many arguments as C passes"),
    ("linsock_fscanf", "takes as many arguments as C passes"),
    ("linsock_sscanf", "takes as many arguments as C passes"),
];

#[test]
fn every_export_has_a_row_in_the_table_of_signatures() {
    let rows: BTreeSet<_> = compared().iter().map(|row| row.name).collect();
    let exceptions: BTreeSet<_> = NO_SIGNATURE.iter().map(|(name, _)| *name).collect();
    let mut wrong = Vec::new();
    for export in surface::exports() {
        let name = export.name.as_str();
        if rows.contains(name) == exceptions.contains(name) {
            wrong.push(export.name);
        }
    }
    assert!(wrong.is_empty(), "neither a row nor an exception, or both: {wrong:?}");
}

#[test]
fn functions_are_called_as_windows_sys_calls_them() {
    for row in compared() {
        let Some(windows) = row.windows else { continue };
        assert_eq!(row.ours, windows, "{}: octets of the result and of each argument", row.name);
    }
}

/// The widths of a declared function, as a C program prints them.
fn width_statement(declaration: &surface::Declaration) -> String {
    let width = |c_type: &String| match c_type.as_str() {
        "void" => " 0".to_owned(),
        // Not among those that are compared.
        "..." => String::new(),
        // An array, which is passed by its address.
        "__builtin_va_list" => " 8".to_owned(),
        _ => format!(" %u\", (unsigned)sizeof({c_type})); printf(\""),
    };
    let types = [&declaration.result].into_iter().chain(&declaration.parameters);
    let widths: String = types.map(width).collect();
    format!("printf(\"{}{widths}\\n\");\n", declaration.symbol)
}

#[test]
fn functions_are_called_as_the_headers_declare_them() {
    let symbols: BTreeMap<_, _> =
        surface::exports().into_iter().map(|export| (export.symbol, export.name)).collect();
    let ours: BTreeMap<_, _> = compared().into_iter().map(|row| (row.name, row.ours)).collect();
    let statements: String = surface::declarations(true).iter().map(width_statement).collect();
    let mut seen = 0;
    for line in surface::printed(true, &statements).lines() {
        let mut words = line.split(' ');
        let symbol = words.next().expect("a symbol");
        let declared: Vec<usize> = words.map(|word| word.parse().expect("a width")).collect();
        let Some(ours) = symbols.get(symbol).and_then(|name| ours.get(name.as_str())) else {
            continue;
        };
        assert_eq!(ours, &declared, "{symbol}: octets of the result and of each argument");
        seen += 1;
    }
    assert!(seen > 80, "only {seen} declarations were compared");
}

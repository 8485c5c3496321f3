//! The structures of iptypes.h, of which only the offsets are used: they are laid out in octets.
//! Compared with `windows-sys` by a test.

/// A SOCKET_ADDRESS.
#[repr(C)]
pub struct SOCKET_ADDRESS {
    /// Where it is.
    pub lpSockaddr: *mut u8,
    /// Octets.
    pub iSockaddrLength: i32,
}

/// The beginning of every list of addresses.
#[repr(C)]
pub struct ADDRESS_HEAD {
    /// Octets of the structure.
    pub Length: u32,
    /// Flags, or reserved.
    pub Flags: u32,
    /// The next of the list.
    pub Next: *mut u8,
    /// The address.
    pub Address: SOCKET_ADDRESS,
}

/// An address of an adapter.
#[repr(C)]
pub struct IP_ADAPTER_UNICAST_ADDRESS {
    /// As in every list.
    pub Head: ADDRESS_HEAD,
    /// An NL_PREFIX_ORIGIN.
    pub PrefixOrigin: u32,
    /// An NL_SUFFIX_ORIGIN.
    pub SuffixOrigin: u32,
    /// An NL_DAD_STATE.
    pub DadState: u32,
    /// Seconds.
    pub ValidLifetime: u32,
    /// Seconds.
    pub PreferredLifetime: u32,
    /// Seconds.
    pub LeaseLifetime: u32,
    /// Bits.
    pub OnLinkPrefixLength: u8,
}

/// A prefix of an adapter.
#[repr(C)]
pub struct IP_ADAPTER_PREFIX {
    /// As in every list.
    pub Head: ADDRESS_HEAD,
    /// Bits.
    pub PrefixLength: u32,
}

/// An adapter.
#[repr(C)]
pub struct IP_ADAPTER_ADDRESSES {
    /// Octets of the structure.
    pub Length: u32,
    /// The number of the interface for IPv4.
    pub IfIndex: u32,
    /// The next adapter.
    pub Next: *mut u8,
    /// Its name.
    pub AdapterName: *mut u8,
    /// A list.
    pub FirstUnicastAddress: *mut u8,
    /// A list.
    pub FirstAnycastAddress: *mut u8,
    /// A list.
    pub FirstMulticastAddress: *mut u8,
    /// A list.
    pub FirstDnsServerAddress: *mut u8,
    /// In UTF-16.
    pub DnsSuffix: *mut u16,
    /// In UTF-16.
    pub Description: *mut u16,
    /// In UTF-16.
    pub FriendlyName: *mut u16,
    /// The address of the link.
    pub PhysicalAddress: [u8; 8],
    /// Octets of it.
    pub PhysicalAddressLength: u32,
    /// IP_ADAPTER_ and so on.
    pub Flags: u32,
    /// Octets of the largest packet.
    pub Mtu: u32,
    /// IF_TYPE_ and so on.
    pub IfType: u32,
    /// An IF_OPER_STATUS.
    pub OperStatus: u32,
    /// The number of the interface for IPv6.
    pub Ipv6IfIndex: u32,
    /// By the scopes of IPv6.
    pub ZoneIndices: [u32; 16],
    /// A list.
    pub FirstPrefix: *mut u8,
    /// Bits per second.
    pub TransmitLinkSpeed: u64,
    /// Bits per second.
    pub ReceiveLinkSpeed: u64,
    /// A list.
    pub FirstWinsServerAddress: *mut u8,
    /// A list.
    pub FirstGatewayAddress: *mut u8,
    /// Of routes.
    pub Ipv4Metric: u32,
    /// Of routes.
    pub Ipv6Metric: u32,
    /// A NET_LUID.
    pub Luid: u64,
    /// A server.
    pub Dhcpv4Server: SOCKET_ADDRESS,
    /// A compartment.
    pub CompartmentId: u32,
    /// A network.
    pub NetworkGuid: [u32; 4],
    /// A NET_IF_CONNECTION_TYPE.
    pub ConnectionType: u32,
    /// A TUNNEL_TYPE.
    pub TunnelType: u32,
    /// A server.
    pub Dhcpv6Server: SOCKET_ADDRESS,
    /// An identifier.
    pub Dhcpv6ClientDuid: [u8; 130],
    /// Octets of it.
    pub Dhcpv6ClientDuidLength: u32,
    /// An identifier.
    pub Dhcpv6Iaid: u32,
    /// A list.
    pub FirstDnsSuffix: *mut u8,
}

/// An IPv4 address as text, in a list.
#[repr(C)]
pub struct IP_ADDR_STRING {
    /// The next of the list.
    pub Next: *mut u8,
    /// The address.
    pub IpAddress: [u8; 16],
    /// The mask.
    pub IpMask: [u8; 16],
    /// A number of the system's.
    pub Context: u32,
}

/// What GetNetworkParams tells.
#[repr(C)]
pub struct FIXED_INFO {
    /// Without the domain.
    pub HostName: [u8; 132],
    /// The domain.
    pub DomainName: [u8; 132],
    /// Reserved.
    pub CurrentDnsServer: *mut u8,
    /// The first of the list.
    pub DnsServerList: IP_ADDR_STRING,
    /// BROADCAST_NODETYPE and so on.
    pub NodeType: u32,
    /// A scope of NetBIOS.
    pub ScopeId: [u8; 260],
    /// Whether the host forwards packets.
    pub EnableRouting: u32,
    /// Whether the host is a proxy of ARP.
    pub EnableProxy: u32,
    /// Whether names are asked of servers.
    pub EnableDns: u32,
}

/// An adapter, as the older function has it.
#[repr(C)]
pub struct IP_ADAPTER_INFO {
    /// The next adapter.
    pub Next: *mut u8,
    /// Reserved.
    pub ComboIndex: u32,
    /// Its name.
    pub AdapterName: [u8; 260],
    /// What it is.
    pub Description: [u8; 132],
    /// Octets of the link's address.
    pub AddressLength: u32,
    /// The link's address.
    pub Address: [u8; 8],
    /// The number of the interface.
    pub Index: u32,
    /// MIB_IF_TYPE_ and so on.
    pub Type: u32,
    /// Whether DHCP is used.
    pub DhcpEnabled: u32,
    /// Reserved.
    pub CurrentIpAddress: *mut u8,
    /// The first of the list.
    pub IpAddressList: IP_ADDR_STRING,
    /// The first of the list.
    pub GatewayList: IP_ADDR_STRING,
    /// A server.
    pub DhcpServer: IP_ADDR_STRING,
    /// Whether WINS is used.
    pub HaveWins: i32,
    /// A server.
    pub PrimaryWinsServer: IP_ADDR_STRING,
    /// A server.
    pub SecondaryWinsServer: IP_ADDR_STRING,
    /// A time.
    pub LeaseObtained: i64,
    /// A time.
    pub LeaseExpires: i64,
}

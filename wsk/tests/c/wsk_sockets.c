/*
 * Registration, categories, call order, receives with flags, datagrams, options, cancelled calls. Sources: the pages (D),
 * Wine's test on Windows (T driver_netio), choices.
 */
#include "wsk_check.h"

static void registrations(void)
{
    WSK_REGISTRATION own;
    WSK_PROVIDER_NPI npi;
    WSK_CLIENT_NPI client;
    WSK_PROVIDER_CHARACTERISTICS characteristics;
    static const WSK_CLIENT_DISPATCH future = {MAKE_WSK_VERSION(2, 0), 0, NULL};
    struct call call;

    client.ClientContext = NULL;
    client.Dispatch = &future;
    CHECK_EQ(WskRegister(&client, &own), STATUS_SUCCESS, "D WskRegister");
    CHECK_EQ(WskCaptureProviderNPI(&own, WSK_NO_WAIT, &npi), STATUS_NOINTERFACE, "D WskCaptureProviderNPI");
    CHECK_EQ(WskQueryProviderCharacteristics(&own, &characteristics), STATUS_SUCCESS, "D WskQueryProviderCharacteristics");
    CHECK(characteristics.LowestVersion <= MAKE_WSK_VERSION(1, 0) && characteristics.HighestVersion >= MAKE_WSK_VERSION(1, 0),
          "D WskQueryProviderCharacteristics");
    WskDeregister(&own);
    CHECK_EQ(WskRegister(NULL, &own), STATUS_INVALID_PARAMETER, "choice: null");
    CHECK_EQ(provider.Dispatch->WskSocket(NULL, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, NULL,
                                          NULL, NULL, NULL),
             STATUS_INVALID_HANDLE, "T driver_netio: no client");
    CHECK_EQ(provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, NULL,
                                          NULL, NULL, NULL, NULL, NULL),
             STATUS_INVALID_PARAMETER, "T driver_netio: no IRP");
    CHECK(!NT_SUCCESS(RUN(&call, provider.Dispatch->WskSocket(provider.Client, 99, SOCK_STREAM, IPPROTO_TCP,
                                                              WSK_FLAG_CONNECTION_SOCKET, NULL, NULL, NULL, NULL, NULL,
                                                              call.irp))),
          "choice: an unknown family");
    CHECK_EQ(call.information, 0, "D using IRPs");
}

static void call_order(void)
{
    PWSK_SOCKET socket = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL), other;
    struct sockaddr_in at = loopback(9), any = loopback(0), name;
    struct call call;
    char octet;
    SIZE_T got;

    CHECK_EQ(RUN(&call, CONNECTION(socket)->WskConnect(socket, (PSOCKADDR)&at, 0, call.irp)), STATUS_INVALID_DEVICE_STATE,
             "T driver_netio: connect before bind");
    CHECK_EQ(call.returned, STATUS_INVALID_DEVICE_STATE, "T driver_netio: the return value too");
    CHECK_EQ(RUN(&call, CONNECTION(socket)->WskGetLocalAddress(socket, (PSOCKADDR)&name, call.irp)),
             STATUS_INVALID_DEVICE_STATE, "D WskGetLocalAddress: not bound");
    CHECK_EQ(RUN(&call, CONNECTION(socket)->WskGetRemoteAddress(socket, (PSOCKADDR)&name, call.irp)),
             STATUS_INVALID_DEVICE_STATE, "D WskGetRemoteAddress: not connected");
    CHECK_EQ(send_all(socket, "x", 1), STATUS_INVALID_DEVICE_STATE, "choice: not connected");
    CHECK_EQ(receive(socket, &octet, 1, &got), STATUS_INVALID_DEVICE_STATE, "choice: not connected");
    bind_socket(socket);
    CHECK_EQ(RUN(&call, CONNECTION(socket)->WskBind(socket, (PSOCKADDR)&any, 0, call.irp)), STATUS_INVALID_DEVICE_STATE,
             "choice: bound already");
    CHECK_EQ(RUN(&call, CONNECTION(socket)->WskGetLocalAddress(socket, (PSOCKADDR)&name, call.irp)), STATUS_SUCCESS, "D");
    CHECK(name.sin_port != 0 && name.sin_family == AF_INET, "D WskGetLocalAddress");
    other = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    CHECK_EQ(RUN(&call, CONNECTION(other)->WskBind(other, (PSOCKADDR)&name, 0, call.irp)), STATUS_ADDRESS_ALREADY_ASSOCIATED,
             "T driver_netio: the address is used");
    CHECK_EQ(RUN(&call, CONNECTION(socket)->WskConnect(socket, (PSOCKADDR)&name, 1, call.irp)), STATUS_INVALID_PARAMETER,
             "D WskConnect: Flags is reserved");
    close_socket(other);
    /* Somebody is bound there, and nobody listens. */
    other = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    bind_socket(other);
    CHECK_EQ(RUN(&call, CONNECTION(other)->WskConnect(other, (PSOCKADDR)&name, 0, call.irp)), STATUS_CONNECTION_REFUSED,
             "D WskConnect");
    close_socket(other);
    close_socket(socket);
}

/* A stream socket becomes a listener or a connection. */
static void streams(void)
{
    PWSK_SOCKET listener = socket_of(WSK_FLAG_STREAM_SOCKET, NULL, NULL), client = socket_of(WSK_FLAG_STREAM_SOCKET, NULL, NULL);
    PWSK_SOCKET server;
    struct sockaddr_in any = loopback(0), at, local, remote, own;
    struct call call, accepting;
    char first[] = "first", octets[8];
    WSK_BUF buffer = buffer_of(first, 5);
    SIZE_T got;

    CHECK_EQ(RUN(&call, STREAM(listener)->WskListen(listener, call.irp)), STATUS_INVALID_DEVICE_STATE, "D WskListen: not bound");
    REQUIRE(RUN(&call, STREAM(listener)->WskBind(listener, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    CHECK_EQ(RUN(&call, STREAM(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, call.irp)),
             STATUS_INVALID_DEVICE_STATE, "D WskAccept: it does not listen");
    CHECK_EQ(RUN(&call, STREAM(listener)->WskListen(listener, call.irp)), STATUS_SUCCESS, "D WskListen");
    REQUIRE(RUN(&call, STREAM(listener)->WskGetLocalAddress(listener, (PSOCKADDR)&at, call.irp)) == STATUS_SUCCESS);
    START(&accepting, STREAM(listener)->WskAccept(listener, 0, NULL, NULL, (PSOCKADDR)&local, (PSOCKADDR)&remote,
                                                  accepting.irp));
    REQUIRE(RUN(&call, STREAM(client)->WskBind(client, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    CHECK_EQ(RUN(&call, STREAM(client)->WskConnectEx(client, (PSOCKADDR)&at, &buffer, 0, call.irp)), STATUS_SUCCESS,
             "D WskConnectEx");
    CHECK_EQ(call_end(&accepting), STATUS_SUCCESS, "D WskAccept");
    server = (PWSK_SOCKET)accepting.information;
    CHECK_EQ(RUN(&call, STREAM(client)->WskGetLocalAddress(client, (PSOCKADDR)&own, call.irp)), STATUS_SUCCESS, "setup");
    CHECK(remote.sin_port == own.sin_port && local.sin_port == at.sin_port, "D WskAccept: the addresses");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "D WskConnectEx: the buffer");
    CHECK(got == 5 && memcmp(octets, "first", 5) == 0, "D WskConnectEx: the buffer");
    CHECK_EQ(RUN(&call, STREAM(client)->WskConnectEx(client, (PSOCKADDR)&at, NULL, 0, call.irp)), STATUS_INVALID_DEVICE_STATE,
             "D: committed to its role");
    IoFreeMdl(buffer.Mdl);
    close_socket(client);
    close_socket(server);
    close_socket(listener);
}

static void receives(void)
{
    PWSK_SOCKET client, server;
    char octets[16];
    WSK_BUF buffer = buffer_of(octets, 8), none;
    struct call call;
    SIZE_T got;

    pair(&client, &server);
    START(&call, CONNECTION(server)->WskReceive(server, &buffer, WSK_FLAG_WAITALL, call.irp));
    CHECK_EQ(send_all(client, "1234", 4), STATUS_SUCCESS, "setup");
    CHECK(!call_is_over(&call, 50), "D WskReceive: WSK_FLAG_WAITALL");
    CHECK_EQ(send_all(client, "5678", 4), STATUS_SUCCESS, "setup");
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, "D WskReceive: WSK_FLAG_WAITALL");
    CHECK(call.information == 8 && memcmp(octets, "12345678", 8) == 0, "D WskReceive: WSK_FLAG_WAITALL");
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskReceive(server, &buffer, WSK_FLAG_DRAIN, call.irp)), STATUS_INVALID_PARAMETER,
             "D WskReceive: WSK_FLAG_DRAIN wants no buffer");
    memset(&none, 0, sizeof none);
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskReceive(server, &none, WSK_FLAG_DRAIN | WSK_FLAG_WAITALL, call.irp)),
             STATUS_INVALID_PARAMETER, "D WskReceive: they exclude each other");
    START(&call, CONNECTION(server)->WskReceive(server, &none, WSK_FLAG_DRAIN, call.irp));
    CHECK_EQ(send_all(client, "nobody reads this", 17), STATUS_SUCCESS, "setup");
    CHECK(!call_is_over(&call, 50), "D WskReceive: WSK_FLAG_DRAIN");
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, "setup");
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, "D WskReceive: WSK_FLAG_DRAIN ends with the peer's disconnect");
    close_socket(client);
    close_socket(server);
    /* The end comes early. */
    pair(&client, &server);
    START(&call, CONNECTION(server)->WskReceive(server, &buffer, WSK_FLAG_WAITALL, call.irp));
    CHECK_EQ(send_all(client, "123", 3), STATUS_SUCCESS, "setup");
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, "setup");
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, "D WskReceive: fewer octets");
    CHECK_EQ(call.information, 3, "D WskReceive: fewer octets");
    close_socket(client);
    close_socket(server);
    /* A buffer that is longer than its MDL stops a Windows machine. */
    pair(&client, &server);
    buffer.Length = 9;
    got = linsock_wsk_misuses();
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp)), STATUS_INVALID_PARAMETER,
             "T driver_netio: the WSK_BUF is longer than the MDL");
    CHECK_EQ(linsock_wsk_misuses(), got + 1, "choice: it is reported");
    IoFreeMdl(buffer.Mdl);
    close_socket(client);
    close_socket(server);
}

static void cancelled(void)
{
    struct sockaddr_in at;
    PWSK_SOCKET listener = listener_with(NULL, NULL, &at), client, server;
    char octet;
    WSK_BUF buffer = buffer_of(&octet, 1);
    struct call call, another, third;

    START(&call, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, call.irp));
    CHECK(IoCancelIrp(call.irp), "D IoCancelIrp");
    CHECK_EQ(call_end(&call), STATUS_CANCELLED, "D IoCancelIrp: WskAccept");
    CHECK_EQ(call.information, 0, "T driver_netio");
    START(&call, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, call.irp));
    START(&another, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, another.irp));
    call_begin(&third);
    IoCancelIrp(third.irp);
    third.returned = LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, third.irp);
    CHECK_EQ(call_end(&third), STATUS_CANCELLED, "choice: who is handed a cancelled IRP cancels it");
    close_socket(listener);
    CHECK_EQ(call_end(&call), STATUS_CANCELLED, "T driver_netio: close cancels a pending accept");
    CHECK_EQ(call_end(&another), STATUS_CANCELLED, "T driver_netio: close cancels a pending accept");
    pair(&client, &server);
    START(&call, CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp));
    CHECK(IoCancelIrp(call.irp), "D IoCancelIrp");
    CHECK_EQ(call_end(&call), STATUS_CANCELLED, "D IoCancelIrp: WskReceive");
    call_begin(&call);
    CHECK(!IoCancelIrp(call.irp), "D IoCancelIrp: nobody has it, so it has no cancel routine");
    call.returned = CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp);
    CHECK_EQ(call_end(&call), STATUS_CANCELLED, "choice: who is handed a cancelled IRP cancels it");
    CHECK_EQ(send_all(client, "x", 1), STATUS_SUCCESS, "a cancelled receive takes nothing");
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp)), STATUS_SUCCESS, "and the next has it");
    IoFreeMdl(buffer.Mdl);
    close_socket(client);
    close_socket(server);
    /* A connect to an address that does not answer: closing must not wait for it. */
    client = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    at = loopback(0);
    at.sin_addr.s_addr = 0;
    REQUIRE(RUN(&call, CONNECTION(client)->WskBind(client, (PSOCKADDR)&at, 0, call.irp)) == STATUS_SUCCESS);
    at.sin_port = RtlUshortByteSwap(9);
    at.sin_addr.s_addr = RtlUlongByteSwap(0xc0000201); /* 192.0.2.1, RFC 5737 */
    START(&call, CONNECTION(client)->WskConnect(client, (PSOCKADDR)&at, 0, call.irp));
    close_socket(client);
    CHECK(!NT_SUCCESS(call_end(&call)), "choice: a pending connect never holds a close up");
}

static void datagrams(void)
{
    PWSK_SOCKET a = socket_of(WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL), b = socket_of(WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL), listener;
    struct sockaddr_in any = loopback(0), at, own, from;
    char octets[16], data[] = "datagram";
    WSK_BUF out = buffer_of(data, 8), in = buffer_of(octets, sizeof octets), small = buffer_of(octets, 3);
    struct call call;
    ULONG control = 77;

    CHECK_EQ(RUN(&call, DATAGRAM(a)->WskSendTo(a, &out, 0, (PSOCKADDR)&any, 0, NULL, call.irp)), STATUS_INVALID_DEVICE_STATE,
             "D WskSendTo: not bound");
    REQUIRE(RUN(&call, DATAGRAM(a)->WskBind(a, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    REQUIRE(RUN(&call, DATAGRAM(b)->WskBind(b, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    REQUIRE(RUN(&call, DATAGRAM(a)->WskGetLocalAddress(a, (PSOCKADDR)&own, call.irp)) == STATUS_SUCCESS);
    REQUIRE(RUN(&call, DATAGRAM(b)->WskGetLocalAddress(b, (PSOCKADDR)&at, call.irp)) == STATUS_SUCCESS);
    CHECK_EQ(RUN(&call, DATAGRAM(a)->WskSendTo(a, &out, 0, (PSOCKADDR)&at, 0, NULL, call.irp)), STATUS_SUCCESS, "D WskSendTo");
    CHECK_EQ(call.information, 8, "D WskSendTo");
    CHECK_EQ(RUN(&call, DATAGRAM(b)->WskReceiveFrom(b, &in, 0, (PSOCKADDR)&from, &control, NULL, NULL, call.irp)),
             STATUS_SUCCESS, "D WskReceiveFrom");
    CHECK(call.information == 8 && memcmp(octets, "datagram", 8) == 0, "D WskReceiveFrom");
    CHECK_EQ(from.sin_port, own.sin_port, "D WskReceiveFrom: RemoteAddress");
    CHECK_EQ(control, 0, "D WskReceiveFrom: ControlLength");
    CHECK_EQ(RUN(&call, DATAGRAM(a)->WskSendTo(a, &out, 0, (PSOCKADDR)&at, 0, NULL, call.irp)), STATUS_SUCCESS, "setup");
    CHECK_EQ(RUN(&call, DATAGRAM(b)->WskReceiveFrom(b, &small, 0, NULL, NULL, NULL, NULL, call.irp)), STATUS_BUFFER_OVERFLOW,
             "D WskReceiveFrom: truncated");
    CHECK_EQ(call.information, 3, "D WskReceiveFrom: truncated");
    IoFreeMdl(out.Mdl);
    IoFreeMdl(in.Mdl);
    IoFreeMdl(small.Mdl);
    close_socket(a);
    close_socket(b);
    CHECK_EQ(RUN(&call, provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_LISTEN_SOCKET,
                                                     NULL, NULL, NULL, NULL, NULL, call.irp)),
             STATUS_SUCCESS, "T driver_netio: LISTEN with UDP can be made");
    listener = (PWSK_SOCKET)call.information;
    CHECK_EQ(RUN(&call, LISTEN(listener)->WskBind(listener, (PSOCKADDR)&any, 0, call.irp)), STATUS_NOT_IMPLEMENTED,
             "T driver_netio: and not be bound");
    close_socket(listener);
}

static void options(void)
{
    PWSK_SOCKET client, server;
    const WSK_PROVIDER_BASIC_DISPATCH *basic;
    ULONG value = 1, out = 0;
    SIZE_T returned = 0, backlog = 0;
    struct call call;

    pair(&client, &server);
    basic = client->Dispatch;
    CHECK_EQ(RUN(&call, basic->WskControlSocket(client, WskSetOption, 1 /* TCP_NODELAY */, IPPROTO_TCP, sizeof value, &value, 0,
                                                NULL, NULL, call.irp)),
             STATUS_SUCCESS, "D WskControlSocket");
    CHECK_EQ(RUN(&call, basic->WskControlSocket(client, WskGetOption, 1, IPPROTO_TCP, 0, NULL, sizeof out, &out, &returned,
                                                call.irp)),
             STATUS_SUCCESS, "D WskControlSocket");
    CHECK(out == 1 && call.information == returned && returned > 0, "D WskControlSocket: the octets that were given");
    CHECK_EQ(send_all(client, "12345", 5), STATUS_SUCCESS, "setup");
    CHECK_EQ(basic->WskControlSocket(server, WskIoctl, SIO_WSK_QUERY_RECEIVE_BACKLOG, 0, 0, NULL, sizeof backlog, &backlog,
                                     &returned, NULL),
             STATUS_SUCCESS, "D SIO_WSK_QUERY_RECEIVE_BACKLOG: no IRP is needed");
    CHECK_EQ(backlog, 5, "D SIO_WSK_QUERY_RECEIVE_BACKLOG");
    CHECK(!NT_SUCCESS(basic->WskControlSocket(client, WskGetOption, 0x7777, SOL_SOCKET, 0, NULL, sizeof out, &out, &returned,
                                              NULL)),
          "choice: an unknown option");
    close_socket(client);
    close_socket(server);
}

static void one_call(void)
{
    struct sockaddr_in at, any = loopback(0);
    PWSK_SOCKET listener = listener_with(NULL, NULL, &at), client, server;
    struct call call, accepting;

    START(&accepting, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, accepting.irp));
    CHECK_EQ(RUN(&call, provider.Dispatch->WskSocketConnect(provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any,
                                                            (PSOCKADDR)&at, 0, NULL, NULL, NULL, NULL, NULL, call.irp)),
             STATUS_SUCCESS, "D WskSocketConnect");
    client = (PWSK_SOCKET)call.information;
    CHECK_EQ(call_end(&accepting), STATUS_SUCCESS, "setup");
    server = (PWSK_SOCKET)accepting.information;
    CHECK_EQ(send_all(client, "x", 1), STATUS_SUCCESS, "D WskSocketConnect");
    close_socket(client);
    close_socket(server);
    close_socket(listener);
    /* Somebody is bound there, and nobody listens. */
    client = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    bind_socket(client);
    REQUIRE(RUN(&call, CONNECTION(client)->WskGetLocalAddress(client, (PSOCKADDR)&at, call.irp)) == STATUS_SUCCESS);
    CHECK_EQ(RUN(&call, provider.Dispatch->WskSocketConnect(provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any,
                                                            (PSOCKADDR)&at, 0, NULL, NULL, NULL, NULL, NULL, call.irp)),
             STATUS_CONNECTION_REFUSED, "D WskSocketConnect");
    CHECK_EQ(call.information, 0, "D WskSocketConnect");
    close_socket(client);
}

static void over_ipv6(void)
{
    struct sockaddr_in6 any, at;
    PWSK_SOCKET listener, client, server;
    struct call call, accepting;
    char octets[4];
    WSK_BUF buffer = buffer_of(octets, 4);
    ULONG length = 1, flags = 1;

    memset(&any, 0, sizeof any);
    any.sin6_family = AF_INET6;
    any.sin6_addr.s6_addr[15] = 1;
    REQUIRE(RUN(&call, provider.Dispatch->WskSocket(provider.Client, AF_INET6, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET,
                                                    NULL, NULL, NULL, NULL, NULL, call.irp)) == STATUS_SUCCESS);
    listener = (PWSK_SOCKET)call.information;
    REQUIRE(RUN(&call, LISTEN(listener)->WskBind(listener, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    REQUIRE(RUN(&call, LISTEN(listener)->WskGetLocalAddress(listener, (PSOCKADDR)&at, call.irp)) == STATUS_SUCCESS);
    START(&accepting, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, accepting.irp));
    CHECK_EQ(RUN(&call, provider.Dispatch->WskSocketConnect(provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any,
                                                            (PSOCKADDR)&at, 0, NULL, NULL, NULL, NULL, NULL, call.irp)),
             STATUS_SUCCESS, "D WskSocketConnect: IPv6");
    client = (PWSK_SOCKET)call.information;
    CHECK_EQ(call_end(&accepting), STATUS_SUCCESS, "D WskAccept: IPv6");
    server = (PWSK_SOCKET)accepting.information;
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskGetRemoteAddress(client, (PSOCKADDR)&any, call.irp)), STATUS_SUCCESS, "D");
    CHECK(any.sin6_port == at.sin6_port && any.sin6_family == AF_INET6, "D WskGetRemoteAddress");
    memcpy(octets, "six!", 4);
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskSendEx(client, &buffer, 0, 0, NULL, call.irp)), STATUS_SUCCESS, "D WskSendEx");
    memset(octets, 0, 4);
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskReceiveEx(server, &buffer, WSK_FLAG_WAITALL, &length, NULL, &flags, call.irp)),
             STATUS_SUCCESS, "D WskReceiveEx");
    CHECK(memcmp(octets, "six!", 4) == 0 && length == 0 && flags == 0, "D WskReceiveEx");
    IoFreeMdl(buffer.Mdl);
    close_socket(client);
    close_socket(server);
    close_socket(listener);
}

static void names(void)
{
    static WCHAR host[] = {'1', '2', '7', '.', '0', '.', '0', '.', '1', 0}, port[] = {'8', '0', 0};
    static WCHAR nobody[] = {'n', 'o', '.', 's', 'u', 'c', 'h', '.', 'h', 'o', 's', 't', '.', 'i', 'n', 'v', 'a', 'l', 'i', 'd', 0};
    WCHAR room[64];
    UNICODE_STRING node, service, out, small;
    ADDRINFOEXW hints, *found = NULL;
    struct sockaddr_in at = loopback(80);
    struct call call;

    RtlInitUnicodeString(&node, host);
    RtlInitUnicodeString(&service, port);
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetAddressInfo(provider.Client, &node, &service, 0, NULL, &hints, &found, NULL,
                                                             NULL, call.irp)),
             STATUS_SUCCESS, "D WskGetAddressInfo");
    REQUIRE(found != NULL);
    CHECK(found->ai_family == AF_INET && found->ai_addrlen == sizeof at, "D WskGetAddressInfo");
    CHECK(memcmp(found->ai_addr, &at, 8) == 0, "D WskGetAddressInfo: the address and the port");
    provider.Dispatch->WskFreeAddressInfo(provider.Client, found);
    RtlInitUnicodeString(&node, nobody);
    hints.ai_flags = 4; /* AI_NUMERICHOST: nobody is asked */
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetAddressInfo(provider.Client, &node, NULL, 0, NULL, &hints, &found, NULL, NULL,
                                                             call.irp)),
             STATUS_NOT_FOUND, "T driver_netio: an unknown host");
    out.Length = 0;
    out.MaximumLength = sizeof room;
    out.Buffer = room;
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetNameInfo(provider.Client, (PSOCKADDR)&at, sizeof at, &out, NULL,
                                                          2 /* NI_NUMERICHOST */, NULL, NULL, call.irp)),
             STATUS_SUCCESS, "D WskGetNameInfo");
    CHECK(out.Length == 18 && memcmp(room, host, 18) == 0, "D WskGetNameInfo");
    small = out;
    small.MaximumLength = 4;
    CHECK_EQ(RUN(&call, provider.Dispatch->WskGetNameInfo(provider.Client, (PSOCKADDR)&at, sizeof at, &small, NULL, 2, NULL,
                                                          NULL, call.irp)),
             STATUS_BUFFER_TOO_SMALL, "D WskGetNameInfo");
}

int main(void)
{
    ULONG style;

    setenv("LINSOCK_WSK_CHECK", "1", 0);
    begin();
    for (style = 0; style < 3; style++) {
        linsock_wsk_completion(style, 4711);
        registrations();
        call_order();
        streams();
        receives();
        cancelled();
        datagrams();
        options();
        one_call();
        over_ipv6();
        names();
    }
    return finish("wsk_sockets");
}

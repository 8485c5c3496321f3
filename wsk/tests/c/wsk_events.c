/*
 * Event callbacks: connections, data with every answer that a client can give, and the peer's disconnect. Sources: the
 * pages of the callbacks and "Enabling and Disabling Event Callback Functions" (D events).
 */
#include "wsk_check.h"

static const char *const EVENTS = "D events";

struct side {
    KEVENT told, ended;
    NTSTATUS answer;
    SIZE_T accept;
    char octets[256];
    SIZE_T count, last;
    LONG receives, ends;
    ULONG flags;
    PWSK_DATA_INDICATION retained;
};

static NTSTATUS WSKAPI on_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION list, SIZE_T bytes, SIZE_T *accepted)
{
    struct side *side = context;
    SIZE_T taken = side->accept < bytes ? side->accept : bytes;
    NTSTATUS answer = side->answer; /* the test goes on, and changes it, as soon as it is told */

    UNREFERENCED_PARAMETER(flags);
    CHECK(list != NULL && list->Buffer.Length == bytes, "D WskReceiveEvent: the indication");
    if (NT_SUCCESS(answer)) {
        char *data = (char *)MmGetSystemAddressForMdlSafe(list->Buffer.Mdl, NormalPagePriority);

        memcpy(side->octets + side->count, data + list->Buffer.Offset, taken);
        side->count += taken;
        if (answer == STATUS_SUCCESS && taken < bytes)
            *accepted = taken;
    }
    side->last = bytes;
    if (answer == STATUS_PENDING)
        side->retained = list;
    side->receives++;
    KeSetEvent(&side->told, 0, FALSE);
    return answer;
}

static NTSTATUS WSKAPI on_disconnect(PVOID context, ULONG flags)
{
    struct side *side = context;

    side->flags = flags;
    side->ends++;
    KeSetEvent(&side->ended, 0, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH connection_dispatch = {on_receive, on_disconnect, NULL};

static void side_init(struct side *side)
{
    memset(side, 0, sizeof *side);
    KeInitializeEvent(&side->told, SynchronizationEvent, FALSE);
    KeInitializeEvent(&side->ended, NotificationEvent, FALSE);
    side->accept = sizeof side->octets;
}

static BOOLEAN within(PKEVENT event, ULONG ms)
{
    LARGE_INTEGER time;

    time.QuadPart = -10000LL * ms;
    return (BOOLEAN)(KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &time) == STATUS_SUCCESS);
}

static NTSTATUS set_events(PWSK_SOCKET socket, ULONG mask)
{
    WSK_EVENT_CALLBACK_CONTROL control;
    const WSK_PROVIDER_BASIC_DISPATCH *basic = socket->Dispatch;

    control.NpiId = &NPI_WSK_INTERFACE_ID;
    control.EventMask = mask;
    return basic->WskControlSocket(socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, sizeof control, &control, 0, NULL,
                                   NULL, NULL);
}

static void data(void)
{
    PWSK_SOCKET client, server;
    struct side side;
    char octets[64];
    SIZE_T got;

    side_init(&side);
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(send_all(client, "quiet", 5), STATUS_SUCCESS, "setup");
    CHECK(!within(&side.told, 50), "D events: all are disabled at first");
    CHECK_EQ(set_events(server, WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    CHECK(within(&side.told, 5000), "choice: data that came before is indicated");
    CHECK(side.count == 5 && memcmp(side.octets, "quiet", 5) == 0, "D WskReceiveEvent");
    /* A part: no further events before a receive, which gets the rest. */
    side.accept = 2;
    side.count = 0;
    CHECK_EQ(send_all(client, "abcdef", 6), STATUS_SUCCESS, "setup");
    CHECK(within(&side.told, 5000), "D WskReceiveEvent");
    CHECK_EQ(side.last, 6, "D WskReceiveEvent");
    CHECK_EQ(send_all(client, "ghi", 3), STATUS_SUCCESS, "setup");
    CHECK(!within(&side.told, 50), "D WskReceiveEvent: no further events after a partial acceptance");
    side.accept = sizeof side.octets;
    side.count = 0;
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "D WskReceiveEvent");
    CHECK(got == 4 && memcmp(octets, "cdef", 4) == 0, "D WskReceiveEvent: the rest");
    CHECK(within(&side.told, 5000), "D WskReceiveEvent: events go on after the receive");
    CHECK(side.count == 3 && memcmp(side.octets, "ghi", 3) == 0, "D WskReceiveEvent");
    /* Not accepted: the same, with everything. */
    side.answer = STATUS_DATA_NOT_ACCEPTED;
    CHECK_EQ(send_all(client, "later", 5), STATUS_SUCCESS, "setup");
    CHECK(within(&side.told, 5000), "D WskReceiveEvent");
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, "setup");
    CHECK(!within(&side.ended, 50), "chimney: the FIN is indicated after all data is consumed");
    side.answer = STATUS_SUCCESS;
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "D WskReceiveEvent: STATUS_DATA_NOT_ACCEPTED");
    CHECK(got == 5 && memcmp(octets, "later", 5) == 0, "D WskReceiveEvent: STATUS_DATA_NOT_ACCEPTED");
    CHECK(within(&side.ended, 5000), "D WskDisconnectEvent");
    CHECK_EQ(side.flags & WSK_FLAG_ABORTIVE, 0, "D WskDisconnectEvent: graceful");
    CHECK_EQ(side.ends, 1, "D WskDisconnectEvent: once");
    close_socket(client);
    close_socket(server);
}

static void retained(void)
{
    PWSK_SOCKET client, server;
    struct side side;
    ULONG misuses;

    side_init(&side);
    side.answer = STATUS_PENDING;
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_RECEIVE), STATUS_SUCCESS, EVENTS);
    CHECK_EQ(send_all(client, "kept", 4), STATUS_SUCCESS, "setup");
    CHECK(within(&side.told, 5000), "D WskReceiveEvent");
    REQUIRE(side.retained != NULL);
    CHECK(memcmp(MmGetMdlVirtualAddress(side.retained->Buffer.Mdl), "kept", 4) == 0, "D WskReceiveEvent: STATUS_PENDING");
    CHECK_EQ(CONNECTION(server)->WskRelease(server, side.retained), STATUS_SUCCESS, "D WskRelease");
    misuses = linsock_wsk_misuses();
    CHECK_EQ(CONNECTION(server)->WskRelease(server, side.retained), STATUS_INVALID_PARAMETER, "choice: released already");
    CHECK_EQ(linsock_wsk_misuses(), misuses + 1, "choice: it is reported");
    CHECK_EQ(send_all(client, "lost", 4), STATUS_SUCCESS, "setup");
    CHECK(within(&side.told, 5000), "D WskReceiveEvent");
    close_socket(server);
    CHECK_EQ(linsock_wsk_misuses(), misuses + 2, "D WskCloseSocket: retained data has to be released before");
    close_socket(client);
}

static void resets(void)
{
    PWSK_SOCKET client, server;
    struct side side;

    side_init(&side);
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    CHECK_EQ(disconnect(client, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "setup");
    CHECK(within(&side.ended, 5000), "D WskDisconnectEvent");
    CHECK_EQ(side.flags & WSK_FLAG_ABORTIVE, WSK_FLAG_ABORTIVE, "D WskDisconnectEvent: abortive");
    close_socket(client);
    close_socket(server);
    /* The own disconnect is no event. */
    side_init(&side);
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    CHECK_EQ(disconnect(server, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "setup");
    CHECK(!within(&side.ended, 50), "D WskDisconnectEvent: by the remote only");
    close_socket(client);
    close_socket(server);
    /* Enabled when the FIN is there already. */
    side_init(&side);
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, "setup");
    CHECK_EQ(set_events(server, WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    CHECK(within(&side.ended, 5000), "choice: told at once");
    CHECK_EQ(side.flags & WSK_FLAG_ABORTIVE, 0, "D WskDisconnectEvent: graceful");
    close_socket(client);
    close_socket(server);
}

/* What an administrator ends (iphlpapi.h, whose types are not a driver's). The client has to know. */
unsigned SetTcpEntry(const void *row);

static void ended_from_outside(void)
{
    PWSK_SOCKET client, server;
    SOCKADDR_IN own, peer;
    struct side side;
    struct call call;
    ULONG row[5] = { 12 /* MIB_TCP_STATE_DELETE_TCB */ }, error;

    side_init(&side);
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskGetLocalAddress(server, (PSOCKADDR)&own, call.irp)), STATUS_SUCCESS, "setup");
    CHECK_EQ(RUN(&call, CONNECTION(server)->WskGetRemoteAddress(server, (PSOCKADDR)&peer, call.irp)), STATUS_SUCCESS, "setup");
    row[1] = own.sin_addr.s_addr;
    row[2] = own.sin_port;
    row[3] = peer.sin_addr.s_addr;
    row[4] = peer.sin_port;
    error = SetTcpEntry(row);
    if (error != 0) {
        printf("skipped: ended_from_outside needs CAP_NET_ADMIN\n");
    } else {
        CHECK(within(&side.ended, 5000), "choice: the end of a connection that somebody else has ended is told");
        CHECK_EQ(side.flags & WSK_FLAG_ABORTIVE, WSK_FLAG_ABORTIVE, "D WskDisconnectEvent: abortive");
    }
    close_socket(client);
    close_socket(server);
}

/* The disconnect event alone: data is for WskReceive, and the end comes behind it. */
static void the_end_alone(void)
{
    PWSK_SOCKET client, server;
    struct side side;
    char octets[8];
    SIZE_T got;

    side_init(&side);
    pair_with(&side, &connection_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    CHECK_EQ(send_all(client, "data", 4), STATUS_SUCCESS, "setup");
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, "setup");
    CHECK(!within(&side.ended, 50), "chimney: after all data is consumed");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "setup");
    CHECK_EQ(got, 4, "setup");
    CHECK(within(&side.ended, 5000), "D WskDisconnectEvent");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "choice: both tell the end");
    CHECK_EQ(got, 0, "choice: both tell the end");
    close_socket(client);
    close_socket(server);
}

/* How much is best kept on the way: told once, and again when the kernel has come to take more. */
struct backlog {
    KEVENT told;
    SIZE_T ideal;
    LONG times;
};

static NTSTATUS WSKAPI on_backlog(PVOID context, SIZE_T ideal)
{
    struct backlog *backlog = context;

    backlog->ideal = ideal;
    backlog->times++;
    KeSetEvent(&backlog->told, 0, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH backlog_dispatch = {NULL, NULL, on_backlog};

static void send_backlog(void)
{
    struct backlog backlog;
    PWSK_SOCKET client, server;
    SIZE_T ideal = 0, returned;
    ULONG room = 8192;

    memset(&backlog, 0, sizeof backlog);
    KeInitializeEvent(&backlog.told, SynchronizationEvent, FALSE);
    pair_with(&backlog, &backlog_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_SEND_BACKLOG), STATUS_SUCCESS, EVENTS);
    CHECK(within(&backlog.told, 5000), "D WskSendBacklogEvent");
    CHECK_EQ(CONNECTION(server)->Basic.WskControlSocket(server, WskIoctl, SIO_WSK_QUERY_IDEAL_SEND_BACKLOG, 0, 0, NULL,
                                                        sizeof ideal, &ideal, &returned, NULL),
             STATUS_SUCCESS, "D SIO_WSK_QUERY_IDEAL_SEND_BACKLOG");
    CHECK(ideal > 0 && ideal == backlog.ideal, "D WskSendBacklogEvent: the same figure");
    CHECK_EQ(send_all(server, "x", 1), STATUS_SUCCESS, "setup");
    CHECK(!within(&backlog.told, 50), "D WskSendBacklogEvent: only when it changes");
    CHECK_EQ(CONNECTION(server)->Basic.WskControlSocket(server, WskSetOption, SO_SNDBUF, SOL_SOCKET, sizeof room, &room, 0, NULL,
                                                        NULL, NULL),
             STATUS_SUCCESS, "setup");
    CHECK_EQ(send_all(server, "y", 1), STATUS_SUCCESS, "setup");
    CHECK(within(&backlog.told, 5000), "choice: a send finds that it has changed");
    CHECK(backlog.times == 2 && backlog.ideal < ideal, "D WskSendBacklogEvent: it has changed");
    close_socket(client);
    close_socket(server);
}

/* ---- connections ---- */

struct hall {
    KEVENT told;
    NTSTATUS answer;
    PWSK_SOCKET accepted;
    struct side side;
    struct sockaddr_in local, remote;
    WSK_INSPECT_ACTION action;
    WSK_INSPECT_ID inspected;
    KEVENT asked;
};

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote, PWSK_SOCKET accepted,
                                 PVOID *accept_context, CONST WSK_CLIENT_CONNECTION_DISPATCH **dispatch)
{
    struct hall *hall = context;
    NTSTATUS answer = hall->answer;

    UNREFERENCED_PARAMETER(flags);
    hall->accepted = accepted;
    memcpy(&hall->local, local, sizeof hall->local);
    memcpy(&hall->remote, remote, sizeof hall->remote);
    *accept_context = &hall->side;
    *dispatch = &connection_dispatch;
    KeSetEvent(&hall->told, 0, FALSE);
    return answer;
}

static WSK_INSPECT_ACTION WSKAPI on_inspect(PVOID context, PSOCKADDR local, PSOCKADDR remote, PWSK_INSPECT_ID id)
{
    struct hall *hall = context;
    WSK_INSPECT_ACTION action = hall->action;

    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    hall->inspected = *id;
    KeSetEvent(&hall->asked, 0, FALSE);
    return action;
}

static NTSTATUS WSKAPI on_abort(PVOID context, PWSK_INSPECT_ID id)
{
    struct hall *hall = context;

    CHECK(id->SerialNumber == hall->inspected.SerialNumber, "D WskAbortEvent: InspectID");
    KeSetEvent(&hall->told, 0, FALSE);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH listen_dispatch = {on_accept, on_inspect, on_abort};

static NTSTATUS connect_to(struct sockaddr_in *at, PWSK_SOCKET *client)
{
    struct call call;

    *client = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    bind_socket(*client);
    return RUN(&call, CONNECTION(*client)->WskConnect(*client, (PSOCKADDR)at, 0, call.irp));
}

static PWSK_SOCKET connected_to(struct sockaddr_in *at)
{
    PWSK_SOCKET client;

    REQUIRE(connect_to(at, &client) == STATUS_SUCCESS);
    return client;
}

/* The connection is dropped: while it is being made, or when it is there. */
static void check_dropped(struct sockaddr_in *at, PKEVENT told, const char *source)
{
    PWSK_SOCKET client;
    char octet;
    SIZE_T got;
    BOOLEAN made = NT_SUCCESS(connect_to(at, &client));

    CHECK(within(told, 5000), source);
    CHECK(!made || !NT_SUCCESS(receive(client, &octet, 1, &got)), source);
    close_socket(client);
}

static void hall_init(struct hall *hall)
{
    memset(hall, 0, sizeof *hall);
    KeInitializeEvent(&hall->told, SynchronizationEvent, FALSE);
    KeInitializeEvent(&hall->asked, SynchronizationEvent, FALSE);
    side_init(&hall->side);
}

static void accepts(void)
{
    struct hall hall;
    struct sockaddr_in at, own;
    PWSK_SOCKET listener, client, other;
    struct call call;

    hall_init(&hall);
    listener = listener_with(&hall, &listen_dispatch, &at);
    CHECK_EQ(set_events(listener, WSK_EVENT_ACCEPT | WSK_EVENT_RECEIVE | WSK_EVENT_DISCONNECT), STATUS_SUCCESS, EVENTS);
    client = connected_to(&at);
    CHECK(within(&hall.told, 5000), "D WskAcceptEvent");
    REQUIRE(hall.accepted != NULL);
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskGetLocalAddress(client, (PSOCKADDR)&own, call.irp)), STATUS_SUCCESS, "setup");
    CHECK_EQ(hall.remote.sin_port, own.sin_port, "D WskAcceptEvent: RemoteAddress");
    CHECK_EQ(hall.local.sin_port, at.sin_port, "D WskAcceptEvent: LocalAddress");
    /* Inherited, and then always on. */
    CHECK_EQ(send_all(client, "hi", 2), STATUS_SUCCESS, "setup");
    CHECK(within(&hall.side.told, 5000), "D events: connection events of a listener are inherited");
    CHECK_EQ(set_events(hall.accepted, WSK_EVENT_RECEIVE | WSK_EVENT_DISABLE), STATUS_INVALID_PARAMETER,
             "D events: inherited ones cannot be disabled");
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, "setup");
    CHECK(within(&hall.side.ended, 5000), "D events: inherited");
    close_socket(hall.accepted);
    close_socket(client);
    /* Refused: the provider drops it. */
    hall.answer = STATUS_REQUEST_NOT_ACCEPTED;
    check_dropped(&at, &hall.told, "D WskAcceptEvent: STATUS_REQUEST_NOT_ACCEPTED");
    hall.answer = STATUS_SUCCESS;
    /* A pending WskAccept takes precedence. */
    START(&call, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, call.irp));
    client = connected_to(&at);
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, "D events: a pending WskAccept takes precedence");
    other = (PWSK_SOCKET)call.information;
    CHECK(!within(&hall.told, 20), "D events: a pending WskAccept takes precedence");
    close_socket(other);
    close_socket(client);
    CHECK_EQ(set_events(listener, WSK_EVENT_ACCEPT | WSK_EVENT_DISABLE), STATUS_SUCCESS, EVENTS);
    close_socket(listener);
}

/* Winsock's, which share the table of handles with the sockets here. */
HANDLE WINAPI CreateEventW(void *security, int manual, int signaled, const void *name);
int WINAPI CloseHandle(HANDLE handle);

/* choice: a listener that could not wait for a connection, because the table of handles was full, tries again. */
static void a_full_table(void)
{
    enum { ENOUGH = 1 << 20, AHEAD = 8 /* connections are waited for before they come */, CLIENTS = AHEAD + 2 };
    HANDLE *events = calloc(ENOUGH, sizeof *events);
    SIZE_T count = 0;
    struct hall hall;
    struct sockaddr_in at;
    PWSK_SOCKET listener, clients[CLIENTS], accepted[CLIENTS];
    struct call call;
    int n;

    hall_init(&hall);
    listener = listener_with(&hall, &listen_dispatch, &at);
    CHECK_EQ(set_events(listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS, EVENTS);
    for (n = 0; n < CLIENTS; n++) {
        clients[n] = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
        bind_socket(clients[n]);
    }
    while (count < ENOUGH && (events[count] = CreateEventW(NULL, TRUE, FALSE, NULL)) != NULL)
        count++;
    CHECK(count > 0 && count < ENOUGH, "setup: the table is full");
    for (n = 0; n < CLIENTS; n++) {
        CHECK_EQ(RUN(&call, CONNECTION(clients[n])->WskConnect(clients[n], (PSOCKADDR)&at, 0, call.irp)), STATUS_SUCCESS, "setup");
        if (n == AHEAD) {
            CHECK(!within(&hall.told, 50), "choice: no handle, no connection");
            while (count > 0)
                CloseHandle(events[--count]);
        }
        REQUIRE(within(&hall.told, 5000));
        accepted[n] = hall.accepted;
    }
    for (n = 0; n < CLIENTS; n++)
        close_socket(accepted[n]);
    for (n = 0; n < CLIENTS; n++)
        close_socket(clients[n]);
    close_socket(listener);
    free(events);
}

/* choice: who asks for a connection that cannot be waited for is told; who is waited for already is not. */
static void one_that_is_waited_for(void)
{
    enum { ENOUGH = 1 << 20 };
    HANDLE *events = calloc(ENOUGH, sizeof *events);
    SIZE_T count = 0;
    struct sockaddr_in at;
    PWSK_SOCKET listener = listener_with(NULL, NULL, &at), client = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL);
    struct call first, second, call;

    bind_socket(client);
    START(&first, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, first.irp));
    while (count < ENOUGH && (events[count] = CreateEventW(NULL, TRUE, FALSE, NULL)) != NULL)
        count++;
    START(&second, LISTEN(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, second.irp));
    CHECK(!NT_SUCCESS(call_end(&second)), "choice: no handle for it");
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskConnect(client, (PSOCKADDR)&at, 0, call.irp)), STATUS_SUCCESS, "setup");
    CHECK_EQ(call_end(&first), STATUS_SUCCESS, "choice: this one was waited for");
    while (count > 0)
        CloseHandle(events[--count]);
    close_socket((PWSK_SOCKET)first.information);
    close_socket(client);
    close_socket(listener);
    free(events);
}

static void inspections(void)
{
    struct hall hall;
    struct sockaddr_in at, any = loopback(0);
    PWSK_SOCKET listener, client;
    ULONG on = 1;
    struct call call;

    hall_init(&hall);
    listener = socket_of(WSK_FLAG_LISTEN_SOCKET, &hall, &listen_dispatch);
    CHECK_EQ(LISTEN(listener)->Basic.WskControlSocket(listener, WskSetOption, 0x3002 /* SO_CONDITIONAL_ACCEPT */, SOL_SOCKET,
                                                      sizeof on, &on, 0, NULL, NULL, NULL),
             STATUS_SUCCESS, "D SO_CONDITIONAL_ACCEPT: before the bind");
    REQUIRE(RUN(&call, LISTEN(listener)->WskBind(listener, (PSOCKADDR)&any, 0, call.irp)) == STATUS_SUCCESS);
    REQUIRE(RUN(&call, LISTEN(listener)->WskGetLocalAddress(listener, (PSOCKADDR)&at, call.irp)) == STATUS_SUCCESS);
    CHECK_EQ(set_events(listener, WSK_EVENT_ACCEPT), STATUS_SUCCESS, EVENTS);
    hall.action = WskInspectReject;
    check_dropped(&at, &hall.asked, "D WskInspectEvent: WskInspectReject");
    hall.action = WskInspectPend;
    client = connected_to(&at);
    CHECK(within(&hall.asked, 5000), "D WskInspectEvent");
    CHECK(!within(&hall.told, 20), "D WskInspectEvent: WskInspectPend");
    CHECK_EQ(RUN(&call, LISTEN(listener)->WskInspectComplete(listener, &hall.inspected, WskInspectAccept, call.irp)),
             STATUS_SUCCESS, "D WskInspectComplete");
    CHECK(within(&hall.told, 5000), "D WskInspectComplete: WskInspectAccept");
    CHECK_EQ(RUN(&call, LISTEN(listener)->WskInspectComplete(listener, &hall.inspected, WskInspectAccept, call.irp)),
             STATUS_INVALID_PARAMETER, "choice: decided already");
    close_socket(hall.accepted);
    close_socket(client);
    client = connected_to(&at);
    CHECK(within(&hall.asked, 5000), "D WskInspectEvent");
    close_socket(client);
    CHECK(within(&hall.told, 5000), "D WskAbortEvent: the connection ends before it is decided about");
    hall.action = WskInspectAccept;
    client = connected_to(&at);
    CHECK(within(&hall.told, 5000), "D WskInspectEvent: WskInspectAccept");
    close_socket(hall.accepted);
    close_socket(client);
    close_socket(listener);
}

/* Closing waits for the callback that runs. */
static KEVENT in_callback, leave_callback;

static NTSTATUS WSKAPI on_slow_receive(PVOID context, ULONG flags, PWSK_DATA_INDICATION list, SIZE_T bytes, SIZE_T *accepted)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(list);
    UNREFERENCED_PARAMETER(bytes);
    UNREFERENCED_PARAMETER(accepted);
    KeSetEvent(&in_callback, 0, FALSE);
    while (!KeReadStateEvent(&leave_callback)) /* a wait would be misuse */
        ;
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_CONNECTION_DISPATCH slow_dispatch = {on_slow_receive, NULL, NULL};

static void close_waits_for_callbacks(void)
{
    PWSK_SOCKET client, server;
    struct call call, sending;
    char octet = 'x';
    WSK_BUF buffer = buffer_of(&octet, 1);

    KeInitializeEvent(&in_callback, NotificationEvent, FALSE);
    KeInitializeEvent(&leave_callback, NotificationEvent, FALSE);
    pair_with(NULL, &slow_dispatch, &client, &server);
    CHECK_EQ(set_events(server, WSK_EVENT_RECEIVE), STATUS_SUCCESS, EVENTS);
    START(&sending, CONNECTION(client)->WskSend(client, &buffer, 0, sending.irp)); /* completions wait for callbacks too */
    CHECK(within(&in_callback, 5000), "setup");
    START(&call, CONNECTION(server)->Basic.WskCloseSocket(server, call.irp));
    CHECK_EQ(call.returned, STATUS_PENDING, "D WskCloseSocket");
    CHECK(!call_is_over(&call, 50), "D WskCloseSocket: it waits for running callbacks");
    KeSetEvent(&leave_callback, 0, FALSE);
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, "D WskCloseSocket");
    CHECK_EQ(call_end(&sending), STATUS_SUCCESS, "setup");
    close_socket(client);
    IoFreeMdl(buffer.Mdl);
}

int main(void)
{
    ULONG style;

    setenv("LINSOCK_WSK_CHECK", "1", 0);
    begin();
    for (style = 0; style < 3; style++) {
        linsock_wsk_completion(style, 99);
        data();
        retained();
        resets();
    ended_from_outside();
        the_end_alone();
        send_backlog();
        accepts();
        inspections();
        close_waits_for_callbacks();
    }
    a_full_table();
    one_that_is_waited_for();
    return finish("wsk_events");
}

/*
 * WskDisconnect: each row of the behaviour table, on real connections. Sources: the page (S 004), the chimney contract,
 * and choices where neither says it.
 */
#include "wsk_check.h"

static const char *const PAGE = "S 004";
static const char *const ACKED = "chimney: complete when the data and the FIN are acknowledged";

static void graceful(void)
{
    PWSK_SOCKET client, server;
    char octets[16];
    SIZE_T got;

    pair(&client, &server);
    CHECK_EQ(send_all(client, "before", 6), STATUS_SUCCESS, "setup");
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, ACKED);
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, PAGE);
    CHECK(got == 6 && memcmp(octets, "before", 6) == 0, "S 004: outstanding sends are sent first");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, "D WskReceive: the peer has disconnected");
    CHECK_EQ(got, 0, "D WskReceive: the peer has disconnected");
    /* Half open: the other direction goes on. */
    CHECK_EQ(send_all(server, "after", 5), STATUS_SUCCESS, "S 004: receiving goes on");
    CHECK_EQ(receive(client, octets, sizeof octets, &got), STATUS_SUCCESS, "S 004: receiving goes on");
    CHECK(got == 5 && memcmp(octets, "after", 5) == 0, "S 004: receiving goes on");
    CHECK_EQ(send_all(client, "no", 2), STATUS_CONNECTION_DISCONNECTED, "choice: a send after the own disconnect");
    CHECK_EQ(disconnect(client, 0), STATUS_INVALID_DEVICE_STATE, "choice: a second graceful disconnect");
    CHECK_EQ(disconnect(server, 0), STATUS_SUCCESS, PAGE);
    CHECK_EQ(receive(client, octets, sizeof octets, &got), STATUS_SUCCESS, PAGE);
    CHECK_EQ(got, 0, PAGE);
    close_socket(client);
    close_socket(server);
}

/* The last data goes along: a chain of MDLs, with an offset into the first. */
static void with_a_buffer(void)
{
    PWSK_SOCKET client, server;
    char first[] = "xxthe last ", second[] = "words", octets[32];
    WSK_BUF buffer = buffer_of(first, sizeof first - 1), rest = buffer_of(second, sizeof second - 1);
    SIZE_T got, total = 0;
    struct call call;

    pair(&client, &server);
    buffer.Mdl->Next = rest.Mdl;
    buffer.Offset = 2;
    buffer.Length = 14;
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskDisconnect(client, &buffer, 0, call.irp)), STATUS_SUCCESS, PAGE);
    CHECK_EQ(call.information, 14, "choice: the octets of the buffer");
    while (total < 14 && receive(server, octets + total, sizeof octets - total, &got) == STATUS_SUCCESS && got > 0)
        total += got;
    CHECK(total == 14 && memcmp(octets, "the last words", 14) == 0, "S 004: Buffer");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_SUCCESS, PAGE);
    CHECK_EQ(got, 0, PAGE);
    IoFreeMdl(buffer.Mdl);
    IoFreeMdl(rest.Mdl);
    close_socket(client);
    close_socket(server);
}

static void abortive(void)
{
    PWSK_SOCKET client, server;
    char octets[16];
    WSK_BUF buffer = buffer_of(octets, sizeof octets);
    struct call pending;
    SIZE_T got;

    pair(&client, &server);
    START(&pending, CONNECTION(client)->WskReceive(client, &buffer, 0, pending.irp));
    CHECK_EQ(pending.returned, STATUS_PENDING, "setup");
    CHECK_EQ(disconnect(client, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "S 004: WSK_FLAG_ABORTIVE");
    CHECK_EQ(call_end(&pending), STATUS_CONNECTION_ABORTED, "choice: pending receives of an aborted connection");
    CHECK_EQ(receive(server, octets, sizeof octets, &got), STATUS_CONNECTION_RESET, "S 004: a reset");
    CHECK_EQ(send_all(client, "no", 2), STATUS_CONNECTION_ABORTED, "S 004: neither sends");
    CHECK_EQ(receive(client, octets, sizeof octets, &got), STATUS_CONNECTION_ABORTED, "S 004: nor receives");
    CHECK_EQ(disconnect(client, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "choice: again");
    CHECK_EQ(disconnect(client, 0), STATUS_FILE_FORCED_CLOSED, "S 004: STATUS_FILE_FORCED_CLOSED");
    /* The peer, which was reset. */
    CHECK_EQ(send_all(server, "no", 2), STATUS_CONNECTION_RESET, "choice: as the receive");
    CHECK_EQ(disconnect(server, 0), STATUS_FILE_FORCED_CLOSED, "S 004: STATUS_FILE_FORCED_CLOSED");
    CHECK_EQ(disconnect(server, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "choice: there is nothing left to reset");
    IoFreeMdl(buffer.Mdl);
    close_socket(client);
    close_socket(server);
}

/* Fills both windows; gives how many sends are pending. */
#define SENDS 64
static struct call sends[SENDS];
static WSK_BUF send_buffer;
static char much[1 << 18];

static int fill(PWSK_SOCKET socket)
{
    int i, pending = 0;

    send_buffer = buffer_of(much, sizeof much);
    for (i = 0; i < SENDS; i++)
        START(&sends[i], CONNECTION(socket)->WskSend(socket, &send_buffer, 0, sends[i].irp));
    for (i = 0; i < SENDS; i++)
        pending += !call_is_over(&sends[i], i == 0 ? 100 : 0);
    return pending;
}

/* The peer takes nothing: the graceful disconnect waits, and is forced to complete. */
static void stuck(BOOLEAN by_close)
{
    PWSK_SOCKET client, server;
    NTSTATUS expected = by_close ? STATUS_CANCELLED : STATUS_CONNECTION_ABORTED;
    struct call graceful_call;
    int i, forced = 0;

    pair(&client, &server);
    CHECK(fill(client) > 0, "setup");
    START(&graceful_call, CONNECTION(client)->WskDisconnect(client, NULL, 0, graceful_call.irp));
    CHECK_EQ(graceful_call.returned, STATUS_PENDING, "S 004: it waits for outstanding sends");
    CHECK(!call_is_over(&graceful_call, 100), "S 004: it may never complete");
    if (by_close)
        close_socket(client);
    else
        CHECK_EQ(disconnect(client, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "S 004: abort a stuck disconnect");
    CHECK_EQ(call_end(&graceful_call), expected, "S 004: forced to complete");
    for (i = 0; i < SENDS; i++) {
        NTSTATUS status = call_end(&sends[i]);

        CHECK(status == STATUS_SUCCESS || status == expected, "S 004: pending sends are cancelled");
        forced += status != STATUS_SUCCESS;
    }
    CHECK(forced > 0, "S 004: pending sends are cancelled");
    IoFreeMdl(send_buffer.Mdl);
    if (!by_close)
        close_socket(client);
    close_socket(server);
}

/* ... or it completes after all, when the peer takes everything. */
static void slow(void)
{
    PWSK_SOCKET client, server;
    struct call call;
    static char octets[1 << 18];
    SIZE_T got, total = 0;
    int i;

    pair(&client, &server);
    CHECK(fill(client) > 0, "setup");
    START(&call, CONNECTION(client)->WskDisconnect(client, NULL, 0, call.irp));
    while (receive(server, octets, sizeof octets, &got) == STATUS_SUCCESS && got > 0)
        total += got;
    CHECK_EQ(total, (SIZE_T)SENDS * sizeof much, "S 004: outstanding sends are sent first");
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, ACKED);
    for (i = 0; i < SENDS; i++)
        CHECK_EQ(call_end(&sends[i]), STATUS_SUCCESS, "S 004: outstanding sends are sent first");
    IoFreeMdl(send_buffer.Mdl);
    close_socket(client);
    close_socket(server);
}

/* The peer resets while the graceful disconnect waits: it fails, and with it the sends before it. */
static void reset_by_the_peer(void)
{
    PWSK_SOCKET client, server;
    struct call call;
    int i, failed = 0;

    pair(&client, &server);
    CHECK(fill(client) > 0, "setup");
    START(&call, CONNECTION(client)->WskDisconnect(client, NULL, 0, call.irp));
    CHECK_EQ(call.returned, STATUS_PENDING, "S 004: it waits for outstanding sends");
    CHECK_EQ(disconnect(server, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, PAGE);
    CHECK_EQ(call_end(&call), STATUS_CONNECTION_RESET, "choice: the status of the sends");
    for (i = 0; i < SENDS; i++) {
        NTSTATUS status = call_end(&sends[i]);

        CHECK(status == STATUS_SUCCESS || status == STATUS_CONNECTION_RESET, "choice: as a receive");
        failed += status != STATUS_SUCCESS;
    }
    CHECK(failed > 0, "choice: as a receive");
    CHECK_EQ(disconnect(client, 0), STATUS_FILE_FORCED_CLOSED, "S 004: STATUS_FILE_FORCED_CLOSED");
    IoFreeMdl(send_buffer.Mdl);
    close_socket(client);
    close_socket(server);
}

static void refusals(void)
{
    PWSK_SOCKET fresh = socket_of(WSK_FLAG_CONNECTION_SOCKET, NULL, NULL), client, server;
    char octet = 'x';
    WSK_BUF buffer = buffer_of(&octet, 1), empty;
    ULONG misuses = linsock_wsk_misuses();
    struct call call;
    SIZE_T got;

    CHECK_EQ(disconnect(fresh, 0), STATUS_INVALID_DEVICE_STATE, "choice: not connected");
    CHECK_EQ(disconnect(fresh, WSK_FLAG_ABORTIVE), STATUS_INVALID_DEVICE_STATE, "choice: not connected");
    bind_socket(fresh);
    CHECK_EQ(disconnect(fresh, 0), STATUS_INVALID_DEVICE_STATE, "choice: not connected");
    close_socket(fresh);
    pair(&client, &server);
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskDisconnect(client, &buffer, WSK_FLAG_ABORTIVE, call.irp)),
             STATUS_INVALID_PARAMETER, "S 004: Buffer must be NULL");
    CHECK_EQ(linsock_wsk_misuses(), misuses + 1, "choice: it is reported");
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskDisconnect(client, NULL, 0x10, call.irp)), STATUS_INVALID_PARAMETER,
             "choice: unknown flags");
    CHECK_EQ(send_all(client, "s", 1), STATUS_SUCCESS, "a refused call leaves the connection as it was");
    CHECK_EQ(receive(server, &octet, 1, &got), STATUS_SUCCESS, "a refused call leaves the connection as it was");
    memset(&empty, 0, sizeof empty);
    CHECK_EQ(RUN(&call, CONNECTION(client)->WskDisconnect(client, &empty, WSK_FLAG_ABORTIVE, call.irp)), STATUS_SUCCESS,
             "choice: a buffer without octets is none");
    CHECK_EQ(receive(server, &octet, 1, &got), STATUS_CONNECTION_RESET, PAGE);
    IoFreeMdl(buffer.Mdl);
    close_socket(client);
    close_socket(server);
}

/* IoCancelIrp: the FIN that is out stays out. */
static void cancelled(void)
{
    PWSK_SOCKET client, server;
    struct call call;
    int i;

    pair(&client, &server);
    CHECK(fill(client) > 0, "setup");
    START(&call, CONNECTION(client)->WskDisconnect(client, NULL, 0, call.irp));
    CHECK(IoCancelIrp(call.irp), "D IoCancelIrp: it had a cancel routine");
    CHECK_EQ(call_end(&call), STATUS_CANCELLED, "D IoCancelIrp");
    CHECK_EQ(send_all(client, "no", 2), STATUS_CONNECTION_DISCONNECTED, "choice: it is disconnected all the same");
    close_socket(client);
    for (i = 0; i < SENDS; i++)
        call_end(&sends[i]);
    IoFreeMdl(send_buffer.Mdl);
    close_socket(server);
}

/* WskCloseSocket: a reset, unless both directions are disconnected. */
static void closes(void)
{
    PWSK_SOCKET client, server;
    char octet;
    WSK_BUF buffer = buffer_of(&octet, 1);
    struct call call;
    SIZE_T got;

    pair(&client, &server);
    close_socket(client);
    CHECK_EQ(receive(server, &octet, 1, &got), STATUS_CONNECTION_RESET, "S 004: closing without disconnecting");
    close_socket(server);
    pair(&client, &server);
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, PAGE);
    close_socket(client);
    CHECK(receive(server, &octet, 1, &got) == STATUS_CONNECTION_ABORTED || got == 0, "the FIN came first");
    CHECK(!NT_SUCCESS(disconnect(server, 0)), "S 004: one direction is not enough: the connection is reset");
    close_socket(server);
    pair(&client, &server);
    CHECK_EQ(disconnect(client, 0), STATUS_SUCCESS, PAGE);
    CHECK_EQ(disconnect(server, 0), STATUS_SUCCESS, PAGE);
    CHECK_EQ(receive(client, &octet, 1, &got), STATUS_SUCCESS, PAGE);
    close_socket(client);
    CHECK_EQ(receive(server, &octet, 1, &got), STATUS_SUCCESS, "S 004: both directions");
    CHECK_EQ(got, 0, "S 004: both directions");
    close_socket(server);
    pair(&client, &server);
    START(&call, CONNECTION(client)->WskReceive(client, &buffer, 0, call.irp));
    close_socket(client);
    CHECK_EQ(call_end(&call), STATUS_CANCELLED, "T driver_netio: pending IRPs are cancelled");
    close_socket(server);
    IoFreeMdl(buffer.Mdl);
}

/* SIO_WSK_SET_TCP_SILENT_MODE: only a close is allowed, and the peer hears nothing of it. */
static void silent_mode(void)
{
    static const char *const MODE = "D SIO_WSK_SET_TCP_SILENT_MODE";
    PWSK_SOCKET client, server;
    char octet;
    WSK_BUF buffer = buffer_of(&octet, 1);
    struct call call;
    NTSTATUS status;
    SIZE_T got;

    pair(&client, &server);
    status = RUN(&call, CONNECTION(client)->Basic.WskControlSocket(client, WskIoctl, SIO_WSK_SET_TCP_SILENT_MODE, 0, 0, NULL, 0,
                                                                   NULL, NULL, call.irp));
    if (status == STATUS_NOT_SUPPORTED) {
        printf("skipped: silent_mode: needs CAP_NET_ADMIN\n");
    } else {
        CHECK_EQ(status, STATUS_SUCCESS, MODE);
        CHECK_EQ(disconnect(client, 0), STATUS_INVALID_DEVICE_STATE, MODE);
        CHECK_EQ(disconnect(client, WSK_FLAG_ABORTIVE), STATUS_INVALID_DEVICE_STATE, MODE);
        CHECK_EQ(send_all(client, "x", 1), STATUS_INVALID_DEVICE_STATE, MODE);
        CHECK_EQ(receive(client, &octet, 1, &got), STATUS_INVALID_DEVICE_STATE, MODE);
    }
    START(&call, CONNECTION(server)->WskReceive(server, &buffer, 0, call.irp));
    close_socket(client);
    CHECK_EQ(call_is_over(&call, 100), status != STATUS_SUCCESS, "D SIO_WSK_SET_TCP_SILENT_MODE: the peer hears nothing");
    close_socket(server);
    call_end(&call);
    IoFreeMdl(buffer.Mdl);
}

/* ---- a network that loses everything: the FIN is never acknowledged, or late ---- */

int unshare(int flags); /* sched.h */
#define NEW_NETWORK 0x40000000

static BOOLEAN shell(const char *command)
{
    return (BOOLEAN)(system(command) == 0);
}

static void without_acknowledgements(void)
{
    PWSK_SOCKET client, server;
    struct call call;

    /* The sockets that this thread makes are of its network. */
    if (unshare(NEW_NETWORK) != 0 || !shell("ip link set lo up && nft add table inet t && "
                                            "nft 'add chain inet t in { type filter hook input priority 0; }'")) {
        printf("skipped: without_acknowledgements: needs root, ip and nft\n");
        return;
    }
    pair(&client, &server);
    REQUIRE(shell("nft add rule inet t in drop"));
    START(&call, CONNECTION(client)->WskDisconnect(client, NULL, 0, call.irp));
    CHECK(!call_is_over(&call, 300), ACKED);
    CHECK_EQ(disconnect(client, WSK_FLAG_ABORTIVE), STATUS_SUCCESS, "S 004: abort a stuck disconnect");
    CHECK_EQ(call_end(&call), STATUS_CONNECTION_ABORTED, "S 004: forced to complete");
    close_socket(client);
    close_socket(server);
    REQUIRE(shell("nft flush chain inet t in"));
    pair(&client, &server);
    CHECK_EQ(send_all(client, "data", 4), STATUS_SUCCESS, "setup");
    REQUIRE(shell("nft add rule inet t in drop"));
    START(&call, CONNECTION(client)->WskDisconnect(client, NULL, 0, call.irp));
    CHECK(!call_is_over(&call, 300), ACKED);
    REQUIRE(shell("nft flush chain inet t in"));
    CHECK_EQ(call_end(&call), STATUS_SUCCESS, ACKED);
    close_socket(client);
    close_socket(server);
}

int main(void)
{
    ULONG style;

    setenv("LINSOCK_WSK_CHECK", "1", 0);
    begin();
    for (style = 0; style < 3; style++) {
        linsock_wsk_completion(style, 12345);
        graceful();
        with_a_buffer();
        abortive();
        stuck(FALSE);
        stuck(TRUE);
        slow();
        reset_by_the_peer();
    refusals();
        cancelled();
        closes();
        silent_mode();
    }
    without_acknowledgements();
    return finish("wsk_disconnect");
}

/*
 * Four threads make connections to an echo server in callbacks and end them in every way at once: gracefully, abortively,
 * by closing with requests pending, by cancelling. Whatever happens, each IRP completes once, no rule is broken, and at
 * the end nothing is left.
 */
#include "wsk_check.h"

#define THREADS 4
#define ROUNDS 60

struct peer {
    PWSK_SOCKET socket;
    PIRP irp;
    WSK_BUF buffer;
    void (*next)(struct peer *);
    char octets[64];
};

static volatile LONG peers;
static KEVENT all_gone;
static struct sockaddr_in server_at;

static NTSTATUS NTAPI peer_completed(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    struct peer *peer = context;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    peer->next(peer);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP peer_then(struct peer *peer, void (*next)(struct peer *))
{
    peer->next = next;
    IoReuseIrp(peer->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(peer->irp, peer_completed, peer, TRUE, TRUE, TRUE);
    return peer->irp;
}

static void peer_gone(struct peer *peer)
{
    CHECK_EQ(peer->irp->IoStatus.Status, STATUS_SUCCESS, "D WskCloseSocket");
    IoFreeMdl(peer->buffer.Mdl);
    IoFreeIrp(peer->irp);
    free(peer);
    if (InterlockedDecrement(&peers) == 0)
        KeSetEvent(&all_gone, 0, FALSE);
}

static void peer_close(struct peer *peer)
{
    CONNECTION(peer->socket)->Basic.WskCloseSocket(peer->socket, peer_then(peer, peer_gone));
}

static void peer_receive(struct peer *peer);

static void peer_received(struct peer *peer)
{
    if (!NT_SUCCESS(peer->irp->IoStatus.Status)) {
        peer_close(peer);
    } else if (peer->irp->IoStatus.Information == 0) {
        CONNECTION(peer->socket)->WskDisconnect(peer->socket, NULL, 0, peer_then(peer, peer_close));
    } else {
        peer->buffer.Length = peer->irp->IoStatus.Information;
        CONNECTION(peer->socket)->WskSend(peer->socket, &peer->buffer, 0, peer_then(peer, peer_receive));
    }
}

static void peer_receive(struct peer *peer)
{
    peer->buffer.Length = sizeof peer->octets;
    CONNECTION(peer->socket)->WskReceive(peer->socket, &peer->buffer, 0, peer_then(peer, peer_received));
}

static NTSTATUS WSKAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote, PWSK_SOCKET accepted,
                                 PVOID *own, CONST WSK_CLIENT_CONNECTION_DISPATCH **dispatch)
{
    struct peer *peer = malloc(sizeof *peer);

    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(flags);
    UNREFERENCED_PARAMETER(local);
    UNREFERENCED_PARAMETER(remote);
    InterlockedIncrement(&peers);
    peer->socket = accepted;
    peer->irp = IoAllocateIrp(1, FALSE);
    peer->buffer = buffer_of(peer->octets, sizeof peer->octets);
    *own = peer;
    *dispatch = NULL;
    peer_receive(peer);
    return STATUS_SUCCESS;
}

static const WSK_CLIENT_LISTEN_DISPATCH listen_dispatch = {on_accept, NULL, NULL};

static void round_of(ULONG choice)
{
    struct sockaddr_in any = loopback(0);
    char out[32] = "there", in[64];
    WSK_BUF sending = buffer_of(out, sizeof out), receiving = buffer_of(in, sizeof in);
    struct call call, sent, received;
    PWSK_SOCKET socket;
    NTSTATUS status;

    /* The port that the bind was given may be that of a pair in TIME_WAIT. */
    do {
        status = RUN(&call, provider.Dispatch->WskSocketConnect(provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&any,
                                                                (PSOCKADDR)&server_at, 0, NULL, NULL, NULL, NULL, NULL,
                                                                call.irp));
    } while (status == STATUS_ADDRESS_ALREADY_ASSOCIATED);
    CHECK_EQ(status, STATUS_SUCCESS, "setup");
    REQUIRE(NT_SUCCESS(status));
    socket = (PWSK_SOCKET)call.information;
    START(&received, CONNECTION(socket)->WskReceive(socket, &receiving, WSK_FLAG_WAITALL, received.irp));
    START(&sent, CONNECTION(socket)->WskSend(socket, &sending, 0, sent.irp));
    switch (choice % 5) {
    case 0: /* both directions, in order */
        CHECK_EQ(disconnect(socket, 0), STATUS_SUCCESS, "S 004");
        CHECK_EQ(call_end(&received), STATUS_SUCCESS, "the echo, and the end");
        CHECK_EQ(received.information, sizeof out, "the echo, and the end");
        close_socket(socket);
        break;
    case 1: /* both requests are in the hands of the provider */
        status = disconnect(socket, WSK_FLAG_ABORTIVE);
        CHECK(NT_SUCCESS(status), "S 004");
        CHECK_EQ(call_end(&received), STATUS_CONNECTION_ABORTED, "choice");
        close_socket(socket);
        break;
    case 2:
        close_socket(socket);
        CHECK_EQ(call_end(&received), STATUS_CANCELLED, "D WskCloseSocket");
        break;
    case 3:
        IoCancelIrp(received.irp);
        CHECK_EQ(call_end(&received), STATUS_CANCELLED, "D IoCancelIrp");
        CHECK_EQ(disconnect(socket, 0), STATUS_SUCCESS, "S 004");
        close_socket(socket);
        break;
    default: /* a disconnect that is cancelled, forced, or over */
        START(&call, CONNECTION(socket)->WskDisconnect(socket, NULL, 0, call.irp));
        IoCancelIrp(call.irp);
        status = call_end(&call);
        CHECK(status == STATUS_SUCCESS || status == STATUS_CANCELLED, "D IoCancelIrp");
        close_socket(socket);
        status = call_end(&received);
        CHECK(status == STATUS_CANCELLED || status == STATUS_SUCCESS, "D WskCloseSocket");
    }
    call_end(&sent);
    IoFreeMdl(sending.Mdl);
    IoFreeMdl(receiving.Mdl);
}

static VOID NTAPI stress(PVOID seed)
{
    ULONG i, choice = (ULONG)(ULONG_PTR)seed;

    for (i = 0; i < ROUNDS; i++) {
        choice = choice * 1103515245 + 12345;
        round_of(choice >> 16);
    }
    PsTerminateSystemThread(STATUS_SUCCESS);
}

/* WSK_FLAG_DRAIN waits again for each piece of data: it is cancelled before, between and behind. */
static void drains(void)
{
    PWSK_SOCKET client, server;
    char octet = 'x';
    WSK_BUF sending = buffer_of(&octet, 1), none = {NULL, 0, 0};
    struct call drained, sent;
    volatile int spin;
    int i;

    pair(&client, &server);
    for (i = 0; i < 2000; i++) {
        START(&drained, CONNECTION(server)->WskReceive(server, &none, WSK_FLAG_DRAIN, drained.irp));
        START(&sent, CONNECTION(client)->WskSend(client, &sending, 0, sent.irp));
        for (spin = 0; spin < i % 100 * 50; spin++)
            ;
        IoCancelIrp(drained.irp);
        CHECK_EQ(call_end(&drained), STATUS_CANCELLED, "D IoCancelIrp");
        call_end(&sent);
    }
    IoFreeMdl(sending.Mdl);
    close_socket(client);
    close_socket(server);
}

int main(void)
{
    ULONG style;
    PWSK_SOCKET listener;
    WSK_EVENT_CALLBACK_CONTROL events = {&NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT};

    setenv("LINSOCK_WSK_CHECK", "1", 0);
    begin();
    KeInitializeEvent(&all_gone, SynchronizationEvent, FALSE);
    for (style = 0; style < 3; style++) {
        PVOID threads[THREADS];
        int i;

        linsock_wsk_completion(style, 2026);
        InterlockedIncrement(&peers); /* of the test's own, until all connections were made */
        listener = listener_with(NULL, &listen_dispatch, &server_at);
        REQUIRE(NT_SUCCESS(LISTEN(listener)->Basic.WskControlSocket(listener, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET,
                                                                    sizeof events, &events, 0, NULL, NULL, NULL)));
        for (i = 0; i < THREADS; i++) {
            HANDLE handle;

            REQUIRE(NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, stress,
                                                    (PVOID)(ULONG_PTR)(style * THREADS + i + 1))));
            ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &threads[i], NULL);
            ZwClose(handle);
        }
        KeWaitForMultipleObjects(THREADS, threads, WaitAll, Executive, KernelMode, FALSE, NULL, NULL);
        for (i = 0; i < THREADS; i++)
            ObDereferenceObject(threads[i]);
        close_socket(listener);
        if (InterlockedDecrement(&peers) != 0)
            KeWaitForSingleObject(&all_gone, Executive, KernelMode, FALSE, NULL);
    }
    linsock_wsk_completion(0, 2026);
    drains();
    CHECK_EQ(linsock_wsk_misuses(), 0, "no rule was broken");
    return finish("wsk_stress");
}

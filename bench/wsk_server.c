/*
 * The Winsock Kernel server: a client of WSK that echoes on every connection until its peer closes.
 *
 *     wsk_server SIZE
 *
 * A static accept callback; one IRP and one buffer for each connection, kept for the next one as the Winsock server's are; each
 * completion makes the next call. At the end of the stream the connection is disconnected (WskDisconnect) and closed, as a server
 * that wants no reset has to. Prints its port.
 */
#include <ntddk.h>
#include <wsk.h>
#include <stdio.h>
#include <stdlib.h>

struct connection {
    PWSK_SOCKET socket;
    const WSK_PROVIDER_CONNECTION_DISPATCH *calls;
    PIRP irp;
    WSK_BUF buffer;
    void (*next)(struct connection *);
    struct connection *below; /* in the pile of spare ones */
    char data[];
};

static WSK_PROVIDER_NPI provider;
static size_t buffer_size;
static struct connection *spare; /* the provider's thread has it to itself */

static NTSTATUS NTAPI completed(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
    struct connection *c = context;
    (void)device, (void)irp;
    c->next(c);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP then(struct connection *c, void (*next)(struct connection *)) {
    c->next = next;
    IoReuseIrp(c->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(c->irp, completed, c, TRUE, TRUE, TRUE);
    return c->irp;
}

static void closed(struct connection *c) {
    c->below = spare;
    spare = c;
}

static struct connection *new_connection(void) {
    struct connection *c = malloc(sizeof *c + buffer_size);
    c->irp = IoAllocateIrp(1, FALSE);
    c->buffer.Mdl = IoAllocateMdl(c->data, (ULONG)buffer_size, FALSE, FALSE, NULL);
    c->buffer.Offset = 0;
    MmBuildMdlForNonPagedPool(c->buffer.Mdl);
    c->below = NULL;
    return c;
}

static struct connection *a_connection(void) {
    struct connection *c = spare != NULL ? spare : new_connection();
    spare = c->below;
    return c;
}

static void disconnected(struct connection *c) {
    c->calls->Basic.WskCloseSocket(c->socket, then(c, closed));
}

static void sent(struct connection *c);

static void received(struct connection *c) {
    if (!NT_SUCCESS(c->irp->IoStatus.Status)) {
        disconnected(c);
    } else if (c->irp->IoStatus.Information == 0) {
        c->calls->WskDisconnect(c->socket, NULL, 0, then(c, disconnected));
    } else {
        c->buffer.Length = c->irp->IoStatus.Information;
        c->calls->WskSend(c->socket, &c->buffer, 0, then(c, sent));
    }
}

static void sent(struct connection *c) {
    c->buffer.Length = buffer_size;
    c->calls->WskReceive(c->socket, &c->buffer, 0, then(c, received));
}

static NTSTATUS NTAPI on_accept(PVOID context, ULONG flags, PSOCKADDR local, PSOCKADDR remote, PWSK_SOCKET socket, PVOID *own,
                                CONST WSK_CLIENT_CONNECTION_DISPATCH **dispatch) {
    struct connection *c = a_connection();
    (void)context, (void)flags, (void)local, (void)remote;
    c->socket = socket;
    c->calls = socket->Dispatch;
    *own = c;
    *dispatch = NULL;
    sent(c);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI signal_it(PDEVICE_OBJECT device, PIRP irp, PVOID event) {
    (void)device, (void)irp;
    KeSetEvent(event, 0, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP irp;
static KEVENT done;

static PIRP call(void) {
    IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, signal_it, &done, TRUE, TRUE, TRUE);
    return irp;
}

static void wait_for(const char *what) {
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    if (!NT_SUCCESS(irp->IoStatus.Status)) {
        fprintf(stderr, "wsk_server: %s: 0x%08x\n", what, (unsigned)irp->IoStatus.Status);
        exit(1);
    }
}

int main(int argc, char **argv) {
    static const WSK_CLIENT_DISPATCH client_dispatch = {MAKE_WSK_VERSION(1, 0), 0, NULL};
    static const WSK_CLIENT_LISTEN_DISPATCH listen_dispatch = {on_accept, NULL, NULL};
    WSK_EVENT_CALLBACK_CONTROL events = {&NPI_WSK_INTERFACE_ID, WSK_EVENT_ACCEPT};
    WSK_CLIENT_NPI npi = {NULL, &client_dispatch};
    WSK_REGISTRATION registration;
    const WSK_PROVIDER_LISTEN_DISPATCH *calls;
    PWSK_SOCKET listener;
    struct sockaddr_in at = {0};
    ULONG on = 1;

    if (argc != 2 || atoi(argv[1]) < 1) {
        fprintf(stderr, "usage: wsk_server SIZE\n");
        return 2;
    }
    buffer_size = 2 * (size_t)atoi(argv[1]);
    WskRegister(&npi, &registration);
    WskCaptureProviderNPI(&registration, WSK_INFINITE_WAIT, &provider);
    provider.Dispatch->WskControlClient(provider.Client, WSK_SET_STATIC_EVENT_CALLBACKS, sizeof events, &events, 0, NULL, NULL, NULL);
    irp = IoAllocateIrp(1, FALSE);
    provider.Dispatch->WskSocket(provider.Client, AF_INET, SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, NULL, &listen_dispatch,
                                 NULL, NULL, NULL, call());
    wait_for("WskSocket");
    listener = (PWSK_SOCKET)irp->IoStatus.Information;
    calls = listener->Dispatch;
    calls->Basic.WskControlSocket(listener, WskSetOption, 1 /* TCP_NODELAY */, IPPROTO_TCP, sizeof on, &on, 0, NULL, NULL, call());
    wait_for("TCP_NODELAY");
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = RtlUlongByteSwap(0x7f000001);
    calls->WskBind(listener, (PSOCKADDR)&at, 0, call());
    wait_for("WskBind");
    calls->WskGetLocalAddress(listener, (PSOCKADDR)&at, call());
    wait_for("WskGetLocalAddress");
    printf("%d\n", RtlUshortByteSwap(at.sin_port));
    fflush(stdout);
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    return 0;
}

/* TransmitFile and TransmitPackets: memory and files in one operation, and the end of the connection behind them. */
#include "check.h"

#define PAGE "D TransmitFile"
#define PACKETS "D TransmitPackets"
#define TESTED "T test_TransmitFile"

#define FILE_SIZE 300000

static char contents[FILE_SIZE];
static char path[MAX_PATH + 64];

static LPFN_TRANSMITFILE transmit_file(void)
{
    static LPFN_TRANSMITFILE function;
    const GUID id = WSAID_TRANSMITFILE;

    if (!function) {
        SOCKET s = tcp_socket();

        REQUIRE(get_extension(s, id, &function) == 0);
        closesocket(s);
    }
    return function;
}

static LPFN_TRANSMITPACKETS transmit_packets(void)
{
    static LPFN_TRANSMITPACKETS function;
    const GUID id = WSAID_TRANSMITPACKETS;

    if (!function) {
        SOCKET s = tcp_socket();

        REQUIRE(get_extension(s, id, &function) == 0);
        closesocket(s);
    }
    return function;
}

static HANDLE open_file(DWORD flags)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, flags, NULL);

    REQUIRE(file != INVALID_HANDLE_VALUE);
    return file;
}

static void make_file(void)
{
    char directory[MAX_PATH];
    DWORD bytes = 0;
    HANDLE file;
    size_t i;

    for (i = 0; i < sizeof contents; i++)
        contents[i] = (char)(i * 7 + i / 251);
    REQUIRE(GetTempPathA(sizeof directory, directory) != 0);
    snprintf(path, sizeof path, "%slinsock-transmit-%lu.tmp", directory, (unsigned long)GetCurrentProcessId());
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    REQUIRE(WriteFile(file, contents, sizeof contents, &bytes, NULL) && bytes == sizeof contents);
    CloseHandle(file);
}

/* What comes is this, in order; the caller knows that nothing else is on the way. */
static BOOL comes(SOCKET s, const char *expected, size_t length)
{
    static char buffer[65536];
    size_t at = 0;

    while (at < length) {
        size_t most = length - at < sizeof buffer ? length - at : sizeof buffer;
        int got = recv(s, buffer, (int)most, 0);

        if (got <= 0 || memcmp(buffer, expected + at, (size_t)got) != 0)
            return FALSE;
        at += (size_t)got;
    }
    return TRUE;
}

/* A reader on a thread of its own: the sender may have to wait for room. */
struct reader {
    SOCKET s;
    const char *expected;
    size_t length;
    BOOL ok;
};

static DWORD WINAPI read_all(void *context)
{
    struct reader *reader = context;

    reader->ok = comes(reader->s, reader->expected, reader->length);
    return 0;
}

static HANDLE start_reader(struct reader *reader, SOCKET s, const char *expected, size_t length)
{
    HANDLE thread;

    reader->s = s;
    reader->expected = expected;
    reader->length = length;
    reader->ok = FALSE;
    thread = CreateThread(NULL, 0, read_all, reader, 0, NULL);
    REQUIRE(thread != NULL);
    return thread;
}

static void join(HANDLE thread)
{
    REQUIRE(WaitForSingleObject(thread, CHECK_WAIT_MS) == WAIT_OBJECT_0);
    CloseHandle(thread);
}

static void refusals(void)
{
    SOCKET client, server, s = tcp_socket(), datagrams = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    HANDLE file = open_file(0), event = new_event();
    TRANSMIT_FILE_BUFFERS wild;
    OVERLAPPED ov;

    CHECK_FALSE(transmit_file()(INVALID_SOCKET, NULL, 0, 0, NULL, NULL, TF_REUSE_SOCKET), WSAENOTSOCK, TESTED);
    CHECK_FALSE(transmit_file()(s, NULL, 0, 0, NULL, NULL, TF_REUSE_SOCKET), WSAENOTCONN, TESTED);
    CHECK_FALSE(transmit_file()(s, file, 0, 0, NULL, NULL, 0), WSAENOTCONN, TESTED);
    CHECK_FALSE(transmit_file()(datagrams, file, 0, 0, NULL, NULL, 0), WSAENOTCONN, TESTED);
    tcp_pair(&client, &server);
    CHECK_FALSE(transmit_file()(client, file, 0, 0, NULL, NULL, TF_REUSE_SOCKET), WSAEINVAL, PAGE ": only with TF_DISCONNECT");
    CHECK_FALSE(transmit_file()(client, file, 0, 0, NULL, NULL, 0x80), WSAEINVAL, "choice: no such flag");
    CHECK_FALSE(transmit_file()(client, (HANDLE)client, 0, 0, NULL, NULL, 0), ERROR_INVALID_HANDLE, "choice: no disk file");
    CHECK_FALSE(transmit_file()(client, file, 0x7fffffff, 0, NULL, NULL, 0), WSAEINVAL, PAGE ": more than 2,147,483,646 octets");
    memset(&wild, 0, sizeof wild);
    wild.Head = (void *)16;
    wild.HeadLength = 4;
    CHECK_FALSE(transmit_file()(client, NULL, 0, 0, NULL, &wild, 0), WSAEFAULT, PAGE);
    CHECK_FALSE(transmit_file()(client, NULL, 0, 0, NULL, (LPTRANSMIT_FILE_BUFFERS)16, 0), WSAEFAULT, PAGE);
    ov_init(&ov, event);
    ov.Offset = FILE_SIZE + 1;
    CHECK_FALSE(transmit_file()(client, file, 0, 0, &ov, NULL, 0), WSAEINVAL, PAGE ": the offset is not within the file");
    CHECK_EQ(send(client, "ok", 2, 0), 2, "a refused call leaves the connection as it was");
    CHECK(comes(server, "ok", 2), "a refused call leaves the connection as it was");
    CHECK_EQ(shutdown(client, SD_SEND), 0, "setup");
    CHECK_FALSE(transmit_file()(client, file, 0, 0, NULL, NULL, 0), WSAESHUTDOWN, PAGE);
    close_both(client, server);
    close_both(s, datagrams);
    CloseHandle(file);
    CloseHandle(event);
}

/* Without an OVERLAPPED: blocks, and sends from the file's position, which moves. */
static void waiting(void)
{
    SOCKET client, server;
    HANDLE file = open_file(FILE_FLAG_SEQUENTIAL_SCAN), thread;
    TRANSMIT_FILE_BUFFERS around;
    struct reader reader;
    char byte;

    tcp_pair(&client, &server);
    CHECK(TransmitFile(client, file, 10, 0, NULL, NULL, 0), PAGE ": a part of the file");
    CHECK(comes(server, contents, 10), PAGE);
    CHECK_EQ(SetFilePointer(file, 0, NULL, FILE_CURRENT), 10, "choice: the position moves, as that of a read");
    CHECK(transmit_file()(client, file, 10, 0, NULL, NULL, TF_USE_KERNEL_APC | TF_WRITE_BEHIND), PAGE);
    CHECK(comes(server, contents + 10, 10), PAGE ": at the current byte offset");

    around.Head = (void *)"head";
    around.HeadLength = 4;
    around.Tail = (void *)"tail!";
    around.TailLength = 5;
    CHECK(transmit_file()(client, NULL, 0, 0, NULL, &around, 0), TESTED);
    CHECK(comes(server, "headtail!", 9), TESTED);
    CHECK(transmit_file()(client, file, 5, 0, NULL, &around, 0), TESTED);
    CHECK(comes(server, "head", 4) && comes(server, contents + 20, 5) && comes(server, "tail!", 5), TESTED);

    SetFilePointer(file, 0, NULL, FILE_BEGIN);
    thread = start_reader(&reader, server, contents, FILE_SIZE);
    CHECK(transmit_file()(client, file, 0, 0, NULL, NULL, 0), PAGE ": zero is the whole file");
    join(thread);
    CHECK(reader.ok, PAGE);
    CHECK(transmit_file()(client, NULL, 0, 0, NULL, NULL, 0), PAGE ": nothing is sent");
    CHECK(transmit_file()(client, NULL, 0, 0, NULL, NULL, TF_DISCONNECT), PAGE ": only the disconnect");
    CHECK_EQ(recv(server, &byte, 1, 0), 0, PAGE ": TF_DISCONNECT");
    close_both(client, server);
    CloseHandle(file);
}

/* With one: it pends, sends from the place that it names, and counts everything. */
static void overlapped(void)
{
    SOCKET client, server;
    HANDLE file = open_file(FILE_FLAG_OVERLAPPED), event = new_event(), port, thread;
    TRANSMIT_FILE_BUFFERS around;
    OVERLAPPED ov, *done = NULL;
    struct reader reader;
    DWORD bytes = CHECK_UNSET;
    ULONG_PTR key = 0;

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    ov.Offset = 1000;
    CHECK_PENDS(transmit_file()(client, file, 64, 0, &ov, NULL, 0), TESTED);
    CHECK_EQ(finish(client, &ov, &bytes), 0, TESTED);
    CHECK_EQ(bytes, 64, TESTED);
    CHECK(comes(server, contents + 1000, 64), PAGE ": from the offset");

    port = CreateIoCompletionPort((HANDLE)client, NULL, 5, 0);
    REQUIRE(port != NULL);
    memset(&around, 0, sizeof around);
    around.Tail = contents;
    around.TailLength = 16;
    thread = start_reader(&reader, server, contents, FILE_SIZE);
    ov_init(&ov, NULL);
    CHECK_PENDS(transmit_file()(client, file, 0, 0, &ov, &around, 0), PAGE);
    CloseHandle(file);
    CHECK(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), PAGE);
    CHECK(done == &ov && key == 5, PAGE);
    CHECK_EQ(bytes, FILE_SIZE + 16, PAGE ": the file may be closed meanwhile (choice)");
    join(thread);
    CHECK(reader.ok, PAGE);
    CHECK(comes(server, contents, 16), PAGE ": the tail");
    close_both(client, server);
    CloseHandle(port);
    CloseHandle(event);
}

/* A file that ends before the part that was asked for. */
static void short_file(void)
{
    SOCKET client, server;
    HANDLE file = open_file(0), event = new_event();
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    ov.Offset = FILE_SIZE - 8;
    CHECK_PENDS(transmit_file()(client, file, 9, 0, &ov, NULL, 0), PAGE);
    CHECK_FALSE(GetOverlappedResult((HANDLE)client, &ov, &bytes, TRUE), ERROR_HANDLE_EOF, "choice: what is there is sent");
    CHECK(comes(server, contents + FILE_SIZE - 8, 8), "choice: what is there is sent");
    CHECK_EQ(send(client, "ok", 2, 0), 2, "choice: the connection goes on");
    CHECK(comes(server, "ok", 2), "choice: the connection goes on");
    close_both(client, server);
    CloseHandle(file);
    CloseHandle(event);
}

/* TF_DISCONNECT | TF_REUSE_SOCKET: DisconnectEx behind the data, and the handle serves again. */
static void reuse(void)
{
    SOCKET l, client, server;
    HANDLE file = open_file(0), event = new_event();
    struct sockaddr_in at;
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;
    char buffer[2 * ADDRESS_SIZE];
    int round;

    l = listener(&at);
    server = tcp_socket();
    for (round = 0; round < 3; round++) {
        char first = 0;

        ov_init(&ov, event);
        CHECK_PENDS(ext()->accept_ex(l, server, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, NULL, &ov), "D AcceptEx");
        client = tcp_socket();
        limit_waits(client);
        REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
        CHECK_EQ(finish(l, &ov, NULL), 0, "D AcceptEx");
        ov_init(&ov, event);
        CHECK_PENDS(transmit_file()(server, file, 100, 0, &ov, NULL, TF_DISCONNECT | TF_REUSE_SOCKET), PAGE);
        CHECK(comes(client, contents, 100), PAGE);
        CHECK_EQ(recv(client, &first, 1, 0), 0, PAGE ": the FIN goes behind the data");
        CHECK(stays_pending(&ov, CHECK_QUIET_MS), PAGE ": not before the peer's FIN");
        closesocket(client);
        CHECK_EQ(finish(server, &ov, &bytes), 0, PAGE);
        CHECK_EQ(bytes, 100, "choice: the octets, as without the disconnect");
    }
    /* Nothing to send: what DisconnectEx does. */
    ov_init(&ov, event);
    CHECK_PENDS(ext()->accept_ex(l, server, buffer, 0, ADDRESS_SIZE, ADDRESS_SIZE, NULL, &ov), "D AcceptEx");
    client = tcp_socket();
    REQUIRE(connect(client, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_EQ(finish(l, &ov, NULL), 0, "D AcceptEx");
    closesocket(client);
    ov_init(&ov, event);
    CHECK_PENDS(transmit_file()(server, NULL, 0, 0, &ov, NULL, TF_DISCONNECT | TF_REUSE_SOCKET), PAGE);
    CHECK_EQ(finish(server, &ov, &bytes), 0, PAGE);
    CHECK_EQ(bytes, 0, PAGE);
    close_both(server, l);
    CloseHandle(file);
    CloseHandle(event);
}

/* More than fits: what is left waits, can be cancelled, and does not outlive the handle. */
static void ends_early(void)
{
    static char spill[65536];
    SOCKET client, server;
    HANDLE file = open_file(0), event = new_event();
    TRANSMIT_PACKETS_ELEMENT parts[200];
    OVERLAPPED ov;
    DWORD bytes;
    size_t i;

    memset(parts, 0, sizeof parts);
    for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i].dwElFlags = TP_ELEMENT_FILE;
        parts[i].hFile = file;
    }
    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(transmit_packets()(client, parts, 200, 0, &ov, 0), PACKETS);
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "setup: nobody reads 60 MB");
    CHECK(CancelIoEx((HANDLE)client, &ov), "D CancelIoEx");
    CHECK_FALSE(GetOverlappedResult((HANDLE)client, &ov, &bytes, TRUE), ERROR_OPERATION_ABORTED, "D CancelIoEx");
    close_both(client, server);

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(transmit_packets()(client, parts, 200, 0, &ov, TF_DISCONNECT | TF_REUSE_SOCKET), PACKETS);
    CHECK(stays_pending(&ov, CHECK_QUIET_MS), "setup: nobody reads 60 MB");
    CHECK_EQ(closesocket(client), 0, "D closesocket");
    CHECK_EQ((DWORD)ov.Internal, ST_CONNECTION_ABORTED, "choice: as a hard close ends a send that pends (D closesocket)");
    for (i = 0; i < 2000; i++) {
        if (recv(server, spill, sizeof spill, 0) <= 0)
            break;
    }
    CHECK_EQ(WSAGetLastError(), WSAECONNRESET, "choice: the peer cannot take a part for the whole");
    closesocket(server);

    tcp_pair(&client, &server);
    ov_init(&ov, event);
    CHECK_PENDS(transmit_packets()(client, parts, 200, 0, &ov, 0), PACKETS);
    close_with_rst(server);
    CHECK_FALSE(GetOverlappedResult((HANDLE)client, &ov, &bytes, TRUE), ERROR_NETNAME_DELETED, PAGE);
    CHECK_FALSE(transmit_file()(client, file, 0, 0, NULL, NULL, 0), WSAECONNRESET, PAGE ": and no signal ends the program");
    closesocket(client);
    CloseHandle(file);
    CloseHandle(event);
}

/* A peer that is gone is an error, and no signal. */
static void gone(void)
{
    SOCKET client, server;
    HANDLE file = open_file(0);
    int round;

    tcp_pair(&client, &server);
    closesocket(server);
    for (round = 0; round < 100 && transmit_file()(client, file, 10, 0, NULL, NULL, 0); round++)
        Sleep(1);
    CHECK(round > 0 && round < 100, "setup: the answer to the first octets is a reset");
    CHECK_EQ(WSAGetLastError(), WSAECONNABORTED, "T test_close_events: a reset behind the FIN");
    closesocket(client);
    CloseHandle(file);
}

static void packets(void)
{
    SOCKET client, server;
    HANDLE file = open_file(0), event = new_event();
    TRANSMIT_PACKETS_ELEMENT parts[4];
    OVERLAPPED ov;
    DWORD bytes = CHECK_UNSET;

    memset(parts, 0, sizeof parts);
    parts[0].dwElFlags = TP_ELEMENT_MEMORY;
    parts[0].pBuffer = (void *)"one";
    parts[0].cLength = 3;
    parts[1].dwElFlags = TP_ELEMENT_FILE | TP_ELEMENT_EOP;
    parts[1].hFile = file;
    parts[1].nFileOffset.QuadPart = 50;
    parts[1].cLength = 20;
    parts[2].dwElFlags = TP_ELEMENT_MEMORY;
    parts[2].pBuffer = (void *)"two";
    parts[2].cLength = 3;
    parts[3].dwElFlags = TP_ELEMENT_FILE;
    parts[3].hFile = file;
    parts[3].nFileOffset.QuadPart = FILE_SIZE - 7;
    tcp_pair(&client, &server);
    CHECK_FALSE(transmit_packets()(client, NULL, 1, 0, NULL, 0), WSAEFAULT, PACKETS);
    ov_init(&ov, event);
    CHECK_PENDS(transmit_packets()(client, parts, 4, 0, &ov, TF_USE_KERNEL_APC), PACKETS);
    CHECK_EQ(finish(client, &ov, &bytes), 0, PACKETS);
    CHECK_EQ(bytes, 33, PACKETS);
    CHECK(comes(server, "one", 3) && comes(server, contents + 50, 20) && comes(server, "two", 3), PACKETS);
    CHECK(comes(server, contents + FILE_SIZE - 7, 7), PACKETS ": zero is up to the end");
    SetFilePointer(file, 3, NULL, FILE_BEGIN);
    parts[1].nFileOffset.QuadPart = -1;
    CHECK(transmit_packets()(client, parts + 1, 1, 0, NULL, 0), PACKETS);
    CHECK(comes(server, contents + 3, 20), PACKETS ": -1 is the current position");
    parts[0].dwElFlags = TP_ELEMENT_MEMORY | TP_ELEMENT_FILE;
    CHECK_FALSE(transmit_packets()(client, parts, 1, 0, NULL, 0), WSAEINVAL, PACKETS ": they are mutually exclusive");
    close_both(client, server);
    CloseHandle(file);
    CloseHandle(event);
}

/* Behind a send that waits, and in front of one: the order of the calls is that of the octets. */
static void order(void)
{
    static char large[4 << 20];
    SOCKET client, server;
    HANDLE file = open_file(0), events[3];
    OVERLAPPED ovs[3];
    WSABUF data;
    DWORD bytes;
    size_t i;

    memset(large, 'x', sizeof large);
    tcp_pair(&client, &server);
    for (i = 0; i < 3; i++)
        ov_init(&ovs[i], events[i] = new_event());
    data.buf = large;
    data.len = sizeof large;
    CHECK_WSA_PENDS(WSASend(client, &data, 1, NULL, 0, &ovs[0], NULL), "setup: more than fits");
    CHECK_PENDS(transmit_file()(client, file, 10, 0, &ovs[1], NULL, TF_DISCONNECT), PAGE);
    data.buf = (char *)"end";
    data.len = 3;
    CHECK_WSA_PENDS(WSASend(client, &data, 1, NULL, 0, &ovs[2], NULL), "choice: the FIN goes behind what is queued");
    CHECK(comes(server, large, sizeof large), "D WSASend");
    CHECK(comes(server, contents, 10), PAGE);
    CHECK(comes(server, "end", 3), "choice: the FIN goes behind what is queued");
    CHECK_EQ(recv(server, large, 1, 0), 0, PAGE ": TF_DISCONNECT");
    for (i = 0; i < 3; i++) {
        CHECK_EQ(finish(client, &ovs[i], &bytes), 0, "D WSASend");
        CloseHandle(events[i]);
    }
    close_both(client, server);
    CloseHandle(file);
}

int main(void)
{
    check_begin("transmit");
    make_file();
    refusals();
    waiting();
    overlapped();
    short_file();
    reuse();
    packets();
    order();
    ends_early();
    gone();
    CHECK(DeleteFileA(path), "setup");
    return check_end();
}

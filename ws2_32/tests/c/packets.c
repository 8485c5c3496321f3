/* TransmitPackets on a datagram socket: what becomes a datagram. */
#include "check.h"

#define PAGE "D LPFN_TRANSMITPACKETS"
#define EOP PAGE ", TP_ELEMENT_EOP"
#define SIZE PAGE ", nSendSize"

static LPFN_TRANSMITPACKETS transmit_packets;
static char path[64];

static SOCKET udp_bound(struct sockaddr_in *at)
{
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);

    *at = loopback(0);
    REQUIRE(bind(s, (struct sockaddr *)at, sizeof *at) == 0);
    *at = name_of(s);
    limit_waits(s);
    return s;
}

static void udp_pair(SOCKET *sender, SOCKET *receiver)
{
    struct sockaddr_in at;

    *receiver = udp_bound(&at);
    *sender = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(connect(*sender, (struct sockaddr *)&at, sizeof at) == 0);
}

static TRANSMIT_PACKETS_ELEMENT memory(const char *text, DWORD flags)
{
    TRANSMIT_PACKETS_ELEMENT element;

    memset(&element, 0, sizeof element);
    element.dwElFlags = TP_ELEMENT_MEMORY | flags;
    element.cLength = (ULONG)strlen(text);
    element.pBuffer = (void *)(ULONG_PTR)text;
    return element;
}

static TRANSMIT_PACKETS_ELEMENT part_of(HANDLE file, long long offset, ULONG length, DWORD flags)
{
    TRANSMIT_PACKETS_ELEMENT element;

    memset(&element, 0, sizeof element);
    element.dwElFlags = TP_ELEMENT_FILE | flags;
    element.cLength = length;
    element.nFileOffset.QuadPart = offset;
    element.hFile = file;
    return element;
}

static HANDLE file_of(const char *text)
{
    HANDLE file;
    DWORD written;

    snprintf(path, sizeof path, "linsock-packets-%lu", (unsigned long)GetCurrentProcessId());
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
    REQUIRE(file != INVALID_HANDLE_VALUE);
    REQUIRE(WriteFile(file, text, (DWORD)strlen(text), &written, NULL));
    return file;
}

/* The next datagram is exactly this. */
static void check_comes(SOCKET s, const char *text, const char *source)
{
    char got[64] = "";
    int octets = recv(s, got, sizeof got - 1, 0);

    CHECK_EQ(octets, strlen(text), source);
    CHECK(octets >= 0 && strcmp(got, text) == 0, source);
}

static void check_no_more(SOCKET s, const char *source)
{
    u_long octets = 1;

    CHECK_EQ(ioctlsocket(s, FIONREAD, &octets), 0, source);
    CHECK_EQ(octets, 0, source);
}

static void messages(void)
{
    HANDLE file = file_of("0123456789");
    TRANSMIT_PACKETS_ELEMENT parts[4] = {
        memory("head ", 0), part_of(file, 2, 3, TP_ELEMENT_EOP), memory("alone", TP_ELEMENT_EOP), part_of(file, 8, 0, 0)
    };
    SOCKET sender, receiver;

    udp_pair(&sender, &receiver);
    CHECK_EQ(transmit_packets(sender, parts, 4, 0, NULL, 0), TRUE, PAGE);
    check_comes(receiver, "head 234", EOP);
    check_comes(receiver, "alone", EOP);
    check_comes(receiver, "89", PAGE ": a length of 0 is the rest of the file");
    check_no_more(receiver, EOP);

    CHECK_EQ(transmit_packets(sender, parts, 3, 6, NULL, 0), TRUE, SIZE);
    check_comes(receiver, "head 2", SIZE);
    check_comes(receiver, "34", SIZE);
    check_comes(receiver, "alone", SIZE);
    check_no_more(receiver, SIZE);

    SetFilePointer(file, 4, NULL, FILE_BEGIN);
    parts[0] = part_of(file, -1, 2, 0);
    CHECK_EQ(transmit_packets(sender, parts, 1, 0, NULL, 0), TRUE, PAGE);
    check_comes(receiver, "45", PAGE ": an offset of -1 is the file's position");
    CHECK_EQ(SetFilePointer(file, 0, NULL, FILE_CURRENT), 6, "choice: as TransmitFile, the position moves");
    close_both(sender, receiver);
    CloseHandle(file);
    DeleteFileA(path);
}

static void overlapped(void)
{
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    TRANSMIT_PACKETS_ELEMENT parts[2] = { memory("one", TP_ELEMENT_EOP), memory("second", TP_ELEMENT_EOP) };
    OVERLAPPED ov = { 0 }, *done = NULL;
    SOCKET sender, receiver;
    DWORD bytes = 0;
    ULONG_PTR key = 0;

    udp_pair(&sender, &receiver);
    REQUIRE(CreateIoCompletionPort((HANDLE)sender, port, 3, 0) == port);
    CHECK_PENDS(transmit_packets(sender, parts, 2, 0, &ov, TF_USE_KERNEL_APC), PAGE);
    CHECK_EQ(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), TRUE, PAGE);
    CHECK(bytes == 9 && key == 3 && done == &ov, PAGE);
    CHECK_FALSE(GetQueuedCompletionStatus(port, &bytes, &key, &done, 0), WAIT_TIMEOUT, "D GetQueuedCompletionStatus: one packet");
    check_comes(receiver, "one", EOP);
    check_comes(receiver, "second", EOP);

    /* A datagram that is too long: told as the end of the operation. */
    parts[1].cLength = 65508;
    parts[1].pBuffer = calloc(1, 65508);
    memset(&ov, 0, sizeof ov);
    CHECK_PENDS(transmit_packets(sender, parts, 2, 0, &ov, 0), PAGE);
    CHECK_EQ(GetQueuedCompletionStatus(port, &bytes, &key, &done, CHECK_WAIT_MS), FALSE, "choice: WSAEMSGSIZE");
    CHECK(done == &ov, PAGE);
    CHECK_EQ(bytes, 3, "choice: what was sent before is told");
    check_comes(receiver, "one", EOP);
    check_no_more(receiver, "choice: WSAEMSGSIZE");
    CHECK_FALSE(transmit_packets(sender, parts + 1, 1, 0, NULL, 0), WSAEMSGSIZE, "choice: as sendto");
    free(parts[1].pBuffer);
    close_both(sender, receiver);
    CloseHandle(port);
}

static void refused(void)
{
    TRANSMIT_PACKETS_ELEMENT part = memory("text", 0);
    struct sockaddr_in at;
    HANDLE file = file_of("0123");
    SOCKET s = udp_bound(&at), receiver;

    CHECK_FALSE(transmit_packets(s, &part, 1, 0, NULL, 0), WSAENOTCONN, PAGE ": a default destination is needed");
    closesocket(s);
    CHECK_FALSE(transmit_packets(s, &part, 1, 0, NULL, 0), WSAENOTSOCK, PAGE);
    udp_pair(&s, &receiver);
    CHECK_FALSE(transmit_packets(s, &part, 1, 0, NULL, TF_DISCONNECT), WSAEINVAL, "choice: there is no connection");
    CHECK_FALSE(transmit_packets(s, NULL, 1, 0, NULL, 0), WSAEFAULT, PAGE);
    part = part_of(file, 5, 0, 0);
    CHECK_FALSE(transmit_packets(s, &part, 1, 0, NULL, 0), WSAEINVAL, "choice: behind the end of the file");
    part = part_of(file, 2, 9, 0);
    CHECK_FALSE(transmit_packets(s, &part, 1, 0, NULL, 0), ERROR_HANDLE_EOF, "choice: as TransmitFile");
    CHECK_EQ(shutdown(s, SD_SEND), 0, "setup");
    part = memory("text", 0);
    CHECK_FALSE(transmit_packets(s, &part, 1, 0, NULL, 0), WSAESHUTDOWN, "D shutdown");
    check_no_more(receiver, "choice: refused calls send nothing");
    close_both(s, receiver);
    CloseHandle(file);
    DeleteFileA(path);
}

int main(void)
{
    const GUID id = WSAID_TRANSMITPACKETS;
    SOCKET s;

    check_begin("packets");
    s = socket(AF_INET, SOCK_DGRAM, 0);
    REQUIRE(get_extension(s, id, &transmit_packets) == 0);
    closesocket(s);
    messages();
    overlapped();
    refused();
    return check_end();
}

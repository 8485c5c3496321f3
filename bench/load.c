/*
 * The load: a single-threaded epoll client that starts a server, drives it, and reads the server's own CPU clock.
 *
 *     load [options] echo|cycle -- SERVER [ARGUMENT...]
 *
 * echo: every connection sends a message, waits until all of it has come back, sends the next.
 * cycle: every connection does that once and closes; another takes its place.
 * Prints one line of JSON: what was done in the measured time, which comes after the warm-up.
 *
 * The server runs as a child; the first number it prints is its port on 127.0.0.1. It is killed at the end, and dies with us.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/perf_event.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, PRIORITY = 5, STALLED_AFTER = 5 /* seconds without one operation */, CANNOT_COUNT = 3 /* exit status */ };

struct connection {
    int fd;
    size_t sent, received; /* of the current message */
};

static bool cycle;
static unsigned long connections = 64, size = 64, operations_wanted, sources = 1;
static double warm_up = 0.2, measured = 0.6, start_up = 5;
static int server_cpu = -1, client_cpu = -1;
static bool realtime, count_syscalls;

static pid_t server;
static int syscall_counter = -1;
static int epoll;
static struct sockaddr_in address;
static char *message, *answer;
static unsigned long started, finished;

static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    if (server > 0)
        kill(server, SIGKILL);
    exit(1);
}

static void check(long result, const char *what) {
    if (result < 0)
        fail("%s: %s", what, strerror(errno));
}

static double clock_seconds(clockid_t clock) {
    struct timespec t;
    check(clock_gettime(clock, &t), "clock_gettime");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the server process ------------------------------------------------------------------------------------------------- */

/* Pins the calling process, and asks for round robin: a compiler next door then disturbs less, and a server that spins cannot lock
   the client out of a core they share, as it could under SCHED_FIFO. */
static void place(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu < 0 ? 0 : cpu, &set);
    if (cpu >= 0)
        check(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
    if (realtime)
        check(sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = PRIORITY}), "sched_setscheduler");
}

/* Counts the system calls of the server and all its threads inside the kernel: unlike a tracer, that does not reorder the run. */
static void open_syscall_counter(void) {
    struct perf_event_attr event = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof event, .inherit = 1};
    FILE *id = fopen("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", "r");
    if (id != NULL && fscanf(id, "%llu", &event.config) == 1)
        syscall_counter = (int)syscall(SYS_perf_event_open, &event, server, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (id != NULL)
        fclose(id);
    if (syscall_counter < 0) {
        fprintf(stderr, "load: the kernel's tracepoint raw_syscalls:sys_enter cannot be used here\n");
        kill(server, SIGKILL);
        exit(CANNOT_COUNT);
    }
}

static unsigned long long syscalls(void) {
    unsigned long long count = 0;
    if (syscall_counter >= 0 && read(syscall_counter, &count, sizeof count) != sizeof count)
        fail("cannot read the system call counter");
    return count;
}

static int read_port(int fd) {
    char text[32] = "";
    size_t length = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (strchr(text, '\n') == NULL) {
        if (length == sizeof text - 1 || poll(&ready, 1, (int)(start_up * 1000)) != 1)
            fail("the server printed no port");
        ssize_t n = read(fd, text + length, sizeof text - 1 - length);
        if (n <= 0)
            fail("the server ended before it printed its port");
        length += (size_t)n;
    }
    return atoi(text);
}

static void start_server(char **command) {
    int output[2], go[2];
    pid_t client = getpid();
    check(pipe(output), "pipe");
    check(pipe(go), "pipe");
    check(server = fork(), "fork");
    if (server == 0) {
        check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
        if (getppid() != client)
            _exit(1);
        place(server_cpu);
        close(go[1]);
        if (read(go[0], &client, 1) < 0) /* the end of file means go */
            _exit(1);
        close(go[0]);
        dup2(output[1], STDOUT_FILENO);
        close(output[0]);
        close(output[1]);
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    close(output[1]);
    if (count_syscalls)
        open_syscall_counter();
    close(go[0]);
    close(go[1]);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)read_port(output[0]));
}

/* ---- the connections ---------------------------------------------------------------------------------------------------- */

static void send_message(struct connection *c) {
    while (c->sent < size) {
        ssize_t n = send(c->fd, message + c->sent, size - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return; /* EPOLLOUT will tell */
        check(n, "send");
        c->sent += (size_t)n;
    }
}

static void open_connection(struct connection *c) {
    int on = 1;
    *c = (struct connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    check(c->fd, "socket");
    if (!cycle)
        check(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    if (sources > 1) { /* spread over 127.0.0.1, .2, .3 ... so that ports in TIME_WAIT do not run out */
        struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + started % sources)};
        check(setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), "IP_BIND_ADDRESS_NO_PORT");
        check(bind(c->fd, (struct sockaddr *)&source, sizeof source), "bind");
    }
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    send_message(c);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event), "epoll_ctl");
    started++;
}

static bool receive_answer(struct connection *c) {
    while (c->received < size) {
        ssize_t n = recv(c->fd, answer, size - c->received, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return false;
        check(n, "recv");
        if (n == 0)
            fail("the server closed early");
        if (memcmp(answer, message + c->received, (size_t)n) != 0)
            fail("the answer is not the message");
        c->received += (size_t)n;
    }
    return true;
}

static void advance(struct connection *c, uint32_t events) {
    if (c->sent < size)
        send_message(c);
    if ((events & ~(uint32_t)EPOLLOUT) == 0 || !receive_answer(c))
        return;
    finished++;
    bool more = operations_wanted == 0 || started < operations_wanted;
    if (cycle) {
        check(close(c->fd), "close");
        if (more)
            open_connection(c);
    } else if (more) {
        started++;
        c->sent = c->received = 0;
        send_message(c);
    }
}

/* Runs the connections until the time or the number of operations is reached. */
static void drive(double seconds, unsigned long operations) {
    double end = clock_seconds(CLOCK_MONOTONIC) + seconds, stalled = 0;
    unsigned long seen = finished;
    while (operations == 0 || finished < operations) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, 100);
        if (count < 0 && errno != EINTR)
            check(count, "epoll_wait");
        for (int i = 0; i < count; i++)
            advance(events[i].data.ptr, events[i].events);
        double now = clock_seconds(CLOCK_MONOTONIC);
        if (now >= end && operations == 0)
            return;
        if (finished != seen)
            stalled = now + STALLED_AFTER;
        else if (stalled != 0 && now > stalled)
            fail("no operation finished in %d seconds; %lu before", STALLED_AFTER, finished);
        else if (stalled == 0)
            stalled = now + STALLED_AFTER;
        seen = finished;
    }
}

/* ---- the command line --------------------------------------------------------------------------------------------------- */

static _Noreturn void usage(void) {
    fprintf(stderr, "usage: load [options] echo|cycle -- SERVER [ARGUMENT...]\n"
                    "  --connections N   at once (64)\n"
                    "  --size N          bytes in a message (64)\n"
                    "  --warm-up S       seconds before the measurement (0.2)\n"
                    "  --seconds S       seconds measured (0.6)\n"
                    "  --operations N    do exactly N operations instead, without warm-up\n"
                    "  --server-cpu K    pin the server (anywhere)\n"
                    "  --client-cpu K    pin the client (anywhere)\n"
                    "  --sources N       connect from this many loopback addresses (1)\n"
                    "  --start-up S      seconds the server may take to print its port (5)\n"
                    "  --realtime        both at SCHED_RR\n"
                    "  --count-syscalls  of the server; exit status 3 where the kernel does not let us\n");
    exit(2);
}

static void parse(int argc, char **argv) {
    static const struct option options[] = {
        {"connections", 1, 0, 'c'}, {"size", 1, 0, 's'},       {"warm-up", 1, 0, 'w'}, {"seconds", 1, 0, 't'},
        {"operations", 1, 0, 'n'},  {"server-cpu", 1, 0, 'S'}, {"client-cpu", 1, 0, 'C'}, {"sources", 1, 0, 'a'},
        {"start-up", 1, 0, 'u'},    {"realtime", 0, 0, 'r'},   {"count-syscalls", 0, 0, 'k'},
        {0},
    };
    for (int option; (option = getopt_long(argc, argv, "+", options, NULL)) != -1;) {
        switch (option) {
        case 'c': connections = strtoul(optarg, NULL, 10); break;
        case 's': size = strtoul(optarg, NULL, 10); break;
        case 'w': warm_up = atof(optarg); break;
        case 't': measured = atof(optarg); break;
        case 'n': operations_wanted = strtoul(optarg, NULL, 10); break;
        case 'S': server_cpu = atoi(optarg); break;
        case 'C': client_cpu = atoi(optarg); break;
        case 'a': sources = strtoul(optarg, NULL, 10); break;
        case 'u': start_up = atof(optarg); break;
        case 'r': realtime = true; break;
        case 'k': count_syscalls = true; break;
        default: usage();
        }
    }
    if (argc - optind < 3 || strcmp(argv[optind + 1], "--") != 0 || connections == 0 || size == 0 || sources == 0)
        usage();
    cycle = strcmp(argv[optind], "cycle") == 0;
    if (!cycle && strcmp(argv[optind], "echo") != 0)
        usage();
    if (operations_wanted > 0 && connections > operations_wanted)
        connections = operations_wanted;
}

int main(int argc, char **argv) {
    parse(argc, argv);
    signal(SIGCHLD, SIG_DFL);
    start_server(argv + optind + 2);
    place(client_cpu);

    clockid_t server_clock;
    int error = clock_getcpuclockid(server, &server_clock);
    if (error != 0)
        fail("clock_getcpuclockid: %s", strerror(error));
    struct connection *all = calloc(connections, sizeof *all);
    message = malloc(size);
    answer = malloc(size);
    if (all == NULL || message == NULL || answer == NULL)
        fail("out of memory");
    for (size_t i = 0; i < size; i++)
        message[i] = (char)(i * 7 + i / 251);
    check(epoll = epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    for (unsigned long i = 0; i < connections; i++)
        open_connection(&all[i]);

    if (operations_wanted == 0)
        drive(warm_up, 0);
    unsigned long before = finished;
    unsigned long long calls = syscalls();
    double wall = clock_seconds(CLOCK_MONOTONIC), cpu = clock_seconds(server_clock), own = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
    drive(measured, operations_wanted);
    wall = clock_seconds(CLOCK_MONOTONIC) - wall;
    cpu = clock_seconds(server_clock) - cpu;
    own = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - own;
    calls = syscalls() - calls;

    if (finished == before)
        fail("nothing finished in the measured time");
    printf("{\"operations\": %lu, \"seconds\": %.6f, \"server_cpu\": %.9f, \"client_cpu\": %.9f, \"syscalls\": %llu}\n", finished - before,
           wall, cpu, own, calls);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}

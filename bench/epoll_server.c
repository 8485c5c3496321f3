/*
 * The yardstick: the fastest plain Linux server we know how to write for this work.
 *
 *     epoll_server SIZE [textbook]          SIZE: bytes in a message
 *
 * Listens on a loopback port of the system's choice, prints the port, and echoes on every connection until its peer closes;
 * then it closes too. One thread. What makes it fast, each step measured:
 *   - edge-triggered, one epoll_ctl per connection in its whole life (close(2) takes a descriptor out of the set);
 *   - every step is tried before it is waited for: a new connection is read at once, an answer is sent at once;
 *   - a short read means the socket is drained: no second recv only to hear EAGAIN;
 *   - the listener is level-triggered and gives one connection per event: accept4 that finds nobody costs ten times an
 *     epoll_wait, and a loop that accepts until nobody is left can starve those who are already in;
 *   - 16 events per wait, so that a message is answered while it is still in the cache.
 *
 * With "textbook" it accepts as the manuals teach it, and is otherwise the same: the listener is edge-triggered too, every report
 * of it is answered by accepting until nobody is left, and accept4 is asked who the peer is (which AcceptEx always tells).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 511, EVENTS = 16 };

struct connection {
    struct connection *next_free;
    int fd;
    bool registered;    /* in the epoll set */
    bool wants_output;  /* the registration asks for EPOLLOUT as well */
    size_t from, until; /* buffer[from..until] is received and not yet sent */
    char buffer[];
};

static int epoll, listener;
static bool textbook;
static size_t buffer_size;
static struct connection *free_list;

static void check(int result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}

static struct connection *open_connection(int fd) {
    struct connection *c = free_list;
    if (c != NULL)
        free_list = c->next_free;
    else if ((c = malloc(sizeof *c + buffer_size)) == NULL)
        abort();
    c->fd = fd;
    c->registered = c->wants_output = false;
    c->from = c->until = 0;
    return c;
}

static void close_connection(struct connection *c) {
    close(c->fd);
    c->next_free = free_list;
    free_list = c;
}

static void wait_for(struct connection *c, bool output) {
    if (c->registered && c->wants_output == output)
        return;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET | (output ? EPOLLOUT : 0), .data.ptr = c};
    check(epoll_ctl(epoll, c->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event), "epoll_ctl");
    c->registered = true;
    c->wants_output = output;
}

/* Receives and sends until one of them must be waited for. `hangup`: the end of the stream was announced, and will not be again. */
static void serve(struct connection *c, bool hangup) {
    for (;;) {
        while (c->from < c->until) {
            ssize_t sent = send(c->fd, c->buffer + c->from, c->until - c->from, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN)
                return wait_for(c, true);
            if (sent < 0)
                return close_connection(c);
            c->from += (size_t)sent;
        }
        if (!hangup && c->until > 0 && c->until < buffer_size) {
            c->from = c->until = 0; /* the last read was short: drained */
            return wait_for(c, false);
        }
        ssize_t received = recv(c->fd, c->buffer, buffer_size, MSG_DONTWAIT);
        c->from = c->until = 0;
        if (received < 0 && errno == EAGAIN)
            return wait_for(c, false);
        if (received <= 0)
            return close_connection(c);
        c->until = (size_t)received;
    }
}

static bool accept_one(void) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int fd = accept4(listener, textbook ? (struct sockaddr *)&peer : NULL, textbook ? &length : NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        serve(open_connection(fd), false);
    return fd >= 0;
}

static void listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int on = 1;
    check(listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    check(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY"); /* accepted sockets inherit it */
    check(bind(listener, (struct sockaddr *)&address, length), "bind");
    check(listen(listener, BACKLOG), "listen");
    check(getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv) {
    size_t size = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
    textbook = argc == 3 && strcmp(argv[2], "textbook") == 0;
    if (size == 0 || argc > 3 || (argc == 3 && !textbook)) {
        fprintf(stderr, "usage: epoll_server SIZE [textbook]\n");
        return 2;
    }
    buffer_size = 2 * size; /* more than a message, so that a message is a short read; iocp_server has the same */

    listen_on_loopback();
    check(epoll = epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    struct epoll_event event = {.events = EPOLLIN | (textbook ? EPOLLET : 0), .data.ptr = NULL};
    check(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event), "epoll_ctl");
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR)
            check(count, "epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                while (accept_one() && textbook)
                    ;
            else
                serve(events[i].data.ptr, (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
        }
    }
}

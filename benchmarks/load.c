/*
 * The other end of what is measured: a client or server that does as little as it can.
 *
 *     load CPU echo ADDRESS PORT CONNECTIONS BYTES    send BYTES, wait for them to come back, again and again
 *     load CPU visit ADDRESS PORT CONNECTIONS BYTES   connect, the same once, close; again and again
 *     load CPU sink ADDRESS PORT                      read what comes
 *     load CPU source ADDRESS PORT                    write as fast as it goes
 *     load CPU hold ADDRESS PORT CONNECTIONS          the same once on each connection, which then stays as it is
 *     load CPU server                                 listen on any port, close what the client has closed
 *
 * CPU is the core to stay on, -1 for any.  A server prints its port in a line.  Each line that comes on standard
 * input is answered with a line: how much was done so far (round trips, visits, bytes, connections), and the
 * monotonic clock in nanoseconds.  It ends when standard input does.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 1 << 17, EVENTS = 256 };

/* Of those that are held, so many connect at a time: more than the server's kernel keeps in its queue would be
   sent cookies, some of which fail, and with them the connection. */
enum { AT_ONCE = 256 };

enum mode { ECHO, VISIT, SINK, SOURCE, HOLD, SERVER };

static const char *const NAMES[] = {"echo", "visit", "sink", "source", "hold", "server"};

struct connection {
    int fd;
    size_t received;
};

static enum mode mode;
static struct sockaddr_in target;
static size_t size = 64;
static int poll_fd, listen_fd = -1;
static uint64_t done;
/* Where those begin that have yet to be made, and where they end. */
static struct connection *next_one, *last_one;
static char block[BLOCK];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int operation, int fd, uint32_t events, void *who)
{
    struct epoll_event event = {.events = events, .data.ptr = who};
    if (epoll_ctl(poll_fd, operation, fd, &event) < 0)
        fail("epoll_ctl");
}

static void start(struct connection *one)
{
    int yes = 1;
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (one->fd < 0)
        fail("socket");
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    one->received = 0;
    if (mode == VISIT) {
        /* Another of the many addresses of this machine each time: else its ports run out, since each stays
           taken for a minute. */
        static uint32_t turn;
        target.sin_addr.s_addr = htonl((127u << 24) + (1u << 16) + turn++ % 60000);
    }
    if (connect(one->fd, (struct sockaddr *)&target, sizeof target) < 0 && errno != EINPROGRESS)
        fail("connect");
    watch(EPOLL_CTL_ADD, one->fd, EPOLLOUT, one);
}

/* Starts a connection that has yet to be made, if there is one. */
static void start_next(void)
{
    if (next_one < last_one)
        start(next_one++);
}

static void send_some(struct connection *one)
{
    if (send(one->fd, block, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("send");
}

static void writable(struct connection *one)
{
    int error = 0;
    socklen_t length = sizeof error;
    if (mode == SOURCE) {
        ssize_t sent = send(one->fd, block, BLOCK, MSG_NOSIGNAL);
        if (sent > 0)
            done += (uint64_t)sent;
        else if (errno != EAGAIN)
            fail("send");
        return;
    }
    if (getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error) {
        errno = error;
        fail("connect");
    }
    watch(EPOLL_CTL_MOD, one->fd, EPOLLIN, one);
    if (mode != SINK)
        send_some(one);
}

static void closed(struct connection *one)
{
    /* By a reset, which the client doesn't see any more, but its system does: the client's port is free at once. */
    struct linger reset = {.l_onoff = 1};
    setsockopt(one->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(one->fd);
    free(one);
    done++;
}

static void readable(struct connection *one)
{
    ssize_t got = recv(one->fd, block, BLOCK, 0);
    if (mode == SERVER) {
        if (got <= 0)
            closed(one);
        return;
    }
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
            return;
        errno = got ? errno : ECONNRESET;
        fail("the peer closed");
    }
    if (mode == SINK) {
        done += (uint64_t)got;
        return;
    }
    one->received += (size_t)got;
    if (one->received < size)
        return;
    one->received = 0;
    done++;
    if (mode == VISIT) {
        close(one->fd);
        start(one);
    } else if (mode == ECHO) {
        send_some(one);
    } else {
        start_next();
    }
}

static void serve(void)
{
    int fd;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *one = calloc(1, sizeof *one);
        one->fd = fd;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN, one);
    }
}

static void listen_anywhere(void)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    socklen_t length = sizeof any;
    int yes = 1, no = 0;
    listen_fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (listen_fd >= 0) {
        setsockopt(listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    } else {
        any.sin6_family = AF_INET;
        length = sizeof(struct sockaddr_in);
        listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    }
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    /* A connection that is closed already keeps its place until it is accepted: with as long a queue as the
       system allows, none is turned away, to try again a second later, while another process has this core. */
    if (bind(listen_fd, (struct sockaddr *)&any, length) < 0 || listen(listen_fd, INT_MAX) < 0)
        fail("listen");
    getsockname(listen_fd, (struct sockaddr *)&any, &length);
    printf("%d\n", ntohs(any.sin6_port));
    fflush(stdout);
    watch(EPOLL_CTL_ADD, listen_fd, EPOLLIN, &listen_fd);
}

static void answer(void)
{
    struct timespec now;
    char line[64];
    ssize_t got = read(STDIN_FILENO, line, sizeof line);
    if (got <= 0)
        exit(0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (ssize_t i = 0; i < got; i++)
        if (line[i] == '\n')
            printf("%llu %llu\n", (unsigned long long)done,
                   (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec);
    fflush(stdout);
}

static void stay_on(int cpu)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(cpu, &cores);
    if (sched_setaffinity(0, sizeof cores, &cores) < 0)
        fail("sched_setaffinity");
}

static void raise_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int count, char **arguments)
{
    struct epoll_event events[EVENTS];
    int connections;

    if (count < 3)
        return 2;
    if (atoi(arguments[1]) >= 0)
        stay_on(atoi(arguments[1]));
    for (mode = ECHO; strcmp(arguments[2], NAMES[mode]); mode++)
        if (mode == SERVER)
            return 2;
    raise_limit();
    poll_fd = epoll_create1(0);
    watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, NULL);

    if (mode == SERVER) {
        listen_anywhere();
    } else {
        if (count < 5)
            return 2;
        target.sin_family = AF_INET;
        target.sin_port = htons((uint16_t)atoi(arguments[4]));
        if (inet_pton(AF_INET, arguments[3], &target.sin_addr) != 1)
            return 2;
        connections = count > 5 ? atoi(arguments[5]) : 1;
        if (count > 6)
            size = (size_t)atoi(arguments[6]);
        next_one = calloc((size_t)connections, sizeof *next_one);
        last_one = next_one + connections;
        for (int i = 0; i < connections && (mode != HOLD || i < AT_ONCE); i++)
            start_next();
    }
    for (;;) {
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == NULL)
                answer();
            else if (events[i].data.ptr == &listen_fd)
                serve();
            else if (events[i].events & EPOLLOUT)
                writable(events[i].data.ptr);
            else
                readable(events[i].data.ptr);
        }
    }
}

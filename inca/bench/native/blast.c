/* SPDX-License-Identifier: MIT */
/*
 * blast FILE COUNT SECONDS WINDOW IF0 [IF1 ...] - send the frames of FILE as fast as
 * the kernel takes them: frame by frame in the order of the file, again from
 * the start at its end, until COUNT frames (0: no limit) or SECONDS (0: no
 * limit).  With a WINDOW (not 0) at most that many frames are on their way: the
 * interfaces' own receive counters tell how many have come back, and after
 * STALL without any the rest is taken for lost.  A record of the file is: interface index and length (uint16,
 * native), then the frame.  Prints "frames seconds".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define STALL 0.2 /* seconds */
#define MAX_PORTS 64

typedef struct record {
    uint16_t interface, length;
    const uint8_t *data;
} record;

static record *records;
static size_t record_count;
static int sockets[MAX_PORTS];

static int fail(const char *what)
{
    fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
    return 1;
}

static int load(const char *path, int ports)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return fail(path);
    size_t size = (size_t)ftell(file);
    uint8_t *bytes = malloc(size);
    rewind(file);
    if (bytes == NULL || fread(bytes, 1, size, file) != size)
        return fail(path);
    fclose(file);
    records = malloc((size / 4 + 1) * sizeof *records);
    if (records == NULL)
        return fail(path);
    for (size_t at = 0; at + 4 <= size;) {
        record *r = &records[record_count++];
        memcpy(&r->interface, bytes + at, 2);
        memcpy(&r->length, bytes + at + 2, 2);
        r->data = bytes + at + 4;
        at += 4u + r->length;
        if (r->interface >= ports || at > size) {
            errno = EINVAL;
            return fail(path);
        }
    }
    return 0;
}

static int open_socket(const char *interface)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    int one = 1;
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || address.sll_ifindex == 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return fd;
}

/* Sends the run of records from `from` on that share an interface; returns their number. */
static size_t send_run(size_t from, size_t most)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    size_t n = 0;
    memset(messages, 0, sizeof messages);
    while (n < most && n < BATCH && from + n < record_count &&
           records[from + n].interface == records[from].interface) {
        parts[n].iov_base = (void *)(uintptr_t)records[from + n].data;
        parts[n].iov_len = records[from + n].length;
        messages[n].msg_hdr.msg_iov = &parts[n];
        messages[n].msg_hdr.msg_iovlen = 1;
        n++;
    }
    int sent = sendmmsg(sockets[records[from].interface], messages, (unsigned)n, 0);
    return sent > 0 ? (size_t)sent : 0;
}

/* Frames received so far on our interfaces. */
static size_t returned(char **interfaces, int ports)
{
    char line[512];
    size_t total = 0;
    FILE *file = fopen("/proc/net/dev", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *name = line + strspn(line, " "), *colon = strchr(name, ':');
        unsigned long long bytes, packets;
        if (colon == NULL || sscanf(colon + 1, "%llu %llu", &bytes, &packets) != 2)
            continue;
        *colon = 0;
        for (int i = 0; i < ports; i++)
            if (strcmp(interfaces[i], name) == 0)
                total += packets;
    }
    if (file != NULL)
        fclose(file);
    return total;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Waits until there is room in the window; returns how many frames are on their way. */
static size_t wait_for_room(size_t sent, size_t *base, size_t window, char **interfaces, int ports)
{
    double last_progress = now();
    size_t before = 0;
    for (;;) {
        size_t back = returned(interfaces, ports) - *base;
        size_t flying = back < sent ? sent - back : 0;
        if (flying + BATCH <= window)
            return flying;
        if (back != before) {
            before = back;
            last_progress = now();
        } else if (now() - last_progress > STALL) {
            *base -= flying; /* lost: count them as returned */
            return 0;
        }
        usleep(50);
    }
}

int main(int argc, char **argv)
{
    int ports = argc - 5;
    if (ports < 1 || ports > MAX_PORTS) {
        fprintf(stderr, "usage: blast FILE COUNT SECONDS WINDOW INTERFACE...\n");
        return 2;
    }
    if (load(argv[1], ports) != 0)
        return 1;
    for (int i = 0; i < ports; i++)
        if ((sockets[i] = open_socket(argv[5 + i])) < 0)
            return fail(argv[5 + i]);
    size_t limit = strtoull(argv[2], NULL, 10), window = strtoull(argv[4], NULL, 10);
    size_t total = 0, at = 0, flying = 0, base = returned(argv + 5, ports);
    double seconds = strtod(argv[3], NULL), start = now(), end = start + seconds;
    while ((limit == 0 || total < limit) && (seconds <= 0 || now() < end)) {
        if (window != 0 && flying + BATCH > window)
            flying = wait_for_room(total, &base, window, argv + 5, ports);
        size_t sent = send_run(at, limit ? limit - total : SIZE_MAX);
        if (sent == 0 && errno != ENOBUFS && errno != EINTR)
            return fail("send");
        total += sent;
        flying += sent;
        at += sent;
        if (at >= record_count)
            at = 0;
    }
    printf("%zu %.6f\n", total, now() - start);
    return 0;
}

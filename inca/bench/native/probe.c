/* SPDX-License-Identifier: MIT */
/*
 * probe IN OUT COUNT GAP_US < FRAME - one frame at a time: send it into IN, wait until
 * any frame arrives at OUT, print the nanoseconds between; -1 when none came
 * within a second.  The frame (stdin, raw bytes) is sent COUNT times, GAP_US
 * apart, so that the switch sleeps in between.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int open_socket(const char *interface, int protocol)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons((uint16_t)protocol),
                                  .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || address.sll_ifindex == 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        fprintf(stderr, "probe: %s: %s\n", interface, strerror(errno));
        exit(1);
    }
    return fd;
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(int argc, char **argv)
{
    uint8_t frame[9216], back[9216];
    if (argc != 5)
        return 2;
    size_t length = fread(frame, 1, sizeof frame, stdin);
    int in = open_socket(argv[1], 0), out = open_socket(argv[2], ETH_P_ALL);
    struct pollfd wait = {.fd = out, .events = POLLIN};
    for (long n = strtol(argv[3], NULL, 10); n > 0; n--) {
        usleep((useconds_t)strtoul(argv[4], NULL, 10));
        while (recv(out, back, sizeof back, 0) > 0)
            continue;
        int64_t start = now();
        if (send(in, frame, length, 0) < 0)
            return 1;
        int ready = poll(&wait, 1, 1000);
        printf("%lld\n", (long long)(ready > 0 ? now() - start : -1));
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * bare_loop IF0 IF1 ... - what forwarding costs without a program: frames of
 * interface i go out of interface i+1 (the last one's out of the first),
 * through the same rings and batches as the switch.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "device_ring.h"

#define MAX_PORTS 64

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static int forward(dev_ring *in, dev_ring *out)
{
    dev_rx frame;
    dev_tx_result result;
    unsigned n = 0;
    while (n < DEV_BATCH && dev_ring_next(in, &frame)) {
        dev_ring_put(out, frame.data, frame.length);
        dev_ring_done(in);
        n++;
    }
    if (n > 0)
        dev_ring_flush(out, &result);
    return n > 0;
}

int main(int argc, char **argv)
{
    static dev_ring rings[MAX_PORTS];
    struct pollfd fds[MAX_PORTS];
    int ports = argc - 1;
    dev_ring_options options = {.rx_frames = 16384};
    if (ports < 2 || ports > MAX_PORTS) {
        fprintf(stderr, "usage: bare_loop INTERFACE INTERFACE...\n");
        return 2;
    }
    for (int i = 0; i < ports; i++) {
        dev_error error = dev_ring_open(&rings[i], argv[i + 1], &options);
        if (error != DEV_OK) {
            fprintf(stderr, "bare_loop: %s: %s\n", argv[i + 1], strerror(errno));
            return 1;
        }
        fds[i] = (struct pollfd){.fd = rings[i].fd, .events = POLLIN};
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    puts("ready");
    fflush(stdout);
    while (!stop) {
        int busy = 0;
        for (int i = 0; i < ports; i++)
            busy |= forward(&rings[i], &rings[(i + 1) % ports]);
        if (!busy)
            poll(fds, (nfds_t)ports, -1);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "device_pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PCAP_BUFFER (1u << 18)

struct dev_pcap {
    FILE *file;
    int error;
};

static void put(dev_pcap *p, const void *data, size_t len)
{
    if (p->error == 0 && fwrite(data, 1, len, p->file) != len)
        p->error = errno ? errno : EIO;
}

dev_pcap *dev_pcap_open(const char *path)
{
    dev_pcap *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->file = fopen(path, "wbe");
    if (p->file == NULL) {
        int error = errno;
        free(p);
        errno = error;
        return NULL;
    }
    setvbuf(p->file, NULL, _IOFBF, PCAP_BUFFER);
    struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, linktype;
    } header = {0xa1b23c4du, 2, 4, 0, 0, 262144, 1};
    put(p, &header, sizeof header);
    return p;
}

void dev_pcap_write(dev_pcap *p, const uint8_t *data, uint32_t len, uint64_t epoch_ns)
{
    uint32_t header[4] = {(uint32_t)(epoch_ns / 1000000000u), (uint32_t)(epoch_ns % 1000000000u),
                          len, len};
    put(p, header, sizeof header);
    put(p, data, len);
}

void dev_pcap_flush(dev_pcap *p)
{
    if (fflush(p->file) != 0 && p->error == 0)
        p->error = errno;
}

int dev_pcap_close(dev_pcap *p)
{
    dev_pcap_flush(p);
    int error = p->error;
    if (fclose(p->file) != 0 && error == 0)
        error = errno;
    free(p);
    return error;
}

/* SPDX-License-Identifier: MIT */
/*
 * device_pcap.h - capture files in the classic pcap format with nanosecond
 * timestamps (magic a1b23c4d), Ethernet link type.
 */
#ifndef DEVICE_PCAP_H
#define DEVICE_PCAP_H

#include <stdint.h>

typedef struct dev_pcap dev_pcap;

/* NULL with errno set when the file cannot be created. */
dev_pcap *dev_pcap_open(const char *path);
/* `epoch_ns`: nanoseconds since 1970. */
void dev_pcap_write(dev_pcap *p, const uint8_t *data, uint32_t len, uint64_t epoch_ns);
void dev_pcap_flush(dev_pcap *p);
/* 0, or the errno of the first write that failed. */
int dev_pcap_close(dev_pcap *p);

#endif

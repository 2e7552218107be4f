/* SPDX-License-Identifier: MIT */
#include "device_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define VLAN_TAG 4u
#define HEADROOM 16u /* room to put a VLAN tag back that the kernel took out */

struct dev_ring_tx {
    struct mmsghdr messages[DEV_BATCH];
    struct iovec parts[DEV_BATCH];
    uint8_t frames[];
};

static dev_error system_error(dev_ring *ring)
{
    int error = errno;
    dev_ring_close(ring);
    errno = error;
    if (error == EPERM || error == EACCES)
        return DEV_E_PERMISSION;
    return error == ENODEV || error == ENXIO ? DEV_E_NO_INTERFACE : DEV_E_SYSTEM;
}

static int set_option(int fd, int name, int value)
{
    return setsockopt(fd, SOL_PACKET, name, &value, sizeof value);
}

static dev_error find_interface(dev_ring *ring, const char *interface)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(interface) >= sizeof request.ifr_name)
        return DEV_E_NO_INTERFACE;
    strcpy(request.ifr_name, interface);
    if (ioctl(ring->fd, SIOCGIFINDEX, &request) != 0)
        return DEV_E_NO_INTERFACE;
    ring->ifindex = request.ifr_ifindex;
    if (ioctl(ring->fd, SIOCGIFMTU, &request) != 0)
        return DEV_E_SYSTEM;
    ring->mtu = (uint32_t)request.ifr_mtu;
    return ring->mtu > DEV_MAX_MTU ? DEV_E_MTU : DEV_OK;
}

static bool map_receive_ring(dev_ring *ring, const dev_ring_options *options)
{
    uint32_t need = TPACKET2_HDRLEN + HEADROOM + 32 + ETH_HLEN + VLAN_TAG + ring->mtu;
    ring->frame_size = 2048;
    while (ring->frame_size < need)
        ring->frame_size *= 2;
    uint32_t block = ring->frame_size > 65536 ? ring->frame_size : 65536;
    uint32_t per_block = block / ring->frame_size;
    uint32_t frames = options->rx_frames ? options->rx_frames : 4194304 / ring->frame_size;
    uint32_t blocks = (frames + per_block - 1) / per_block;
    ring->frames = blocks * per_block;
    struct tpacket_req request = {.tp_block_size = block,
                                  .tp_block_nr = blocks,
                                  .tp_frame_size = ring->frame_size,
                                  .tp_frame_nr = ring->frames};
    if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
        return false;
    void *memory = mmap(NULL, (size_t)ring->frame_size * ring->frames, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_POPULATE, ring->fd, 0);
    if (memory == MAP_FAILED)
        return false;
    ring->rx = memory;
    return true;
}

static bool allocate_batch(dev_ring *ring)
{
    ring->tx = calloc(1, sizeof *ring->tx + (size_t)DEV_BATCH * ring->frame_size);
    if (ring->tx == NULL)
        return false;
    for (uint32_t i = 0; i < DEV_BATCH; i++) {
        ring->tx->parts[i].iov_base = ring->tx->frames + (size_t)i * ring->frame_size;
        ring->tx->messages[i].msg_hdr.msg_iov = &ring->tx->parts[i];
        ring->tx->messages[i].msg_hdr.msg_iovlen = 1;
    }
    return true;
}

dev_error dev_ring_open(dev_ring *ring, const char *interface, const dev_ring_options *options)
{
    memset(ring, 0, sizeof *ring);
    /* Protocol 0: nothing is received before the ring is in place and bound. */
    ring->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ring->fd < 0)
        return system_error(ring);
    dev_error found = find_interface(ring, interface);
    if (found != DEV_OK) {
        dev_ring_close(ring);
        return found;
    }
    int send_buffer = 16 << 20;
    if (setsockopt(ring->fd, SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer) != 0)
        setsockopt(ring->fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    struct packet_mreq promiscuous = {.mr_ifindex = ring->ifindex, .mr_type = PACKET_MR_PROMISC};
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = ring->ifindex};
    if (set_option(ring->fd, PACKET_VERSION, TPACKET_V2) != 0 ||
        set_option(ring->fd, PACKET_RESERVE, HEADROOM) != 0 ||
        set_option(ring->fd, PACKET_IGNORE_OUTGOING, 1) != 0 ||
        (options->qdisc_bypass && set_option(ring->fd, PACKET_QDISC_BYPASS, 1) != 0) ||
        !map_receive_ring(ring, options) || !allocate_batch(ring) ||
        setsockopt(ring->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                   sizeof promiscuous) != 0 ||
        bind(ring->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return system_error(ring);
    return DEV_OK;
}

void dev_ring_close(dev_ring *ring)
{
    if (ring->rx != NULL)
        munmap(ring->rx, (size_t)ring->frame_size * ring->frames);
    if (ring->fd >= 0)
        close(ring->fd);
    free(ring->tx);
    ring->rx = NULL;
    ring->tx = NULL;
    ring->tx_count = 0;
    ring->fd = -1;
}

static struct tpacket2_hdr *slot(const dev_ring *ring)
{
    return (struct tpacket2_hdr *)(void *)(ring->rx + (size_t)ring->head * ring->frame_size);
}

/* Rings are larger than caches: fetch the next frame while this one is worked on. */
static void prefetch_after(const dev_ring *ring)
{
    uint32_t next = ring->head + 1 == ring->frames ? 0 : ring->head + 1;
    const uint8_t *header = ring->rx + (size_t)next * ring->frame_size;
    for (unsigned line = 0; line < 5; line++)
        __builtin_prefetch(header + 64 * line);
}

/* Puts a tag back in front of the EtherType; the ring keeps headroom for it. */
static void restore_vlan_tag(dev_rx *frame, const struct tpacket2_hdr *header)
{
    uint16_t tpid = header->tp_status & TP_STATUS_VLAN_TPID_VALID ? header->tp_vlan_tpid : ETH_P_8021Q;
    uint16_t tag[2] = {htons(tpid), htons(header->tp_vlan_tci)};
    memmove(frame->data - VLAN_TAG, frame->data, 2 * ETH_ALEN);
    frame->data -= VLAN_TAG;
    frame->length += VLAN_TAG;
    memcpy(frame->data + 2 * ETH_ALEN, tag, sizeof tag);
}

static uint64_t seen_at(const struct tpacket2_hdr *header)
{
    return header->tp_sec * 1000000000ull + header->tp_nsec;
}

bool dev_ring_peek(const dev_ring *ring, uint64_t *epoch_ns)
{
    if (ring->rx == NULL)
        return false;
    const struct tpacket2_hdr *header = slot(ring);
    if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return false;
    *epoch_ns = seen_at(header);
    return true;
}

bool dev_ring_next(dev_ring *ring, dev_rx *frame)
{
    if (ring->rx == NULL)
        return false;
    struct tpacket2_hdr *header = slot(ring);
    uint32_t status = __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
    if (!(status & TP_STATUS_USER))
        return false;
    prefetch_after(ring);
    frame->data = (uint8_t *)header + header->tp_mac;
    frame->length = header->tp_snaplen;
    frame->cut = header->tp_snaplen < header->tp_len;
    frame->checksum_partial = (status & TP_STATUS_CSUMNOTREADY) != 0;
    frame->epoch_ns = seen_at(header);
    if ((status & TP_STATUS_VLAN_VALID) && frame->length >= 2 * ETH_ALEN)
        restore_vlan_tag(frame, header);
    return true;
}

void dev_ring_done(dev_ring *ring)
{
    __atomic_store_n(&slot(ring)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    ring->head = ring->head + 1 == ring->frames ? 0 : ring->head + 1;
}

bool dev_ring_put(dev_ring *ring, const uint8_t *data, uint32_t len)
{
    if (ring->tx_count == DEV_BATCH)
        return false;
    struct iovec *part = &ring->tx->parts[ring->tx_count++];
    memcpy(part->iov_base, data, len);
    part->iov_len = len;
    return true;
}

static void blame(dev_tx_result *result, int error)
{
    switch (error) {
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
        result->down++;
        break;
    case EMSGSIZE:
        result->too_long++;
        break;
    case EINVAL:
        result->malformed++;
        break;
    default:
        result->refused++;
    }
}

void dev_ring_flush(dev_ring *ring, dev_tx_result *result)
{
    memset(result, 0, sizeof *result);
    for (uint32_t at = 0; at < ring->tx_count;) {
        int sent = sendmmsg(ring->fd, ring->tx->messages + at, ring->tx_count - at, MSG_DONTWAIT);
        if (sent <= 0) {
            if (sent < 0 && errno == EINTR)
                continue;
            blame(result, sent < 0 ? errno : EAGAIN);
            at++;
            continue;
        }
        for (uint32_t end = at + (uint32_t)sent; at < end; at++)
            result->sent_bytes += ring->tx->parts[at].iov_len;
        result->sent += (uint32_t)sent;
    }
    ring->tx_count = 0;
}

uint32_t dev_ring_dropped(dev_ring *ring)
{
    struct tpacket_stats stats = {0};
    socklen_t size = sizeof stats;
    if (ring->fd < 0 || getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0)
        return 0;
    return stats.tp_drops;
}

int dev_ring_clear_error(dev_ring *ring)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return errno;
    return error;
}

# SPDX-License-Identifier: MIT
"""Ethernet, IPv4, UDP and RoCEv2 headers (IEEE 802.3, RFC 791, RFC 768, IBTA annex A17)."""

from hosts.wire.fields import Field, Header

ETHERTYPE_IPV4 = 0x0800
IP_PROTOCOL_UDP = 17
ROCE_UDP_PORT = 4791

ETHERNET = Header(
    "ethernet",
    "Ethernet",
    (
        Field("dst_addr", 48, "destination MAC address"),
        Field("src_addr", 48, "source MAC address"),
        Field("eth_type", 16, "type of the payload", ETHERTYPE_IPV4),
    ),
)

IPV4 = Header(
    "ipv4",
    "IPv4 without options",
    (
        Field("version", 4, "4", 4, word="version_ihl"),
        Field("ihl", 4, "header length in 32-bit words", 5, word="version_ihl"),
        Field("dscp", 6, "differentiated services code point", word="dscp_ecn"),
        Field("ecn", 2, "explicit congestion notification", word="dscp_ecn"),
        Field("total_len", 16, "length of header and payload in bytes"),
        Field("identification", 16, "fragment group"),
        Field("flags", 3, "2 = do not fragment", 2, word="flags_frag_offset"),
        Field("frag_offset", 13, "fragment offset in 8-byte units", word="flags_frag_offset"),
        Field("ttl", 8, "hops left", 64),
        Field("protocol", 8, "17 = UDP", IP_PROTOCOL_UDP),
        Field("hdr_checksum", 16, "ones' complement sum of the header"),
        Field("src_addr", 32, "source address"),
        Field("dst_addr", 32, "destination address"),
    ),
)

UDP = Header(
    "udp",
    "UDP",
    (
        Field("src_port", 16, "source port"),
        Field("dst_port", 16, "destination port"),
        Field("length", 16, "length of header and payload in bytes"),
        Field("checksum", 16, "0 = not computed"),
    ),
)

BTH = Header(
    "bth",
    "InfiniBand base transport header",
    (
        Field("opcode", 8, "transport service and operation"),
        Field("se", 1, "solicited event", word="se_m_pad_tver"),
        Field("m", 1, "migration state", word="se_m_pad_tver"),
        Field("pad_count", 2, "bytes of padding", word="se_m_pad_tver"),
        Field("tver", 4, "transport version, 0", word="se_m_pad_tver"),
        Field("pkey", 16, "partition key", 0xFFFF),
        Field("fecn", 1, "forward congestion notification", word="dest"),
        Field("becn", 1, "backward congestion notification", word="dest"),
        Field("rsv6", 6, "reserved", word="dest"),
        Field("dest_qp", 24, "destination queue pair", word="dest"),
        Field("ack_req", 1, "the sender wants an acknowledgement", word="sequence"),
        Field("rsv7", 7, "reserved", word="sequence"),
        Field("psn", 24, "packet sequence number", word="sequence"),
    ),
)

AETH = Header(
    "aeth",
    "InfiniBand ACK extended transport header",
    (
        Field("syndrome", 8, "0x1F = ACK with unlimited credit", 0x1F, word="syndrome_msn"),
        Field("msn", 24, "message sequence number", word="syndrome_msn"),
    ),
)

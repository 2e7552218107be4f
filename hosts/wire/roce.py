# SPDX-License-Identifier: MIT
"""RoCEv2 frames of the EPIC programs: data (RC SEND ONLY) and acknowledgements.

Every data packet carries all `elements` int32. The ICRC is four bytes of zeros that nobody checks:
switches change what it covers, as in all published prototypes.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.wire.internet import AETH, BTH, ETHERNET, IPV4, UDP

Frames: TypeAlias = NDArray[np.void]

PSN_BITS = 24
ICRC_BYTES = 4


class Opcode(IntEnum):
    """BTH opcodes in use, both reliable connection."""

    SEND_ONLY = 0x04
    ACK = 0x11


@cache
def data_dtype(elements: int) -> np.dtype[np.void]:
    """Dtype of a data frame."""
    return np.dtype(
        [
            *_COMMON,
            ("values", ">i4", (elements,)),
            ("icrc", "V4"),
        ]
    )


_COMMON = [
    ("ethernet", ETHERNET.dtype),
    ("ipv4", IPV4.dtype),
    ("udp", UDP.dtype),
    ("bth", BTH.dtype),
]
#: Dtype of the headers that both kinds have.
HEAD = np.dtype(_COMMON)
#: Dtype of an ACK frame.
ACK_FRAME = np.dtype([*_COMMON, ("aeth", AETH.dtype), ("icrc", "V4")])


def ip_checksum(header: bytes) -> int:
    """RFC 1071 over an even number of bytes."""
    total = int(np.frombuffer(header, ">u2").sum(dtype=np.uint32))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF

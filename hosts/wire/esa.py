# SPDX-License-Identifier: MIT
"""The aggregation header over UDP, and the dtypes of messages and frames.

A message is the 24-byte header and `elements` big-endian int32; every ESA packet carries all of
them, so that all frames of a job have one length. This is the project's own format: the ESA paper
(arXiv 2201.06398) publishes none.
"""

from enum import IntEnum, IntFlag
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.wire.fields import Field, Header
from hosts.wire.internet import ETHERNET, IPV4, UDP

Messages: TypeAlias = NDArray[np.void]

ESA_UDP_PORT = 0xE5A0
VERSION = 1
ELEMENTS = 32
MAX_WORKERS = 32
NO_WORKER = 0xFF


class MessageType(IntEnum):
    """What a packet is for."""

    GRAD = 1  # worker -> parameter server: one fragment of a gradient
    PARAM = 2  # to the workers: the sum (with MISS: nobody has it, send your part again)
    REMIND = 3  # parameter server -> switches: give me what you hold of this fragment
    PEEK = 4  # controller -> switch: show a slot
    FLUSH = 5  # controller -> switch: free a slot
    SML = 6  # SwitchML-style fragment


class Flag(IntFlag):
    """Bits of `flags`."""

    RESEND = 0x80  # repeated by a worker; goes to the parameter server and touches no slot
    EVICTED = 0x40  # a partial sum displaced by a fragment of higher priority
    PARTIAL = 0x20  # a partial sum fetched by REMIND
    COLLISION = 0x10  # lost against the owner of its slot
    ECN = 0x08  # passed a queue above the threshold
    NOAGG = 0x04  # no later switch may aggregate it
    OVERFLOW = 0x02  # some sum left the range of int32
    MISS = 0x01  # REMIND: the switch holds nothing; PARAM: the server has no sum


class Op(IntEnum):
    """How contributions combine, element by element."""

    SUM = 0
    OR = 1
    MAX = 2
    MIN = 3


ESA = Header(
    "esa",
    "Aggregation",
    (
        Field("ver", 4, "format version", VERSION, word="ver_type"),
        Field(
            "msg_type",
            4,
            "kind of packet",
            word="ver_type",
            values={m.name: m.value for m in MessageType},
        ),
        Field("flags", 8, "set of", flags=tuple(Flag.__members__)),
        Field("job", 16, "job, from 1; never reused"),
        Field("seq", 32, "fragment of the job, from 1, over all iterations"),
        Field("bitmap", 32, "workers whose contributions are inside, 1 << rank"),
        Field("prio", 8, "0 = anybody may displace it; hosts send at least 1", 1),
        Field("exp", 8, "shared exponent plus 128; the largest is kept"),
        Field(
            "src_worker", 8, "rank of the sender, or to whom a PARAM goes; 255 = none", NO_WORKER
        ),
        Field("op", 8, "operation", values={o.name: o.value for o in Op}),
        Field("iter", 16, "iteration; information only"),
        Field("layer", 16, "layer; information only"),
        Field("round", 16, "round of the SwitchML-style modes"),
        Field("len", 16, "valid elements", ELEMENTS),
    ),
)


def ver_type(kind: MessageType) -> int:
    """The `ver_type` byte of a message of this kind."""
    return VERSION << 4 | kind


@cache
def message_dtype(elements: int = ELEMENTS) -> np.dtype[np.void]:
    """Dtype of a message: columns `esa` (the header) and `values` (`elements` x >i4)."""
    return np.dtype([("esa", ESA.dtype), ("values", ">i4", (elements,))])


@cache
def frame_dtype(elements: int = ELEMENTS) -> np.dtype[np.void]:
    """Dtype of a whole Ethernet frame; its last two columns are those of `message_dtype`."""
    return np.dtype(
        [
            ("ethernet", ETHERNET.dtype),
            ("ipv4", IPV4.dtype),
            ("udp", UDP.dtype),
            ("esa", ESA.dtype),
            ("values", ">i4", (elements,)),
        ]
    )


@cache
def opaque(dtype: np.dtype[np.void]) -> np.dtype[np.void]:
    """`dtype` as bytes without structure, which NumPy copies about ten times as fast."""
    return np.dtype(("V", dtype.itemsize))


def take(messages: Messages, index: NDArray[Any]) -> Messages:
    """`messages[index]` as a copy; `messages` must be contiguous."""
    rows: Messages = messages.view(opaque(messages.dtype))[index]
    return rows.view(messages.dtype)


def put(messages: Messages, index: NDArray[Any], rows: Messages) -> None:
    """`messages[index] = rows`; both must be contiguous."""
    messages.view(opaque(messages.dtype))[index] = rows.view(opaque(messages.dtype))


def join(parts: list[Messages], elements: int) -> Messages:
    """All rows of `parts` in order. (`numpy.concatenate` would change their byte order.)"""
    dtype = message_dtype(elements)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return np.empty(0, dtype)
    rows: Messages = np.concatenate([part.view(opaque(dtype)) for part in parts])
    return rows.view(dtype)


#: Bytes in front of the message in a frame.
ENCAPSULATION = ETHERNET.size + IPV4.size + UDP.size

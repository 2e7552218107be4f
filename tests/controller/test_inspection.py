# SPDX-License-Identifier: MIT
import numpy as np

from controller.inspection import SlotView, answer, question
from hosts.wire.esa import ENCAPSULATION, ESA, Flag, MessageType, Op, ver_type
from hosts.wire.internet import IPV4


def ones_complement_sum(header: bytes) -> int:
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_question_is_a_whole_frame() -> None:
    frame = question(7, 32)
    assert len(frame) == 194
    ip = frame[14 : 14 + IPV4.dtype.itemsize]
    assert ones_complement_sum(ip) == 0xFFFF
    head = np.frombuffer(frame[ENCAPSULATION : ENCAPSULATION + 24], ESA.dtype)[0]
    assert head["ver_type"] == ver_type(MessageType.PEEK)
    assert head["round"] == 7


def test_answer_is_decoded() -> None:
    head = ESA.pack(
        msg_type=MessageType.FLUSH,
        flags=Flag.ECN,
        job=3,
        seq=9,
        bitmap=0b101,
        prio=4,
        op=Op.MAX,
        round=12,
        len=2,
        iter=1,
        layer=2,
    )
    frame = question(12, 2)[:ENCAPSULATION] + head.tobytes() + b"\0\0\0\5\xff\xff\xff\xff"
    assert answer(frame) == SlotView(
        12, 3, 9, 0b101, 4, Op.MAX, 2, Flag.ECN, (1 << 16) + 2, (5, -1)
    )


def test_other_packets_are_no_answer() -> None:
    assert answer(b"") is None
    assert answer(question(1, 4)[:50]) is None
    head = ESA.pack(msg_type=MessageType.GRAD).tobytes()
    assert answer(question(1, 0)[:ENCAPSULATION] + head) is None
    beyond = ESA.pack(msg_type=MessageType.PEEK, flags=Flag.MISS).tobytes()
    assert answer(question(1, 0)[:ENCAPSULATION] + beyond) is None


def test_missing_workers() -> None:
    view = SlotView(0, 1, 1, 0b0101, 0, Op.SUM, 32, Flag(0), 0, ())
    assert view.held
    assert view.missing(0b1111) == (1, 3)

# SPDX-License-Identifier: GPL-2.0-only
"""The tables, the NumPy view and the Scapy layers describe the same bytes."""

from pathlib import Path

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from hosts.wire import esa, internet
from hosts.wire.docs import page
from hosts.wire.esa_scapy import AETH, BTH, ESA, ESAValues, template
from hosts.wire.fields import Field, Header, WireFormatError

SIZES = {
    internet.ETHERNET: 14,
    internet.IPV4: 20,
    internet.UDP: 8,
    internet.BTH: 12,
    internet.AETH: 4,
    esa.ESA: 24,
}


@pytest.mark.parametrize("header", SIZES, ids=lambda h: h.name)
def test_size_and_dtype_are_those_of_the_standard(header: Header) -> None:
    assert header.size == SIZES[header] == header.dtype.itemsize


def test_frame_of_32_elements_has_194_bytes() -> None:
    assert esa.frame_dtype(32).itemsize == 194
    assert esa.ENCAPSULATION + esa.message_dtype(32).itemsize == 194


def test_numpy_reads_what_scapy_writes() -> None:
    values = [1, -2, 2**31 - 1, -(2**31)] * 8
    frame = bytes(
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src="10.0.0.1", dst="10.0.0.2", tos=0xB9)
        / UDP(sport=7, dport=esa.ESA_UDP_PORT)
        / ESA(
            msg_type="GRAD", flags="RESEND+NOAGG", job=3, seq=2**32 - 1, bitmap=1 << 31, prio=200,
            exp=17, src_worker=31, op="MAX", iter=5, layer=6, round=7,
        )
        / ESAValues(values=values)
    )  # fmt: skip
    rows = np.frombuffer(frame, esa.frame_dtype(32))
    head = rows["esa"]
    assert esa.ESA.get(head, "ver")[0] == esa.VERSION
    assert esa.ESA.get(head, "msg_type")[0] == esa.MessageType.GRAD
    assert head["flags"][0] == esa.Flag.RESEND | esa.Flag.NOAGG
    got = [int(head[name][0]) for name in ("job", "seq", "bitmap", "prio", "exp", "src_worker")]
    assert got == [3, 2**32 - 1, 1 << 31, 200, 17, 31]
    rest = [int(head[name][0]) for name in ("op", "iter", "layer", "round", "len")]
    assert rest == [esa.Op.MAX, 5, 6, 7, 32]
    assert rows["values"][0].tolist() == values
    assert internet.IPV4.get(rows["ipv4"], "dscp")[0] == 0xB9 >> 2
    assert internet.IPV4.get(rows["ipv4"], "ecn")[0] == 1


def test_scapy_reads_what_numpy_writes() -> None:
    row = esa.ESA.pack(msg_type=esa.MessageType.PARAM, flags=esa.Flag.ECN, job=1, seq=9, bitmap=15)
    parsed = ESA(row.tobytes() + np.arange(-3, 5, dtype=">i4").tobytes())
    assert parsed.msg_type == esa.MessageType.PARAM
    assert str(parsed.flags) == "ECN"
    assert (parsed.job, parsed.seq, parsed.bitmap, parsed.src_worker) == (1, 9, 15, 255)
    assert parsed[ESAValues].values == list(range(-3, 5))
    assert "PARAM [ECN] job 1 seq 9 bitmap 0xf" in parsed.mysummary()


def test_roce_layers_follow_the_tables() -> None:
    row = internet.BTH.pack(opcode=0x11, ack_req=1, dest_qp=0xEE0000, psn=0xFFFFFF)
    parsed = BTH(row.tobytes() + internet.AETH.pack(msn=5).tobytes())
    assert (parsed.dest_qp, parsed.ack_req, parsed.psn, parsed.pkey) == (
        0xEE0000,
        1,
        0xFFFFFF,
        0xFFFF,
    )
    assert (parsed[AETH].syndrome, parsed[AETH].msn) == (0x1F, 5)
    assert internet.BTH.get(row, "psn") == 0xFFFFFF


def test_template_is_a_complete_frame() -> None:
    frame = template(
        src_mac="02:00:00:00:00:01", dst_mac="02:00:00:00:00:02", src_ip="10.0.0.1",
        dst_ip="10.0.0.2", elements=32, udp_source=4000,
    )  # fmt: skip
    row = np.frombuffer(frame, esa.frame_dtype(32))[0]
    assert (row["ipv4"]["total_len"], row["udp"]["length"], row["udp"]["checksum"]) == (180, 160, 0)
    words = np.frombuffer(frame[14:34], ">u2").astype(np.uint32)
    total = int(words.sum())
    assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


def test_pack_refuses_what_does_not_fit() -> None:
    with pytest.raises(WireFormatError, match=r"esa\.ver: 16"):
        esa.ESA.pack(ver=16)
    with pytest.raises(KeyError, match="no field 'colour'"):
        esa.ESA.pack(colour=1)


def test_bits_must_fill_bytes() -> None:
    with pytest.raises(WireFormatError, match=r"odd\.a: 7 bits"):
        _ = Header("odd", "", (Field("a", 7, ""),)).dtype


def test_markdown_names_every_field() -> None:
    table = esa.ESA.markdown()
    assert all(f"`{f.name}`" in table for f in esa.ESA)
    assert "0x80 RESEND" in table
    assert "0x01 MISS" in table


def test_the_page_is_up_to_date() -> None:
    found = (Path(__file__).parents[3] / "docs/wire-formats.md").read_text()
    assert found == page(), "run `python -m hosts.wire.docs > docs/wire-formats.md`"

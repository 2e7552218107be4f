# SPDX-License-Identifier: MIT
"""The corpus dialect: text to commands, and where errors are."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softswitch.stf.commands import (
    ActionCall,
    Add,
    Anything,
    Between,
    CounterCheck,
    Expect,
    Group,
    GroupRef,
    Key,
    Masked,
    MulticastGroup,
    NoPacket,
    Packet,
    Prefix,
    RegisterRead,
    StfSyntaxError,
    Value,
)
from softswitch.stf.parser import parse_script


def one(text):
    (command,) = parse_script(text, "t.stf").commands
    return command


def test_add_with_every_match_and_blanks_in_the_action():
    command = one(
        "add Ig.t 7 hdr.h[0].x:0x0f a:0x10/4 b:1&&&0b11 c:1..0x20 d:* hdr.h.isValid():1 "
        "Ig.set(port:2,  v:0xff)"
    )
    assert command == Add(
        1,
        "Ig.t",
        7,
        (
            Key("hdr.h[0].x", Value(15)),
            Key("a", Prefix(16, 4)),
            Key("b", Masked(1, 3)),
            Key("c", Between(1, 32)),
            Key("d", Anything()),
            Key("hdr.h.isValid()", Value(1)),
        ),
        ActionCall("Ig.set", (("port", 2), ("v", 255))),
    )


def test_targets_groups_and_replicas():
    assert one("add t k:1 group(3)").target == GroupRef(3)
    assert one("group p 3 1*3 2") == Group(1, "p", 3, ((1, 3), (2, 1)))
    assert one("mc_group 5 1/7 2") == MulticastGroup(1, 5, ((1, 7), (2, 0)))


def test_packets():
    assert one("packet 1 0a 0B  # text") == Packet(1, 1, b"\x0a\x0b")
    assert one("expect 1 0A ** $") == Expect(1, 1, "0a**", True)
    assert one("expect 1 0a") == Expect(1, 1, "0a", False)
    assert one("no_packet") == NoPacket(1)


def test_state_lines():
    assert one("register_read r 2 == 0x10") == RegisterRead(1, "r", 2, 16)
    assert one("counter_check c 1 bytes == 8") == CounterCheck(1, "c", 1, "bytes", "==", 8)
    keyed = one("counter_check c k:1 j:2 packets == 8")
    assert keyed.where == (Key("k", Value(1)), Key("j", Value(2)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frobnicate 1", "unknown command 'frobnicate'"),
        ("add t k:1", "no action"),
        ("add t k:0xzz a()", "neither a key"),
        ("add t k:1 a(v)", "expected 'param:value'"),
        ("packet 0 123", "whole bytes"),
        ("packet 0 xy", "hex digits"),
        ("packet x 00", "decimal number"),
        ("expect 0 0g", "hex digits and '*'"),
        ("register_read r 0 != 1", "expected: register_read"),
        ("counter_check c 1 frames == 1", "expected: counter_check"),
        ("no_packet 1", "no arguments"),
    ],
)
def test_errors_name_file_and_line(text, message):
    with pytest.raises(StfSyntaxError) as caught:
        parse_script(f"# head\n\n{text}\n", "x.stf")
    assert str(caught.value).startswith("x.stf:3: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet=st.sampled_from("add packetexpmbrgou_ 01x:*&./()$,#\t\n"), max_size=80))
def test_any_text_parses_or_is_rejected_with_a_line(text):
    with contextlib.suppress(StfSyntaxError):
        parse_script(text, "f")

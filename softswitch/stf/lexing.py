# SPDX-License-Identifier: MIT
"""Small pieces both STF dialects share: numbers, hex data, patterns, action calls."""

from __future__ import annotations

import re

from softswitch.stf.commands import ActionCall

NUMBER = r"(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+)"
_NUMBER = re.compile(NUMBER)
_DEC = re.compile(r"[0-9]+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_PATTERN = re.compile(r"[0-9a-fA-F*]+")
_CALL = re.compile(r"(?P<name>[^\s()]+)\s*\((?P<args>.*)\)")
_ARG = re.compile(rf"\s*(?P<name>[^\s:,]+)\s*:\s*(?P<value>{NUMBER})\s*")

# A number longer than this is a mistake, and would only be slow to parse.
_MAX_DIGITS = 4096


class Reject(Exception):
    """What is wrong with a line; the parser adds file and line number."""


def number(text: str, what: str) -> int:
    """Parse decimal, 0x, 0b or 0o."""
    if len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
        raise Reject(f"{what} must be a number (decimal, 0x… or 0b…), not {text[:40]!r}")
    prefix = text[:2].lower()
    base = {"0x": 16, "0b": 2, "0o": 8}.get(prefix)
    return int(text[2:], base) if base else int(text)


def dec(text: str, what: str) -> int:
    """Parse a decimal number."""
    if len(text) > 20 or not _DEC.fullmatch(text):
        raise Reject(f"{what} must be a decimal number, not {text[:40]!r}")
    return int(text)


def packet_data(words: list[str]) -> bytes:
    """Join hex digits to bytes."""
    digits = "".join(words)
    if not _HEX.fullmatch(digits):
        raise Reject("a packet needs hex digits after the port")
    if len(digits) % 2:
        raise Reject(f"a packet must have whole bytes, this one has {len(digits)} hex digits")
    return bytes.fromhex(digits)


def pattern(words: list[str]) -> tuple[str, bool]:
    """Join an expected packet's nibbles; True if `$` demands the exact length."""
    digits = "".join(words)
    exact = digits.endswith("$")
    digits = digits.removesuffix("$")
    if digits and not _PATTERN.fullmatch(digits):
        raise Reject("an expected packet is made of hex digits and '*', with an optional '$'")
    return digits.lower(), exact


def action_call(text: str) -> ActionCall:
    """Parse `name(param:value, ...)`."""
    call = _CALL.fullmatch(text.strip())
    if call is None:
        raise Reject(f"expected an action 'name(param:value, ...)', not {text.strip()[:60]!r}")
    args: list[tuple[str, int]] = []
    if call["args"].strip():
        for part in call["args"].split(","):
            arg = _ARG.fullmatch(part)
            if arg is None:
                raise Reject(f"expected 'param:value', not {part.strip()[:40]!r}")
            args.append((arg["name"], number(arg["value"], "the value")))
    return ActionCall(call["name"], tuple(args))


def replica(text: str) -> tuple[int, int]:
    """Parse `port` or `port/rid`."""
    port, slash, rid = text.partition("/")
    return dec(port, "a replica's port"), dec(rid, "a replica's rid") if slash else 0

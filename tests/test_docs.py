# SPDX-License-Identifier: MIT
"""What pages say about the code is what the code says."""

import importlib
import re
from pathlib import Path

from hosts.wire.esa import Flag, MessageType

PAGE = Path(__file__).resolve().parent.parent / "docs" / "wire-formats.md"
_TABLE = re.compile(r"<!-- table: (\S+)\.(\w+) -->\n(.*?)\n<!-- end -->", re.DOTALL)


def test_header_tables_are_those_of_the_definitions() -> None:
    tables = _TABLE.findall(PAGE.read_text(encoding="utf-8"))
    assert tables
    for module, name, text in tables:
        assert text == getattr(importlib.import_module(module), name).markdown().strip()


def test_every_message_type_and_flag_is_explained() -> None:
    rows = set(re.findall(r"^\| ([A-Z]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == set(MessageType.__members__) | set(Flag.__members__)

# SPDX-License-Identifier: MIT
"""``inca verify`` from the outside: exit codes, JSON, exported counterexamples, bad input."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from inca.cli import main

VIOLATED = ["verify", "netchain-plain", "--timeout", "1", "--reorder", "any"]


def run(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_exit_codes_tell_the_three_verdicts_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "netchain", "--reorder", "any"]) == 0
    assert run(VIOLATED) == 1
    assert "goes back from number 2 to 1" in capsys.readouterr().out
    assert run(["verify", "netchain", "--states", "3"]) == 3
    assert "not established" in capsys.readouterr().out


def test_json_has_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*VIOLATED, "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "violated"
    assert record["trace"][-1]["node"].startswith("s")


def test_an_exported_counterexample_is_a_test_that_passes(tmp_path: Path) -> None:
    assert run([*VIOLATED, "--export", str(tmp_path)]) == 1
    exported = runpy.run_path(str(tmp_path / "test_netchain_plain.py"))
    exported["test_replays_to_the_violation"]()
    assert "goes back" in (tmp_path / "trace.txt").read_text()


def test_an_exported_packet_test_passes_on_the_embedded_switch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", "switchml-bit", "--set", "fragments=2", "--timeout", "2"]
    assert run([*arguments, "--reorder", "any", "--export", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "violated"
    script, made = str(tmp_path / "s1.stf"), str(tmp_path / "s1.bmv2.json")
    assert script_passes(script, made, str(tmp_path / "s1.p4info.txtpb"))


def script_passes(script: str, made: str, p4info: str) -> bool:
    return run(["stf", script, script, "--json", made, "--p4info", p4info]) == 0


def test_a_reboot_is_not_exported_as_a_packet_test(tmp_path: Path) -> None:
    assert run(["verify", "switchml", "--loss", "1", "--reboot", "1", "--export", str(tmp_path)])
    assert (tmp_path / "trace.txt").exists()
    assert not (tmp_path / "s1.stf").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "netlok"], "no system 'netlok': there are esa"),
        (["verify", "netlock", "--set", "foo=1"], "has no option 'foo'; it has: clients"),
        (["verify", "netlock", "--loss", "x"], "'x' is not a number"),
        (["verify", "netlock", "--reorder", "some"], "give none, any"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) != 0
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1

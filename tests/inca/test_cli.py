# SPDX-License-Identifier: MIT
import importlib
import json
import subprocess
import sys

import click
import pytest

import inca.cli
from inca.cli import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return int(caught.value.code or 0)


@pytest.mark.parametrize("name", sorted(inca.cli._COMMANDS))
def test_every_listed_command_exists_and_has_help(name: str) -> None:
    command = importlib.import_module(f"inca.cli.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    assert command.get_short_help_str()
    assert run(name, "--help") == 0


def test_help_imports_no_subcommand() -> None:
    code = (
        "import sys, inca.cli\n"
        "try: inca.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.startswith('inca.cli.')])\n"
        "print([m for m in ('numpy', 'finsy', 'scapy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, heavy = done.stdout.splitlines()[-2:]
    assert loaded == "['inca.cli.boundary']"
    assert heavy == "[]"


def test_an_unknown_command_suggests_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctr") == 2
    assert capsys.readouterr().err == (
        "error: no command 'doctr': did you mean 'doctor'? (see inca --help)\n"
    )


def test_an_error_of_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("topo", "show", "star5") == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: no topology 'star5': did you mean 'star4'?")
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_an_unexpected_error_is_kept_in_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_name: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("topologies.load", broken)
    assert run("topo", "show", "star4") == 1
    line = capsys.readouterr().err
    assert line.startswith("error: internal error: ZeroDivisionError: by zero: please report")
    path = line.split()[-1]
    with open(path) as file:
        assert "in broken" in file.read()


def test_topo_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("topo", "list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"name": "star4", "hosts": 5, "switches": 1, "links": 5} in rows


def test_doctor_fails_when_something_required_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert run("doctor", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    missing = {f["name"] for f in report["findings"] if f["required"] and not f["found"]}
    assert not report["ok"]
    assert {"gcc", "cpp", "ip", "mnexec"} <= missing

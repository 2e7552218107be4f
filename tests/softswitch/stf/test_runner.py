# SPDX-License-Identifier: MIT
"""Running packet tests: what passes, what fails and how it says so; both dialects."""

import atexit
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from softswitch.frontend import compile_p4
from softswitch.stf.cases import Case, CaseOptions, find_cases
from softswitch.stf.suite import failure_of, run_suite

ROOT = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parents[1] / "server" / "programs"
ENTITIES = PROGRAMS / "entities.p4"
FORWARD = "add Ig.exact_t hdr.h.k:1 Ig.set(port:2, v:0x11)\n"
PACKET = "01 0001 00000000 0000"


@functools.cache
def compiled():
    """Paths of the BMv2 JSON and P4Info of entities.p4, made once."""
    folder = Path(tempfile.mkdtemp(prefix="inca-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    paths = folder / "p.json", folder / "p.p4info.txtpb"
    compile_p4(ENTITIES).write(*paths)
    return paths


def outcome(tmp_path, text, dialect="inca", **options):
    """Why the test failed; '' if it passed."""
    stf = tmp_path / "t.stf"
    stf.write_text(text)
    json_file, p4info = compiled()
    case = Case("t", ENTITIES, stf=stf, json=json_file, p4info=p4info)
    return failure_of(case, CaseOptions(dialect=dialect, **options)).replace(f"{stf}:", "")


def test_forwarding(tmp_path):
    assert outcome(tmp_path, f"{FORWARD}packet 0 {PACKET} 00\nexpect 2 {PACKET} 11 $\n") == ""
    # The end of the file implies no_packet.
    assert "unexpected packet on port 2" in outcome(tmp_path, f"{FORWARD}packet 0 {PACKET} 00\n")


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        (f"expect 2 {PACKET} 12", "3: packet on port 2 differs at byte 9"),
        (f"expect 2 {PACKET} $", "3: packet on port 2 is 10 bytes, expected 9"),
        (f"expect 2 {PACKET} 11 00", "is 10 bytes, expected 11"),
        (f"expect 3 {PACKET} 11", "3: no packet on port 3, but there is one on port 2"),
        ("no_packet", "3: unexpected packet on port 2"),
        ("counter_check Ig.hits 0 packets == 2", "3: counter Ig.hits has 1 packets, expected == 2"),
        ("register_read Ig.cells 0 == 5", "register Ig.cells[0] is 0x0, expected 0x5"),
    ],
)
def test_failures_say_what_differs(tmp_path, expect, message):
    text = f"{FORWARD}packet 0 {PACKET} 00\n{expect}\nexpect 2 {PACKET} 1*\n"
    assert message in outcome(tmp_path, text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("add Ig.nope k:1 Ig.drop()", "no table 'Ig.nope'"),
        ("add exact_t hdr.h.k:1 Ig.drop()", "did you mean 'Ig.exact_t'?"),
        ("add Ig.exact_t k:1 Ig.drop()", "no key 'k'; it has hdr.h.k"),
        ("add Ig.exact_t Ig.drop()", "the exact key 'hdr.h.k' is missing"),
        ("add Ig.exact_t hdr.h.k:1 hdr.h.k:2 Ig.drop()", "given twice"),
        ("add Ig.exact_t hdr.h.k:0x10000 Ig.drop()", "does not fit in 16 bits"),
        ("add Ig.exact_t hdr.h.k:1/8 Ig.drop()", "is exact; write a number"),
        ("add Ig.exact_t 5 hdr.h.k:1 Ig.drop()", "give no priority"),
        ("add Ig.ternary_t hdr.h.op:1 NoAction()", "give a priority"),
        ("add Ig.lpm_t hdr.h.addr:1/8 NoAction()", "outside the prefix"),
        ("add Ig.exact_t hdr.h.k:1 Ig.set(port:1)", "parameter 'v' is missing"),
        ("add Ig.exact_t hdr.h.k:1 Ig.set(port:1, v:1, w:1)", "no parameter 'w'"),
        ("add Ig.exact_t hdr.h.k:1 Ig.set(port:512, v:1)", "does not fit in 9 bits"),
        ("add Ig.exact_t hdr.h.k:1 Ig.counted(v:1)", "no action 'Ig.counted'"),
        ("add Ig.exact_t hdr.h.k:1 Ig.only_default()", "may not be used for entries"),
        ("add Ig.exact_t hdr.h.k:1 member(1)", "has no action profile"),
        ("add Ig.prof_t hdr.h.k:1 Ig.drop()", "give member(id) or group(id)"),
        ("add Ig.prof_t hdr.h.k:1 group(1)", "not a selector"),
        ("add Ig.prof_t hdr.h.k:1 member(1)", "refused the entry"),
        ("add Ig.const_t hdr.h.op:1 NoAction()", "refused the entry"),
        ("setdefault Ig.lpm_t NoAction()", "is const"),
        ("mc_group 1 600", "a port is at most 511"),
        ("register_write Ig.cells 16 1", "there is no 16"),
        ("register_write Ig.cells 0 0x100000000", "does not fit in the 32 bits"),
        ("counter_check Ig.hits 8 packets == 1", "there is no 8"),
        ("packet 600 00", "port 600 does not exist"),
    ],
)
def test_wrong_lines_are_refused_with_their_number(tmp_path, line, message):
    said = outcome(tmp_path, f"# text\n{line}\n")
    assert said.startswith("2: ")
    assert message in said


# -- p4c's dialect


def p4c(tmp_path, text, **options):
    return outcome(tmp_path, text, "p4c", **options)


def test_p4c_expect_may_come_first_and_names_may_be_short(tmp_path):
    text = f"""
        add exact_t h.k:0x1 set(port : 2, v : 0x11) = A
        expect 2 {PACKET} 11 $
        packet 0 {PACKET} 00
        wait
        check_counter hits(0) packets == 1
    """
    assert p4c(tmp_path, text) == ""
    assert "sent 1 packets, expected 2" in p4c(tmp_path, f"{text}\nexpect 2 00\n")
    assert "expected == 2" in p4c(tmp_path, f"{text}\ncheck_counter hits(0) packets == 2\n")


def test_p4c_ports_not_mentioned_don_t_matter_and_expect_without_data(tmp_path):
    base = f"add exact_t k:1 set(port:2, v:1)\npacket 0 {PACKET} 00\n"
    assert p4c(tmp_path, base) == ""
    assert p4c(tmp_path, f"{base}expect 2\n") == ""
    assert "port 2: differs" in p4c(tmp_path, f"{base}expect 2 ff\n")


def test_p4c_priorities(tmp_path):
    text = """
        add exact_t k:1 set(port:1, v:0)
        add ternary_t 10 addr:0x0A****** op:1 set(port:2, v:2)
        add ternary_t 20 addr:0x0A0B0C0D op:1 set(port:3, v:3)
        packet 0 01 0001 0A0B0C0D 0000 00
    """
    assert p4c(tmp_path, text + "expect 2 01 0001 0A0B0C0D 0000 02 $\n") == ""
    larger = p4c(tmp_path, text + "expect 3 01 **** ******** **** 03 $\n", priorities="larger")
    assert larger == ""


def test_p4c_lpm_wildcards_and_handles(tmp_path):
    text = """
        add exact_t k:1 set(port:1, v:0)
        add lpm_t addr:0x0A****** set(port:2, v:2)
        add counted_t k:1 counted(v:9) = H
        packet 0 01 0001 0A0B0C0D 0000 00
        expect 2 01 0001 0A0B0C0D 0000 02
        check_counter entry_hits($H) packets == 1
        remove all
        packet 0 01 0001 0A0B0C0D 0000 00
    """
    assert p4c(tmp_path, text) == ""


def test_p4c_multicast_clones_and_registers(tmp_path):
    text = f"""
        mc_mgrp_create 6
        mc_node_create 400 1 2
        mc_node_associate 6 0
        mirroring_add 5 9
        mirroring_get 5
        mirroring_add_mc 5 6
        register_write cells 2 0x7
        register_read cells 2
        register_read cells 2 == 7
        register_reset cells
        register_read cells 2 == 0
        counter_write hits 3 4 5
        check_counter hits(3) bytes == 5
        add exact_t k:1 flood(group:6)
        packet 0 {PACKET} 00
        expect 1 {PACKET} 00 $
        expect 2 {PACKET} 00 $
        packet 0 08 0001 00000000 0000 00
        expect 1 08
        expect 1 08
        expect 2 08
        expect 2 08
    """
    assert p4c(tmp_path, text) == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("add exact_t k:1", "expected: add"),
        ("add exact_t 0xzz set()", "neither a key"),
        ("add exact_t k:0x1* set(port:1, v:1)", "takes no '*' digits"),
        ("mc_node_associate 1 0", "no multicast group 1"),
        ("check_counter hits[0]", "expected: check_counter"),
        ("check_counter hits($X) packets == 1", "'hits'"),
        ("frobnicate", "unknown command"),
        ("meter_set_rates rate 1 1:1", "meters cannot be configured"),
    ],
)
def test_p4c_errors(tmp_path, line, message):
    said = p4c(tmp_path, line + "\n")
    assert said.startswith("1: ")
    assert message in said


# -- suites and the command


def make_suite(folder):
    program = (PROGRAMS / "other.p4").read_text()
    for name in ("good", "bad", "broken"):
        (folder / f"{name}.p4").write_text(program)
    (folder / "good.stf").write_text("packet 0 01 0001 00\nno_packet\n")
    (folder / "bad.stf").write_text("packet 0 01 0001 00\nexpect 1 00\n")
    (folder / "broken.stf").write_text("frobnicate\n")
    (folder / "refused.p4").write_text("#include <core.p4>\ncontrol c() { apply { x = 1; } }\n")
    (folder / "refused.err").write_text("line: 2\nkind: not-found\nmessage: x\n---\n")
    (folder / "accepted.p4").write_text(program)
    (folder / "accepted.err").write_text("line: 2\nkind: not-found\nmessage: x\n---\n")


def test_a_folder(tmp_path):
    make_suite(tmp_path)
    results = {
        r.case.name: r.reason for r in run_suite(find_cases(tmp_path), CaseOptions(), jobs=2)
    }
    assert results["good"] == results["refused"] == ""
    assert "no packet on port 1" in results["bad"]
    assert "unknown command" in results["broken"]
    assert "the program was accepted" in results["accepted"]


def test_a_case_that_never_ends_is_a_failed_case(tmp_path):
    make_suite(tmp_path)
    cases = [c for c in find_cases(tmp_path) if c.name == "good"]
    (result,) = run_suite(cases, CaseOptions(), timeout_s=0.001)
    assert "not finished" in result.reason


def inca(*arguments, env=None):
    return subprocess.run(
        [sys.executable, "-m", "inca", "stf", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        env=env,
    )


def test_the_command(tmp_path):
    make_suite(tmp_path)
    done = inca(tmp_path, "-j", 2)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[-1] == "2 passed, 3 failed"
    assert sum(line.startswith("FAIL  ") for line in lines) == 3
    good = inca(tmp_path / "good.p4", tmp_path / "good.stf")
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "1 passed, 0 failed")
    assert re.match(r"ok    good \([0-9.]+ s\)", good.stdout)


def test_the_command_line_is_checked(tmp_path):
    for arguments in (
        [tmp_path / "none.p4", tmp_path / "none.stf"],
        [tmp_path],
        [ENTITIES],
        [ENTITIES, "x.stf", "--json", "x.json"],
    ):
        done = inca(*arguments)
        assert done.returncode != 0
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


def test_bmv2_target_that_is_not_installed(tmp_path):
    make_suite(tmp_path)
    done = inca(
        tmp_path / "good.p4", tmp_path / "good.stf", "--target", "bmv2", env={"PATH": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "needs simple_switch_grpc on PATH" in done.stderr
    assert done.stderr.count("\n") == 1


def test_bmv2_target_drives_any_switch_with_its_options(tmp_path):
    """The embedded switch is a drop-in for simple_switch_grpc: the same tests pass over gRPC."""
    fake = tmp_path / "simple_switch_grpc"
    fake.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m softswitch.server "$@"\n'
    )
    fake.chmod(0o755)
    stf = tmp_path / "t.stf"
    stf.write_text(
        f"""{FORWARD}
add Ig.ternary_t 5 hdr.h.addr:0x0a000000&&&0xff000000 hdr.h.k:1..9 hdr.h.op:2 Ig.set(port:4, v:4)
add Ig.lpm_t hdr.h.addr:0x0b000000/8 Ig.set(port:5, v:5)
member Ig.sel 1 Ig.set(port:6, v:6)
group Ig.sel 2 1
add Ig.sel_t hdr.h.k:3 group(2)
clone_session 5 7
register_write Ig.cells 1 0x12
packet 0 {PACKET} 00
expect 2 {PACKET} 11 $
packet 0 02 0001 0a000000 0000 00
expect 4 02 0001 0a000000 0000 04 $
packet 0 08 0001 0b000000 0000 00
expect 5 08 0001 0b000000 0000 05 $
expect 7 08 0001 0b000000 0000 00 $
register_read Ig.cells 1 == 0x12
counter_check Ig.hits 0 packets == 3
setdefault Ig.exact_t Ig.set(port:1, v:1)
packet 0 01 0009 00000000 0000 00
expect 1 01 0009 00000000 0000 01 $
"""
    )
    done = inca(ENTITIES, stf, "--target", "bmv2",
                env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})  # fmt: skip
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed", done.stdout

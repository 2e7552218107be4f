# SPDX-License-Identifier: MIT
"""The C compiler and the cache."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from softswitch.engine import BuildError, Pipeline
from softswitch.engine.build import RUNTIME_DIR, Builder, Flavour
from softswitch.engine.codegen import generate
from softswitch.engine.loader import load

from .programs import DATA

L2 = DATA / "l2_switch.bmv2.json"


def test_no_compiler_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BuildError, match="no C compiler: 'gcc' is not on PATH; install it"):
        Pipeline.load(L2)


def test_second_build_comes_from_the_cache(tmp_path: Path) -> None:
    first = Pipeline.load(L2, cache_dir=tmp_path)
    written = first.library_path.stat().st_mtime_ns
    second = Pipeline.load(L2, cache_dir=tmp_path)
    assert second.library_path == first.library_path
    assert second.library_path.stat().st_mtime_ns == written
    assert not list(tmp_path.glob("build-*")), "no scratch folders are left"


def test_builds_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: Pipeline.load(L2, cache_dir=tmp_path), range(2)))
    assert made[0].library_path == made[1].library_path


def test_unusable_cache_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="cache directory"):
        Pipeline.load(L2, cache_dir=tmp_path / "file" / "below")


def test_broken_source_names_the_first_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"error: .*nothing_here"):
        Builder(tmp_path).build("int main(void) { return nothing_here; }\n")


@pytest.mark.parametrize("sanitize", [False, True], ids=["plain", "sanitized"])
def test_from_c(tmp_path: Path, sanitize: bool) -> None:
    """A C program loads the object and drives two instances of it; nothing leaks."""
    library = Builder(None, Flavour(sanitize=sanitize)).build(generate(load(L2)))
    source, program = Path(__file__).with_name("two_instances.c"), tmp_path / "two"
    flags = ["-Wall", "-Wextra", "-Werror", f"-I{RUNTIME_DIR}"]
    flags += ["-fsanitize=address,undefined"] if sanitize else []
    subprocess.run(["gcc", *flags, "-o", str(program), str(source), "-ldl"], check=True)
    done = subprocess.run([str(program), str(library)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "a: port 7, 20 bytes\nb: nothing\n"), done.stderr


def test_generated_code_names_the_p4_source() -> None:
    text = Pipeline.load(L2).library_path.with_suffix(".c").read_text()
    assert "l2_switch.p4:54: rx.count((bit<32>) sm.ingress_port)" in text


def test_import_needs_no_compiler() -> None:
    env = {"PATH": "", "PYTHONPATH": str(RUNTIME_DIR.parents[1])}
    command = [sys.executable, "-c", "import softswitch.engine"]
    assert subprocess.run(command, env=env, check=False).returncode == 0

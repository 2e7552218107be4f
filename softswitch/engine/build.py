# SPDX-License-Identifier: MIT
"""Generated C to a shared object, kept in a cache by content.

Everything is written beside its final name and renamed, so several processes may build at once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from softswitch.engine.errors import BuildError

RUNTIME_DIR = Path(__file__).resolve().parent.parent / "runtime"
CORE_SOURCES = (
    "ss_state.c", "ss_flow.c", "ss_table.c",
    "ss_match.c",
    "ss_trace.c", "ss_entries.c", "ss_profile.c", "ss_extern.c",
)  # fmt: skip
BASE_FLAGS = (
    "-std=gnu11",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-Werror",
)
# what a P4 program may well say, though C programmers had better not
GENERATED_FLAGS = (
    *("-Wno-type-limits", "-Wno-tautological-compare", "-Wno-div-by-zero"),
    *("-Wno-bool-operation", "-Wno-bool-compare", "-Wno-int-in-bool-context"),
    # a fifth of the compile time of long controls; no gain in the packets per second
    *("-fno-tree-pre", "-fno-gcse"),
)
SANITIZE_FLAGS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Flavour:
    """How to compile: ``sanitize`` adds AddressSanitizer and UBSan, ``trace`` the trace calls."""

    sanitize: bool = False
    trace: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """Compiler flags."""
        optimise = SANITIZE_FLAGS if self.sanitize else ("-O2", "-g1", "-Wl,-z,defs")
        return (*BASE_FLAGS, *optimise, *(("-DSS_TRACE=1",) if self.trace else ()))


def default_cache_dir() -> Path:
    """``$INCA_CACHE``, else ``inca`` in the user's XDG cache directory."""
    named = os.environ.get("INCA_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "inca"


def find_compiler() -> str:
    """Path of the C compiler: ``$CC`` or gcc."""
    wanted = os.environ.get("CC", "gcc")
    found = shutil.which(wanted)
    if found is None:
        raise BuildError(f"no C compiler: '{wanted}' is not on PATH; install it (apt install gcc)")
    return found


class Builder:
    """Builds shared objects in one cache directory."""

    def __init__(self, cache_dir: Path | None = None, flavour: Flavour | None = None) -> None:
        self.cache = cache_dir or default_cache_dir()
        self.flavour = flavour or Flavour()
        self.compiler = find_compiler()
        status = os.stat(self.compiler)
        self._salt = f"{self.compiler} {status.st_size} {status.st_mtime_ns} {self.flavour.flags}"

    def _runtime_files(self) -> list[Path]:
        """The core; the device files are a library of their own."""
        return sorted(p for p in RUNTIME_DIR.glob("ss*") if p.suffix in (".c", ".h"))

    def _sources(self) -> list[Path]:
        return [RUNTIME_DIR / name for name in CORE_SOURCES]

    def key(self, source: str) -> str:
        """Name of the object for ``source``: a hash of all that goes into it."""
        h = hashlib.sha256(self._salt.encode())
        for path in self._runtime_files():
            h.update(path.name.encode())
            h.update(path.read_bytes())
        h.update(source.encode())
        return h.hexdigest()[:32]

    def build(self, source: str) -> Path:
        """Path of the shared object for ``source``, compiled unless it is in the cache."""
        target = self.cache / f"{self.key(source)}.so"
        if target.exists():
            return target
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.cache, prefix="build-") as scratch:
                generated = Path(scratch) / "program.c"
                generated.write_text(source, encoding="utf-8")
                made = Path(scratch) / "program.so"
                with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                    # the generated file takes longest, so it goes first
                    own = pool.submit(self._generated, generated)
                    rest = list(pool.map(lambda p: self._object(p, Path(scratch)), self._sources()))
                    objects = [own.result(), *rest]
                self._run(["-shared", "-o", str(made), *map(str, objects)])
                os.replace(generated, target.with_suffix(".c"))
                os.replace(made, target)
        except OSError as e:
            raise BuildError(f"cache directory {self.cache}: {e.strerror or e}") from None
        return target

    def _generated(self, source: Path) -> Path:
        made = source.with_suffix(".o")
        self._run([*GENERATED_FLAGS, "-c", "-o", str(made), str(source)])
        return made

    def _object(self, path: Path, scratch: Path) -> Path:
        h = hashlib.sha256(self._salt.encode())
        for header in self._runtime_files():
            if header.suffix == ".h":
                h.update(header.read_bytes())
        h.update(path.read_bytes())
        target = self.cache / f"{path.stem}-{h.hexdigest()[:32]}.o"
        if not target.exists():
            made = scratch / f"{path.stem}.o"
            self._run(["-c", "-o", str(made), str(path)])
            os.replace(made, target)
        return target

    def _run(self, args: list[str]) -> None:
        command = [self.compiler, *self.flavour.flags, f"-I{RUNTIME_DIR}", *args]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise BuildError(f"{self.compiler} took more than {TIMEOUT_SECONDS} s") from None
        if done.returncode != 0:
            first = next((x for x in done.stderr.splitlines() if "error" in x), done.stderr.strip())
            raise BuildError(f"{self.compiler} failed ({' '.join(args[:3])} ...): {first[:500]}")

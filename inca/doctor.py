# SPDX-License-Identifier: MIT
"""What this machine lacks, found by trying rather than by asking."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_ETH_P_ALL = 0x0003


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    found: bool
    detail: str
    """What was found, or what went wrong."""
    hint: str
    """How to get it."""
    required: bool = True


def examine() -> Iterator[Finding]:
    """Look for everything, one finding at a time; cleans up what it makes."""
    yield _python()
    yield from _packages()
    yield _root()
    for tool, package, what in (
        ("gcc", "gcc libc6-dev", "compiles P4 programs to native code"),
        ("cpp", "cpp", "preprocesses P4"),
        ("ip", "iproute2", "makes interfaces"),
        ("ethtool", "ethtool", "switches offloads off"),
        ("mnexec", "mininet", "runs hosts"),
    ):
        yield _tool(tool, f"apt-get install {package}", what)
    yield _try("C compiler works", _compile_c, "apt-get install gcc libc6-dev")
    yield _try(
        "mininet in Python", _import_mininet, "tools/setup links Debian's package into .venv"
    )
    yield _try("network namespaces", _make_namespace, "run as root, on a kernel with CONFIG_NET_NS")
    yield _try("veth pairs", _make_veth, "run as root, on a kernel with CONFIG_VETH")
    yield _try("packet sockets", _open_packet_socket, "run as root (CAP_NET_RAW)")
    for tool, hint, what in (
        ("tshark", "apt-get install tshark", "decodes captures (some tests)"),
        ("p4c", "p4lang's packages; only for TARGET=bmv2", "the reference P4 compiler"),
        ("simple_switch_grpc", "p4lang's packages; only for TARGET=bmv2", "the reference switch"),
        ("rumur", "apt-get install rumur", "second opinion of the model checker"),
    ):
        yield _tool(tool, hint, what, required=False)


def _python() -> Finding:
    detail = f"{sys.version.split()[0]} in {sys.prefix}"
    return Finding("Python", sys.version_info >= (3, 11), detail, "apt-get install python3")


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    lines = importlib.metadata.requires("inca") or []
    wrong = []
    for requirement in map(Requirement, lines):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed}, not {requirement.specifier}")
    detail = "; ".join(wrong) or f"{len(lines)} pins met"
    yield Finding("Python packages", not wrong, detail, "tools/setup")


def _root() -> Finding:
    found = os.geteuid() == 0
    return Finding("root", found, f"uid {os.geteuid()}", "sudo, or a container run as root")


def _tool(name: str, hint: str, what: str, *, required: bool = True) -> Finding:
    path = shutil.which(name)
    return Finding(name, path is not None, path or what, hint, required)


def _try(name: str, attempt: Callable[[], str], hint: str) -> Finding:
    try:
        return Finding(name, True, attempt(), hint)
    except subprocess.CalledProcessError as error:
        return Finding(name, False, (error.stderr or str(error)).strip().splitlines()[-1], hint)
    except (OSError, ImportError) as error:
        return Finding(name, False, str(error), hint)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _compile_c() -> str:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "a.c")
        source.write_text("#include <stdint.h>\nint32_t f(int32_t x) { return x + 1; }\n")
        _run("gcc", "-shared", "-fPIC", "-o", f"{folder}/a.so", str(source))
    return "made a shared object"


def _import_mininet() -> str:
    importlib.import_module("mininet.node")
    return str(Path(importlib.import_module("mininet").__file__ or "").parent.resolve())


def _make_namespace() -> str:
    _run("unshare", "--net", "true")
    return "made one"


def _make_veth() -> str:
    # In a namespace of its own, so nothing can be left behind.
    _run(
        "unshare", "--net", "ip", "link", "add", "inca-a", "type", "veth", "peer", "name", "inca-b"
    )
    return "made one"


def _open_packet_socket() -> str:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)):
        return "opened one"

# SPDX-License-Identifier: MIT
"""One run, one record: ``results/<run>/record.json`` (schema in docs/experiments.md).

Tables and plots are made from records only, so they can be made again.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from topologies import Link, LinkUsage, Topology

SCHEMA = "inca-record/1"
FILE_NAME = "record.json"
_PACKAGES = ("inca", "numpy", "finsy", "grpcio", "scikit-learn")


class RecordError(Exception):
    """A record cannot be read."""


def new_folder(results: Path, kind: str, started: datetime) -> Path:
    """Make and return ``results/<date>-<time>-<kind>``; never one that exists."""
    stem = f"{started:%Y%m%d-%H%M%S}-{kind}"
    for attempt in range(1, 1000):
        folder = results / (stem if attempt == 1 else f"{stem}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise RecordError(f"{results}: a thousand runs in one second: remove some")


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def environment() -> dict[str, Any]:
    """Versions and machine, for the record."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {
        "versions": {"python": platform.python_version(), **versions},
        "machine": {"cpus": os.cpu_count(), "kernel": platform.release()},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def topology_as_json(topology: Topology) -> dict[str, Any]:
    """A topology as it was run."""
    return {
        "name": topology.name,
        "hosts": {h.name: {"ip": h.ip, "mac": h.mac, "role": h.role} for h in topology.hosts},
        "switches": {s.name: {"device_id": s.device_id} for s in topology.switches},
        "links": [_link_as_json(link) for link in topology.links],
    }


def _link_as_json(link: Link) -> dict[str, Any]:
    model = {key: value for key, value in asdict(link.model).items() if value}
    return {"a": str(link.a), "b": str(link.b), **model}


def usage_as_json(usage: Iterable[LinkUsage]) -> list[dict[str, Any]]:
    """Bytes and packets of each direction of each link."""
    return [
        {
            "link": use.link.name,
            "from": str(use.source),
            "to": str(use.destination),
            "packets": use.packets,
            "bytes": use.bytes,
        }
        for use in usage
    ]


def difference(after: Iterable[LinkUsage], before: Iterable[LinkUsage]) -> list[LinkUsage]:
    """What went over the links between two readings."""
    return [
        replace(b, packets=b.packets - a.packets, bytes=b.bytes - a.bytes)
        for a, b in zip(before, after, strict=True)
    ]


def write(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write a record; a reader sees a whole one or none."""
    path = folder / FILE_NAME
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps({"schema": SCHEMA, **record}, indent=1) + "\n", encoding="utf-8")
    scratch.replace(path)
    return path


def read(path: Path) -> dict[str, Any]:
    """The record of a run's folder, or of a file.

    Raises:
        RecordError: none there, or of another schema.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        hint = "give a folder of results/"
        raise RecordError(f"{file}: {error.strerror or error}: {hint}") from None
    except ValueError as error:
        raise RecordError(f"{file}: not JSON: {error}") from None
    found = record.get("schema") if isinstance(record, dict) else None
    if found != SCHEMA:
        raise RecordError(f"{file}: schema {found!r}, expected {SCHEMA!r}: run it again")
    assert isinstance(record, dict)
    return record

# SPDX-License-Identifier: MIT
"""Snapshots: data-plane state as bytes, control-plane state read once for each change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from softswitch.engine.errors import EngineError
from softswitch.engine.native import check

if TYPE_CHECKING:
    from softswitch.engine.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Control:
    """Everything that the control plane wrote, by content."""

    tables: tuple[Any, ...]
    profiles: tuple[Any, ...]
    value_sets: tuple[Any, ...]
    groups: tuple[Any, ...]
    sessions: tuple[Any, ...]
    digest: int = field(default=0, compare=False)

    def __hash__(self) -> int:
        return self.digest


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a pipeline. Equal and of equal hash when the contents are equal."""

    state: bytes
    control: Control


class SnapshotKeeper:
    """Takes and restores snapshots of one pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._p = pipeline
        self._version = -1
        self._control: Control | None = None

    def _now(self) -> int:
        return int(self._p.native.lib.ss_version(self._p.native.ptr))

    def _read(self) -> Control:
        p = self._p
        tables = []
        for t in p.tables.values():
            info = t.info
            entries = () if info.entries else tuple(
                (e.match, e.action, e.params, e.priority) for e in t.entries()
            )  # fmt: skip
            default = None if info.default_entry_const else t.default()
            tables.append((entries, default))
        profiles = tuple(
            (tuple(sorted(a.members.items())), tuple(sorted(a.groups.items())))
            for a in p.action_profiles.values()
        )
        sets = tuple(v.members for v in p.value_sets.values())
        groups, sessions = (
            tuple(sorted(p.pre.groups.items())),
            tuple(sorted(p.pre.sessions.items())),
        )
        parts = (tuple(tables), profiles, sets, groups, sessions)
        return Control(*parts, digest=hash(parts))

    def take(self) -> Snapshot:
        """A snapshot of now."""
        version = self._now()
        if self._control is None or version != self._version:
            fresh = self._read()
            self._control = self._control if fresh == self._control else fresh
            self._version = version
        assert self._control is not None
        return Snapshot(self._p.state(), self._control)

    def restore(self, snapshot: Snapshot) -> None:
        """Back to ``snapshot``."""
        if self._control is not snapshot.control or self._now() != self._version:
            self._rebuild(snapshot.control)
        self._p.set_state(snapshot.state)

    def _rebuild(self, control: Control) -> None:
        p = self._p
        check(p.native.lib.ss_reset_control(p.native.ptr), "restore")
        for profile, (members, groups) in zip(
            p.action_profiles.values(), control.profiles, strict=True
        ):
            profile.members.clear()
            profile.groups.clear()
            for member, (action, params) in members:
                profile.add_member(member, action, params)
            for group, listed in groups:
                profile.set_group(group, listed)
        for table, (entries, default) in zip(p.tables.values(), control.tables, strict=True):
            for match, action, params, priority in entries:
                table.insert(match, action, params, priority)
            if (
                not table.info.default_entry_const
                and default is not None
                and default != table.default()
            ):
                table.set_default(*default)
        for value_set, members in zip(p.value_sets.values(), control.value_sets, strict=True):
            value_set.set(members)
        p.pre.groups.clear()
        p.pre.sessions.clear()
        for number, replicas in control.groups:
            p.pre.set_multicast_group(number, replicas)
        for number, (replicas, truncate) in control.sessions:
            p.pre.set_clone_session(number, replicas, truncate)
        self._control = control
        self._version = self._now()
        if not isinstance(control, Control):
            raise EngineError("not a snapshot")

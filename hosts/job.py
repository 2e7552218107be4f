# SPDX-License-Identifier: MIT
"""The description of a job, one JSON file for all its agents."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from hosts.aggregation.config import ConfigError, JobConfig, ServerConfig, WorkerConfig
from hosts.errors import AgentConfigError
from hosts.wire.esa import ELEMENTS


@dataclass(frozen=True)
class Member:
    """A host of the job: where it sends and what it is called on the wire."""

    host: str
    interface: str
    mac: str
    ip: str
    gateway_mac: str


@dataclass(frozen=True)
class JobDescription:
    """Everything the agents of a job need. Times in microseconds.

    Attributes:
        job: id on the wire, as the controller granted it.
        workers: members by rank.
        server: the parameter server's host.
        bound: largest size of a value in the fixed-point scheme.
        pool: slots of a SwitchML-style job; 0: with a parameter server.
        deadline_us: an all-reduce without any progress for so long is an error.
        task: what the worker agents do, see `hosts.worker_agent`.
    """

    job: int
    workers: tuple[Member, ...]
    server: Member
    elements: int = ELEMENTS
    window: int = 256
    pool: int = 0
    priority: int = 1
    remind_us: int = 20_000
    rto_us: int = 100_000
    congestion_control: bool = False
    bound: float = 64.0
    deadline_us: int = 30_000_000
    task: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> JobConfig:
        """What the protocol cores agree on."""
        return JobConfig(self.job, len(self.workers), self.window, self.elements, pool=self.pool)

    def worker_config(self, rank: int) -> WorkerConfig:
        """Options of one worker's core."""
        return WorkerConfig(
            self.config, rank, rto_us=self.rto_us, congestion_control=self.congestion_control
        )

    def server_config(self) -> ServerConfig:
        """Options of the parameter server's core."""
        return ServerConfig(self.config, remind_us=self.remind_us)

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self), indent=2)

    def write(self, path: Path) -> None:
        """Write the file that the agents are started with."""
        path.write_text(self.to_json() + "\n")

    @classmethod
    def from_json(cls, text: str, where: str = "job description") -> JobDescription:
        """Parse and check.

        Raises:
            AgentConfigError: not JSON, a key missing or unknown, or a value out of range.
        """
        try:
            raw = json.loads(text)
        except json.JSONDecodeError as error:
            raise AgentConfigError(f"{where}:{error.lineno}: not JSON: {error.msg}") from error
        if not isinstance(raw, dict):
            raise AgentConfigError(f"{where}: not an object; see docs/agents.md")
        unknown = sorted(set(raw) - {f.name for f in fields(cls)})
        if unknown:
            raise AgentConfigError(f"{where}: unknown key {unknown[0]!r}; see docs/agents.md")
        try:
            raw["workers"] = tuple(Member(**m) for m in raw["workers"])
            raw["server"] = Member(**raw["server"])
            description = cls(**raw)
            for rank in range(len(description.workers)):
                description.worker_config(rank)
            description.server_config()
        except KeyError as error:
            raise AgentConfigError(f"{where}: key {error} is missing") from error
        except (TypeError, ConfigError) as error:
            raise AgentConfigError(f"{where}: {error}") from error
        return description

    @classmethod
    def read(cls, path: Path) -> JobDescription:
        """Read the file `path`.

        Raises:
            AgentConfigError: the file cannot be read, or see `from_json`.
        """
        try:
            text = path.read_text()
        except OSError as error:
            raise AgentConfigError(f"{path}: {error.strerror}") from error
        return cls.from_json(text, str(path))

# SPDX-License-Identifier: MIT
"""Frozen options of the protocol cores."""

from dataclasses import dataclass

from hosts.wire.esa import ELEMENTS, MAX_WORKERS


class ConfigError(ValueError):
    """An option out of its range."""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


@dataclass(frozen=True)
class JobConfig:
    """What all members of a job agree on.

    `window` is the largest number of fragments a worker has in flight (W); the parameter server
    keeps the last `keep` = 2 W sums for repair. `first_seq` starts the numbering, which goes on
    over all iterations and never restarts. `pool` is the number of slots of a SwitchML-style job,
    at least `window`; 0: slots are found by hash and a parameter server completes and repairs.
    """

    job: int
    workers: int
    window: int = 256
    elements: int = ELEMENTS
    first_seq: int = 1
    pool: int = 0

    def __post_init__(self) -> None:
        _require(1 <= self.job < 1 << 16, f"job {self.job}: give a number from 1 to 65535")
        _require(
            1 <= self.workers <= MAX_WORKERS,
            f"job {self.job}: {self.workers} workers: give 1 to {MAX_WORKERS}",
        )
        _require(self.window >= 1, f"job {self.job}: window {self.window}: give at least 1")
        _require(self.elements >= 1, f"job {self.job}: {self.elements} elements: give at least 1")
        _require(self.first_seq >= 1, f"job {self.job}: sequence numbers start at 1 or later")
        # A power of two, or fragments would change their slots where the sequence wraps.
        _require(
            not self.pool or (self.pool >= self.window and self.pool & (self.pool - 1) == 0),
            f"job {self.job}: pool of {self.pool} slots: give a power of two, at least the window",
        )

    @property
    def full_mask(self) -> int:
        """Bitmap of a complete fragment."""
        return (1 << self.workers) - 1

    @property
    def capacity(self) -> int:
        """Slots of the members' rings: the smallest power of two that holds 2 W fragments.

        When the slowest worker waits for fragment m, fragment m + W cannot be complete, so no
        packet beyond m + 2W - 1 exists.
        """
        return 1 << (2 * self.window - 1).bit_length()


@dataclass(frozen=True)
class WorkerConfig:
    """One worker. Times in microseconds.

    `rto_us` must exceed the server's `remind_us` plus a round trip: the reminder acts first, the
    worker's timer is the backstop.
    """

    job: JobConfig
    rank: int
    rto_us: int = 100_000
    rto_max_us: int = 2_000_000
    beyond: int = 3
    resend_gaps: bool = True
    congestion_control: bool = False
    initial_window: int = 64

    def __post_init__(self) -> None:
        _require(
            0 <= self.rank < self.job.workers,
            f"job {self.job.job}: rank {self.rank}: give 0 to {self.job.workers - 1}",
        )
        _require(0 <= self.rto_us <= self.rto_max_us, "rto_us must not exceed rto_max_us")
        _require(self.beyond >= 1, f"beyond {self.beyond}: give at least 1")
        _require(self.initial_window >= 1, "initial_window: give at least 1")

    @property
    def bit(self) -> int:
        """The worker's bit in the bitmap."""
        return 1 << self.rank


@dataclass(frozen=True)
class ServerConfig:
    """The parameter server of one job. Times in microseconds.

    From the `solicit_after`-th reminder on, the server also asks the workers, since a sum that the
    switch sent straight to them may have been lost on the way to the server.
    """

    job: JobConfig
    remind_us: int = 20_000
    remind_max_us: int = 1_000_000
    solicit_after: int = 2

    def __post_init__(self) -> None:
        _require(0 <= self.remind_us <= self.remind_max_us, "remind_us exceeds remind_max_us")
        _require(self.solicit_after >= 1, "solicit_after: give at least 1")

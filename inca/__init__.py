# SPDX-License-Identifier: MIT
"""What people call: the ``inca`` command, experiments, records and plots.

``inca.connect(job, rank)`` gives a communicator for your own training loop: docs/agents.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hosts.collective import Communicator as Communicator
    from hosts.collective import connect as connect

__all__ = ["Communicator", "connect"]


def __getattr__(name: str) -> Any:
    # Late, since the command needs neither NumPy nor Scapy to start.
    if name in __all__:
        from hosts import collective

        return getattr(collective, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

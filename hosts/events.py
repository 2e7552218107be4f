# SPDX-License-Identifier: MIT
"""What an agent tells its parent: one JSON object per line on standard output."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from hosts.errors import HostError, Terminated


def emit(event: str, **fields: Any) -> None:
    """Print one event: `ready`, `progress`, `stats`, `stuck`, `result` or `error`."""
    print(json.dumps({"event": event, "time": time.time(), **fields}), flush=True)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated("SIGTERM")


def run(main: Callable[[], int]) -> int:
    """Run an agent: SIGTERM ends it with status 0, an error of ours is one line and status 1."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return main()
    except (Terminated, KeyboardInterrupt):
        return 0
    except HostError as error:
        emit("error", kind=type(error).__name__, message=str(error))
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1

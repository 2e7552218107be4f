# SPDX-License-Identifier: MIT
"""`python -m softswitch.server`: a P4 switch with a P4Runtime server."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the switch; return the exit status."""
    from softswitch.server.options import OptionError, parse

    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
    except OptionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    from softswitch.device import DeviceError
    from softswitch.engine.errors import EngineError
    from softswitch.server.errors import P4RuntimeError
    from softswitch.server.process import ServerError, run

    try:
        run(options)
    except (ServerError, DeviceError, EngineError, P4RuntimeError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""The parameter server as a process: `python -m hosts.server_agent JOB.json`.

Run it in the server's network namespace. Standard output has JSON lines: `ready`, then `stats`
every `--every` seconds, with the fragments that wait and the workers they wait for; `result` at
SIGTERM.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from hosts.addresses import Addressing, HostAddress
from hosts.aggregation.server import ParameterServer
from hosts.driver import RingTransport
from hosts.errors import Terminated
from hosts.events import emit, run
from hosts.job import JobDescription
from hosts.ring import Ring, RingOptions
from hosts.wire.esa import ESA_UDP_PORT

_SHOWN = 10


def open_server(job: JobDescription) -> tuple[ParameterServer, RingTransport]:
    """The core and its ring.

    Raises:
        InterfaceError: the host's interface cannot be used.
    """
    server = ParameterServer(job.server_config())
    own = job.server
    ips = tuple(m.ip for m in job.workers)
    addressing = Addressing(
        HostAddress(own.mac, own.ip, own.gateway_mac),
        peer=ips[0],
        workers=ips,
        elements=job.elements,
        udp_source=ESA_UDP_PORT,
    )
    ring = Ring(RingOptions(own.interface, elements=job.elements, rx_slots=8192))
    return server, RingTransport(ring, server, addressing.server_heads)


def report(
    job: JobDescription, server: ParameterServer, transport: RingTransport
) -> dict[str, Any]:
    """Counters and what is stuck."""
    waiting = server.incomplete()
    return {
        "job": job.job,
        "counters": dict(server.counters),
        "ring": dict(transport.ring.counters),
        "waiting": len(waiting),
        "stuck": [
            {
                "seq": w.seq,
                "missing": [job.workers[r].host for r in w.missing],
                "reminders": w.reminders,
            }
            for w in waiting[:_SHOWN]
            if w.reminders
        ],
    }


def serve(job: JobDescription, every_us: int) -> int:
    """Run until SIGTERM."""
    server, transport = open_server(job)
    emit("ready", role="server", host=job.server.host, job=job.job)
    following = transport.now() + every_us
    try:
        while True:
            transport.step(max(0, following - transport.now()))
            if transport.now() >= following:
                following += every_us
                emit("stats", **report(job, server, transport))
    except Terminated:
        emit("result", **report(job, server, transport))
        return 0
    finally:
        transport.close()


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m hosts.server_agent", description=__doc__)
    parser.add_argument("job", type=Path, metavar="JOB.json")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between statistics")
    given = parser.parse_args(arguments)
    return run(lambda: serve(JobDescription.read(given.job), int(given.every * 1e6)))


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""Which Ethernet, IPv4 and UDP headers go in front of a message."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hosts.wire.esa import ENCAPSULATION, NO_WORKER
from hosts.wire.esa_scapy import template


@dataclass(frozen=True)
class HostAddress:
    """A host: MAC and IPv4 address as people write them; `gateway_mac` is its switch port's."""

    mac: str
    ip: str
    gateway_mac: str


class Addressing:
    """Headers by destination, made once with the Scapy layers.

    `peer` gets every message that is not for a single worker: a worker's peer is the parameter
    server; a server's peer is any worker, since the switch itself replicates PARAM and answers
    REMIND.
    """

    def __init__(
        self, own: HostAddress, peer: str, workers: tuple[str, ...], elements: int, udp_source: int
    ) -> None:
        self._heads = np.empty((256, ENCAPSULATION), np.uint8)
        for rank, destination in enumerate((*workers, peer)):
            frame = template(
                src_mac=own.mac,
                dst_mac=own.gateway_mac,
                src_ip=own.ip,
                dst_ip=destination,
                elements=elements,
                udp_source=udp_source,
            )
            self._heads[rank:] = np.frombuffer(frame[:ENCAPSULATION], np.uint8)

    def worker_heads(self) -> NDArray[np.uint8]:
        """Headers of everything a worker sends, shape (1, 42)."""
        return self._heads[NO_WORKER:]

    def server_heads(self, messages: NDArray[np.void]) -> NDArray[np.uint8]:
        """Headers of a server's messages by `src_worker`, shape (n, 42)."""
        heads: NDArray[np.uint8] = self._heads[messages["esa"]["src_worker"]]
        return heads

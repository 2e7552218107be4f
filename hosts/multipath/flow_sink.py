# SPDX-License-Identifier: MIT
"""Receiving flows: in order, one acknowledgement per packet.  Pure: no socket, no clock."""

from __future__ import annotations

from hosts.multipath.flow_wire import Kind, Message


class FlowSink:
    """One flow's receiver."""

    def __init__(self) -> None:
        self.received = 0
        self._told = -1

    def on_data(self, message: Message) -> Message:
        """A packet arrived; the acknowledgement to send.

        A missing packet is reported once, since what follows it is on the way already and would
        report it again and again.
        """
        gap = False
        if message.number == self.received:
            self.received += 1
        elif message.number > self.received and self._told != self.received:
            self._told, gap = self.received, True
        return Message(Kind.ACK, self.received, message.count, gap)

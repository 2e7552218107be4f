# SPDX-License-Identifier: MIT
"""Whole frames of aggregation traffic: built, read, told and renamed for small systems.

Each worker contributes to element 0 a count and to element 1 the job's and the fragment's number,
in a byte of its own (worker w owns byte w).  So a sum says whose contributions to which fragments
are inside, and how often: element 0 must be one per worker, element 1 job and fragment per worker.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hosts.wire.esa import ESA, ESA_UDP_PORT, NO_WORKER, Flag, MessageType, frame_dtype, ver_type
from hosts.wire.internet import ETHERNET, IPV4, UDP
from topologies import Host, Topology
from verification.model import Permutation

ELEMENTS = 2
MAX_WORKERS = 4
"""A 32-bit element has a byte for each."""
MAX_SEQ = 0xF
MAX_JOB = 0x7


def contribution(job: int, rank: int, seq: int) -> NDArray[np.int32]:
    """What a worker adds to a fragment, shape (2,)."""
    shift = 8 * rank
    key = (job & MAX_JOB) << 4 | seq & MAX_SEQ
    return np.array([1 << shift, key << shift], np.uint32).view(np.int32)


def complete(job: int, workers: int, seq: int) -> NDArray[np.int32]:
    """The sum of all contributions to a fragment, shape (2,)."""
    with np.errstate(over="ignore"):
        parts = np.array([contribution(job, rank, seq) for rank in range(workers)])
        total: NDArray[np.int32] = parts.sum(axis=0, dtype=np.int32)
        return total


class Frames:
    """Frames between the hosts of a topology."""

    def __init__(self, topology: Topology, workers: tuple[str, ...]) -> None:
        self.topology, self.workers = topology, workers
        self.dtype = frame_dtype(ELEMENTS)
        self._hosts = [topology.host(name) for name in workers]
        self._ips = [int(host.interface.ip) for host in self._hosts]
        self._macs = [_mac(host) for host in self._hosts]
        self._others = {_mac(host) for host in topology.hosts} - set(self._macs)

    def build(self, messages: NDArray[np.void], source: Host, target: Host) -> list[bytes]:
        """One frame per message, from one host to another by way of the source's gateway."""
        rows = np.zeros(len(messages), self.dtype)
        mac = {
            "dst_addr": int(source.gateway_mac.replace(":", ""), 16),
            "src_addr": int(source.mac.replace(":", ""), 16),
        }
        size = self.dtype.itemsize - ETHERNET.size
        rows["ethernet"] = ETHERNET.pack(**mac)
        rows["ipv4"] = IPV4.pack(
            total_len=size,
            src_addr=int(source.interface.ip),
            dst_addr=int(target.interface.ip),
        )
        rows["udp"] = UDP.pack(
            src_port=ESA_UDP_PORT, dst_port=ESA_UDP_PORT, length=size - IPV4.size
        )
        rows["esa"], rows["values"] = messages["esa"], messages["values"]
        _checksum(rows)
        return [row.tobytes() for row in rows]

    def read(self, frame: bytes) -> NDArray[np.void]:
        """The message of a frame, shape (1,); empty when the frame carries none."""
        rows = np.frombuffer(frame, self.dtype, 1 if len(frame) >= self.dtype.itemsize else 0)
        result = np.empty(len(rows), self._message)
        result["esa"], result["values"] = rows["esa"], rows["values"]
        return result

    @property
    def _message(self) -> np.dtype[np.void]:
        return np.dtype([("esa", self.dtype["esa"]), ("values", self.dtype["values"])])

    def rename(self, frame: bytes, perm: Permutation) -> bytes:
        """The frame with the workers renamed: addresses, bitmap, sender, contributions."""
        rows = np.frombuffer(frame, self.dtype).copy()
        # What a server sends to all carries the first worker's address, whoever that is.
        from_server = rows["ethernet"]["src_addr"][0].tobytes() in self._others
        to_all = from_server and int(rows["esa"]["src_worker"][0]) == NO_WORKER
        for column in ("src_addr",) if to_all else ("src_addr", "dst_addr"):
            ip = int(rows["ipv4"][column][0])
            if ip in self._ips:
                rows["ipv4"][column] = self._ips[perm[self._ips.index(ip)]]
            mac = rows["ethernet"][column][0].tobytes()
            if mac in self._macs:
                image = self._macs[perm[self._macs.index(mac)]]
                rows["ethernet"][column] = np.frombuffer(image, np.uint8)
        rename_messages(rows, perm)
        _checksum(rows)
        return rows.tobytes()

    def repeated(self, frame: bytes) -> bool:
        """Whether a worker sent this fragment again (RESEND)."""
        rows = self.read(frame)["esa"]
        kind = ver_type(MessageType.GRAD)
        return bool(((rows["ver_type"] == kind) & (rows["flags"] & Flag.RESEND != 0)).any())

    def describe(self, frame: bytes) -> str:
        """One line: what the frame is about."""
        rows = self.read(frame)
        return describe_message(rows[0]) if len(rows) else f"{len(frame)} bytes"


def _mac(host: Host) -> bytes:
    return bytes.fromhex(host.mac.replace(":", ""))


def _checksum(rows: NDArray[np.void]) -> None:
    rows["ipv4"]["hdr_checksum"] = 0
    for row in rows:
        words = np.frombuffer(row["ipv4"].tobytes(), ">u2").astype(np.uint32)
        total = int(words.sum())
        total = (total & 0xFFFF) + (total >> 16)
        row["ipv4"]["hdr_checksum"] = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def rename_bitmap(bitmap: int, perm: Permutation) -> int:
    """A bitmap of workers under a renaming."""
    kept = bitmap >> len(perm) << len(perm)
    return kept | sum(1 << perm[w] for w in range(len(perm)) if bitmap >> w & 1)


def rename_values(values: NDArray[Any], perm: Permutation) -> NDArray[np.uint8]:
    """Contributions, shape (..., elements) of int32, under a renaming: bytes change places."""
    octets = np.ascontiguousarray(values.astype(">i4")).view(np.uint8).reshape(-1, 4)
    moved = octets.copy()
    for worker, image in enumerate(perm):
        moved[:, 3 - image] = octets[:, 3 - worker]
    return moved.reshape(-1)


def rename_messages(rows: NDArray[np.void], perm: Permutation) -> None:
    """Messages (columns ``esa`` and ``values``) under a renaming, in place."""
    head = rows["esa"]
    head["bitmap"] = [rename_bitmap(int(b), perm) for b in head["bitmap"]]
    head["src_worker"] = [perm[w] if w < len(perm) else w for w in head["src_worker"]]
    moved = rename_values(rows["values"], perm).view(">i4").reshape(rows["values"].shape)
    rows["values"] = moved


def describe_message(row: np.void) -> str:
    """One line for a message."""
    head = row["esa"]
    kind = MessageType(int(head["ver_type"]) & 0xF).name
    flags = Flag(int(head["flags"]))
    to = "" if head["src_worker"] == 0xFF else f" worker {head['src_worker']}"
    marks = f" {flags.name}" if flags else ""
    contents = ",".join(_contributions(row["values"]))
    return (
        f"{kind}{marks} job {head['job']} seq {head['seq']} prio {head['prio']}"
        f"{to} of {_members(int(head['bitmap']))} = {contents or '0'}"
    )


def _members(bitmap: int) -> str:
    return "{" + ",".join(str(w) for w in range(32) if bitmap >> w & 1) + "}"


def _contributions(values: NDArray[Any]) -> list[str]:
    """How often each worker is inside, and (job:fragment); of several these are sums."""
    count, seqs = (int(v) & 0xFFFFFFFF for v in values[:2])
    return [
        f"{count >> 8 * w & 0xFF}x w{w}({seqs >> 8 * w + 4 & 0xF}:{seqs >> 8 * w & 0xF})"
        for w in range(MAX_WORKERS)
        if count >> 8 * w & 0xFF or seqs >> 8 * w & 0xFF
    ]


__all__ = ["ELEMENTS", "ESA", "Frames", "complete", "contribution", "describe_message"]

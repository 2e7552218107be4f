# SPDX-License-Identifier: MIT
# ruff: noqa: E501  (table rows of a page)
"""The page docs/wire-formats.md, from the header tables: `python -m hosts.wire.docs > PAGE`."""

from hosts.wire.esa import ENCAPSULATION, ESA, ESA_UDP_PORT, message_dtype
from hosts.wire.internet import AETH, BTH, ETHERNET, IPV4, ROCE_UDP_PORT, UDP

_INTRODUCTION = f"""<!-- SPDX-License-Identifier: MIT -->
# Wire formats

Made by `python -m hosts.wire.docs` from the tables in `hosts/wire/`; the Scapy layers
(`hosts/wire/esa_scapy.py`), the NumPy dtypes of the packet ring and this page derive from them, and tests
compare them with the P4 headers. All numbers are big-endian.

An aggregation packet is Ethernet, IPv4 without options, UDP to port {ESA_UDP_PORT:#x}, the header below and E
int32 (E = 32 unless built otherwise): {ENCAPSULATION + message_dtype().itemsize} bytes. Every packet carries all E values, so frames have one
length; `len` says how many count. The UDP checksum is 0, since values change on the way.

The format is this project's own: the ESA paper's abstract names none.

| packet | from, to | meaning |
| --- | --- | --- |
| GRAD | worker to PS | one contribution, or a partial sum on its way to the PS (EVICTED, PARTIAL, COLLISION) |
| GRAD with RESEND | worker to PS | repeated contribution, or (full bitmap) a sum that the PS asked for; touches no slot |
| PARAM | switch or PS to workers | the sum; `src_worker` 255: to all of the job, else to that worker |
| PARAM with MISS | PS to workers | the PS lacks this sum and has `bitmap` of it: send your part, or the sum if you know it |
| REMIND | PS to the job's switches | give up what you hold of this fragment |
| REMIND with PARTIAL or MISS | switch to PS | the partial sum, or: nothing here |
| PEEK, FLUSH | controller to switch and back | show slot `round`; show and free it |
| SML | worker to switch and back | a SwitchML-style fragment and its sum |
"""

_ROCE = f"""RoCEv2, UDP port {ROCE_UDP_PORT}: for the collectives of the EPIC programs (docs/epic.md). Data is RC SEND ONLY, the
values as in an aggregation packet; an ACK has an AETH. Both end with four bytes of ICRC, which is not computed."""


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for header in (ESA, ETHERNET, IPV4, UDP):
        parts += [f"## {header.title}\n", header.markdown() + "\n"]
    parts.append(f"## RoCEv2\n\n{_ROCE}\n")
    for header in (BTH, AETH):
        parts += [f"### {header.title}\n", header.markdown() + "\n"]
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")

# SPDX-License-Identifier: MIT
from pathlib import Path

import pytest

import topologies
from topologies import TopologyError
from topologies.datacenters import host_address, read_datacenters

SMALL = """# two datacenters, one host each
6 2 2 5
2 3
4 5
0 2 100Gbps 1us 0
1 3 100Gbps 1us 0
2 4 400Gbps 1us 0
3 5 400Gbps 1us 0
4 5 200Gbps 25ms 0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "network.txt"
    path.write_text(text)
    return path


def test_the_8_datacenters_are_those_published() -> None:
    network = topologies.load_datacenters("dc8")
    assert network.dci == tuple(range(176, 184))
    assert network.hosts[0] == tuple(range(16))
    assert network.hosts[7] == tuple(range(112, 128))
    assert (network.cut_bps, network.nic_bps) == (800e9, 100e9)
    assert len(network.links) == 12
    assert network.datacenter(121) == 7
    assert host_address(14) == 0x0B000E01  # as in the golden vectors
    for index, members in enumerate(network.hosts):
        assert {host_address(n) & 0xFFFFF000 for n in members} == {network.prefix(index)}


def test_the_scale_is_one_number() -> None:
    full = topologies.load_datacenters("dc8", scale=1).topology()
    small = topologies.load("dc8")
    for a, b in zip(full.links, small.links, strict=True):
        assert (a.model.rate_bps or 0) == 1000 * (b.model.rate_bps or 0)
        assert a.model.delay_us == b.model.delay_us


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("200Gbps", "0Gbps", "line 9: .*more than zero"),
        ("6 2 2 5", "6 2 2 4", "line 2: 4 links declared, 5 found"),
        ("4 5 200", "4 7 200", "line 9: unknown node 7"),
        ("0 2 100Gbps 1us 0\n", "3 2 100Gbps 1us 0\n", "."),
        ("25ms", "soon", "line 9: bad delay"),
        ("4 5\n0", "4\n0", "line 4: expected 2 node ids"),
    ],
)
def test_faults_are_one_line_that_names_the_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    read_datacenters(written(tmp_path, SMALL), "small")
    with pytest.raises(TopologyError, match=message) as caught:
        read_datacenters(written(tmp_path, SMALL.replace(old, new)), "small").topology()
    assert "\n" not in str(caught.value)


def test_bad_scales_and_keys_are_refused(tmp_path: Path) -> None:
    written(tmp_path, SMALL)
    for extra in ('"scale": 0', '"scale": "big"', '"skale": 2'):
        path = tmp_path / "n.json"
        path.write_text('{"datacenters": "network.txt", ' + extra + "}")
        with pytest.raises(TopologyError, match="scale"):
            topologies.read(path)

# SPDX-License-Identifier: MIT
"""A real client: finsy's Switch against the running switch."""

import asyncio

import finsy as fy
import pytest
from google.protobuf import text_format

from tests.softswitch.server.switch_process import SwitchProcess

DEADLINE_S = 30


@pytest.fixture
def options(tmp_path, entities_config):
    config, p4info = tmp_path / "p.json", tmp_path / "p.p4info.txtpb"
    config.write_bytes(entities_config.p4_device_config)
    p4info.write_text(text_format.MessageToString(entities_config.p4info))
    return fy.SwitchOptions(p4info=p4info, p4blob=config, device_id=1)


async def everything(switch):
    """Write, read and delete one of each kind of entity by name."""
    entities = [
        fy.P4TableEntry("exact_t", match=fy.Match(k=1), action=fy.Action("set", port=5, v=9)),
        fy.P4TableEntry("lpm_t", match=fy.Match(addr="10.0.0.0/8"), action=fy.Action("NoAction")),
        fy.P4TableEntry(
            "ternary_t",
            match=fy.Match(addr="0x10/&0xF0", k="1...5", op=1),
            action=fy.Action("set", port=1, v=1),
            priority=7,
        ),
        fy.P4MulticastGroupEntry(1, replicas=[1, 2, (3, 4)]),
        fy.P4CloneSessionEntry(100, replicas=[1]),
        fy.P4DigestEntry("learn_t", max_list_size=1),
        fy.P4ActionProfileMember("sel", member_id=1, action=fy.Action("set", port=1, v=1)),
    ]
    await switch.insert(entities)
    group = fy.P4ActionProfileGroup(
        "sel", group_id=1, max_size=4, members=[fy.P4Member(1, weight=2)]
    )
    await switch.insert([group])
    read = [entity async for entity in switch.read(fy.P4TableEntry())]
    assert sorted(e.table_id for e in read) == ["const_t", "exact_t", "lpm_t", "ternary_t"]
    counters = [c async for c in switch.read(fy.P4CounterEntry("hits"))]
    assert len(counters) == 8
    with pytest.raises(fy.P4ClientError) as caught:
        await switch.insert([entities[0]])
    assert caught.value.details[0].canonical_code == fy.GRPCStatusCode.ALREADY_EXISTS
    await switch.delete_all()
    left = [e.table_id async for e in switch.read(fy.P4TableEntry())]
    assert left == ["const_t"]


async def with_switch(address, options, ready):
    async with fy.Switch("s1", address, options) as switch:
        await ready(switch)


def test_finsy(options):
    with SwitchProcess(
        "--device-id", 1, "--no-p4", "--", "--grpc-server-addr", "127.0.0.1:0", "--cpu-port", 510
    ) as process:
        run = with_switch(process.address, options, everything)
        asyncio.run(asyncio.wait_for(run, DEADLINE_S))


def test_two_finsy_controllers(options):
    async def hand_over(address):
        first = fy.Switch("a", address, options)
        second = fy.Switch("b", address, options)
        async with first, second:
            assert (first.is_primary, second.is_primary) == (True, False)
        async with second:
            assert second.is_primary

    with SwitchProcess(
        "--device-id", 1, "--no-p4", "--", "--grpc-server-addr", "127.0.0.1:0", "--cpu-port", 510
    ) as process:
        asyncio.run(asyncio.wait_for(hand_over(process.address), DEADLINE_S))

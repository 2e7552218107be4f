# SPDX-License-Identifier: MIT
"""The running switch on real interfaces."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from steered import Steered, packet, tagged
from wires import Wire, eventually, ip

from softswitch.device import (
    Device,
    DeviceError,
    DeviceOptions,
    FaultSpec,
    InterfaceMissingError,
    PermissionMissingError,
    PortConfig,
    PortError,
    PortEvent,
    PortFaults,
    PortTakenError,
)

pytestmark = pytest.mark.root
CPU = 50


@pytest.fixture
def wires() -> Iterator[list[Wire]]:
    made = [Wire(i) for i in range(2)]
    for wire in made:
        assert wire.socket
    yield made
    for wire in made:
        wire.delete()


@pytest.fixture
def device(wires: list[Wire]) -> Iterator[Device]:
    with Device(DeviceOptions(cpu_port=CPU)) as made:
        for number, wire in enumerate(wires, 1):
            made.add_port(PortConfig(number, wire.switch))
        made.load(Steered())
        made.start()
        yield made


def test_frames_are_forwarded_unchanged(device: Device, wires: list[Wire]):
    for tag in range(200):
        wires[0].send(tagged(2, tag, size=100))
    assert [wires[1].receive()[4] for _ in range(200)] == list(range(200))
    counters = device.port_counters(2)
    assert (counters["tx_packets"], counters["tx_bytes"]) == (200, 20000)
    assert device.port_counters(1)["rx_packets"] == 200


@pytest.mark.parametrize("tags", ["8100 2005", "88a8 0064 8100 2005"])
def test_vlan_tags_are_kept(device: Device, wires: list[Wire], tags: str):
    # The kernel takes the outer tag out of a frame on its way into a ring.
    for port in (CPU, 2):
        wires[0].send(packet(port)[:12] + bytes.fromhex(tags) + bytes(50))
    packet_in = device.next_packet_in(5)
    assert packet_in is not None
    assert packet_in.data == packet(CPU)[:12] + bytes.fromhex(tags) + bytes(50)
    assert wires[1].receive()
    assert device.port_counters(2)["tx_bytes"] == len(packet_in.data)


@pytest.mark.parametrize(
    "options",
    [DeviceOptions(busy_poll_us=200), DeviceOptions(coalesce_us=50), DeviceOptions(rx_frames=64)],
)
def test_options_of_the_loop(wires: list[Wire], options: DeviceOptions):
    with Device(options) as device:
        for number, wire in enumerate(wires, 1):
            device.add_port(PortConfig(number, wire.switch))
        device.load(Steered())
        device.start()
        for tag in range(40):
            wires[0].send(tagged(2, tag))
        assert [wires[1].receive()[4] for _ in range(40)] == list(range(40))


def test_jumbo_frames(wires: list[Wire]):
    for wire in wires:
        ip("link", "set", wire.switch, "mtu", "9000")
        ip("link", "set", wire.peer, "mtu", "9000")
    with Device() as device:
        for number, wire in enumerate(wires, 1):
            device.add_port(PortConfig(number, wire.switch))
        device.load(Steered())
        device.start()
        wires[0].send(packet(2, size=9014))
        assert wires[1].receive() == packet(2, size=9014)


def test_too_long_and_too_short_frames_are_counted(device: Device, wires: list[Wire]):
    for name in (wires[0].peer, wires[0].switch):
        ip("link", "set", name, "mtu", "9000")
    wires[0].send(packet(2, size=4000))  # longer than the ring's frames
    assert eventually(lambda: device.port_counters(1)["drop_rx_malformed"] == 1)
    assert device.packet_out(packet(2, size=1600))
    assert eventually(lambda: device.port_counters(2)["drop_tx_too_long"] == 1)
    assert device.packet_out(packet(2, size=8))
    assert eventually(lambda: device.port_counters(2)["drop_tx_malformed"] == 1)


def test_packet_in_packet_out_and_digest(device: Device, wires: list[Wire]):
    wires[0].send(packet(CPU, mode=2))
    packet_in = device.next_packet_in(5)
    assert packet_in is not None
    assert packet_in.data == packet(CPU, mode=2)
    digest = device.next_digest(5)
    assert digest is not None
    assert (digest.digest_id, digest.data) == (7, bytes([CPU, 0, 1, 2]))
    assert device.packet_out(packet(1))
    assert wires[0].receive() == packet(1)
    assert device.next_packet_in(0) is None


def test_log_messages(wires: list[Wire]):
    with Device(DeviceOptions(log_messages=True)) as device:
        device.add_port(PortConfig(1, wires[0].switch))
        device.load(Steered())
        device.start()
        wires[0].send(packet(255 - 1, mode=3))
        assert device.next_log(5) == "mode 3"


def test_stop_ends_waits_and_leaves_nothing(device: Device, wires: list[Wire]):
    ended = threading.Event()
    reader = threading.Thread(target=lambda: (list(device.packet_ins()), ended.set()))
    reader.start()
    wires[0].send(packet(2))
    assert wires[1].receive()
    device.stop()
    assert ended.wait(5)
    reader.join()
    flags = Path(f"/sys/class/net/{wires[0].switch}/flags").read_text()
    assert not int(flags, 16) & 0x100  # promiscuous
    assert json.loads(json.dumps(device.stats()))["ports"]["2"]["tx_packets"] == 1
    with pytest.raises(DeviceError, match="stopped already"):
        device.start()


def test_load_while_packets_flow(device: Device, wires: list[Wire]):
    for tag in range(100):
        wires[0].send(tagged(2, tag))
        device.load(Steered())
    assert [wires[1].receive()[4] for _ in range(100)] == list(range(100))


def test_without_a_program_frames_are_dropped_and_counted(device: Device, wires: list[Wire]):
    device.load(None)
    wires[0].send(packet(2))
    assert eventually(lambda: device.port_counters(1)["drop_rx_no_program"] == 1)
    assert wires[1].nothing()


def test_carrier_changes_are_told(device: Device, wires: list[Wire]):
    ip("link", "set", wires[1].peer, "down")
    event = device.next_port_event(5)
    assert event == PortEvent(2, False, event.when_ns if event else 0)
    assert device.port_state(2) == "down"
    wires[0].send(packet(2))
    assert eventually(lambda: device.port_counters(2)["drop_tx_down"] == 1)
    ip("link", "set", wires[1].peer, "up")
    event = device.next_port_event(5)
    assert event is not None
    assert event.up


def test_deleted_interface_neither_spins_nor_crashes_and_may_return(
    device: Device, wires: list[Wire]
):
    wires[1].delete()
    assert eventually(lambda: device.port_state(2) == "gone")
    wires[0].send(packet(2))
    assert eventually(lambda: device.port_counters(2)["drop_tx_down"] == 1)
    before = os.times().system + os.times().user
    threading.Event().wait(0.3)
    assert os.times().system + os.times().user - before < 0.2
    wires[1].create()
    assert wires[1].socket
    assert eventually(lambda: device.port_state(2) == "up")
    wires[0].send(packet(2))
    assert wires[1].receive() == packet(2)


def test_interface_down_is_an_error_that_is_cleared(device: Device, wires: list[Wire]):
    ip("link", "set", wires[0].switch, "down")
    assert eventually(lambda: device.port_state(1) == "down")
    ip("link", "set", wires[0].switch, "up")
    assert eventually(lambda: device.port_state(1) == "up")
    wires[0].send(packet(2))
    assert wires[1].receive() == packet(2)


def test_port_switched_off_and_on(device: Device, wires: list[Wire]):
    device.configure_port(2, enabled=False)
    wires[0].send(packet(2))
    assert eventually(lambda: device.port_counters(2)["drop_tx_down"] == 1)
    device.configure_port(2, enabled=True)
    wires[0].send(packet(2))
    assert wires[1].receive() == packet(2)


def test_rate_queue_and_priorities_at_run_time(device: Device, wires: list[Wire]):
    device.configure_port(2, rate_bps=80_000, queue_packets=3, priorities=2)  # 10 ms a frame
    frames = [tagged(2, 1, size=100), tagged(2, 2, size=100), tagged(2, 3, priority=1, size=100)]
    assert all(map(device.packet_out, frames))
    assert [wires[1].receive()[4] for _ in frames] == [1, 3, 2]


def test_port_removed_and_added_while_running(device: Device, wires: list[Wire]):
    device.remove_port(2)
    wires[0].send(packet(2))
    stats = device.stats()
    assert eventually(lambda: device.stats()["switch"]["drop_no_port"] == 1), stats  # type: ignore[index]
    device.add_port(PortConfig(7, wires[1].switch))
    wires[0].send(packet(7))
    assert wires[1].receive() == packet(7)


def test_faults_on_the_wire(device: Device, wires: list[Wire]):
    faults = PortFaults(FaultSpec(lose_packets=(1,)), FaultSpec(duplicate_packets=(2,)))
    device.configure_port(1, faults=PortFaults(inbound=faults.inbound))
    device.configure_port(2, faults=PortFaults(outbound=faults.outbound))
    for tag in range(1, 5):
        wires[0].send(tagged(2, tag))
    assert [wires[1].receive()[4] for _ in range(4)] == [2, 3, 3, 4]


def test_capture(wires: list[Wire], tmp_path: Path):
    with Device(DeviceOptions(pcap_dir=tmp_path / "pcaps")) as device:
        for number, wire in enumerate(wires, 1):
            device.add_port(PortConfig(number, wire.switch))
        device.load(Steered())
        device.start()
        wires[0].send(packet(2, size=64))
        assert wires[1].receive()
    for name in (f"{wires[0].switch}_in", f"{wires[1].switch}_out"):
        assert (tmp_path / "pcaps" / f"{name}.pcap").read_bytes()[40:] == packet(2, size=64)


def test_errors_say_what_and_where(device: Device, wires: list[Wire]):
    with pytest.raises(InterfaceMissingError, match=r"interface nosuch0: not found \(port 3\)"):
        device.add_port(PortConfig(3, "nosuch0"))
    with pytest.raises(PortTakenError, match="port 1: in use"):
        device.add_port(PortConfig(1, "lo"))
    with pytest.raises(PortTakenError, match="is port 1 already"):
        device.add_port(PortConfig(4, wires[0].switch))
    with pytest.raises(PortTakenError, match="CPU port"):
        device.add_port(PortConfig(CPU, "lo"))
    with pytest.raises(PortError, match="MTU above 9216"):
        device.add_port(PortConfig(4, "lo"))
    with pytest.raises(PortError, match=r"no such port; it has 1, 2"):
        device.configure_port(9, rate_bps=1)
    with pytest.raises(PortError, match="cannot set rate;"):
        device.configure_port(1, rate=1)


def test_without_the_right_to_raw_sockets():
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(65534)
            Device().add_port(PortConfig(1, "lo"))
        except PermissionMissingError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_writers_and_packets_take_turns(device: Device, wires: list[Wire]):
    stop = threading.Event()
    writes = 0

    def write() -> None:
        nonlocal writes
        while not stop.is_set():
            with device.locked():
                writes += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for tag in range(250):
            wires[0].send(tagged(2, tag))
        assert [wires[1].receive()[4] for _ in range(250)] == list(range(250))
    finally:
        stop.set()
        writer.join()
    assert writes > 0

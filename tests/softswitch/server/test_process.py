# SPDX-License-Identifier: MIT
"""The switch as a process: command line, readiness, signals, errors, TLS, packets over gRPC."""

import contextlib
import json
import socket
import subprocess

import grpc
import pytest
from finsy.proto import p4r, p4r_grpc

from softswitch.server.options import DEFAULT_ADDRESS, OptionError, parse
from softswitch.server.packet_stream import PacketStreamRequest, packet_stream
from softswitch.server.port_config import PortConfigError, parse_port_config
from tests.softswitch.server.conftest import CPU_PORT, DEADLINE_S, DEVICE_ID, Client, ip
from tests.softswitch.server.switch_process import SwitchProcess, fails
from tests.softswitch.server.test_entities import wait_until
from tests.softswitch.server.test_tables import packet

ANY = ("--grpc-server-addr", "127.0.0.1:0")


def test_options_of_simple_switch_grpc():
    words = "-i 1@v1 -i 2@v2 --device-id 5 --pcap d -L debug --no-p4 --thrift-port 9090"
    options = parse([*words.split(), "--", "--grpc-server-addr", "h:1", "--cpu-port", "255"])
    assert [(p.number, p.interface) for p in options.ports] == [(1, "v1"), (2, "v2")]
    assert (options.device_id, str(options.pcap_dir), options.cpu_port) == (5, "d", 255)
    assert options.grpc_address == "h:1"
    assert "Thrift" in options.notices[0]
    # BMv2's order is not demanded.
    assert parse(["--grpc-server-addr", "h:1", "-i", "1@v1"]).grpc_address == "h:1"
    assert parse([]).grpc_address == DEFAULT_ADDRESS
    assert parse(["--priority-queues", "8", "-i", "1@a"]).ports[0].priorities == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-i 1", "expected PORT@INTERFACE"),
        ("-i 1@a -i 1@b", "port 1 is a already"),
        ("-i 600@a", "port numbers go from 0 to 510"),
        ("--use-files 1", "not supported"),
        ("--drop-port 5", "drops at 511 only"),
        ("x.json --no-p4", "not both"),
        ("--frobnicate", "unrecognized"),
        ("--device-id x", "invalid int value"),
        ("--port-config 1:rate=1M", "no -i 1@INTERFACE"),
        ("-i 1@a --port-config 1:rate=1X", "not a rate"),
        ("--grpc-server-ssl", "needs --grpc-server-cert"),
        ("--p4info x", "goes with a JSON file"),
    ],
)
def test_bad_options(words, message):
    with pytest.raises(OptionError) as caught:
        parse(words.split())
    assert message in str(caught.value)


def test_port_config():
    text = "3:rate=1.5G,delay=2ms,queue=10,priorities=8,loss=1%,in_corrupt=0.5,lose_packets=1+5"
    port, values = parse_port_config(text)
    assert port == 3
    assert values == {
        "rate_bps": 1_500_000_000,
        "delay_us": 2000.0,
        "queue_packets": 10,
        "priorities": 8,
        "loss": 0.01,
        "in_corrupt": 0.5,
        "lose_packets": (1, 5),
    }
    (port,) = parse(["-i", "3@x", "--port-config", text + ",seed=4"]).ports
    assert (port.rate_bps, port.faults.outbound.loss, port.faults.inbound.corrupt) == (
        1_500_000_000,
        0.01,
        0.5,
    )
    assert (port.faults.outbound.seed, port.faults.inbound.seed) == (4, 4)


@pytest.mark.parametrize(
    "text", ["3", "x:rate=1", "3:speed=1", "3:rate", "3:loss=2", "3:lose_packets=a", "3:queue=-1"]
)
def test_bad_port_config(text):
    with pytest.raises(PortConfigError):
        parse_port_config(text)


def test_ready_stats_and_clean_stop(tmp_path):
    log, stats = tmp_path / "s1", tmp_path / "stats.json"
    with SwitchProcess(
        "--device-id", 4, "--log-file", log, "--stats-json", stats, "--no-p4", "--", *ANY
    ) as switch:
        assert "device id 4" in switch.ready
        stub = p4r_grpc.P4RuntimeStub(grpc.insecure_channel(switch.address))
        # Ready means ready: no retry.
        assert stub.Capabilities(p4r.CapabilitiesRequest(), timeout=10).p4runtime_api_version
        assert switch.stats()["device_id"] == 4
        assert switch.stop() == 0
    assert json.loads(stats.read_text())["device_id"] == 4
    assert "stopping" in (tmp_path / "s1.txt").read_text()


def one_line(code, text):
    assert code != 0
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    return text


def test_port_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = one_line(*fails("--no-p4", "--grpc-server-addr", address))
    assert address in text
    assert "taken" in text
    with SwitchProcess("--no-p4", *ANY) as switch:
        assert "taken" in one_line(*fails("--no-p4", "--grpc-server-addr", switch.address))


def test_missing_interface_and_bad_program(tmp_path):
    assert "inca-none" in one_line(*fails("-i", "1@inca-none", "--no-p4", *ANY))
    broken = tmp_path / "x.json"
    assert str(broken) in one_line(*fails(broken, *ANY))
    broken.write_text("{}")
    assert "not BMv2 JSON" in one_line(*fails(broken, *ANY))
    assert "PORT@INTERFACE" in one_line(*fails("-i", "x"))


@pytest.fixture
def files(tmp_path, entities_config):
    from google.protobuf import text_format

    config, p4info = tmp_path / "p.json", tmp_path / "p.p4info.txtpb"
    config.write_bytes(entities_config.p4_device_config)
    p4info.write_text(text_format.MessageToString(entities_config.p4info))
    return config, p4info


def exchange(address, *packets):
    """Send packets over the packet stream; return what comes out until it ends."""
    with grpc.insecure_channel(address) as channel:
        requests = [PacketStreamRequest(port=port, packet=data) for port, data in packets]
        return [(r.port, r.packet) for r in packet_stream(channel)(iter(requests), timeout=10)]


def test_packets_over_grpc(files, names):
    config, p4info = files
    with SwitchProcess(
        config, "--p4info", p4info, "--device-id", DEVICE_ID, *ANY,
        "--dp-grpc-server-addr", "127.0.0.1:0",
    ) as switch:  # fmt: skip
        client = Client(switch.address, 1, None, DEVICE_ID)
        client.arbitrate()
        client.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0x11))
        out = exchange(switch.packet_address, (1, packet()), (2, packet(k=2)))
        assert [(port, data[-1]) for port, data in out] == [(5, 0x11)]
        client.close()


def test_trace(files, tmp_path):
    config, p4info = files
    trace = tmp_path / "trace.txt"
    with SwitchProcess(
        config, "--p4info", p4info, "--trace", trace, *ANY, "--dp-grpc-server-addr", "127.0.0.1:0"
    ) as switch:
        assert exchange(switch.packet_address, (1, packet())) == []
        assert switch.stop() == 0
    lines = trace.read_text().splitlines()
    (table,) = [line for line in lines if line.startswith("table") and "Ig.exact_t" in line]
    assert "entities.p4:" in table


def test_program_without_p4info(files):
    with SwitchProcess(files[0], "--device-id", DEVICE_ID, *ANY) as switch:
        client = Client(switch.address, 1, None, DEVICE_ID)
        client.arbitrate()
        assert not client.get_config().HasField("config")
        client.close()


def test_tls(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        capture_output=True, check=False,
    )  # fmt: skip
    assert make.returncode == 0, make.stderr
    tls = ("--grpc-server-ssl", "--grpc-server-cert", certificate, "--grpc-server-key", key)
    with SwitchProcess("--no-p4", "--grpc-server-addr", "localhost:0", *tls) as switch:
        trusted = grpc.ssl_channel_credentials(certificate.read_bytes())
        with grpc.secure_channel(switch.address, trusted) as channel:
            stub = p4r_grpc.P4RuntimeStub(channel)
            assert stub.Capabilities(p4r.CapabilitiesRequest(), timeout=10).p4runtime_api_version
        with grpc.insecure_channel(switch.address) as channel, pytest.raises(grpc.RpcError):
            p4r_grpc.P4RuntimeStub(channel).Capabilities(p4r.CapabilitiesRequest(), timeout=5)
    missing = ("--grpc-server-ssl", "--grpc-server-cert", "/x", "--grpc-server-key", "/x")
    assert "TLS" in one_line(*fails("--no-p4", *ANY, *missing))


@pytest.mark.root
def test_pipeline_on_interfaces(files, names, veths):
    """Packets from a veth through the program to another one, counted."""
    (a0, a1), (b0, b1) = veths
    config, p4info = files
    ports = ["-i", f"1@{a0}", "-i", f"2@{b0}"]
    with SwitchProcess(
        config, "--p4info", p4info, "--device-id", DEVICE_ID, *ports, *ANY
    ) as switch:
        client = Client(switch.address, 1, None, DEVICE_ID)
        client.arbitrate()
        client.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 2, 0x11))
        frame = packet() + bytes(50)
        assert _through(a1, b1, frame) == frame[:9] + b"\x11" + frame[10:]
        stats = switch.stats()["ports"]
        assert (stats["1"]["rx_packets"], stats["2"]["tx_packets"]) == (1, 1)
        client.close()
        assert switch.stop() == 0


def _through(source, sink, frame):
    with _listening(sink) as receiver:
        _send(source, frame)
        return _received(receiver)


def _send(interface, frame):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        sender.send(frame)


def _received(receiver):
    """The next packet that came in, not one that was sent on this interface."""
    while True:
        data, address = receiver.recvfrom(2048)
        if address[2] != socket.PACKET_OUTGOING:
            return data


@contextlib.contextmanager
def _explained(switch):
    """Show the switch's counters when a packet does not come."""
    try:
        yield
    except TimeoutError:
        pytest.fail(f"no packet; {switch.stats()}")


@contextlib.contextmanager
def _listening(interface):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as receiver:
        receiver.bind((interface, 3))
        receiver.settimeout(DEADLINE_S)
        yield receiver


@pytest.mark.root
def test_controller_traffic_on_interfaces(files, names, veths):
    """Packet-in, packet-out, digests, port watches and idle timeouts through the real device."""
    (a0, a1), (b0, b1) = veths
    config, p4info = files
    ports = ["-i", f"1@{a0}", "-i", f"2@{b0}", "--cpu-port", CPU_PORT]
    with (
        SwitchProcess(config, "--p4info", p4info, "--device-id", DEVICE_ID, *ports, *ANY) as switch,
        _explained(switch),
    ):
        client = Client(switch.address, 1, None, DEVICE_ID)
        client.arbitrate()
        client.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.to_cpu"))
        frame = packet() + bytes(50)
        _send(a1, frame)
        message = client.receive().packet
        assert message.payload == frame
        assert [m.value for m in message.metadata] == [b"\1", b"\5"]

        client.insert(p4r.DigestEntry(digest_id=names.id("learn_t"), config={"max_list_size": 1}))
        _send(a1, packet(op=7, k=2, addr=0x01020304, wide=0xABC) + bytes(50))
        (data,) = client.receive().digest.data
        values = [m.bitstring for m in data.struct.members]
        assert values == [b"\1\2\3\4", b"\1", b"\x0a\xbc"]

        with _listening(b1) as receiver:
            fields = [
                p4r.PacketMetadata(metadata_id=1, value=b"\2"),
                p4r.PacketMetadata(metadata_id=2, value=b"\0"),
            ]
            client.send(packet=p4r.PacketOut(payload=frame, metadata=fields))
            assert _received(receiver) == frame

        # A selector member whose port loses its carrier is left out.
        client.modify(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 1, 0))
        client.insert(*(names.member("Ig.sel", id, "Ig.set", 1, id) for id in (1, 2)))
        group = names.group("Ig.sel", 4, (1, 1), (2, 1))
        group.members[0].watch_port = b"\2"
        client.insert(group)
        client.insert(names.entry("Ig.sel_t", {"k": 1}, p4r.TableAction(action_profile_group_id=4)))
        with _listening(a1) as receiver:
            even = packet(op=2) + bytes(50)
            _send(a1, even)
            assert _received(receiver)[9] == 1
            ip("link", "set", b1, "down")
            wait_until(lambda: _send(a1, even) or _received(receiver)[9] == 2)
        client.close()
        assert switch.stop() == 0

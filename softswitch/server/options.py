# SPDX-License-Identifier: MIT
"""The command line: simple_switch_grpc's options, plus the port model, seed and statistics."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from softswitch.device import DeviceError, FaultSpec, PortConfig, PortFaults
from softswitch.server.port_config import PortConfigError, parse_port_config

DEFAULT_ADDRESS = "0.0.0.0:9559"
DROP_PORT = 511
LOG_LEVELS = ("trace", "debug", "info", "warn", "error", "off")


class OptionError(Exception):
    """A command line that makes no sense; the text is one line."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of the gRPC server; `ca` with `verify_clients` wants certificates of clients."""

    certificate: Path
    key: Path
    ca: Path | None = None
    verify_clients: bool = False


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a switch process runs."""

    device_id: int = 0
    ports: tuple[PortConfig, ...] = ()
    config: Path | None = None
    p4info: Path | None = None
    grpc_address: str = DEFAULT_ADDRESS
    dataplane_address: str | None = None
    tls: TlsFiles | None = None
    cpu_port: int | None = None
    pcap_dir: Path | None = None
    log_file: Path | None = None
    log_console: bool = False
    log_level: str = "info"
    stats_json: Path | None = None
    trace: Path | None = None
    seed: int = 0
    notices: tuple[str, ...] = field(default=())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise OptionError(f"{message} (see --help)")


def parser(prog: str = "python -m softswitch.server") -> argparse.ArgumentParser:
    """The parser; `parse` is what turns its result into options."""
    p = _Parser(
        prog=prog,
        description="Run a P4 switch with a P4Runtime server; takes simple_switch_grpc's options, "
        "before or after '--'.",
        allow_abbrev=False,
    )
    p.add_argument("config", nargs="?", type=Path, help="BMv2 JSON to start with")
    p.add_argument("--p4info", type=Path, help="P4Info (text protobuf) that goes with it")
    p.add_argument("--no-p4", action="store_true", help="start without a program")
    p.add_argument("-i", "--interface", action="append", default=[], metavar="PORT@IFACE")
    p.add_argument("--device-id", type=int, default=0, metavar="N")
    p.add_argument(
        "--port-config",
        action="append",
        default=[],
        metavar="PORT:KEY=VALUE,...",
        help="port model: rate, delay, queue, priorities, loss, duplicate, reorder, corrupt, seed, "
        "...; see docs/p4runtime.md",
    )
    p.add_argument("--pcap", nargs="?", const=Path(), type=Path, metavar="DIR")
    p.add_argument("-L", "--log-level", choices=LOG_LEVELS, default="info")
    p.add_argument("--log-console", action="store_true")
    p.add_argument("--log-file", type=Path, metavar="FILE", help="'.txt' is added, as in BMv2")
    p.add_argument("--log-flush", action="store_true", help="always so here")
    p.add_argument("--seed", type=int, default=0, help="of random() in the program")
    p.add_argument("--stats-json", type=Path, metavar="FILE", help="statistics at the end")
    p.add_argument("--trace", type=Path, metavar="FILE", help="write the way of each packet (slow)")
    _target_options(p)
    _foreign_options(p)
    return p


def _target_options(p: argparse.ArgumentParser) -> None:
    p.add_argument("--grpc-server-addr", default=DEFAULT_ADDRESS, metavar="HOST:PORT")
    p.add_argument("--grpc-server-ssl", action="store_true", help="use TLS")
    p.add_argument("--grpc-server-cert", type=Path, metavar="FILE")
    p.add_argument("--grpc-server-key", type=Path, metavar="FILE")
    p.add_argument("--grpc-server-cacert", type=Path, metavar="FILE")
    p.add_argument("--grpc-server-with-client-auth", action="store_true")
    p.add_argument("--dp-grpc-server-addr", metavar="HOST:PORT", help="packets over gRPC")
    p.add_argument("--cpu-port", type=int, metavar="PORT")
    p.add_argument("--drop-port", type=int, default=DROP_PORT, metavar="PORT")
    p.add_argument("--priority-queues", type=int, default=1, metavar="N")


# BMv2's options that have no meaning here: with or without a value.
_IGNORED = {
    "--thrift-port": "there is no Thrift server",
    "--nanolog": "there is no nanomsg event log",
    "--notifications-addr": "there are no nanomsg notifications",
    "--debugger-addr": "there is no debugger",
    "--dump-packet-data": "packets are not logged; use --pcap",
}
_IGNORED_FLAGS = {"--debugger": "there is no debugger", "--disable-swap": "programs can be swapped"}
_REFUSED = ("--use-files", "--packet-in", "--restore-state")


def _foreign_options(p: argparse.ArgumentParser) -> None:
    for option in (*_IGNORED, *_REFUSED):
        p.add_argument(option, help=argparse.SUPPRESS)
    for option in _IGNORED_FLAGS:
        p.add_argument(option, action="store_true", help=argparse.SUPPRESS)


def parse(arguments: Sequence[str], prog: str = "python -m softswitch.server") -> ServerOptions:
    """Parse a command line; raise OptionError, or SystemExit after --help."""
    # BMv2 wants the target's own options after '--'; here it makes no difference.
    space = parser(prog).parse_args([a for a in arguments if a != "--"])
    given = vars(space)
    for option in _REFUSED:
        if given[option[2:].replace("-", "_")] is not None:
            raise OptionError(f"{option} is not supported by this switch")
    notices = [
        f"{option} has no effect: {why}"
        for option, why in {**_IGNORED, **_IGNORED_FLAGS}.items()
        if given[option[2:].replace("-", "_")]
    ]
    if space.drop_port != DROP_PORT:
        raise OptionError(f"--drop-port {space.drop_port}: this switch drops at {DROP_PORT} only")
    if space.no_p4 and space.config is not None:
        raise OptionError("give a JSON file or --no-p4, not both")
    if space.p4info is not None and space.config is None:
        raise OptionError("--p4info goes with a JSON file")
    if not 0 <= space.device_id < 1 << 64:
        raise OptionError(f"--device-id {space.device_id}: give a number from 0 to 2^64 - 1")
    return ServerOptions(
        device_id=space.device_id,
        ports=_ports(space),
        config=space.config,
        p4info=space.p4info,
        grpc_address=space.grpc_server_addr,
        dataplane_address=space.dp_grpc_server_addr,
        tls=_tls(space),
        cpu_port=space.cpu_port,
        pcap_dir=space.pcap,
        log_file=space.log_file,
        log_console=space.log_console,
        log_level=space.log_level,
        stats_json=space.stats_json,
        trace=space.trace,
        seed=space.seed,
        notices=tuple(notices),
    )


def _ports(space: argparse.Namespace) -> tuple[PortConfig, ...]:
    interfaces: dict[int, str] = {}
    for text in space.interface:
        number, at, interface = text.partition("@")
        if not at or not number.isdecimal() or not interface:
            raise OptionError(f"-i {text}: expected PORT@INTERFACE, e.g. 1@veth1")
        if int(number) in interfaces:
            raise OptionError(f"-i {text}: port {number} is {interfaces[int(number)]} already")
        interfaces[int(number)] = interface
    models: dict[int, dict[str, object]] = {}
    try:
        for text in space.port_config:
            port, values = parse_port_config(text)
            if port not in interfaces:
                raise OptionError(f"--port-config {text}: there is no -i {port}@INTERFACE")
            models.setdefault(port, {}).update(values)
        return tuple(
            _port(number, interface, models.get(number, {}), space.priority_queues)
            for number, interface in interfaces.items()
        )
    except (PortConfigError, DeviceError) as error:
        raise OptionError(str(error)) from None


def _port(number: int, interface: str, values: dict[str, object], priorities: int) -> PortConfig:
    inbound = {k[3:]: v for k, v in values.items() if k.startswith("in_")}
    fault_names = {"loss", "duplicate", "reorder", "corrupt", "reorder_by", "reorder_us", "seed"}
    fault_names |= {"lose_packets", "duplicate_packets", "reorder_packets", "corrupt_packets"}
    outbound = {k: v for k, v in values.items() if k in fault_names}
    model = {k: v for k, v in values.items() if k not in fault_names and not k.startswith("in_")}
    model.setdefault("priorities", priorities)
    if "seed" in outbound:
        inbound.setdefault("seed", outbound["seed"])
    faults = PortFaults(
        inbound=FaultSpec(**inbound),  # type: ignore[arg-type]
        outbound=FaultSpec(**outbound),  # type: ignore[arg-type]
    )
    return PortConfig(number, interface, faults=faults, **model)  # type: ignore[arg-type]


def _tls(space: argparse.Namespace) -> TlsFiles | None:
    if not space.grpc_server_ssl:
        if space.grpc_server_cert or space.grpc_server_key or space.grpc_server_cacert:
            raise OptionError("certificates need --grpc-server-ssl")
        return None
    if space.grpc_server_cert is None or space.grpc_server_key is None:
        raise OptionError("--grpc-server-ssl needs --grpc-server-cert and --grpc-server-key")
    if space.grpc_server_with_client_auth and space.grpc_server_cacert is None:
        raise OptionError("--grpc-server-with-client-auth needs --grpc-server-cacert")
    return TlsFiles(
        space.grpc_server_cert,
        space.grpc_server_key,
        space.grpc_server_cacert,
        space.grpc_server_with_client_auth,
    )

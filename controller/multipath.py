# SPDX-License-Identifier: MIT
"""Multipath between datacenters: candidates, their scores, and the rows of each DCI switch.

`parity` scores a candidate by its first link, as the published code does; otherwise by the best
way through it: sum of delays, least rate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from controller import multipath_rows as rows
from controller.desired import Action, Key, SwitchState
from controller.errors import ControllerError
from controller.routing import mac_value
from hosts.multipath.cost import CostModel
from hosts.multipath.decision import Candidate, Policy
from hosts.multipath.switch import SwitchConfig
from topologies.datacenters import HOST_PORT, PREFIX_LENGTH, DataCenters, InterLink

PACKET_BYTES = 1048
"""A full packet of the published runs, by which queues are measured."""


@dataclass(frozen=True)
class Way:
    """A first hop towards a datacenter, and the best way through it."""

    next_hop: int
    delay_us: int
    rate_bps: int
    first: InterLink
    """The first link."""


@dataclass(frozen=True)
class MultipathOptions:
    """What a network is asked to do.

    ``first_hops``: 0 for the published candidates (all next hops of ways with the fewest links);
    k for the k quickest first hops from which the rest of the way is shorter, so that no packet
    returns.  ``cost``: scales of the costs at the published rates.
    """

    policy: Policy = Policy.LCMP
    parity: bool = False
    first_hops: int = 0
    cost: CostModel = field(default_factory=CostModel)
    idle_after_us: int = 2_000_000
    stale_after_us: int = 100_000
    sample_every_us: int = 1000


class Ways:
    """Candidates of a network, without the links that are down.

    Args:
        down: pairs (datacenter, datacenter) whose link is down, in either order.
    """

    def __init__(self, network: DataCenters, down: Collection[tuple[int, int]] = ()) -> None:
        self.network = network
        dead = {tuple(sorted(pair)) for pair in down}
        self._links: dict[int, dict[int, InterLink]] = {i: {} for i in range(len(network.dci))}
        for link in network.links:
            if (link.a, link.b) not in dead:
                self._links[link.a][link.b] = link
                self._links[link.b][link.a] = link

    def candidates(self, source: int, destination: int, first_hops: int = 0) -> list[Way]:
        """First hops from one datacenter to another, in the order in which they hash.

        Raises:
            ControllerError: the destination cannot be reached.
        """
        hops, order = self._hops(destination)
        if source not in hops:
            names = self.network.dci
            raise ControllerError(
                f"unreachable destination: datacenter {destination + 1} (DCI {names[destination]})",
                where=f"s{source + 1}",
                hint="connect it by a link that is up",
            )
        if not first_hops:
            found = [n for n in order[source] if hops[n] == hops[source] - 1]
            return [self._way(source, n, destination, hops) for n in found]
        quick = self._quickest(destination)
        found = [n for n in self._links[source] if n in quick and quick[n] < quick[source]]
        ways = [self._way(source, n, destination, None) for n in found]
        return sorted(ways, key=lambda w: (w.delay_us, w.next_hop))[:first_hops]

    def _hops(self, destination: int) -> tuple[dict[int, int], dict[int, list[int]]]:
        """Links to the destination, and each node's nearer neighbours in published order.

        The published routes grow from the destination, trying neighbours from the highest id on.
        """
        hops, todo = {destination: 0}, [destination]
        nearer: dict[int, list[int]] = {}
        for node in todo:
            for peer in sorted(self._links[node], reverse=True):
                if peer not in hops:
                    hops[peer] = hops[node] + 1
                    todo.append(peer)
                if hops[peer] == hops[node] + 1:
                    nearer.setdefault(peer, []).append(node)
        return hops, nearer

    def _quickest(self, destination: int) -> dict[int, int]:
        """Least delay to the destination, microseconds."""
        best = {destination: 0}
        todo = {destination}
        while todo:
            node = min(todo, key=lambda n: (best[n], n))
            todo.remove(node)
            for peer, link in self._links[node].items():
                delay = best[node] + link.delay_us
                if delay < best.get(peer, delay + 1):
                    best[peer] = delay
                    todo.add(peer)
        return best

    def _way(self, source: int, hop: int, destination: int, hops: Mapping[int, int] | None) -> Way:
        """The quickest way by `hop`; with `hops`, of those with the fewest links."""
        first = self._links[source][hop]
        rest, quick = [first], self._quickest(destination)
        node = hop
        if hops is not None:
            quick = self._quick_along(destination, hops)
        while node != destination:
            nearer = [
                (link.delay_us + quick[peer], -link.rate_bps, peer)
                for peer, link in self._links[node].items()
                if (hops[peer] < hops[node] if hops is not None else quick[peer] < quick[node])
            ]
            peer = min(nearer)[2]
            rest.append(self._links[node][peer])
            node = peer
        return Way(hop, sum(x.delay_us for x in rest), min(x.rate_bps for x in rest), first)

    def _quick_along(self, destination: int, hops: Mapping[int, int]) -> dict[int, int]:
        """Least delay over ways with the fewest links."""
        quick = {destination: 0}
        for node in sorted(hops, key=lambda n: hops[n]):
            nearer = [n for n in self._links[node] if hops[n] < hops[node]]
            if nearer:
                quick[node] = min(self._links[node][n].delay_us + quick[n] for n in nearer)
        return quick


def scored(ways: list[Way], ports: Mapping[int, int], options: MultipathOptions) -> list[Candidate]:
    """Candidates as the switch wants them; `ports` by next hop.  Weights are relative rates."""
    links = [(w.first.delay_us, w.first.rate_bps) for w in ways]
    scale = links if options.parity else [(w.delay_us, w.rate_bps) for w in ways]
    # The published baseline weighs first hops; the scores alone differ by mode.
    weights = _small_ratios([rate for _, rate in links])
    return [
        Candidate(ports[w.next_hop], options.cost.static_cost(delay // 1000, rate / 1e9), weight)
        for w, (delay, rate), weight in zip(ways, scale, weights, strict=True)
    ]


def _small_ratios(rates: list[int]) -> list[int]:
    """Rates as small whole numbers in the same ratio; if there are none, the nearest up to 255."""
    least = min(rates)
    ratios = [Fraction(rate, least) for rate in rates]
    common = 1
    for ratio in ratios:
        common *= (ratio * common).denominator
    whole = [int(ratio * common) for ratio in ratios]
    if max(whole) <= 255:
        return whole
    return [max(1, round(255 * rate / max(rates))) for rate in rates]


def delay_shift(network: DataCenters) -> int:
    """The smallest full scale, as a power of two milliseconds, that holds every way's delay."""
    ways = Ways(network)
    pairs = [(a, b) for a in range(len(network.dci)) for b in range(len(network.dci)) if a != b]
    longest = max(way.delay_us for a, b in pairs for way in ways.candidates(a, b))
    return max(0, (-(-longest // 1000) - 1).bit_length())


def states(
    network: DataCenters, options: MultipathOptions, down: Collection[tuple[int, int]] = ()
) -> dict[str, SwitchState]:
    """What every DCI switch should hold while the links `down` are down.

    Raises:
        ControllerError: unreachable destination, or more candidates than a switch holds.
    """
    ways = Ways(network, down)
    return {
        f"s{index + 1}": _state(network, options, ways, index, down)
        for index in range(len(network.dci))
    }


def _state(
    network: DataCenters,
    options: MultipathOptions,
    ways: Ways,
    index: int,
    down: Collection[tuple[int, int]],
) -> SwitchState:
    ports = {peer: port for (at, peer), port in network.ports().items() if at == index}
    gone = [ports[b if a == index else a] for a, b in down if index in (a, b)]
    macs = {s.name: mac_value(s.mac) for s in network.topology().switches}
    own = macs[f"s{index + 1}"]
    table: dict[Key, Action] = dict(
        rows.neighbour(port, own, macs[f"s{peer + 1}"]) for peer, port in ports.items()
    )
    for destination in range(len(network.dci)):
        if destination == index:
            host = mac_value(network.topology().hosts[index].mac)
            key, action = rows.local(network.prefix(index), HOST_PORT, host, PREFIX_LENGTH)
        else:
            found = ways.candidates(index, destination, options.first_hops)
            candidates = scored(found, ports, options)
            where = f"s{index + 1}"
            key, action = rows.remote(network.prefix(destination), PREFIX_LENGTH, candidates, where)
        table[key] = action
    table |= dict(_profiles(network, options, index, ports))
    config = switch_config(network, options, index)
    return SwitchState(rows=table) | rows.settings(config, gone)


def switch_config(network: DataCenters, options: MultipathOptions, index: int) -> SwitchConfig:
    """Settings of one switch: its hash is seeded by its published node id."""
    return SwitchConfig(
        policy=options.policy,
        parity=options.parity,
        seed=network.dci[index],
        model=options.cost,
        idle_after_us=options.idle_after_us,
        stale_after_us=options.stale_after_us,
        sample_every_us=options.sample_every_us,
    )


def _profiles(
    network: DataCenters, options: MultipathOptions, index: int, ports: Mapping[int, int]
) -> list[tuple[Key, Action]]:
    """Queue levels scale with the rates: a packet counts for `scale` published ones."""
    counts_for = round(PACKET_BYTES * network.scale)
    made = []
    for link in network.links:
        if index not in (link.a, link.b):
            continue
        drained = link.rate_bps * options.sample_every_us // 8_000_000 // counts_for
        port = ports[link.b if link.a == index else link.a]
        made.append(
            rows.profile(
                port,
                every_us=options.sample_every_us,
                drained=max(1, drained),
                model=options.cost,
                packet_bytes=counts_for,
            )
        )
    return made


def options_for(network: DataCenters, policy: Policy, *, parity: bool) -> MultipathOptions:
    """The usual options of a mode."""
    shift = delay_shift(network)
    cost = CostModel.of("parity" if parity else "corrected", delay_shift=shift)
    return replace(MultipathOptions(policy, parity), cost=cost)

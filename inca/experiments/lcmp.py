# SPDX-License-Identifier: MIT
"""LCMP against ECMP and UCMP: the same flows over the same network, one policy after another."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import topologies
from controller.multipath import Ways, options_for
from hosts.multipath.decision import Policy
from hosts.multipath.fct import Percentiles, by_size, ideal_fct, percentiles, slowdown
from hosts.multipath.flows import FlowSpec, TrafficError, read_flows
from inca.experiments.longhaul import BIN_NS, FlowResult, LinkFailure, Simulation
from softswitch.engine import Pipeline
from topologies.datacenters import DataCenters

POLICIES = (Policy.LCMP, Policy.ECMP, Policy.UCMP)
_DATA = Path(topologies.__file__).parent / "lcmp"
FLOWS = _DATA / "flows_8dc_fig1.txt.gz"
"""The flows behind Fig 1 of the publication."""
_DEFAULT_FLOWS = {"dc8": FLOWS, "dc13": _DATA / "flows_13dc_0.5.txt.gz"}
CLAIMS = {"p50": 0.76, "p99": 0.64}
"""Reductions that the authors claim for LCMP against UCMP (on another network than Fig 1's)."""
PUBLISHED = {
    Policy.LCMP: (4.76, 13.70, 6.16),
    Policy.ECMP: (15.489, 50.43, 18.413),
    Policy.UCMP: (28.13, 50.96, 27.14),
}
"""Slowdown p50, p99 and mean of the published Fig 1 runs."""


@dataclass(frozen=True)
class Plan:
    """What to run."""

    network: DataCenters
    flows: Sequence[FlowSpec]
    parity: bool
    failure: LinkFailure | None


@dataclass(frozen=True)
class PolicyRun:
    """Outcome of one policy: slowdowns per flow, share of data bytes by first hop, link use."""

    results: list[FlowResult]
    slowdowns: list[float]
    overall: Percentiles
    bins: list[Percentiles]
    shares: dict[int, float]
    """Number of the next datacenter -> share of the data bytes that the sources' switches sent."""
    use: dict[str, list[float]]
    """Link -> share of its rate in use, per bin of time from the first flow's start."""


def flows_of(network: DataCenters, path: Path | None) -> list[FlowSpec]:
    """The flows of a file (default: those shipped), whose hosts the network must have.

    Raises:
        TrafficError: naming the line, or the network if none are shipped for it.
    """
    path = path or _DEFAULT_FLOWS.get(network.name)
    if path is None:
        raise TrafficError(f"{network.name}: no flows are shipped for it: give a flow file")
    return read_flows(path, [host for members in network.hosts for host in members])


def compare(
    plan: Plan, pipeline: Pipeline, progress: Callable[[Policy, int], None]
) -> dict[Policy, PolicyRun]:
    """Run the three policies; `progress` is told the policy and how many flows have completed."""
    runs = {}
    for policy in POLICIES:
        options = options_for(plan.network, policy, parity=plan.parity)
        simulation = Simulation(
            plan.network,
            options,
            pipeline,
            plan.flows,
            failure=plan.failure,
            progress=lambda done, policy=policy: progress(policy, done),  # type: ignore[misc]
        )
        runs[policy] = _summary(plan, simulation, simulation.run())
    return runs


def _summary(plan: Plan, simulation: Simulation, results: list[FlowResult]) -> PolicyRun:
    ideal = _Ideal(plan.network)
    slowdowns = [slowdown(r.fct_ns / 1e9, ideal.seconds(r.spec)) for r in results]
    sizes = [r.spec.size for r in results]
    sources = {plan.network.datacenter(r.spec.source) for r in results}
    first = {key: sent for key, sent in simulation.sent.items() if key[0] in sources}
    total = sum(first.values()) or 1
    shares: dict[int, float] = {}
    for (_, peer), sent in sorted(first.items(), key=lambda item: item[0][1]):
        shares[peer + 1] = shares.get(peer + 1, 0.0) + sent / total
    use = _use(plan, simulation)
    overall = percentiles(sizes, slowdowns)
    return PolicyRun(results, slowdowns, overall, by_size(sizes, slowdowns, 10), shares, use)


class _Ideal:
    """Ideal completion times, as published: least delay of ways with the fewest links."""

    def __init__(self, network: DataCenters) -> None:
        self._network = network
        self._ways = Ways(network)
        self._known: dict[tuple[int, int], tuple[float, float]] = {}

    def seconds(self, spec: FlowSpec) -> float:
        """Of a flow alone in the network."""
        network = self._network
        ends = network.datacenter(spec.source), network.datacenter(spec.destination)
        if ends not in self._known:
            found = self._ways.candidates(*ends) if ends[0] != ends[1] else []
            delay, rate = min(
                ((w.delay_us, -w.rate_bps) for w in found), default=(0, -network.nic_bps)
            )
            self._known[ends] = 1e-6 * delay, -rate / network.scale
        delay_s, rate_bps = self._known[ends]
        size = max(1, round(spec.size / network.scale))
        hops = [network.nic_bps / network.scale, network.cut_bps / network.scale, rate_bps]
        return ideal_fct(size, delay_s, min(rate_bps, hops[0]), hops)


def _use(plan: Plan, simulation: Simulation) -> dict[str, list[float]]:
    start = round(min(f.start for f in plan.flows) * 1e9) // BIN_NS
    last = max((key[2] for key in simulation.use), default=start)
    rates = {}
    for link in plan.network.links:
        rates[link.a, link.b] = rates[link.b, link.a] = link.rate_bps / plan.network.scale
    use: dict[str, list[float]] = {}
    for (at, peer), rate in sorted(rates.items()):
        sent = [simulation.use[at, peer, b] for b in range(start, last + 1)]
        use[f"DC{at + 1} > DC{peer + 1}"] = [8e9 * bytes_ / BIN_NS / rate for bytes_ in sent]
    return use


def reductions(runs: Mapping[Policy, PolicyRun]) -> dict[str, dict[str, float]]:
    """By how much LCMP lowers p50 and p99, as shares: against each other policy."""
    best = asdict(runs[Policy.LCMP].overall)
    return {
        policy.name: {q: 1 - best[q] / asdict(run.overall)[q] for q in CLAIMS}
        for policy, run in runs.items()
        if policy is not Policy.LCMP
    }


def published() -> dict[str, dict[str, float]]:
    """:data:`PUBLISHED`, for a record."""
    return {p.name: dict(zip(("p50", "p99", "mean"), v, strict=True)) for p, v in PUBLISHED.items()}


def recovery(run: PolicyRun, failure: LinkFailure) -> dict[str, float]:
    """Flows that lost packets to a failure, and when they made progress again, seconds after it."""
    times = sorted(
        (r.recovered_ns - failure.at_ns) / 1e9 for r in run.results if r.recovered_ns is not None
    )
    if not times:
        return {"flows": 0}
    return {"flows": len(times), "median_s": times[len(times) // 2], "longest_s": times[-1]}


def as_record(plan: Plan, runs: Mapping[Policy, PolicyRun]) -> dict[str, Any]:
    """The part of a run's record that is about policies (schema in docs/lcmp.md)."""
    record: dict[str, Any] = {
        "network": plan.network.name,
        "scale": plan.network.scale,
        "mode": "parity" if plan.parity else "corrected",
        "time": "virtual",
        "flows": len(plan.flows),
        "bin_s": BIN_NS / 1e9,
        "reductions": reductions(runs),
        "claims": CLAIMS,
        "policies": {},
    }
    if plan.failure is not None:
        failure = plan.failure
        record["failure"] = {
            "link": [failure.a + 1, failure.b + 1],
            "at_s": failure.at_ns / 1e9,
            "notice_s": failure.notice_ns / 1e9,
        }
    for policy, run in runs.items():
        record["policies"][policy.name] = {
            "slowdown": asdict(run.overall),
            "per_size": [asdict(b) for b in run.bins],
            "shares": {f"DC{dc}": share for dc, share in run.shares.items()},
            "cdf": _cdf(run.slowdowns),
            "link_use": run.use,
            "retransmitted": sum(r.retransmitted for r in run.results),
            **({"recovery": recovery(run, plan.failure)} if plan.failure else {}),
        }
    return record


def _cdf(slowdowns: Sequence[float], points: int = 200) -> list[float]:
    """Slowdowns at evenly spaced ranks, the least and the largest included."""
    ordered = sorted(slowdowns)
    last = len(ordered) - 1
    return [round(ordered[last * i // (points - 1)], 4) for i in range(points)]


def write_flows(folder: Path, runs: Mapping[Policy, PolicyRun]) -> list[Path]:
    """One CSV file per policy: a line per flow."""
    paths = []
    for policy, run in runs.items():
        path = folder / f"flows-{policy.name.lower()}.csv"
        with path.open("w", newline="", encoding="utf-8") as text:
            out = csv.writer(text)
            out.writerow(
                ["source", "destination", "bytes", "start_s", "fct_s", "slowdown", "retransmitted"]
            )
            for r, s in zip(run.results, run.slowdowns, strict=True):
                spec = r.spec
                figures = f"{r.fct_ns / 1e9:.9f}", f"{s:.4f}", r.retransmitted
                out.writerow([spec.source, spec.destination, spec.size, spec.start, *figures])
        paths.append(path)
    return paths

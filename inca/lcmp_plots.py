# SPDX-License-Identifier: MIT
"""The plots of ``inca lcmp run``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"LCMP": "#1f4e79", "ECMP": "#7f7f7f", "UCMP": "#c55a11"}
_MOST_LINKS = 12


def lcmp(record: Mapping[str, Any], path: Path) -> Path:
    """Slowdown (distribution, by size) and use of the sources' links over time; writes a PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    policies = record["policies"]
    figure, axes = pyplot.subplots(
        2, max(3, len(policies)), figsize=(15, 8), layout="constrained", squeeze=False
    )
    _distribution(axes[0][0], policies)
    _by_size(axes[0][1], policies, "p50", "median")
    _by_size(axes[0][2], policies, "p99", "p99")
    for axis, (name, run) in zip(axes[1], policies.items(), strict=False):
        _use(axis, name, run["link_use"], record["bin_s"])
    figure.suptitle(
        f"{record['run']}: {record['network']}, {record['flows']} flows, "
        f"{record['mode']} mode, rates divided by {record['scale']:g}, virtual time",
        fontsize=10,
    )
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path


def _distribution(axes: Axes, policies: Mapping[str, Any]) -> None:
    for name, run in policies.items():
        cdf = run["cdf"]
        ranks = [i / (len(cdf) - 1) for i in range(len(cdf))]
        axes.plot(cdf, ranks, label=name, color=_COLOURS.get(name))
    axes.set_xscale("log")
    axes.set_xlabel("slowdown (completion time / ideal)")
    axes.set_ylabel("share of flows")
    axes.set_title("Slowdown of all flows", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)


def _by_size(axes: Axes, policies: Mapping[str, Any], key: str, title: str) -> None:
    for name, run in policies.items():
        bins = run["per_size"]
        axes.plot(
            [b["largest"] for b in bins], [b[key] for b in bins], marker="o", markersize=3,
            label=name, color=_COLOURS.get(name),
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlabel("largest flow of the bin (bytes, unscaled)")
    axes.set_ylabel(f"{title} of slowdown")
    axes.set_ylim(bottom=0)
    axes.set_title(f"Slowdown by flow size, {title}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)


def _use(axes: Axes, name: str, use: Mapping[str, list[float]], bin_s: float) -> None:
    """The links that carried most."""
    busy = sorted(use, key=lambda link: -sum(use[link]))[:_MOST_LINKS]
    chosen = [link for link in busy if link.startswith("DC1 ")] or busy[:6]
    for link in sorted(link for link in chosen if any(use[link])):
        times = [bin_s * i for i in range(len(use[link]))]
        axes.plot(times, [100 * share for share in use[link]], label=link, linewidth=1)
    axes.set_xlabel("time since the first flow (s)")
    axes.set_ylabel("link use (% of rate)")
    axes.set_ylim(0, 105)
    axes.set_title(f"Link use, {name}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, frameon=False)

# SPDX-License-Identifier: MIT
"""Plots, made from records only: ``inca plot results/<run>`` makes them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inca.lcmp_plots import lcmp

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LOSS, _ACCURACY, _REFERENCE = "#1f4e79", "#c55a11", "#7f7f7f"
_TOWARDS, _FROM = "#1f4e79", "#9dc3e6"
_MIB = 1 << 20


def training(record: Mapping[str, Any], path: Path) -> Path:
    """Loss and accuracy of a training run, and bytes on each link; writes a PNG."""
    figure = _figure(2)
    curve, links = figure.axes
    job = record["jobs"][0]
    _loss_curve(curve, job)
    _bytes_per_link(links, record["links"])
    figure.suptitle(
        f"{record['run']}: {record['topology']['name']}, {len(job['workers'])} workers, "
        f"accuracy {job['final_accuracy']:.3f}, {100 * job['fragments']['switch_share']:.1f} % "
        "of fragments aggregated in the switch",
        fontsize=10,
    )
    figure.savefig(path, dpi=110)
    return path


PLOTS = {"training": training, "lcmp": lcmp}
"""Kind of a record -> what draws it."""


def _figure(columns: int) -> Figure:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, _ = pyplot.subplots(1, columns, figsize=(6 * columns, 4.2), layout="constrained")
    return figure


def _loss_curve(axes: Axes, job: Mapping[str, Any]) -> None:
    steps = range(1, len(job["loss"]) + 1)
    axes.plot(steps, job["loss"], color=_LOSS, linewidth=0.8)
    axes.set_xlabel("step")
    axes.set_ylabel("training loss (cross entropy)", color=_LOSS)
    axes.set_ylim(bottom=0)
    axes.set_title("Training through the in-network aggregator", fontsize=10)
    axes.grid(alpha=0.3)
    right = axes.twinx()
    at, accuracy = zip(*job["accuracy"], strict=True)
    right.plot(at, accuracy, color=_ACCURACY, linewidth=1.2)
    right.axhline(
        job["reference_accuracy"], color=_REFERENCE, linestyle="--", linewidth=1,
        label="one process, no network",
    )  # fmt: skip
    right.set_ylabel("test accuracy", color=_ACCURACY)
    right.set_ylim(0, 1)
    right.legend(loc="center right", fontsize=8, frameon=False)


def _bytes_per_link(axes: Axes, links: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(link["link"] for link in links))
    forward = [_of(links, name, 0) for name in names]
    backward = [_of(links, name, 1) for name in names]
    rows = range(len(names))
    height = 0.38
    axes.barh(
        [r - height / 2 for r in rows], forward, height, color=_TOWARDS, label="left to right"
    )
    axes.barh([r + height / 2 for r in rows], backward, height, color=_FROM, label="right to left")
    axes.set_yticks(list(rows), names)
    axes.invert_yaxis()
    axes.set_xlabel("MiB on the wire")
    axes.set_title("Bytes per link and direction", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    # Room for the legend beside the longest bar.
    axes.set_xlim(right=1.35 * max(*forward, *backward, 1e-3))
    axes.legend(fontsize=8, frameon=False, loc="center right")


def _of(links: Sequence[Mapping[str, Any]], name: str, direction: int) -> float:
    return float([link["bytes"] for link in links if link["link"] == name][direction]) / _MIB


def draw(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw what there is to draw of a record; returns the files."""
    draw_one = PLOTS.get(record["kind"])
    return [] if draw_one is None else [draw_one(record, folder / f"{record['kind']}.png")]

# SPDX-License-Identifier: MIT
"""The systems that can be checked by name, and the standard set that ``make verify`` runs."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from verification.explorer import Limits, explore
from verification.model import UNLIMITED, Environment, System
from verification.mutants import MUTANTS
from verification.verdict import Outcome, Verdict


class CatalogError(Exception):
    """An unknown system or option."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A system by name: a function of its module makes it from options."""

    module: str
    function: str
    summary: str
    fixed: Mapping[str, object] = field(default_factory=dict)


SYSTEMS: Mapping[str, Entry] = {
    "esa": Entry("aggregation", "aggregation", "p4src/esa.p4 with its agents", {"program": "esa"}),
    "atp": Entry("aggregation", "aggregation", "p4src/atp.p4 with its agents", {"program": "atp"}),
    "switchml": Entry("aggregation", "switchml", "p4src/switchml.p4 with its workers"),
    "switchml-bit": Entry(
        "aggregation", "switchml", "switchml as published: one version bit", {"versioned": 0}
    ),
    "slot": Entry("slot", "slot", "one slot with the whole chunk number", {"full": True}),
    "slot-bit": Entry(
        "slot", "slot", "one slot with a version bit as published: wrong sums", {"full": False}
    ),
    "netcache": Entry("netcache", "netcache", "cache in a switch, versioned updates"),
    "netcache-plain": Entry(
        "netcache", "netcache", "cache in a switch as designed: stale reads", {"versioned": False}
    ),
    "netlock": Entry("netlock", "netlock", "lock in a switch, owned releases"),
    "netlock-plain": Entry(
        "netlock", "netlock", "lock in a switch as designed: two holders", {"owned": False}
    ),
    "netchain": Entry("netchain", "netchain", "chain of replicas, numbered writes"),
    "netchain-plain": Entry(
        "netchain", "netchain", "chain as designed: replicas go back", {"numbered": False}
    ),
}


@dataclass(frozen=True)
class Case:
    """One check of the standard set; ``expected`` is what a healthy checker and code give.

    ``system`` is a name of SYSTEMS, or that of a mutant.
    """

    system: str
    environment: Environment
    options: Mapping[str, object] = field(default_factory=dict)
    expected: Outcome = Outcome.HOLDS

    def check(self, limits: Limits) -> Verdict:
        """Explore it."""
        for mutant in MUTANTS:
            if mutant.name == self.system:
                return mutant.check(limits)
        return explore(make(self.system, self.options), self.environment, limits=limits)


_HARSH = Environment(loss=1, duplicate=1, timeout=1, reorder="any")

_LOSSY = Environment(loss=1, duplicate=1)

_UNORDERED = Environment(loss=1, duplicate=1, reorder="any")

_WRAP = {"first_seq": (1 << 32) - 1}

STANDARD: tuple[Case, ...] = (
    Case("esa", Environment(loss=1)),
    Case("esa", Environment(timeout=1), {"fragments": 1}),
    Case("esa", Environment(reorder="any")),
    Case("esa", _LOSSY, {"fragments": 3, "window": 1}),
    Case("esa", Environment(loss=1), {"jobs": 2, "fragments": 1, "window": 1}),
    Case("esa", _UNORDERED, {"fragments": 1}),
    Case("esa", _UNORDERED, {"fragments": 1, "workers": 3}),
    Case("esa", _UNORDERED, {"fragments": 3, "window": 1}),
    Case("esa", _LOSSY, {"fragments": 1, "via_server": 1}),
    Case("esa", Environment(loss=1), _WRAP),
    Case("esa", Environment(loss=1, reboot=1)),
    Case("esa", Environment(loss=1, crash=1)),
    Case("esa", Environment(reboot=1, crash=1)),
    Case("atp", Environment(loss=1, reboot=1)),
    Case("atp", _LOSSY),
    Case("atp", _UNORDERED, {"fragments": 1}),
    Case("atp", Environment(loss=1), _WRAP),
    Case("switchml", _HARSH, {"workers": 3}),
    Case("switchml", _HARSH, {"pool": 2, "fragments": 4}),
    Case("switchml", _LOSSY, {"fragments": 2, "jobs": 2}),
    Case("switchml", Environment(loss=1), {"first_seq": 65534}),
    # Nobody but the switch keeps a result, so one lost together with the switch is lost for good.
    Case("switchml", Environment(loss=1, reboot=1), expected=Outcome.VIOLATED),
    Case("slot", replace(_HARSH, capacity=2, timeout=UNLIMITED)),
    Case("slot-bit", replace(_HARSH, capacity=2, timeout=UNLIMITED), expected=Outcome.VIOLATED),
    Case("netcache", _HARSH),
    Case("netcache-plain", _HARSH, expected=Outcome.VIOLATED),
    Case("netlock", _HARSH, {"clients": 3}),
    Case("netlock-plain", _HARSH, {"clients": 3}, Outcome.VIOLATED),
    Case("netchain", _HARSH),
    Case("netchain-plain", _HARSH, expected=Outcome.VIOLATED),
    *(Case(m.name, m.environment, m.options, Outcome.VIOLATED) for m in MUTANTS),
)


def make(name: str, options: Mapping[str, object] | None = None) -> System:
    """The system of that name.

    Raises:
        CatalogError: no such system, or it has no such option.
    """
    entry = SYSTEMS.get(name)
    if entry is None:
        raise CatalogError(f"no system {name!r}: there are {', '.join(SYSTEMS)}")
    module = importlib.import_module(f"verification.systems.{entry.module}")
    function = getattr(module, entry.function)
    known = inspect.signature(function).parameters
    for option in options or {}:
        if option not in known or option in entry.fixed:
            free = ", ".join(k for k in known if k not in entry.fixed) or "none"
            raise CatalogError(f"system {name} has no option {option!r}; it has: {free}")
    made = function(**{**(options or {}), **entry.fixed})
    assert isinstance(made, System)
    return made


def imports(name: str) -> str:
    """The import line that an exported test needs for `expression`."""
    entry = SYSTEMS[name]
    return f"from verification.systems.{entry.module} import {entry.function}"


def expression(name: str, options: Mapping[str, object]) -> str:
    """A Python expression for the system, for an exported test."""
    entry = SYSTEMS[name]
    arguments = ", ".join(f"{k}={v!r}" for k, v in {**options, **entry.fixed}.items())
    return f"{entry.function}({arguments})"

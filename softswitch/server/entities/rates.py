# SPDX-License-Identifier: MIT
"""Meter configurations: messages to rates and back."""

from __future__ import annotations

from typing import Any

from finsy.proto import p4r

from softswitch.server.errors import invalid
from softswitch.server.state import MeterRates


def rates_of(config: Any) -> MeterRates:
    """Check a MeterConfig; v1model's meters are two-rate three-colour ones (RFC 2698)."""
    rates = (config.cir, config.cburst, config.pir, config.pburst, config.eburst)
    if any(rate < 0 for rate in rates):
        raise invalid("a meter's rates and bursts must not be negative")
    if config.eburst:
        raise invalid("eburst must be unset: the meter has two rates (RFC 2698)")
    if config.cir > config.pir:
        raise invalid(f"a meter's cir {config.cir} must not be above its pir {config.pir}")
    return rates


def rates_message(rates: MeterRates) -> Any:
    """The MeterConfig of these rates."""
    cir, cburst, pir, pburst, eburst = rates
    return p4r.MeterConfig(cir=cir, cburst=cburst, pir=pir, pburst=pburst, eburst=eburst)

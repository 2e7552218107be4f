# SPDX-License-Identifier: MIT
"""LCMP, cost-aware multipath between datacenters: the decision as integers, flows, and their times.

Everything here is pure: :mod:`~hosts.multipath.decision` is the oracle that packet tests compare
`p4src/lcmp.p4` with, :mod:`~hosts.multipath.flows` reads and makes traffic, and
:mod:`~hosts.multipath.fct` turns completion times into slowdowns.
"""

# SPDX-License-Identifier: MIT
"""Collectives of a group of hosts, in the switches of its tree (EPIC) or over a ring of hosts.

`group.Group` is what users call; `endpoint` has the protocol, `wire` its packets.
"""

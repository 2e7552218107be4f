# SPDX-License-Identifier: MIT
"""Packet tests from text files (STF) against the embedded switch or the real BMv2."""

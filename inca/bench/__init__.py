# SPDX-License-Identifier: MIT
"""Benchmarks and the soak of the embedded target.

Everything runs in a network namespace of its own, which the kernel removes with
the process: nothing is left behind, however it ends.
"""

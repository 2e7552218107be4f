# SPDX-License-Identifier: MIT
"""Model checking of the programs and agents that run."""

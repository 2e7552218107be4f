# SPDX-License-Identifier: MIT
"""Systems with their properties: the specifications that `inca verify` checks."""

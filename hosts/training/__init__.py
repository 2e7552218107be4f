# SPDX-License-Identifier: MIT
"""Data-parallel SGD of a small network on the UCI optical handwritten digits."""

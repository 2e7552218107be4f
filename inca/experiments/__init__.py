# SPDX-License-Identifier: MIT
"""Experiments: each brings a network up, runs jobs on it and leaves one record."""

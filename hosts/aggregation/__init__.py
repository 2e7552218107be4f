# SPDX-License-Identifier: MIT
"""Aggregation protocol cores: no socket, no clock, no thread inside.

`worker.Worker` and `server.ParameterServer` take batches of messages (`hosts.wire.esa`) and the
time in microseconds, and give batches of messages back.
"""

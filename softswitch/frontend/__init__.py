# SPDX-License-Identifier: MIT
"""P4_16 (v1model) source to BMv2 JSON and P4Info."""

# SPDX-License-Identifier: MIT
"""Wire formats, each defined once as a table of fields.

From the tables derive the NumPy dtypes of the hot path (`fields.Header.dtype`), the Scapy layers
(`esa_scapy`, GPL-2.0-only) and the documentation (`fields.Header.markdown`).
"""

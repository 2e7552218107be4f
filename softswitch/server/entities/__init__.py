# SPDX-License-Identifier: MIT
"""One module per kind of P4Runtime entity: how it is written and read."""

# SPDX-License-Identifier: MIT
"""``python -m inca`` is the ``inca`` command."""

from inca.cli import main

main()

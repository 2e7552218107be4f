# SPDX-License-Identifier: MIT
"""What people call: the ``inca`` command, experiments, records and plots."""

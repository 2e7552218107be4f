# SPDX-License-Identifier: MIT
"""P4Runtime v1 over gRPC around one running switch, with simple_switch_grpc's command line."""

import os

# gRPC's C core logs to standard error on its own; what matters arrives as exceptions.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

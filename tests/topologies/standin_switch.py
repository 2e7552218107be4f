# SPDX-License-Identifier: MIT
"""A switch process that forwards nothing: it answers on its gRPC port until it is ended.

Bringing networks up and down has nothing to do with what their switches do.
"""

import concurrent.futures
import signal
import sys

import grpc

if "--fail" in sys.argv:
    sys.exit("standin: told to fail")
address = sys.argv[sys.argv.index("--grpc-server-addr") + 1]
server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
if not server.add_insecure_port(address):
    sys.exit(f"standin: cannot listen on {address}")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
server.start()
print(" ".join(sys.argv[1:]), flush=True)
signal.sigwait([signal.SIGTERM])
server.stop(0)

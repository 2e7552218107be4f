# SPDX-License-Identifier: MIT
"""What a user does in p4runtime-shell; run by test_shell.py in the shell's own environment."""

import sys

import p4runtime_sh.shell as sh
from p4runtime_sh.p4runtime import P4RuntimeWriteException

address, p4info, config = sys.argv[1:]
sh.setup(
    device_id=1,
    grpc_addr=address,
    election_id=(0, 1),
    config=sh.FwdPipeConfig(p4info, config),
)
try:
    print("tables:", *sorted(t.name for t in sh.P4Objects(sh.P4Type.table)))
    entry = sh.TableEntry("Ig.exact_t")(action="Ig.set")
    entry.match["hdr.h.k"] = "1"
    entry.action["port"] = "5"
    entry.action["v"] = "0x11"
    entry.insert()
    for found in sh.TableEntry("Ig.exact_t").read():
        print("entry:", found.match["hdr.h.k"].exact.value.hex(), found.action.action_name)
    for cell in sh.CounterEntry("Ig.hits").read():
        print("counter:", cell.index, cell.packet_count)
    entry.action["port"] = "6"
    entry.modify()
    entry.delete()
    print("left:", len(list(sh.TableEntry("Ig.exact_t").read())))
    try:
        entry.delete()
    except P4RuntimeWriteException as error:
        print("error:", "NOT_FOUND" in str(error))
finally:
    # Its stream keeps the interpreter alive otherwise.
    sh.teardown()

# SPDX-License-Identifier: MIT
"""PTF tests of the target: what `ptf` users write, run against the embedded switch (or BMv2).

    ptf --test-dir tests/ptf --interface 1@veth1 --interface 2@veth3 \
        --test-params "grpcaddr='127.0.0.1:9559';p4info='p.txtpb';config='p.json'"
"""

import queue

import grpc
from finsy.proto import p4i, p4r, p4r_grpc
from google.protobuf import text_format
from ptf import config, testutils
from ptf.base_tests import BaseTest

DEVICE_ID = 0
ELECTION_ID = p4r.Uint128(low=1)


class PipelineTest(BaseTest):
    """Pushes the program before each test and opens the ports."""

    def setUp(self):
        super().setUp()
        self.dataplane = config_dataplane()
        params = testutils.test_params_get()
        self.info = p4i.P4Info()
        with open(params["p4info"], encoding="utf-8") as file:
            text_format.Parse(file.read(), self.info)
        with open(params["config"], "rb") as file:
            device_config = file.read()
        self.channel = grpc.insecure_channel(params["grpcaddr"])
        self.stub = p4r_grpc.P4RuntimeStub(self.channel)
        self.requests = queue.SimpleQueue()
        self.stream = self.stub.StreamChannel(iter(self.requests.get, None))
        update = p4r.MasterArbitrationUpdate(device_id=DEVICE_ID, election_id=ELECTION_ID)
        self.requests.put(p4r.StreamMessageRequest(arbitration=update))
        next(self.stream)
        pipeline = p4r.ForwardingPipelineConfig(p4info=self.info, p4_device_config=device_config)
        self.stub.SetForwardingPipelineConfig(
            p4r.SetForwardingPipelineConfigRequest(
                device_id=DEVICE_ID,
                election_id=ELECTION_ID,
                action=p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT,
                config=pipeline,
            ),
            timeout=60,
        )

    def tearDown(self):
        self.requests.put(None)
        self.channel.close()
        super().tearDown()

    def insert(self, table, key, action, *params):
        """Insert an entry with one exact key."""
        entry = p4r.TableEntry(table_id=named(self.info.tables, table).preamble.id)
        entry.match.add(field_id=1, exact=p4r.FieldMatch.Exact(value=key))
        made = entry.action.action
        made.action_id = named(self.info.actions, action).preamble.id
        for id, value in enumerate(params, 1):
            made.params.add(param_id=id, value=value)
        request = p4r.WriteRequest(device_id=DEVICE_ID, election_id=ELECTION_ID)
        request.updates.add(type=p4r.Update.INSERT, entity=p4r.Entity(table_entry=entry))
        self.stub.Write(request, timeout=10)


def config_dataplane():
    """The ports that `ptf` has opened, emptied."""
    from ptf import dataplane_instance

    dataplane_instance.flush()
    return dataplane_instance


def named(objects, name):
    """The P4Info object with a name."""
    return next(o for o in objects if o.preamble.name == name)


class Forward(PipelineTest):
    """A hit leaves on the entry's port, changed; a miss is dropped."""

    def runTest(self):
        self.insert("Ig.exact_t", b"\x01", "Ig.set", b"\x02", b"\x77")
        packet = bytes.fromhex("01 0001 00") + bytes(60)
        testutils.send_packet(self, 1, packet)
        testutils.verify_packet(self, packet[:3] + b"\x77" + packet[4:], 2)
        testutils.send_packet(self, 1, bytes.fromhex("01 0002 00") + bytes(60))
        testutils.verify_no_other_packets(self)
        assert config["relax"] is False

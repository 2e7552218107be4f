# SPDX-License-Identifier: MIT
"""SetForwardingPipelineConfig and GetForwardingPipelineConfig."""

import grpc
import pytest
from finsy.proto import p4r

from tests.softswitch.server.conftest import Config, code_of, errors_of

Get = p4r.GetForwardingPipelineConfigRequest
PACKET = bytes.fromhex("01 0001 00000000 0000 00")


def entry(names, k=1, port=2):
    return names.entry("Ig.exact_t", {"k": k}, "Ig.set", port, 0x55)


def test_nothing_works_without_a_program(primary, names):
    assert not primary.get_config().HasField("config")
    for call in (lambda: primary.insert(entry(names)), lambda: primary.read(p4r.TableEntry())):
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert code_of(error) == grpc.StatusCode.FAILED_PRECONDITION
        assert "No forwarding pipeline config" in error.value.details()


def test_get_returns_what_was_set(primary, entities_config):
    primary.set_config(entities_config)
    assert primary.get_config().config == entities_config
    cookie = primary.get_config(Get.COOKIE_ONLY).config
    assert cookie.cookie.cookie == 7
    assert not cookie.HasField("p4info")
    assert primary.get_config(Get.P4INFO_AND_COOKIE).config.p4_device_config == b""
    device = primary.get_config(Get.DEVICE_CONFIG_AND_COOKIE).config
    assert device.p4_device_config == entities_config.p4_device_config
    assert not device.HasField("p4info")


def test_verify_changes_nothing(target, controller, other_config):
    controller.set_config(other_config, Config.VERIFY)
    assert controller.get_config(Get.COOKIE_ONLY).config.cookie.cookie == 7


def test_commit_clears_the_state(target, controller, names, entities_config):
    controller.insert(entry(names))
    assert target.plane.process(0, PACKET)[0][0] == 2
    controller.set_config(entities_config)
    assert controller.read(p4r.TableEntry(table_id=names.id("Ig.exact_t"))) == []
    assert target.plane.process(0, PACKET) == []


def test_save_then_commit_replays_the_writes(target, controller, names, entities_config):
    controller.insert(entry(names, port=2))
    saved = p4r.ForwardingPipelineConfig()
    saved.CopyFrom(entities_config)
    saved.cookie.cookie = 9
    controller.set_config(saved, Config.VERIFY_AND_SAVE)
    # Reads and writes are about the saved program, packets still go through the old one.
    assert controller.read(p4r.TableEntry(table_id=names.id("Ig.exact_t"))) == []
    controller.insert(entry(names, port=4))
    assert target.plane.process(0, PACKET)[0][0] == 2
    controller.set_config(action=Config.COMMIT)
    assert target.plane.process(0, PACKET)[0][0] == 4
    assert controller.get_config(Get.COOKIE_ONLY).config.cookie.cookie == 9
    with pytest.raises(grpc.RpcError) as error:
        controller.set_config(action=Config.COMMIT)
    assert code_of(error) == grpc.StatusCode.NOT_FOUND


def test_commit_takes_no_config(controller, entities_config):
    with pytest.raises(grpc.RpcError) as error:
        controller.set_config(entities_config, Config.COMMIT)
    assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT


def test_reconcile_keeps_the_state(target, controller, names, other_config):
    controller.insert(entry(names, k=1, port=2), entry(names, k=2, port=3))
    controller.insert(
        p4r.PacketReplicationEngineEntry(
            multicast_group_entry=p4r.MulticastGroupEntry(
                multicast_group_id=5, replicas=[p4r.Replica(port=b"\1", instance=1)]
            )
        )
    )
    controller.set_config(other_config, Config.RECONCILE_AND_COMMIT)
    assert len(controller.read(p4r.TableEntry())) == 2
    assert target.plane.process(0, bytes.fromhex("01 0002 00")) == [
        (3, bytes.fromhex("01 0002 55"))
    ]
    groups = controller.read(
        p4r.PacketReplicationEngineEntry(multicast_group_entry=p4r.MulticastGroupEntry())
    )
    assert [g.multicast_group_entry.multicast_group_id for g in groups] == [5]


def test_reconcile_fails_when_the_state_does_not_fit(target, controller, names, other_config):
    controller.insert(entry(names))
    controller.insert(names.entry("Ig.counted_t", {"k": 1}, "NoAction"))
    with pytest.raises(grpc.RpcError) as error:
        controller.set_config(other_config, Config.RECONCILE_AND_COMMIT)
    assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT
    assert "cannot be kept" in error.value.details()
    assert controller.get_config(Get.COOKIE_ONLY).config.cookie.cookie == 7
    assert target.plane.process(0, PACKET)[0][0] == 2


@pytest.mark.parametrize(
    ("device_config", "message"),
    [
        (b"", "empty"),
        (b"\0\1\2", "not JSON"),
        (b"[1, 2]", "not BMv2 JSON"),
        (b'{"pipelines": 3}', "not BMv2 JSON"),
        (b'{"pipelines": [{"tables": [{}]}], "actions": []}', "not BMv2 JSON"),
    ],
)
def test_broken_device_configs_are_refused(controller, entities_config, device_config, message):
    broken = p4r.ForwardingPipelineConfig()
    broken.CopyFrom(entities_config)
    broken.p4_device_config = device_config
    for action in (Config.VERIFY, Config.VERIFY_AND_COMMIT):
        with pytest.raises(grpc.RpcError) as error:
            controller.set_config(broken, action)
        assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT
        assert message in error.value.details()
    assert controller.get_config().config == entities_config


def test_p4info_that_does_not_fit_the_json_is_refused(controller, entities_config, other_config):
    mixed = p4r.ForwardingPipelineConfig()
    mixed.CopyFrom(entities_config)
    mixed.p4_device_config = other_config.p4_device_config
    with pytest.raises(grpc.RpcError) as error:
        controller.set_config(mixed)
    assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT
    assert "not in the BMv2 JSON" in error.value.details()


@pytest.mark.parametrize("action", [Config.UNSPECIFIED, 99, Config.VERIFY])
def test_requests_without_action_or_config(controller, action):
    with pytest.raises(grpc.RpcError) as error:
        controller.set_config(action=action)
    assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT


def test_backup_may_not_set_the_program(target, controller, other_config):
    backup = target.connect(0)
    backup.arbitrate()
    with pytest.raises(grpc.RpcError) as error:
        backup.set_config(other_config)
    assert code_of(error) == grpc.StatusCode.PERMISSION_DENIED


def test_wrong_device_id(target, controller, entities_config):
    controller.device_id = 4
    for call in (
        lambda: controller.set_config(entities_config),
        controller.get_config,
        lambda: controller.read(p4r.TableEntry()),
        lambda: controller.insert(p4r.TableEntry()),
    ):
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert code_of(error) == grpc.StatusCode.NOT_FOUND


def test_capabilities(target):
    client = target.connect()
    version = client.stub.Capabilities(p4r.CapabilitiesRequest()).p4runtime_api_version
    assert version == "1.4.0"


def test_empty_updates_report_each_element(controller):
    with pytest.raises(grpc.RpcError) as error:
        controller.write((0, p4r.Entity()), (1, p4r.Entity()), (1, p4r.ExternEntry()))
    assert code_of(error) == grpc.StatusCode.UNKNOWN
    assert [code for code, _ in errors_of(error)] == [3, 3, 12]

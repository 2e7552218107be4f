# SPDX-License-Identifier: MIT
"""A batch does what its updates do one by one: same errors, same record, same switch."""

import random

import pytest
from finsy.proto import p4r

from softswitch.engine import Pipeline
from softswitch.server.batch import read_batch, write_batch
from softswitch.server.entities import table_runs
from softswitch.server.errors import BatchError, Code
from softswitch.server.local import LocalDataPlane
from softswitch.server.pipelines import load_context
from softswitch.server.roles import FULL_ACCESS, RoleRights
from tests.softswitch.server.conftest import DELETE, INSERT, MODIFY, as_entity

NOTHING = p4r.Update.UNSPECIFIED


def context(config):
    made = load_context(config, Pipeline.load, LocalDataPlane())
    made.engine.attach()
    return made


def write(ctx, updates, rights=FULL_ACCESS):
    """(code, text) of each update, None where it went well."""
    batch = [p4r.Update(type=kind, entity=as_entity(entity)) for kind, entity in updates]
    try:
        write_batch(ctx, batch, p4r.WriteRequest.CONTINUE_ON_ERROR, rights)
    except BatchError as error:
        return [e and (e.code, e.message) for e in error.errors]
    return [None] * len(batch)


def contents(ctx):
    """What clients read, and what the switch holds, of all tables."""
    everything = p4r.Entity(table_entry=p4r.TableEntry(counter_data=p4r.CounterData()))
    read = [
        e.SerializeToString(deterministic=True)
        for response in read_batch(ctx, [everything], FULL_ACCESS)
        for e in response.entities
    ]
    tables = ctx.engine.pipeline.tables
    return sorted(read), {name: list(view.entries()) for name, view in tables.items()}


class Draw:
    """Random updates: most are plain inserts, in stretches, the others have every flaw."""

    def __init__(self, names, seed):
        self.r, self.names, self.table = random.Random(seed), names, "Ig.exact_t"

    def update(self):
        r = self.r
        if r.random() < 0.1:
            self.table = r.choice(["Ig.exact_t", "Ig.lpm_t", "Ig.ternary_t", "Ig.counted_t"])
        entry = self.entry()
        if r.random() < 0.25:
            self.spoil(entry)
        return r.choices([INSERT, MODIFY, DELETE, NOTHING], [40, 3, 3, 1])[0], entry

    def entry(self):
        r, names = self.r, self.names
        if r.random() < 0.02:
            return p4r.CounterEntry(counter_id=names.id("Ig.hits"))
        if self.table == "Ig.counted_t":
            return names.entry(self.table, {"k": r.randrange(99)}, "Ig.counted", r.randrange(256))
        keys, fields = {"k": r.randrange(99)}, {}
        if self.table == "Ig.lpm_t":
            length = r.randint(1, 32)
            keys = {"addr": (r.getrandbits(length) << (32 - length), length)}
        elif self.table == "Ig.ternary_t":
            keys = {"addr": (r.randrange(4) << 8, 0xFF00), "op": r.randrange(2)}
            fields["priority"] = r.randint(1, 3)
        values = (r.randrange(512), r.randrange(256))
        return names.entry(self.table, keys, "Ig.set", *values, metadata=b"m", **fields)

    def spoil(self, entry):
        if not isinstance(entry, p4r.TableEntry):
            return
        flaws = [
            lambda: entry.ClearField("action"),
            lambda: entry.ClearField("match"),
            lambda: entry.match.append(entry.match[0]),
            lambda: entry.match.reverse(),
            lambda: setattr(entry.match[0], "field_id", 77),
            lambda: setattr(entry.match[0].exact, "value", b"\1\0\0\0\0\0"),
            lambda: setattr(entry.match[0].lpm, "prefix_len", 40),
            lambda: setattr(entry, "table_id", 0x02FFFFFF),
            lambda: setattr(entry, "table_id", self.names.id("Ig.const_t")),
            lambda: setattr(entry, "priority", 1 - min(entry.priority, 1)),
            lambda: setattr(entry, "idle_timeout_ns", self.r.choice([-1, 10**12])),
            lambda: setattr(entry, "is_const", True),
            lambda: setattr(entry, "is_default_action", True),
            lambda: setattr(entry.counter_data, "packet_count", self.r.choice([-1, 7])),
            lambda: entry.meter_config.SetInParent(),
            lambda: entry.time_since_last_hit.SetInParent(),
            lambda: entry.action.action.params.reverse(),
            lambda: entry.action.action.params.pop(),
            lambda: entry.action.action.params.add(param_id=1, value=b"\1"),
            lambda: setattr(entry.action.action.params[0], "value", b""),
            lambda: setattr(entry.action.action.params[0], "value", b"\xff\xff\xff"),
            lambda: setattr(entry.action.action.params[0], "param_id", 9),
            lambda: setattr(entry.action.action, "action_id", self.names.id("Ig.only_default")),
            lambda: setattr(entry.action, "action_profile_member_id", 1),
        ]
        self.r.choice(flaws)()


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_is_its_updates_one_by_one(entities_config, names, seed):
    together, alone = context(entities_config), context(entities_config)
    draw = Draw(names, seed)
    seen = []
    for _ in range(6):
        batch = [draw.update() for _ in range(80)]
        errors = write(together, batch)
        assert errors == [write(alone, [update])[0] for update in batch]
        seen += errors
    assert contents(together) == contents(alone)
    codes = {e[0] for e in seen if e}
    assert {Code.INVALID_ARGUMENT, Code.ALREADY_EXISTS, Code.NOT_FOUND} <= codes
    assert None in seen


def test_plain_inserts_go_in_one_call(entities_config, names, monkeypatch):
    ctx, calls = context(entities_config), []
    insert_many = ctx.engine.insert_many

    def counted(table, entries):
        entries = list(entries)
        calls.append(len(entries))
        return insert_many(table, entries)

    monkeypatch.setattr(ctx.engine, "insert_many", counted)
    routes = [
        (INSERT, names.entry("Ig.lpm_t", {"addr": (i << 16, 16)}, "Ig.set", 1, 1))
        for i in range(1, 301)
    ]
    assert write(ctx, routes) == [None] * 300
    longest = table_runs.LONGEST_RUN
    assert calls == [longest, longest, 300 - 2 * longest]


def test_what_the_switch_refuses_is_reported_where_it_is(entities_config, names):
    """A P4Info without sizes: only the switch knows that a table is full."""
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(entities_config)
    for table in config.p4info.tables:
        table.size = 0
    ctx = context(config)
    entries = [names.entry("Ig.exact_t", {"k": i}, "Ig.set", 1, 1) for i in range(70)]
    errors = write(ctx, [(INSERT, e) for e in entries])
    assert errors[:64] == [None] * 64
    assert {e and e[0] for e in errors[64:]} == {Code.RESOURCE_EXHAUSTED}
    read, in_switch = contents(ctx)
    assert len(in_switch["Ig.exact_t"]) == 64
    assert write(ctx, [(DELETE, entries[3]), (INSERT, entries[69])]) == [None, None]
    assert len(contents(ctx)[0]) == len(read)


def test_roles_hold_for_runs(entities_config, names):
    ctx = context(entities_config)
    entries = [names.entry("Ig.exact_t", {"k": i}, "Ig.set", 1, 1) for i in range(3)]
    other = RoleRights(ids=frozenset([names.id("Ig.lpm_t")]))
    errors = write(ctx, [(INSERT, e) for e in entries], other)
    assert [e[0] for e in errors] == [Code.PERMISSION_DENIED] * 3
    mine = RoleRights(ids=frozenset([names.id("Ig.exact_t")]))
    assert write(ctx, [(INSERT, e) for e in entries], mine) == [None] * 3

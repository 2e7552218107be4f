# SPDX-License-Identifier: MIT
"""One-shot programming of action selectors (P4Runtime spec, 9.2.3).

A set of actions given with a table entry becomes a group with members of its own, under ids that
clients never see; reads return the set as it was written.
"""

from __future__ import annotations

from typing import Any

from softswitch.p4info import ActionProfile
from softswitch.server.entities.base import Context, checked_weights
from softswitch.server.entities.watch import checked_watch
from softswitch.server.errors import exhausted, invalid
from softswitch.server.program import TableCodec
from softswitch.server.state import GroupMember, OneShot, Target


def create(ctx: Context, table: TableCodec, profile: ActionProfile, message: Any) -> OneShot:
    """Create the hidden group of an ActionProfileActionSet; raise without a trace left."""
    if ctx.state.members.get(profile.id) or ctx.state.groups.get(profile.id):
        raise invalid(
            f"action selector {profile.name!r} has members or groups of its own: one-shot actions "
            "cannot be mixed with them"
        )
    if message.action_selection_mode or message.size_semantics:
        raise invalid("an action set cannot choose its selection mode or size semantics here")
    actions = []
    total = 0
    for item in message.action_profile_actions:
        if item.weight <= 0:
            raise invalid(f"table {table.table.name!r}: a weight in the action set is not above 0")
        total += item.weight
        action = table.decode_action(item.action, default=False)
        actions.append((action, item.weight, checked_watch(ctx, item)))
    if total > profile.max_group_size > 0:
        raise invalid(
            f"action selector {profile.name!r}: the weights add up to {total}, "
            f"at most {profile.max_group_size} are allowed"
        )
    checked_weights(total, 0, f"action selector {profile.name!r}")
    hidden = ctx.state.hidden_members.setdefault(profile.id, set())
    if len(hidden) + len(actions) > profile.size > 0:
        raise exhausted(f"action selector {profile.name!r} is full: it has {profile.size} members")
    return _install(ctx, profile, message, actions)


def _install(
    ctx: Context, profile: ActionProfile, message: Any, actions: list[tuple[Any, int, Any]]
) -> OneShot:
    hidden = ctx.state.hidden_members[profile.id]
    groups = ctx.state.hidden_groups.setdefault(profile.id, set())
    members: list[int] = []
    group_members: list[GroupMember] = []
    group = _free_id(groups)
    try:
        for action, weight, watch in actions:
            id = _free_id(hidden)
            ctx.engine.add_member(profile, id, action)
            hidden.add(id)
            members.append(id)
            group_members.append(GroupMember(id, weight, *watch))
        ctx.engine.set_group(profile, group, group_members)
    except Exception:
        for id in members:
            ctx.engine.delete_member(profile, id)
            hidden.discard(id)
        raise
    groups.add(group)
    return OneShot(message, group, tuple(members))


def release(ctx: Context, table: TableCodec, target: Target) -> None:
    """Remove the hidden group and members of an entry that is gone; other targets have none."""
    if not isinstance(target, OneShot):
        return
    profile = ctx.program.info.profiles.by_id[table.table.implementation_id]
    ctx.engine.delete_group(profile, target.group)
    ctx.state.hidden_groups[profile.id].discard(target.group)
    for id in target.members:
        ctx.engine.delete_member(profile, id)
        ctx.state.hidden_members[profile.id].discard(id)


def _free_id(used: set[int]) -> int:
    """A number that is not in `used`; cheap because ids are mostly given out in order."""
    id = len(used) + 1
    while id in used:
        id += 1
    return id

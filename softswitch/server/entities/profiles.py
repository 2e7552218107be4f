# SPDX-License-Identifier: MIT
"""ActionProfileMember and ActionProfileGroup (P4Runtime spec, 9.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import ActionProfile
from softswitch.server.codec import BoundAction
from softswitch.server.entities.base import Context, checked_weights
from softswitch.server.entities.watch import checked_watch
from softswitch.server.errors import already_exists, exhausted, invalid, not_found, precondition
from softswitch.server.roles import RoleRights
from softswitch.server.state import Group, GroupMember


def _profile(ctx: Context, message: Any, rights: RoleRights | None) -> ActionProfile:
    id = message.action_profile_id
    profile = ctx.program.info.profiles.by_id.get(id)
    if profile is None:
        raise invalid(f"the program has no action profile {id:#010x}")
    if rights is not None:
        rights.check_id(id)
    return profile


def _asked_profiles(ctx: Context, message: Any, rights: RoleRights) -> list[ActionProfile]:
    if message.action_profile_id:
        asked = [_profile(ctx, message, None)]
    else:
        asked = list(ctx.program.info.profiles)
    return [p for p in asked if rights.may_read(p.id)]


class Members:
    """ActionProfileMember."""

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Add a member."""
        profile = _profile(ctx, message, rights)
        if not message.member_id:
            raise invalid(f"action profile {profile.name!r}: the member id must not be 0")
        if ctx.state.hidden_groups.get(profile.id):
            raise invalid(
                f"action selector {profile.name!r} is programmed with one-shot actions: it cannot "
                "have members of its own"
            )
        members = ctx.state.members.setdefault(profile.id, {})
        if message.member_id in members:
            raise already_exists(
                f"action profile {profile.name!r} has a member {message.member_id} already"
            )
        if len(members) >= profile.size > 0:
            raise exhausted(f"action profile {profile.name!r} is full: {profile.size} members")
        action = self._action(ctx, profile, message)
        ctx.engine.add_member(profile, message.member_id, action)
        members[message.member_id] = action

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Change a member's action."""
        profile = _profile(ctx, message, rights)
        members = self._existing(ctx, profile, message)
        action = self._action(ctx, profile, message)
        ctx.engine.modify_member(profile, message.member_id, action)
        members[message.member_id] = action

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Delete a member that nothing uses."""
        profile = _profile(ctx, message, rights)
        members = self._existing(ctx, profile, message)
        id = message.member_id
        if ctx.state.member_uses[profile.id, id] > 0:
            raise precondition(f"member {id} of {profile.name!r} is used by a table entry")
        for group_id, group in ctx.state.groups.get(profile.id, {}).items():
            if any(m.id == id for m in group.members):
                raise precondition(f"member {id} of {profile.name!r} is in the group {group_id}")
        ctx.engine.delete_member(profile, id)
        del members[id]

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield one member, those of a profile, or all."""
        for profile in _asked_profiles(ctx, message, rights):
            members = ctx.state.members.get(profile.id, {})
            if message.action_profile_id and message.member_id:
                if message.member_id not in members:
                    raise not_found(
                        f"action profile {profile.name!r} has no member {message.member_id}"
                    )
                ids = [message.member_id]
            else:
                ids = list(members)
            for id in ids:
                yield p4r.Entity(
                    action_profile_member=p4r.ActionProfileMember(
                        action_profile_id=profile.id, member_id=id, action=members[id].message()
                    )
                )

    @staticmethod
    def _existing(ctx: Context, profile: ActionProfile, message: Any) -> dict[int, BoundAction]:
        members = ctx.state.members.get(profile.id, {})
        if message.member_id not in members:
            raise not_found(f"action profile {profile.name!r} has no member {message.member_id}")
        return members

    @staticmethod
    def _action(ctx: Context, profile: ActionProfile, message: Any) -> BoundAction:
        if not message.HasField("action"):
            raise invalid(f"action profile {profile.name!r}: the member has no action")
        for table_id in profile.table_ids:
            table = ctx.program.tables.get(table_id)
            if table is not None:
                return table.decode_action(message.action, default=False)
        raise invalid(f"no table uses the action profile {profile.name!r}")


class Groups:
    """ActionProfileGroup."""

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Add a group of existing members."""
        profile = self._selector(ctx, message, rights)
        if not message.group_id:
            raise invalid(f"action selector {profile.name!r}: the group id must not be 0")
        groups = ctx.state.groups.setdefault(profile.id, {})
        if message.group_id in groups:
            raise already_exists(
                f"action selector {profile.name!r} has a group {message.group_id} already"
            )
        self._check_max_size(profile, message)
        group = self._decode(ctx, profile, message)
        ctx.engine.set_group(profile, message.group_id, group.members)
        groups[message.group_id] = group

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Replace a group's members."""
        profile = self._selector(ctx, message, rights)
        groups = ctx.state.groups.get(profile.id, {})
        before = groups.get(message.group_id)
        if before is None:
            raise not_found(f"action selector {profile.name!r} has no group {message.group_id}")
        if message.max_size != before.max_size:
            raise invalid(
                f"group {message.group_id} of {profile.name!r}: max_size is {before.max_size} and "
                "cannot be changed"
            )
        group = self._decode(ctx, profile, message)
        ctx.engine.set_group(profile, message.group_id, group.members)
        groups[message.group_id] = group

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Delete a group that no entry uses."""
        profile = self._selector(ctx, message, rights)
        groups = ctx.state.groups.get(profile.id, {})
        if message.group_id not in groups:
            raise not_found(f"action selector {profile.name!r} has no group {message.group_id}")
        if ctx.state.group_uses[profile.id, message.group_id] > 0:
            raise precondition(
                f"group {message.group_id} of {profile.name!r} is used by a table entry"
            )
        ctx.engine.delete_group(profile, message.group_id)
        del groups[message.group_id]

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield one group, those of a selector, or all."""
        for profile in _asked_profiles(ctx, message, rights):
            groups = ctx.state.groups.get(profile.id, {})
            if message.action_profile_id and message.group_id:
                if message.group_id not in groups:
                    raise not_found(
                        f"action selector {profile.name!r} has no group {message.group_id}"
                    )
                ids = [message.group_id]
            else:
                ids = list(groups)
            for id in ids:
                yield p4r.Entity(action_profile_group=_group_message(profile, id, groups[id]))

    @staticmethod
    def _selector(ctx: Context, message: Any, rights: RoleRights) -> ActionProfile:
        profile = _profile(ctx, message, rights)
        if not profile.with_selector:
            raise invalid(f"action profile {profile.name!r} is no selector: it has no groups")
        return profile

    @staticmethod
    def _check_max_size(profile: ActionProfile, message: Any) -> None:
        if message.max_size < 0:
            raise invalid(f"group {message.group_id}: max_size is negative")
        # The specification wants max_size above 0 when P4Info has a maximum; p4c always writes
        # one and clients leave the field unset, so that is taken as "the maximum".
        if message.max_size > profile.max_group_size > 0:
            raise invalid(
                f"group {message.group_id} of {profile.name!r}: max_size {message.max_size} is "
                f"above the maximum of {profile.max_group_size}"
            )

    @staticmethod
    def _decode(ctx: Context, profile: ActionProfile, message: Any) -> Group:
        known = ctx.state.members.get(profile.id, {})
        members: dict[int, GroupMember] = {}
        what = f"group {message.group_id} of {profile.name!r}"
        for item in message.members:
            if item.member_id in members:
                raise invalid(f"{what}: member {item.member_id} is given twice; use its weight")
            if item.weight <= 0:
                raise invalid(f"{what}: the weight of member {item.member_id} is not above 0")
            if item.member_id not in known:
                raise not_found(f"{what}: there is no member {item.member_id}")
            members[item.member_id] = GroupMember(
                item.member_id, item.weight, *checked_watch(ctx, item)
            )
        limit = message.max_size or profile.max_group_size
        checked_weights(sum(m.weight for m in members.values()), limit, what)
        return Group(tuple(members.values()), message.max_size)


def _group_message(profile: ActionProfile, id: int, group: Group) -> Any:
    message = p4r.ActionProfileGroup(
        action_profile_id=profile.id, group_id=id, max_size=group.max_size
    )
    for member in group.members:
        item = message.members.add(member_id=member.id, weight=member.weight)
        if member.watch is not None:
            item.watch = member.watch
        if member.watch_port is not None:
            item.watch_port = member.watch_port
    return message

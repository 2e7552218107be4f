# SPDX-License-Identifier: MIT
"""An exclusive lock in a switch, after NetLock (SIGCOMM'20): a queue of waiting clients.

A client asks until it is granted the lock, works, and releases until the release is answered.

The design's risk: a release that is repeated or delayed frees the lock of whoever holds it by
then.  ``owned`` repairs it: requests carry the client and a number, and the switch releases for
the holder's current number only.

Properties: exclusion (never two holders), and everybody gets the lock once and is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verification.model import (
    Event,
    Fault,
    Invariant,
    Link,
    Packet,
    Permutation,
    Plain,
    State,
    Status,
    Step,
    System,
)

RETRY = Event("retry", Fault.TIMEOUT)


@dataclass(frozen=True)
class Message:
    """ACQUIRE, GRANT, RELEASE or RELEASED, of a client's n-th turn."""

    kind: str
    client: int
    turn: int

    def __str__(self) -> str:
        return f"{self.kind} of client {self.client}, turn {self.turn}"


@dataclass(frozen=True)
class Turn:
    """A client's phase: idle, asking, holding or releasing."""

    turn: int = 0
    phase: str = "idle"


@dataclass(frozen=True)
class LockClient(Plain):
    """Takes the lock ``turns`` times."""

    name: str
    index: int
    turns: int

    def initial(self) -> State:
        """Before the first turn."""
        return Turn()

    def status(self, state: Turn) -> Status:
        """Done after the last turn."""
        done = state.turn == self.turns
        return Status.DONE | Status.IDLE if done else Status.IDLE

    def events(self, state: Turn) -> Sequence[Event]:
        """Ask, work, repeat."""
        if state.turn == self.turns:
            return ()
        own = {"idle": Event("ask"), "holding": Event("leave")}
        return (own.get(state.phase, RETRY),)

    def fire(self, state: Turn, event: Event) -> Sequence[Step]:
        """Ask or release, for the first time or again."""
        asking = state.phase in ("idle", "asking")
        phase, kind = ("asking", "ACQUIRE") if asking else ("releasing", "RELEASE")
        message = Message(kind, self.index, state.turn)
        return (Step(replace(state, phase=phase), ((0, message),)),)

    def deliver(self, state: Turn, port: int, packet: Message) -> Sequence[Step]:
        """A grant, or the answer to a release, of this turn."""
        if packet.turn != state.turn:
            return (Step(state),)
        if packet.kind == "GRANT" and state.phase == "asking":
            return (Step(replace(state, phase="holding")),)
        if packet.kind == "RELEASED" and state.phase == "releasing":
            return (Step(Turn(state.turn + 1)),)
        return (Step(state),)

    def describe(self, state: Turn) -> str:
        """The phase."""
        return f"turn {state.turn}, {state.phase}"


Waiting = tuple[tuple[int, int], ...]
"""(client, turn) of the holder and those behind it."""


@dataclass(frozen=True)
class LockSwitch(Plain):
    """The queue; ``owned`` compares releases with the holder."""

    name: str
    owned: bool

    def initial(self) -> State:
        """Free; no turn served."""
        return ((), ())

    def status(self, state: tuple[Waiting, Waiting]) -> Status:
        """Idle while the lock is free."""
        return Status.DONE if state[0] else Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """None."""
        return ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Not called."""
        raise AssertionError(event)

    def deliver(self, state: tuple[Waiting, Waiting], port: int, packet: Message) -> Sequence[Step]:
        """One pass: enqueue and grant, or release and grant the next."""
        queue, served = state
        who = (packet.client, packet.turn)
        if packet.kind == "ACQUIRE":
            if who in served:  # late: that turn is over
                return (Step(state),)
            queue = queue if who in queue else (*queue, who)
            grant = ((packet.client, Message("GRANT", *who)),) if queue[0] == who else ()
            return (Step((queue, served), grant),)
        answer = (packet.client, Message("RELEASED", *who))
        if not queue or (self.owned and queue[0] != who):
            return (Step(state, (answer,)),)
        if self.owned:
            served = tuple(sorted({*served, who}))
        queue = queue[1:]
        grants = ((queue[0][0], Message("GRANT", *queue[0])),) if queue else ()
        return (Step((queue, served), (answer, *grants)),)

    def rename(self, state: tuple[Waiting, Waiting], perm: Permutation) -> State:
        """Clients renamed in the queue and the history."""
        queue, served = state
        return (
            tuple((perm[c], t) for c, t in queue),
            tuple(sorted((perm[c], t) for c, t in served)),
        )

    def describe(self, state: tuple[Waiting, Waiting]) -> str:
        """Holder and queue."""
        return f"queue {[client for client, _ in state[0]]}"


def _exclusion(*states: Turn) -> str | None:
    holders = [i for i, state in enumerate(states) if state.phase == "holding"]
    return f"clients {holders} hold the lock at once" if len(holders) > 1 else None


def _renamed(packet: Packet, perm: Permutation) -> Packet:
    assert isinstance(packet, Message)
    return replace(packet, client=perm[packet.client])


def netlock(clients: int = 2, turns: int = 1, *, owned: bool = True) -> System:
    """Clients around one switch."""
    names = tuple(f"c{i}" for i in range(clients))
    return System(
        name="lock, owned releases" if owned else "lock, plain releases",
        nodes=(
            *(LockClient(name, i, turns) for i, name in enumerate(names)),
            LockSwitch("switch", owned),
        ),
        links=tuple(Link(name, 0, "switch", i) for i, name in enumerate(names)),
        workers=names,
        groups=(tuple(range(clients)),),
        rename_packet=_renamed,
        invariants=(Invariant("exclusion", names, _exclusion),),
    )

# SPDX-License-Identifier: MIT
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.desired import (
    Action,
    Difference,
    Key,
    Replica,
    SwitchState,
    difference,
    row,
)

KEYS = st.builds(
    Key,
    st.sampled_from(["t", "u"]),
    st.tuples(st.tuples(st.just("f"), st.integers(0, 4))),
)
ACTIONS = st.builds(
    Action, st.sampled_from(["a", "b"]), st.tuples(st.tuples(st.just("p"), st.integers(0, 2)))
)
GROUPS = st.frozensets(st.builds(Replica, st.integers(1, 3), st.integers(0, 2)), min_size=1)
STATES = st.builds(
    SwitchState,
    st.dictionaries(KEYS, ACTIONS),
    st.dictionaries(st.sampled_from(["t", "u"]), ACTIONS),
    st.dictionaries(st.integers(1, 4), GROUPS),
)


def carried_out(state: SwitchState, updates: Difference) -> SwitchState:
    """What a strict switch holds afterwards: inserts need absence, all others presence."""
    rows, defaults, groups = dict(state.rows), dict(state.defaults), dict(state.groups)
    for key in updates.delete_rows:
        del rows[key]
    for number, copies in updates.insert_groups:
        assert number not in groups
        groups[number] = copies
    for number, copies in updates.modify_groups:
        assert number in groups
        groups[number] = copies
    defaults.update(updates.set_defaults)
    for key, action in updates.modify_rows:
        assert key in rows
        rows[key] = action
    for key, action in updates.insert_rows:
        assert key not in rows
        rows[key] = action
    for number in updates.delete_groups:
        del groups[number]
    return SwitchState(rows, defaults, groups)


@given(have=STATES, want=STATES)
def test_difference_leads_from_one_state_to_the_other(have: SwitchState, want: SwitchState) -> None:
    after = carried_out(have, difference(have, want))
    assert after.rows == want.rows
    assert after.groups == want.groups
    assert after.defaults == have.defaults | want.defaults


@given(state=STATES)
def test_no_difference_to_itself(state: SwitchState) -> None:
    assert not difference(state, state)


def test_order_of_parameters_does_not_matter() -> None:
    assert Action("a", (("x", 1), ("y", 2))) == Action("a", (("y", 2), ("x", 1)))


def test_union_refuses_two_values_for_one_row() -> None:
    one = SwitchState(rows=dict([row("t", [("f", 1)], "a", port=1)]))
    other = SwitchState(rows=dict([row("t", [("f", 1)], "a", port=2)]))
    assert (one | one) == one
    with pytest.raises(ValueError, match="two values for one row"):
        _ = one | other

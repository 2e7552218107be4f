# SPDX-License-Identifier: MIT
"""The STF files are what their scenarios say."""

import pytest

from tests.p4src.registry import all_tests, stf_files, stf_path

TESTS = all_tests()


@pytest.mark.parametrize(("program", "name"), TESTS, ids="-".join)
def test_file_is_up_to_date(program: str, name: str) -> None:
    path = stf_path(program, name)
    assert path.exists(), "run `python -m tests.p4src.generate`"
    assert path.read_text(encoding="utf-8") == TESTS[program, name]().text(), (
        "run `python -m tests.p4src.generate`"
    )


def test_no_file_without_a_scenario() -> None:
    assert stf_files() == {stf_path(*key) for key in TESTS}

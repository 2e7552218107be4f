# SPDX-License-Identifier: MIT
"""``inca stf``: packet tests from text files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

if TYPE_CHECKING:
    from softswitch.stf.cases import Case, Dialect, PriorityOrder, TargetName

_PATH = click.Path(path_type=Path)


@click.command("stf")
@click.argument("program", type=_PATH)
@click.argument("test", type=_PATH, required=False)
@click.option(
    "--target",
    type=click.Choice(["softswitch", "bmv2"]),
    default="softswitch",
    help="The switch under test: this project's, in process (default), or simple_switch_grpc.",
)
@click.option("--json", "json_file", type=_PATH, help="BMv2 JSON to load instead of compiling.")
@click.option("--p4info", type=_PATH, help="P4Info (text protobuf) that goes with --json.")
@click.option(
    "--dialect",
    type=click.Choice(["inca", "p4c"]),
    default="inca",
    help="p4c: the dialect of p4c's own tests (there the smaller priority wins).",
)
@click.option(
    "--priorities",
    type=click.Choice(["larger", "smaller"]),
    help="Which priority of 'add' wins [default: larger; smaller with --dialect p4c].",
)
@click.option(
    "--recorded",
    is_flag=True,
    help="In a folder: load NAME.bmv2.json and NAME.p4info.txtpb instead of compiling NAME.p4.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Cases at a time [default: one a core].")
@click.option("--timeout", type=click.FloatRange(1), default=120.0, help="Seconds for one case.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the switch.")
@click.option("--sanitize", is_flag=True, help="Run the generated code under ASan and UBSan.")
@click.option("-q", "--quiet", is_flag=True, help="Print failed cases and the summary only.")
def command(
    program: Path,
    test: Path | None,
    target: str,
    json_file: Path | None,
    p4info: Path | None,
    dialect: str,
    priorities: str | None,
    recorded: bool,
    jobs: int | None,
    timeout: float,
    seed: int,
    sanitize: bool,
    quiet: bool,
) -> int:
    """Run the packet test TEST on PROGRAM; or all tests in the folder PROGRAM.

    In a folder every NAME.p4 is run that has NAME.stf (packets) or NAME.err (the program must be
    rejected) beside it.  Exits with 1 if a case fails.
    """
    from softswitch.stf.cases import CaseOptions
    from softswitch.stf.suite import run_suite

    cases = _cases(program, test, json_file, p4info, recorded)
    if target == "bmv2":
        from softswitch.stf.remote import bmv2_command

        bmv2_command()  # one error now instead of one for each case
    options = CaseOptions(
        cast("TargetName", target),
        cast("Dialect", dialect),
        priorities=cast("PriorityOrder | None", priorities),
        sanitize=sanitize,
        seed=seed,
    )
    passed = failed = 0
    for result in run_suite(cases, options, jobs=jobs or 0, timeout_s=timeout):
        if result.passed:
            passed += 1
            if not quiet:
                click.echo(f"ok    {result.case.name} ({result.seconds:.2f} s)")
        else:
            failed += 1
            click.echo(f"FAIL  {result.case.name}: {result.reason}")
    click.echo(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _cases(
    program: Path, test: Path | None, json_file: Path | None, p4info: Path | None, recorded: bool
) -> list[Case]:
    from softswitch.stf.cases import Case, find_cases

    if program.is_dir():
        if test or json_file or p4info:
            raise click.UsageError("a folder takes no TEST, --json or --p4info; see --recorded")
        cases = find_cases(program, recorded=recorded)
        if not cases:
            raise click.UsageError(f"{program} has no NAME.p4 with NAME.stf or NAME.err beside it")
        return cases
    if recorded:
        raise click.UsageError("--recorded is for a folder; give --json and --p4info")
    if test is None:
        raise click.UsageError(f"which test? inca stf {program} TEST.stf")
    if bool(json_file) != bool(p4info):
        raise click.UsageError("give both --json and --p4info, or neither")
    for path in (test, json_file, p4info, *([] if json_file else [program])):
        if path is not None and not path.is_file():
            raise click.UsageError(f"no such file: {path}")
    err = test if test.suffix == ".err" else None
    return [
        Case(
            program.with_suffix("").name,
            program,
            stf=None if err else test,
            err=err,
            json=json_file,
            p4info=p4info,
        )
    ]

# SPDX-License-Identifier: MIT
"""``inca compile``: P4_16 to BMv2 JSON and P4Info, with p4c's options."""

from __future__ import annotations

from pathlib import Path

import click

from inca.programs import compile_program, parse_defines

_PATH = click.Path(path_type=Path)


@click.command("compile")
@click.argument("source", type=_PATH)
@click.option("-o", "output", type=_PATH, help="BMv2 JSON; a folder: SOURCE's name with .json.")
@click.option("--p4runtime-files", "p4info", type=_PATH, help="P4Info as text protobuf.")
@click.option("-I", "include_dirs", type=_PATH, multiple=True, help="Folder to search.")
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="Define a macro.")
@click.option(
    "--compiler",
    type=click.Choice(["inca", "p4c"]),
    default="inca",
    show_default=True,
    help="This project's front end, or the machine's p4c.",
)
@click.option("--target", "-b", type=click.Choice(["bmv2"]), help="As p4c's; bmv2 is all there is.")
@click.option("--arch", type=click.Choice(["v1model"]), help="As p4c's; v1model is all there is.")
@click.option("--std", type=click.Choice(["p4-16"]), help="As p4c's; P4_16 is all there is.")
def command(
    source: Path,
    output: Path | None,
    p4info: Path | None,
    include_dirs: tuple[Path, ...],
    defines: tuple[str, ...],
    compiler: str,
    **_fixed: str | None,
) -> None:
    """Compile SOURCE, a P4_16 program for v1model, to BMv2 JSON and P4Info."""
    json_path = output or Path(source.stem + ".json")
    if json_path.is_dir():
        json_path /= source.stem + ".json"
    compile_program(
        source,
        json_path,
        p4info,
        include_dirs=include_dirs,
        defines=parse_defines(defines),
        target="bmv2" if compiler == "p4c" else "softswitch",
    )

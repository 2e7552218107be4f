# SPDX-License-Identifier: MIT
"""``python -m softswitch.frontend``: the compiler with p4c's options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from softswitch.frontend.compiler import P4INFO_SUFFIXES, compile_p4
from softswitch.frontend.diagnostics import P4CompileError
from softswitch.frontend.preprocess import preprocess

EXIT_OK, EXIT_ERRORS = 0, 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m softswitch.frontend",
        description="Compile a P4_16 program for v1model to BMv2 JSON and P4Info.",
    )
    parser.add_argument("source", type=Path, metavar="PROGRAM.p4")
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        default=Path(),
        metavar="FILE",
        help="where the JSON goes; a directory gets PROGRAM.json (default: this one)",
    )
    parser.add_argument(
        "--p4runtime-files",
        type=_paths,
        default=[],
        metavar="FILE[,FILE...]",
        help="where P4Info goes, by suffix: .txtpb or .txt (text), .json, .bin",
    )
    parser.add_argument("-I", dest="include", action="append", default=[], metavar="DIR", type=Path)
    parser.add_argument("-D", dest="define", action="append", default=[], metavar="NAME[=VALUE]")
    parser.add_argument("-U", dest="undefine", action="append", default=[], metavar="NAME")
    parser.add_argument("--std", choices=["p4-16", "p4_16"], default="p4-16")
    parser.add_argument("-b", "--target", choices=["bmv2"], default="bmv2")
    parser.add_argument("-a", "--arch", choices=["v1model"], default="v1model")
    parser.add_argument("-E", dest="preprocess", action="store_true", help="only preprocess")
    return parser


def _paths(text: str) -> list[Path]:
    paths = [Path(part) for part in text.split(",") if part]
    for path in paths:
        if path.suffix not in P4INFO_SUFFIXES:
            known = ", ".join(P4INFO_SUFFIXES)
            raise argparse.ArgumentTypeError(f"{path}: the suffix must be one of {known}")
    return paths


def _defines(define: Sequence[str], undefine: Sequence[str]) -> dict[str, str | None]:
    result: dict[str, str | None] = {}
    for item in define:
        name, equals, value = item.partition("=")
        result[name] = value if equals else None
    for name in undefine:
        result.pop(name, None)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run the compiler; gives the exit status."""
    args = _parser().parse_args(argv)
    output: Path = args.output
    if output.is_dir():
        output = output / f"{args.source.stem}.json"
    defines = _defines(args.define, args.undefine)
    try:
        if args.preprocess:
            text = preprocess(args.source, include_dirs=args.include, defines=defines)
            print("\n".join(line.text for line in text.lines))
            return EXIT_OK
        done = compile_p4(args.source, include_dirs=args.include, defines=defines)
    except P4CompileError as failure:
        print(failure.render(), file=sys.stderr)
        return EXIT_ERRORS
    for warning in done.warnings:
        print(warning.render(), file=sys.stderr)
    try:
        done.write(output, None)
        for path in args.p4runtime_files:
            done.write(None, path)
    except OSError as failure:
        name = failure.filename or output
        print(f"{name}: cannot be written: {failure.strerror}", file=sys.stderr)
        return EXIT_ERRORS
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
